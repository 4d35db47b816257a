import type { MiddlewareHandler } from 'hono';
import type { Attempts } from '../../accounts/sessions/attempts.ts';
import { beforeLargeBody } from '../../platform/http/bodies.ts';
import type { AppEnv } from '../../platform/http/env.ts';
import { requireStanding } from '../../platform/http/standing.ts';
import { refuseEarly } from '../runs/early.ts';
import type { TurnDeps } from '../runs/turn.ts';

/**
 * Refuses a large call by its first KB if its account can have no answer now, and an account that sends one large
 * mistake after the other: reading and counting the rest would cost a hundred times as much. `isFree`: the call needs
 * no credits, and counts in no limit.
 */
export function refusedEarly(
  deps: TurnDeps & { attempts: Attempts },
  { isFree = false } = {},
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { accountId } = c.var;
    let isLarge = false;
    beforeLargeBody(c, async (head) => {
      isLarge = true;
      await deps.attempts.check('misfit', accountId);
      // The head of a compressed body says nothing.
      if (isFree) requireStanding(c.var);
      else await refuseEarly(deps, c.var, c.req.header('content-encoding') ? '{' : head);
    });
    await next();
    // A request that broke off is no mistake of the client.
    const isCutOff = c.env.incoming.destroyed && !c.env.incoming.complete;
    // A prompt that is too long is 400 in a dialect, and 413 as a problem.
    const isMistake = c.res.status === 400 || c.res.status === 413;
    if (isLarge && isMistake && !isCutOff) await deps.attempts.note('misfit', accountId);
  };
}
