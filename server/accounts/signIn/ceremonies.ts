import { createHash } from 'node:crypto';
import type { GenericOAuthConfig } from 'better-auth/plugins/generic-oauth';
import { cleanName, storable } from '../../../shared/texts.ts';
import type { ProviderConfig } from '../../platform/config/signInConfig.ts';
import type { Database } from '../../platform/db/database.ts';
import { TABLES } from '../../platform/db/tables.ts';
import type { Log } from '../../platform/log.ts';
import { hashKeyed } from '../../platform/secrets.ts';
import { readAddress } from '../people/emails.ts';
import type { Identified } from '../people/identities.ts';
import { readGithubUser } from './github.ts';

/** Seconds between a provider's answer and our use of it: one redirect. */
const HANDOVER_S = 120;
const PREFIX = 'perigee_auth';

export interface CeremonyDeps {
  db: Database;
  log: Log;
  secret: string;
  providers: readonly ProviderConfig[];
}

type Auth = Awaited<ReturnType<typeof createAuth>>;

/** A provider whose metadata can't be read now. */
export class Unreachable extends Error {}

/**
 * Identifies a person, with better-auth on our own tables: OAuth with PKCE and a state that is bound to the browser.
 * Its users are one for each provider's subject and are deleted within the hour; other code decides which account they
 * sign in to. The package is large, so it is loaded only if sign-in is offered.
 */
export class Ceremonies {
  readonly #made = new Map<string, Promise<Auth>>();

  constructor(private readonly deps: CeremonyDeps) {}

  /** Loads it in advance: loading takes seconds, in which a running server could answer no request. */
  async prepare(): Promise<void> {
    if (this.deps.providers.length > 0) await load();
  }

  provider(id: string): ProviderConfig | undefined {
    return this.deps.providers.find((provider) => provider.id === id);
  }

  /** The provider's sign-in URL and the cookies that bind the browser to it. `next` is a path of this server. */
  async begin(origin: string, provider: ProviderConfig, next: string): Promise<{ url: string; cookies: string[] }> {
    const auth = await this.#withProvider(origin, provider);
    const answer = await auth.api.signInSocial({
      body: { provider: provider.id, callbackURL: origin + next, errorCallbackURL: origin + next },
      headers: new Headers(),
      asResponse: true,
    });
    const { url } = (await answer.json()) as { url: string };
    return { url, cookies: answer.headers.getSetCookie() };
  }

  /** Handles the provider's redirect: redirects to `next`, with `error` in its query on failure. */
  async callback(origin: string, provider: ProviderConfig, search: string, cookie: string): Promise<Response> {
    const auth = await this.#withProvider(origin, provider);
    const url = `${origin}/api/auth/callback/${provider.id}${search}`;
    return auth.handler(new Request(url, { headers: { cookie } }));
  }

  /** The person identified in this browser just now (only once), and the cookies that clear it. */
  async takeUp(origin: string, cookie: string): Promise<{ who: Identified | null; cookies: string[] }> {
    const auth = await this.#auth(origin);
    const headers = new Headers({ cookie, origin });
    const found = await auth.api.getSession({ headers });
    if (!found) return { who: null, cookies: [] };
    const { db } = this.deps;
    // Only the call that deletes the row takes it up.
    const taken = await db.foreign.deleteFrom('auth_session').where('id', '=', found.session.id).executeTakeFirst();
    const signedOut = await auth.api.signOut({ headers, asResponse: true });
    const cookies = signedOut.headers.getSetCookie();
    if (taken.numDeletedRows !== 1n) return { who: null, cookies };
    const row = await db.foreign
      .selectFrom('auth_user')
      .innerJoin('auth_account', 'auth_account.userId', 'auth_user.id')
      .select(['providerId', 'accountId', 'name', 'address', 'addressVerified'])
      .where('auth_user.id', '=', found.user.id)
      .executeTakeFirst();
    if (!row || !this.provider(row.providerId)) return { who: null, cookies };
    const who: Identified = {
      provider: row.providerId,
      subject: row.accountId,
      email: row.address,
      emailVerified: Boolean(row.addressVerified),
      name: row.name || null,
    };
    return { who, cookies };
  }

  /** Deletes unfinished sign-ins. */
  async purge(now: number): Promise<void> {
    const before = new Date(now - TABLES.auth_user.over).toISOString();
    const { foreign } = this.deps.db;
    await foreign.deleteFrom('auth_verification').where('expiresAt', '<', before).execute();
    await foreign.deleteFrom('auth_session').where('expiresAt', '<', before).execute();
    await foreign
      .deleteFrom('auth_user')
      .where('createdAt', '<', before)
      .where('id', 'not in', (eb) => eb.selectFrom('auth_session').select('userId'))
      .execute();
  }

