import { setMaxListeners } from 'node:events';
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { cors } from 'hono/cors';
import { accountsApi, accountsOf, openAccountsApi, toolCalls } from './accounts/api.ts';
import { RestoreJob } from './accounts/data/afterRestore.ts';
import { Prices } from './accounts/notices/prices.ts';
import { followBought } from './accounts/people/tiers.ts';
import { offerLocalToken } from './accounts/sessions/local.ts';
import { conversationRoutes } from './conversations/routes.ts';
import { creditRoutes } from './credits/log/routes.ts';
import { paymentRoutes, webhookRoutes } from './credits/payments/paymentRoutes.ts';
import type { StripeService } from './credits/payments/stripe.ts';
import type { Network } from './fetch/network.ts';
import { fetchRoutes } from './fetch/routes.ts';
import { callRefusal } from './gateway/calls/errors.ts';
import { callRoutes, helloRoute } from './gateway/calls/routes.ts';
import { refuseUpgrade } from './gateway/calls/upgrade.ts';
import { followDrains, isDemo } from './gateway/routing/services.ts';
import { createCatalog } from './gateway/runs/catalog.ts';
import { LiveRuns } from './gateway/runs/live.ts';
import { recoverRuns } from './gateway/runs/recovery.ts';
import { endRunsOf, runRoutes } from './gateway/runs/routes.ts';
import { moveRuns, RUNS_OF_ACCOUNTS } from './gateway/runs/runs.ts';
import type { TurnDeps } from './gateway/runs/turn.ts';
import type { Upstream } from './gateway/stream.ts';
import { WaitingBytes } from './gateway/waitingBytes.ts';
import { jobsOf } from './jobs.ts';
import type { Clock, Ids } from './platform/clock.ts';
import type { Config, ModelConfig } from './platform/config/config.ts';
import type { Database } from './platform/db/database.ts';
import { createApi } from './platform/http/api.ts';
import { bodyGate } from './platform/http/bodies.ts';
import { letReadOn } from './platform/http/halfOpen.ts';
import { isCallPath, isToolCall, keyGuard } from './platform/http/keyGuard.ts';
import { operationRoutes } from './platform/http/operations.ts';
import { onError, onNotFound, problemResponse, type Respond, wantsProblems } from './platform/http/problems.ts';
import { deviceName, hostGuard, requestLog, urlGuard } from './platform/http/requests.ts';
import { startJobs } from './platform/jobs.ts';
import type { Log } from './platform/log.ts';
import type { Mailer } from './platform/mail.ts';
import { Metrics } from './platform/metrics.ts';
import { fingerprint } from './platform/secrets.ts';
import { RequestRecorder, recordRequests } from './requests/recorder.ts';
import { requestRoutes } from './requests/routes.ts';
import { type Observer, observerOf } from './risk/observer.ts';
import { riskRoutes } from './risk/routes.ts';
import type { WebFiles } from './web/files.ts';
import { webRoutes } from './web/routes.ts';

export const DRAIN_MS = 10_000;

/** Room for the cookies of several sign-ins, and for an 8 KB address, which `urlGuard` refuses. */
const MAX_HEADER_BYTES = 64 * 1024;

/** Longer than clients and proxies keep idle connections (60 s), or they send a request into one that just closed. */
const KEEP_ALIVE_MS = 75_000;

/** What scripts of other sites may read of an answer under `/v1`. */
const CALL_HEADERS = [
  ...['x-request-id', 'request-id', 'retry-after', 'x-should-retry', 'ratelimit', 'ratelimit-policy', 'date'],
  ...['x-perigee-left-out', 'x-perigee-clamped-to', 'x-perigee-model'],
];

/** Tools read refusals in the shape of their dialect; everybody else, and who asks for them, as problems. */
const respond: Respond = (c, refusal) =>
  (isToolCall(c) && !wantsProblems(c) ? callRefusal : problemResponse)(c, refusal);

