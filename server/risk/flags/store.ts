import { sql } from 'kysely';
import type { Notice } from '../../../shared/account.ts';
import type { Dossier } from '../../../shared/risk.ts';
import { iso } from '../../platform/clock.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import { prepared } from '../../platform/db/prepared.ts';
import type { RiskFlagRow } from '../../platform/db/schema.ts';
import { TABLES } from '../../platform/db/tables.ts';
import { adviceOf } from '../score/dossier.ts';
import type { Advice } from '../score/judge.ts';

// Flags and what they are judged by, as rows.

export interface Flag {
  number: number;
  /** Null: the account was deleted. */
  accountId: string | null;
  kind: Dossier['kind'];
  openedAt: number;
  endedAt: number | null;
  dossier: Dossier;
}

const toFlag = (row: RiskFlagRow): Flag => ({
  number: Number(row.number),
  accountId: row.account_id,
  kind: row.kind,
  openedAt: Number(row.opened_at),
  endedAt: row.ended_at === null ? null : Number(row.ended_at),
  dossier: JSON.parse(row.dossier) as Dossier,
});

/** The open flags: sharing before not enough, then the newest first. */
export async function openFlags(db: Reader, limit: number): Promise<Flag[]> {
  const rows = await db
    .selectFrom('risk_flag')
    .selectAll()
    .where('ended_at', 'is', null)
    .orderBy('kind', 'desc')
    .orderBy('number', 'desc')
    .limit(limit)
    .execute();
  return rows.map(toFlag);
}

export async function findFlag(db: Reader, number: number): Promise<Flag | null> {
  const row = await db.selectFrom('risk_flag').selectAll().where('number', '=', number).executeTakeFirst();
  return row ? toFlag(row) : null;
}

/** After a person's decision, no flag of the same kind is opened for this long. */
const QUIET_MS = 30 * 24 * 3_600_000;

/**
 * Opens a flag. Returns its number; null if the account has an open one of this kind, which stays as it is, or had one
 * on which a person has decided within the last 30 days.
 */
export async function openFlag(tx: Tx, accountId: string, dossier: Dossier, at: number): Promise<number | null> {
  // An update, because it waits for a decision that is being made: a mere read would not see that.
  const earlier = await tx
    .updateTable('risk_flag')
    .set((eb) => ({ kind: eb.ref('kind') }))
    .where('account_id', '=', accountId)
    .where('kind', '=', dossier.kind)
    .where((eb) => eb.or([eb('ended_at', 'is', null), eb('ended_at', '>', at - QUIET_MS)]))
    .returning('number')
    .execute();
  return earlier.length > 0 ? null : insertFlag(tx, accountId, dossier, { openedAt: at, endedAt: null });
}

/** A flag that is opened and ended at once: what was decided without one. */
export async function openEndedFlag(tx: Tx, accountId: string, dossier: Dossier, at: number): Promise<number> {
  const number = await insertFlag(tx, accountId, dossier, { openedAt: at, endedAt: at });
  if (number === null) throw new Error('risk: a flag got no number');
  return number;
}

/** How often a number is tried anew that another transaction has taken meanwhile. */
const NUMBER_TRIES = 20;

/** Null: another transaction has opened one of this kind meanwhile. */
async function insertFlag(
  tx: Tx,
  accountId: string,
  dossier: Dossier,
  { openedAt, endedAt }: { openedAt: number; endedAt: number | null },
): Promise<number | null> {
  for (let tries = 0; tries < NUMBER_TRIES; tries++) {
    const row = await tx
      .insertInto('risk_flag')
      .values({
        number: sql<number>`(select coalesce(max(number), 0) + 1 from risk_flag)`,
        account_id: accountId,
        kind: dossier.kind,
        dossier: JSON.stringify(dossier),
        opened_at: openedAt,
        ended_at: endedAt,
      })
      .onConflict((oc) => oc.doNothing())
      .returning('number')
      .executeTakeFirst();
    if (row) return Number(row.number);
    if (endedAt === null && (await hasOpenFlag(tx, accountId, dossier.kind))) return null;
  }
  return null;
}

async function hasOpenFlag(tx: Tx, accountId: string, kind: Flag['kind']): Promise<boolean> {
  const row = await tx
    .selectFrom('risk_flag')
    .select('number')
    .where('account_id', '=', accountId)
    .where('kind', '=', kind)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}

/** The flag, locked: decisions on it are made one after the other. A no-op update means the same on both engines. */
export async function lockFlag(tx: Tx, number: number): Promise<Flag | null> {
  const row = await tx
    .updateTable('risk_flag')
    .set((eb) => ({ kind: eb.ref('kind') }))
    .where('number', '=', number)
    .returningAll()
    .executeTakeFirst();
  return row ? toFlag(row) : null;
}

/** Ends a flag, or lets its retention begin anew: it was decided at `at`. */
export async function endFlag(tx: Tx, number: number, at: number): Promise<void> {
  await tx.updateTable('risk_flag').set({ ended_at: at }).where('number', '=', number).execute();
}

