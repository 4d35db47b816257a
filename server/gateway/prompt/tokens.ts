import { imageTokensBound } from '../../../shared/media/images.ts';
import { estimateTokens } from '../../../shared/money/tokens.ts';
import type { PromptMessage } from '../stream.ts';

export { estimateTokens };

/**
 * What a chat template puts around one message (role, separators), in tokens; OpenAI's takes 4, Kimi's and Llama's 5.
 */
export const MESSAGE_OVERHEAD_TOKENS = 8;

/** A strict upper bound of the tokens in `text`: byte-level BPE never makes more tokens than UTF-8 bytes. Linear. */
export function boundTokens(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** An upper bound for a whole prompt, with the chat template around and after its messages. */
export function boundPromptTokens(messages: PromptMessage[]): number {
  const pictures = messages.flatMap(({ images = [] }) => images.map(imageTokensBound));
  return pictures.reduce((all, one) => all + one, sum(messages, boundTokens));
}

/** An estimate for a whole prompt without pictures: see `estimateTokens`. */
export function estimatePromptTokens(messages: PromptMessage[]): number {
  return sum(messages, estimateTokens);
}

function sum(messages: PromptMessage[], count: (text: string) => number): number {
  let tokens = MESSAGE_OVERHEAD_TOKENS;
  for (const { text } of messages) tokens += count(text) + MESSAGE_OVERHEAD_TOKENS;
  return tokens;
}
