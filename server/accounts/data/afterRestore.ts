import { deleteConversation } from '../../conversations/store.ts';
import { auditLive, tellViolation } from '../../credits/audit/audit.ts';
import { auditGrace } from '../../credits/audit/auditJob.ts';
import { applyPaidSince, type PaidSince, type SinceDeps } from '../../credits/payments/paidSince.ts';
import type { Clock } from '../../platform/clock.ts';
import { iso } from '../../platform/clock.ts';
import type { Database, Tx } from '../../platform/db/database.ts';
import type { Deletions } from '../../platform/db/deletions.ts';
import {
  endRestoring,
  markDone,
  type RestoreStep,
  type Restoring,
  readRestoring,
} from '../../platform/db/restoring.ts';
import { AppError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { keepClosedAccounts } from '../cases/keeping.ts';
import { revokeEveryKey } from '../keys/store.ts';
import { eraseAccount, type RunsOfAccounts } from './erase.ts';

// Corrects what is outdated in a restored database: sessions, open runs, payments and deletions. Each step is done once
// and recorded. If the process is killed, the next one continues from there: the command, or a server at its start.

export interface AfterRestoreDeps {
  db: Database;
  clock: Clock;
  log: Log;
  runs: RunsOfAccounts;
  /** Ends the runs that no server answers any more, as after a crash. Returns how many. */
  recover: () => Promise<number>;
  /** Null: nothing is sold. */
  sales: SinceDeps | null;
}

/** What was done, and what is still to do. */
export interface AfterRestore {
  isDone: boolean;
  /** Stripe has not answered yet what was paid. */
  awaitsStripe: boolean;
  /** What was done, for the operator. */
  lines: string[];
  /** What remains, and what to do about it, for the operator. */
  remains: string[];
}

export interface HowToFinish {
  /** Runs first, while no other process finishes a restore of this database. */
  prepare?: () => Promise<void>;
  /** Another process finishes the restore: whether to wait for it. */
  waits?: () => boolean;
  /** False: don't wait for Stripe's answer. */
  asksStripe?: boolean;
  /** The operator has no list that goes back to the backup, and accepts that the deletions in between are lost. */
  acceptsLostDeletions?: boolean;
}

/** Null: this database is in ordinary use, or another process finishes the restore and `waits` did not want to wait. */
export async function afterRestore(deps: AfterRestoreDeps, how: HowToFinish = {}): Promise<AfterRestore | null> {
  const { prepare, waits = () => true } = how;
  // An ordinary start takes no lock.
  if (!prepare && !(await readRestoring(deps.db))) return null;
  return deps.db.alone(async () => {
    await prepare?.();
    return finish(deps, how);
  }, waits);
}

async function finish(
  deps: AfterRestoreDeps,
  { asksStripe = true, acceptsLostDeletions = false }: HowToFinish,
): Promise<AfterRestore | null> {
  const { db, clock } = deps;
  const begun = await readRestoring(db);
  if (!begun) return null;
  const step = async <T>(name: RestoreStep, work: () => Promise<T>): Promise<T> =>
    name in begun.done ? (begun.done[name] as T) : await work();

  const sessions = await step('sessions', () => endEverySession(db, clock.now()));
  const runs = await step('runs', async () => {
    const ended = await deps.recover();
    await db.write((tx) => markDone(tx, 'runs', ended));
    return ended;
  });
  // Closes deleted accounts before anybody can sign in. They are erased below, once it is known what was paid.
  const deletions = await step('deletions', () =>
    replayDeletions(db, clock.now(), begun.facts.takenAt, acceptsLostDeletions),
  );
  const paid = await step('payments', () => askStripe(deps, begun, asksStripe));
  // Until then an account may have a plan that goes on at Stripe, and that nothing would end.
  const erased = paid === null ? 0 : await eraseClosed(deps, deletions.accounts);
  const isReplayed = !deletions.lack || acceptsLostDeletions || 'deletions' in begun.done;
  const isDone = paid !== null && isReplayed;
  if (isDone) await db.write((tx) => endRestoring(tx));
  return {
    isDone,
    awaitsStripe: paid === null,
    lines: [
      `${counted(sessions, 'session')} ended, and every code and key: everybody signs in anew.`,
      `${counted(runs, 'running answer')} ended as after a crash: not charged.`,
      ...deletionLines(deletions, erased, db.deletions.file),
      ...(paid && deps.sales ? paidLines(paid) : []),
      `What else happened after ${iso(begun.facts.takenAt)} is lost: answers, new accounts, grants, given plans, tiers, decisions about accounts, appeals, notices and promotions. Accounts that a decision has closed are kept for 30 more days, in which their owners can appeal.`,
    ],
    remains: [
      ...(isReplayed
        ? []
        : [
            `The old list of deletions is needed. Keep the server stopped, ${db.deletions.file === null ? 'set DELETIONS_FILE to it' : `put its lines into ${db.deletions.file}`}, and run "npm run admin -- restored". If it is lost, run "npm run admin -- restored --no-deletions".`,
          ]),
      ...(paid ? [] : [unpaidLine(begun, { isSelling: deps.sales !== null, mayStart: isReplayed })]),
    ],
  };
}

/** The same for a server: steps without network run before it listens. A job asks Stripe until it answers. */
export class RestoreJob {
  #isPending = false;

  constructor(private readonly deps: AfterRestoreDeps) {}

  begin = () => this.#turn({ asksStripe: false });

  async ask(): Promise<void> {
    if (this.#isPending) await this.#turn({ asksStripe: true });
  }

  async #turn({ asksStripe }: { asksStripe: boolean }): Promise<void> {
    const { log } = this.deps;
    let isLeft = false;
    const waits = () => {
      // Before it listens, a server needs the steps done. Later, another node that asks Stripe does so for all.
      isLeft = asksStripe;
      if (!isLeft) log.warn('another process finishes the restore of this database; waiting for it');
      return !isLeft;
    };
    const after = await afterRestore(this.deps, { asksStripe, waits });
    if (isLeft) return;
    this.#isPending = after?.awaitsStripe === true;
    if (after) log.warn({ done: after.lines, remains: after.remains }, 'this database was restored from a backup');
  }
}

/** The same for a command, which proves the books at the end. */
export async function finishRestore(
  deps: AfterRestoreDeps & { leaseMs: number },
  how: HowToFinish = {},
): Promise<AfterRestore | null> {
  const after = await afterRestore(deps, how);
  if (!after) return null;
  const violations = await auditLive(deps.db, deps.clock.now(), auditGrace(deps.leaseMs));
  if (violations.length === 0) return { ...after, lines: [...after.lines, 'The books hold.'] };
  const broken = `The books break invariants: ${violations.map(tellViolation).join('; ')}. Keep the server stopped, and restore an older backup.`;
  return { ...after, isDone: false, remains: [...after.remains, broken] };
}

/** Ends everything that lets a person in: a session that ended after the backup is valid again in it. */
function endEverySession(db: Database, now: number): Promise<number> {
  return db.write(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('session')
      .set({ ended_at: now })
      .where('ended_at', 'is', null)
      .executeTakeFirst();
    for (const table of ['token', 'one_time_code', 'device_grant', 'mail_code'] as const)
      await tx.deleteFrom(table).execute();
    for (const table of ['auth_session', 'auth_account', 'auth_verification', 'auth_user'] as const)
      await tx.deleteFrom(table).execute();
    await revokeEveryKey(tx, now);
    await keepClosedAccounts(tx, now);
    const ended = Number(numUpdatedRows);
    await markDone(tx, 'sessions', ended);
    return ended;
  });
}

