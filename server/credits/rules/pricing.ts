import type { Price, PriceChange } from '../../../shared/models.ts';
import { ratesUpTo, sumUp } from '../../../shared/money/pricing.ts';
import type { Usage } from '../../../shared/runs.ts';

/**
 * A run's cost in micro-credits, rounded up. Cached input tokens are part of `inputTokens` and have their own price;
 * the total input length decides the tier. A flat price is due as soon as anything was produced.
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

/** The price in force at `now` (epoch milliseconds), and the next change. `changes` are in order of time. */
export function priceAt<Change extends PriceChange>(
  price: Price,
  changes: readonly Change[],
  now: number,
): { price: Price; next: Change | undefined } {
  const isDue = ({ from }: Change) => Date.parse(from) <= now;
  return { price: changes.findLast(isDue)?.price ?? price, next: changes.find((change) => !isDue(change)) };
}

/** Whether any request costs more with `to` than with `from`. A change between flat and token prices counts as more. */
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
