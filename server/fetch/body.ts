import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { AppError } from '../platform/errors.ts';

/** As sent, and again as decoded: a few KB can be compressed gigabytes. */
export const MAX_PAGE_BYTES = 200 * 1024;

const DECODERS = new Map<string, () => Duplex>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['br', createBrotliDecompress],
]);

/** The decoded body, which is read no further than allowed. */
export async function readBody(response: IncomingMessage, signal: AbortSignal): Promise<Uint8Array> {
  const encoding = (response.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const decoder = DECODERS.get(encoding);
  if (!decoder && encoding !== 'identity' && encoding !== '')
    throw new AppError('page_not_text', 'The page is compressed in a way that this server does not read.');
  if (Number(response.headers['content-length'] ?? 0) > MAX_PAGE_BYTES) throw tooLarge();
  if (!decoder) return pipeline(response, bounded, collected, { signal });
  return pipeline(response, bounded, decoder(), bounded, collected, { signal });
}

async function* bounded(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > MAX_PAGE_BYTES) throw tooLarge();
    yield chunk;
  }
}

async function collected(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const tooLarge = () =>
  new AppError(
    'page_too_large',
    `The page has more than ${MAX_PAGE_BYTES / 1024} KB. Copy the part that matters, and paste it into the message.`,
  );