interface Replayed {
  /** Why the list may lack deletions since the backup, for the operator. Null: it goes back to the backup. */
  lack: string | null;
  conversations: number;
  /** Ids of accounts that were deleted since the backup, and are in it. */
  accounts: string[];
  /** How many accounts were closed or reopened again, as their owners decided since the backup. */
  decided: number;
  unreadable: number;
}

const AT_ONCE = 200;

async function replayDeletions(
  db: Database,
  now: number,
  takenAt: number,
  acceptsLostDeletions: boolean,
): Promise<Replayed> {
  const list = await db.deletions.read();
  const lack = lackOf(list, db.deletions.file, takenAt);
  const replayed: Replayed = { lack, conversations: 0, accounts: [], decided: 0, unreadable: list?.unreadable ?? 0 };
  if (list) {
    for (const piece of pieces([...list.conversations], AT_ONCE)) {
      const times = new Map(piece);
      replayed.conversations += await db.write(async (tx) => {
        const query = tx
          .selectFrom('conversation')
          .select(['id', 'account_id', 'created_at'])
          .where('id', 'in', [...times.keys()]);
        // The client chooses the ids. A conversation that is newer than the deletion of its id is another one.
        const there = (await query.execute()).filter(({ id, created_at }) => created_at <= times.get(id)!);
        for (const { id, account_id } of there) await deleteConversation(tx, account_id, id);
        return there.length;
      });
    }
    for (const piece of pieces([...list.accounts], AT_ONCE))
      await db.write(async (tx) => {
        for (const [id, last] of piece) {
          if (last.what === 'account') {
            await close(tx, id, now, now, 'later');
            if (await tx.selectFrom('account').select('id').where('id', '=', id).executeTakeFirst())
              replayed.accounts.push(id);
          } else if (last.what === 'closing') replayed.decided += await close(tx, id, last.goneAt, now, 'other');
          else replayed.decided += await keep(tx, id);
        }
      });
  }
  if (lack === null || acceptsLostDeletions) await db.write((tx) => markDone(tx, 'deletions', replayed));
  return replayed;
}

