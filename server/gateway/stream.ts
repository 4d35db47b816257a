import type { Usage } from '../../shared/runs.ts';

/** One message of a prompt, in the form that every upstream and dialect translates from and to. */
export interface PromptMessage {
  role: 'system' | 'user' | 'assistant';
  text: string;
  /** Pictures that belong to the text, in its order. */
  images?: PromptImage[];
}

export interface PromptImage {
  name: string;
  mediaType: string;
  width: number;
  height: number;
  data: Uint8Array;
}

/** A model that may answer in place of another one, by the name that it has here. */
export interface Fallback {
  model: string;
  maxOutputTokens: number;
  /** The fields of the request that say how hard the model thinks. */
  thinking?: Readonly<Record<string, unknown>> | undefined;
}

/** Told of each attempt at one of several services. */
interface Tried {
  tries(service: string): void;
}

export interface UpstreamRequest {
  /** The upstream's own name for the model. */
  model: string;
  messages: PromptMessage[];
  maxOutputTokens: number;
  /** As in `Fallback`. */
  thinking?: Readonly<Record<string, unknown>> | undefined;
  /** A stable, opaque key for the conversation, so that the upstream can keep its prompt cache warm. */
  cacheKey: string;
  /** In this order, if the model fails before its answer begins. */
  fallbacks?: readonly Fallback[];
  notes?: Tried | undefined;
}

/** A dialect, beside chat completions, that a service may speak itself. */
export type NativeName = 'messages' | 'responses';

/** A request as its client wrote it, for a service that speaks its dialect. */
export interface NativeRequest {
  dialect: NativeName;
  body: Readonly<Record<string, unknown>>;
  /** The client's own headers that the service reads, such as betas. */
  headers: Record<string, string>;
}

/** A chat-completions request as its client made it. */
export interface CallRequest {
  /** The upstream's own name for the model. */
  model: string;
  /** The client's own fields: without the model, `stream`, `stream_options` and the output limits. Emptied once sent. */
  body: Readonly<Record<string, unknown>>;
  isStream: boolean;
  maxOutputTokens: number;
  /** As in `UpstreamRequest`, if the dialect names the conversation and the body doesn't. */
  cacheKey?: string | null;
  /** The client has left: what has begun goes on, because it is billed, but nothing new begins. */
  isAbandoned?: () => boolean;
  /** The same request in the client's own dialect, if that is another one. */
  native?: NativeRequest | undefined;
  /** In this order, if the model fails before its answer begins. */
  fallbacks?: readonly Fallback[];
  notes?: Tried | undefined;
}

/**
 * An event of an upstream's answer. `thinking` is shown apart from the text, and counted with it. `tools` (the names and
 * arguments of tool calls) is counted but not shown. `usage` covers the request and all output before it, and replaces
 * any earlier one; `isMended`: its parts did not add up. `finish` comes once, last; `refusal` marks an answer withheld
 * for prohibited content, which is charged. A stream that throws or ends without `finish` has failed.
 */
export type StreamEvent =
  | { type: 'text'; text: string }
  | { type: 'thinking'; text: string }
  | { type: 'tools'; text: string }
  | { type: 'usage'; usage: Usage; isMended?: boolean }
  | { type: 'finish'; why: 'stop' | 'length' | 'refusal' };

/** What arrived together: the objects as the service sent them, and what they say. */
export interface Piece {
  chunks: Record<string, unknown>[];
  events: StreamEvent[];
  /** On the first piece, if a fallback answers. */
  model?: string;
  /** In place of `chunks`, from a service that speaks the client's dialect: its events, or its whole answer. */
  native?: Record<string, unknown>[];
  /** What services have reported of attempts that failed before this answer: they bill it, and nobody is charged for it. */
  lost?: Usage[];
}

/** Whether an answer has begun with this piece. */
export const saysSomething = ({ events }: Piece): boolean =>
  events.some(({ type }) => type === 'text' || type === 'thinking' || type === 'tools' || type === 'finish');

export type UpstreamFailure =
  | 'upstream_failed'
  | 'upstream_malformed'
  | 'upstream_refused'
  | 'upstream_unreachable'
  | 'upstream_busy'
  | 'upstream_timeout'
  | 'context_too_long';

/**
 * A classified failure of the model service. `message` is safe to show to users: it never has the upstream's key,
 * address or raw body. `retryAfterMs` is the wait that the upstream asked for, if any. `isRequests`: the request was at
 * fault, so that sending it again is of no use. `isModels`: the service lacks this model alone. The raw cause is only for the operator's log.
 */
export class UpstreamError extends Error {
  constructor(
    readonly code: UpstreamFailure,
    message: string,
    readonly options: {
      cause?: unknown;
      retryAfterMs?: number;
      logDetail?: string;
      isRequests?: boolean;
      isModels?: boolean;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'UpstreamError';
  }
}

/** What an operator sees of one of several services. `out`: it fails; `resting`: it asked for a pause. */
export interface ServiceState {
  id: string;
  condition: 'well' | 'out' | 'resting' | 'probing' | 'draining';
  /** How many requests it is answering. */
  load: number;
}

/** Told of an attempt when its answer begins, or when it fails before. */
export type AttemptListener = (id: string, outcome: 'began' | UpstreamFailure, seconds: number) => void;

/** The services behind an upstream that has several. */
export interface Services {
  readonly states: ServiceState[];
  /** From now on, these get no new requests. */
  drain(ids: ReadonlySet<string>): void;
  /** The dialects in which a service in use has that model, well or not. `chat` serves every client. */
  dialectsOf(model: string): ReadonlySet<'chat' | NativeName>;
  observe(listener: AttemptListener): void;
}

/**
 * A model service. An answer's last event is `finish`; else its reading throws `UpstreamError` or the abort's reason.
 */
export interface Upstream {
  stream(request: UpstreamRequest, signal: AbortSignal): AsyncIterable<Piece>;
  /** The same for a tool's own request: what its client sent goes to the service, and the service's objects come back. */
  call(request: CallRequest, signal: AbortSignal): AsyncIterable<Piece>;
  /** The ids of the models that the service offers, default first. Throws `UpstreamError`. */
  models(): Promise<string[]>;
  /** If there are several services. */
  readonly services?: Services;
}
