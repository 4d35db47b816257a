// Hold and settle, the two transactions that every answer needs: pairs a second through the store, on SQLite with
// synchronous=FULL, beside the same statements run by better-sqlite3 with nothing around them.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { grant, openWallet, placeHold, settleHold } from '../../server/credits/store.ts';
import { type Database, openDatabase } from '../../server/platform/db/database.ts';
import { createLog } from '../../server/platform/log.ts';
import { type Finding, listed, type Measure, median } from './numbers.ts';
import { diskFolder } from './services.ts';

const ACCOUNTS = 64;
const CONCURRENCY = 64;
const PAIRS = 4000;
const ROUNDS = 3;
const AT = 1_800_000_000_000;
const HOLD_MICRO = 1000;
const COST_MICRO = 400;

/** The ids that one pair is made of. */
interface Pair {
  accountId: string;
  ledgerId: string;
  runId: string;
  holdId: string;
  conversationId: string;
}

interface Statement {
  sql: string;
  parameters: unknown[];
}

export const ledger: Measure = {
  name: 'ledger',
  about: 'hold and settle pairs a second on SQLite, synchronous=FULL',
  async run(say) {
    const disk = await diskFolder('ledger');
    const file = join(disk.folder, 'perigee.db');
    const db = await openDatabase({ engine: 'sqlite', file }, createLog('silent'));
    try {
      const wallets = await openWallets(db);
      const pairs = (n: number) => Array.from({ length: n }, (_, i) => newPair(wallets[i % ACCOUNTS]!));
      const recorded = await record(db, newPair(wallets[0]!));
      const rates = { store: [] as Rate[], bare: [] as Rate[], batched: [] as Rate[] };
      for (let i = 0; i <= ROUNDS; i++) {
        const store = await timed(PAIRS, () => throughStore(db, pairs(PAIRS)));
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
      return [
        finding('ledger', `hold + settle, ${CONCURRENCY} at once, group commit`, rates.store, { atLeast: 5000 }),
        finding('ledger-bare', `  better-sqlite3 alone, the same ${length} statements, a commit for each`, rates.bare),
        finding('ledger-batched', `  the same, ${CONCURRENCY} to a commit`, rates.batched),
      ];
    } finally {
      await db.close();
      await disk.remove();
    }
  },
};

interface Rate {
  perSecond: number;
  /** For a second of processor time: what a core would do that has nothing else to do and never waits for the disk. */
  perCpuSecond: number;
}

function finding(id: string, what: string, rates: Rate[], goal?: Finding['goal']): Finding {
  const values = rates.map((rate) => rate.perSecond);
  const perCpuSecond = median(rates.map((rate) => rate.perCpuSecond));
  const note = `middle of ${listed(values, 0)}; ${perCpuSecond.toFixed(0)} for a second of processor time`;
  return { id, what, value: median(values), unit: 'pairs/s', goal, note };
}

async function timed(n: number, act: () => Promise<void> | void): Promise<Rate> {
  const began = performance.now();
  const cpu = process.cpuUsage();
  await act();
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: n / ((performance.now() - began) / 1000), perCpuSecond: n / ((user + system) / 1e6) };
}

async function openWallets(db: Database): Promise<Pick<Pair, 'accountId' | 'ledgerId'>[]> {
  const wallets = Array.from({ length: ACCOUNTS }, () => ({ accountId: randomUUID(), ledgerId: randomUUID() }));
  const given = { amountMicro: 1e12, reason: 'for the bench', at: AT };
  await db.write(async (tx) => {
    for (const { accountId, ledgerId } of wallets) {
      await openWallet(tx, accountId, ledgerId);
      await grant(tx, { ...given, accountId, requestId: accountId });
    }
  });
  return wallets;
}

const newPair = (wallet: Pick<Pair, 'accountId' | 'ledgerId'>): Pair => ({
  ...wallet,
  runId: randomUUID(),
  holdId: randomUUID(),
  conversationId: randomUUID(),
});

const hold = (db: Database, { holdId, accountId, runId }: Pair) =>
  db.write((tx) => placeHold(tx, { id: holdId, accountId, runId, amountMicro: HOLD_MICRO, at: AT }));

const settle = (db: Database, { runId, conversationId }: Pair) => {
  const usage = { inputTokens: 100, cachedInputTokens: 0, outputTokens: 100, estimated: false };
  return db.write((tx) =>
    settleHold(tx, { runId, conversationId, model: 'double', tool: 'bench', usage }, COST_MICRO, AT),
  );
};

async function throughStore(db: Database, pairs: Pair[]): Promise<void> {
  const client = async () => {
    for (let pair = pairs.pop(); pair; pair = pairs.pop()) {
      const held = await hold(db, pair);
      const settled = await settle(db, pair);
      if (held.kind !== 'held' || settled.kind !== 'posted') throw new Error('a pair went wrong');
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, client));
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

interface Recorded {
  pair: Pair;
  hold: Statement[];
  settle: Statement[];
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

/** Makes the parameters of another pair: wherever one of the recorded ids stands, at the beginning of a longer one too. */
function filler(recorded: Pair, parameters: unknown[]): (pair: Pair) => unknown[] {
  const ids = Object.entries(recorded) as [keyof Pair, string][];
  const makers = parameters.map((value) => {
    const found = typeof value === 'string' ? ids.find(([, id]) => value.includes(id)) : undefined;
    if (!found) return () => value;
    const [before, after] = (value as string).split(found[1]) as [string, string];
    return (pair: Pair) => before + pair[found[0]] + after;
  });
  return (pair) => makers.map((make) => make(pair));
}
