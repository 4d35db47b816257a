// What a summary of a conversation needs beside an ordinary answer.
import type { Model } from '../../../shared/models.ts';
import { AppError } from '../../platform/errors.ts';
import { fitTurns, summaryTokens } from '../prompt/compact.ts';
import { buildPrompt, type Turn } from '../prompt/prompt.ts';
import { boundPromptTokens, estimatePromptTokens } from '../prompt/tokens.ts';
import type { PromptMessage } from '../stream.ts';
import type { ChainSize } from './chain.ts';

/** English and code have about four bytes a token, other scripts fewer. */
export const MAX_BYTES_A_TOKEN = 5;

/** The tokens of a prompt that leaves room for a summary; `limitTokens`: the most that a prompt may have otherwise. */
const roomFor = (model: Model, limitTokens: number) =>
  Math.min(limitTokens, model.contextTokens - summaryTokens(model));

/** The size of a prompt for a summary. It is never too long: what does not fit is cut. */
export function sizeOfCompacting(model: Model, limitTokens: number, whole: ChainSize): Required<ChainSize> {
  const room = roomFor(model, limitTokens);
  return {
    inputEstimate: Math.min(whole.inputEstimate, room),
    inputBound: Math.min(whole.inputBound, room * MAX_BYTES_A_TOKEN),
    limitTokens: summaryTokens(model),
  };
}

/** The prompt for a summary, with long texts cut to what fits. */
export function compactingPrompt(turns: readonly Turn[], model: Model, limitTokens: number): PromptMessage[] {
  const room = roomFor(model, limitTokens);
  const build = (some: readonly Turn[]) => buildPrompt('chat', some, false, true);
  const fitted = fitTurns(turns, (some) => {
    const messages = build(some);
    return estimatePromptTokens(messages) <= room && boundPromptTokens(messages) <= room * MAX_BYTES_A_TOKEN;
  });
  if (fitted) return build(fitted);
  throw new AppError(
    'context_too_long',
    'The conversation has too many messages for a summary by this model. Nothing was started: choose a model that reads more, or start a new chat.',
    { limitTokens: room },
  );
}
