// Hold and settle on PostgreSQL: through the store, beside the same statements by pgbench, which is written in C and does
// nothing else, and by pg alone.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Database } from '../../server/platform/db/database.ts';
import { openDatabase } from '../../server/platform/db/open.ts';
import { createLog } from '../../server/platform/log.ts';
import { freshPostgres, stopPostgres } from '../support/postgres.ts';
import { type Finding, listed, median } from './numbers.ts';
import {
  filler,
  finding,
  hold,
  newPair,
  openWallets,
  type Pair,
  type Rate,
  type Recorded,
  type Statement,
  settle,
  throughStore,
  timed,
  type Wallet,
} from './pairs.ts';
import { diskFolder } from './services.ts';

/** As many as the server has connections. */
const CLIENTS = 12;
const PAIRS = 2000;
const ROUNDS = 3;
const SECONDS = 4;
// Long enough that no other id has one in it.
const FIRST_ACCOUNT = 9_000_000_000_000_000;
const FIRST_LEDGER = 8_000_000_000_000_000;

export async function postgresPairs(say: (line: string) => void): Promise<Finding[]> {
  const url = await freshPostgres();
  const db = await openDatabase({ engine: 'postgres', url }, createLog('silent'));
  const disk = await diskFolder('pgbench');
  try {
    // By number, as pgbench can make them: each of its clients has a wallet.
    const wallets = Array.from({ length: CLIENTS }, (_, i) => ({
      accountId: `${FIRST_ACCOUNT + i}`,
      ledgerId: `${FIRST_LEDGER + i}`,
    }));
    await openWallets(db, wallets);
    const pairs = () => Array.from({ length: PAIRS }, (_, i) => newPair(wallets[i % CLIENTS]!));
    // Once before, for what is asked only of a fresh connection.
    await throughStore(db, [newPair(wallets[0]!)], 1);
    const recorded = await record(db, newPair(wallets[0]!));
    const script = join(disk.folder, 'pairs.sql');
    await writeFile(script, pgbenchScript(recorded));
    const rates = { store: [] as Rate[], alone: [] as Rate[], pgbench: [] as number[] };
    let isThere = true;
    for (let i = 0; i <= ROUNDS; i++) {
      const store = await timed(PAIRS, () => throughStore(db, pairs(), CLIENTS));
      const alone = await withClients(url, (clients) => timed(PAIRS, () => replay(clients, recorded, pairs())));
      const pgbench: number | null = isThere ? await runPgbench(url, script, i) : null;
      isThere = pgbench !== null;
      const shown = [store.perSecond, alone.perSecond, pgbench ?? Number.NaN].map((rate) => rate.toFixed(0));
      say(`PostgreSQL, pairs/s: store ${shown[0]}, pg alone ${shown[1]}, pgbench ${shown[2]}`);
      // In the first round code is compiled.
      if (i === 0) continue;
      rates.store.push(store);
      rates.alone.push(alone);
      if (pgbench !== null) rates.pgbench.push(pgbench);
    }
    const yardstick = isThere ? rates.pgbench : rates.alone.map(({ perSecond }) => perSecond);
    const ratios = rates.store.map(({ perSecond }, i) => perSecond / yardstick[i]!);
    const statements = recorded.hold.length + recorded.settle.length;
    return [
      {
        id: 'ledger-postgres-ratio',
        what: `hold + settle, ${CLIENTS} at once, beside ${isThere ? 'pgbench' : 'pg alone'}, PostgreSQL`,
        value: median(ratios),
        unit: '×',
        goal: { atLeast: 0.6 },
        note: `middle of ${listed(ratios, 2)}; ${statements} statements a pair, with begin and commit of both`,
      },
      finding('ledger-postgres', `  through the store, ${CLIENTS} at once`, rates.store),
      finding('ledger-postgres-alone', '  pg alone, the same statements, prepared', rates.alone),
      ...(isThere
        ? [
            {
              id: 'ledger-pgbench',
              what: '  pgbench -M prepared, the same statements',
              value: median(rates.pgbench),
              unit: 'pairs/s',
              note: `middle of ${listed(rates.pgbench, 0)}`,
            },
          ]
        : []),
    ];
  } finally {
    await db.close();
    await disk.remove();
    await stopPostgres();
  }
}

