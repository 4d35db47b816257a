// Hold and settle, the two transactions that every answer needs: pairs a second through the store, on SQLite with
// synchronous=FULL, beside the same statements run by better-sqlite3 with nothing around them.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { Database } from '../../server/platform/db/database.ts';
import { openDatabase } from '../../server/platform/db/open.ts';
import { createLog } from '../../server/platform/log.ts';
import { postgresPairs } from './ledgerPostgres.ts';
import { type Finding, listed, type Measure, median } from './numbers.ts';
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
} from './pairs.ts';
import { diskFolder } from './services.ts';

const ACCOUNTS = 64;
const CONCURRENCY = 64;
const PAIRS = 4000;
const ROUNDS = 3;

export const ledger: Measure = {
  name: 'ledger',
  about: 'hold and settle pairs a second on SQLite, synchronous=FULL, and on PostgreSQL',
  run: async (say) => [...(await sqlitePairs(say)), ...(await postgresPairs(say))],
};

async function sqlitePairs(say: (line: string) => void): Promise<Finding[]> {
  const disk = await diskFolder('ledger');
  const file = join(disk.folder, 'perigee.db');
  const db = await openDatabase({ engine: 'sqlite', file }, createLog('silent'));
  try {
    const wallets = Array.from({ length: ACCOUNTS }, () => ({ accountId: randomUUID(), ledgerId: randomUUID() }));
    await openWallets(db, wallets);
    const pairs = (n: number) => Array.from({ length: n }, (_, i) => newPair(wallets[i % ACCOUNTS]!));
    const recorded = await record(db, newPair(wallets[0]!));
    const rates = { store: [] as Rate[], bare: [] as Rate[], batched: [] as Rate[] };
    for (let i = 0; i <= ROUNDS; i++) {
      const store = await timed(PAIRS, () => throughStore(db, pairs(PAIRS), CONCURRENCY));
      const bare = await timed(PAIRS, () => replay(file, recorded, pairs(PAIRS), 1));
      const batched = await timed(PAIRS, () => replay(file, recorded, pairs(PAIRS), CONCURRENCY));
      const shown = [store, bare, batched].map((rate) => rate.perSecond.toFixed(0));
      say(`pairs/s: store ${shown[0]}, better-sqlite3 alone ${shown[1]}, and in batches ${shown[2]}`);
      // In the first round code is compiled.
      if (i === 0) continue;
      rates.store.push(store);
      rates.bare.push(bare);
      rates.batched.push(batched);
    }
    const { length } = [...recorded.hold, ...recorded.settle];
    const ratios = rates.store.map((rate, i) => rate.perSecond / rates.batched[i]!.perSecond);
    const cpuRatios = rates.store.map((rate, i) => rate.perCpuSecond / rates.batched[i]!.perCpuSecond);
    return [
      {
        id: 'ledger-ratio',
        what: `hold + settle, ${CONCURRENCY} at once, beside the same statements so many to a commit, SQLite`,
        value: median(ratios),
        unit: '×',
        goal: { atLeast: 0.8 },
        note: `middle of ${listed(ratios, 2)}; by processor time ${listed(cpuRatios, 2)}`,
      },
      finding('ledger', `hold + settle, ${CONCURRENCY} at once, group commit`, rates.store, { atLeast: 5000 }),
      finding('ledger-bare', `  better-sqlite3 alone, the same ${length} statements, a commit for each`, rates.bare),
      finding('ledger-batched', `  the same, ${CONCURRENCY} to a commit`, rates.batched),
    ];
  } finally {
    await db.close();
    await disk.remove();
  }
}

/** Listens in on better-sqlite3 during one pair, so that the yardstick always runs what the store runs today. */
async function record(db: Database, pair: Pair): Promise<Recorded> {
  const other = new Sqlite(':memory:');
  // Of every connection, and of statements that were prepared before.
  const prototype = Object.getPrototypeOf(other.prepare('select 1')) as Sqlite.Statement;
  other.close();
  const { all, run } = prototype;
  const heard: Statement[] = [];
  const listening = (plain: (...parameters: unknown[]) => unknown) =>
    function (this: Sqlite.Statement, parameters: unknown[]) {
      if (/^(select|insert|update)/i.test(this.source)) heard.push({ sql: this.source, parameters: [...parameters] });
      return plain.call(this, parameters);
    };
  Object.assign(prototype, { all: listening(all), run: listening(run) });
  try {
    await hold(db, pair);
    const held = heard.splice(0);
    await settle(db, pair);
    return { pair, hold: held, settle: heard };
  } finally {
    Object.assign(prototype, { all, run });
  }
}

/** Runs the recorded statements for other pairs, so many holds, then as many settlements, to a commit. */
function replay(file: string, recorded: Recorded, pairs: Pair[], toCommit: number): void {
  const db = new Sqlite(file);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('foreign_keys = ON');
  const prepare = (statements: Statement[]) =>
    statements.map(({ sql, parameters }) => ({ statement: db.prepare(sql), fill: filler(recorded.pair, parameters) }));
  const steps = [prepare(recorded.hold), prepare(recorded.settle)];
  const commit = db.transaction((batch: Pair[], step: ReturnType<typeof prepare>) => {
    for (const pair of batch) {
      for (const { statement, fill } of step) {
        if (statement.reader) statement.all(fill(pair));
        else statement.run(fill(pair));
      }
    }
  });
  for (let at = 0; at < pairs.length; at += toCommit) {
    const batch = pairs.slice(at, at + toCommit);
    for (const step of steps) commit(batch, step);
  }
  db.close();
}
