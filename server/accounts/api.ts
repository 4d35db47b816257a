import type { Notice } from '../../shared/account.ts';
import type { Clock, Ids } from '../platform/clock.ts';
import type { Config } from '../platform/config/config.ts';
import type { Database } from '../platform/db/database.ts';
import type { Api, AppContext } from '../platform/http/env.ts';
import { originsOf } from '../platform/http/origins.ts';
import { addressReader } from '../platform/http/proxies.ts';
import type { Log } from '../platform/log.ts';
import type { Mailer } from '../platform/mail.ts';
import type { Metrics } from '../platform/metrics.ts';
import { exportRoutes } from './data/exportRoutes.ts';
import { rightsRoutes } from './data/rightsRoutes.ts';
import type { MoveRuns } from './people/merge.ts';
import { promotionRoutes } from './people/promotionRoutes.ts';
import { referralRoutes } from './referrals/referralRoutes.ts';
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
  /** Keys hashes of what could be guessed, and signs cookies. */
  secret: string;
  mailer: Mailer | null;
  /** Whether packs or plans can be bought. */
  isSelling: boolean;
  /** Puts the token of local mode where only the user of this machine can read it; null where it can't be put. */
  publishLocalToken: ((token: string) => Promise<void>) | null;
  moveRuns: MoveRuns;
  /** What members are told of prices now. */
  priceNotice: () => Notice | null;
  /** Aborts when the server shuts down: streams end then. */
  closing: AbortSignal;
}

/** What the routes of accounts need, made of what the server has. */
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
    isLocalRequest: (c: AppContext) => signIn.local && addressOf(c) === null,
  };
}

export type Accounts = ReturnType<typeof accountsOf>;

/** The routes that answer before it is known who calls. */
export function openAccountsApi(api: Api, deps: Accounts): void {
  guestRoutes(api, deps);
  signInApiRoutes(api, deps);
  signInPages(api, deps);
  ownerRoutes(api, deps);
}

/** Finds out who calls, for every route that is bound after it; and the routes of an account's owner. */
export function accountsApi(api: Api, deps: Accounts): void {
  api.use('/api/*', authenticate(deps));
  accountRoutes(api, deps);
  sessionRoutes(api, deps);
  rightsRoutes(api, deps);
  exportRoutes(api, deps);
  referralRoutes(api, deps);
  promotionRoutes(api, deps);
}
