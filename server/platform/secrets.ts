import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** For secrets of 32 random bytes. These can't be guessed, so a plain hash is enough; only the hash is stored. Hex. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** For values that can be guessed, such as addresses and short codes: the hash needs the server's secret. Hex. */
export function hashKeyed(secret: string, purpose: string, text: string): string {
  return createHmac('sha256', secret).update(`${purpose}\0${text}`).digest('hex');
}

/** Identifies a SECRET, and with it the installation, without revealing anything of it: 16 hex digits. */
export const fingerprint = (secret: string) => hashKeyed(secret, 'backup', '').slice(0, 16);

/** Compares two secrets in constant time. */
export function same(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
