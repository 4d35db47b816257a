import type { Hono } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { inCredits } from '../../../shared/money/amounts.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { AppContext, AppEnv } from '../../platform/http/env.ts';
import type { AuthDeps } from '../people/authDeps.ts';
import { network } from '../people/guests.ts';
import { ownerOfLink } from '../referrals/links.ts';
import { areReferralsOn, type Joined, join, referralTerms } from '../referrals/referrals.ts';
import { isOpened, optionsOf, prefixOf, readPageCookie } from '../sessions/pageCookie.ts';
import { findCaller } from '../sessions/tokens.ts';
import { messagePage } from './signInPages.ts';

const COOKIE = 'perigee_joined_by';
/** From the click on a link to the sign-in. */
const COOKIE_S = 30 * 24 * 3600;

/** The page that a referral link opens: the browser remembers the link until a sign-up. */
export function joinPage(web: Hono<AppEnv>, deps: AuthDeps): void {
  const { db, clock, origins } = deps;
  const { bonusMicro } = deps.policy.accounts;
  const { used } = referralTerms(deps);
  web.get('/join/:code', async (c) => {
    const code = c.req.param('code');
    const owner = areReferralsOn(deps) ? await ownerOfLink(db.read, code) : null;
    if (owner === null) {
      const text = 'Its owner may have closed their account. You can use Perigee without the link.';
      const wayOn = { href: '/account', label: 'Go on' };
      return c.html(messagePage('This link is not good any more', text, wayOn), 404);
    }
    // Also for a signed-in person, so that their second account is recognised.
    if (isOpened(c)) setCookie(c, COOKIE, code, { ...optionsOf(c, origins), sameSite: 'Lax', maxAge: COOKIE_S });
    const token = readPageCookie(c, origins);
    const here = token ? await findCaller(db.read, token, clock.now()) : null;
    // A guest of this server has yet to make an account.
    if (here?.accountKind === 'member') {
      const isOwn = here.accountId === owner;
      const text = isOwn
        ? 'Send it to others: it counts for those who are new here.'
        : 'An invitation is for those who are new here.';
      const wayOn = { href: '/account#referrals', label: 'Your account' };
      return c.html(messagePage(isOwn ? 'This is your own link' : 'You have an account', text, wayOn));
    }
    const gift = bonusMicro > 0 ? ` and get ${inCredits(bonusMicro)}` : '';
    const both =
      used.amountMicro > 0
        ? ` Once you have used ${used.tokens.toLocaleString('en-US')} tokens, you and whoever invited you get ${inCredits(used.amountMicro)} each.`
        : '';
    const text = `An AI coding assistant with an honest meter. Sign in${gift}; then install Perigee in your editor and sign in there, too.${both} If you have an account, it stays as it is.`;
    return c.html(messagePage('You are invited to Perigee', text, { href: '/sign-in', label: 'Sign in' }));
  });
}

/** Stores the referral of an account that was just made in this browser, if it came by a link. */
export async function joinByLink(
  tx: Tx,
  c: AppContext,
  deps: AuthDeps,
  made: Pick<Joined, 'accountId' | 'isFirst' | 'signedInHere' | 'at'>,
): Promise<void> {
  const code = getCookie(c, COOKIE, prefixOf(c, deps.origins));
  if (!code) return;
  const address = deps.addressOf(c);
  const from = address === null ? null : network(address, deps.secret);
  await join(tx, { ids: deps.ids, policy: deps.policy.accounts.referrals }, { ...made, code, network: from });
}
