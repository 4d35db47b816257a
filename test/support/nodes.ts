import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { auditLive } from '../../server/credits/audit/audit.ts';
import { UpstreamDouble } from '../doubles/upstream.ts';
import { builtProgram } from './built.ts';
import { Client } from './client.ts';
import { openBooks, ServerProcess } from './server.ts';

export const DAY_MS = 86_400_000;
const MUCH = { requestsPerMinute: 1e6, modelRequestsPerMinute: 1e6, tokensPerMinute: 1e12 };
/** Guests may ask much at once. */
export const MUCH_ALLOWED = {
  guests: { messages: 100_000, perHour: 10_000, perDay: 10_000, dailyBudget: 10_000 },
  limits: { guest: MUCH, tiers: [MUCH] },
  refunds: { perDay: 1000, uncharged: { runs: 100_000 } },
};

/** A module that shifts the clock of the process that imports it first, as a wrong clock of its machine would. */
const shiftedBy = (ms: number) =>
  `data:text/javascript,${encodeURIComponent(`
    const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...given) { given.length ? super(...given) : super(Real.now() + ${ms}); }
      static now() { return Real.now() + ${ms}; }
    };`)}`;

/** Real servers as processes of their own, on one PostgreSQL, and their model service. */
export class Nodes {
  readonly all: ServerProcess[] = [];

  private constructor(
    readonly databaseUrl: string,
    readonly double: UpstreamDouble,
    private readonly dir: string,
    private readonly env: Record<string, string>,
  ) {}

  /** `policy`: the content of PERIGEE_CONFIG. */
  static async on(
    databaseUrl: string,
    policy: object = MUCH_ALLOWED,
    env: Record<string, string> = {},
  ): Promise<Nodes> {
    const dir = await mkdtemp(join(tmpdir(), 'perigee-nodes-'));
    await writeFile(join(dir, 'config.json'), JSON.stringify(policy));
    const settings = { LEASE_MS: '1000', LOG_LEVEL: 'info', PERIGEE_CONFIG: join(dir, 'config.json'), ...env };
    return new Nodes(databaseUrl, await new UpstreamDouble().start(), dir, settings);
  }

  /** Starts one more. `clockMs`: how far its machine's clock is ahead. */
  async start({
    clockMs = 0,
    env = {},
  }: {
    clockMs?: number;
    env?: Record<string, string>;
  } = {}): Promise<ServerProcess> {
    const program = clockMs === 0 ? undefined : ['--import', shiftedBy(clockMs), await builtProgram('main')];
    const node = await ServerProcess.start(this.databaseUrl, this.double.url, { ...this.env, ...env }, program);
    this.all.push(node);
    return node;
  }

  async end(): Promise<void> {
    await Promise.all(this.all.map((node) => node.kill()));
    await this.double.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** The same account at another node. */
export const at = (node: { url: string }, { token, accountId }: Client) => new Client(node.url, token, accountId);

/** Asks the database itself, past all servers. */
export async function query<T extends pg.QueryResultRow>(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** Asks again and again until `ask` resolves to something true. It fails only by the test's time limit. */
export async function eventually<T>(ask: () => Promise<T | false | null | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What the audit of the books says, once no run is open; after a kill, another node ends the runs first. */
export async function auditAfter(url: string): Promise<string[]> {
  await eventually(async () => (await query(url, "select id from run where state = 'running'")).length === 0);
  const db = await openBooks(url);
  try {
    return (await auditLive(db, db.clock.now(), 0)).map((violation) => JSON.stringify(violation));
  } finally {
    await db.close();
  }
}

/** The resident memory of a process, in MB. */
export function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}
