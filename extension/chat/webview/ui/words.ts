import type { Model, Price } from '../../../../shared/models.ts';
import type { Problem, ProblemCode } from '../../../../shared/problems.ts';
import { count, credits, day } from '../format.ts';

/** What went wrong, in a user's words. Where the server wrote a detail for the case, that is said. */
export function problemSentence(problem: Problem): string {
  const text = WORDS[problem.code] ?? (problem.detail || problem.title);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** What signing in brings, for those who have not yet. */
export function signInFor(credits: number): string {
  return credits > 0 ? `Sign in for ${count(credits)} credits` : 'Sign in';
}

/**
 * What a model costs: the price first, then a line for each tier of long requests, and one for each price that is announced.
 * Prices of token models are for 1 million tokens, in and out.
 */
export function priceLines({ price, nextPrice }: Pick<Model, 'price' | 'nextPrice'>, isGuest: boolean): string[] {
  const next = nextPrice
    ? pricesOf(nextPrice.price, isGuest).map((line) => `from ${day(nextPrice.from)}: ${line}`)
    : [];
  return [...pricesOf(price, isGuest), ...next];
}

function pricesOf(price: Price, isGuest: boolean): string[] {
  if (price.mode === 'tokens') {
    const tiers = price.tiers ?? [];
    return [rates(price), ...tiers.map((tier) => `above ${count(tier.aboveInputTokens)} tokens: ${rates(tier)}`)];
  }
  if (price.runMicro === 0) return ['free'];
  if (isGuest) return ['1 message each'];
  const n = credits(price.runMicro);
  return [`${n} ${n === '1' ? 'credit' : 'credits'} a message`];
}

const rates = ({ inputMicro, outputMicro }: { inputMicro: number; outputMicro: number }) =>
  `${credits(inputMicro)} in · ${credits(outputMicro)} out / M`;

// Only where our own words say it better than the server's detail, which is written for every client.
const WORDS: Partial<Record<ProblemCode, string>> = {
  upstream_failed: 'The model service stopped answering.',
  upstream_malformed: 'The model service sent something unreadable.',
  upstream_unreachable: 'The model service cannot be reached.',
  upstream_timeout: 'The model service did not answer in time.',
  upstream_busy: 'The model service is busy.',
  shutting_down: 'The server is restarting.',
  conversation_busy: 'This conversation is answering elsewhere.',
  internal: 'The server made a mistake.',
};
