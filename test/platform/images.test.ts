import assert from 'node:assert/strict';
import { IMAGE_TOKENS_BOUND, imageTokens, imageTokensBound, readImageHead } from '../../shared/media/images.ts';
import * as images from '../accounts/cases/images.ts';
import { gif, png, pngHead } from '../support/pngs.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

describe('the first bytes of a picture', () => {
  it('say its type and size in every form that models read', async () => {
    const sharp = (await import('sharp')).default;
    const drawn = sharp(png(37, 21));
    const cases: [string, Buffer][] = [
      ['image/png', png(37, 21)],
      ['image/jpeg', await drawn.clone().jpeg().toBuffer()],
      ['image/jpeg', await drawn.clone().jpeg({ progressive: true }).withMetadata({ orientation: 6 }).toBuffer()],
      ['image/webp', await drawn.clone().webp().toBuffer()],
      ['image/webp', await drawn.clone().webp({ lossless: true }).toBuffer()],
      ['image/webp', await drawn.clone().webp().withMetadata({ orientation: 6 }).toBuffer()],
      ['image/gif', await drawn.clone().gif().toBuffer()],
    ];
    for (const [mediaType, given] of cases)
      assert.deepEqual(readImageHead(given), { mediaType, width: 37, height: 21 }, mediaType);
  });

  it('are read without decoding, whatever size they claim', () => {
    assert.deepEqual(readImageHead(pngHead(40_000, 40_000)), { mediaType: 'image/png', width: 40_000, height: 40_000 });
  });

  it('are no picture if they are of another type, cut, empty, or claim no size', async () => {
    const jpeg = await images.jpeg();
    const others = [
      '',
      '<svg xmlns="http://www.w3.org/2000/svg"/>',
      '%PDF-1.7',
      'BM',
      'RIFF\0\0\0\0WAVE',
      '\xff\xd8\xff',
    ];
    for (const given of [...others.map(bytes), pngHead(0, 3), png(3, 3).subarray(0, 20), jpeg.subarray(0, 40)])
      assert.equal(readImageHead(given), null, given.toString('latin1', 0, 12));
    // Every cut of every kind ends, and reads nothing behind the end.
    for (const whole of [jpeg, png(3, 3), await images.webp()])
      for (let end = 0; end < Math.min(whole.length, 400); end++) readImageHead(whole.subarray(0, end));
  });

  it('say the size of the largest frame, where it is larger than the screen that is announced', async () => {
    assert.deepEqual(readImageHead(gif(2_000, 1_000, { screen: 1 })), {
      mediaType: 'image/gif',
      width: 2_000,
      height: 1_000,
    });
    const sharp = (await import('sharp')).default;
    const webp = await sharp(png(300, 200)).webp().withMetadata({ orientation: 6 }).toBuffer();
    assert.equal(webp.toString('latin1', 12, 16), 'VP8X');
    webp.fill(0, 24, 30);
    assert.deepEqual(readImageHead(webp), { mediaType: 'image/webp', width: 300, height: 200 });
    const frames = [sharp(png(30, 20)), sharp(png(30, 20, [0, 0, 255]))].map((one) => one.png().toBuffer());
    const moving = await sharp(await Promise.all(frames), { join: { animated: true } })
      .webp()
      .toBuffer();
    assert.deepEqual(readImageHead(moving), { mediaType: 'image/webp', width: 30, height: 20 });
  });

  it('are no picture if no frame is to be found', () => {
    const whole = gif(5, 5);
    for (const given of [whole.subarray(0, 19), Buffer.concat([whole.subarray(0, 19), Buffer.from([0x99]), whole])])
      assert.equal(readImageHead(given), null);
    assert.equal(readImageHead(bytes(`RIFF\0\0\0\0WEBPVP8X\n${'\0'.repeat(30)}`)), null);
  });

  it('of a segment that claims to be endless end the reading', () => {
    const endless = Buffer.concat([bytes('\xff\xd8'), Buffer.alloc(900_000, 0xff)]);
    assert.equal(readImageHead(endless), null);
    assert.equal(readImageHead(Buffer.concat([bytes('\xff\xd8\xff\xe0\0\0'), Buffer.alloc(1000)])), null);
  });
});

describe('the tokens of a picture', () => {
  it('are those of a screenshot for a screenshot, some for the smallest, and never more than the most', () => {
    assert.equal(imageTokens({ width: 1_280, height: 960 }), 1_639);
    assert.equal(imageTokens({ width: 1, height: 1 }), 85);
    assert.equal(imageTokens({ width: 40_000, height: 40_000 }), 25_501);
  });

  it('are never more than those of the service that makes most of a picture', () => {
    const sizes: [number, number, number][] = [
      [1, 1, 8_500],
      [1_280, 960, 25_501],
      [2_000, 2_000, 25_501],
      [768, 2_000, 48_169],
      [40, 40_000, 25_501],
    ];
    for (const [width, height, tokens] of sizes) assert.equal(imageTokensBound({ width, height }), tokens);
    assert.equal(IMAGE_TOKENS_BOUND, 48_169);
  });
});
