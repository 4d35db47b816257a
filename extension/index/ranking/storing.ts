import { type IndexedFile, isWhole } from './postings.ts';

/** An index is stored in this many parts, so that a change writes little and each is read in one short block. */
export const PARTS = 64;

/** Raise it when terms, pieces or this format change: what was stored before is then not read. */
const VERSION = 1;
const MAGIC = 0x58494750;
/** Magic, version, checksum of the rest, files. */
const HEAD_BYTES = 16;
/** Bytes of the path, numbers in `data`, time of change, size. */
const FILE_BYTES = 24;

/** The part that a file is stored in. */
export function partOf(path: string): number {
  let hash = 7;
  for (let at = 0; at < path.length; at++) hash = (Math.imul(hash, 31) + path.charCodeAt(at)) | 0;
  return (hash >>> 8) % PARTS;
}

/** Files as bytes: the same for the same files in any order. */
export function encode(files: Iterable<IndexedFile>): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const all = [...files]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map((file) => ({ file, path: encoder.encode(file.path) }));
  const sizes = all.map(({ file, path }) => FILE_BYTES + padded(path.length) + file.data.byteLength);
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, HEAD_BYTES));
  const view = new DataView(bytes.buffer);
  let at = HEAD_BYTES;
  for (const { file, path } of all) {
    view.setUint32(at, path.length, true);
    view.setUint32(at + 4, file.data.length, true);
    view.setFloat64(at + 8, file.mtime, true);
    view.setFloat64(at + 16, file.size, true);
    bytes.set(path, at + FILE_BYTES);
    at += FILE_BYTES + padded(path.length);
    for (const number of file.data) {
      view.setUint32(at, number, true);
      at += 4;
    }
  }
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, VERSION, true);
  view.setUint32(8, checksum(view), true);
  view.setUint32(12, all.length, true);
  return bytes;
}

/** The files in bytes that `encode` made; undefined for others, damaged ones and those of another version. */
export function decode(given: Uint8Array): IndexedFile[] | undefined {
  if (given.length < HEAD_BYTES || given.length % 4 !== 0) return undefined;
  const view = new DataView(given.buffer, given.byteOffset, given.byteLength);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== VERSION) return undefined;
  if (view.getUint32(8, true) !== checksum(view)) return undefined;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const files: IndexedFile[] = [];
  let at = HEAD_BYTES;
  try {
    for (let left = view.getUint32(12, true); left > 0; left--) {
      const pathBytes = view.getUint32(at, true);
      const numbers = view.getUint32(at + 4, true);
      const from = at + FILE_BYTES + padded(pathBytes);
      if (from + numbers * 4 > given.length) return undefined;
      const data = new Uint32Array(numbers);
      for (let number = 0; number < numbers; number++) data[number] = view.getUint32(from + number * 4, true);
      if (!isWhole(data)) return undefined;
      const path = decoder.decode(given.subarray(at + FILE_BYTES, at + FILE_BYTES + pathBytes));
      files.push({ path, mtime: view.getFloat64(at + 8, true), size: view.getFloat64(at + 16, true), data });
      at = from + numbers * 4;
    }
  } catch {
    return undefined;
  }
  return at === given.length ? files : undefined;
}

const padded = (length: number) => (length + 3) & ~3;

/** Of everything behind the head, and of the number of files through it. */
function checksum(view: DataView): number {
  let sum = 0x811c9dc5;
  for (let at = HEAD_BYTES; at < view.byteLength; at += 4) sum = Math.imul(sum ^ view.getUint32(at, true), 0x01000193);
  return sum >>> 0;
}
