import { createHash, generateKeyPairSync, type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, type JWK, SignJWT } from 'jose';
import type { TokenAnswer } from '../../shared/auth.ts';
import { type Answer, Client } from './client.ts';

/** The claims of a proof; a test may set each to a wrong value. */
export interface ProofOptions {
  method: string;
  /** Absolute. */
  url: string;
  token?: string;
  /** Seconds. */
  iat?: number;
  jti?: string;
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
}

/** The key of one installed editor. It never leaves the editor. */
export class InstallKey {
  readonly #privateKey: KeyObject;
  readonly publicJwk: JWK;

  /** `now` in ms, for servers whose clock a test has moved. */
  constructor(private readonly now: () => number = Date.now) {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#privateKey = pair.privateKey;
    this.publicJwk = pair.publicKey.export({ format: 'jwk' }) as JWK;
  }

  thumbprint(): Promise<string> {
    return calculateJwkThumbprint(this.publicJwk);
  }

  /** A proof of this key (RFC 9449) for one request. */
  prove({ method, url, token, iat, jti, claims = {}, header = {} }: ProofOptions): Promise<string> {
    const ath = token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') };
    const { origin, pathname } = new URL(url);
    const body = { htm: method, htu: origin + pathname, jti: jti ?? randomUUID(), ...ath, ...claims };
    return new SignJWT(body)
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: this.publicJwk, ...header })
      .setIssuedAt(iat ?? Math.floor(this.now() / 1000))
      .sign(this.#privateKey);
  }
}

/** A signed-in editor: each of its requests has a proof of its key. */
export class Member extends Client {
  constructor(
    url: string,
    token: string,
    accountId: string,
    readonly key: InstallKey,
    device = 'test',
  ) {
    super(url, token, accountId, device);
  }

  static from(url: string, key: InstallKey, answer: TokenAnswer): Member {
    return new Member(url, answer.access_token, answer.account.id, key);
  }

  override async credentials(method: string, path: string): Promise<Record<string, string>> {
    const dpop = await this.key.prove({ method, url: this.url + path, token: this.token });
    return { authorization: `DPoP ${this.token}`, dpop };
  }
}

/** An editor before its sign-in: its key, its PKCE verifier, its state. */
export class Editor {
  readonly key: InstallKey;
  readonly verifier = randomBytes(32).toString('base64url');
  readonly state = randomBytes(16).toString('base64url');

  constructor(
    readonly url: string,
    key = new InstallKey(),
  ) {
    this.key = key;
  }

  get challenge(): string {
    return createHash('sha256').update(this.verifier).digest('base64url');
  }

  /** The address that the editor opens in a browser. */
  signInAddress(more: Record<string, string> = {}): string {
    const query = new URLSearchParams({
      callback: 'vscode://perigee.perigee/signed-in?windowId=7',
      state: this.state,
      code_challenge: this.challenge,
      code_challenge_method: 'S256',
      device_name: 'a laptop',
      tool: 'Visual Studio Code',
      ...more,
    });
    return `${this.url}/sign-in?${query}`;
  }

  /** Sends a request with a proof of its key, but without a token, which it does not have yet. */
  async post<T>(path: string, body: unknown, proof: Partial<ProofOptions> = {}): Promise<Answer<T>> {
    const url = this.url + path;
    const dpop = await this.key.prove({ method: 'POST', url, ...proof });
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', dpop },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Answer<T>['body'], headers: response.headers };
  }

  exchange(code: string, more: Record<string, string> = {}): Promise<Answer<TokenAnswer>> {
    return this.post('/api/auth/token', {
      grant_type: 'authorization_code',
      code,
      code_verifier: this.verifier,
      ...more,
    });
  }
}
