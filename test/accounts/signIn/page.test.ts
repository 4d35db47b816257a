import assert from 'node:assert/strict';
import type { AccountAnswer } from '../../../shared/account.ts';
import type { PageAnswer, PageCodeAnswer } from '../../../shared/auth.ts';
import { Browser } from '../../support/browser.ts';
import type { Member } from '../../support/member.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

onBothEnginesWithSignIn('the page that the editor opens', (world) => {
  const code = async (member: Member) =>
    (await member.request<PageCodeAnswer>('POST', '/api/auth/page-code')).body.code;
  const post = async (browser: Browser, path: string, body: unknown, headers: Record<string, string> = {}) => {
    const { url } = world().server();
    const page = await browser.request(new URL(path, url), {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin', ...headers },
    });
    return { status: page.status, body: JSON.parse(page.html || '{}') as PageAnswer & { code?: string } };
  };
  const who = async (browser: Browser) => {
    const page = await browser.request(new URL('/api/account', world().server().url));
    return page.status === 200 ? (JSON.parse(page.html) as AccountAnswer).account.id : page.status;
  };

  it('names the account first, and is signed in after a click', async () => {
    const person = somebody();
    const { member } = await world().signIn(person);
    const browser = new Browser();
    const secret = await code(member);
    const asked = await post(browser, '/api/auth/page', { code: secret, confirm: false });
    assert.deepEqual([asked.status, asked.body.account.email, asked.body.replaces], [200, person.email, undefined]);
    assert.equal(await who(browser), 401);
    assert.equal((await post(browser, '/api/auth/page', { code: secret, confirm: true })).status, 200);
    assert.equal(await who(browser), member.accountId);
    const [line] = browser.cookiesSet;
    for (const attribute of ['HttpOnly', 'SameSite=Strict', 'Path=/']) assert.ok(line!.includes(attribute), line);
  });

  it('opens once, also for many clicks at once', async () => {
    const { member } = await world().signIn(somebody());
    const secret = await code(member);
    const browsers = Array.from({ length: 6 }, () => new Browser());
    const answers = await Promise.all(
      browsers.map((browser) => post(browser, '/api/auth/page', { code: secret, confirm: true })),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(
      (await post(new Browser(), '/api/auth/page', { code: secret, confirm: false })).body.code,
      'invalid_grant',
    );
  });

  it('opens within a minute', async () => {
    const { member } = await world().signIn(somebody());
    const secret = await code(member);
    world().server().clock.advance(60_000);
    assert.equal(
      (await post(new Browser(), '/api/auth/page', { code: secret, confirm: true })).body.code,
      'invalid_grant',
    );
  });

  it('never takes another person’s place unasked: it says who is signed in, and ends that session', async () => {
    const ada = somebody();
    const one = (await world().signIn(ada)).member;
    const other = (await world().signIn(somebody())).member;
    const browser = new Browser();
    await post(browser, '/api/auth/page', { code: await code(one), confirm: true });
    const before = browser.cookie(new URL(one.url).host, /session/)![1];
    const secret = await code(other);
    const asked = await post(browser, '/api/auth/page', { code: secret, confirm: false });
    assert.equal(asked.body.replaces?.email, ada.email);
    assert.equal(await who(browser), one.accountId);
    await post(browser, '/api/auth/page', { code: secret, confirm: true });
    assert.equal(await who(browser), other.accountId);
    const cookie = `perigee_session=${before}`;
    assert.equal((await fetch(`${one.url}/api/account`, { headers: { cookie } })).status, 401);
  });

  it('is not opened by pages of others', async () => {
    const { member } = await world().signIn(somebody());
    const secret = await code(member);
    const evil = 'https://evil.example';
    const foreign: Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': '', origin: evil },
      { 'sec-fetch-site': '', origin: 'null' },
      { 'sec-fetch-site': '' },
    ];
    for (const headers of foreign) {
      const refused = await post(new Browser(), '/api/auth/page', { code: secret, confirm: true }, headers);
      assert.deepEqual([refused.status, refused.body.code], [403, 'foreign_page'], JSON.stringify(headers));
    }
  });

  it('lets pages of others do nothing with its cookie', async () => {
    const { member } = await world().signIn(somebody());
    const browser = new Browser();
    await post(browser, '/api/auth/page', { code: await code(member), confirm: true });
    for (const path of ['/api/auth/sign-out', '/api/auth/page-code']) {
      const refused = await post(browser, path, {}, { 'sec-fetch-site': 'cross-site' });
      assert.deepEqual([refused.status, refused.body.code], [403, 'foreign_page']);
    }
    assert.equal(await who(browser), member.accountId);
    assert.equal((await post(browser, '/api/auth/sign-out', {})).status, 204);
    assert.equal(await who(browser), 401);
  });

  it('has a token that goes nowhere but into its cookie', async () => {
    const { member } = await world().signIn(somebody());
    const browser = new Browser();
    await post(browser, '/api/auth/page', { code: await code(member), confirm: true });
    const [, token] = browser.cookie(new URL(member.url).host, /session/)!;
    const bearer = await fetch(`${member.url}/api/account`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(bearer.status, 401);
    const cookie = `perigee_session=${member.token}`;
    assert.equal((await fetch(`${member.url}/api/account`, { headers: { cookie } })).status, 401);
    const guest = await world().server().guest();
    const planted = `perigee_session=${guest.token}`;
    assert.equal((await fetch(`${member.url}/api/account`, { headers: { cookie: planted } })).status, 401);
  });

  it('ends when its device list says so', async () => {
    const { member } = await world().signIn(somebody());
    const browser = new Browser();
    await post(browser, '/api/auth/page', { code: await code(member), confirm: true });
    const { sessions } = (
      await member.request<{ sessions: { id: string; kind: string; name: string }[] }>('GET', '/api/sessions')
    ).body;
    const page = sessions.find(({ kind }) => kind === 'page')!;
    assert.equal(page.name, 'Chrome on Linux');
    await member.request('DELETE', `/api/sessions/${page.id}`);
    assert.equal(await who(browser), 401);
  });
});
