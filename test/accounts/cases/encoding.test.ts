import assert from 'node:assert/strict';
import { encodePicture } from '../../../server/accounts/cases/encoding.ts';
import { AppError } from '../../../server/platform/errors.ts';
import * as images from './images.ts';
import { SECRET_MARK } from './images.ts';

const ZIP = `PK\x03\x04\x14\x00${SECRET_MARK}.exe PK\x01\x02 PK\x05\x06`;
const SCRIPT = `*/=1;/*<script>alert("${SECRET_MARK}")</script><?php ${SECRET_MARK} ?>`;

/** A WebP's own parts, by their names. */
function partsOf(webp: Buffer): string[] {
  const parts: string[] = [];
  for (let at = 12; at < webp.length; at += 8 + webp.readUInt32LE(at + 4) + (webp.readUInt32LE(at + 4) % 2))
    parts.push(webp.toString('latin1', at, at + 4));
  return parts;
}

const refusal = (bytes: Uint8Array): Promise<AppError> =>
  encodePicture(bytes).then(
    ({ width, height }) => assert.fail(`read as ${width} × ${height}`),
    (error) => {
      assert.ok(error instanceof AppError, String(error));
      return error;
    },
  );

describe('the picture of an appeal', function () {
  this.timeout(30_000);

  for (const [title, make] of [
    ['a PNG', images.png],
    ['a JPEG', images.jpeg],
    ['a WebP', images.webp],
    ['a PNG with a text in it', () => images.pngWithText(SCRIPT)],
    ['a JPEG with a comment', () => images.jpegWithComment(SCRIPT)],
    ['a JPEG with a ZIP behind it', async () => images.followedBy(await images.jpeg(), ZIP)],
    ['a PNG with a ZIP behind it', async () => images.followedBy(await images.png(), ZIP)],
    ['a WebP with a page behind it', async () => images.followedBy(await images.webp(), SCRIPT)],
  ] as [string, () => Promise<Buffer>][])
    it(`is encoded anew from ${title}: nothing is kept but what can be seen`, async () => {
      const given = await make();
      const { bytes, width, height } = await encodePicture(given);
      assert.deepEqual([width, height], [60, 40]);
      assert.deepEqual(partsOf(bytes), ['VP8 ']);
      for (const part of [SECRET_MARK, 'PK\x03\x04', '<script', '<?php']) assert.ok(!bytes.includes(part), part);
    });

  it('stands upright, and tells no more where, when and by whom it was made', async () => {
    const given = await images.tellingJpeg();
    assert.ok(given.includes(SECRET_MARK) && given.includes('Exif'));
    const { bytes, width, height } = await encodePicture(given);
    assert.deepEqual([width, height], [40, 60]);
    assert.deepEqual(partsOf(bytes), ['VP8 ']);
    assert.ok(!bytes.includes(SECRET_MARK) && !bytes.includes('Exif'));
  });

  it('is not larger than 2,400 pixels, and never made larger', async () => {
    const { width, height } = await encodePicture(images.whitePng(6_000, 3_000));
    assert.deepEqual([width, height], [2_400, 1_200]);
    const small = await encodePicture(await images.png(1, 1));
    assert.deepEqual([small.width, small.height], [1, 1]);
  });

  const half = async (made: Promise<Buffer>) => (await made).subarray(0, Math.floor((await made).length / 2));
  for (const [title, make, told] of [
    ['nothing', async () => Buffer.alloc(0), /^It is empty/],
    ['a text', async () => Buffer.from('not a picture'), /^Send a PNG, a JPEG or a WebP/],
    ['an SVG', async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), /^Send a PNG/],
    ['a GIF', images.gif, /^Send a PNG/],
    ['an AVIF', images.avif, /^Send a PNG/],
    ['a TIFF', images.tiff, /^Send a PNG/],
    ['a page that begins like a JPEG', async () => Buffer.from(`\xff\xd8\xff${SCRIPT}`, 'latin1'), /^It is damaged/],
    ['an SVG that begins like a PNG', async () => Buffer.from('\x89PNG\r\n\x1a\n<svg/>', 'latin1'), /^It is damaged/],
    ['half a JPEG', () => half(images.jpeg(300, 300)), /^It is damaged/],
    ['half a PNG', () => half(images.png(300, 300)), /^It is damaged/],
    ['half a WebP', () => half(images.webp(300, 300)), /^It is damaged/],
    ['a WebP that moves', images.movingWebp, /^It moves/],
    ['a small file of 30,000 × 30,000 pixels', async () => images.whitePng(30_000, 30_000), /million/],
    ['a head of 2 billion pixels a side', async () => headOnly(2 ** 31 - 1), /million|damaged/],
  ] as [string, () => Promise<Buffer>, RegExp][])
    it(`is not made of ${title}`, async () => {
      const given = await make();
      assert.ok(given.length < 2 ** 20, `${given.length} bytes`);
      const { code, detail, cause } = await refusal(given);
      assert.equal(code, 'picture_unreadable');
      assert.match(detail, told);
      assert.equal(cause, undefined, 'the library’s own words may quote the file');
    });

  const headOnly = (side: number) => {
    const made = images.whitePng(8, 8);
    made.writeUInt32BE(side, 16);
    made.writeUInt32BE(side, 20);
    return Buffer.concat([
      made.subarray(0, 12),
      images.chunk('IHDR', made.subarray(16, 29)).subarray(4),
      made.subarray(33),
    ]);
  };

  it('is refused, not kept in memory, while too many others wait', async () => {
    const given = await images.jpeg(300, 300);
    const ends = await Promise.allSettled(Array.from({ length: 20 }, () => encodePicture(given)));
    const read = ends.filter(({ status }) => status === 'fulfilled');
    const refused = ends.flatMap((end) => (end.status === 'rejected' ? [(end.reason as AppError).code] : []));
    assert.equal(read.length, 8, 'two at once, and six that wait');
    assert.deepEqual([...new Set(refused)], ['unavailable']);
    assert.equal((await encodePicture(given)).width, 300, 'there is room again');
  });
});
