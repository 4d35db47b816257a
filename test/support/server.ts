import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type App, createApp } from '../../server/app.ts';
import { audit } from '../../server/credits/audit/audit.ts';
import { StripeService } from '../../server/credits/payments/stripe.ts';
import type { Network } from '../../server/fetch/network.ts';
import type { Upstream } from '../../server/gateway/stream.ts';
import { openAiUpstream } from '../../server/gateway/upstreams/openai.ts';
import type { Clock } from '../../server/platform/clock.ts';
import { type Config, type Policy, parseConfig } from '../../server/platform/config/config.ts';
import type { Database } from '../../server/platform/db/database.ts';
import { openDatabase } from '../../server/platform/db/open.ts';
import { createLog, type Log } from '../../server/platform/log.ts';
import type { Mail } from '../../server/platform/mail.ts';
import { systemClock, systemIds } from '../../server/platform/system.ts';
import { loadWebFiles } from '../../server/web/files.ts';
import { UpstreamDouble } from '../doubles/upstream.ts';
import { builtProgram } from './built.ts';
import { Client } from './client.ts';
import { dropPostgres, freshPostgres } from './postgres.ts';

export type Engine = 'sqlite' | 'postgres';

export const SECRET = 'a secret for tests, 32 characters or more';

const NO_NETWORK: Network = {
  resolve: async () => [],
  connect: () => assert.fail('no test connects to the internet'),
};

interface FreshDatabase {
  /** Its DATABASE_URL. */
  url: string;
  /** Deletes it. */
  remove(): Promise<void>;
}

/** Makes an empty database of this engine. */
export async function emptyDatabase(engine: Engine): Promise<FreshDatabase> {
  if (engine === 'postgres') return inPostgres(await freshPostgres());
  const dir = await mkdtemp(join(tmpdir(), 'perigee-test-'));
  return { url: `sqlite:${join(dir, 'perigee.db')}`, remove: () => rm(dir, { recursive: true, force: true }) };
}

const inPostgres = (url: string): FreshDatabase => ({ url, remove: () => dropPostgres(url) });

/** A database of each engine that was migrated and is used by nobody, made at its first use in a process. */
const templates = new Map<Engine, Promise<string>>();

/** Makes a database with all tables and no rows. A copy: the migrations of all tests would take minutes. */
export async function freshDatabase(engine: Engine): Promise<FreshDatabase> {
  let template = templates.get(engine);
  if (!template) {
    template = emptyDatabase(engine).then(async ({ url }) => {
      await (await openBooks(url)).close();
      if (engine === 'sqlite') process.once('exit', () => rmSync(dirname(fileOf(url)), { recursive: true }));
      return url;
    });
    templates.set(engine, template);
  }
  const url = await template;
  if (engine === 'postgres') return inPostgres(await freshPostgres(url));
  const made = await emptyDatabase(engine);
  await copyFile(fileOf(url), fileOf(made.url));
  return made;
}

const fileOf = (url: string) => url.slice('sqlite:'.length);

/** Opens a database without a server. */
export const openBooks = (url: string): Promise<Database> =>
  openDatabase(parseConfig({ DATABASE_URL: url, SECRET }, () => '{}').database, createLog('silent'));

/** Opens a database of this engine without rows, without a server; `close` deletes it. */
export async function freshBooks(engine: Engine): Promise<{ db: Database; close(): Promise<void> }> {
  const { url, remove } = await freshDatabase(engine);
  const db = await openBooks(url);
  return {
    db,
    async close() {
      await db.close();
      await remove();
    },
  };
}

export interface TestServer {
  url: string;
  app: App;
  db: Database;
  /** The server's model service, scripted by the test, with its own bill. */
  double: UpstreamDouble;
  clock: Clock & { advance(ms: number): void };
  /** The mails that the server sent, oldest first. */
  mails: Mail[];
  /** The token of local mode, as this machine's user reads it; empty without local mode. */
  localToken(): string;
  guest(): Promise<Client>;
  /** Waits until nothing runs, and fails unless every invariant of the books holds. */
  audit(): Promise<void>;
  stop(): Promise<void>;
}

export interface TestServerOptions {
  databaseUrl?: string;
  policy?: (policy: Policy) => void;
  /** Changes settings before the server is made. */
  config?: (config: Config) => void;
  upstream?: Upstream;
  env?: Record<string, string>;
  log?: Log;
  /** How web pages are reached; without it, none is. */
  network?: Network;
  /** An existing double, for a second node. */
  double?: UpstreamDouble;
}

