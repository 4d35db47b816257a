import { setTimeout as delay } from 'node:timers/promises';
import { estimateTokens } from '../../prompt/tokens.ts';
import {
  type CallRequest,
  type Piece,
  type PromptMessage,
  type StreamEvent,
  type Upstream,
  UpstreamError,
  type UpstreamRequest,
} from '../../stream.ts';
import type { DemoAnswer } from './demoAnswer.ts';
import { answerChat } from './demoChat.ts';
import { answerEdit } from './demoEdit.ts';
import { answerFiles } from './demoFiles.ts';

/** The demo model's id, at the upstream and in the list of models. */
export const DEMO_MODEL = 'demo';

export interface DemoOptions {
  /** Milliseconds between two pieces of an answer; 0 for no delay. */
  delayMs?: number;
  /** Epoch milliseconds, because the demo model tells the time. */
  now?: () => number;
}

/** One piece is about a word, like a real model's token. */
const PIECE = /\s*\S{1,12}|\s+$/gu;

/**
 * The built-in model, to try Perigee without a model service. It is no language model and says so in each chat answer.
 * It follows visible rules: see `demoChat.ts`, `demoEdit.ts` and `demoFiles.ts`.
 */
export function demoUpstream({ delayMs = 15, now = Date.now }: DemoOptions = {}): Upstream {
  return {
    models: async () => [DEMO_MODEL],
    async *stream(request: UpstreamRequest, signal: AbortSignal): AsyncGenerator<Piece, void, undefined> {
      signal.throwIfAborted();
      const answer = answerTo(request, now());
      const pieces = answer.text.match(PIECE) ?? [];
      const pauseMs = delayMs * (answer.slower ?? 1);
      let sent = '';
      let count = 0;
      let why: 'stop' | 'length' = answer.cutShort ? 'length' : 'stop';
      for (const text of pieces) {
        if (pauseMs > 0) await delay(pauseMs, undefined, { signal }).catch(() => {});
        signal.throwIfAborted();
        if (count === request.maxOutputTokens) {
          why = 'length';
          break;
        }
        count += 1;
        sent += text;
        yield told({ type: 'text', text });
      }
      signal.throwIfAborted();
      if (answer.fails) {
        throw new UpstreamError('upstream_failed', 'The demo model failed in the middle of its answer, as you asked.');
      }
      const outputTokens = Math.min(request.maxOutputTokens, estimateTokens(sent));
      const usage = { ...promptTokens(request.messages), outputTokens, estimated: false };
      yield told({ type: 'usage', usage }, { type: 'finish', why });
    },
    /** For tools: the demo model reads the texts of their messages, and calls no tool. */
    async *call(request: CallRequest, signal: AbortSignal): AsyncGenerator<Piece, void, undefined> {
      const { model, maxOutputTokens, body } = request;
      const asked = { model, maxOutputTokens, cacheKey: '', messages: textsOf(body.messages) };
      for await (const piece of this.stream(asked, signal)) yield { ...piece, chunks: piece.events.flatMap(chunkOf) };
    },
  };
}

const told = (...events: StreamEvent[]): Piece => ({ events, chunks: [] });

/** The messages of a chat-completions request, as far as they are text. */
function textsOf(messages: unknown): PromptMessage[] {
  if (!Array.isArray(messages)) return [];
  return messages.flatMap(({ role, content }: { role?: unknown; content?: unknown }): PromptMessage[] => {
    const parts = Array.isArray(content) ? (content as { text?: unknown }[]) : [{ text: content }];
    const text = parts.map((part) => (typeof part?.text === 'string' ? part.text : '')).join('\n');
    const known = role === 'assistant' || role === 'user' ? role : 'system';
    return text === '' || role === 'tool' ? [] : [{ role: known, text }];
  });
}

function chunkOf(event: StreamEvent): Record<string, unknown>[] {
  const chunk = (delta: object, finish: string | null) => [
    { object: 'chat.completion.chunk', model: DEMO_MODEL, choices: [{ index: 0, delta, finish_reason: finish }] },
  ];
  if (event.type === 'text') return chunk({ content: event.text }, null);
  return event.type === 'finish' ? chunk({}, event.why) : [];
}

/** The last line of the system prompt tells an edit from a chat. */
function answerTo({ messages }: UpstreamRequest, nowMs: number): DemoAnswer {
  const [first] = messages;
  const marker = first?.role === 'system' ? first.text.split('\n').at(-1)?.trim() : undefined;
  if (marker === 'edit-mode') return answerEdit(lastUser(messages));
  if (marker === 'edit-files-mode') return answerFiles(messages);
  return chat(messages, nowMs);
}

function lastUser(messages: PromptMessage[]): string {
  return messages.findLast((message) => message.role === 'user')?.text ?? '';
}

/**
 * Continues an answer that broke off if the prompt ends in that part, or in that part and a user's request to continue.
 * The same question always has the same answer, so the missing text is the rest of it.
 */
function chat(messages: PromptMessage[], nowMs: number): DemoAnswer {
  const turns = messages.filter((message) => message.role !== 'system');
  const asked = turns.at(-1);
  const continues =
    asked?.role === 'assistant' ||
    /^\s*(please )?(continue|go on)\b|^Your last answer was cut off/i.test(asked?.text ?? '');
  const partIndex = continues ? turns.findLastIndex((message) => message.role === 'assistant') : -1;
  const part = turns[partIndex]?.text;
  const before = turns.slice(0, Math.max(0, partIndex)).findLast((message) => message.role === 'user');
  if (part && before) {
    const isFirst = !turns.slice(0, turns.indexOf(before)).some(({ role }) => role === 'assistant');
    const whole = answerChat(before.text, nowMs, { afterFailure: true, isFirst });
    if (whole.text.startsWith(part) && whole.text !== part) return { ...whole, text: whole.text.slice(part.length) };
  }
  return answerChat(asked?.text ?? '', nowMs, { isFirst: !turns.some(({ role }) => role === 'assistant') });
}

/**
 * Estimates the input tokens as everywhere else. Once the conversation has an answer, everything before the question
 * counts as cached, as at a service that caches prompt prefixes.
 */
function promptTokens(messages: PromptMessage[]): { inputTokens: number; cachedInputTokens: number } {
  const lastAnswer = messages.findLastIndex((message) => message.role === 'assistant');
  let inputTokens = 0;
  let cachedInputTokens = 0;
  messages.forEach(({ text }, index) => {
    const tokens = estimateTokens(text) + 4;
    inputTokens += tokens;
    if (index < lastAnswer) cachedInputTokens += tokens;
  });
  return { inputTokens, cachedInputTokens };
}
