import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { AppError } from '../../server/platform/errors.ts';
import {
  apiKeyOf,
  hasApiKey,
  hintOf,
  isApiKey,
  isMeantAsApiKey,
  withoutApiKeys,
} from '../../server/platform/values/apiKeys.ts';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const numberOf = (text: string) => [...text].reduce((sum, digit) => sum * 62n + BigInt(DIGITS.indexOf(digit)), 0n);
const BYTES = createHash('sha256').update('a key of a test').digest();
const KEY = apiKeyOf(BYTES);

describe('the text of an API key', () => {
  it('is a prefix, 32 bytes as 43 digits of base62, and their CRC-32 as 6', () => {
    for (const bytes of [BYTES, Buffer.alloc(32), Buffer.alloc(32, 255), randomBytes(32)]) {
      const key = apiKeyOf(bytes);
      const [, secret, checksum] = /^pgk_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/.exec(key)!;
      assert.equal(numberOf(secret!), BigInt(`0x${bytes.toString('hex')}`));
      // Node 20 has no crc32 of its own before 20.15.
      if (crc32) assert.equal(numberOf(checksum!), BigInt(crc32(secret!)));
      assert.ok(isApiKey(key));
    }
  });

  it('is made of 32 bytes alone', () => {
    for (const length of [0, 31, 33, 64]) assert.throws(() => apiKeyOf(Buffer.alloc(length)), /32 bytes/);
  });

  it('tells every single typing error', () => {
    for (let at = 4; at < KEY.length; at++)
      for (const digit of DIGITS) {
        const typed = KEY.slice(0, at) + digit + KEY.slice(at + 1);
        assert.equal(isApiKey(typed), typed === KEY, typed);
      }
    for (let at = 4; at < KEY.length - 1; at++) {
      const swapped = KEY.slice(0, at) + KEY[at + 1] + KEY[at] + KEY.slice(at + 2);
      assert.equal(isApiKey(swapped), swapped === KEY, swapped);
    }
  });

  const NO_KEYS = [
    '',
    'pgk_',
    KEY.slice(0, -1),
    `${KEY}0`,
    ` ${KEY}`,
    `${KEY}\n`,
    KEY.toUpperCase(),
    KEY.replace('pgk', 'PGK'),
    KEY.replace('pgk_', 'sk-'),
    `${KEY.slice(0, -1)}é`,
  ];
  for (const text of NO_KEYS) it(`is not ${JSON.stringify(text)}`, () => assert.equal(isApiKey(text), false));

  it('is known by its prefix as meant for one', () => {
    for (const text of [KEY, 'pgk_', 'pgk_…', KEY.slice(0, 20)]) assert.ok(isMeantAsApiKey(text));
    for (const text of ['', 'sk-123', 'Pgk_1', ` ${KEY}`]) assert.equal(isMeantAsApiKey(text), false);
  });

  it('is found within other text, also with a few characters lost or added', () => {
    for (const text of [KEY, `Bearer ${KEY}`, `/x?key=${KEY}&y`, KEY.slice(0, -5), `${KEY}abc`])
      assert.ok(hasApiKey(text), text);
    for (const text of ['', 'pgk_', 'pgk_short', 'a pgk_ prefix', randomBytes(32).toString('base64url')])
      assert.equal(hasApiKey(text), false, text);
  });

  it('is cut out of messages, each of several', () => {
    assert.equal(withoutApiKeys(`one ${KEY}, two "${KEY}".`), 'one pgk_…, two "pgk_…".');
    assert.equal(withoutApiKeys('pgk_ is the prefix'), 'pgk_ is the prefix');
    assert.equal(new AppError('model_unknown', `"${KEY}" is not offered here.`).detail, '"pgk_…" is not offered here.');
    assert.ok(!new AppError('model_unknown', KEY).message.includes(KEY));
  });

  it('is recognised by its last four characters', () => assert.equal(hintOf(KEY), KEY.slice(-4)));
});