/** The real server in this process, on a real port, with a real database and a double of the model service. */
export async function startServer(engine: Engine, options: TestServerOptions = {}): Promise<TestServer> {
  const own = options.databaseUrl ? null : await freshDatabase(engine);
  const double = options.double ?? (await new UpstreamDouble().start());
  const env = { PORT: '0', SECRET, LOG_LEVEL: 'silent', UPSTREAM_URL: double.url, ...options.env };
  const config = parseConfig({ ...env, DATABASE_URL: options.databaseUrl ?? own!.url }, () => '{}');
  // On a busy machine the database may be silent for longer than a user should wait for it.
  if (config.database.engine === 'postgres') config.database.answerMs = 60_000;
  options.policy?.(config.policy);
  options.config?.(config);
  const log = options.log ?? createLog(config.logLevel);
  const db = await openDatabase(config.database, log).catch(async (error) => {
    if (!options.double) await double.stop();
    await own?.remove();
    throw error;
  });
  let offset = 0;
  const clock = {
    now: () => systemClock.now() + offset,
    advance: (ms: number) => {
      offset += ms;
    },
  };
  const upstream = options.upstream ?? openAiUpstream({ url: double.url, log });
  const mails: Mail[] = [];
  let localToken = '';
  const app = createApp({
    config,
    db,
    clock,
    ids: systemIds,
    log,
    upstream,
    secret: SECRET,
    network: options.network ?? NO_NETWORK,
    mailer: { send: async (mail) => void mails.push(mail) },
    stripe: config.payments && (await StripeService.open(config.payments)),
    web: loadWebFiles(fileURLToPath(new URL('../../dist/server/web', import.meta.url))),
    publishLocalToken: async (token) => {
      localToken = token;
    },
  });
  await app.start();
  app.server.listen(0, '127.0.0.1');
  await once(app.server, 'listening');
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  return {
    url,
    app,
    db,
    double,
    clock,
    mails,
    localToken: () => localToken,
    guest: () => Client.guest(url),
    async audit() {
      const open = await db.read.selectFrom('run').select('id').where('state', '=', 'running').execute();
      assert.deepEqual(open, [], 'a run is still open after the test');
      assert.deepEqual(await audit(db.read, clock.now(), 0), []);
      await checkBill(db, double);
    },
    async stop() {
      await app.stop(0);
      if (!options.double) await double.stop();
      await own?.remove();
    },
  };
}

/** Invariant (h): the usage that we recorded is the usage that the model service reported, as a sum over all calls. */
export async function checkBill(db: Database, double: UpstreamDouble): Promise<void> {
  const rows = await db.read
    .selectFrom('log_entry')
    .select(['input_tokens', 'cached_input_tokens', 'output_tokens'])
    .where('estimated', '=', 0)
    .execute();
  const ofHouse = await db.read.selectFrom('house_use').selectAll().where('estimated', '=', 0).execute();
  const reported = double.bill.filter((entry) => entry.reported);
  const sum = <T>(list: readonly T[], of: (item: T) => number | null) =>
    list.reduce((all, item) => all + (of(item) ?? 0), 0);
  assert.deepEqual(
    {
      input: sum([...rows, ...ofHouse], (r) => r.input_tokens),
      cached: sum([...rows, ...ofHouse], (r) => r.cached_input_tokens),
      output: sum([...rows, ...ofHouse], (r) => r.output_tokens),
    },
    {
      input: sum(reported, (e) => e.inputTokens),
      cached: sum(reported, (e) => e.cachedInputTokens),
      output: sum(reported, (e) => e.outputTokens),
    },
    "the token log does not add up to the model service's own bill",
  );
}

/** The server as a separate process that can be killed. */
export class ServerProcess {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
    /** All output so far. */
    readonly said: () => string,
  ) {}

  /** `program`: other arguments of Node than the built server's. */
  static async start(
    databaseUrl: string,
    upstreamUrl: string,
    env: Record<string, string> = {},
    program?: readonly string[],
  ): Promise<ServerProcess> {
    const child = spawn(process.execPath, program ?? [await builtProgram('main')], {
      env: { ...process.env, PORT: '0', SECRET, DATABASE_URL: databaseUrl, UPSTREAM_URL: upstreamUrl, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr!.on('data', (bytes) => (said += bytes));
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout!.on('data', (bytes) => {
        said += bytes;
        const found = /"url":"([^"]+)"/.exec(said);
        if (found) resolve(found[1]!);
      });
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
    });
    return new ServerProcess(url, child, () => said);
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** kill -9: no handler runs, nothing is flushed. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
  }

  /** SIGTERM; resolves with the exit code once it has shut down. */
  async terminate(): Promise<number | null> {
    this.child.kill('SIGTERM');
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
    return this.child.exitCode;
  }
}
