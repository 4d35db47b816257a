import { createHash } from 'node:crypto';
import { DEVICE_GRANT, LOCAL_GRANT, type TokenAnswer, type TokenRequest } from '../../../shared/auth.ts';
import type { ProblemCode } from '../../../shared/problems.ts';
import type { SessionRow } from '../../platform/db/schema.ts';
import { AppError } from '../../platform/errors.ts';
import { same } from '../../platform/secrets.ts';
import type { GrantDeps } from '../people/authDeps.ts';
import { LOCAL_OWNER, signIn } from '../people/identities.ts';
import { mergeGuest } from '../people/merge.ts';
import { describeAccount } from '../people/store.ts';
import { redeemCode } from '../sessions/codes.ts';
import { type Polled, pollDevice } from '../sessions/deviceGrants.ts';
import { startSession } from '../sessions/sessions.ts';
import { refreshToken } from '../sessions/tokens.ts';

/** The account that gets a session, and the session's name. */
interface Granted {
  accountId: string;
  kind: SessionRow['kind'];
  name: string;
  tool: string;
}

/** A refusal of `POST /api/auth/token`: the code is also in the field that RFC 6749 defines. */
export function grantRefused(code: ProblemCode, detail: string): AppError {
  return new AppError(code, detail, { error: code });
}

const invalid = () =>
  grantRefused('invalid_grant', 'The code is unknown, was used, or has expired. Start the sign-in again.');

/**
 * Exchanges a sign-in code for a session that is bound to the key `jkt`, and moves a guest's data to the account. Every
 * code works once, also under concurrent calls. A failed exchange uses the code up.
 */
export async function grantSession(deps: GrantDeps, request: TokenRequest, jkt: string): Promise<TokenAnswer> {
  const { db, clock, ids, sessionMs } = deps;
  const granted = await redeem(deps, request, jkt);
  const at = clock.now();
  const token = ids.secret();
  return db.write(async (tx) => {
    const { accountId, ...named } = granted;
    const session = { id: ids.next(), account_id: accountId, ...named, jkt };
    await startSession(tx, { ...session, token, at, expiresAt: at + sessionMs });
    const guestToken = request.guest_token;
    const merged = guestToken ? await mergeGuest(tx, deps.moveRuns, { guestToken, accountId, at }) : null;
    return answerOf(token, sessionMs, await describeAccount(tx, accountId, at), merged ?? undefined);
  });
}

/** Issues another token for the calling session, before its current one expires. */
export async function refresh(
  { db, clock, ids, sessionMs }: GrantDeps,
  caller: { sessionId: string; accountId: string; token: string },
): Promise<TokenAnswer> {
  const at = clock.now();
  const token = ids.secret();
  return db.write(async (tx) => {
    const made = { old: caller.token, sessionId: caller.sessionId, token, at, expiresAt: at + sessionMs };
    if (!(await refreshToken(tx, made))) throw new AppError('unauthorized', 'This token has ended. Sign in again.');
    return answerOf(token, sessionMs, await describeAccount(tx, caller.accountId, at));
  });
}

function answerOf(
  token: string,
  sessionMs: number,
  account: TokenAnswer['account'],
  merged?: TokenAnswer['merged'],
): TokenAnswer {
  return {
    access_token: token,
    token_type: 'DPoP',
    expires_in: Math.floor(sessionMs / 1000),
    account,
    ...(merged ? { merged } : {}),
  };
}

async function redeem(deps: GrantDeps, request: TokenRequest, jkt: string): Promise<Granted> {
  const { db, clock } = deps;
  const at = clock.now();
  switch (request.grant_type) {
    case 'authorization_code': {
      const code = await db.write((tx) => redeemCode(tx, 'authorization', request.code, at));
      if (!code?.accountId || !same(challengeOf(request.code_verifier), code.data.challenge)) throw invalid();
      return { accountId: code.accountId, kind: 'device', name: code.data.name, tool: code.data.tool };
    }
    case DEVICE_GRANT: {
      // Throw the refusal after the transaction, so that the device's poll is stored.
      const polled = await db.write((tx) => pollDevice(tx, request.device_code, jkt, at));
      if (polled.kind !== 'approved') throw notYet(polled.kind);
      return { kind: 'device', accountId: polled.accountId, name: polled.name, tool: polled.tool };
    }
    case LOCAL_GRANT: {
      return db.write(async (tx) => {
        if (!(await redeemCode(tx, 'local', request.local_token, at))) throw invalid();
        const { accountId } = await signIn(tx, deps, LOCAL_OWNER, { terms: 'local', at });
        if (accountId === null) throw invalid();
        return { accountId, kind: 'local' as const, name: request.device_name, tool: request.tool };
      });
    }
  }
}

function notYet(kind: Exclude<Polled['kind'], 'approved'>): AppError {
  switch (kind) {
    case 'unknown':
      return invalid();
    case 'pending':
      return grantRefused(
        'authorization_pending',
        'Nobody has approved this device yet. Ask again after the interval.',
      );
    case 'slow_down':
      return grantRefused('slow_down', 'You ask too often. From now on wait 5 seconds longer between two requests.');
    case 'expired':
      return grantRefused('expired_token', 'Nobody approved this device in time. Start the sign-in again.');
    case 'denied':
      return grantRefused('access_denied', 'The sign-in of this device was declined.');
  }
}

/** S256 of RFC 7636. */
function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}
