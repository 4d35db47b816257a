import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

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

const keyFor = (secret: string, purpose: string) => new Uint8Array(hkdfSync('sha256', secret, '', purpose, 32));

/**
 * Encrypts a text by a key that is derived from the server's secret for this purpose (AES-256-GCM). `owner`: whose it is;
 * with another owner it can't be read. Base64url of the nonce (12 bytes), the text and the tag (16 bytes).
 */
export function seal(secret: string, purpose: string, owner: string, text: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keyFor(secret, purpose), nonce).setAAD(Buffer.from(owner));
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

/** What `seal` encrypted; null if it was changed, or sealed by another secret, or for another purpose or owner. */
export function unseal(secret: string, purpose: string, owner: string, sealed: string): string | null {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < 28) return null;
  const decipher = createDecipheriv('aes-256-gcm', keyFor(secret, purpose), bytes.subarray(0, 12))
    .setAAD(Buffer.from(owner))
    .setAuthTag(bytes.subarray(-16));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}
