import type { Notice } from '../../shared/account.ts';
import { exactCredits, withUnit } from '../../shared/amounts.ts';
import type { Price } from '../../shared/models.ts';
import { priceAt } from '../credits/pricing.ts';
import { iso } from '../platform/clock.ts';
import type { ModelConfig } from '../platform/config.ts';
import { hashSecret } from '../platform/secrets.ts';

/** What members are told of prices that will change: all that is announced, in one notice. Null where none is. */
export function priceNotice(models: readonly ModelConfig[], now: number): Notice | null {
  const changes = models.flatMap(({ id, name, price, priceChanges = [] }) => {
    const { price: current, next } = priceAt(price, priceChanges, now);
    return next ? [{ from: next.from, text: `${name ?? id}: ${compared(current, next.price)}` }] : [];
  });
  if (changes.length === 0) return null;
  const days = [...new Set(changes.map(({ from }) => from))].sort();
  const parts = days.map((day) => {
    const texts = changes.filter(({ from }) => from === day).map(({ text }) => text);
    return `From ${day} on: ${texts.join('; ')}.`;
  });
  const text = `Prices change. ${parts.join(' ')} Until then nothing changes.`;
  return { id: `price:${hashSecret(text).slice(0, 16)}`, kind: 'price', text, at: iso(now) };
}

function compared(now: Price, later: Price): string {
  return `${priceText(later)}, now ${priceText(now)}`;
}

/** A price in words: "60 credits for 1 million tokens in, 15 cached, 250 out". */
export function priceText(price: Price): string {
  if (price.mode === 'flat') return `${withUnit(exactCredits(price.runMicro))} a message`;
  const rates = (of: { inputMicro: number; cachedInputMicro: number; outputMicro: number }) =>
    `${exactCredits(of.inputMicro)} in, ${exactCredits(of.cachedInputMicro)} cached, ${exactCredits(of.outputMicro)} out`;
  const tiers = (price.tiers ?? []).map(
    (tier) => `, above ${tier.aboveInputTokens.toLocaleString('en-US')} tokens in ${rates(tier)}`,
  );
  return `${rates(price)} credits for 1 million tokens${tiers.join('')}`;
}
