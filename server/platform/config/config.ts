import { z } from 'zod';
import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import { isAscending, PriceSettingSchema } from '../../../shared/models.ts';
import { tellIssues } from './issues.ts';
import { checkPrices, type PaymentConfig, parsePayments, paymentPolicy } from './paymentConfig.ts';
import { type ProxyConfig, parseProxies } from './proxyConfig.ts';
import { ConfigError, httpUrl, isLoopback, networks, originUrl } from './settings.ts';
import { AccountConfigSchema, parseSignIn, type SignInConfig } from './signInConfig.ts';
import { ThinkingConfigSchema } from './thinkingConfig.ts';
import { TitleConfigSchema } from './titleConfig.ts';

export { ConfigError, isLoopback };

const credits = (n: number) => n * MICRO_PER_CREDIT;

/** A model in the operator's list. Prices are in micro-credits, for 1 million tokens or for a run. */
const ModelConfigSchema = z.strictObject({
  id: z.string().min(1).max(200),
  name: z.string().max(200).optional(),
  contextTokens: z.int().min(1024).default(128_000),
  maxOutputTokens: z.int().min(16).default(8192),
  /** It reads pictures. */
  vision: z.boolean().optional(),
  /** The ids of models that answer, in this order, if every service fails for this one. */
  fallbacks: z.array(z.string()).max(5).optional(),
  price: PriceSettingSchema.default({ mode: 'flat', runMicro: credits(1) }),
  /** How hard it can be asked to think. */
  thinking: ThinkingConfigSchema.optional(),
  /** Later prices, each valid from its instant. A server announces them as soon as it starts with them. */
  priceChanges: z
    .array(z.strictObject({ from: z.iso.datetime(), price: PriceSettingSchema }))
    .refine((changes) => isAscending(changes.map(({ from }) => Date.parse(from))), {
      error: 'each change counts from later than the one before it',
    })
    .optional(),
});
export type ModelConfig = z.infer<typeof ModelConfigSchema>;

/** One of several model services. Its key is in SERVICE_<ID>_KEY. */
const ServiceConfigSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, 'must be lower-case letters, digits and _, such as "east"'),
  url: z.url({ protocol: /^https?$/ }),
  /** What it speaks. One that does not speak chat completions answers only tools of its dialect. */
  dialect: z.enum(['chat', 'messages', 'responses']).default('chat'),
  /** Its share of the requests, beside the other weights. */
  weight: z.number().positive().max(1000).default(1),
  /** The ids of the models that it has, or its own name for each id. Without it: every model under its id. */
  models: z
    .union([z.array(z.string().min(1)).min(1), z.record(z.string().min(1), z.string().min(1))])
    .transform((models) => (Array.isArray(models) ? Object.fromEntries(models.map((id) => [id, id])) : models))
    .optional(),
});

/** Limits of guests; the defaults are the service's policy. A guest's run costs `runMicro`, whichever model it uses. */
const GuestConfigSchema = z
  .strictObject({
    enabled: z.boolean().default(true),
    messages: z.int().min(1).default(10),
    perHour: z.int().min(1).default(10),
    perDay: z.int().min(1).default(30),
    /** New guests a day, over all networks, that the operator pays for. */
    dailyBudget: z.int().min(1).default(1000),
    /** Models that guests may use. Empty: all models. */
    models: z.array(z.string()).default([]),
    maxInputTokens: z.int().min(256).default(16_000),
    maxOutputTokens: z.int().min(16).default(2_000),
    runMicro: z.int().min(0).default(credits(1)),
  })
  .refine(({ messages, runMicro }) => Number.isSafeInteger(messages * runMicro), {
    error: 'messages times runMicro is more than a balance can hold',
  });

/** Whether members may have web pages read by this server, which then requests what they name. */
const FetchConfigSchema = z.strictObject({ enabled: z.boolean().default(false) });

/** An account that gets this many uncharged answers within this many minutes has to wait. */
const UnchargedConfigSchema = z.strictObject({
  runs: z.int().min(1).default(12),
  withinMinutes: z.int().min(1).default(10),
});

/**
 * When an edit that could not be applied is refunded: how soon after its end the client must report it, and how many
 * refunds an account gets in 24 hours.
 */
const RefundConfigSchema = z.strictObject({
  withinMinutes: z.int().min(0).default(10),
  perDay: z.int().min(0).default(5),
  uncharged: UnchargedConfigSchema.default(() => UnchargedConfigSchema.parse({})),
});

