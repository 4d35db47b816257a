import type { Accounts } from './accounts/api.ts';
import { closedAccounts, purgeCases } from './accounts/cases/keeping.ts';
import { purgePictures } from './accounts/cases/pictures.ts';
import type { RestoreJob } from './accounts/data/afterRestore.ts';
import { applyRetention } from './accounts/data/retention.ts';
import { mailDecisions } from './accounts/notices/decisionMail.ts';
import { mailNotices } from './accounts/notices/noticeMail.ts';
import { purgeAdmissions } from './accounts/people/guests.ts';
import { closingAccounts } from './accounts/people/rights.ts';
import { noteReferrals } from './accounts/referrals/referralNotes.ts';
import { payRewards, purgeNetworks } from './accounts/referrals/rewards.ts';
import { purgeActs } from './accounts/reviewers/acts.ts';
import { purgeDesks } from './accounts/reviewers/deskSessions.ts';
import { purgeAttempts } from './accounts/sessions/attempts.ts';
import { purgeCodes } from './accounts/sessions/codes.ts';
import { DEVICE_MS, purgeDeviceGrants } from './accounts/sessions/deviceGrants.ts';
import { MAIL_CODE_MS, purgeMailCodes } from './accounts/sessions/mailCodes.ts';
import { purgeSessions } from './accounts/sessions/sessions.ts';
import { indexDue } from './conversations/search.ts';
import { runAudit } from './credits/audit/auditJob.ts';
import { purgeLimitUses } from './credits/limits/limits.ts';
import { askAboutPayments, type SaleDeps, stopRenewals } from './credits/payments/checkout.ts';
import { purgePaymentEvents } from './credits/payments/payments.ts';
import type { StripeService } from './credits/payments/stripe.ts';
import { followDrains } from './gateway/routing/services.ts';
import { RecoveryWatch } from './gateway/runs/recovery.ts';
import { purgeEvents, RUNS_OF_ACCOUNTS } from './gateway/runs/runs.ts';
import type { TurnDeps } from './gateway/runs/turn.ts';
import { ClockSteps, type StoredTime } from './platform/db/clockSteps.ts';
import { TABLES } from './platform/db/tables.ts';
import type { Job } from './platform/jobs.ts';
import { judgeDue } from './risk/flags/judging.ts';
import { PERIOD_MS } from './risk/keys.ts';
import type { Observer } from './risk/observer.ts';
import { shred } from './risk/store.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * Stored times that make a client wait, to be repaired after the clock was set back. Attempts handle that themselves,
 * each by its own limit.
 */
export const STORED_TIMES: readonly StoredTime[] = [
  { table: 'limit_use', column: 'at', aheadMs: 0 },
  { table: 'plan_use', column: 'at', aheadMs: 0 },
  { table: 'guest_admission', column: 'at', aheadMs: 0 },
  { table: 'device_grant', column: 'polled_at', aheadMs: 0 },
  { table: 'device_grant', column: 'expires_at', aheadMs: DEVICE_MS },
  { table: 'mail_code', column: 'expires_at', aheadMs: MAIL_CODE_MS },
  { table: 'session', column: 'last_used_at', aheadMs: 0 },
  { table: 'api_key', column: 'last_used_at', aheadMs: 0 },
  // A key lasts as long as was promised, and an account is judged within a day.
  { table: 'risk_key', column: 'ends_at', aheadMs: PERIOD_MS },
  { table: 'risk_standing', column: 'since', aheadMs: 0 },
  { table: 'risk_standing', column: 'judge_at', aheadMs: 24 * HOUR },
  { table: 'risk_standing', column: 'persons_since', aheadMs: 0 },
];

/** No node takes over a run of a dead node before its lease has expired. */
export const storedTimes = (leaseMs: number): readonly StoredTime[] => [
  ...STORED_TIMES,
  { table: 'run', column: 'lease_until', aheadMs: leaseMs },
];

