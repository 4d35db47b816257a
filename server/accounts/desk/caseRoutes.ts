import { createRoute, z } from '@hono/zod-openapi';
import { CaseKindSchema, CaseSchema, CasesSchema, ListSchema, SecondSchema } from '../../../shared/desk.ts';
import { AppError } from '../../platform/errors.ts';
import { answers } from '../../platform/http/api.ts';
import { jsonBody, KB } from '../../platform/http/bodies.ts';
import type { Api, AppContext } from '../../platform/http/env.ts';
import { type Flag, findFlag } from '../../risk/flags/store.ts';
import { recordAct } from '../reviewers/acts.ts';
import { caseParams, type GuardDeps, noSuchCase, requireCaseNumber } from '../reviewers/guard.ts';
import { countReviewers } from '../reviewers/store.ts';
import { type Looks, listCases } from './lists.ts';
import { readCase } from './openedCase.ts';
import { giveSecondLook } from './seconds.ts';

const list = createRoute({
  method: 'get',
  path: '/api/desk/cases',
  summary: 'The cases of a list, the newest first, without the accounts',
  request: {
    query: z.object({
      list: ListSchema.default('open'),
      kind: CaseKindSchema.optional(),
      before: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional().describe('`next` of a page'),
    }),
  },
  responses: answers(CasesSchema),
});

const read = createRoute({
  method: 'get',
  path: '/api/desk/cases/{number}',
  summary: 'Opens a case: the account, the dossier, the decisions. Who opened it is kept',
  request: { params: caseParams },
  responses: answers(CaseSchema),
});

const second = createRoute({
  method: 'post',
  path: '/api/desk/cases/{number}/second',
  summary: 'Judges a decided case without having seen the decision; nothing follows from it for the account',
  request: { params: caseParams, body: jsonBody(SecondSchema, 16 * KB) },
  responses: answers(CaseSchema),
});

/** The cases as reviewers find and open them. `deskGuard` stands before these routes. */
export function deskCaseRoutes(api: Api, { db, clock }: GuardDeps): void {
  const looksOf = async (c: AppContext): Promise<Looks> => ({
    reviewerId: c.get('reviewer').id,
    reviewers: await countReviewers(db.read, clock.now()),
    at: clock.now(),
  });
  /** Throws where there is no such case, or it is about the reviewer’s own account. */
  async function found(c: AppContext, typed: string): Promise<Flag> {
    const flag = await findFlag(db.read, requireCaseNumber(typed));
    // An owner hears of a case when it is decided.
    const isOwn = flag?.accountId === c.get('reviewer').id;
    if (!flag || (isOwn && flag.endedAt === null)) throw noSuchCase();
    // A dossier tells how to avoid the next one.
    if (isOwn)
      throw new AppError('own_case', 'This case is about your own account: another reviewer sees and decides it.');
    return flag;
  }

  api.openapi(list, async (c) => c.json(await listCases(db.read, await looksOf(c), c.req.valid('query')), 200));

  api.openapi(read, async (c) => {
    const flag = await found(c, c.req.valid('param').number);
    const looks = await looksOf(c);
    const at = clock.now();
    const opened = await readCase(db.read, flag, looks, at);
    await db.write((tx) =>
      recordAct(tx, { at, by: { reviewerId: looks.reviewerId }, act: 'opened_case', flag: flag.number }),
    );
    return c.json(opened, 200);
  });

  api.openapi(second, async (c) => {
    const flag = await found(c, c.req.valid('param').number);
    const looks = await looksOf(c);
    const at = clock.now();
    const given = { number: flag.number, ...c.req.valid('json'), at };
    if (!(await db.write((tx) => giveSecondLook(tx, looks, given))))
      throw new AppError(
        'not_to_decide',
        'This case waits for no second look of yours: one was given, or you know how it was decided. Nothing was kept.',
      );
    return c.json(await readCase(db.read, flag, looks, at), 200);
  });
}
