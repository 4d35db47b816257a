import type { Notice } from '../../shared/account.ts';
import type { Clock, Ids } from '../platform/clock.ts';
import { type Config, isLoopback } from '../platform/config/config.ts';
import type { Database } from '../platform/db/database.ts';
import { detach } from '../platform/detached.ts';
import type { Api, AppContext } from '../platform/http/env.ts';
import { originsOf } from '../platform/http/origins.ts';
import { addressReader } from '../platform/http/proxies.ts';
import type { Log } from '../platform/log.ts';
import type { Mailer } from '../platform/mail.ts';
import type { Metrics } from '../platform/metrics.ts';
import { ownDecisionRoutes } from './cases/ownRoutes.ts';
import type { RunsOfAccounts } from './data/erase.ts';
import { exportRoutes } from './data/exportRoutes.ts';
import { rightsRoutes } from './data/rightsRoutes.ts';
import { deskBookRoutes, fairUseRoutes } from './desk/bookRoutes.ts';
import { deskCaseRoutes } from './desk/caseRoutes.ts';
import { decisionRoutes } from './desk/decisionRoutes.ts';
import { deskRoutes } from './desk/deskRoutes.ts';
import { authenticateCall } from './keys/authenticateCall.ts';
import { keyRoutes } from './keys/keyRoutes.ts';
import { mailDecisions } from './notices/decisionMail.ts';
import type { MoveRuns } from './people/merge.ts';
import { promotionRoutes } from './people/promotionRoutes.ts';
import { referralRoutes } from './referrals/referralRoutes.ts';
import { deskGuard } from './reviewers/guard.ts';
import { accountRoutes, guestRoutes, ownerRoutes } from './routes.ts';
import { Attempts } from './sessions/attempts.ts';
import { authenticate } from './sessions/authenticate.ts';
import { Proofs } from './sessions/dpop.ts';
import { KnownBrowsers } from './sessions/knownBrowsers.ts';
import { sessionRoutes, signInApiRoutes } from './signIn/authRoutes.ts';
import { Ceremonies } from './signIn/ceremonies.ts';
import { signInPages } from './signIn/signIn.ts';

const DAY_MS = 24 * 3_600_000;

export interface AccountsSetup {
  config: Config;
  db: Database;
  clock: Clock;
  ids: Ids;
  log: Log;
  metrics: Metrics;
  /** Keys the hashes of guessable values, and signs cookies. */
  secret: string;
  mailer: Mailer | null;
  /** Whether packs or plans are on sale. */
  isSelling: boolean;
  /** Puts the token of local mode where only this machine's user can read it; null if there is no such place. */
  publishLocalToken: ((token: string) => Promise<void>) | null;
  moveRuns: MoveRuns;
  runs: RunsOfAccounts;
  /** The current notice to members about prices. */
  priceNotice: () => Notice | null;
  /** The ids of the models that members may use. */
  modelIds: () => Promise<string[]>;
  /** Aborts when the server shuts down, which ends the streams. */
  closing: AbortSignal;
}

/** Builds what the account routes need from the server's parts. */
export function accountsOf(setup: AccountsSetup) {
  const { config, db, clock, ids, log, secret } = setup;
  const { policy, signIn } = config;
  const { terms, sessionDays } = policy.accounts;
  const read = addressReader(config.trustedProxies, (text) => log.warn(text));
  const addressOf = (c: AppContext) => read(c.env.incoming.socket.remoteAddress ?? '', (name) => c.req.header(name));
  const origins = originsOf(config);
  return {
    ...setup,
    policy,
    signIn,
    addressOf,
    origins,
    proofs: new Proofs(() => clock.now()),
    attempts: new Attempts(db, clock),
    browsers: new KnownBrowsers({ ids, origins }, secret),
    ceremonies: new Ceremonies({ db, log, secret, providers: signIn.providers }),
    sessionMs: sessionDays * DAY_MS,
    mailer: signIn.mail ? setup.mailer : null,
    publishLocalToken: signIn.local ? setup.publishLocalToken : null,
    termsVersion: terms.url ? terms.version : null,
    termsToolsFrom: terms.toolsFrom === undefined ? null : Date.parse(terms.toolsFrom),
    isLocalRequest: (c: AppContext) => signIn.local && addressOf(c) === null,
    // Behind a proxy each request comes from this machine, and not every proxy says so.
    isOwnMachine: (c: AppContext) => !isBehindProxy(config) && addressOf(c) === null,
  };
}

const isBehindProxy = ({ publicUrl, trustedProxies }: Config) =>
  trustedProxies.length > 0 || (publicUrl !== null && !isLoopback(new URL(publicUrl).hostname));

export type Accounts = ReturnType<typeof accountsOf>;

/** The routes that don't need a known caller. */
export function openAccountsApi(api: Api, deps: Accounts): void {
  guestRoutes(api, deps);
  signInApiRoutes(api, deps);
  signInPages(api, deps);
  ownerRoutes(api, deps);
  fairUseRoutes(api, { ...deps, isShown: deps.policy.risk.publicNumbers });
}

/** Authenticates every route that is bound after it, and adds the routes of an account's owner. */
export function accountsApi(api: Api, deps: Accounts): void {
  api.use('/api/*', authenticate(deps));
  accountRoutes(api, deps);
  sessionRoutes(api, deps);
  rightsRoutes(api, deps);
  exportRoutes(api, deps);
  referralRoutes(api, deps);
  promotionRoutes(api, deps);
  keyRoutes(api, deps);
  ownDecisionRoutes(api, deps);
  deskApi(api, deps);
}

/** The reviewers' desk. Its guard stands before every route that is bound under it. */
function deskApi(api: Api, deps: Accounts): void {
  api.use('/api/desk/*', deskGuard(deps));
  deskRoutes(api, deps);
  deskCaseRoutes(api, deps);
  deskBookRoutes(api, deps);
  decisionRoutes(api, { ...deps, mailSoon: () => mailSoon(deps) });
}

/** Mails what was just decided, behind the answer. A job does so as well, for what is not sent here. */
function mailSoon(deps: Accounts): void {
  const { mailer, config, log, metrics } = deps;
  if (!mailer) return;
  detach(async () => void (await mailDecisions({ ...deps, mailer, publicUrl: config.publicUrl })), 'mail', {
    log,
    metrics,
  });
}

/** Authenticates every call of a tool: everything under `/v1` that is bound after it. */
export function toolCalls(api: Api, deps: Accounts): void {
  api.use('/v1/*', authenticateCall(deps));
}
