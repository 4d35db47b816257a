import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { Proofs, type Proven } from '../../../server/accounts/sessions/dpop.ts';
import { InstallKey, type ProofOptions } from '../../support/member.ts';

const URL_ = 'https://perigee.example/api/account';
const NOW = 1_800_000_000_000;

describe('a proof of possession', () => {
  let now = NOW;
  const key = new InstallKey(() => now);
  let proofs: Proofs;
  const request: Proven = { method: 'GET', urls: [URL_], token: 'a-token' };
  const prove = (more: Partial<ProofOptions> = {}) =>
    key.prove({ method: 'GET', url: URL_, token: 'a-token', ...more });
  const refused = (proof: Promise<string | undefined> | string, why: RegExp) =>
    assert.rejects(
      async () => proofs.check(await proof, request),
      (error: { code?: string; detail?: string }) => {
        assert.equal(error.code, 'invalid_dpop_proof');
        assert.match(error.detail!, why);
        return true;
      },
    );

  beforeEach(() => {
    now = NOW;
    proofs = new Proofs(() => now);
  });

  it('names the key that made it', async () => {
    assert.equal(await proofs.check(await prove(), request), await key.thumbprint());
    // A key that is known from before is named alike.
    assert.equal(await proofs.check(await prove(), request), await key.thumbprint());
  });

  it('may be for any address by which this server goes, whatever its query', async () => {
    const many = { ...request, urls: ['http://127.0.0.1:8787/api/account', URL_] };
    assert.ok(await proofs.check(await prove({ claims: { htu: `${URL_}?a=b#c` } }), many));
    assert.ok(await proofs.check(await prove({ claims: { htu: 'HTTPS://PERIGEE.example:443/api/account' } }), many));
  });

  it('is refused where there is none', () => refused(Promise.resolve(undefined), /there is none/));
  it('is refused if it is no token', () => refused('nonsense', /dpop\+jwt/));
  it('is refused if it is endless', () => refused('x'.repeat(5000), /too long/));
  it('is refused for another method', () => refused(prove({ method: 'POST' }), /another method/));
  it('is refused for another address', () =>
    refused(prove({ url: 'https://evil.example/api/account' }), /another address/));
  it('is refused for another path', () =>
    refused(prove({ url: 'https://perigee.example/api/runs' }), /another address/));
  it('is refused for another token', () => refused(prove({ token: 'b-token' }), /another token/));
  it('is refused without the token', () => refused(prove({ token: undefined }), /another token/));
  it('is refused without its id', () => refused(prove({ claims: { jti: undefined } }), /jti/));
  it('is refused as another kind of token', () => refused(prove({ header: { typ: 'JWT' } }), /dpop\+jwt/));
  it('is refused with a key that says nothing', () => refused(prove({ header: { jwk: {} } }), /dpop\+jwt/));
  it('is refused with a key that is no point of the curve', () =>
    refused(prove({ header: { jwk: { ...key.publicJwk, x: 'A'.repeat(43) } } }), /no point/));
  it('is refused with a key that gives itself away', () => {
    const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
    return refused(prove({ header: { jwk } }), /dpop\+jwt/);
  });
  it('is refused with somebody else’s key', () =>
    refused(prove({ header: { jwk: new InstallKey().publicJwk } }), /signature/));

  it('is refused without a signature, and with a symmetric one', async () => {
    const [, payload] = (await prove()).split('.');
    for (const alg of ['none', 'HS256']) {
      const header = Buffer.from(JSON.stringify({ typ: 'dpop+jwt', alg, jwk: key.publicJwk })).toString('base64url');
      await refused(`${header}.${payload}.`, /dpop\+jwt/);
    }
  });

  it('is refused once a byte of it was changed', async () => {
    const [header, payload, signature] = (await prove()).split('.');
    const other = { ...JSON.parse(Buffer.from(payload!, 'base64url').toString()), htm: 'GET', jti: 'another-id' };
    await refused(`${header}.${Buffer.from(JSON.stringify(other)).toString('base64url')}.${signature}`, /signature/);
  });

  it('is refused with a signature cut short or grown, and with parts that are none', async () => {
    const proof = await prove();
    for (const other of [proof.slice(0, -1), `${proof}A`, `${proof}.${proof}`, ` ${proof}`, proof.replace('.', '..')])
      await refused(other, /dpop\+jwt/);
    const zeros = `${proof.slice(0, proof.lastIndexOf('.'))}.${'A'.repeat(86)}`;
    await refused(zeros, /signature/);
  });

  it('is refused if it asks for an extension to be understood', async () => {
    const [, payload, signature] = (await prove()).split('.');
    const said = { typ: 'dpop+jwt', alg: 'ES256', jwk: key.publicJwk, crit: ['b64'], b64: false };
    const header = Buffer.from(JSON.stringify(said)).toString('base64url');
    await refused(`${header}.${payload}.${signature}`, /dpop\+jwt/);
  });

  it('is good for a minute in either direction', async () => {
    for (const iat of [NOW / 1000 - 60, NOW / 1000 + 60]) assert.ok(await proofs.check(await prove({ iat }), request));
    for (const iat of [NOW / 1000 - 61, NOW / 1000 + 61]) await refused(prove({ iat }), /more than a minute/);
  });

  it('is good once', async () => {
    const proof = await prove();
    await proofs.check(proof, request);
    await refused(proof, /used before/);
    now += 60_000;
    await refused(proof, /used before/);
    now += 1;
    await refused(proof, /more than a minute/);
  });

  it('has its signature checked ahead, which is no use of it, and only by a key that a token was proven with', async () => {
    const proof = await prove();
    assert.equal(proofs.ahead(proof), undefined);
    await proofs.check(await prove(), request);
    const ahead = proofs.ahead(proof);
    assert.deepEqual(ahead, { proof, jkt: await key.thumbprint() });
    const broken = `${proof.slice(0, -2)}${proof.endsWith('AA') ? 'BB' : 'AA'}`;
    assert.equal(proofs.ahead(broken), undefined);
    // Of another proof it says nothing, and whatever else doesn't hold is refused as ever.
    await assert.rejects(proofs.check(broken, request, ahead), /signature is wrong/);
    await assert.rejects(proofs.check(proof, { ...request, method: 'POST' }, ahead), /another method/);
    assert.equal(await proofs.check(proof, request, ahead), await key.thumbprint());
    await assert.rejects(proofs.check(proof, request, proofs.ahead(proof)), /used before/);
  });

  it('is good once, also for many at the same instant', async () => {
    const proof = await prove();
    const answers = await Promise.allSettled(Array.from({ length: 20 }, () => proofs.check(proof, request)));
    assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 1);
  });

  it('may have an id that another key has used', async () => {
    await proofs.check(await prove({ jti: 'the-same-id' }), request);
    const other = new InstallKey(() => now);
    assert.ok(
      await proofs.check(
        await other.prove({ method: 'GET', url: URL_, token: 'a-token', jti: 'the-same-id' }),
        request,
      ),
    );
  });

  it('is remembered within bounds: the oldest is forgotten first', async () => {
    proofs = new Proofs(() => now, 3);
    const kept = await Promise.all([prove(), prove(), prove(), prove()]);
    for (const proof of kept) await proofs.check(proof, request);
    await refused(kept[3]!, /used before/);
    assert.ok(await proofs.check(kept[0]!, request));
  });
});