export interface AppDeps {
  config: Config;
  db: Database;
  clock: Clock;
  ids: Ids;
  log: Log;
  upstream: Upstream;
  /** The key for hashes of guessable values, and for signing cookies. */
  secret: string;
  /** Null if no mail is sent. */
  mailer: Mailer | null;
  /** Null if nothing is sold. */
  stripe: StripeService | null;
  /** How web pages are reached. */
  network: Network;
  /** The built member's page; null if it was not built. */
  web: WebFiles | null;
  /** Stores local mode's token where only the user of this machine can read it; null if there is no such place. */
  publishLocalToken: ((token: string) => Promise<void>) | null;
}

export interface App {
  server: Server;
  /** Everything that is routed, middleware included: its method is `ALL`. */
  routes: readonly { method: string; path: string; handler: unknown }[];
  /** Counts faults that are caught outside the app. */
  metrics: Pick<Metrics, 'faulted'>;
  /** A job flushes it every 10 seconds. */
  observer: Pick<Observer, 'flush'>;
  /** Ends abandoned runs and starts the jobs. Call it before listening. */
  start(): Promise<void>;
  /** Refuses new runs, gives running answers 10 s, then marks them interrupted and uncharged, and closes everything. */
  stop(drainMs?: number): Promise<void>;
}

/** How long the last records may take at the end. */
const STORE_MS = 5_000;

