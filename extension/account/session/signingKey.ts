import type { Credential } from '../../platform/server/wire.ts';

/** A stored P-256 private key. */
export interface StoredKey {
  x: string;
  y: string;
  d: string;
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };
/** The server accepts a proof whose time is off by less than this. */
const CLOSE_MS = 5_000;

/** A key that signs proofs of possession (RFC 9449), with WebCrypto only. */
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

  /** Rejects if the stored value is not a key. */
  static async import(stored: StoredKey): Promise<SigningKey> {
    const { x, y, d } = stored;
    const jwk = { kty: 'EC', crv: 'P-256', x, y, d };
    const key = await crypto.subtle.importKey('jwk', jwk, CURVE, false, ['sign']);
    return new SigningKey({ x, y, d }, key);
  }

  /** A proof for one request to `url` (absolute) at `at` (ms), bound to the token that is sent with it. */
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
    // WebCrypto returns r and s concatenated, which is the format that JWS requires.
    const signature = await crypto.subtle.sign(SIGNATURE, this.key, utf8(text));
    return `${text}.${base64url(new Uint8Array(signature))}`;
  }
}

/** An estimate of the server's clock, so that a machine with a wrong clock can sign in too. */
export class ServerClock {
  private offsetMs = 0;

  constructor(private readonly machine: () => number = Date.now) {}

  now(): number {
    return this.machine() + this.offsetMs;
  }

  /** Takes the time of a `Date` header. True if it differs from the known time. */
  take(date: string | null): boolean {
    const server = Date.parse(date ?? '');
    if (Number.isNaN(server) || Math.abs(server - this.now()) < CLOSE_MS) return false;
    this.offsetMs = server - this.machine();
    return true;
  }
}

/** A guest's credential: the token alone is enough. */
export function bearer(server: string, token: string): Credential {
  return { server, token, headers: async () => ({ authorization: `Bearer ${token}` }) };
}

/** A member's credential: a token that works only with its key, or the key alone before there is a token. */
export function proven(
  server: string,
  key: SigningKey | Promise<SigningKey>,
  token: string | null,
  clock: ServerClock,
): Credential {
  return {
    server,
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
