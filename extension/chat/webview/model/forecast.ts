import type { Message } from '../../../../shared/conversations.ts';
import { clampOutput, MIN_OUTPUT_TOKENS, outputLimit } from '../../../../shared/money/pricing.ts';
import type { Surroundings } from '../../protocol.ts';
import { estimateTokens } from '../format.ts';

/** What the next answer gets: as long as the model's usual ones, only so many tokens, or nothing, for it would be refused. */
export type Forecast = { kind: 'whole' } | { kind: 'short'; tokens: number; usual: number } | { kind: 'refused' };

export interface Asked {
  surroundings: Pick<Surroundings, 'balance' | 'models' | 'modelId' | 'chips' | 'contextTokens'>;
  /** Bytes of the conversation so far: see `conversationBytes`. */
  soFarBytes: number;
  draft: string;
}

/**
 * How long the next answer may be by what is left. It is the server's own reckoning when a run begins (`clampOutput`, see
 * `server/gateway/runs/admit.ts`), which takes each UTF-8 byte of the prompt for a token, the most that a tokenizer can make of
 * it. Only the prompt is guessed here: attachments by their size, the server's own words by their usual length. Null where
 * that says nothing: no model, nothing limited, or an answer is running, of whose hold a part returns.
 */
export function forecastAnswer({ surroundings, soFarBytes, draft }: Asked): Forecast | null {
  const { balance, models, modelId, chips, contextTokens } = surroundings;
  const model = models.find(({ id }) => id === modelId);
  if (!balance || !model || balance.unlimited || balance.pendingMicro > 0) return null;
  const attached = chips.reduce((sum, chip) => sum + chip.tokens, 0);
  const around = chips.reduce((sum, { path = '' }) => sum + path.length + ATTACHMENT_WORDS, 0);
  const attachedBytes = attached * BYTES_A_TOKEN + around;
  const inputBound = soFarBytes + attachedBytes + utf8Length(draft) + SYSTEM_BYTES + 3 * MESSAGE_OVERHEAD;
  const usual = outputLimit(model, contextTokens + attached + estimateTokens(draft));
  const { tokens, neededMicro } = clampOutput(model.price, inputBound, usual, balance.availableMicro);
  if (balance.availableMicro < neededMicro) return { kind: 'refused' };
  return tokens < usual ? { kind: 'short', tokens: Math.max(tokens, MIN_OUTPUT_TOKENS), usual } : { kind: 'whole' };
}

/**
 * Bytes that the messages so far take in the next prompt. Where earlier ones aren't loaded, what the last answer's tokens
 * usually take.
 */
export function conversationBytes(messages: readonly Message[], hasEarlier: boolean, contextTokens: number): number {
  let bytes = 0;
  for (const { text, attachments = [] } of messages) {
    bytes += utf8Length(text) + MESSAGE_OVERHEAD;
    for (const { characters, path = '' } of attachments) bytes += characters + path.length + ATTACHMENT_WORDS;
  }
  return hasEarlier ? Math.max(bytes, contextTokens * BYTES_A_TOKEN) : bytes;
}

/** English and code have about four bytes a token. */
const BYTES_A_TOKEN = 4;
/** About what the server says before a chat (`server/gateway/prompt/prompt.ts`); a test compares. */
const SYSTEM_BYTES = 900;
/** As the server counts what a chat template puts around a message (`server/gateway/prompt/tokens.ts`). */
const MESSAGE_OVERHEAD = 8;
/** "Attached file: … lines 1-9" and its fence. */
const ATTACHMENT_WORDS = 50;

const encoder = new TextEncoder();
const utf8Length = (text: string) => encoder.encode(text).length;
