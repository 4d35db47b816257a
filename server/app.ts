import { setMaxListeners } from 'node:events';
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { cors } from 'hono/cors';
import type { Notice } from '../shared/account.ts';
import { RestoreJob } from './accounts/afterRestore.ts';
import { Attempts, purgeAttempts } from './accounts/attempts.ts';
import { authenticate } from './accounts/authenticate.ts';
import { sessionRoutes, signInApiRoutes } from './accounts/authRoutes.ts';
import { Ceremonies } from './accounts/ceremonies.ts';
import { purgeCodes } from './accounts/codes.ts';
import { DEVICE_MS, purgeDeviceGrants } from './accounts/deviceGrants.ts';
import { Proofs } from './accounts/dpop.ts';
import { exportRoutes } from './accounts/exportRoutes.ts';
import { purgeAdmissions } from './accounts/guests.ts';
import { KnownBrowsers } from './accounts/knownBrowsers.ts';
import { offerLocalToken } from './accounts/local.ts';
import { MAIL_CODE_MS, purgeMailCodes } from './accounts/mailCodes.ts';
import { mailNotices } from './accounts/noticeMail.ts';
import { tellPrices } from './accounts/priceNotice.ts';
import { referralRoutes } from './accounts/referralRoutes.ts';
import { applyRetention } from './accounts/retention.ts';
import { payRewards, purgeNetworks } from './accounts/rewards.ts';
import { closingAccounts } from './accounts/rights.ts';
import { rightsRoutes } from './accounts/rightsRoutes.ts';
import { accountRoutes, guestRoutes, ownerRoutes } from './accounts/routes.ts';
import { purgeSessions } from './accounts/sessions.ts';
import { signInPages } from './accounts/signIn.ts';
import { followBought } from './accounts/tiers.ts';
import { conversationRoutes } from './conversations/routes.ts';
import { indexDue } from './conversations/search.ts';
import { announcePrices } from './credits/announcements.ts';
import { runAudit } from './credits/auditJob.ts';
import { askAboutPayments, stopRenewals } from './credits/checkout.ts';
import { purgeLimitUses } from './credits/limits.ts';
import { paymentRoutes, webhookRoutes } from './credits/paymentRoutes.ts';
import { purgePaymentEvents } from './credits/payments.ts';
import { creditRoutes } from './credits/routes.ts';
import type { StripeService } from './credits/stripe.ts';
import { LiveRuns } from './gateway/live.ts';
import { createCatalog } from './gateway/models.ts';
import { recoverRuns } from './gateway/recovery.ts';
import { endRunsOf, runRoutes } from './gateway/routes.ts';
import { moveRuns, purgeEvents, RUNS_OF_ACCOUNTS } from './gateway/runs.ts';
import type { TurnDeps } from './gateway/turn.ts';
import type { Upstream } from './gateway/upstreams/stream.ts';
import { bodyGate } from './platform/bodies.ts';
import type { Clock, Ids } from './platform/clock.ts';
import { ClockSteps, type StoredTime } from './platform/clockSteps.ts';
import type { Config, ModelConfig } from './platform/config.ts';
import type { Database } from './platform/db/database.ts';
import { TABLES } from './platform/db/tables.ts';
import { type AppContext, createApi, onError, onNotFound } from './platform/http.ts';
import { startJobs } from './platform/jobs.ts';
import type { Log } from './platform/log.ts';
import type { Mailer } from './platform/mail.ts';
import { Metrics } from './platform/metrics.ts';
import { operationRoutes } from './platform/operations.ts';
import { originsOf } from './platform/origins.ts';
import { addressReader } from './platform/proxies.ts';
import { deviceName, hostGuard, requestLog, urlGuard } from './platform/requests.ts';
import type { WebFiles } from './web/files.ts';
import { webRoutes } from './web/routes.ts';

const DRAIN_MS = 10_000;
const HOUR = 3_600_000;
const INDEX_MS = 2_000;
const LIMITS_MS = 15_000;
const PAYMENTS_MS = 15_000;
const REWARDS_MS = 30_000;

/** Cookies of a browser's sign-ins, and an address of 8 KB that is refused by name. */
const MAX_HEADER_BYTES = 64 * 1024;

/** Every stored time by which somebody has to wait; attempts mind the clock themselves, each by its own limit. */
export const STORED_TIMES: readonly StoredTime[] = [
  { table: 'limit_use', column: 'at', aheadMs: 0 },
  { table: 'plan_use', column: 'at', aheadMs: 0 },
  { table: 'guest_admission', column: 'at', aheadMs: 0 },
  { table: 'device_grant', column: 'polled_at', aheadMs: 0 },
  { table: 'device_grant', column: 'expires_at', aheadMs: DEVICE_MS },
  { table: 'mail_code', column: 'expires_at', aheadMs: MAIL_CODE_MS },
  { table: 'session', column: 'last_used_at', aheadMs: 0 },
];

