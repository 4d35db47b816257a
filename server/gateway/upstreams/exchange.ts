import * as http from 'node:http';
import * as https from 'node:https';
import type { Route } from '../../platform/outbound.ts';
import { UpstreamError } from '../stream.ts';
import { Inflater } from './inflater.ts';

/** The service's address and the proxy to reach it. */
export interface Target extends Route {
  url: URL;
}

export interface Waits {
  connectMs: number;
  firstByteMs: number;
}

/**
 * The connection broke before any of the answer arrived. `again` is true if the service cannot have started work: it
 * was never reached, or a kept-alive connection was already closed. Only then is a retry sure not to cost twice.
 */
export class NotAnswered extends Error {
  constructor(
    readonly failure: UpstreamError,
    readonly again: boolean,
  ) {
    super(failure.message);
  }
}

/**
 * Sends `payload` as a POST and resolves with the response head, whatever its status. Doesn't follow redirects. Throws
 * `NotAnswered` or the signal's reason. An abort closes the connection.
 */
export function post(
  target: Target,
  payload: string,
  waits: Waits,
  signal: AbortSignal,
): Promise<http.IncomingMessage> {
  const { url, agent, path } = target;
  const request = (url.protocol === 'https:' ? https : http).request(url, {
    method: 'POST',
    agent,
    path,
    headers: { ...target.headers, 'content-length': Buffer.byteLength(payload) },
  });
  const response = responseTo(request, waits, signal);
  // Not from within a listener: that would keep the payload in memory until the answer has ended.
  request.end(payload);
  return response;
}

function responseTo(request: http.ClientRequest, waits: Waits, signal: AbortSignal): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    let connected = false;
    const settle = (act: () => void) => {
      clearTimeout(connecting);
      clearTimeout(waiting);
      signal.removeEventListener('abort', abort);
      act();
    };
    const fail = (failure: UpstreamError, again: boolean) => {
      settle(() => reject(new NotAnswered(failure, again)));
      request.destroy();
    };
    const abort = () => {
      settle(() => reject(signal.reason));
      request.destroy();
    };
    const connecting = setTimeout(
      () => fail(unreachable(`no connection in ${waits.connectMs} ms`), true),
      waits.connectMs,
    );
    const waiting = setTimeout(() => fail(timedOut(`no head in ${waits.firstByteMs} ms`), false), waits.firstByteMs);
    const onConnect = () => {
      connected = true;
      clearTimeout(connecting);
    };
    signal.addEventListener('abort', abort, { once: true });
    request.on('socket', (socket) => {
      if (!socket.connecting) return onConnect();
      socket.once('connect', onConnect);
    });
    request.on('response', (response) => settle(() => resolve(response)));
    // Keep this listener after settling: a connection that we destroy still reports its error here.
    request.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? '';
      if (code.startsWith('HPE_')) fail(malformed(`no HTTP: ${code}`, error), false);
      else if (!connected || !/^(ECONNRESET|EPIPE)$/.test(code)) fail(unreachable(code, error), !connected);
      else fail(broken('closed the connection without an answer', error), request.reusedSocket);
    });
  });
}

/** How often an answer is read once it has begun: its pieces cost less together, and nobody reads faster. */
export interface Pace {
  leastMs: number;
  /** Of a busy process, which reads all of its answers 1,000 times a second. */
  mostMs: number;
}

const AT_ONCE: Pace = { leastMs: 0, mostMs: 0 };
/** The time between two pieces grows by this for each open body: all together are read 1,000 times a second. */
const EACH_MS = 1;
let openBodies = 0;

/** So many bytes are passed on at once, as a slow reader would have to keep them all. */
const MAX_COLLECTED_BYTES = 16_384;
/** Above this many unread bytes, backpressure makes the service wait. */
const MAX_WAITING_BYTES = 1_000_000;

/** A response body, read piece by piece, with its content encodings undone. Always call `close`. */
export class Body {
  /** Read from the stream at once, because a connection that breaks discards what the stream still holds. */
  #pieces: Buffer[] = [];
  #waitingBytes = 0;
  #wake: ((isDue: boolean) => void) | null = null;
  #takenAt = Number.NEGATIVE_INFINITY;
  #ended = false;
  #closed = false;
  #error: Error | null = null;
  readonly #inflater: Inflater;
  readonly #onData = (piece: Buffer) => {
    if (!this.#inflater.write(piece)) this.response.pause();
  };
  /** Nothing comes any more after an abort. */
  #isCut = false;
  /** What has come before an abort is billed, so what waits in the socket is read first. */
  readonly #onAbort = () => {
    setImmediate(() => this.#cut());
  };

