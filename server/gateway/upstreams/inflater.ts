import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';

/** A body that is compressed more often than this is an attack. */
const MAX_LAYERS = 3;
/** This many bytes are enough to tell text from compressed data. */
const HEAD_BYTES = 6;

/** Receives the decoded bytes. `end` is called once, with the error if there was one. */
export interface Sink {
  data(bytes: Buffer): void;
  end(error?: Error): void;
}

/** The body has an encoding that this Node version can't decode. */
export class UnknownEncoding extends Error {}

/**
 * Decodes a body's content encodings. The first bytes decide; the header counts only if they are inconclusive, because
 * some services declare an encoding that a proxy has already removed, and others compress without a header. It respects
 * backpressure: `pause` stops the output, and `write` returns false until `onDrain`.
 */
export class Inflater {
  #head: Buffer = Buffer.alloc(0);
  /** Undefined until the body's first bytes have arrived; null if the body isn't compressed. */
  #layer: Transform | null | undefined;
  #inner: Inflater | undefined;
  #isOver = false;

  constructor(
    private readonly declared: readonly string[],
    private readonly sink: Sink,
    private readonly onDrain: () => void,
    private readonly depth = 0,
  ) {}

  static of(header: string | undefined, sink: Sink, onDrain: () => void): Inflater {
    const declared = (header ?? '').split(',').map((name) => name.trim().toLowerCase().replace(/^x-/, ''));
    return new Inflater(
      declared.filter((name) => name !== '' && name !== 'identity'),
      sink,
      onDrain,
    );
  }

  write(bytes: Buffer): boolean {
    if (this.#isOver) return true;
    if (this.#layer === null) {
      this.sink.data(bytes);
      return true;
    }
    if (this.#layer) return this.#layer.write(bytes);
    this.#head = Buffer.concat([this.#head, bytes]);
    if (!this.#isDecidable()) return true;
    return this.#begin();
  }

  end(): void {
    if (this.#layer === undefined && !this.#isOver && this.#head.length > 0) this.#begin();
    if (this.#layer) this.#layer.end();
    else this.#finish();
  }

  pause(): void {
    this.#layer?.pause();
    this.#inner?.pause();
  }

  resume(): void {
    this.#inner?.resume();
    this.#layer?.resume();
  }

  destroy(): void {
    this.#isOver = true;
    this.#layer?.destroy();
    this.#inner?.destroy();
  }

  /** If no encoding is declared, one byte of text decides, so that the first piece of a stream never waits. */
  #isDecidable(): boolean {
    const isSure = this.declared.length === 0 && isText(this.#head.subarray(0, 1)) && this.#head[0] !== ZLIB;
    return isSure || this.#head.length >= HEAD_BYTES;
  }

  #begin(): boolean {
    const head = this.#head;
    const layer = this.#layerFor(head);
    if (layer instanceof UnknownEncoding) {
      this.#finish(layer);
      return true;
    }
    this.#layer = layer;
    if (layer) this.#connect(layer);
    return this.write(head);
  }

  #layerFor(head: Buffer): Transform | null | UnknownEncoding {
    const name = encodingOf(head, this.declared);
    if (name === null) return null;
    if (this.depth >= MAX_LAYERS) return new UnknownEncoding('compressed too often');
    const flush = { flush: zlib.constants.Z_SYNC_FLUSH };
    switch (name) {
      case 'gzip':
        return zlib.createGunzip(flush);
      case 'zlib':
        return zlib.createInflate(flush);
      case 'deflate':
        return zlib.createInflateRaw(flush);
      case 'br':
        return zlib.createBrotliDecompress({ flush: zlib.constants.BROTLI_OPERATION_FLUSH });
      case 'zstd': {
        // Node has zstd since 22.15.
        const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Transform };
        return createZstdDecompress?.() ?? new UnknownEncoding('zstd');
      }
    }
  }

  #connect(layer: Transform): void {
    const inner = new Inflater(this.declared.slice(0, -1), this.sink, () => layer.resume(), this.depth + 1);
    this.#inner = inner;
    layer.on('data', (bytes: Buffer) => {
      if (!inner.write(bytes)) layer.pause();
    });
    layer.on('drain', this.onDrain);
    layer.on('end', () => inner.end());
    layer.on('error', (error) => this.#finish(error));
  }

  #finish(error?: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.sink.end(error);
  }
}

const ZLIB = 0x78;

type Encoding = 'gzip' | 'zlib' | 'deflate' | 'br' | 'zstd';

function encodingOf(head: Buffer, declared: readonly string[]): Encoding | null {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return 'zstd';
  // RFC 1950: the method, and a check over both bytes.
  if (head.length >= 2 && (head[0]! & 0x0f) === 8 && head[0]! >> 4 <= 7 && head.readUInt16BE(0) % 31 === 0)
    return 'zlib';
  if (isText(head)) return null;
  // Brotli and raw deflate have no signature.
  const last = declared.at(-1);
  return last === 'br' || last === 'deflate' ? last : null;
}

/** Whether these bytes can start a text in UTF-8 or UTF-16. */
function isText(head: Buffer): boolean {
  if (/^(efbbbf|fffe|feff)/.test(head.toString('hex', 0, 3))) return true;
  return head.every((byte) => (byte >= 0x20 && byte < 0x7f) || (byte >= 9 && byte <= 13) || byte === 0);
}
