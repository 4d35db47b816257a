import type { Credential } from '../../platform/server/wire.ts';

/** A private key of P-256, as it is stored. */
export interface StoredKey {
  x: string;
  y: string;
  d: string;
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };
/** Closer than this no server refuses a proof because of its time. */
const CLOSE_MS = 5_000;

/** A key that signs proofs of possession (RFC 9449), by WebCrypto alone. */
export class SigningKey {
  private constructor(
    readonly stored: StoredKey,
    private readonly key: CryptoKey,
  ) {}

  static async make(): Promise<StoredKey> {
    const pair = (await crypto.subtle.generateKey(CURVE, true, ['sign', 'verify'])) as CryptoKeyPair;
    const { x, y, d } = await crypto.subtle.exportKey('jwk', pair.privateKey);
    return { x: x!, y: y!, d: d! };
  }

  /** Rejects if what is stored is no key. */
  static async import(stored: StoredKey): Promise<SigningKey> {
    const { x, y, d } = stored;
    const jwk = { kty: 'EC', crv: 'P-256', x, y, d };
    const key = await crypto.subtle.importKey('jwk', jwk, CURVE, false, ['sign']);
    return new SigningKey({ x, y, d }, key);
  }

  /** A proof for one request to `url` (absolute) at `at` (ms), and for the token that goes with it. */
  async prove(method: string, url: string, token: string | null, at: number): Promise<string> {
    const { x, y } = this.stored;
    const { origin, pathname } = new URL(url);
    const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: { kty: 'EC', crv: 'P-256', x, y } };
    const payload = {
      jti: crypto.randomUUID(),
      htm: method,
      htu: origin + pathname,
      iat: Math.floor(at / 1000),
      ...(token === null ? {} : { ath: await sha256(token) }),
    };
    const text = `${base64url(utf8(JSON.stringify(header)))}.${base64url(utf8(JSON.stringify(payload)))}`;
    // WebCrypto's signature is r and s side by side, which is what JWS asks for.
    const signature = await crypto.subtle.sign(SIGNATURE, this.key, utf8(text));
    return `${text}.${base64url(new Uint8Array(signature))}`;
  }
}

/** The server's clock, as far as it is known: a machine whose own is wrong can sign in all the same. */
export class ServerClock {
  private offsetMs = 0;

  constructor(private readonly machine: () => number = Date.now) {}

  now(): number {
    return this.machine() + this.offsetMs;
  }

  /** Takes over the time of a `Date` header. True if it was another than was known here. */
  take(date: string | null): boolean {
    const server = Date.parse(date ?? '');
    if (Number.isNaN(server) || Math.abs(server - this.now()) < CLOSE_MS) return false;
    this.offsetMs = server - this.machine();
    return true;
  }
}

/** A guest: whoever has the token. */
export function bearer(token: string): Credential {
  return { token, headers: async () => ({ authorization: `Bearer ${token}` }) };
}

/** A member's token, worth nothing without its key; or the key alone, as long as there is no token. */
export function proven(key: SigningKey | Promise<SigningKey>, token: string | null, clock: ServerClock): Credential {
  return {
    token,
    takeTime: (date) => clock.take(date),
    async headers(method, url): Promise<Record<string, string>> {
      const dpop = await (await key).prove(method, url, token, clock.now());
      return token === null ? { dpop } : { dpop, authorization: `DPoP ${token}` };
    },
  };
}

/** Random, 256 bits in base64url. */
export function randomText(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

/** The SHA-256 of a text in base64url. */
export async function sha256(text: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(text))));
}

const utf8 = (text: string) => new TextEncoder().encode(text);

export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}