const limit = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
/** What an account may request in any minute. Requests are model calls that were not refused. */
const MinuteLimitsSchema = z.strictObject({
  requestsPerMinute: limit,
  modelRequestsPerMinute: limit,
  tokensPerMinute: limit,
});
export type MinuteLimits = z.infer<typeof MinuteLimitsSchema>;

const perMinute = (requestsPerMinute: number, modelRequestsPerMinute: number, tokensPerMinute: number) => ({
  requestsPerMinute,
  modelRequestsPerMinute,
  tokensPerMinute,
});

/** Limits of guests, and of members by tier, lowest first. A tier beyond the list has the last entry's limits. */
const LimitConfigSchema = z.strictObject({
  guest: MinuteLimitsSchema.default(perMinute(10, 10, 50_000)),
  tiers: z
    .array(MinuteLimitsSchema)
    .min(1)
    .default([
      perMinute(30, 25, 200_000),
      perMinute(60, 50, 500_000),
      perMinute(120, 100, 2_000_000),
      perMinute(200, 150, 5_000_000),
      perMinute(300, 200, 10_000_000),
    ]),
  /** The single user of this machine has no limits unless they are set here. */
  local: MinuteLimitsSchema.optional(),
});

/** What is seen of how members use their accounts, to find those that are shared through a relay. */
const RiskConfigSchema = z.strictObject({
  /** Whether requests are observed at all. */
  observe: z.boolean().default(true),
  /** Whether shared accounts are flagged, for a person to look at. */
  flag: z.boolean().default(true),
  /** Whether everybody may read how many cases were decided, and how. */
  publicNumbers: z.boolean().default(false),
  /** The networks of hosting companies, as addresses or like 203.0.113.0/24. Most of their clients are honest: a weak sign. */
  hostingNetworks: z
    .array(z.string().max(100))
    .max(20_000)
    .superRefine((entries, context) => {
      for (const [at, entry] of entries.entries()) {
        try {
          networks('hostingNetworks', [entry]);
        } catch (error) {
          context.addIssue({ code: 'custom', path: [at], message: (error as Error).message });
        }
      }
    })
    .default([]),
});

/** The file that PERIGEE_CONFIG names. */
const PolicySchema = z.strictObject({
  models: z
    .array(ModelConfigSchema)
    .refine((models) => new Set(models.map(({ id }) => id)).size === models.length, {
      error: 'a model is listed twice',
    })
    .superRefine((models, context) => {
      const ids = new Set(models.map(({ id }) => id));
      for (const [i, { id, fallbacks = [] }] of models.entries())
        for (const [j, other] of fallbacks.entries())
          if (other === id || !ids.has(other))
            context.addIssue({
              code: 'custom',
              path: [i, 'fallbacks', j],
              message: other === id ? 'a model is no fallback of itself' : `no model "${other}" is listed`,
            });
    })
    .default([]),
  services: z
    .array(ServiceConfigSchema)
    .min(1, 'it lists no service: name one, or leave "services" out')
    .refine((services) => new Set(services.map(({ id }) => id)).size === services.length, {
      error: 'a service is listed twice',
    })
    .default([]),
  titles: TitleConfigSchema.optional(),
  /** How many days before it takes effect a price increase is announced. */
  priceNoticeDays: z.int().min(0).max(365).default(30),
  guests: GuestConfigSchema.default(() => GuestConfigSchema.parse({})),
  fetch: FetchConfigSchema.default(() => FetchConfigSchema.parse({})),
  refunds: RefundConfigSchema.default(() => RefundConfigSchema.parse({})),
  limits: LimitConfigSchema.default(() => LimitConfigSchema.parse({})),
  accounts: AccountConfigSchema.default(() => AccountConfigSchema.parse({})),
  risk: RiskConfigSchema.default(() => RiskConfigSchema.parse({})),
  ...paymentPolicy,
});
export type Policy = z.infer<typeof PolicySchema>;

/**
 * Prices of models that the file does not price: 1 million tokens of kimi-k2 cost 60 credits in, 15 cached, 250 out.
 */
export const SHIPPED_PRICES: Record<string, ModelConfig['price']> = {
  'kimi-k2': {
    mode: 'tokens',
    inputMicro: credits(60),
    cachedInputMicro: credits(15),
    outputMicro: credits(250),
  },
};

export type ServiceConfig = z.infer<typeof ServiceConfigSchema> & { key: string | null };

export interface PostgresSettings {
  url: string;
  /** For connections that keep a session, past a pooler. Absent: `url`. */
  sessionUrl?: string;
  /** Whether queries are prepared by name, which needs connections that keep their statements. Absent: yes. */
  namesStatements?: boolean;
  /** How long it may take to connect or to answer before it counts as gone. Absent: 5 s. */
  answerMs?: number;
}

