import type { Usage } from '../../shared/runs.ts';

/** One message of a prompt, in the one form that every upstream and dialect is translated to and from. */
export interface PromptMessage {
  role: 'system' | 'user' | 'assistant';
  text: string;
}

export interface UpstreamRequest {
  /** The upstream's own name of the model. */
  model: string;
  messages: PromptMessage[];
  maxOutputTokens: number;
  /** A stable, meaningless key of the conversation, so that the upstream can keep its prompt cache warm. */
  cacheKey: string;
}

/**
 * What an upstream says while it answers. `thinking` is not shown, and counted. `usage` is that of the request and of all that
 * came before it, and replaces an earlier one; `isMended` if its parts did not add up. `finish` comes once, last; `refusal`
 * marks an answer withheld for prohibited content, which is charged. A stream that ends without `finish`, or throws, has failed.
 */
export type StreamEvent =
  | { type: 'text'; text: string }
  | { type: 'thinking'; text: string }
  | { type: 'usage'; usage: Usage; isMended?: boolean }
  | { type: 'finish'; why: 'stop' | 'length' | 'refusal' };

export type UpstreamFailure =
  | 'upstream_failed'
  | 'upstream_malformed'
  | 'upstream_refused'
  | 'upstream_unreachable'
  | 'upstream_busy'
  | 'upstream_timeout'
  | 'context_too_long';

/**
 * A failure at the model service, named. `message` is safe to show to users: it never has the upstream's key, address or
 * raw body. `retryAfterMs` is what the upstream asked for, if it did. The raw cause is for the operator's log only.
 */
export class UpstreamError extends Error {
  constructor(
    readonly code: UpstreamFailure,
    message: string,
    readonly options: { cause?: unknown; retryAfterMs?: number; logDetail?: string } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'UpstreamError';
  }
}

/** A model service. `stream` ends by `finish`, throws `UpstreamError`, or throws the abort's reason once aborted. */
export interface Upstream {
  stream(request: UpstreamRequest, signal: AbortSignal): AsyncIterable<StreamEvent>;
  /** The models' ids that the service offers, default first. Throws `UpstreamError`. */
  models(): Promise<string[]>;
}
