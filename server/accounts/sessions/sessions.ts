import type { Session } from '../../../shared/auth.ts';
import { iso } from '../../platform/clock.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import { prepared } from '../../platform/db/prepared.ts';
import type { SessionRow } from '../../platform/db/schema.ts';
import { insertToken } from './tokens.ts';

/** Starts a session for a device, a tool or a browser, with its first token. */
export async function startSession(
  tx: Tx,
  made: Pick<SessionRow, 'id' | 'account_id' | 'kind' | 'name' | 'tool' | 'jkt'> & {
    token: string;
    at: number;
    expiresAt: number | null;
  },
): Promise<void> {
  const { token, at, expiresAt, ...session } = made;
  await tx
    .insertInto('session')
    .values({ ...session, created_at: at, last_used_at: at, ended_at: null })
    .execute();
  await insertToken(tx, { sessionId: session.id, token, at, expiresAt });
  changed(tx, session.account_id, 'sessions', session.account_id);
}

/** The account's sessions, last used first. */
export async function listSessions(db: Reader, accountId: string, currentId: string): Promise<Session[]> {
  const rows = await db
    .selectFrom('session')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
    .orderBy('last_used_at', 'desc')
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    name: row.name,
    tool: row.tool,
    createdAt: iso(row.created_at),
    lastUsedAt: iso(row.last_used_at),
    current: row.id === currentId,
  }));
}

/**
 * Ends a session at once: its tokens become invalid, its streams close. False if it has ended or isn't this account's.
 */
export async function endSession(tx: Tx, accountId: string, id: string, at: number): Promise<boolean> {
  return (await endWhere(tx, accountId, at, id)) > 0;
}

/** Ends every session of an account. Returns how many there were. */
export function endSessions(tx: Tx, accountId: string, at: number): Promise<number> {
  return endWhere(tx, accountId, at);
}

async function endWhere(tx: Tx, accountId: string, at: number, id?: string): Promise<number> {
  let query = tx
    .updateTable('session')
    .set({ ended_at: at })
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null);
  if (id !== undefined) query = query.where('id', '=', id);
  const ended = await query.returning('id').execute();
  for (const session of ended) {
    await tx.deleteFrom('token').where('session_id', '=', session.id).execute();
    changed(tx, `session:${session.id}`, 'ended', session.id);
  }
  if (ended.length > 0) changed(tx, accountId, 'sessions', accountId);
  return ended.length;
}

export async function isAlive(db: Reader, id: string): Promise<boolean> {
  return (await selectAlive.first(db, { id })) !== undefined;
}

const selectAlive = prepared((db, p: { id: string }) =>
  db.selectFrom('session').select('id').where('id', '=', p.id).where('ended_at', 'is', null),
);

/** Stores that a session and its account are in use. This also extends a browser's session, which has no refresh. */
export async function touchSession(
  tx: Tx,
  session: { sessionId: string; sessionKind: SessionRow['kind']; accountId: string },
  at: number,
  sessionMs: number,
): Promise<void> {
  await tx.updateTable('session').set({ last_used_at: at }).where('id', '=', session.sessionId).execute();
  await tx.updateTable('account').set({ last_active_at: at }).where('id', '=', session.accountId).execute();
  if (session.sessionKind === 'page')
    await tx
      .updateTable('token')
      .set({ expires_at: at + sessionMs })
      .where('session_id', '=', session.sessionId)
      .execute();
}

/** Deletes expired tokens, and ends sessions that have no token left. */
export async function purgeSessions(tx: Tx, now: number): Promise<void> {
  await tx.deleteFrom('token').where('expires_at', '<=', now).execute();
  const lost = await tx
    .updateTable('session')
    .set({ ended_at: now })
    .where('ended_at', 'is', null)
    .where((eb) =>
      eb.not(eb.exists(eb.selectFrom('token').select('token_hash').whereRef('token.session_id', '=', 'session.id'))),
    )
    .returning(['id', 'account_id'])
    .execute();
  for (const { id, account_id } of lost) {
    changed(tx, `session:${id}`, 'ended', id);
    changed(tx, account_id, 'sessions', account_id);
  }
}
