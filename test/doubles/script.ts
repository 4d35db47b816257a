import type * as http from 'node:http';

export interface ReportedUsage {
  prompt_tokens: number;
  completion_tokens: number;
  [more: string]: unknown;
}

/** What the double does for one request. Plain JSON, so that another process can send it over HTTP. */
export interface Script {
  /** Only for requests whose last user message contains this text. Without it, for the next request. */
  when?: string;
  /** How many requests it serves before the next script; default 1. `0`: all further requests. */
  times?: number;

  /** The answer, split into words; each piece is billed as one token. */
  text?: string;
  /** The answer's pieces, one token each. */
  pieces?: string[];
  /** Thoughts before the answer, sent as `reasoning_content`, one token each. */
  thoughts?: string[];
  /** Tool calls after the text, each argument piece one token. Their finish_reason is `tool_calls`. */
  tools?: { id: string; name: string; arguments: string[] }[];
  /** Milliseconds between two pieces; by default, all are sent at once. */
  everyMs?: number;
  /** Pauses before this piece, or each of these, until the test opens the gate. The number of pieces means the end. */
  gateAt?: number | number[];

  /** How to report usage. By default as OpenAI does, in a chunk without choices. */
  usage?: 'chunk' | 'none' | 'zero' | 'choices' | 'every chunk' | 'moonshot' | ReportedUsage;
  /** How many tokens of input are billed and reported, if not as many as the request has. */
  inputTokens?: number;
  /** The finish_reason; null sends none. Default `stop`, or `length` at the request's limit. */
  finish?: string | null;
  /** How the stream ends after its last piece; default `done`, which is finish, usage and `[DONE]`. */
  end?:
    | 'done'
    | 'no [DONE]'
    | 'eof'
    | 'destroy'
    | 'hang'
    | 'hang after finish'
    | 'malformed'
    | 'half an event'
    | 'error'
    | 'endless line'
    | 'comments';
  /** The error object of `end: 'error'`. */
  error?: Record<string, unknown>;
  /** How to split the bytes: CRLF line ends, single bytes, a comment before each event. */
  wire?: ('crlf' | 'bytes' | 'comments')[];
  /** Sends the whole answer as one JSON object although the request asked for a stream. */
  whole?: boolean;

  /**
   * Sends exactly these bytes as the body, in these pieces, instead of an answer; strings are UTF-8. Use it with
   * `status` (default 200) and `headers`; `end` may be `hang` or `destroy`. It is billed as zero, and its usage is not
   * reported.
   */
  raw?: (string | Uint8Array)[];
  /** Answers with this status instead of a stream. */
  status?: number;
  headers?: Record<string, string>;
  /** The body for `status`: JSON if it is an object. */
  body?: string | Record<string, unknown>;
  /** Instead of any response: never answers, or closes the connection. */
  instead?: 'hang' | 'close';
}

/** Scripts for common failures. */
export const FAILURES = {
  busy: (retryAfter?: string): Script => ({
    status: 429,
    headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
    body: errorBody('Rate limit reached', 'requests', 'rate_limit_exceeded'),
  }),
  broken: { status: 500, body: errorBody('The server had an error', 'server_error') },
  wrongKey: { status: 401, body: errorBody('Incorrect API key provided', 'invalid_request_error', 'invalid_api_key') },
  noMoney: {
    status: 429,
    body: errorBody('You exceeded your current quota', 'insufficient_quota', 'insufficient_quota'),
  },
  noModel: { status: 404, body: errorBody('The model does not exist', 'invalid_request_error', 'model_not_found') },
  tooLong: {
    status: 400,
    body: errorBody(
      "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
      'invalid_request_error',
      'context_length_exceeded',
    ),
  },
  html: { status: 200, headers: { 'content-type': 'text/html' }, body: '<!doctype html><title>Welcome</title>' },
  diesInMiddle: { pieces: ['It ', 'was ', 'a ', 'dark '], end: 'destroy' },
  malformed: { pieces: ['It ', 'was '], end: 'malformed' },
  refusal: { pieces: ['I ', "can't."], finish: 'content_filter' },
} as const satisfies Record<string, Script | ((...args: never[]) => Script)>;

export function errorBody(message: string, type: string, code: string | null = null): Record<string, unknown> {
  return { error: { message, type, param: null, code } };
}

/** One request on the double's own bill. */
export interface BillEntry {
  id: number;
  path: string;
  headers: http.IncomingHttpHeaders;
  body: ChatBody;
  state: 'open' | 'complete' | 'refused' | 'failed' | 'aborted';
  /**
   * The billed usage: cached tokens are part of the input; the output is all that was generated, even if it was not
   * sent or read.
   */
  inputTokens: number;
  cachedInputTokens: number;
  outputTokens: number;
  /** Whether this usage was reported to the caller. */
  reported: boolean;
  /** Epoch milliseconds with fractions. */
  receivedAtMs: number;
  firstPieceAtMs: number | null;
  endedAtMs: number | null;
}

export interface ChatBody {
  model?: string;
  /** Tools send content in parts, too; most tests send a string. */
  messages?: { role: string; content: string; tool_calls?: unknown }[];
  stream?: boolean;
  stream_options?: { include_usage?: boolean };
  max_tokens?: number;
  max_completion_tokens?: number;
  [more: string]: unknown;
}

export const USUAL: Script = { text: 'Hello. This is an answer of the double.' };

/** Follows a scripted answer in a test. */
export interface Call {
  /** The request arrived. */
  readonly received: Promise<BillEntry>;
  /** All pieces before the first gate are sent. */
  readonly atGate: Promise<BillEntry>;
  /** The answer ended, for whatever reason. */
  readonly ended: Promise<BillEntry>;
  /** Opens all gates, so that the answer runs to its end. */
  open(): void;
  /** Continues to the next gate. Resolves there, or at the end of the answer. */
  step(): Promise<BillEntry>;
}

/** A promise with its resolver; it never rejects. */
class Signal<T> {
  resolve!: (value: T) => void;
  readonly promise = new Promise<T>((resolve) => {
    this.resolve = resolve;
  });
}

/** A script while the double carries it out. */
export class Scripted implements Call {
  readonly came = new Signal<BillEntry>();
  readonly reachedGate = new Signal<BillEntry>();
  readonly over = new Signal<BillEntry>();
  #gate = new Signal<void>();
  #next = new Signal<BillEntry>();
  #isOpen = false;
  readonly received = this.came.promise;
  readonly atGate = this.reachedGate.promise;
  readonly ended = this.over.promise;
  left: number;

  constructor(readonly script: Script) {
    this.left = script.times ?? 1;
  }

  open(): void {
    this.#isOpen = true;
    this.#gate.resolve();
  }

  async step(): Promise<BillEntry> {
    await Promise.race([this.atGate, this.ended]);
    const next = new Signal<BillEntry>();
    const gate = this.#gate;
    this.#next = next;
    this.#gate = new Signal<void>();
    gate.resolve();
    return Promise.race([next.promise, this.ended]);
  }

  /** Called by the answer at a gate: resolves when it may continue. */
  async pass(entry: BillEntry): Promise<void> {
    const gate = this.#gate;
    this.reachedGate.resolve(entry);
    this.#next.resolve(entry);
    if (!this.#isOpen) await gate.promise;
  }

  isGate(piece: number): boolean {
    return [this.script.gateAt].flat().includes(piece);
  }
}

/** The body of `POST /control`, carried out in this order. `open` opens the gates of all answers, also of those that are not asked for yet. */
export interface ControlOrder {
  reset?: boolean;
  usual?: Script;
  scripts?: Script[];
  open?: boolean;
}
