import { createRoute } from '@hono/zod-openapi';
import { ClaimAnswerSchema, ClaimRequestSchema, PromotionsAnswerSchema } from '../../../shared/promotions.ts';
import { iso } from '../../platform/clock.ts';
import { AppError } from '../../platform/errors.ts';
import { answers } from '../../platform/http/api.ts';
import { jsonBody, KB } from '../../platform/http/bodies.ts';
import type { Api } from '../../platform/http/env.ts';
import { requireStanding } from '../../platform/http/standing.ts';
import type { Attempt } from '../sessions/attempts.ts';
import { type AuthDeps, networkOf } from './authDeps.ts';
import { type Claimed, canClaim, claimByCode } from './promotions.ts';
import { balanceOf } from './store.ts';

const list = createRoute({
  method: 'get',
  path: '/api/promotions',
  summary: 'Whether there is a promotion to ask for by a code',
  responses: answers(PromotionsAnswerSchema),
});

const claim = createRoute({
  method: 'post',
  path: '/api/promotions/claim',
  summary: 'Asks for the credits of a promotion by its code, once for each person',
  request: { body: jsonBody(ClaimRequestSchema, 4 * KB) },
  responses: answers(ClaimAnswerSchema),
});

export function promotionRoutes(api: Api, deps: AuthDeps): void {
  const { db, clock, secret, attempts } = deps;

  api.openapi(list, async (c) => {
    const { accountId, accountKind, isLocal } = c.var;
    const mayAsk = accountKind === 'member' && !isLocal;
    return c.json({ claimable: mayAsk && (await canClaim(db.read, secret, accountId, clock.now())) }, 200);
  });

  api.openapi(claim, async (c) => {
    const { accountId, accountKind, isLocal } = c.var;
    if (accountKind === 'guest')
      throw new AppError(
        'members_only',
        'A guest can’t use a code. Sign in first, then enter it on your account page.',
      );
    if (isLocal) throw new AppError('not_offered', 'This server is your own and limits nothing: no code adds to that.');
    requireStanding(c.var);
    const shares: [Attempt, string][] = [
      ['promotionCode', accountId],
      ['promotionCodeFrom', networkOf(deps, c)],
    ];
    await attempts.countAll(shares);
    const asked = { accountId, code: c.req.valid('json').code, at: clock.now() };
    const claimed = await db.write((tx) => claimByCode(tx, secret, asked));
    if (claimed.kind !== 'unknown') for (const share of shares) await attempts.giveBack(...share);
    if (claimed.kind !== 'given') throw refusal(claimed);
    const { amount, why } = claimed.promotion;
    const balance = await balanceOf(db.read, deps.policy, accountId, clock.now());
    return c.json({ amountMicro: amount, reason: why, balance }, 200);
  });
}

function refusal(claimed: Exclude<Claimed, { kind: 'given' }>): AppError {
  switch (claimed.kind) {
    case 'unknown':
      return new AppError('code_unknown', 'Nothing was given. Check how the code is spelled.');
    case 'not_begun':
      return new AppError(
        'promotion_closed',
        `It begins on ${iso(claimed.startsAt)}. Nothing was given; enter the code again then.`,
        { retryAt: iso(claimed.startsAt) },
      );
    case 'ended':
      return new AppError('promotion_closed', `It ended on ${iso(claimed.endsAt)}. Nothing was given.`);
    case 'used_up':
      return new AppError('promotion_closed', 'All of its credits have been given to others. Nothing was given.');
    case 'claimed':
      return new AppError(
        'promotion_claimed',
        'Each person gets these credits once, whatever the account. The token log says when yours came.',
      );
    case 'too_much':
      return new AppError(
        'promotion_closed',
        'Your account has as many promotional credits as an account can have. Nothing was given.',
      );
    case 'closed':
      return new AppError('unauthorized', 'This account has ended.');
    default:
      return claimed satisfies never;
  }
}
