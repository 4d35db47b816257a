import { createRoute, z } from '@hono/zod-openapi';
import { CaseDecisionSchema, DecideSchema, HearSchema } from '../../../shared/desk.ts';
import type { Clock, Ids } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import { AppError } from '../../platform/errors.ts';
import { answers, emptyAnswer, rawAnswer } from '../../platform/http/api.ts';
import { jsonBody, KB } from '../../platform/http/bodies.ts';
import type { Api } from '../../platform/http/env.ts';
import { hear } from '../cases/appeals.ts';
import { decide } from '../cases/decide.ts';
import type { StopsRuns } from '../cases/effects.ts';
import { findCasePicture, pictureResponse } from '../cases/pictures.ts';
import { toCaseDecision } from '../cases/store.ts';
import { recordAct } from '../reviewers/acts.ts';
import { caseParams, requireCaseNumber } from '../reviewers/guard.ts';

const decideCase = createRoute({
  method: 'post',
  path: '/api/desk/cases/{number}/decisions',
  summary: 'Decides a case; of two reviewers at once, the second is refused',
  request: { params: caseParams, body: jsonBody(DecideSchema, 16 * KB) },
  responses: answers(CaseDecisionSchema),
});

const hearAppeal = createRoute({
  method: 'post',
  path: '/api/desk/cases/{number}/appeal',
  summary: 'Decides the appeal in a case, never by the one who has decided first',
  request: { params: caseParams, body: jsonBody(HearSchema, 16 * KB) },
  responses: emptyAnswer,
});

const seePicture = createRoute({
  method: 'get',
  path: '/api/desk/cases/{number}/pictures/{id}',
  summary: 'A picture of the appeal in a case; that it was seen, and by whom, is kept',
  request: { params: caseParams.extend({ id: z.uuid() }) },
  responses: rawAnswer('image/webp', 'the picture'),
});

export interface DecisionDeps {
  db: Database;
  clock: Clock;
  ids: Ids;
  runs: StopsRuns;
  /** Mails owners what was decided, without delaying the answer. */
  mailSoon: () => void;
}

/** What reviewers decide. Bind it behind the guard of the desk. */
export function decisionRoutes(api: Api, deps: DecisionDeps): void {
  const { db, clock } = deps;

  api.openapi(decideCase, async (c) => {
    const { id: reviewerId, name } = c.get('reviewer');
    const number = requireCaseNumber(c.req.valid('param').number);
    const { until, ...wish } = c.req.valid('json');
    const end = until === undefined ? null : Date.parse(until);
    const made = await db.write((tx) => decide(tx, deps, { ...wish, number, until: end, reviewerId, at: clock.now() }));
    deps.mailSoon();
    return c.json(toCaseDecision(made, name), 200);
  });

  api.openapi(hearAppeal, async (c) => {
    const by = { reviewerId: c.get('reviewer').id };
    const number = requireCaseNumber(c.req.valid('param').number);
    const heard = c.req.valid('json');
    await db.write((tx) => hear(tx, { ...heard, number, by, at: clock.now() }));
    deps.mailSoon();
    return c.body(null, 204);
  });

  api.openapi(seePicture, async (c) => {
    const { number: typed, id } = c.req.valid('param');
    const { id: reviewerId } = c.get('reviewer');
    const number = requireCaseNumber(typed);
    const picture = await findCasePicture(db.read, number, id);
    if (!picture) throw new AppError('not_found', 'There is no such picture in this case.');
    if (picture.accountId === reviewerId)
      throw new AppError('own_case', 'This appeal is your own: its pictures are on your account page.');
    await db.write((tx) => recordAct(tx, { at: clock.now(), by: { reviewerId }, act: 'saw_picture', flag: number }));
    return pictureResponse(c, picture.bytes, 'appeal') as never;
  });
}