/** Before an account is deleted: its flags stay 6 months without a name (POLICY). */
export async function endFlagsOf(tx: Tx, accountId: string, at: number): Promise<void> {
  await tx
    .updateTable('risk_flag')
    .set((eb) => ({ account_id: null, ended_at: eb.fn.coalesce('ended_at', sql<number>`${at}`) }))
    .where('account_id', '=', accountId)
    .execute();
}

/** Deletes flags 6 months after they ended, without those that something still hangs on. */
export async function purgeFlags(tx: Tx, now: number, kept: readonly number[] = []): Promise<void> {
  let query = tx.deleteFrom('risk_flag').where('ended_at', '<=', now - TABLES.risk_flag.over);
  if (kept.length > 0) query = query.where('number', 'not in', kept);
  await query.execute();
}

/** What an account's owner and the operator have said about its use. */
export interface Declared {
  ownGateway: boolean;
  severalMachines: boolean;
  /** Ids of API keys that programs use by themselves: their turns are no person's. */
  automationKeys: string[];
  /** Marked by the operator alone: a plan that was sold to several people. Never flagged. */
  isTeam: boolean;
}

export const NOTHING_DECLARED: Declared = {
  ownGateway: false,
  severalMachines: false,
  automationKeys: [],
  isTeam: false,
};

export async function findDeclared(db: Reader, accountId: string): Promise<Declared> {
  return (await findDeclaredOf(db, [accountId])).get(accountId) ?? NOTHING_DECLARED;
}

/** What was said of these accounts; those of which nothing was are left out. */
export async function findDeclaredOf(db: Reader, accountIds: readonly string[]): Promise<Map<string, Declared>> {
  const rows = await db.selectFrom('risk_context').selectAll().where('account_id', 'in', accountIds).execute();
  return new Map(
    rows.map((row) => [
      row.account_id,
      {
        ownGateway: row.own_gateway === 1,
        severalMachines: row.several_machines === 1,
        automationKeys: idsIn(row.automation_keys),
        isTeam: row.is_team === 1,
      },
    ]),
  );
}

/** One row that is no JSON must not stop what concerns all accounts. */
function idsIn(json: string): string[] {
  try {
    const ids: unknown = JSON.parse(json);
    return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}

/** The keys that these accounts have declared as automation, by account; those without any are left out. */
export async function findAutomation(db: Reader, accountIds: readonly string[]): Promise<Map<string, string[]>> {
  const rows = await db
    .selectFrom('risk_context')
    .select(['account_id', 'automation_keys'])
    .where('account_id', 'in', accountIds)
    .where('automation_keys', '<>', '[]')
    .execute();
  return new Map(rows.map((row) => [row.account_id, idsIn(row.automation_keys)]));
}

/** What the owner says. The team mark is the operator's, and stays. */
export async function declare(tx: Tx, accountId: string, use: Omit<Declared, 'isTeam'>): Promise<void> {
  const columns = {
    own_gateway: use.ownGateway ? 1 : 0,
    several_machines: use.severalMachines ? 1 : 0,
    automation_keys: JSON.stringify(use.automationKeys),
  };
  await tx
    .insertInto('risk_context')
    .values({ account_id: accountId, ...columns, is_team: 0 })
    .onConflict((oc) => oc.column('account_id').doUpdateSet(columns))
    .execute();
}

/** The operator's mark of a plan that was sold to several people. */
export async function setTeam(tx: Tx, accountId: string, isTeam: boolean): Promise<void> {
  const columns = { is_team: isTeam ? 1 : 0 };
  await tx
    .insertInto('risk_context')
    .values({ account_id: accountId, own_gateway: 0, several_machines: 0, automation_keys: '[]', ...columns })
    .onConflict((oc) => oc.column('account_id').doUpdateSet(columns))
    .execute();
}

/** What an account's owner is told about a tool that contradicts itself. */
export async function findAdvice(db: Reader, accountId: string): Promise<Notice | null> {
  const row = await selectAdvice.first(db, { accountId });
  if (!row?.advice) return null;
  const { id, text } = adviceOf(JSON.parse(row.advice) as Advice);
  return { id, kind: 'client', text, at: iso(Number(row.judged_at)) };
}
const selectAdvice = prepared((db, p: { accountId: string }) =>
  db.selectFrom('risk_standing').select(['advice', 'judged_at']).where('account_id', '=', p.accountId),
);

/** The kill switch: since when no account is flagged, and why; null: accounts are flagged. */
export async function findPause(db: Reader): Promise<{ since: number; why: string } | null> {
  const row = await db.selectFrom('risk_pause').selectAll().executeTakeFirst();
  return row ? { since: Number(row.since), why: row.why } : null;
}

/** Stops flagging on every node. Repeating it changes nothing. */
export async function pause(tx: Tx, why: string, at: number): Promise<void> {
  await tx
    .insertInto('risk_pause')
    .values({ name: 'flags', since: at, why })
    .onConflict((oc) => oc.column('name').doNothing())
    .execute();
}

export async function resume(tx: Tx): Promise<void> {
  await tx.deleteFrom('risk_pause').execute();
}
