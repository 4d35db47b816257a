// What the ledger's benches have in common: pairs of a hold and its settlement, through the store or as bare statements.

import { grant, openWallet, placeHold, settleHold } from '../../server/credits/holds/store.ts';
import type { Database } from '../../server/platform/db/database.ts';
import { timeOrderedId } from '../../shared/ids.ts';
import { type Finding, listed, median } from './numbers.ts';

const AT = 1_800_000_000_000;
const HOLD_MICRO = 1000;
const COST_MICRO = 400;

/** The ids that one pair is made of. */
export interface Pair {
  accountId: string;
  ledgerId: string;
  runId: string;
  holdId: string;
  conversationId: string;
}

export type Wallet = Pick<Pair, 'accountId' | 'ledgerId'>;

export interface Statement {
  sql: string;
  parameters: unknown[];
}

export interface Rate {
  perSecond: number;
  /** For a second of processor time: what a core would do that has nothing else to do and never waits for the disk. */
  perCpuSecond: number;
}

export function finding(id: string, what: string, rates: Rate[], goal?: Finding['goal']): Finding {
  const values = rates.map((rate) => rate.perSecond);
  const perCpuSecond = median(rates.map((rate) => rate.perCpuSecond));
  const note = `middle of ${listed(values, 0)}; ${perCpuSecond.toFixed(0)} for a second of processor time`;
  return { id, what, value: median(values), unit: 'pairs/s', goal, note };
}

export async function timed(n: number, act: () => Promise<void> | void): Promise<Rate> {
  const began = performance.now();
  const cpu = process.cpuUsage();
  await act();
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: n / ((performance.now() - began) / 1000), perCpuSecond: n / ((user + system) / 1e6) };
}

export async function openWallets(db: Database, wallets: readonly Wallet[]): Promise<void> {
  const given = { amountMicro: 1e12, reason: 'for the bench', at: AT };
  await db.write(async (tx) => {
    for (const { accountId, ledgerId } of wallets) {
      await openWallet(tx, accountId, ledgerId);
      await grant(tx, { ...given, accountId, requestId: accountId });
    }
  });
}

export const newPair = (wallet: Wallet): Pair => ({
  ...wallet,
  runId: timeOrderedId(),
  holdId: timeOrderedId(),
  conversationId: timeOrderedId(),
});

export const hold = (db: Database, { holdId, accountId, runId }: Pair) =>
  db.write((tx) => placeHold(tx, { id: holdId, accountId, runId, amountMicro: HOLD_MICRO, at: AT }));

export const settle = (db: Database, { runId, conversationId }: Pair) => {
  const usage = { inputTokens: 100, cachedInputTokens: 0, outputTokens: 100, estimated: false };
  return db.write((tx) =>
    settleHold(tx, { runId, conversationId, model: 'double', tool: 'bench', usage }, COST_MICRO, AT),
  );
};

export async function throughStore(db: Database, pairs: Pair[], concurrency: number): Promise<void> {
  const client = async () => {
    for (let pair = pairs.pop(); pair; pair = pairs.pop()) {
      const held = await hold(db, pair);
      const settled = await settle(db, pair);
      if (held.kind !== 'held' || settled.kind !== 'posted') throw new Error('a pair went wrong');
    }
  };
  await Promise.all(Array.from({ length: concurrency }, client));
}

export interface Recorded {
  pair: Pair;
  hold: Statement[];
  settle: Statement[];
}

/** Makes the parameters of another pair: wherever one of the recorded ids stands, at the beginning of a longer one too. */
export function filler(recorded: Pair, parameters: unknown[]): (pair: Pair) => unknown[] {
  const ids = Object.entries(recorded) as [keyof Pair, string][];
  const makers = parameters.map((value) => {
    const found = typeof value === 'string' ? ids.find(([, id]) => value.includes(id)) : undefined;
    if (!found) return () => value;
    const [before, after] = (value as string).split(found[1]) as [string, string];
    return (pair: Pair) => before + pair[found[0]] + after;
  });
  return (pair) => makers.map((make) => make(pair));
}
