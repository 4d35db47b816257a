import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';

// Pictures for tests, honest and hostile.

/** What no kept picture may have in it. */
export const SECRET_MARK = 'what-only-a-stranger-wrote';

const plain = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: { r: 200, g: 40, b: 40 } } });

export const png = (width = 60, height = 40) => plain(width, height).png().toBuffer();
export const jpeg = (width = 60, height = 40) => plain(width, height).jpeg().toBuffer();
export const webp = (width = 60, height = 40) => plain(width, height).webp().toBuffer();
export const gif = () => plain(60, 40).gif().toBuffer();
export const avif = () => plain(60, 40).avif().toBuffer();
export const tiff = () => plain(60, 40).tiff().toBuffer();

/** A WebP that moves. */
export const movingWebp = () =>
  sharp({
    create: { width: 20, height: 40, channels: 3, background: 'red', noise: { type: 'gaussian' }, pageHeight: 20 },
  } as never)
    .webp({ delay: [100, 100], loop: 0 })
    .toBuffer();

/** A JPEG that lies on its side by its EXIF, and says where it was made and by whom. */
export const tellingJpeg = () =>
  plain(60, 40)
    .withExif({
      IFD0: { Artist: SECRET_MARK, Make: SECRET_MARK },
      IFD3: {
        GPSLatitudeRef: 'N',
        GPSLatitude: '51/1 30/1 3230/100',
        GPSLongitudeRef: 'W',
        GPSLongitude: '0/1 7/1 4366/100',
      },
    })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();

/** A PNG of one bit a pixel. */
export function whitePng(width: number, height: number): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 1;
  const rows = Buffer.alloc((Math.ceil(width / 8) + 1) * height);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    ...[chunk('IHDR', head), chunk('IDAT', deflateSync(rows, { level: 1 })), chunk('IEND', Buffer.alloc(0))],
  ]);
}

export function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}

/** A PNG with a text in its own chunk. */
export async function pngWithText(text: string): Promise<Buffer> {
  const made = await png();
  const end = made.length - 12;
  return Buffer.concat([made.subarray(0, end), chunk('tEXt', Buffer.from(`Comment\0${text}`)), made.subarray(end)]);
}

/** A JPEG with a comment. */
export async function jpegWithComment(text: string): Promise<Buffer> {
  const made = await jpeg();
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length + 2);
  return Buffer.concat([made.subarray(0, 2), Buffer.from([0xff, 0xfe]), length, Buffer.from(text), made.subarray(2)]);
}

/** Something else behind a picture: browsers and unpackers may take the file for that. */
export const followedBy = (picture: Buffer, other: string) => Buffer.concat([picture, Buffer.from(other, 'latin1')]);