export interface Config {
  host: string;
  port: number;
  /** The address that clients are told to call, without a trailing slash. Null until the port is known. */
  publicUrl: string | null;
  /** `deletionsFile`: the file outside the database that lists deletions. Null: none. */
  database: { deletionsFile?: string | null } & (
    | { engine: 'sqlite'; file: string }
    | ({ engine: 'postgres' } & PostgresSettings)
  );
  upstream: { url: string; key: string | null; model: string | null } | null;
  /** Several model services instead. */
  services: ServiceConfig[];
  trustedProxies: string[];
  /** The proxies for outgoing requests. Null: direct connections. */
  proxies: ProxyConfig | null;
  corsOrigins: string[];
  secret: string | null;
  metricsToken: string | null;
  logLevel: string;
  /** How long an unresponsive node keeps its running answers before other nodes end them. */
  leaseMs: number;
  policy: Policy;
  signIn: SignInConfig;
  /** Null if nothing is sold. */
  payments: PaymentConfig | null;
}

const list = (text: string | undefined) =>
  (text ?? '')
    .split(',')
    .map((s) => s.trim())
    .filter(Boolean);

/** Cookies, sign-in and the page's own links need a whole origin, not a path of it. */
const NO_PATH = ', and give Perigee a host of its own, such as https://perigee.example.org';

function parsePort(value: string | undefined): number {
  if (value === undefined || value === '') return 8787;
  const port = Number(value);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new ConfigError(`PORT must be a number from 0 to 65535, not "${value}"`);
  return port;
}

function parseLease(value: string | undefined): number {
  const ms = Number(value || 15_000);
  if (!Number.isInteger(ms) || ms < 500 || ms > 600_000)
    throw new ConfigError('LEASE_MS must be a number of milliseconds from 500 to 600000');
  return ms;
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

function parseLevel(value: string | undefined): string {
  const level = value || 'info';
  if (!LEVELS.includes(level)) throw new ConfigError(`LOG_LEVEL must be one of ${LEVELS.join(', ')}, not "${level}"`);
  return level;
}

function parseDemo(value: string | undefined): boolean {
  if (value !== undefined && !['', '0', '1'].includes(value))
    throw new ConfigError(`DEMO must be 1 or 0, not "${value}"`);
  return value === '1';
}

function parseDatabase(env: Record<string, string | undefined>): Config['database'] {
  const url = env.DATABASE_URL || 'sqlite:data/perigee.db';
  const { DELETIONS_FILE: deletions, DATABASE_SESSION_URL: sessionUrl, DATABASE_STATEMENTS: statements } = env;
  if (statements && !['named', 'unnamed'].includes(statements))
    throw new ConfigError(`DATABASE_STATEMENTS must be named or unnamed, not "${statements}"`);
  if (url.startsWith('sqlite:')) {
    const file = url.slice('sqlite:'.length);
    if (!file) throw new ConfigError('DATABASE_URL names no file: write sqlite:path/to/perigee.db');
    if (sessionUrl) throw new ConfigError('DATABASE_SESSION_URL is for PostgreSQL, but DATABASE_URL names a file');
    return { engine: 'sqlite', file, deletionsFile: deletions || `${file}-deletions` };
  }
  if (!POSTGRES.test(url)) throw new ConfigError('DATABASE_URL must begin with sqlite: or postgres://');
  if (sessionUrl && !POSTGRES.test(sessionUrl))
    throw new ConfigError('DATABASE_SESSION_URL must begin with postgres://');
  return {
    engine: 'postgres',
    url,
    ...(sessionUrl ? { sessionUrl } : {}),
    namesStatements: statements !== 'unnamed',
    deletionsFile: deletions || null,
  };
}

const POSTGRES = /^postgres(ql)?:\/\//;

function readJson(file: string, readFile: (path: string) => string): unknown {
  let text: string;
  try {
    text = readFile(file);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === 'ENOENT')
      throw new ConfigError(`PERIGEE_CONFIG: there is no file ${file}. Name a JSON file, best by its whole path`);
    const why = code === 'EISDIR' ? 'it is a folder' : (code ?? message);
    throw new ConfigError(`PERIGEE_CONFIG: ${file} can't be read: ${why}. Name a JSON file that this user can read`);
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new ConfigError(`PERIGEE_CONFIG: ${file} is no JSON: ${(error as Error).message}`);
  }
}

function parsePolicy(file: string | undefined, readFile: (path: string) => string): Policy {
  if (!file) return PolicySchema.parse({});
  const json = readJson(file, readFile);
  const parsed = PolicySchema.superRefine(checkPrices).safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ConfigError(tellIssues(file, json, parsed.error.issues));
}