const PURGES = [
  purgeAdmissions,
  purgeSessions,
  purgeCodes,
  purgeMailCodes,
  purgeDeviceGrants,
  purgeAttempts,
  purgeLimitUses,
  purgePaymentEvents,
  purgeNetworks,
  purgeCases,
  purgePictures,
  purgeDesks,
  purgeActs,
];

export interface JobDeps {
  accounts: Accounts;
  turns: TurnDeps;
  /** `stripe` is null if nothing is sold. */
  sales: Omit<SaleDeps, 'stripe'> & { stripe: StripeService | null };
  restoring: RestoreJob;
  observer: Observer;
}

/** The jobs that run at intervals. */
export function jobsOf({ accounts, turns, sales, restoring, observer }: JobDeps): Job[] {
  const { db, clock, log, policy, leaseMs } = turns;
  const { closing, mailer, ceremonies, config } = accounts;
  const judging = { db, log, isFlagging: policy.risk.flag };
  const steps = new ClockSteps(db, storedTimes(leaseMs));
  const watch = new RecoveryWatch(turns);

  async function purge() {
    const now = clock.now();
    await db.write(async (tx) => {
      await purgeEvents(tx, now - TABLES.run_event.over);
      for (const purgeOne of PURGES) await purgeOne(tx, now);
    });
    await shred(db, now);
  }

  async function retain() {
    const report = await applyRetention({ db, clock, policy, runs: RUNS_OF_ACCOUNTS }, { dryRun: false });
    const done = report.filter(({ due }) => due > 0);
    if (done.length > 0) log.info({ report: done }, 'what the policy keeps no longer was deleted');
  }

  async function settlePayments() {
    const { stripe } = sales;
    if (!stripe) return;
    try {
      await restoring.ask();
    } finally {
      // Also where that fails each time.
      await askAboutPayments({ ...sales, stripe });
      const closed = [...(await closingAccounts(db.read)), ...(await closedAccounts(db.read))];
      await stopRenewals({ ...sales, stripe }, closed);
    }
  }

  async function mail() {
    const { publicUrl } = config;
    if (mailer) await mailNotices({ ...accounts, mailer, publicUrl, terms: policy.accounts.terms });
  }

  /** Those of the operator's commands, and what could not be sent at once. */
  async function mailDecided() {
    if (mailer) await mailDecisions({ ...accounts, mailer, publicUrl: config.publicUrl });
  }

  return [
    { name: 'recovery', everyMs: leaseMs / 5, run: () => watch.look() },
    { name: 'search index', everyMs: 2 * SECOND, run: () => indexDue(db, closing) },
    ...(turns.upstream.services
      ? [{ name: 'draining', everyMs: 2 * SECOND, run: async () => void (await followDrains(db, turns.upstream)) }]
      : []),
    { name: 'judgements', everyMs: 15 * MINUTE, run: async () => void (await judgeDue(judging, clock.now())) },
    { name: 'referral notes', everyMs: HOUR, run: async () => void (await noteReferrals(judging, clock.now())) },
    { name: 'observations', everyMs: 10 * SECOND, run: () => observer.flush() },
    { name: 'requests', everyMs: SECOND, run: () => turns.recorder.flush() },
    { name: 'limits', everyMs: 15 * SECOND, run: () => steps.look(clock.now()) },
    { name: 'payments', everyMs: 15 * SECOND, run: settlePayments },
    {
      name: 'rewards',
      everyMs: 30 * SECOND,
      run: async () => void (await payRewards({ db, clock, policy: policy.accounts.referrals })),
    },
    { name: 'purge', everyMs: 5 * MINUTE, run: purge },
    { name: 'decisions', everyMs: MINUTE, run: mailDecided },
    { name: 'notices', everyMs: 10 * MINUTE, run: mail },
    { name: 'ceremonies', everyMs: 15 * MINUTE, run: () => ceremonies.purge(clock.now()) },
    { name: 'retention', everyMs: HOUR, run: retain },
    { name: 'audit', everyMs: HOUR, run: async () => void (await runAudit(turns)) },
  ];
}
