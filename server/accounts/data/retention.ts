import { APPEAL_DAYS } from '../../../shared/decisions.ts';
import { countSuperseded, purgeSuperseded } from '../../conversations/store.ts';
import type { Clock } from '../../platform/clock.ts';
import type { AccountConfig } from '../../platform/config/signInConfig.ts';
import type { Database, Reader, Tx } from '../../platform/db/database.ts';
import { readRestoring } from '../../platform/db/restoring.ts';
import { TABLES } from '../../platform/db/tables.ts';
import { countRequests, deleteRequests } from '../../requests/store.ts';
import { closedByDecision } from '../cases/keeping.ts';
import { revokedKeys } from '../keys/store.ts';
import { AT_ONCE, eraseAccount, type RunsOfAccounts } from './erase.ts';

const DAY_MS = 24 * 3_600_000;
const daysOf = (table: 'run' | 'message' | 'session' | 'api_key') => TABLES[table].over / DAY_MS;
const [RUN_DAYS, SUPERSEDED_DAYS, SESSION_DAYS] = [daysOf('run'), daysOf('message'), daysOf('session')];
const KEY_DAYS = daysOf('api_key');

export interface RetentionDeps {
  db: Database;
  clock: Clock;
  policy: { accounts: AccountConfig };
  runs: RunsOfAccounts & { countEndedRuns: (db: Reader, before: number) => Promise<number> };
}

/** How long the policy keeps something, and how much of it is past that time. */
export interface RetentionLine {
  what: string;
  days: number;
  due: number;
  /** How many were deleted; null in a dry run. */
  deleted: number | null;
}

interface Rule {
  what: string;
  days: number;
  count: (db: Reader, now: number) => Promise<number>;
  /**
   * Skipped until a restored database knows what was paid: otherwise a plan that goes on at Stripe would never be
   * ended.
   */
  needsPayments?: boolean;
  /** Deletes everything that is due, and returns how many. */
  apply: (now: number) => Promise<number>;
}

/** Deletes data past its retention time; a dry run only counts it. The report names no person. */
export async function applyRetention(deps: RetentionDeps, { dryRun }: { dryRun: boolean }): Promise<RetentionLine[]> {
  const now = deps.clock.now();
  const report: RetentionLine[] = [];
  const restoring = await readRestoring(deps.db);
  const awaitsPayments = restoring !== null && !('payments' in restoring.done);
  for (const { what, days, count, apply, needsPayments } of rules(deps)) {
    if (needsPayments && awaitsPayments) continue;
    const due = await count(deps.db.read, now);
    report.push({ what, days, due, deleted: dryRun ? null : due === 0 ? 0 : await apply(now) });
  }
  return report;
}

function rules({ db, policy, runs }: RetentionDeps): Rule[] {
  const { closingDays, guestDays } = policy.accounts;
  const before = (days: number, now: number) => now - days * DAY_MS;
  const erase = (
    what: string,
    days: number,
    due: (reader: Reader, now: number) => ReturnType<typeof closed>,
  ): Rule => ({
    what,
    days,
    count: async (reader, now) => countOf(due(reader, now)),
    async apply(now) {
      let deleted = 0;
      for (const { id } of await due(db.read, now).select('id').execute()) {
        const stillDue = async (tx: Tx) => (await countOf(due(tx, now).where('id', '=', id))) > 0;
        if (await eraseAccount(db, runs, id, { now, stillDue })) deleted++;
      }
      return deleted;
    },
  });
  const inPieces = async (piece: (tx: Tx) => Promise<number>): Promise<number> => {
    let all = 0;
    for (;;) {
      const some = await db.write(piece);
      all += some;
      if (some < AT_ONCE) return all;
    }
  };
  return [
    { ...erase('closed accounts', closingDays, (reader, now) => closed(reader, now)), needsPayments: true },
    {
      ...erase('accounts that a decision has closed', APPEAL_DAYS, (reader, now) => closedByDecision(reader, now)),
      needsPayments: true,
    },
    erase('guests that were not seen', guestDays, (reader, now) => idleGuests(reader, before(guestDays, now))),
    {
      what: 'messages that others replaced',
      days: SUPERSEDED_DAYS,
      count: (reader, now) => countSuperseded(reader, before(SUPERSEDED_DAYS, now)),
      apply: (now) => inPieces((tx) => purgeSuperseded(tx, before(SUPERSEDED_DAYS, now), AT_ONCE)),
    },
    {
      what: 'records of requests',
      days: RUN_DAYS,
      async count(reader, now) {
        const due = before(RUN_DAYS, now);
        return (await runs.countEndedRuns(reader, due)) + (await countRequests(reader, due));
      },
      async apply(now) {
        const due = { before: before(RUN_DAYS, now), limit: AT_ONCE };
        return (
          (await inPieces((tx) => runs.deleteEndedRuns(tx, due))) + (await inPieces((tx) => deleteRequests(tx, due)))
        );
      },
    },
    {
      what: 'sessions that have ended',
      days: SESSION_DAYS,
      count: async (reader, now) => countOf(endedSessions(reader, before(SESSION_DAYS, now))),
      apply: (now) =>
        inPieces(async (tx) => {
          const some = endedSessions(tx, before(SESSION_DAYS, now)).select('id').limit(AT_ONCE);
          const { numDeletedRows } = await tx.deleteFrom('session').where('id', 'in', some).executeTakeFirst();
          return Number(numDeletedRows);
        }),
    },
    {
      what: 'API keys that were revoked',
      days: KEY_DAYS,
      count: async (reader, now) => countOf(revokedKeys(reader, before(KEY_DAYS, now))),
      apply: (now) =>
        inPieces(async (tx) => {
          const some = revokedKeys(tx, before(KEY_DAYS, now)).select('id').limit(AT_ONCE);
          const { numDeletedRows } = await tx.deleteFrom('api_key').where('id', 'in', some).executeTakeFirst();
          return Number(numDeletedRows);
        }),
    },
  ];
}

const closed = (db: Reader, now: number) => db.selectFrom('account').where('gone_at', '<=', now);

/** Guests that became part of an account are deleted with that account. */
const idleGuests = (db: Reader, before: number) =>
  db
    .selectFrom('account')
    .where('kind', '=', 'guest')
    .where('merged_into', 'is', null)
    .where('last_active_at', '<', before);

const endedSessions = (db: Reader, before: number) => db.selectFrom('session').where('ended_at', '<', before);

async function countOf(
  query: ReturnType<typeof closed> | ReturnType<typeof endedSessions> | ReturnType<typeof revokedKeys>,
): Promise<number> {
  const { count } = await (query as ReturnType<typeof closed>)
    .select((eb) => eb.fn.countAll<number | string>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}
