import type { z } from '@hono/zod-openapi';
import type { Problem } from '../../../shared/problems.ts';
import type { Json } from '../dialects/chat/refused.ts';
import type { CallOptions, ChatCall } from '../dialects/chat/request.ts';
import type { NativeDialect } from '../dialects/native/native.ts';
import type { NativeName } from '../stream.ts';

/** One way in which tools ask for answers. Inside there is one: chat completions, mended by `ChatStream`. */
export interface Dialect {
  path: string;
  /** For /openapi.json. */
  summary: string;
  body: z.ZodType;
  answer: string;
  /** A stream that says nothing for so long gets a sign of life: a proxy or client would give it up. */
  silenceMs: number;
  /** Reads a body that is valid JSON. Throws `CallRefused`, with the names of this dialect. */
  read(given: unknown, options: CallOptions): DialectCall;
}

/** A request, and how its answer is written. */
export interface DialectCall {
  call: ChatCall;
  /** Whether the last chunk is to bring the usage. */
  wantsUsage: boolean;
  /** A stable, opaque key of the conversation, if the dialect has one of its own. */
  cacheKey: string | null;
  /** For a service that speaks this dialect itself; null: there is none beside the translation. */
  native: { dialect: NativeName; words: NativeDialect; body: Json } | null;
  stream(head: AnswerHead): Writer;
  whole(head: AnswerHead): Collector;
}

export interface AnswerHead {
  /** The run's id, without a prefix. */
  id: string;
  /** The name that the client knows the model by. */
  model: string;
  createdSeconds: number;
  /** The estimate, for a dialect that tells the input before the answer. */
  inputTokens: number;
  /** As the header `request-id` has it. */
  requestId: string;
}

/** Writes a streamed answer as server-sent events. */
export interface Writer {
  /** For one chunk of `ChatStream`, the last ones included. */
  take(chunk: Json): string;
  /** What follows the last chunk. */
  end(): string;
  /** Tells a failure in mid-stream; the connection is cut behind it. */
  fail(problem: Problem): string;
  /** A sign of life. It may be the first that the client hears. */
  ping(): string;
}

/** Collects the chunks of `ChatStream` for an answer in one piece. */
export interface Collector {
  add(chunk: Json): void;
  end(): Json;
}