/** The services with their keys. A key for a service that is not listed is a mistake in one of the two names. */
function parseServices(policy: Policy, env: Record<string, string | undefined>): ServiceConfig[] {
  const nameOf = (id: string) => `SERVICE_${id.toUpperCase()}_KEY`;
  const names = new Set(policy.services.map(({ id }) => nameOf(id)));
  for (const name of Object.keys(env))
    if (/^SERVICE_[A-Z0-9_]+_KEY$/.test(name) && env[name] && !names.has(name))
      throw new ConfigError(`${name} is set, but PERIGEE_CONFIG lists no such service`);
  const listed = policy.services.map(({ models }) => models && Object.keys(models));
  const known = new Set(listed.flatMap((ids) => ids ?? []));
  if (policy.services.length > 0 && listed.every((ids) => ids !== undefined))
    for (const { id } of policy.models)
      if (!known.has(id)) throw new ConfigError(`PERIGEE_CONFIG lists the model "${id}", which no service has`);
  return policy.services.map((service, i) => ({
    ...service,
    url: httpUrl(`services[${i}].url in PERIGEE_CONFIG`, service.url).href,
    key: env[nameOf(service.id)] || null,
  }));
}

/**
 * Parses the settings once. Throws `ConfigError` with a line for each wrong setting, which it names. `readFile` reads the file
 * that PERIGEE_CONFIG names.
 */
export function parseConfig(env: Record<string, string | undefined>, readFile: (path: string) => string): Config {
  const host = env.HOST || '127.0.0.1';
  const database = parseDatabase(env);
  const publicUrl = env.PUBLIC_URL ? originUrl('PUBLIC_URL', env.PUBLIC_URL, NO_PATH) : null;
  if (publicUrl && publicUrl.protocol !== 'https:' && !isLoopback(publicUrl.hostname))
    throw new ConfigError('PUBLIC_URL must be https unless it is a loopback address');
  const upstreamUrl = env.UPSTREAM_URL ? httpUrl('UPSTREAM_URL', env.UPSTREAM_URL).href.replace(/\/+$/, '') : null;
  const policy = parsePolicy(env.PERIGEE_CONFIG, readFile);
  const services = parseServices(policy, env);
  if (services.length > 0 && upstreamUrl !== null)
    throw new ConfigError(
      'UPSTREAM_URL is set, and PERIGEE_CONFIG lists services: name the model services in one place',
    );
  for (const name of ['UPSTREAM_KEY', 'UPSTREAM_MODEL'] as const)
    if (env[name] && upstreamUrl === null)
      throw new ConfigError(`${name} is set, but UPSTREAM_URL is not: name the model service, or unset ${name}`);
  const demo = parseDemo(env.DEMO);
  const isPublic = publicUrl !== null && !isLoopback(publicUrl.hostname);
  if (!upstreamUrl && services.length === 0 && !demo && (isPublic || !isLoopback(host)))
    throw new ConfigError(
      `UPSTREAM_URL is not set and ${isPublic ? `PUBLIC_URL ${publicUrl.origin}` : `HOST ${host}`} is not loopback: name a model service, or set DEMO=1 to offer the demo model`,
    );
  if (database.engine === 'postgres' && !env.SECRET)
    throw new ConfigError('SECRET is required on PostgreSQL: the same 32 or more random characters on every node');
  if (env.SECRET && env.SECRET.length < 32) throw new ConfigError('SECRET must have 32 characters or more');
  return {
    host,
    port: parsePort(env.PORT),
    publicUrl: publicUrl ? publicUrl.origin : null,
    database,
    upstream: upstreamUrl
      ? { url: upstreamUrl, key: env.UPSTREAM_KEY || null, model: env.UPSTREAM_MODEL || null }
      : null,
    services,
    trustedProxies: list(env.TRUSTED_PROXIES),
    proxies: parseProxies(env, { sendsMail: /^smtps?:/.test(env.MAIL_URL ?? '') }),
    corsOrigins: list(env.CORS_ORIGINS).map((origin) => originUrl('CORS_ORIGINS', origin).origin),
    secret: env.SECRET || null,
    metricsToken: env.METRICS_TOKEN || null,
    logLevel: parseLevel(env.LOG_LEVEL),
    leaseMs: parseLease(env.LEASE_MS),
    policy,
    signIn: parseSignIn(env, policy.accounts, host, publicUrl ? publicUrl.origin : null),
    payments: parsePayments(env, host, publicUrl ? publicUrl.origin : null),
  };
}
