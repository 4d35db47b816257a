import { createRoute } from '@hono/zod-openapi';
import {
  DeskOpenSchema,
  type DeskState,
  DeskStateSchema,
  FactorRequestSchema,
  FactorSchema,
  PauseRequestSchema,
} from '../../../shared/desk.ts';
import { type Clock, type Ids, iso } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import { AppError } from '../../platform/errors.ts';
import { answers, emptyAnswer } from '../../platform/http/api.ts';
import { jsonBody, KB } from '../../platform/http/bodies.ts';
import type { Api, AppContext } from '../../platform/http/env.ts';
import { findPause, pause, resume } from '../../risk/flags/store.ts';
import { requireReviewer } from '../cases/decide.ts';
import { recordAct } from '../reviewers/acts.ts';
import { closeDesk, findDesk, openDesk, openUntil } from '../reviewers/deskSessions.ts';
import { beginFactor, findFactorState, fitCode, useCode } from '../reviewers/factor.ts';
import type { GuardDeps } from '../reviewers/guard.ts';
import { countReviewers } from '../reviewers/store.ts';
import type { Attempt, Attempts } from '../sessions/attempts.ts';
import { countWaiting } from './lists.ts';

export interface DeskDeps extends GuardDeps {
  db: Database;
  clock: Clock;
  ids: Ids;
  secret: string;
  attempts: Attempts;
}

const state = createRoute({
  method: 'get',
  path: '/api/desk',
  summary: 'The reviewers’ desk: whether it is open, and what waits. Asking does not keep it open',
  responses: answers(DeskStateSchema),
});

const factor = createRoute({
  method: 'post',
  path: '/api/desk/factor',
  summary: 'Begins to set a second factor up, with the setup code, which its first right code uses up',
  request: { body: jsonBody(FactorRequestSchema, 4 * KB) },
  responses: answers(FactorSchema),
});

const open = createRoute({
  method: 'post',
  path: '/api/desk/session',
  summary: 'Opens the desk with a code of the second factor; on the server’s own machine without one',
  request: { body: jsonBody(DeskOpenSchema, 4 * KB) },
  responses: answers(DeskStateSchema),
});

const close = createRoute({
  method: 'delete',
  path: '/api/desk/session',
  summary: 'Closes the desk in this browser',
  responses: emptyAnswer,
});

const stop = createRoute({
  method: 'post',
  path: '/api/desk/pause',
  summary: 'Stops flagging on every node; open cases stay open',
  request: { body: jsonBody(PauseRequestSchema, 4 * KB) },
  responses: answers(DeskStateSchema),
});

const goOn = createRoute({
  method: 'delete',
  path: '/api/desk/pause',
  summary: 'Goes on with flagging',
  responses: answers(DeskStateSchema),
});

/** The desk's door, and its switch for all flagging. `deskGuard` stands before these routes. */
export function deskRoutes(api: Api, deps: DeskDeps): void {
  const { db, clock, ids, secret, attempts, isOwnMachine } = deps;

  api.openapi(state, async (c) => c.json(await stateOf(deps, c), 200));

  api.openapi(factor, async (c) => {
    const { id, name } = c.get('reviewer');
    const { setupCode } = c.req.valid('json');
    await attempts.count('deskSetup', id);
    const at = clock.now();
    const begun = await db.write((tx) =>
      beginFactor(tx, { ids, secret }, { accountId: id, label: name, setupCode, at }),
    );
    if (begun === null) {
      await keepWrongCode(deps, id, 'a setup code');
      throw new AppError(
        'setup_code_wrong',
        'It is not yours, was used already, or is older than 24 hours. The operator makes a new one: npm run admin -- reviewer EMAIL --setup',
      );
    }
    await attempts.giveBack('deskSetup', id);
    return c.json(begun, 200);
  });

  api.openapi(open, async (c) => {
    const { accountId, sessionId } = c.var;
    const at = clock.now();
    if (isOwnMachine(c)) {
      await db.write(async (tx) => {
        await openDesk(tx, { sessionId, accountId, byCode: false, at });
        await recordAct(tx, { at, by: { reviewerId: accountId }, act: 'opened_desk', detail: OWN_MACHINE });
      });
    } else await openByCode(deps, c, c.req.valid('json').code, at);
    return c.json(await stateOf(deps, c), 200);
  });

  api.openapi(close, async (c) => {
    const { accountId, sessionId } = c.var;
    await db.write(async (tx) => {
      if (await closeDesk(tx, sessionId))
        await recordAct(tx, { at: clock.now(), by: { reviewerId: accountId }, act: 'closed_desk' });
    });
    return c.body(null, 204);
  });

  api.openapi(stop, async (c) => {
    const { why } = c.req.valid('json');
    const at = clock.now();
    await db.write(async (tx) => {
      await requireReviewer(tx, c.get('reviewer').id, at);
      if ((await findPause(tx)) !== null) return;
      await pause(tx, why, at);
      await recordAct(tx, { at, by: { reviewerId: c.get('reviewer').id }, act: 'paused', detail: why });
    });
    return c.json(await stateOf(deps, c), 200);
  });

  api.openapi(goOn, async (c) => {
    await db.write(async (tx) => {
      await requireReviewer(tx, c.get('reviewer').id, clock.now());
      if ((await findPause(tx)) === null) return;
      await resume(tx);
      await recordAct(tx, { at: clock.now(), by: { reviewerId: c.get('reviewer').id }, act: 'resumed' });
    });
    return c.json(await stateOf(deps, c), 200);
  });
}

