import { iso } from '../../platform/clock.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import { hashSecret } from '../../platform/secrets.ts';
import { recordAct } from './acts.ts';
import { nameOf } from './names.ts';

// Who may decide about cases. A reviewer is a member with a row here, for as long as the account is in good standing.

/** How long a setup code can be used. */
export const SETUP_MS = 24 * 3_600_000;

export interface Reviewer {
  id: string;
  /** The account's name, or its address. */
  name: string;
}

/** The reviewers whose role has not ended and whose account is neither suspended, closing nor gone at `now`. */
const actives = (db: Reader, now: number) =>
  db
    .selectFrom('reviewer')
    .innerJoin('account', 'account.id', 'reviewer.account_id')
    .where('reviewer.ended_at', 'is', null)
    .where('account.kind', '=', 'member')
    .where('account.merged_into', 'is', null)
    .where('account.gone_at', 'is', null)
    .where((eb) => eb.or([eb('account.suspended_at', 'is', null), eb('account.suspended_until', '<=', now)]));

/** The reviewer with this account; null if it is none now. */
export async function findReviewer(db: Reader, accountId: string, now: number): Promise<Reviewer | null> {
  const row = await actives(db, now)
    .select(['account.id', 'account.name', 'account.email'])
    .where('account.id', '=', accountId)
    .executeTakeFirst();
  return row ? { id: row.id, name: nameOf(row) } : null;
}

/** How many people can decide at `now`; `but`: without this one. */
export async function countReviewers(db: Reader, now: number, but?: string | null): Promise<number> {
  let query = actives(db, now).select((eb) => eb.fn.countAll<number | string>().as('count'));
  if (but) query = query.where('account.id', '<>', but);
  return Number((await query.executeTakeFirstOrThrow()).count);
}

/** What an export says of the role; null for who never had it. */
export async function exportRole(
  db: Reader,
  accountId: string,
): Promise<{ addedAt: string; endedAt: string | null; secondFactorSince: string | null } | null> {
  const row = await db.selectFrom('reviewer').selectAll().where('account_id', '=', accountId).executeTakeFirst();
  const time = (ms: number | null) => (ms === null ? null : iso(Number(ms)));
  return row
    ? { addedAt: iso(Number(row.added_at)), endedAt: time(row.ended_at), secondFactorSince: time(row.factor_at) }
    : null;
}

/** A reviewer in the operator's list. Times are epoch milliseconds. */
export interface ListedReviewer extends Reviewer {
  email: string | null;
  addedAt: number;
  endedAt: number | null;
  /** False: the role has ended, or the account is suspended or closing. */
  isActive: boolean;
  /** When the second factor was confirmed; null: not yet. */
  factorAt: number | null;
  /** Until when the setup code can be used; null: there is none. */
  setupUntil: number | null;
}

/** Everybody who is or was a reviewer, the first first. */
export async function listReviewers(db: Reader, now: number): Promise<ListedReviewer[]> {
  const rows = await db
    .selectFrom('reviewer')
    .innerJoin('account', 'account.id', 'reviewer.account_id')
    .selectAll('reviewer')
    .select(['account.name', 'account.email'])
    .orderBy('reviewer.added_at')
    .orderBy('reviewer.account_id')
    .execute();
  const active = await actives(db, now).select('account.id').execute();
  const number = (value: number | null) => (value === null ? null : Number(value));
  return rows.map((row) => ({
    id: row.account_id,
    name: nameOf(row),
    email: row.email,
    addedAt: Number(row.added_at),
    endedAt: number(row.ended_at),
    isActive: active.some(({ id }) => id === row.account_id),
    factorAt: number(row.factor_at),
    setupUntil: row.setup_until !== null && Number(row.setup_until) > now ? Number(row.setup_until) : null,
  }));
}

const FORGOTTEN = { factor: null, factor_at: null, last_step: null } as const;

/**
 * Makes a member a reviewer, with a code by which they set a second factor up. Whoever was one before begins anew. False
 * if the account is a reviewer already: nothing is changed.
 */
export async function addReviewer(
  tx: Tx,
  { accountId, setupCode, at }: { accountId: string; setupCode: string; at: number },
): Promise<boolean> {
  const fresh = { ...FORGOTTEN, added_at: at, ended_at: null, ...setupOf(setupCode, at) };
  const row = await tx
    .insertInto('reviewer')
    .values({ account_id: accountId, ...fresh })
    .onConflict((oc) => oc.column('account_id').doUpdateSet(fresh).where('reviewer.ended_at', 'is not', null))
    .returning('account_id')
    .executeTakeFirst();
  if (!row) return false;
  await told(tx, accountId, { act: 'added_reviewer', at });
  return true;
}

/** Ends the role at once, also for a reviewer who is at the desk. False if the account has no such role. */
export async function endReviewer(tx: Tx, accountId: string, at: number): Promise<boolean> {
  return update(
    tx,
    accountId,
    { ...FORGOTTEN, ended_at: at, setup_hash: null, setup_until: null },
    'ended_reviewer',
    at,
  );
}

/** Gives a new setup code, and forgets the second factor. An open desk is closed. False if the account has no role. */
export async function renewSetup(
  tx: Tx,
  { accountId, setupCode, at }: { accountId: string; setupCode: string; at: number },
): Promise<boolean> {
  return update(tx, accountId, { ...FORGOTTEN, ...setupOf(setupCode, at) }, 'new_setup_code', at);
}

async function update(
  tx: Tx,
  accountId: string,
  columns: Partial<Record<'ended_at' | 'setup_until', number | null>> & {
    setup_hash: string | null;
  } & typeof FORGOTTEN,
  act: 'ended_reviewer' | 'new_setup_code',
  at: number,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('reviewer')
    .set(columns)
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) return false;
  await tx.deleteFrom('desk_session').where('account_id', '=', accountId).execute();
  await told(tx, accountId, { act, at });
  return true;
}

/** The operator's act is kept, and the page of the reviewer hears of it. */
async function told(
  tx: Tx,
  accountId: string,
  { act, at }: { act: 'added_reviewer' | 'ended_reviewer' | 'new_setup_code'; at: number },
): Promise<void> {
  await recordAct(tx, { at, by: 'operator', act, about: accountId });
  changed(tx, accountId, 'account', accountId);
}

const setupOf = (setupCode: string, at: number) => ({
  setup_hash: hashSetupCode(setupCode),
  setup_until: at + SETUP_MS,
});

/** As it is typed: in groups or not, in capitals or not. */
export const hashSetupCode = (typed: string): string => hashSecret(typed.toUpperCase().replace(/[^A-Z0-9]/g, ''));
