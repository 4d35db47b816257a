import { z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import { AppError } from '../../platform/errors.ts';
import type { AppContext, AppEnv } from '../../platform/http/env.ts';
import { findDesk, isTouchDue, openUntil, touchDesk } from './deskSessions.ts';
import { findReviewer } from './store.ts';

export interface GuardDeps {
  db: Database;
  clock: Clock;
  /** Whether the request comes from the server's own machine, where the desk opens without a second factor. */
  isOwnMachine: (c: AppContext) => boolean;
}

/** What a reviewer needs before the desk is open. Every other route under `/api/desk` needs an open desk. */
const BEFORE_IT_OPENS = new Set(['/api/desk', '/api/desk/factor', '/api/desk/session']);

/**
 * Stands before every route of `/api/desk`, also before those that don't exist. Lets only a reviewer pass, in a browser's
 * session, with the desk open; sets `reviewer`. To everybody else there is no desk: 404.
 */
export function deskGuard({ db, clock, isOwnMachine }: GuardDeps): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { accountId, sessionId } = c.var;
    const now = clock.now();
    const reviewer = await findReviewer(db.read, accountId, now);
    // A device's token is read by tools, and lies on disks.
    if (!reviewer || c.get('sessionKind') !== 'page')
      throw new AppError('not_found', `There is nothing at ${c.req.method} ${c.req.path}.`);
    c.set('reviewer', reviewer);
    if (BEFORE_IT_OPENS.has(c.req.path)) return next();
    const desk = await findDesk(db.read, sessionId, accountId);
    if (!desk || openUntil(desk, now, !isOwnMachine(c)) === null)
      throw new AppError(
        'second_factor_required',
        'The desk closes by itself after a while. Open it again; nothing was done.',
      );
    if (isTouchDue(desk, now)) await db.write((tx) => touchDesk(tx, sessionId, now));
    await next();
  };
}

/** The number of a case in an address; null for anything else, which names no case. */
export function readCaseNumber(text: string): number | null {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
}

/** Any text is taken, so that a forged number is a case that there is not. */
export const caseParams = z.object({ number: z.string().max(100) });

/** The number of a case in an address. Throws `not_found` for anything else. */
export function requireCaseNumber(text: string): number {
  const number = readCaseNumber(text);
  if (number === null) throw noSuchCase();
  return number;
}

/** The same answer for a number that no case has, and for a text that is no number. */
export const noSuchCase = (): AppError =>
  new AppError('not_found', 'There is no such case. The lists of the desk have those that there are.');
