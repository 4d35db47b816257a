import assert from 'node:assert/strict';
import type { SecretStorage } from 'vscode';
import { InstallKey } from '../../extension/account/session/installKey.ts';
import { bearer, proven, ServerClock, SigningKey, sha256 } from '../../extension/account/session/signingKey.ts';
import { Backend } from '../../extension/backend.ts';
import { BackendError } from '../../extension/platform/server/backendError.ts';
import { Proofs } from '../../server/accounts/sessions/dpop.ts';
import { Secrets } from './secrets.ts';

const SERVER = 'http://perigee.example';
const URL = `${SERVER}/api/runs`;
const TOKEN = 't'.repeat(43);

describe('the proofs of an installed editor', () => {
  let proofs: Proofs;
  let key: SigningKey;
  beforeEach(async () => {
    proofs = new Proofs(Date.now);
    key = await SigningKey.import(await SigningKey.make());
  });
  const check = async (
    method: string,
    url: string,
    token = TOKEN,
    by = proven(SERVER, key, token, new ServerClock()),
  ) => {
    const { dpop } = await by.headers(method, url);
    return proofs.check(dpop, { method: 'POST', urls: [URL], token: TOKEN });
  };
  const isRefused = (why: RegExp) => (error: Error) => why.test((error as { detail?: string }).detail ?? error.message);

  it('are taken by the server, each once, and name one key', async () => {
    const thumbprints = [await check('POST', `${URL}?after=1`), await check('POST', URL)];
    assert.equal(new Set(thumbprints).size, 1);
    const credential = proven(SERVER, key, TOKEN, new ServerClock());
    const { dpop, authorization } = await credential.headers('POST', URL);
    assert.equal(authorization, `DPoP ${TOKEN}`);
    const request = { method: 'POST', urls: [URL], token: TOKEN };
    await proofs.check(dpop, request);
    await assert.rejects(proofs.check(dpop, request), isRefused(/used before/));
  });

  it('are good for their method, address and token alone', async () => {
    await assert.rejects(check('GET', URL), isRefused(/another method/));
    await assert.rejects(check('POST', 'https://elsewhere.example/api/runs'), isRefused(/another address/));
    await assert.rejects(check('POST', URL, 'u'.repeat(43)), isRefused(/another token/));
  });

  it('carry the public part of the key and nothing else of it', async () => {
    const { dpop } = await proven(SERVER, key, null, new ServerClock()).headers('POST', URL);
    const [header = '', payload = ''] = dpop!.split('.').map((part) => Buffer.from(part, 'base64url').toString());
    assert.deepEqual(Object.keys(JSON.parse(header).jwk), ['kty', 'crv', 'x', 'y']);
    assert.ok(!dpop!.includes(key.stored.d) && !header.includes(key.stored.d));
    assert.deepEqual(Object.keys(JSON.parse(payload)).sort(), ['htm', 'htu', 'iat', 'jti']);
  });

  it('come from one key for as long as the editor is installed', async () => {
    const secrets = new Secrets();
    const install = () => new InstallKey(secrets as unknown as SecretStorage);
    const first = await install().get();
    assert.deepEqual((await install().get()).stored, first.stored);
    secrets.values.set('install key', 'damaged');
    assert.notDeepEqual((await install().get()).stored, first.stored);
  });

  it('come from one key also where two windows ask for it first in the same instant', async () => {
    const secrets = new Secrets() as unknown as SecretStorage;
    const [one, two] = await Promise.all([new InstallKey(secrets).get(), new InstallKey(secrets).get()]);
    assert.deepEqual(one.stored, two.stored);
  });

  it('hash a token as the server does', async () => {
    assert.equal(await sha256('abc'), 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
  });
});

describe('a machine whose clock is wrong', () => {
  const WRONG_MS = 3 * 3_600_000;
  const problem = (code: string) => ({
    type: 'about:blank',
    title: 'No',
    status: 401,
    detail: 'no',
    code,
    requestId: '',
  });

  /** A backend whose server checks proofs and, or so it says, has the right time. */
  async function meet(date: () => string | null) {
    const proofs = new Proofs(Date.now);
    const key = await SigningKey.import(await SigningKey.make());
    const seen: string[] = [];
    const server = async (_url: unknown, init?: RequestInit) => {
      const headers = new Headers(init?.headers);
      const sent = date();
      const answered = new Headers(sent === null ? {} : { date: sent });
      try {
        const urls = [`${SERVER}/api/runs/x/stop`];
        await proofs.check(headers.get('dpop') ?? undefined, { method: 'POST', urls, token: TOKEN });
        seen.push('taken');
        return new Response(null, { status: 204, headers: answered });
      } catch {
        seen.push('refused');
        answered.set('content-type', 'application/problem+json');
        return new Response(JSON.stringify(problem('invalid_dpop_proof')), { status: 401, headers: answered });
      }
    };
    const backend = new Backend({
      baseUrl: () => ({ url: SERVER }),
      fetch: server as typeof fetch,
      device: 'test',
    });
    const clock = new ServerClock(() => Date.now() - WRONG_MS);
    return { seen, call: () => backend.stopRun(proven(SERVER, key, TOKEN, clock), 'x') };
  }

  it('takes the time from the server that refused, and is let in from then on', async () => {
    const { seen, call } = await meet(() => new Date().toUTCString());
    await call();
    await call();
    assert.deepEqual(seen, ['refused', 'taken', 'taken']);
  });

  it('asks once more and no further where that does not help', async () => {
    const { seen, call } = await meet(() => new Date(Date.now() + WRONG_MS).toUTCString());
    await assert.rejects(
      call(),
      (error) => error instanceof BackendError && error.problem.code === 'invalid_dpop_proof',
    );
    assert.deepEqual(seen, ['refused', 'refused']);
  });

  it('does not ask again where the server says no time', async () => {
    const { seen, call } = await meet(() => null);
    await assert.rejects(call());
    assert.deepEqual(seen, ['refused']);
  });
});

describe('a guest', () => {
  it('is known by the token alone', async () => {
    assert.deepEqual(await bearer(SERVER, 'abc').headers('GET', URL), { authorization: 'Bearer abc' });
  });
});
