// The text of an API key: `pgk_`, 32 random bytes as 43 digits of base62, and their CRC-32 as 6 digits of base62. The
// prefix lets scanners of leaked secrets recognise a key. The checksum lets a server recognise a typing error without a
// query.

const PREFIX = 'pgk_';
const SECRET_BYTES = 32;
/** 62^43 is just above 2^256. */
const SECRET_DIGITS = 43;
const CHECKSUM_DIGITS = 6;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const BASE = BigInt(DIGITS.length);

/** How many of a key's last characters its owner sees afterwards, to recognise it. */
const HINT_CHARS = 4;

const WHOLE = /^pgk_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;
/**
 * A key within a longer text, also one with a few characters too many or too few. Tokens of sessions have 43 characters
 * in all, so none can contain this.
 */
const WITHIN = /pgk_[0-9A-Za-z]{40,}/;
/** The beginning of a key. Longer than any ordinary word after that prefix. */
const ANY_PART = /pgk_[0-9A-Za-z]{12,}/g;

/** The key of 32 random bytes. Throws a RangeError for any other number of bytes. */
export function apiKeyOf(bytes: Uint8Array): string {
  if (bytes.length !== SECRET_BYTES) throw new RangeError(`an API key has ${SECRET_BYTES} bytes, not ${bytes.length}`);
  let number = 0n;
  for (const byte of bytes) number = number * 256n + BigInt(byte);
  const secret = base62(number, SECRET_DIGITS);
  return `${PREFIX}${secret}${checksumOf(secret)}`;
}

/** Whether the text is a whole key with the right checksum. */
export function isApiKey(text: string): boolean {
  const [, secret, checksum] = WHOLE.exec(text) ?? [];
  return secret !== undefined && checksumOf(secret) === checksum;
}

/** Whether the text is meant as a key, mistyped or not. */
export const isMeantAsApiKey = (text: string): boolean => text.startsWith(PREFIX);

/** Whether the text contains a key, mistyped or not. */
export const hasApiKey = (text: string): boolean => text.includes(PREFIX) && WITHIN.test(text);

/** The text with every key in it cut down to its prefix, for messages and logs. */
export const withoutApiKeys = (text: string): string =>
  text.includes(PREFIX) ? text.replace(ANY_PART, `${PREFIX}…`) : text;

/** Keys of other services, by the prefixes that their scanners look for: model services, GitHub, AWS, Google, Slack. */
const FOREIGN =
  /\b(sk-|gsk_|hf_|gh[opsur]_|github_pat_|glpat-|AKIA|ASIA|AIza|xox[abeprs]-)(?=[A-Za-z_-]{0,40}\d)[0-9A-Za-z_-]{12,}/g;

/** The text without keys, also of other services, for names that people type: a key is pasted into the wrong field. */
export const withoutAnyKeys = (text: string): string => withoutApiKeys(text).replace(FOREIGN, '$1…');

/** The part of a key that its owner may see again. */
export const hintOf = (key: string): string => key.slice(-HINT_CHARS);

function base62(number: bigint, digits: number): string {
  let text = '';
  for (let rest = number; text.length < digits; rest /= BASE) text = DIGITS[Number(rest % BASE)]! + text;
  return text;
}

/** CRC-32 (IEEE 802.3) of the characters' codes. */
function checksumOf(text: string): string {
  let crc = 0xffffffff;
  for (let i = 0; i < text.length; i++) {
    crc ^= text.charCodeAt(i);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return base62(BigInt((crc ^ 0xffffffff) >>> 0), CHECKSUM_DIGITS);
}
