import { deleteConversation } from '../../conversations/store.ts';
import { auditLive, tellViolation } from '../../credits/audit/audit.ts';
import { auditGrace } from '../../credits/audit/auditJob.ts';
import { applyPaidSince, type PaidSince, type SinceDeps } from '../../credits/payments/paidSince.ts';
import type { Clock } from '../../platform/clock.ts';
import { iso } from '../../platform/clock.ts';
import type { Database, Tx } from '../../platform/db/database.ts';
import type { Deletions } from '../../platform/db/deletions.ts';
import { endRestoring, markDone, type RestoreStep, type Restoring, readRestoring } from '../../platform/db/restoring.ts';
import { AppError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
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
  /** For the operator. */
  lines: string[];
}

export interface HowToFinish {
  /** False: don't wait for Stripe's answer. */
  asksStripe?: boolean;
  /** The operator has no list that goes back to the backup, and accepts that the deletions in between are lost. */
  acceptsLostDeletions?: boolean;
}

/** Null: this database is in ordinary use. */
export async function afterRestore(
  deps: AfterRestoreDeps,
  { asksStripe = true, acceptsLostDeletions = false }: HowToFinish = {},
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
      ...deletionLines(deletions, erased, db.deletions.file, isReplayed),
      ...(paid && !deps.sales ? [] : paidLines(paid, begun)),
      `What else happened after ${iso(begun.facts.takenAt)} is lost: answers, new accounts, grants, given plans, tiers, suspensions, notices and promotions.`,
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

  async #turn(how: { asksStripe: boolean }): Promise<void> {
    const after = await afterRestore(this.deps, how);
    this.#isPending = after?.awaitsStripe === true;
    if (after) this.deps.log.warn({ done: after.lines }, 'this database was restored from a backup');
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
  const proof =
    violations.length === 0 ? ['The books hold.'] : ['The books break invariants:', ...violations.map(tellViolation)];
  return { ...after, lines: [...after.lines, ...proof] };
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
    const ended = Number(numUpdatedRows);
    await markDone(tx, 'sessions', ended);
    return ended;
  });
}

interface Replayed {
  /** Why the list may lack deletions since the backup. Null: it goes back to the backup. */
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
  if (file === null) return 'DELETIONS_FILE is not set';
  if (!list) return `There is no list of deletions at ${file}`;
  if (list.isEmpty) return `The list of deletions at ${file} is empty`;
  if (list.since === null || list.since <= takenAt) return null;
  return `The list of deletions at ${file} begins at ${iso(list.since)}, after the backup`;
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
      ? await applyPaidSince(sales, facts.takenAt)
      : { credited: 0, reversed: 0, unclaimed: [], subscriptions: [] };
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
  isReplayed: boolean,
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
    ...(lack
      ? [
          `${lack}: what people deleted between the backup and then is here again.`,
          ...(isReplayed
            ? []
            : [
                'Stop the server, put the lines of the old list there, and run "npm run admin -- restored". If it is lost: "npm run admin -- restored --no-deletions".',
              ]),
        ]
      : []),
    ...(unreadable > 0 ? [`${counted(unreadable, 'line')} of ${file} can't be read: look at it.`] : []),
  ];
}

function paidLines(paid: PaidSince | null, { facts }: Restoring): string[] {
  const since = iso(facts.takenAt);
  if (!paid)
    return [
      `Stripe was not asked yet what was paid since ${since}: the server asks until it has an answer. It needs STRIPE_SECRET_KEY.`,
    ];
  const { credited, reversed, unclaimed, subscriptions = [] } = paid;
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
    ...(unclaimed.length + subscriptions.length > 0
      ? ['If another Perigee server uses this Stripe account, look first whether they are its own.']
      : []),
  ];
}

const counted = (n: number, one: string, many = `${one}s`) => `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;

function* pieces<T>(list: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < list.length; at += size) yield list.slice(at, at + size);
}
