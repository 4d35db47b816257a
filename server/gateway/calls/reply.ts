import type { ServerResponse } from 'node:http';
import { PROBLEMS, type Problem } from '../../../shared/problems.ts';
import { writePiece } from '../../platform/http/streams.ts';
import { ChatStream } from '../dialects/chat/stream.ts';
import type { Ending } from '../runs/receive.ts';
import type { Piece } from '../stream.ts';
import type { Reply } from './call.ts';
import type { AnswerHead, Collector, DialectCall, Writer } from './dialect.ts';
import { NativeAnswer } from './nativeAnswer.ts';

/** `gone`: nobody is there to be told. */
type Outcome = { kind: 'begun' } | { kind: 'gone' } | { kind: 'refused'; problem: Problem; mayBeCharged: boolean };

/** Common to both forms: the chunks, whether the client is there, and what the route is told first. */
abstract class ChatReply implements Reply {
  readonly #gone = new AbortController();
  #settle: (outcome: Outcome) => void = () => {};
  /** Resolves when the answer begins, or with the problem if it does not. */
  readonly begun: Promise<Outcome>;
  protected readonly chat: ChatStream;

  constructor(
    protected readonly out: ServerResponse,
    { id, model, createdSeconds }: AnswerHead,
    wantsUsage: boolean,
  ) {
    this.chat = new ChatStream({ id: `chatcmpl-${id}`, model, createdSeconds, wantsUsage });
    this.begun = new Promise((resolve) => {
      this.#settle = resolve;
    });
    out.on('close', () => this.#gone.abort());
    if (out.destroyed || out.closed) this.#gone.abort();
  }

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /**
   * In a header, because a client shows the name that it asked for. A stream with a sign of life has its headers, and
   * gets a comment, which every client of server-sent events skips.
   */
  answeredBy(model: string): void {
    const name = encodeURI(model);
    if (!this.out.headersSent) this.out.setHeader('x-perigee-model', name);
    else if (!this.gone.aborted) this.out.write(`: x-perigee-model: ${name}\n\n`);
  }

  abstract get isFinished(): boolean;
  abstract pass(piece: Piece): void | Promise<void>;
  abstract end(ending: Ending): void;

  fail(problem: Problem, mayBeCharged = false): void {
    this.#settle(this.gone.aborted ? { kind: 'gone' } : { kind: 'refused', problem, mayBeCharged });
  }

  protected begin(headers: Record<string, string | number>): void {
    this.out.writeHead(200, headers);
    this.#settle({ kind: 'begun' });
  }

  /** The last chunks. An answer that Perigee cut off was cut by its limit, whatever the service would have said. */
  protected endOfChat({ cutShort, charged, usage }: Ending): Record<string, unknown>[] {
    if (cutShort) this.chat.finish = 'length';
    return this.chat.end(charged ?? usage);
  }

  /** Ends the connection: of a client that is too slow, or whose key or session has ended. */
  leave(): void {
    this.#gone.abort();
    this.out.destroy();
  }
}

/** `response.created` and `response.in_progress`. */
const OPENING_EVENTS = 2;

/** A streamed answer: server-sent events, as they come. */
export class StreamReply extends ChatReply {
  readonly #writer: Writer;
  /** If a service answers that speaks the client's dialect. */
  #native: NativeAnswer | null = null;
  readonly #words;
  readonly #model: string;
  readonly #id: string;
  readonly #requestId: string;
  readonly #silence: NodeJS.Timeout;
  #isBegun = false;

  /** `silenceMs`: how long nothing is sent before a sign of life is. */
  constructor(out: ServerResponse, head: AnswerHead, call: DialectCall, silenceMs: number) {
    super(out, head, call.wantsUsage);
    this.#writer = call.stream(head);
    this.#words = call.native?.words;
    this.#model = head.model;
    this.#id = head.id;
    this.#requestId = head.requestId;
    this.#silence = setInterval(() => this.#ping(), silenceMs);
    out.once('close', () => clearInterval(this.#silence));
  }

  get isFinished(): boolean {
    return this.#native ? this.#native.isFinished : this.chat.finish !== null;
  }

  pass({ chunks, native }: Piece): void | Promise<void> {
    let text = '';
    if (native && this.#words) {
      const opening = this.#isBegun ? { id: `resp_${this.#id}`, events: OPENING_EVENTS } : null;
      this.#native ??= new NativeAnswer(this.#words, this.#model, opening);
      text = this.#native.take(native);
    } else for (const chunk of chunks) text += this.#write(this.chat.take(chunk));
    if (text === '') return;
    this.#begin();
    this.#silence.refresh();
    // Nothing to wait for in nearly all cases.
    if (this.gone.aborted || (this.out.write(text) && !this.out.writableNeedDrain)) return;
    return writePiece(this.out, '', this.gone).then((isThere) => {
      if (!isThere) this.leave();
    });
  }

  end(ending: Ending): void {
    clearInterval(this.#silence);
    this.#begin();
    const rest = this.#native
      ? this.#native.end(ending.charged ?? ending.usage)
      : this.#write(this.endOfChat(ending)) + this.#writer.end();
    if (rest === null) this.fail(this.#unbegun);
    else this.out.end(rest);
  }

  override fail(problem: Problem, mayBeCharged = false): void {
    clearInterval(this.#silence);
    super.fail(problem, mayBeCharged);
    if (!this.#isBegun) return;
    if (this.gone.aborted) this.out.destroy();
    else this.out.write(this.#native?.fail(problem) ?? this.#writer.fail(problem), () => this.out.destroy());
  }

  /** The service went on to the limit without ever opening its answer. */
  get #unbegun(): Problem {
    const code = 'upstream_malformed';
    const detail = 'The model service sent something unreadable.';
    return { type: `urn:perigee:problem:${code}`, ...PROBLEMS[code], code, detail, requestId: this.#requestId };
  }

  #write(chunks: readonly Record<string, unknown>[]): string {
    let text = '';
    for (const chunk of chunks) text += this.#writer.take(chunk);
    return text;
  }

  /** From here on a failure can be told in the stream alone, not by a status. */
  #ping(): void {
    if (this.gone.aborted || this.out.writableNeedDrain) return;
    this.#begin();
    this.out.write((this.#native ?? this.#writer).ping());
  }

  #begin(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    this.begin({ 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
  }
}

/** An answer in one piece, whether the service streams it or not. */
export class WholeReply extends ChatReply {
  readonly #whole: Collector;
  #native: Record<string, unknown> | null = null;
  readonly #words;
  readonly #model: string;

  constructor(out: ServerResponse, head: AnswerHead, call: DialectCall) {
    super(out, head, true);
    this.#whole = call.whole(head);
    this.#words = call.native?.words;
    this.#model = head.model;
  }

  /** The client has nothing before it has all. */
  get isFinished(): boolean {
    return false;
  }

  pass({ chunks, native }: Piece): void {
    this.#native = native?.[0] ?? this.#native;
    for (const chunk of chunks) for (const due of this.chat.take(chunk)) this.#whole.add(due);
  }

  end(ending: Ending): void {
    if (this.#native) this.#words?.rename(this.#native, this.#model);
    else for (const due of this.endOfChat(ending)) this.#whole.add(due);
    const body = JSON.stringify(this.#native ?? this.#whole.end());
    this.begin({ 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
    this.out.end(body);
  }
}
