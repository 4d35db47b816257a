import type { Model, Price } from '../models.ts';

// The output limit that the available credit allows. The server computes it when a run starts, the chat before it
// sends.

/** An answer shorter than this is not worth starting: it would be cut off in its first sentences. */
export const MIN_OUTPUT_TOKENS = 64;

const PER = 1_000_000n;

type TokenPrice = Extract<Price, { mode: 'tokens' }>;
type Rates = Omit<TokenPrice, 'mode' | 'tiers'>;

/** The longest answer, in tokens, after an input of about `inputEstimate` tokens: both share the model's context. */
export function outputLimit(model: Pick<Model, 'contextTokens' | 'maxOutputTokens'>, inputEstimate: number): number {
  return Math.max(1, Math.min(model.maxOutputTokens, model.contextTokens - inputEstimate));
}

/**
 * The output limit in tokens: the model's own, or what `availableMicro` (micro-credits) buys after an input of at most
 * `inputBound` tokens. `neededMicro` is the hold for it, at least the price of `MIN_OUTPUT_TOKENS`; with less available
 * the run is refused. This is the clamp that `server/gateway/runs/admit.ts` calls.
 */
export function clampOutput(
  price: Price,
  inputBound: number,
  limit: number,
  availableMicro: number,
): { tokens: number; neededMicro: number } {
  const tokens = Math.min(limit, affordableOutput(price, inputBound, availableMicro));
  const neededMicro = worstCase(price, inputBound, Math.max(tokens, Math.min(MIN_OUTPUT_TOKENS, limit)));
  return { tokens, neededMicro };
}

/**
 * The maximum cost of a run, in micro-credits: every input token at the higher of its prices and the whole output
 * limit, in the most expensive tier that an input of at most `inputBound` tokens can reach.
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

/** How many output tokens `availableMicro` buys after an input of `inputBound` tokens. Infinity if output is free. */
export function affordableOutput(price: Price, inputBound: number, availableMicro: number): number {
  if (price.mode === 'flat') return availableMicro >= price.runMicro ? Number.POSITIVE_INFINITY : 0;
  const bought = ratesUpTo(price, inputBound).map((rates) => {
    const left = availableMicro - worstCase({ mode: 'tokens', ...rates }, inputBound, 0);
    if (left < 0) return 0;
    if (rates.outputMicro === 0) return Number.POSITIVE_INFINITY;
    // Rounding up the sum may cost one micro-credit more than rounding up the parts.
    return Number((BigInt(Math.max(0, left - 1)) * PER) / BigInt(rates.outputMicro));
  });
  return Math.min(...bought);
}

/** The prices of every tier that an input of at most `inputTokens` can be in; the longest input's tier is last. */
export function ratesUpTo({ mode: _, tiers = [], ...base }: TokenPrice, inputTokens: number): Rates[] {
  const reached = tiers.filter((tier) => inputTokens > tier.aboveInputTokens);
  return [base, ...reached.map(({ aboveInputTokens: _, ...rates }) => rates)];
}

/** The cost of tokens at their rates, rounded up. BigInt, because it can exceed 2^53 before the division. */
export function sumUp(parts: readonly [tokens: number, rateMicro: number][]): number {
  const sum = parts.reduce((all, [tokens, rate]) => all + BigInt(tokens) * BigInt(rate), 0n);
  const micro = Number((sum + PER - 1n) / PER);
  if (!Number.isSafeInteger(micro) || micro < 0) throw new RangeError(`an amount out of range: ${micro}`);
  return micro;
}