const OWN_MACHINE = 'on the server’s own machine, without a code';

async function stateOf(deps: DeskDeps, c: AppContext): Promise<DeskState> {
  const { db, clock, secret, isOwnMachine } = deps;
  const { reviewer, sessionId } = c.var;
  const now = clock.now();
  const needsFactor = !isOwnMachine(c);
  const until = openUntil(await findDesk(db.read, sessionId, reviewer.id), now, needsFactor);
  const reviewers = await countReviewers(db.read, now);
  const paused = await findPause(db.read);
  return {
    name: reviewer.name,
    hasFactor: (await findFactorState(db.read, secret, reviewer.id)) === 'ready',
    needsFactor,
    openUntil: until === null ? null : iso(until),
    reviewers,
    paused: paused && { since: iso(paused.since), why: paused.why },
    counts: until === null ? null : await countWaiting(db.read, { reviewerId: reviewer.id, reviewers, at: now }),
  };
}

/** Throws unless the code is right and was not used before. Wrong ones are counted and kept. */
async function openByCode(deps: DeskDeps, c: AppContext, code: string | undefined, at: number): Promise<void> {
  const { db, secret, attempts } = deps;
  const { accountId, sessionId } = c.var;
  const factor = await findFactorState(db.read, secret, accountId);
  if (factor === 'none' || factor === 'unreadable') throw new AppError('second_factor_required', NOT_READY[factor]);
  if (code === undefined)
    throw new AppError('second_factor_required', 'Type the six digits that your authenticator app shows now.');
  // Counted before the code is compared: many at once get no more tries.
  const shares: [Attempt, string][] = [
    ['deskCode', accountId],
    ['deskCodeDay', accountId],
  ];
  await attempts.countAll(shares);
  const fitting = await fitCode(db.read, secret, { accountId, code: code.replace(' ', ''), at });
  const by = { reviewerId: accountId };
  const isOpen =
    fitting !== null &&
    (await db.write(async (tx) => {
      const used = await useCode(tx, accountId, fitting, at);
      if (!used) return false;
      if (used.isFirst) await recordAct(tx, { at, by, act: 'factor_set' });
      await openDesk(tx, { sessionId, accountId, byCode: true, at });
      await recordAct(tx, { at, by, act: 'opened_desk' });
      return true;
    }));
  if (!isOpen) {
    await keepWrongCode(deps, accountId, fitting ? 'a code that was used before' : null);
    throw new AppError(
      'code_wrong',
      'It is mistyped, over, or was used already: each code counts once. Wait for the next one. If none is right, check the clock of your telephone.',
    );
  }
  for (const share of shares) await attempts.giveBack(...share);
}

const NOT_READY = {
  none: 'You have no second factor yet. Set one up with the setup code that the operator gave you.',
  unreadable:
    'Your second factor can’t be read any more, because the server’s secret was changed. The operator makes a new setup code: npm run admin -- reviewer EMAIL --setup',
} as const;

const keepWrongCode = ({ db, clock }: DeskDeps, reviewerId: string, detail: string | null): Promise<void> =>
  db.write((tx) =>
    recordAct(tx, {
      at: clock.now(),
      by: { reviewerId },
      act: 'wrong_code',
      ...(detail === null ? {} : { detail }),
    }),
  );
