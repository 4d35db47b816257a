import type { Price, PriceChange } from '../../../shared/models.ts';
import { ratesUpTo, sumUp } from '../../../shared/money/pricing.ts';
import type { Usage } from '../../../shared/runs.ts';

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

/** The price that counts at `now` (epoch milliseconds), and the change that is announced next. `changes` are in their order. */
export function priceAt<Change extends PriceChange>(
  price: Price,
  changes: readonly Change[],
  now: number,
): { price: Price; next: Change | undefined } {
  const isDue = ({ from }: Change) => Date.parse(from) <= now;
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