  /** Any instance knows all sessions, so the first will do. */
  #auth(origin: string): Promise<Auth> {
    return this.#make(origin, null);
  }

  async #withProvider(origin: string, provider: ProviderConfig): Promise<Auth> {
    const auth = await this.#make(origin, provider);
    const { socialProviders } = await auth.$context;
    if (socialProviders.some(({ id }) => id === provider.id)) return auth;
    // The provider's metadata was unavailable: the next use tries again.
    this.#made.delete(`${origin} ${provider.id}`);
    throw new Unreachable(provider.name);
  }

  #make(origin: string, provider: ProviderConfig | null): Promise<Auth> {
    const name = `${origin} ${provider?.id ?? ''}`;
    const made = this.#made.get(name) ?? createAuth(this.deps, origin, provider);
    this.#made.set(name, made);
    made.catch(() => this.#made.delete(name));
    return made;
  }
}

function load() {
  return Promise.all([import('better-auth'), import('better-auth/plugins/generic-oauth')]);
}

async function createAuth(deps: CeremonyDeps, origin: string, provider: ProviderConfig | null) {
  const { db, log, secret } = deps;
  const [{ betterAuth }, { genericOAuth }] = await load();
  const key = hashKeyed(secret, 'ceremonies', '');
  const keepNothing = { accessToken: null, refreshToken: null, idToken: null, scope: null };
  const auth = betterAuth({
    appName: 'Perigee',
    baseURL: origin,
    basePath: '/api/auth',
    secret: key,
    database: { db: db.foreign, type: db.engine },
    user: {
      modelName: 'auth_user',
      additionalFields: {
        address: { type: 'string', required: false },
        addressVerified: { type: 'boolean', required: false },
      },
    },
    session: { modelName: 'auth_session', expiresIn: HANDOVER_S, disableSessionRefresh: true },
    account: { modelName: 'auth_account', updateAccountOnSignIn: false, accountLinking: { enabled: false } },
    verification: { modelName: 'auth_verification', storeIdentifier: 'hashed' },
    databaseHooks: {
      account: { create: { before: async (account) => ({ data: { ...account, ...keepNothing } }) } },
      session: { create: { before: async (session) => ({ data: { ...session, ipAddress: '', userAgent: '' } }) } },
    },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    advanced: { cookiePrefix: PREFIX, useSecureCookies: origin.startsWith('https:') },
    onAPIError: { errorURL: `${origin}/sign-in/failed` },
    logger: { level: 'warn', log: (level, message) => log[level === 'error' ? 'warn' : level]({ message }, 'sign-in') },
    plugins: [genericOAuth({ config: provider ? [configOf(provider)] : [] })],
  });
  await auth.$context;
  return auth;
}

function configOf(provider: ProviderConfig): GenericOAuthConfig {
  const common = {
    providerId: provider.id,
    name: provider.name,
    clientId: provider.clientId,
    clientSecret: provider.clientSecret ?? undefined,
    pkce: true,
    overrideUserInfo: true,
    mapProfileToUser: (profile: Profile) => userOf(provider.id, profile),
  };
  if (provider.kind === 'oidc')
    return {
      ...common,
      discoveryUrl: `${provider.issuer}/.well-known/openid-configuration`,
      requireIdTokenVerification: true,
      scopes: provider.scopes,
      accountSubject: ({ profile }) => subjectOf(profile),
    };
  return {
    ...common,
    authorizationUrl: `${provider.url}/login/oauth/authorize`,
    tokenUrl: `${provider.url}/login/oauth/access_token`,
    scopes: ['read:user', 'user:email'],
    getUserInfo: ({ accessToken }) => readGithubUser(provider.apiUrl, accessToken ?? ''),
    accountSubject: ({ profile }) => subjectOf(profile),
  };
}

type Profile = Parameters<NonNullable<GenericOAuthConfig['mapProfileToUser']>>[0];

const subjectOf = (profile: Profile) => storable(String(profile.sub ?? profile.id ?? ''));

/**
 * better-auth merges users by their address. Here every subject is its own user, under a name that is no real address.
 * The provider's data on the real address comes along; other code decides what follows from it.
 */
function userOf(provider: string, profile: Profile) {
  const name = createHash('sha256')
    .update(`${provider}\0${subjectOf(profile)}`)
    .digest('hex');
  const verified: unknown = profile.emailVerified;
  return {
    email: `${name}@subject.invalid`,
    emailVerified: false,
    name: typeof profile.name === 'string' ? cleanName(profile.name.slice(0, 100)) : '',
    image: undefined,
    address: typeof profile.email === 'string' && readAddress(profile.email) ? storable(profile.email) : null,
    addressVerified: verified === true || verified === 'true',
  };
}
