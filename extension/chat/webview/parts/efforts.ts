import { MICRO_PER_CREDIT } from '../../../../shared/constants.ts';
import type { Message } from '../../../../shared/conversations.ts';
import type { Model } from '../../../../shared/models.ts';

/** What an effort does to the price, in words. Null if there is nothing to say. `effort`: undefined for the model's own. */
export function effortWords({ price, efforts = [] }: Model, effort: string | undefined): string | null {
  if (effort === undefined) return 'the model decides';
  const isFlat = price.mode === 'flat';
  if (isOff(effort)) return isFlat ? 'answers sooner, at the same price' : 'no thoughts to pay for';
  if (effort !== efforts.at(-1)) return null;
  return isFlat ? 'takes longest, at the same price' : 'thinks longest; thoughts are charged as output';
}

const isOff = (effort: string) => effort === 'off' || effort === 'none';

/** "about 0.4 credits an answer in this chat". Null if it has no such answer. */
export function usualCost(messages: readonly Message[], model: string, effort: string | undefined): string | null {
  const costs = messages.flatMap((message) =>
    message.state === 'complete' && message.model === model && message.effort === effort && message.chargedMicro
      ? [message.chargedMicro]
      : [],
  );
  if (costs.length === 0) return null;
  const credits = costs.reduce((sum, cost) => sum + cost, 0) / costs.length / MICRO_PER_CREDIT;
  const rounded = Number(credits.toPrecision(2));
  return `about ${rounded} ${rounded === 1 ? 'credit' : 'credits'} an answer in this chat`;
}
