import type { Reader, Tx } from '../../platform/db/database.ts';
import { prepared } from '../../platform/db/prepared.ts';
import type { SessionRow } from '../../platform/db/schema.ts';
import { hashSecret } from '../../platform/secrets.ts';

/** How long a refreshed token still works: the machine's other windows have yet to read the new one. */
export const GRACE_MS = 10 * 60_000;

/** The account and session behind a request's token. */
export interface Caller {
  sessionId: string;
  sessionKind: SessionRow['kind'];
  /** The thumbprint of the key that must prove the token; null if no proof is required. */
  jkt: string | null;
  lastUsedAt: number;
  accountId: string;
  accountKind: 'guest' | 'member';
  /** Decides which limits a member has. */
  tier: number;
  isLocal: boolean;
  suspended: { why: string; until: number | null } | null;
  /** When the account will be deleted, if its owner has closed it. */
  goneAt: number | null;
  /** The version of the terms that was accepted; null for guests, who accept none. */
  termsVersion: string | null;
}

/** The caller with this token; null if the token is unknown or expired, or its session has ended. */
export async function findCaller(db: Reader, token: string, now: number): Promise<Caller | null> {
  return toCaller(await selectCaller.first(db, { tokenHash: hashSecret(token) }), now);
}

/** The columns that describe a caller: of the token with its session, and of the account. */
export const OF_CALL = [
  'token.expires_at',
  'session.id as session_id',
  'session.kind as session_kind',
  'session.jkt',
  'session.last_used_at',
] as const;
export const OF_ACCOUNT = [
  'account.id',
  'account.kind',
  'account.tier',
  'account.is_local',
  'account.suspended_at',
  'account.suspended_until',
  'account.suspended_why',
  'account.gone_at',
  'account.terms_version',
] as const;

const selectCaller = prepared((db, p: { tokenHash: string }) =>
  db
    .selectFrom('account')
    .innerJoin('session', 'session.account_id', 'account.id')
    .innerJoin('token', 'token.session_id', 'session.id')
    .select(OF_CALL)
    .select(OF_ACCOUNT)
    .where('token.token_hash', '=', p.tokenHash)
    .where('session.ended_at', 'is', null),
);

/** The caller that was found by a token; null if there is none, or the token has expired. */
export function toCaller(row: Awaited<ReturnType<typeof selectCaller.first>>, now: number): Caller | null {
  if (!row || (row.expires_at !== null && row.expires_at <= now)) return null;
  return {
    sessionId: row.session_id,
    sessionKind: row.session_kind,
    jkt: row.jkt,
    lastUsedAt: row.last_used_at,
    accountId: row.id,
    accountKind: row.kind,
    tier: row.tier ?? 0,
    isLocal: row.is_local === 1,
    suspended: suspensionOf(row, now),
    goneAt: row.gone_at,
    termsVersion: row.terms_version,
  };
}

/** The suspension in force at `now`, if there is one. */
export function suspensionOf(
  row: { suspended_at: number | null; suspended_until: number | null; suspended_why: string | null },
  now: number,
): { since: number; why: string; until: number | null } | null {
  if (row.suspended_at === null || (row.suspended_until !== null && row.suspended_until <= now)) return null;
  return { since: row.suspended_at, why: row.suspended_why ?? '', until: row.suspended_until };
}

/** The terms that are yet to be accepted; null for guests, in local mode, and if there are no terms. */
export function termsDue(
  account: { accountKind: 'guest' | 'member'; isLocal: boolean; termsVersion: string | null },
  current: string | null,
): string | null {
  if (account.accountKind === 'guest' || account.isLocal || account.termsVersion === current) return null;
  return current;
}

export async function insertToken(
  tx: Tx,
  made: { sessionId: string; token: string; at: number; expiresAt: number | null },
): Promise<void> {
  const row = {
    token_hash: hashSecret(made.token),
    session_id: made.sessionId,
    created_at: made.at,
    expires_at: made.expiresAt,
  };
  await tx.insertInto('token').values(row).execute();
}

/**
 * Gives a session another token. The old token works on for a while, so that windows that share it don't sign each
 * other out; each may refresh it and gets its own token. False if the token is no longer valid.
 */
export async function refreshToken(
  tx: Tx,
  made: { old: string; sessionId: string; token: string; at: number; expiresAt: number },
): Promise<boolean> {
  const { at } = made;
  const { numUpdatedRows } = await tx
    .updateTable('token')
    .set((eb) => ({
      expires_at: eb
        .case()
        .when('expires_at', '<', at + GRACE_MS)
        .then(eb.ref('expires_at'))
        .else(at + GRACE_MS)
        .end(),
    }))
    .where('token_hash', '=', hashSecret(made.old))
    .where('expires_at', '>', at)
    .where('session_id', 'in', (eb) =>
      eb.selectFrom('session').select('id').where('id', '=', made.sessionId).where('ended_at', 'is', null),
    )
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) return false;
  await insertToken(tx, made);
  return true;
}