/** Listens in on pg during one pair, so that the yardsticks always run what the store runs today. */
async function record(db: Database, pair: Pair): Promise<Recorded> {
  const heard: Statement[] = [];
  const prototype = pg.Query.prototype as unknown as { submit: (this: Heard, connection: unknown) => unknown };
  const { submit } = prototype;
  prototype.submit = function (this: Heard, connection) {
    if (typeof this.text === 'string') heard.push({ sql: this.text, parameters: [...(this.values ?? [])] });
    return submit.call(this, connection);
  };
  try {
    await hold(db, pair);
    const held = heard.splice(0);
    await settle(db, pair);
    return { pair, hold: held, settle: heard };
  } finally {
    prototype.submit = submit;
  }
}

interface Heard {
  text?: string;
  values?: unknown[];
}

async function withClients<T>(url: string, act: (clients: pg.Client[]) => Promise<T>): Promise<T> {
  const clients = Array.from({ length: CLIENTS }, () => new pg.Client({ connectionString: url }));
  try {
    for (const client of clients) await client.connect();
    return await act(clients);
  } finally {
    for (const client of clients) await client.end();
  }
}

async function replay(clients: pg.Client[], recorded: Recorded, pairs: Pair[]): Promise<void> {
  const steps = [...recorded.hold, ...recorded.settle].map(({ sql, parameters }, i) => ({
    query: parameters.length > 0 ? { name: `step_${i}`, text: sql } : { text: sql },
    fill: filler(recorded.pair, parameters),
  }));
  await Promise.all(
    clients.map(async (client) => {
      for (let pair = pairs.pop(); pair; pair = pairs.pop())
        for (const { query, fill } of steps) {
          const values = fill(pair);
          await client.query(values.length > 0 ? { ...query, values } : query);
        }
    }),
  );
}

/** The recorded statements for pgbench: ids are numbers that its clients count, everything else stands as it was. */
function pgbenchScript(recorded: Recorded): string {
  const { pair } = recorded;
  const names = new Map<string, string>();
  const wallet: Wallet = { accountId: pair.accountId, ledgerId: pair.ledgerId };
  const written = (value: unknown): string => {
    if (typeof value === 'number') return String(value);
    if (value === null || value === undefined) return 'null';
    if (value === wallet.accountId) return ':account';
    if (value === wallet.ledgerId) return ':ledger';
    const text = String(value);
    const isOfPair = [pair.runId, pair.holdId, pair.conversationId].some((id) => text.includes(id));
    // To pgbench a colon begins a variable, in a text too.
    if (!isOfPair) return `('${text.replaceAll("'", "''").replaceAll(':', "' || chr(58) || '")}')`;
    if (!names.has(text)) names.set(text, `id${names.size}`);
    return `:${names.get(text)}`;
  };
  const lineOf = ({ sql, parameters }: Statement) =>
    `${sql.replace(/\$(\d+)/g, (_, n: string) => written(parameters[Number(n) - 1]))};`;
  const lines = [...recorded.hold, ...recorded.settle].map(lineOf);
  const ids = [...names.values()].map(
    (name, i) => `\\set ${name} ((:round * 100 + :client_id) * 10000000 + :n) * 10 + ${i}`,
  );
  const head = [
    '\\set n :n + 1',
    `\\set account ${FIRST_ACCOUNT} + :client_id`,
    `\\set ledger ${FIRST_LEDGER} + :client_id`,
    ...ids,
  ];
  return `${[...head, ...lines].join('\n')}\n`;
}

/** Pairs a second, or null where there is no pgbench. */
async function runPgbench(url: string, script: string, round: number): Promise<number | null> {
  const args = ['-n', '-M', 'prepared', '-c', `${CLIENTS}`, '-j', '1', '-T', `${SECONDS}`, '-D', 'n=0'];
  try {
    const { stdout } = await promisify(execFile)('pgbench', [...args, '-D', `round=${round + 1}`, '-f', script, url]);
    const tps = /tps = ([\d.]+)/.exec(stdout)?.[1];
    if (tps === undefined || !/number of failed transactions: 0 /.test(stdout)) throw new Error(`pgbench: ${stdout}`);
    return Number(tps);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return null;
    throw error;
  }
}
