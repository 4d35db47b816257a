import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { z } from 'zod';
import { AppError } from '../../platform/errors.ts';
import { same } from '../../platform/secrets.ts';

/** The most that a proof's time may differ from ours, in either direction. */
const SKEW_MS = 60_000;
/** A usual proof has some 400 characters. */
const MAX_PROOF = 4_000;
const COMPACT = /^(([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+))\.([A-Za-z0-9_-]{86})$/;
const MAX_PROOFS = 100_000;
const MAX_KEYS = 5_000;

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const HeaderSchema = z.object({
  typ: z.literal('dpop+jwt'),
  alg: z.literal('ES256'),
  // Critical extensions (RFC 7515, section 4.1.11): we support none.
  crit: z.never().optional(),
  // A proof that contains its private key proves nothing. Fields that exportKey adds don't affect the key.
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

/** A proof with the thumbprint of the key that signed it. */
export interface Signed {
  proof: string;
  jkt: string;
}

interface KnownKey {
  jkt: string;
  key: KeyObject;
}

/** The request that a proof must match. */
export interface Proven {
  method: string;
  /** Every URL by which this request may have been sent, without the query. */
  urls: readonly string[];
  /** The token sent with the request; absent when the request asks for a token. */
  token?: string;
}

/**
 * Checks proofs of possession (RFC 9449): ES256, `iat` within a minute, each `jti` once. Used proofs are remembered on
 * this node only, up to a limit; the oldest is forgotten first.
 */
export class Proofs {
  readonly #seen = new Map<string, number>();
  /** Keyed by the exact header, because a client repeats the same one in each of its proofs. */
  readonly #keys = new Map<string, KnownKey>();

  constructor(
    private readonly now: () => number,
    private readonly max = MAX_PROOFS,
  ) {}

  /**
   * Checks a proof's signature before its token is known; `check` then takes the result. Only for keys that have proven
   * a token before, so that strangers cause no computation. Doesn't use up the proof.
   */
  ahead(proof = ''): Signed | undefined {
    if (proof.length > MAX_PROOF) return undefined;
    const { signed, head, signature } = partsOf(proof);
    const known = this.#keys.get(head);
    return known && isSignedBy(known.key, signed, signature) ? { proof, jkt: known.jkt } : undefined;
  }

  /** Returns the thumbprint of the signing key. Throws `invalid_dpop_proof` with the reason. */
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

/** Header, payload and signature (RFC 7515); an ES256 signature has 64 bytes. */
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
 * Synchronous, not on WebCrypto's thread pool: it takes a tenth of a millisecond, and on a busy machine the way to
 * another thread and back takes many times that.
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
