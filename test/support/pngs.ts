import { crc32, deflateSync } from 'node:zlib';

/** A real PNG of one colour, `red` to `blue` 0 to 255. */
export function png(width: number, height: number, colour: readonly [number, number, number] = [200, 80, 40]): Buffer {
  const line = Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 3, Buffer.from(colour))]);
  const data = deflateSync(Buffer.concat(Array.from({ length: height }, () => line)));
  return Buffer.concat([SIGNATURE, header(width, height), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

/** What begins as a PNG of this size, and has no pixels. */
export const pngHead = (width: number, height: number): Buffer => Buffer.concat([SIGNATURE, header(width, height)]);

/** A GIF of one frame; `screen`: the side of its logical screen, if that is another one. */
export function gif(width: number, height: number, { screen }: { screen?: number } = {}): Buffer {
  const short = (value: number) => [value & 0xff, value >> 8];
  const head = [...short(screen ?? width), ...short(screen ?? height), 0x80, 0, 0, 0, 0, 0, 255, 255, 255];
  const comment = [0x21, 0xfe, 2, 0x2c, 0x2c, 0];
  const frame = [0x2c, 0, 0, 0, 0, ...short(width), ...short(height), 0, 2, 2, 0x44, 1, 0, 0x3b];
  return Buffer.from([...Buffer.from('GIF89a'), ...head, ...comment, ...frame]);
}

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

function header(width: number, height: number): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  // 8 bits a channel, RGB.
  data.set([8, 2], 8);
  return chunk('IHDR', data);
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}
