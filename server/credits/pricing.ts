import type { Price, PriceChange } from '../../shared/models.ts';
import type { Usage } from '../../shared/runs.ts';

const PER = 1_000_000n;

type TokenPrice = Extract<Price, { mode: 'tokens' }>;
type Rates = Omit<TokenPrice, 'mode' | 'tiers'>;

/**
 * What a run costs, in micro-credits, rounded up. Cached input tokens are part of `inputTokens` and billed at their own
 * price; the length of the whole input decides on the tier. A flat price is due once something was written, however much.
 */
export function cost(price: Price, usage: Usage, produced: boolean): number {
  if (price.mode === 'flat') return produced ? price.runMicro : 0;
  const rates = ratesUpTo(price, usage.inputTokens).at(-1)!;
  const cached = Math.min(usage.cachedInputTokens, usage.inputTokens);
  return sumUp([
    [usage.inputTokens - cached, rates.inputMicro],
    [cached, rates.cachedInputMicro],
    [usage.outputTokens, rates.outputMicro],
  ]);
}

/**
 * The most a run can cost, in micro-credits: every input token at the dearer of its prices, the whole output limit used, at
 * the dearest tier that an input of at most `inputBound` tokens can reach.
 */
export function worstCase(price: Price, inputBound: number, outputLimit: number): number {
  if (price.mode === 'flat') return price.runMicro;
  const worst = ratesUpTo(price, inputBound).map((rates) =>
    sumUp([
      [inputBound, Math.max(rates.inputMicro, rates.cachedInputMicro)],
      [outputLimit, rates.outputMicro],
    ]),
  );
  return Math.max(...worst);
}

/** How many output tokens `availableMicro` buys after an input of `inputBound` tokens; Infinity where output is free. */
export function affordableOutput(price: Price, inputBound: number, availableMicro: number): number {
  if (price.mode === 'flat') return availableMicro >= price.runMicro ? Number.POSITIVE_INFINITY : 0;
  const bought = ratesUpTo(price, inputBound).map((rates) => {
    const left = availableMicro - worstCase({ mode: 'tokens', ...rates }, inputBound, 0);
    if (left < 0) return 0;
    if (rates.outputMicro === 0) return Number.POSITIVE_INFINITY;
    // Rounding up the sum may cost one micro-credit more than rounding up its parts leaves.
    return Number((BigInt(Math.max(0, left - 1)) * PER) / BigInt(rates.outputMicro));
  });
  return Math.min(...bought);
}

/** The price that counts at `now` (epoch milliseconds), and the change that is announced next. `changes` are in their order. */
export function priceAt(
  price: Price,
  changes: readonly PriceChange[],
  now: number,
): { price: Price; next: PriceChange | undefined } {
  const isDue = ({ from }: PriceChange) => Date.parse(from) <= now;
  return { price: changes.findLast(isDue)?.price ?? price, next: changes.find((change) => !isDue(change)) };
}

/** Whether a request can be found that `to` is dearer for than `from`; two ways to price are not compared, but taken for it. */
export function raises(from: Price, to: Price): boolean {
  if (from.mode === 'flat' && to.mode === 'flat') return to.runMicro > from.runMicro;
  if (from.mode === 'flat' || to.mode === 'flat') return true;
  const starts = [from, to].flatMap(({ tiers = [] }) => tiers.map((tier) => tier.aboveInputTokens + 1));
  return [0, ...starts].some((inputTokens) => {
    const before = ratesUpTo(from, inputTokens).at(-1)!;
    const after = ratesUpTo(to, inputTokens).at(-1)!;
    return RATES.some((rate) => after[rate] > before[rate]);
  });
}

const RATES = ['inputMicro', 'cachedInputMicro', 'outputMicro'] as const;

/** The prices of every tier that an input of at most so many tokens can be in, the tier of the longest last. */
function ratesUpTo({ mode: _, tiers = [], ...base }: TokenPrice, inputTokens: number): Rates[] {
  const reached = tiers.filter((tier) => inputTokens > tier.aboveInputTokens);
  return [base, ...reached.map(({ aboveInputTokens: _, ...rates }) => rates)];
}

/** Tokens at their rates, rounded up. In big integers: a long request at a dear price is beyond 2^53 before it is divided. */
function sumUp(parts: readonly [tokens: number, rateMicro: number][]): number {
  const sum = parts.reduce((all, [tokens, rate]) => all + BigInt(tokens) * BigInt(rate), 0n);
  const micro = Number((sum + PER - 1n) / PER);
  if (!Number.isSafeInteger(micro) || micro < 0) throw new RangeError(`an amount out of range: ${micro}`);
  return micro;
}
