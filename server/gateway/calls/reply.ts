import type { ServerResponse } from 'node:http';
import type { Problem } from '../../../shared/problems.ts';
import { writePiece } from '../../platform/http/streams.ts';
import { ChatStream, type StreamHead } from '../dialects/chat/stream.ts';
import { WholeAnswer } from '../dialects/chat/whole.ts';
import type { Ending } from '../runs/receive.ts';
import type { Reply } from './call.ts';

/** The body of an error, in the dialect's shape. */
export type ErrorBody = (problem: Problem) => string;

/** `gone`: nobody is there to be told. */
type Outcome = { kind: 'begun' } | { kind: 'gone' } | { kind: 'refused'; problem: Problem };

/** Common to both forms: whether the client is there, and what the route is told first. */
abstract class ChatReply implements Reply {
  readonly #gone = new AbortController();
  #settle: (outcome: Outcome) => void = () => {};
  /** Resolves when the answer begins, or with the problem if it does not. */
  readonly begun: Promise<Outcome>;

  constructor(protected readonly out: ServerResponse) {
    this.begun = new Promise((resolve) => {
      this.#settle = resolve;
    });
    out.on('close', () => this.#gone.abort());
    if (out.destroyed || out.closed) this.#gone.abort();
  }

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  abstract get isFinished(): boolean;
  abstract pass(chunks: readonly Record<string, unknown>[]): void | Promise<void>;
  abstract end(ending: Ending): void;

  fail(problem: Problem): void {
    this.#settle(this.gone.aborted ? { kind: 'gone' } : { kind: 'refused', problem });
  }

  protected begin(headers: Record<string, string | number>): void {
    this.out.writeHead(200, headers);
    this.#settle({ kind: 'begun' });
  }

  /** Ends the connection: of a client that is too slow, or whose key or session has ended. */
  leave(): void {
    this.#gone.abort();
    this.out.destroy();
  }
}

/** A streamed answer: server-sent events, as they come. */
export class StreamReply extends ChatReply {
  readonly #chat: ChatStream;
  #isBegun = false;

  constructor(
    out: ServerResponse,
    head: StreamHead & { wantsUsage: boolean },
    private readonly errorBody: ErrorBody,
  ) {
    super(out);
    this.#chat = new ChatStream(head);
  }

  get isFinished(): boolean {
    return this.#chat.finish !== null;
  }

  pass(chunks: readonly Record<string, unknown>[]): void | Promise<void> {
    let text = '';
    for (const chunk of chunks) for (const due of this.#chat.take(chunk)) text += frame(due);
    if (text === '') return;
    this.#begin();
    // Nothing to wait for in nearly all cases.
    if (this.gone.aborted || (this.out.write(text) && !this.out.writableNeedDrain)) return;
    return writePiece(this.out, '', this.gone).then((isThere) => {
      if (!isThere) this.leave();
    });
  }

  end(ending: Ending): void {
    this.#begin();
    const due = endOf(this.#chat, ending);
    this.out.end(`${due.map(frame).join('')}data: [DONE]\n\n`);
  }

  override fail(problem: Problem): void {
    super.fail(problem);
    if (!this.#isBegun) return;
    // Without `[DONE]` and with a cut connection, no client takes the half for the whole.
    if (this.gone.aborted) this.out.destroy();
    else this.out.write(`data: ${this.errorBody(problem)}\n\n`, () => this.out.destroy());
  }

  #begin(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    this.begin({ 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
  }
}

/** The last chunks. An answer that Perigee cut off was cut by its limit, whatever the service would have said. */
function endOf(chat: ChatStream, { cutShort, charged, usage }: Ending): Record<string, unknown>[] {
  if (cutShort) chat.finish = 'length';
  return chat.end(charged ?? usage);
}

const frame = (chunk: Record<string, unknown>) => `data: ${JSON.stringify(chunk)}\n\n`;

/** An answer in one piece, whether the service streams it or not. */
export class WholeReply extends ChatReply {
  readonly #chat: ChatStream;
  readonly #whole = new WholeAnswer();

  constructor(out: ServerResponse, head: StreamHead) {
    super(out);
    this.#chat = new ChatStream({ ...head, wantsUsage: true });
  }

  /** The client has nothing before it has all. */
  get isFinished(): boolean {
    return false;
  }

  pass(chunks: readonly Record<string, unknown>[]): void {
    for (const chunk of chunks) for (const due of this.#chat.take(chunk)) this.#whole.add(due);
  }

  end(ending: Ending): void {
    for (const due of endOf(this.#chat, ending)) this.#whole.add(due);
    const body = JSON.stringify(this.#whole.answer);
    this.begin({ 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
    this.out.end(body);
  }
}