/** A list that was begun after the backup lacks earlier deletions, as an empty one does. */
function lackOf(list: Deletions | null, file: string | null, takenAt: number): string | null {
  const all = 'what people deleted since the backup is here again.';
  if (file === null) return `DELETIONS_FILE is not set: ${all}`;
  if (!list) return `There is no list of deletions at ${file}: ${all}`;
  if (list.isEmpty) return `The list of deletions at ${file} is empty: ${all}`;
  if (list.since === null || list.since <= takenAt) return null;
  return `The list of deletions at ${file} begins at ${iso(list.since)}, after the backup: what people deleted in between is here again.`;
}

/**
 * Closes an account, to be deleted at `goneAt`. `replaces`: which earlier decision it overrides, a later date or any
 * other.
 */
async function close(tx: Tx, id: string, goneAt: number, now: number, replaces: 'later' | 'other'): Promise<number> {
  const { numUpdatedRows } = await tx
    .updateTable('account')
    .set((eb) => ({ closed_at: eb.fn.coalesce('closed_at', eb.val(now)), gone_at: goneAt }))
    .where('id', '=', id)
    .where((eb) => eb.or([eb('gone_at', 'is', null), eb('gone_at', replaces === 'later' ? '>' : '<>', goneAt)]))
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

async function keep(tx: Tx, id: string): Promise<number> {
  const { numUpdatedRows } = await tx
    .updateTable('account')
    .set({ closed_at: null, gone_at: null })
    .where('id', '=', id)
    .where('gone_at', 'is not', null)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** Returns how many are erased now. The server's job erases the others, once it has ended their plans. */
async function eraseClosed({ db, clock, runs }: AfterRestoreDeps, ids: readonly string[]): Promise<number> {
  let gone = 0;
  for (const id of ids) {
    const now = clock.now();
    const account = (tx: Tx) =>
      tx.selectFrom('account').select('id').where('id', '=', id).where('gone_at', '<=', now).executeTakeFirst();
    const there = await db.read.selectFrom('account').select('id').where('id', '=', id).executeTakeFirst();
    const stillDue = async (tx: Tx) => (await account(tx)) !== undefined;
    if (!there || (await eraseAccount(db, runs, id, { now, stillDue }))) gone++;
  }
  return gone;
}

/** Null: Stripe did not answer. */
async function askStripe(
  { db, sales, log }: AfterRestoreDeps,
  { facts }: Restoring,
  asksStripe: boolean,
): Promise<PaidSince | null> {
  const hasSold = (await db.read.selectFrom('payment').select('id').limit(1).executeTakeFirst()) !== undefined;
  if (sales ? !asksStripe : hasSold) return null;
  try {
    const paid = sales
      ? await applyPaidSince(sales, facts)
      : { credited: 0, reversed: 0, unclaimed: [], subscriptions: [], mayBeOthers: false, ofCopies: [] };
    await db.write((tx) => markDone(tx, 'payments', paid));
    return paid;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'payment_service_failed') throw error;
    log.warn({ err: error.cause ?? error }, 'Stripe was asked in vain what was paid since the backup; again later');
    return null;
  }
}

function deletionLines(
  { lack, conversations, accounts, decided, unreadable }: Replayed,
  erased: number,
  file: string | null,
) {
  const waiting = accounts.length - erased;
  return [
    `${counted(accounts.length, 'account')} and ${counted(conversations, 'conversation')} that were deleted since are deleted again.`,
    ...(waiting > 0
      ? [
          `${counted(waiting, 'account')} of these ${waiting === 1 ? 'is' : 'are'} closed, and erased by the server within an hour.`,
        ]
      : []),
    ...(decided > 0 ? [`${counted(decided, 'account')} closed or kept as decided since.`] : []),
    ...(lack ? [lack] : []),
    ...(unreadable > 0 ? [`${counted(unreadable, 'line')} of ${file} can't be read: look at it.`] : []),
  ];
}

function unpaidLine({ facts }: Restoring, how: { isSelling: boolean; mayStart: boolean }): string {
  const why = how.isSelling
    ? ', or did not answer.'
    : ', for there is no key. Set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET.';
  const next = how.mayStart
    ? 'Start the server, which asks until it has an answer, or run "npm run admin -- restored".'
    : 'The same command asks again.';
  return `Stripe was not asked yet what was paid since ${iso(facts.takenAt)}${why} ${next}`;
}

function paidLines({ credited, reversed, unclaimed, ...paid }: PaidSince): string[] {
  // An earlier version stored fewer of them.
  const { subscriptions = [], mayBeOthers = true, ofCopies = [] } = paid;
  return [
    `${counted(credited, 'payment')} since ${credited === 1 ? 'was' : 'were'} credited, ${counted(reversed, 'refund or dispute', 'refunds or disputes')} booked.`,
    ...(unclaimed.length > 0
      ? [
          `Stripe has ${counted(unclaimed.length, 'paid checkout')} of no account that is here: ${unclaimed.join(', ')}. Refund there.`,
        ]
      : []),
    ...(subscriptions.length > 0
      ? [
          `Stripe has ${counted(subscriptions.length, 'subscription')} of no account that is here: ${subscriptions.join(', ')}. Cancel there, or it goes on charging, and refund.`,
        ]
      : []),
    ...(unclaimed.length + subscriptions.length > 0 && mayBeOthers
      ? ['If another Perigee server uses this Stripe account, look first whether they are its own.']
      : []),
    ...(ofCopies.length > 0
      ? [
          `Stripe has ${counted(ofCopies.length, 'paid checkout')} of accounts that are here, begun under another SECRET: ${ofCopies.join(', ')}. They were left alone: a copy of this server has them. If this server began them before its SECRET changed, grant the credits or refund there.`,
        ]
      : []),
  ];
}

const counted = (n: number, one: string, many = `${one}s`) => `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;

function* pieces<T>(list: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < list.length; at += size) yield list.slice(at, at + size);
}
