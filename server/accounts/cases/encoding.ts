import type { Sharp, SharpOptions } from 'sharp';
import { AppError } from '../../platform/errors.ts';

// A stranger's picture, decoded and encoded anew: nothing of its bytes is kept but what can be seen.

/** Pixels of a picture as it is sent: more than cameras of phones make at their usual size. */
const MAX_PIXELS = 40_000_000;
/** The longer side as it is kept, in pixels: a screen can be read on it. */
const MAX_SIDE = 2_400;
const DECODE_SECONDS = 10;
/** A decoded picture takes up to 160 MB, and a core. */
const AT_ONCE = 2;
/** Those that wait for a turn. Their bytes are in memory. */
const MAX_WAITING = 6;

export interface Encoded {
  /** WebP. */
  bytes: Buffer;
  width: number;
  height: number;
}

/** The types that are read, by their first bytes. What a header says is not looked at. */
const TYPES: readonly ((bytes: Buffer) => boolean)[] = [
  (bytes) => bytes.subarray(0, 8).equals(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')),
  (bytes) => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff,
  (bytes) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP',
];

let running = 0;
const waiting: (() => void)[] = [];

/**
 * Reads a PNG, JPEG or WebP of one page, and returns it as WebP, upright, not larger than needed, without metadata.
 * Throws `picture_unreadable` for anything else, and `unavailable` if too many come at once.
 */
export async function encodePicture(given: Uint8Array): Promise<Encoded> {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  if (bytes.length === 0) throw unreadable('It is empty.');
  if (!TYPES.some((is) => is(bytes))) throw unreadable('Send a PNG, a JPEG or a WebP.');
  if (running >= AT_ONCE) {
    if (waiting.length >= MAX_WAITING)
      throw new AppError('unavailable', 'Too many pictures arrive at once. Nothing was kept; try again in a moment.');
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else running++;
  try {
    return await encode(await load(), bytes);
  } finally {
    // Hands its turn on, or gives it back.
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

async function encode(open: (bytes: Buffer) => Sharp, bytes: Buffer): Promise<Encoded> {
  try {
    const { width = 0, height = 0, pages = 1 } = await open(bytes).metadata();
    if (width * height > MAX_PIXELS)
      throw unreadable(`It has ${width} × ${height} pixels, and may have ${MAX_PIXELS / 1_000_000} million.`);
    if (pages > 1) throw unreadable('It moves. Send a picture that stands still.');
    const { data, info } = await open(bytes)
      .autoOrient()
      .resize({ width: MAX_SIDE, height: MAX_SIDE, fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 80, effort: 3 })
      .timeout({ seconds: DECODE_SECONDS })
      .toBuffer({ resolveWithObject: true });
    return { bytes: data, width: info.width, height: info.height };
  } catch (error) {
    if (error instanceof AppError) throw error;
    const { message } = error as Error;
    if (/timeout/i.test(message)) throw unreadable('It takes too long to read.');
    if (/pixel limit/i.test(message)) throw unreadable(`It has more than ${MAX_PIXELS / 1_000_000} million pixels.`);
    // The library's own words may quote the file.
    throw unreadable('It is damaged, or not what it begins as.');
  }
}

const unreadable = (why: string) => new AppError('picture_unreadable', `${why} The picture was not kept.`);

const OPTIONS: SharpOptions = { limitInputPixels: MAX_PIXELS, failOn: 'error', pages: 1, sequentialRead: true };
let loaded: Promise<(bytes: Buffer) => Sharp> | null = null;

/** Loads the library at its first use: most servers never get a picture. */
function load(): Promise<(bytes: Buffer) => Sharp> {
  loaded ??= import('sharp').then(({ default: sharp }) => {
    // Only these decoders can be reached, whatever the library takes a file for.
    sharp.block({ operation: ['VipsForeignLoad'] });
    sharp.unblock({
      operation: ['VipsForeignLoadPngBuffer', 'VipsForeignLoadJpegBuffer', 'VipsForeignLoadWebpBuffer'],
    });
    sharp.cache(false);
    sharp.concurrency(1);
    return (bytes) => sharp(bytes, OPTIONS);
  });
  loaded.catch(() => {
    loaded = null;
  });
  return loaded;
}
