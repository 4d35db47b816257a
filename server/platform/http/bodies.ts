import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import type { z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { AppError } from '../errors.ts';
import { JsonBounds } from '../values/jsonBounds.ts';
import type { AppContext, AppEnv, BodyLimit } from './env.ts';

export const KB = 1024;
export const MB = 1024 * KB;

/** A body larger than this is read only while there is room, and after the route's own early checks. */
const LARGE = 64 * KB;
/** All large bodies together, from the first byte until the answer. Parsed, they take a few times as much memory. */
const MAX_AT_ONCE = 64 * MB;
/** The large bodies of one account: two of the largest, so that one account can't take all the room. */
const MAX_OF_ONE = 16 * MB;
/** A body that sends nothing for this long is refused. */
const MAX_PAUSE_MS = 20_000;
/** How much of a large body a route can inspect before the rest is read. */
const HEAD = 4 * KB;

const TYPES: Record<BodyLimit['type'], { pattern: RegExp; hint: string }> = {
  json: {
    pattern: /^application\/(\S+\+)?json\s*(;|$)/i,
    hint: 'Send the body as JSON, with "content-type: application/json".',
  },
  form: {
    pattern: /^(application\/x-www-form-urlencoded|multipart\/form-data)\s*(;|$)/i,
    hint: 'Send the body as a form.',
  },
  text: { pattern: /^/, hint: '' },
  bytes: { pattern: /^/, hint: '' },
};

/** A route's JSON body, by its contract and its maximum size. The size is in /openapi.json, too. */
export function jsonBody<S extends z.ZodType>(schema: S, maxBytes: number) {
  return { required: true, content: { 'application/json': { schema } }, ...sized(maxBytes) };
}

/** A body that the route needs as the exact bytes sent. */
export function textBody(description: string, maxBytes: number) {
  const schema = { type: 'object' as const, description };
  return { required: true, content: { 'application/json': { schema } }, ...sized(maxBytes), 'x-type': 'text' as const };
}

/** A body that is no text. The route reads it by `readBytes`, after its own checks; its content-type is not looked at. */
export function bytesBody(description: string, maxBytes: number) {
  const schema = { type: 'string' as const, format: 'binary' as const, description };
  const content = { 'application/octet-stream': { schema } };
  return { required: true, content, ...sized(maxBytes), 'x-type': 'bytes' as const };
}

export const readBytes = async (c: AppContext): Promise<Uint8Array> => new Uint8Array(await c.req.arrayBuffer());

const sized = (maxBytes: number) => ({ description: `at most ${sizeOf(maxBytes)}`, 'x-max-bytes': maxBytes });

/** The type and size limit of an OpenAPI route's body. Throws if the route declares no size: no server starts then. */
export function limitOf(route: { method: string; path: string; request?: { body?: object } }): BodyLimit | null {
  const body = route.request?.body as { 'x-max-bytes'?: number; 'x-type'?: 'text' | 'bytes' } | undefined;
  if (!body) return null;
  const maxBytes = body['x-max-bytes'];
  if (maxBytes === undefined)
    throw new Error(`${route.method} ${route.path}: say by jsonBody how large its body may be`);
  return { maxBytes, type: body['x-type'] ?? 'json' };
}

/**
 * Runs before every route. A body is read only if its route declares it with `takesBody`, and only up to that limit. It
 * is read on first use, so that the route's earlier checks can refuse a request without reading its body.
 */
export function bodyGate(maxPauseMs = MAX_PAUSE_MS): MiddlewareHandler<AppEnv> {
  const room = new Room();
  return async (c, next) => {
    // GET and HEAD have no body here.
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next();
    const place = new Place(room);
    c.set('leaveRoom', () => place.leave());
    let body: Promise<Uint8Array<ArrayBuffer>> | null = null;
    let text: Promise<string> | null = null;
    const read = () => (body ??= readBody(c, place, maxPauseMs));
    // Hono's own `json`, `text` and `parseBody` look here first.
    Object.defineProperties(c.req.bodyCache, {
      text: { enumerable: true, get: () => (text ??= read().then((bytes) => new TextDecoder().decode(bytes))) },
      arrayBuffer: { enumerable: true, get: () => read().then((bytes) => bytes.buffer) },
    });
    try {
      await next();
    } finally {
      place.leave();
    }
  };
}

/** Declares a route's body, and refuses a request at once if its headers name a wrong type, encoding or size. */
export function takesBody(limit: BodyLimit): MiddlewareHandler<AppEnv> & { limit: BodyLimit } {
  const { maxBytes, type } = limit;
  const { pattern, hint } = TYPES[type];
  const middleware: MiddlewareHandler<AppEnv> = async (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next();
    const encoding = encodingOf(c);
    if (encoding !== 'identity' && !limit.mayBeCompressed)
      throw new AppError('invalid_request', 'The body is compressed. Send it uncompressed.');
    if (encoding !== 'identity' && !DECODERS[encoding])
      throw new AppError(
        'unsupported_encoding',
        `This server reads bodies that are plain, or compressed by ${Object.keys(DECODERS).join(', ')}.`,
      );
    if (Number(c.req.header('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes);
    if (type === 'json' && isSaidToBeEmpty(c)) throw emptyBody();
    if (!pattern.test(c.req.header('content-type') ?? '')) throw new AppError('invalid_request', hint);
    c.set('bodyLimit', limit);
    await next();
  };
  return Object.assign(middleware, { limit });
}

/** Reads the body before a validator does, because the validator would report every refusal as malformed JSON. */
export const readsBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  await c.req.text();
  await next();
};

/**
 * Lets a route inspect the first few KB of a large body before the rest is read, so that a refusal costs as little as
 * for a small body. A small body is passed whole.
 */
export function beforeLargeBody(c: AppContext, look: (head: string) => Promise<void>): void {
  c.set('beforeLargeBody', look);
}

/** How many bytes of large bodies are being read, for each account and in all. */
class Room {
  all = 0;
  readonly ofOne = new Map<string, number>();

  add(who: string, bytes: number): void {
    this.all += bytes;
    const own = (this.ofOne.get(who) ?? 0) + bytes;
    if (own === 0) this.ofOne.delete(who);
    else this.ofOne.set(who, own);
  }
}

/** One body's share of the room. */
class Place {
  #bytes = 0;
  #who = '';

  constructor(private readonly room: Room) {}

  /** Throws `unavailable` if there is not enough room. */
  take(bytes: number, who: string): void {
    this.room.add(who, bytes - this.#bytes);
    this.#bytes = bytes;
    this.#who = who;
    if (this.room.all <= MAX_AT_ONCE && this.room.ofOne.get(who)! <= MAX_OF_ONE) return;
    const message = 'Too many large requests arrive at once. Nothing was started; try again in a moment.';
    throw new AppError('unavailable', message);
  }

  leave(): void {
    if (this.#bytes > 0) this.room.add(this.#who, -this.#bytes);
    this.#bytes = 0;
  }
}

async function readBody(c: AppContext, place: Place, maxPauseMs: number): Promise<Uint8Array<ArrayBuffer>> {
  const limit = c.get('bodyLimit');
  if (!limit) throw new Error(`${c.req.method} ${c.req.path}: a body is read that the route does not declare`);
  const { maxBytes, type } = limit;
  const isPlain = encodingOf(c) === 'identity';
  const bounds = type === 'json' && isPlain ? new JsonBounds(limit.json) : null;
  const body = new Gathered();
  let look = c.get('beforeLargeBody');
  const isSaidToBeLarge = Number(c.req.header('content-length') ?? 0) > LARGE;
  for await (const piece of piecesOf(c.env.incoming, maxPauseMs)) {
    if (body.size + piece.length > maxBytes) throw tooLarge(maxBytes);
    body.add(piece);
    if (look && (body.size > LARGE || (isSaidToBeLarge && body.size >= HEAD))) {
      await look(body.head(HEAD));
      look = undefined;
    }
    const misfit = bounds?.read(piece);
    if (misfit) throw new AppError('invalid_request', `${misfit} Nothing was started: send less.`);
    if (body.size > LARGE) place.take(body.size, c.get('accountId') ?? '');
  }
  const decode = DECODERS[encodingOf(c)];
  if (!decode) return orEmpty(body.whole(), type);
  // Room for all that it may become: a few KB could stand for the largest body.
  const most = Math.min(maxBytes, Math.max(MB, body.size * MAX_RATIO));
  place.take(most, c.get('accountId') ?? '');
  const plain = await decoded(decode, body.whole(), most);
  if (plain.length > LARGE) place.take(plain.length, c.get('accountId') ?? '');
  else place.leave();
  const misfit = (type === 'json' ? new JsonBounds(limit.json) : null)?.read(Buffer.from(plain.buffer));
  if (misfit) throw new AppError('invalid_request', `${misfit} Nothing was started: send less.`);
  return orEmpty(plain, type);
}

/** Neither a length nor pieces: `curl -X POST` without its `--data`. */
const isSaidToBeEmpty = (c: AppContext) =>
  Number(c.req.header('content-length') ?? 0) === 0 && c.req.header('transfer-encoding') === undefined;

const emptyBody = () => new AppError('invalid_json', 'The body is empty. Send a JSON object. Nothing was started.');

/** Throws if JSON is expected and nothing came but white space. */
function orEmpty<B extends Uint8Array>(bytes: B, type: BodyLimit['type']): B {
  if (type === 'json' && bytes.every((byte) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09))
    throw emptyBody();
  return bytes;
}

const encodingOf = (c: AppContext) => (c.req.header('content-encoding') ?? 'identity').trim().toLowerCase();

type Decoder = (bytes: Uint8Array<ArrayBuffer>, options: { maxOutputLength: number }) => Promise<Uint8Array>;
const decoder = (decode: typeof gunzip) => promisify(decode) as Decoder;

/** The encodings of RFC 9110 that Node decodes. */
const DECODERS: Record<string, Decoder | undefined> = {
  gzip: decoder(gunzip),
  'x-gzip': decoder(gunzip),
  deflate: decoder(inflate),
  br: promisify(brotliDecompress) as Decoder,
};

/** JSON of code and prose is compressed to a fifth or so; a conversation that repeats itself, to some hundredth. */
const MAX_RATIO = 100;

/** A few compressed bytes may stand for gigabytes, so decoding stops at the limit. */
async function decoded(
  decode: Decoder,
  bytes: Uint8Array<ArrayBuffer>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return Uint8Array.from(await decode(bytes, { maxOutputLength: maxBytes }));
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
    throw new AppError('invalid_request', 'The body is not what its content-encoding says. Nothing was started.');
  }
}

/** The bytes received so far, in one buffer: a million 1-byte chunks would take a hundred times their size. */
class Gathered {
  size = 0;
  #bytes = new Uint8Array(4 * KB);

  add(piece: Uint8Array): void {
    if (this.size + piece.length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.size + piece.length, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.size));
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.size);
    this.size += piece.length;
  }

  head(bytes: number): string {
    return Buffer.from(this.#bytes.buffer, 0, Math.min(bytes, this.size)).toString();
  }

  whole(): Uint8Array<ArrayBuffer> {
    return this.size === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.size);
  }
}

/** The chunks of a body. A reader that stops early leaves the connection open, so that the answer can still be sent. */
async function* piecesOf(incoming: IncomingMessage, maxPauseMs: number): AsyncGenerator<Buffer> {
  const said = `The rest of the body did not arrive within ${Math.ceil(maxPauseMs / 1000)} s. Nothing was started: send it again.`;
  const pieces: AsyncIterator<Buffer> = incoming.iterator({ destroyOnReturn: false });
  let giveUp: (reason: Error) => void = () => {};
  const pause = setTimeout(() => giveUp(new AppError('invalid_request', said)), maxPauseMs);
  try {
    for (;;) {
      const next = await new Promise<IteratorResult<Buffer>>((resolve, reject) => {
        giveUp = reject;
        pause.refresh();
        pieces.next().then(resolve, reject);
      });
      if (next.done) return;
      yield next.value;
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    // The client is gone, so no one reads this answer. It is not a failure of the server.
    throw new AppError(
      'invalid_request',
      'The connection was closed before the whole body arrived.',
      {},
      { cause: error },
    );
  } finally {
    clearTimeout(pause);
    // Not awaited: it would wait for the stalled chunk.
    pieces.return?.().catch(() => {});
  }
}

function tooLarge(maxBytes: number): AppError {
  return new AppError(
    'payload_too_large',
    `The body may have at most ${sizeOf(maxBytes)}. Nothing was started: send less.`,
  );
}

const sizeOf = (bytes: number) => (bytes >= MB ? `${bytes / MB} MB` : `${bytes / KB} KB`);
