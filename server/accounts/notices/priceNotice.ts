import type { Notice } from '../../../shared/account.ts';
import type { Price } from '../../../shared/models.ts';
import { exactCredits, inCredits } from '../../../shared/money/amounts.ts';
import type { AnnouncedModel } from '../../credits/prices/announcements.ts';
import { priceAt } from '../../credits/rules/pricing.ts';
import { type Clock, iso } from '../../platform/clock.ts';
import { hashSecret } from '../../platform/secrets.ts';

/** The current notice to members about prices. Composed once for all, and again when a change takes effect. */
export function tellPrices(models: readonly AnnouncedModel[], clock: Clock): () => Notice | null {
  const days = models.flatMap(({ priceChanges }) => priceChanges.map(({ from }) => Date.parse(from)));
  let told: { notice: Notice | null; counted: number } | null = null;
  return () => {
    const now = clock.now();
    const counted = days.filter((day) => day <= now).length;
    if (told?.counted !== counted) told = { notice: priceNotice(models, now), counted };
    return told.notice;
  };
}

/** One notice with all announced price changes, dated by the newest of them. Null: there are none. */
export function priceNotice(models: readonly AnnouncedModel[], now: number): Notice | null {
  const changes = models.flatMap(({ id, name, price, priceChanges }) => {
    const { price: current, next } = priceAt(price, priceChanges, now);
    if (!next) return [];
    return [{ ...next, text: `${name ?? id}: ${compared(current, next.price)}` }];
  });
  if (changes.length === 0) return null;
  const days = [...new Set(changes.map(({ from }) => from))].sort();
  const parts = days.map((day) => {
    const texts = changes.filter(({ from }) => from === day).map(({ text }) => text);
    return `From ${day} on: ${texts.join('; ')}.`;
  });
  const text = `Prices change. ${parts.join(' ')} Until then nothing changes.`;
  return {
    id: `price:${hashSecret(text).slice(0, 16)}`,
    kind: 'price',
    text,
    at: iso(Math.max(...changes.map(({ announcedAt }) => announcedAt))),
  };
}

function compared(now: Price, later: Price): string {
  return `${priceText(later)}, now ${priceText(now)}`;
}

/** A price in words: "60 credits for 1 million tokens in, 15 cached, 250 out". */
export function priceText(price: Price): string {
  if (price.mode === 'flat') return `${inCredits(price.runMicro)} a message`;
  const rates = (of: { inputMicro: number; cachedInputMicro: number; outputMicro: number }) =>
    `${exactCredits(of.inputMicro)} in, ${exactCredits(of.cachedInputMicro)} cached, ${exactCredits(of.outputMicro)} out`;
  const tiers = (price.tiers ?? []).map(
    (tier) => `, above ${tier.aboveInputTokens.toLocaleString('en-US')} tokens in ${rates(tier)}`,
  );
  return `${rates(price)} credits for 1 million tokens${tiers.join('')}`;
}
