import { inPrompt } from '../../../../shared/answers/inPrompt.ts';
import type { Message } from '../../../../shared/conversations.ts';
import { IMAGE_TOKENS_BOUND, imageTokensBound } from '../../../../shared/media/images.ts';
import { clampOutput, MIN_OUTPUT_TOKENS, outputLimit } from '../../../../shared/money/pricing.ts';
import type { Surroundings } from '../../protocol.ts';
import { estimateTokens } from '../format.ts';

/** The possible length of the next answer: the usual one, only `tokens`, or none, because it would be refused. */
export type Forecast = { kind: 'whole' } | { kind: 'short'; tokens: number; usual: number } | { kind: 'refused' };

export interface Asked {
  surroundings: Pick<Surroundings, 'balance' | 'models' | 'modelId' | 'chips' | 'instructions' | 'contextTokens'>;
  /** Size of the conversation so far in bytes: see `conversationBytes`. */
  soFarBytes: number;
  draft: string;
}

/**
 * How long an answer the remaining credits allow. The same calculation as the server's at the start of a run
 * (`clampOutput`, see `server/gateway/runs/admit.ts`): it counts each UTF-8 byte of the prompt as a token, the most
 * that a tokenizer can make of it. Only the prompt is estimated here: attachments by their size, the server's own words
 * by their usual length. Null if a forecast is impossible: no model, no limit, or a running answer whose hold is partly
 * released later.
 */
export function forecastAnswer({ surroundings, soFarBytes, draft }: Asked): Forecast | null {
  const { balance, models, modelId, chips, instructions, contextTokens } = surroundings;
  const model = models.find(({ id }) => id === modelId);
  if (!balance || !model || balance.unlimited || balance.pendingMicro > 0) return null;
  const attached = attachedTokens(chips, instructions);
  const parts = [...chips, ...newInstructions(instructions)];
  const around = parts.reduce((sum, { path = '' }) => sum + path.length + ATTACHMENT_WORDS, 0);
  const images = chips.filter(({ kind }) => kind === 'image');
  const ofImages = images.reduce((sum, { tokens }) => sum + tokens, 0);
  const mostOfImages = images.reduce((sum, { mostTokens }) => sum + (mostTokens ?? IMAGE_TOKENS_BOUND), 0);
  const attachedBytes = (attached - ofImages) * BYTES_A_TOKEN + mostOfImages + around;
  const inputBound = soFarBytes + attachedBytes + utf8Length(draft) + SYSTEM_BYTES + 3 * MESSAGE_OVERHEAD;
  const usual = outputLimit(model, contextTokens + attached + estimateTokens(draft));
  const { tokens, neededMicro } = clampOutput(model.price, inputBound, usual, balance.availableMicro);
  if (balance.availableMicro < neededMicro) return { kind: 'refused' };
  return tokens < usual ? { kind: 'short', tokens: Math.max(tokens, MIN_OUTPUT_TOKENS), usual } : { kind: 'whole' };
}

/** The tokens that the next message has beside its text. */
export const attachedTokens = (chips: Surroundings['chips'], instructions: Surroundings['instructions']): number =>
  [...chips, ...newInstructions(instructions)].reduce((sum, { tokens }) => sum + tokens, 0);

/** The instructions that go along and that the chat does not have yet. */
export const newInstructions = (given: Surroundings['instructions']) =>
  given && !given.isOut ? given.files.filter(({ isSent }) => !isSent) : [];

/**
 * Bytes that the messages so far take in the next prompt, with their pictures for a model with `vision`. If earlier messages aren't loaded, an estimate from the last
 * answer's tokens.
 */
export function conversationBytes(
  messages: readonly Message[],
  hasEarlier: boolean,
  contextTokens: number,
  vision = false,
): number {
  let bytes = 0;
  for (const { text, attachments = [] } of inPrompt(messages)) {
    bytes += utf8Length(text) + MESSAGE_OVERHEAD;
    for (const { image, characters, path = '' } of attachments)
      bytes += characters + path.length + ATTACHMENT_WORDS + (image && vision ? imageTokensBound(image) : 0);
  }
  return hasEarlier ? Math.max(bytes, contextTokens * BYTES_A_TOKEN) : bytes;
}

/** English and code have about four bytes a token. */
const BYTES_A_TOKEN = 4;
/** The approximate length of the server's system prompt (`server/gateway/prompt/prompt.ts`). A test compares them. */
const SYSTEM_BYTES = 1_250;
/** The server's estimate of a chat template's overhead for each message (`server/gateway/prompt/tokens.ts`). */
const MESSAGE_OVERHEAD = 8;
/** The length of "Attached file: … lines 1-9" and its fence. */
const ATTACHMENT_WORDS = 50;

const encoder = new TextEncoder();
const utf8Length = (text: string) => encoder.encode(text).length;