  constructor(
    readonly response: http.IncomingMessage,
    private readonly signal: AbortSignal,
  ) {
    openBodies++;
    this.#inflater = Inflater.of(
      response.headers['content-encoding'],
      { data: (piece) => this.#receive(piece), end: (error) => this.#end(error) },
      () => this.#flow(),
    );
    response.on('end', () => this.#inflater.end());
    response.on('close', () => this.#inflater.end());
    response.on('error', (error) => {
      this.#error ??= error;
      this.#inflater.end();
    });
    response.on('data', this.#onData);
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.#cut();
  }

  /**
   * All bytes since the last call; waits at most `timeoutMs`. With a pace, collects them until the next piece is due, there
   * are many, or the body ends. Returns `'end'` once the body has ended properly, `'timeout'` if nothing came. Throws the
   * cause if the connection broke, or the signal's reason once all that had come before is taken.
   */
  async next(timeoutMs: number, { leastMs, mostMs }: Pace = AT_ONCE): Promise<Buffer | 'end' | 'timeout'> {
    const everyMs = Math.max(leastMs, Math.min(openBodies * EACH_MS, mostMs));
    const collectMs = this.#takenAt + everyMs - performance.now();
    if (collectMs > 0 && !this.#isDue) await this.#change(collectMs, true);
    for (;;) {
      if (this.#pieces.length > 0) return this.#take();
      if (this.#isCut) throw this.signal.reason;
      if (this.#error) throw this.#error;
      if (this.#ended) {
        if (this.response.complete) return 'end';
        throw new Error('the connection was closed in the middle of the body');
      }
      if (!(await this.#change(timeoutMs))) return 'timeout';
    }
  }

  #take(): Buffer {
    this.#takenAt = performance.now();
    const pieces = this.#pieces;
    this.#pieces = [];
    const wasFull = this.#waitingBytes > MAX_WAITING_BYTES;
    this.#waitingBytes = 0;
    if (wasFull) this.#flow();
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  /** Resolves with true if something happened in time; while collecting, only if no more is to be collected. */
  #change(timeoutMs: number, isCollecting = false): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (happened: boolean) => {
        clearTimeout(timer);
        this.#wake = null;
        resolve(happened);
      };
      const timer = setTimeout(settle, timeoutMs, false);
      this.#wake = (isDue) => {
        if (isDue || !isCollecting) settle(true);
      };
    });
  }

  #receive(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#waitingBytes += piece.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      this.#inflater.pause();
      this.response.pause();
    }
    this.#wake?.(this.#isDue);
  }

  /** What has come is not collected any longer. */
  get #isDue(): boolean {
    return this.#ended || this.#isCut || this.#waitingBytes >= MAX_COLLECTED_BYTES;
  }

  #flow(): void {
    if (this.#waitingBytes > MAX_WAITING_BYTES) return;
    this.#inflater.resume();
    this.response.resume();
  }

  #cut(): void {
    this.#isCut = true;
    this.response.destroy();
    this.#wake?.(true);
  }

  #end(error?: Error): void {
    this.#error ??= error ?? null;
    this.#ended = true;
    this.#wake?.(true);
  }

  /** The body as text, cut off at `limit` bytes or after `timeoutMs` of silence. Throws the signal's reason. */
  async text(limit: number, timeoutMs: number): Promise<{ text: string; whole: boolean }> {
    const pieces: Buffer[] = [];
    let length = 0;
    let whole = false;
    try {
      while (length <= limit) {
        const piece = await this.next(timeoutMs);
        whole = piece === 'end';
        if (typeof piece === 'string') break;
        pieces.push(piece);
        length += piece.length;
      }
    } catch (error) {
      if (this.signal.aborted) throw error;
    }
    return { text: Buffer.concat(pieces).subarray(0, limit).toString('utf8'), whole };
  }

  /**
   * Releases the connection. With `keep`, the answer was read to its last event: the little that follows is discarded
   * and the connection is reused. Without it, the connection is closed at once, which stops the service's work.
   */
  close(keep: boolean): void {
    this.signal.removeEventListener('abort', this.#onAbort);
    this.response.off('data', this.#onData);
    this.#pieces = [];
    this.#inflater.destroy();
    if (!this.#closed) openBodies--;
    this.#closed = true;
    if (this.#ended) return;
    if (!keep) {
      this.response.destroy();
      return;
    }
    const timer = setTimeout(() => this.response.destroy(), 1_000).unref();
    this.response.once('close', () => clearTimeout(timer));
    this.response.resume();
  }
}

export function timedOut(logDetail: string): UpstreamError {
  return new UpstreamError('upstream_timeout', 'The model service did not answer in time. Try again.', { logDetail });
}

export function broken(logDetail: string, cause?: unknown): UpstreamError {
  const options = { logDetail, cause };
  return new UpstreamError('upstream_failed', 'The model service stopped in the middle of the answer.', options);
}

export function malformed(logDetail: string, cause?: unknown): UpstreamError {
  const options = { logDetail, cause };
  return new UpstreamError('upstream_malformed', 'The model service sent something unreadable.', options);
}

export function unreachable(logDetail: string, cause?: unknown): UpstreamError {
  const options = { logDetail, cause };
  return new UpstreamError('upstream_unreachable', 'The model service cannot be reached. Try again later.', options);
}