/** The whole server on one screen: all middleware and every group of routes. */
export function createApp(deps: AppDeps): App {
  const { config, db, clock, ids, log, upstream, stripe } = deps;
  const { policy } = config;
  const draining = new AbortController();
  const closing = new AbortController();
  // Every open stream listens to this signal, so a large number of listeners is no leak.
  setMaxListeners(0, closing.signal);
  const open = { tails: 0, admissions: 0 };
  const node = ids.next();
  const live = new LiveRuns({ db, clock, log, node, leaseMs: config.leaseMs });
  const recorder = new RequestRecorder({ db, clock, log });
  const metrics = new Metrics({ runningRuns: () => live.all.length, openTails: () => open.tails });
  const { services } = upstream;
  if (services) {
    services.observe((service, outcome, seconds) => metrics.attempted(service, outcome, seconds));
    metrics.showServices(() => services.states);
  }
  const prices = new Prices(policy.models);
  const turns = turnsOf(deps, {
    node,
    live,
    recorder,
    metrics,
    draining: draining.signal,
    listed: () => prices.listed,
  });
  const observer = observerOf({ ...deps, metrics, node });
  const isSelling = stripe !== null && policy.packs.length + policy.plans.length > 0;
  const priceNotice = () => prices.notice;
  const modelIds = async () => (await turns.catalog.list('member')).map(({ id }) => id);
  const accounts = accountsOf({
    ...deps,
    metrics,
    isSelling,
    moveRuns,
    runs: RUNS_OF_ACCOUNTS,
    priceNotice,
    modelIds,
    closing: closing.signal,
  });
  const installation = fingerprint(deps.secret);
  const sales = { db, clock, ids, log, policy, followBought, installation, origins: accounts.origins, stripe };

  const recover = () => recoverRuns(turns, db.engine === 'sqlite');
  const restoring = new RestoreJob({
    db,
    clock,
    log,
    runs: RUNS_OF_ACCOUNTS,
    recover,
    sales: stripe && { ...sales, stripe },
  });

  const api = createApi();
  api.onError(onError(log, respond));
  api.notFound(onNotFound(respond));
  api.use(requestLog({ clock, ids, log, metrics }));
  api.use(urlGuard());
  api.use(hostGuard(config));
  // Editors with a wrong clock read the time from the `Date` header of a refused proof.
  const pages = { origin: config.corsOrigins, maxAge: 600, exposeHeaders: ['date'] };
  if (config.corsOrigins.length > 0) api.use('/api/*', cors(pages));
  if (config.corsOrigins.length > 0) api.use('/v1/*', cors({ ...pages, exposeHeaders: CALL_HEADERS }));
  api.use(keyGuard());
  api.use(bodyGate());
  api.use('/api/*', deviceName());
  api.use('/v1/*', deviceName());
  for (const path of ['/v1/*', '/api/runs']) api.use(path, recordRequests(recorder, clock));
  const { addressOf, attempts } = accounts;
  helloRoute(api);
  operationRoutes(api, { config, db, metrics, draining: draining.signal, now: () => clock.now(), addressOf });
  webRoutes(api, deps.web, { hasNumbers: config.policy.risk.publicNumbers });
  webhookRoutes(api, sales);
  openAccountsApi(api, accounts);
  accountsApi(api, accounts);
  creditRoutes(api, { db, clock, log });
  paymentRoutes(api, sales);
  const effort = {
    check: (accountId: string) => attempts.check('record', accountId),
    note: (accountId: string, pieces: number) => attempts.note('record', accountId, pieces),
  };
  requestRoutes(api, { db, clock, log, recorder, effort });
  riskRoutes(api, { db });
  conversationRoutes(api, { db, clock, log, endRunsOf });
  fetchRoutes(api, { ...deps, policy, count: (accountId) => attempts.count('fetch', accountId) });
  runRoutes(api, { ...turns, observer, attempts, closing: closing.signal, open });
  toolCalls(api, accounts);
  callRoutes(api, { ...turns, observer, attempts, open, drains: { calls: 0 } });

  const server = createAdaptorServer({
    fetch: api.fetch,
    // Lets over-long addresses reach `urlGuard`, which refuses them like all other refusals.
    serverOptions: { maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: KEEP_ALIVE_MS },
  }) as Server;
  letReadOn(server, isCallPath);
  server.on('upgrade', refuseUpgrade);
  let jobs: { stop(): Promise<void> } | null = null;

  return {
    server,
    routes: api.routes,
    metrics,
    observer,
    async start() {
      await accounts.ceremonies.prepare();
      await prices.announce({ db, log, clock, noticeDays: config.signIn.local ? 0 : policy.priceNoticeDays });
      const drained = await followDrains(db, upstream);
      if (drained.length > 0) log.warn({ drained }, 'these model services get no requests: npm run admin -- upstreams');
      await observer.begin();
      await restoring.begin();
      // Another node may be alive, and its database may just have come back.
      if (db.engine === 'sqlite') await recover();
      if (accounts.publishLocalToken) await offerLocalToken(accounts, accounts.publishLocalToken);
      jobs = startJobs(jobsOf({ accounts, turns, sales, restoring, observer }), log);
    },
    async stop(drainMs = DRAIN_MS) {
      draining.abort();
      const busy = () => live.all.length + open.admissions > 0;
      await untilIdle(busy, drainMs);
      for (const run of live.all) run.abort('shutdown');
      await untilIdle(busy, config.leaseMs);
      closing.abort();
      await closeServer(server);
      const store = async () => {
        await jobs?.stop();
        await live.stop();
        await observer.flush();
        await recorder.flush({ all: true });
      };
      // A database that has vanished answers neither yes nor no.
      await Promise.race([store(), new Promise((resolve) => setTimeout(resolve, STORE_MS).unref())]).catch((error) =>
        log.error({ err: error }, 'not everything could be stored before the end'),
      );
      await db.close();
    },
  };
}

type TurnParts = Pick<TurnDeps, 'node' | 'live' | 'recorder' | 'metrics' | 'draining'> & {
  listed: () => readonly ModelConfig[];
};

/** What the gateway needs for its answers. */
function turnsOf(deps: AppDeps, { node, live, recorder, metrics, draining, listed }: TurnParts): TurnDeps {
  const { config, db, clock, ids, log, upstream } = deps;
  const { policy, leaseMs, signIn } = config;
  const preferred = config.upstream?.model ?? null;
  const catalog = createCatalog({
    upstream,
    isDemo: isDemo(config),
    preferred,
    listed,
    policy,
    clock,
    log,
  });
  const signInOffered = signIn.providers.length > 0 || signIn.mail !== null;
  const made = { catalog, live, recorder, metrics, node, draining, signInOffered, waiting: new WaitingBytes() };
  return { db, clock, ids, log, leaseMs, upstream, policy, ...made };
}

/** Resolves when the last connection is closed. Connections still open after a second are cut. */
async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 1_000).unref();
  });
}

/** Resolves when this node admits and answers no more runs, or after `ms`. */
async function untilIdle(busy: () => boolean, ms: number): Promise<void> {
  const until = Date.now() + ms;
  while (busy() && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
}
