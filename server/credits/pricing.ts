import type { Price } from '../../shared/models.ts';
import type { Usage } from '../../shared/runs.ts';

const PER = 1_000_000;

/**
 * What a run costs, in micro-credits, rounded up. Cached input tokens are part of `inputTokens` and billed at their own
 * price. A flat price is due once something was written, however much.
 */
export function cost(price: Price, usage: Usage, produced: boolean): number {
  if (price.mode === 'flat') return produced ? price.runMicro : 0;
  const cached = Math.min(usage.cachedInputTokens, usage.inputTokens);
  const sum =
    (usage.inputTokens - cached) * price.inputMicro +
    cached * price.cachedInputMicro +
    usage.outputTokens * price.outputMicro;
  return checked(Math.ceil(sum / PER));
}

/** The most a run can cost: every input token uncached, the whole output limit used. Micro-credits. */
export function worstCase(price: Price, inputBound: number, outputLimit: number): number {
  if (price.mode === 'flat') return price.runMicro;
  const input = Math.max(price.inputMicro, price.cachedInputMicro);
  return checked(Math.ceil((inputBound * input + outputLimit * price.outputMicro) / PER));
}

/** How many output tokens `availableMicro` buys after an input of `inputBound` tokens; Infinity where output is free. */
export function affordableOutput(price: Price, inputBound: number, availableMicro: number): number {
  if (price.mode === 'flat') return availableMicro >= price.runMicro ? Number.POSITIVE_INFINITY : 0;
  const left = availableMicro - worstCase(price, inputBound, 0);
  if (left < 0) return 0;
  if (price.outputMicro === 0) return Number.POSITIVE_INFINITY;
  // Rounding up the sum may cost one micro-credit more than rounding up its parts leaves.
  return Math.max(0, Math.floor(((left - 1) * PER) / price.outputMicro));
}

function checked(micro: number): number {
  if (!Number.isSafeInteger(micro) || micro < 0) throw new RangeError(`an amount out of range: ${micro}`);
  return micro;
}
