import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { z } from 'zod';
import { AppError } from '../../platform/errors.ts';
import { same } from '../../platform/secrets.ts';

/** How far a proof's time may be from ours, in either direction. */
const SKEW_MS = 60_000;
/** A proof is some 400 characters. */
const MAX_PROOF = 4_000;
const COMPACT = /^(([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+))\.([A-Za-z0-9_-]{86})$/;
const MAX_PROOFS = 100_000;
const MAX_KEYS = 5_000;

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const HeaderSchema = z.object({
  typ: z.literal('dpop+jwt'),
  alg: z.literal('ES256'),
  // Extensions that must be understood (RFC 7515, section 4.1.11): none is.
  crit: z.never().optional(),
  // A proof that carries its private key proves nothing. What exportKey adds to a key says nothing about it.
  jwk: z.object({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: coordinate,
    y: coordinate,
    d: z.never().optional(),
  }),
});
const PayloadSchema = z.object({
  jti: z.string().min(8).max(100),
  htm: z.string(),
  htu: z.string().max(2000),
  iat: z.number(),
  ath: z.string().optional(),
});

/** A proof with the thumbprint of the key that has signed it. */
export interface Signed {
  proof: string;
  jkt: string;
}

interface KnownKey {
  jkt: string;
  key: KeyObject;
}

/** What a request is, for its proof to be of. */
export interface Proven {
  method: string;
  /** Every address by which this request may have been sent, without query. */
  urls: readonly string[];
  /** The token sent with it; none where one is asked for. */
  token?: string;
}

/**
 * Checks proofs of possession (RFC 9449): ES256, `iat` within a minute, each `jti` once. Proofs are remembered on this node
 * alone and within bounds; the oldest is forgotten first.
 */
export class Proofs {
  readonly #seen = new Map<string, number>();
  /** By the header that named it, word for word: a client writes the same before each of its proofs. */
  readonly #keys = new Map<string, KnownKey>();

  constructor(
    private readonly now: () => number,
    private readonly max = MAX_PROOFS,
  ) {}

  /**
   * Whether a proof is signed, checked before its token is known, for `check` to go on from. Only by keys that a token was
   * proven with before: strangers have nothing computed here. Is no use of the proof.
   */
  ahead(proof = ''): Signed | undefined {
    if (proof.length > MAX_PROOF) return undefined;
    const { signed, head, signature } = partsOf(proof);
    const known = this.#keys.get(head);
    return known && isSignedBy(known.key, signed, signature) ? { proof, jkt: known.jkt } : undefined;
  }

  /** The thumbprint of the key that signed. Throws `invalid_dpop_proof`, saying what does not hold. */
  async check(proof: string | undefined, request: Proven, ahead?: Signed): Promise<string> {
    if (!proof) throw refuse('there is none: send it in the DPoP header');
    if (proof.length > MAX_PROOF) throw refuse('it is too long');
    const { signed, head, said, signature } = partsOf(proof);
    let jkt = ahead?.proof === proof ? ahead.jkt : undefined;
    if (jkt === undefined) {
      const known = this.#keys.get(head) ?? (await this.#readKey(head));
      if (!isSignedBy(known.key, signed, signature)) throw refuse('its signature is wrong');
      jkt = known.jkt;
    }
    const payload = PayloadSchema.safeParse(readJson(said));
    if (!payload.success) throw refuse('jti, htm, htu and iat are needed');
    const { jti, htm, htu, iat, ath } = payload.data;
    const now = this.now();
    if (htm !== request.method) throw refuse('it is for another method');
    if (!request.urls.includes(withoutQuery(htu))) throw refuse('it is for another address');
    if (Math.abs(iat * 1000 - now) > SKEW_MS) throw refuse("its time is more than a minute from the server's");
    if (request.token !== undefined && !same(ath ?? '', accessTokenHash(request.token)))
      throw refuse('it is for another token');
    if (!this.#firstUse(`${jkt}.${jti}`, iat * 1000 + SKEW_MS + 1, now)) throw refuse('it was used before');
    return jkt;
  }

  async #readKey(head: string): Promise<KnownKey> {
    const header = HeaderSchema.safeParse(readJson(head));
    if (!header.success) throw refuse('it must be a dpop+jwt by ES256, with its public key alone');
    const { jwk } = header.data;
    const made = { jkt: await calculateJwkThumbprint(jwk), key: importKey(jwk) };
    if (this.#keys.size >= MAX_KEYS) this.#keys.delete(this.#keys.keys().next().value!);
    this.#keys.set(head, made);
    return made;
  }

  #firstUse(name: string, until: number, now: number): boolean {
    if ((this.#seen.get(name) ?? 0) > now) return false;
    for (const [old, end] of this.#seen) {
      if (end > now && this.#seen.size < this.max) break;
      this.#seen.delete(old);
    }
    this.#seen.set(name, until);
    return true;
  }
}

/** Header, payload and signature (RFC 7515); one of ES256 has 64 bytes. */
function partsOf(proof: string) {
  const [, signed = '', head = '', said = '', signature = ''] = COMPACT.exec(proof) ?? [];
  return { signed, head, said, signature };
}

/** `ath`: the token's SHA-256 in base64url. */
export function accessTokenHash(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

function importKey(jwk: z.infer<typeof HeaderSchema>['jwk']): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    throw refuse('its key is no point of the curve');
  }
}

/**
 * At once, not on a thread of WebCrypto's pool: it takes a tenth of a millisecond, and on a busy machine the way to another
 * thread and back takes many times that.
 */
function isSignedBy(key: KeyObject, signed: string, signature: string): boolean {
  const bytes = Buffer.from(signature, 'base64url');
  return verify('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }, bytes);
}

function readJson(base64url: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64url, 'base64url').toString());
  } catch {
    return null;
  }
}

function withoutQuery(htu: string): string {
  try {
    const url = new URL(htu);
    return url.origin + url.pathname;
  } catch {
    return '';
  }
}

function refuse(why: string): AppError {
  return new AppError('invalid_dpop_proof', `The proof in the DPoP header was refused: ${why}.`);
}