export interface AppDeps {
  config: Config;
  db: Database;
  clock: Clock;
  ids: Ids;
  log: Log;
  upstream: Upstream;
  /** Keys hashes of what could be guessed, and signs cookies. */
  secret: string;
  /** Null where no mail is sent. */
  mailer: Mailer | null;
  /** Null where nothing is sold. */
  stripe: StripeService | null;
  /** The member's page as it was built; null if it wasn't. */
  web: WebFiles | null;
  /** Puts the token of local mode where only the user of this machine can read it; null where it can't be put. */
  publishLocalToken: ((token: string) => Promise<void>) | null;
}

export interface App {
  server: Server;
  /** Everything that is routed, what passes requests on included: its method is `ALL`. */
  routes: readonly { method: string; path: string; handler: unknown }[];
  /** Counts what is caught outside of it. */
  metrics: Pick<Metrics, 'faulted'>;
  /** Ends abandoned runs and begins the jobs; call it before listening. */
  start(): Promise<void>;
  /** Refuses new runs, gives running answers 10 s, then marks them interrupted and uncharged, and closes everything. */
  stop(drainMs?: number): Promise<void>;
}

/** The whole server on one screen: what every request passes, and every group of routes. */
export function createApp(deps: AppDeps): App {
  const { config, db, clock, ids, log, upstream, secret } = deps;
  const { policy, leaseMs, signIn } = config;
  const draining = new AbortController();
  const closing = new AbortController();
  // Every open stream listens: their number is no leak.
  setMaxListeners(0, closing.signal);
  const node = ids.next();
  const open = { tails: 0, admissions: 0 };
  const live = new LiveRuns({ db, clock, log, node, leaseMs });
  const metrics = new Metrics({ runningRuns: () => live.all.length, openTails: () => open.tails });
  const preferred = config.upstream?.model ?? null;
  // Until the start has announced them: the list as it stands.
  let listed: readonly ModelConfig[] = policy.models;
  let priceNotice: () => Notice | null = () => null;
  const isDemo = !config.upstream;
  const catalog = createCatalog({ upstream, isDemo, preferred, listed: () => listed, policy, clock, log });
  const turns: TurnDeps = {
    db,
    clock,
    ids,
    log,
    metrics,
    node,
    leaseMs,
    upstream,
    catalog,
    live,
    policy,
    signInOffered: signIn.providers.length > 0 || signIn.mail !== null,
    draining: draining.signal,
  };
  const read = addressReader(config.trustedProxies, (text) => log.warn(text));
  const addressOf = (c: AppContext) => read(c.env.incoming.socket.remoteAddress ?? '', (name) => c.req.header(name));
  const origins = originsOf(config);
  const proofs = new Proofs(() => clock.now());
  const mailer = signIn.mail ? deps.mailer : null;
  const ceremonies = new Ceremonies({ db, log, secret, providers: signIn.providers });
  const accounts = {
    db,
    clock,
    ids,
    policy,
    secret,
    log,
    metrics,
    addressOf,
    closing: closing.signal,
    origins,
    proofs,
    attempts: new Attempts(db, clock),
    browsers: new KnownBrowsers({ ids, origins }, secret),
    signIn,
    isSelling: deps.stripe !== null && policy.packs.length + policy.plans.length > 0,
    ceremonies,
    moveRuns,
    sessionMs: policy.accounts.sessionDays * 24 * HOUR,
    priceNotice: () => priceNotice(),
    publishLocalToken: signIn.local ? deps.publishLocalToken : null,
    termsVersion: policy.accounts.terms.url ? policy.accounts.terms.version : null,
    mailer,
    isLocalRequest: (c: AppContext) => signIn.local && addressOf(c) === null,
  };

  const steps = new ClockSteps(db, STORED_TIMES);
  const sales = { db, clock, ids, log, policy, followBought, origins, stripe: deps.stripe };
  const recover = () => recoverRuns(turns, db.engine === 'sqlite');
  const restoring = new RestoreJob({
    ...{ db, clock, log, runs: RUNS_OF_ACCOUNTS, recover },
    sales: deps.stripe && { ...sales, stripe: deps.stripe },
  });

  const api = createApi();
  api.onError(onError(log));
  api.notFound(onNotFound);
  api.use(requestLog({ ids, log, metrics }));
  api.use(urlGuard());
  api.use(hostGuard(config));
  // Editors whose clock is wrong take the time from the `Date` of a refused proof.
  const web = { origin: config.corsOrigins, maxAge: 600, exposeHeaders: ['date'] };
  if (config.corsOrigins.length > 0) api.use('/api/*', cors(web));
  api.use(bodyGate());
  api.use('/api/*', deviceName());
  operationRoutes(api, { config, db, metrics, draining: draining.signal, now: () => clock.now(), addressOf });
  guestRoutes(api, accounts);
  signInApiRoutes(api, accounts);
  signInPages(api, accounts);
  webhookRoutes(api, sales);
  webRoutes(api, deps.web);
  ownerRoutes(api, accounts);
  api.use('/api/*', authenticate(accounts));
  accountRoutes(api, accounts);
  sessionRoutes(api, accounts);
  rightsRoutes(api, accounts);
  exportRoutes(api, accounts);
  referralRoutes(api, accounts);
  creditRoutes(api, { db, clock, log });
  paymentRoutes(api, sales);
  conversationRoutes(api, { db, clock, log, endRunsOf });
  runRoutes(api, { ...turns, attempts: accounts.attempts, closing: closing.signal, open });

  const server = createAdaptorServer({
    fetch: api.fetch,
    // What is too long is told as every other refusal.
    serverOptions: { maxHeaderSize: MAX_HEADER_BYTES },
  }) as Server;
  let jobs: { stop(): Promise<void> } | null = null;

  return {
    server,
    routes: api.routes,
    metrics,
    async start() {
      await ceremonies.prepare();
      const announced = await announcePrices(
        { db, log, noticeDays: signIn.local ? 0 : policy.priceNoticeDays },
        policy.models,
        clock.now(),
      );
      listed = announced;
      priceNotice = tellPrices(announced, clock);
      await restoring.begin();
      await recover();
      if (accounts.publishLocalToken) await offerLocalToken(accounts, accounts.publishLocalToken);
      jobs = startJobs(
        [
          { name: 'recovery', everyMs: leaseMs, run: async () => void (await recoverRuns(turns, false)) },
          { name: 'search index', everyMs: INDEX_MS, run: () => indexDue(db, closing.signal) },
          {
            name: 'limits',
            everyMs: LIMITS_MS,
            run: () => steps.look(clock.now()),
          },
          {
            name: 'purge',
            everyMs: HOUR / 12,
            run: () =>
              db.write(async (tx) => {
                const now = clock.now();
                await purgeEvents(tx, now - TABLES.run_event.over);
                const purges = [
                  purgeAdmissions,
                  purgeSessions,
                  purgeCodes,
                  purgeMailCodes,
                  purgeDeviceGrants,
                  purgeAttempts,
                ];
                for (const purge of [...purges, purgeLimitUses, purgePaymentEvents, purgeNetworks])
                  await purge(tx, now);
              }),
          },
          {
            name: 'retention',
            everyMs: HOUR,
            async run() {
              const report = await applyRetention({ db, clock, policy, runs: RUNS_OF_ACCOUNTS }, { dryRun: false });
              const done = report.filter(({ due }) => due > 0);
              if (done.length > 0) log.info({ report: done }, 'what the policy keeps no longer was deleted');
            },
          },
          { name: 'audit', everyMs: HOUR, run: async () => void (await runAudit(turns)) },
          {
            name: 'payments',
            everyMs: PAYMENTS_MS,
            async run() {
              const { stripe } = deps;
              if (!stripe) return;
              await restoring.ask();
              await askAboutPayments({ ...sales, stripe });
              await stopRenewals({ ...sales, stripe }, await closingAccounts(db.read));
            },
          },
          {
            name: 'notices',
            everyMs: HOUR / 6,
            async run() {
              const { terms } = policy.accounts;
              const { publicUrl } = config;
              if (mailer) await mailNotices({ ...accounts, mailer, publicUrl, terms });
            },
          },
          {
            name: 'rewards',
            everyMs: REWARDS_MS,
            run: async () => void (await payRewards({ db, clock, policy: policy.accounts.referrals })),
          },
          { name: 'ceremonies', everyMs: HOUR / 4, run: () => ceremonies.purge(clock.now()) },
        ],
        log,
      );
    },
    async stop(drainMs = DRAIN_MS) {
      draining.abort();
      const busy = () => live.all.length + open.admissions > 0;
      await untilIdle(busy, drainMs);
      for (const run of live.all) run.abort('shutdown');
      await untilIdle(busy, leaseMs);
      closing.abort();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), 1_000).unref();
      });
      await jobs?.stop();
      await live.stop();
      await db.close();
    },
  };
}

/** Resolves when this node admits and answers nothing any more, or after `ms`. */
async function untilIdle(busy: () => boolean, ms: number): Promise<void> {
  const until = Date.now() + ms;
  while (busy() && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
}
