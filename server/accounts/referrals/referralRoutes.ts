import { createRoute, z } from '@hono/zod-openapi';
import { ReferralsAnswerSchema } from '../../../shared/credits.ts';
import { AppError } from '../../platform/errors.ts';
import { answers } from '../../platform/http/api.ts';
import type { Api } from '../../platform/http/env.ts';
import type { AuthDeps } from '../people/authDeps.ts';
import { isRevoked, linkCode } from './links.ts';
import { invitationOf, referralsOf, totalsOf } from './referralList.ts';
import { areReferralsOn, mayBeEarned, referralTerms } from './referrals.ts';

const list = createRoute({
  method: 'get',
  path: '/api/referrals',
  summary: 'An account’s own link, who joined by it, and what that earned',
  request: {
    query: z.object({
      before: z.string().max(60).optional(),
      limit: z.coerce.number().int().min(1).max(100).default(50),
    }),
  },
  responses: answers(ReferralsAnswerSchema),
});

export function referralRoutes(api: Api, deps: AuthDeps): void {
  const { db, clock, ids, origins } = deps;
  const terms = referralTerms(deps);

  api.openapi(list, async (c) => {
    if (!areReferralsOn(deps)) throw new AppError('not_offered', 'This server gives nothing for inviting others.');
    if (c.get('accountKind') === 'guest')
      throw new AppError('members_only', 'Guests have no invitation link. Sign in first.');
    const { accountId } = c.var;
    const { before, limit } = c.req.valid('query');
    const page = await referralsOf(db.read, accountId, before, limit);
    const referrals = page.referrals.map((one) => ({
      ...one,
      rewards: one.rewards.filter((reward) => mayBeEarned(deps, reward)),
    }));
    const code = await db.write((tx) => linkCode(tx, ids, accountId, clock.now()));
    const revoked = (await isRevoked(db.read, accountId)) ? { isRevoked: true as const } : {};
    const totals = await totalsOf(db.read, accountId);
    const invited = await invitationOf(db.read, accountId);
    return c.json(
      { link: `${origins.home(c)}/join/${code}`, ...revoked, terms, ...totals, ...page, referrals, invited },
      200,
    );
  });
}
