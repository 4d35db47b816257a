import assert from 'node:assert/strict';
import { LOCAL_GRANT, type TokenAnswer } from '../../../shared/auth.ts';
import { endOf } from '../../support/client.ts';
import { onBothEngines } from '../../support/engines.ts';
import { Editor, InstallKey, Member } from '../../support/member.ts';
import { startServer } from '../../support/server.ts';

onBothEngines('a server of one’s own', (server) => {
  const redeem = (editor: Editor, local_token: string, more = {}) =>
    editor.post<TokenAnswer>('/api/auth/token', {
      grant_type: LOCAL_GRANT,
      local_token,
      device_name: 'this machine',
      tool: 'Visual Studio Code',
      ...more,
    });
  async function signIn(more = {}) {
    const editor = new Editor(server().url);
    const { status, body } = await redeem(editor, server().localToken(), more);
    assert.equal(status, 200, JSON.stringify(body));
    return { member: Member.from(editor.url, editor.key, body), body };
  }

  it('signs its user in by the token that the start hands over, once', async () => {
    const token = server().localToken();
    const { member } = await signIn();
    assert.notEqual(server().localToken(), token, 'another is ready for the next editor');
    const again = await redeem(new Editor(server().url), token);
    assert.deepEqual([again.status, again.body.code], [400, 'invalid_grant']);
    const second = await signIn();
    assert.equal(second.member.accountId, member.accountId, 'it is one user, on any number of editors');
    const { account, balance } = (await member.account()).body;
    assert.deepEqual([account.kind, account.providers, balance.unlimited], ['member', ['local'], true]);
  });

  it('meters everything and limits nothing', async () => {
    const { member } = await signIn();
    const before = (await member.log()).body.entries.filter(({ kind }) => kind === 'charge').length;
    for (let n = 0; n < 15; n++) assert.equal(endOf(await member.run(member.chat(`question ${n}`))).type, 'done');
    server().double.usually({ status: 500, body: {} });
    for (let n = 0; n < 14; n++) assert.equal(endOf(await member.run(member.chat(`fails ${n}`))).type, 'error');
    server().double.usually({ text: 'fine' });
    assert.equal(endOf(await member.run(member.chat('and on'))).type, 'done');
    const after = (await member.log('?limit=200')).body.entries.filter(({ kind }) => kind === 'charge').length;
    assert.equal(after - before, 16);
  });

  it('takes the guest along that was there before', async () => {
    const guest = await server().guest();
    await guest.run(guest.chat('as a guest'));
    const { member, body } = await signIn({ guest_token: guest.token });
    assert.equal(body.merged?.conversations, 1);
    const { conversations } = (await member.conversations('?search=as a guest')).body;
    assert.equal(conversations.length, 1);
  });

  const FORWARDED = ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip', 'cf-connecting-ip'];
  for (const header of FORWARDED)
    it(`knows nobody who comes through a proxy that says ${header}`, async () => {
      const editor = new Editor(server().url);
      const url = `${editor.url}/api/auth/token`;
      const refused = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          dpop: await editor.key.prove({ method: 'POST', url }),
          [header]: '203.0.113.9',
        },
        body: JSON.stringify({
          grant_type: LOCAL_GRANT,
          local_token: server().localToken(),
          device_name: 'x',
          tool: 'y',
        }),
      });
      assert.equal(refused.status, 404);
      const { member } = await signIn();
      assert.equal((await member.request('GET', '/api/account', undefined, { [header]: '203.0.113.9' })).status, 401);
      assert.equal((await member.account()).status, 200);
    });

  it('takes no token that somebody guesses, and counts what is guessed', async () => {
    const codes: string[] = [];
    for (let n = 0; n < 61; n++) codes.push((await redeem(new Editor(server().url), 'x'.repeat(43))).body.code);
    assert.deepEqual([codes[0], codes.at(-1)], ['invalid_grant', 'too_many_attempts']);
    const { status } = await redeem(new Editor(server().url), server().localToken());
    assert.equal(status, 429, 'nor is the right one taken then');
    server().clock.advance(10 * 60_000);
    const key = new InstallKey(() => server().clock.now());
    const editor = new Editor(server().url, key);
    assert.equal((await redeem(editor, server().localToken())).status, 200);
  });
});

describe('local mode', () => {
  const CASES: [title: string, env: Record<string, string>, local: boolean][] = [
    ['is on where nobody else could sign in, on loopback', {}, true],
    ['is on behind a loopback PUBLIC_URL', { PUBLIC_URL: 'http://localhost:8787' }, true],
    ['is off where a provider is set up', { GITHUB_CLIENT_ID: 'a', GITHUB_CLIENT_SECRET: 'b' }, false],
    ['is off where codes are mailed', { MAIL_URL: 'console:', MAIL_FROM: 'a@b.example' }, false],
    ['is off behind a public address', { PUBLIC_URL: 'https://perigee.example' }, false],
    ['is off beyond loopback', { HOST: '0.0.0.0', PUBLIC_URL: 'https://perigee.example' }, false],
  ];
  for (const [title, env, local] of CASES)
    it(title, async () => {
      const server = await startServer('sqlite', { env });
      try {
        assert.equal(server.localToken() !== '', local);
        const host = env.PUBLIC_URL ? new URL(env.PUBLIC_URL).host : new URL(server.url).host;
        if (host !== 'perigee.example') {
          const options = (await (await fetch(`${server.url}/api/auth/options`)).json()) as { local: boolean };
          assert.equal(options.local, local);
        }
      } finally {
        await server.stop();
      }
    });
});
