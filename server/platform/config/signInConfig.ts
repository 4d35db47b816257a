import { z } from 'zod';
import { ProviderIdSchema } from '../../../shared/auth.ts';
import { MICRO_PER_CREDIT } from '../../../shared/constants.ts';
import { ConfigError, isLoopback, plainUrl } from './settings.ts';

/** The operator's own OIDC provider. Its secret may be set in the environment instead: `OIDC_<ID>_SECRET`. */
const OidcConfigSchema = z.strictObject({
  id: ProviderIdSchema,
  name: z.string().min(1).max(60),
  issuer: z.url(),
  clientId: z.string().min(1),
  clientSecret: z.string().min(1).optional(),
  scopes: z.array(z.string()).default(['openid', 'email', 'profile']),
});

const credits = (n: number) => n * MICRO_PER_CREDIT;

/** What an account earns when others join by its link. An amount of 0 turns a reward off. */
export const ReferralConfigSchema = z.strictObject({
  enabled: z.boolean().default(true),
  /** The referrer's reward once the new account has spent this much; limited per calendar month (UTC). */
  spentMicro: z.int().min(1).default(credits(20)),
  spentRewardMicro: z.int().min(0).default(credits(50)),
  spentPerMonth: z.int().min(1).default(10),
  /** For the referrer, when the new account first pays. */
  firstPaymentRewardMicro: z.int().min(0).default(credits(500)),
  /** Both accounts earn a reward once the new account has used this many tokens. */
  usedTokens: z.int().min(1).default(1_000_000),
  usedRewardMicro: z.int().min(0).default(credits(50)),
  /** If more than this many join from one network in a day by one link, they are not counted as people. */
  perNetworkDay: z.int().min(1).default(3),
});
export type ReferralConfig = z.infer<typeof ReferralConfigSchema>;

/** Account settings; the defaults are the service's policy. */
export const AccountConfigSchema = z.strictObject({
  /** What a new account gets, once for each verified email address and each provider's subject. */
  bonusMicro: z.int().min(0).default(credits(100)),
  referrals: ReferralConfigSchema.default(() => ReferralConfigSchema.parse({})),
  smallestAge: z.int().min(0).default(13),
  /** `toolsFrom`: until then, new terms stop no tool of a member who has not accepted them yet. */
  terms: z
    .strictObject({
      version: z.string().min(1),
      url: z.url().optional(),
      toolsFrom: z.iso.datetime({ offset: true }).optional(),
    })
    .default({ version: '1' }),
  /** How long the owner can restore a closed account before it is deleted. */
  closingDays: z.int().min(0).max(365).default(7),
  /** Guests that were not seen for this long are deleted. */
  guestDays: z.int().min(1).max(3650).default(30),
  /** A device that is unused for this long is signed out. */
  sessionDays: z.int().min(1).max(365).default(30),
  /** Addresses, besides the known ones, to which an editor may be called back: `https://code.example.org/callback`. */
  callbacks: z.array(z.url()).default([]),
  providers: z.array(OidcConfigSchema).default([]),
});
export type AccountConfig = z.infer<typeof AccountConfigSchema>;

/** A provider to which users can be sent to sign in. */
export type ProviderConfig = { id: string; name: string; clientId: string; clientSecret: string | null } & (
  | { kind: 'oidc'; issuer: string; scopes: string[] }
  | { kind: 'github'; url: string; apiUrl: string }
);

export interface SignInConfig {
  providers: ProviderConfig[];
  mail: { url: string; from: string } | null;
  /** The single user of this machine may sign in with the secret beside the database. */
  local: boolean;
}

type Env = Record<string, string | undefined>;

/** The providers that sign users in. On loopback without any: the single user of this machine. */
export function parseSignIn(env: Env, accounts: AccountConfig, host: string, publicUrl: string | null): SignInConfig {
  const providers = [google(env), github(env), ...accounts.providers.map((provider) => oidc(env, provider))].filter(
    (provider) => provider !== null,
  );
  const ids = providers.map(({ id }) => id);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i || id === 'email' || id === 'local');
  if (twice) throw new ConfigError(`PERIGEE_CONFIG: the provider id "${twice}" is taken: choose another`);
  const mail = parseMail(env);
  const isOffered = providers.length > 0 || mail !== null;
  const isPrivate = isLoopback(host) && (publicUrl === null || isLoopback(new URL(publicUrl).hostname));
  if (isOffered && publicUrl === null && !isLoopback(host))
    throw new ConfigError('PUBLIC_URL is required for sign-in: browsers return to it after signing in');
  return { providers, mail, local: !isOffered && isPrivate };
}

function google(env: Env): ProviderConfig | null {
  const client = pair(env, 'GOOGLE_CLIENT_ID', 'GOOGLE_CLIENT_SECRET');
  const scopes = ['openid', 'email', 'profile'];
  return (
    client && { kind: 'oidc', id: 'google', name: 'Google', issuer: 'https://accounts.google.com', scopes, ...client }
  );
}

function github(env: Env): ProviderConfig | null {
  const client = pair(env, 'GITHUB_CLIENT_ID', 'GITHUB_CLIENT_SECRET');
  if (!client) return null;
  const own = env.GITHUB_URL ? secureUrl('GITHUB_URL', env.GITHUB_URL) : null;
  const url = own ?? 'https://github.com';
  return {
    kind: 'github',
    id: 'github',
    name: 'GitHub',
    url,
    apiUrl: own ? `${own}/api/v3` : 'https://api.github.com',
    ...client,
  };
}

function oidc(env: Env, { issuer, clientSecret, ...provider }: AccountConfig['providers'][number]): ProviderConfig {
  const secret = env[`OIDC_${provider.id.toUpperCase().replaceAll('-', '_')}_SECRET`];
  return {
    kind: 'oidc',
    ...provider,
    issuer: secureUrl(`PERIGEE_CONFIG: the issuer of "${provider.id}"`, issuer),
    clientSecret: secret || clientSecret || null,
  };
}

function pair(env: Env, idName: string, secretName: string): { clientId: string; clientSecret: string } | null {
  const clientId = env[idName];
  const clientSecret = env[secretName];
  if (!clientId && !clientSecret) return null;
  if (!clientId || !clientSecret)
    throw new ConfigError(`${clientId ? secretName : idName} is missing: ${idName} and ${secretName} go together`);
  return { clientId, clientSecret };
}

/** Requires https, except on loopback: an attacker who can change the provider's answers can sign in as any user. */
function secureUrl(name: string, value: string): string {
  const url = plainUrl(name, value);
  if (url.protocol !== 'https:' && !isLoopback(url.hostname))
    throw new ConfigError(`${name} must be https unless it is a loopback address`);
  return url.href.replace(/\/+$/, '');
}

function parseMail(env: Env): SignInConfig['mail'] {
  const url = env.MAIL_URL;
  if (!url) return null;
  if (!/^(smtps?:\/\/[^/]|file:.|console:$)/.test(url))
    throw new ConfigError('MAIL_URL must be smtp://user:password@host:port, smtps://…, file:folder or console:');
  const from = env.MAIL_FROM;
  if (!from || !/^[^\r\n]*@[^\r\n]+$/.test(from))
    throw new ConfigError('MAIL_FROM must be the address that mail comes from, such as Perigee <mail@example.org>');
  return { url, from };
}
