import assert from 'node:assert/strict';
import { Browser, editorAddress } from '../../support/browser.ts';
import { Member } from '../../support/member.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

const CREDIT = 1_000_000;

onBothEnginesWithSignIn('signing in', (world) => {
  it('offers what is configured, and nothing else', async () => {
    const { server } = world();
    const answer = await fetch(`${server().url}/api/auth/options`);
    assert.deepEqual(await answer.json(), {
      providers: [
        { id: 'google', name: 'Google' },
        { id: 'github', name: 'GitHub' },
        { id: 'acme', name: 'Acme' },
      ],
      email: true,
      device: true,
      local: false,
      guests: true,
      bonusMicro: 100 * CREDIT,
      smallestAge: 13,
      terms: { version: '1', url: 'https://perigee.example/terms' },
    });
  });

  it('makes an account by an OIDC provider, with 100 credits, and hands the editor a token of its own', async () => {
    const person = somebody();
    const { member, answer } = await world().signIn(person);
    assert.equal(answer.token_type, 'DPoP');
    assert.equal(answer.expires_in, 30 * 24 * 3600);
    const { body } = await member.account();
    assert.deepEqual(
      [body.account.kind, body.account.email, body.account.name, body.account.providers, body.account.tier],
      ['member', person.email, person.name, ['email', 'google'], 0],
    );
    assert.equal(body.balance.availableMicro, 100 * CREDIT);
    assert.equal(body.balance.ofMicro, 100 * CREDIT);
    const events = await member.run(member.chat('hello'));
    assert.equal(events.at(-1)?.type, 'done');
  });

  it('finds the same account again on another device, and gives nothing twice', async () => {
    const person = somebody();
    const first = await world().signIn(person);
    const second = await world().signIn(person);
    assert.equal(second.answer.account.id, first.answer.account.id);
    assert.notEqual(second.answer.access_token, first.answer.access_token);
    assert.equal(await second.member.available(), 100 * CREDIT);
    const sessions = (
      await second.member.request<{ sessions: { current: boolean; name: string }[] }>('GET', '/api/sessions')
    ).body.sessions;
    assert.deepEqual(sessions.map(({ name, current }) => [name, current]).sort(), [
      ['a laptop', false],
      ['a laptop', true],
    ]);
  });

  it('asks the provider with PKCE, a state and a nonce', async () => {
    await world().signIn(somebody());
    const asked = world().idp.asked.at(-1)!;
    assert.equal(asked.get('code_challenge_method'), 'S256');
    for (const name of ['code_challenge', 'state', 'nonce']) assert.ok(asked.get(name)!.length >= 32, name);
  });

  it('signs in by GitHub, whose primary address counts if it is verified', async () => {
    const { server } = world();
    const github = world().github!;
    github.user = { id: 4711, login: 'octo', name: null };
    github.emails = [
      { email: 'old@example.org', primary: false, verified: true },
      { email: 'octo@example.org', primary: true, verified: true },
    ];
    const editor = world().editor();
    const browser = new Browser();
    const confirm = await browser.click(await browser.open(editor.signInAddress()), 'Continue with GitHub');
    assert.match(confirm.html, /octo@example\.org<\/strong> by GitHub, new here/);
    const opened = await browser.submit(confirm, { decision: 'continue', terms: '1' });
    const { body } = await editor.exchange(editorAddress(opened).searchParams.get('code')!);
    assert.deepEqual(
      [body.account.email, body.account.name, body.account.providers],
      ['octo@example.org', 'octo', ['email', 'github']],
    );
    assert.equal(await Member.from(server().url, editor.key, body).available(), 100 * CREDIT);
  });

  it('signs in by a code sent by mail', async () => {
    const editor = world().editor();
    const browser = new Browser();
    const chosen = await browser.open(editor.signInAddress());
    const typed = await browser.submit(chosen, { email: 'Mail.Person@Example.org' });
    assert.equal(typed.url.pathname, '/sign-in/code');
    assert.equal(world().server().mails.at(-1)!.to, 'mail.person@example.org');
    const wrong = await browser.submit(typed, { code: '000000' });
    assert.equal(wrong.status, 400);
    assert.match(wrong.html, /role="alert">This code is wrong/);
    const code = world().mailedCode();
    const confirm = await browser.submit(wrong, { code: `${code.slice(0, 3)} ${code.slice(3)}` });
    assert.equal(confirm.url.pathname, '/sign-in/confirm', confirm.html);
    const opened = await browser.submit(confirm, { decision: 'continue', terms: '1' });
    const { body } = await editor.exchange(editorAddress(opened).searchParams.get('code')!);
    assert.deepEqual([body.account.email, body.account.providers], ['mail.person@example.org', ['email']]);
  });

  it('takes a verified address for the same person, however they sign in', async () => {
    const person = somebody();
    const first = await world().signIn(person);
    const other = await world().identify(
      { ...somebody(), email: person.email },
      world().editor().signInAddress(),
      new Browser(),
      'Acme',
    );
    assert.doesNotMatch(other.html, /new here/);
    const editor = world().editor();
    const browser = new Browser();
    const typed = await browser.submit(await browser.open(editor.signInAddress()), { email: person.email! });
    const confirm = await browser.submit(typed, { code: world().mailedCode() });
    assert.doesNotMatch(confirm.html, /new here/);
    const opened = await browser.submit(confirm, { decision: 'continue' });
    const { body } = await editor.exchange(editorAddress(opened).searchParams.get('code')!);
    assert.equal(body.account.id, first.answer.account.id);
  });

  it('takes an address that nobody has verified for nothing', async () => {
    const person = somebody();
    const first = await world().signIn(person);
    for (const email_verified of [false, undefined]) {
      const thief = await world().signIn({ ...somebody(), email: person.email, email_verified });
      assert.notEqual(thief.answer.account.id, first.answer.account.id);
      assert.deepEqual(thief.answer.account.providers, ['google']);
    }
    const owner = await world().signIn(person);
    assert.equal(owner.answer.account.id, first.answer.account.id);
  });

  it('makes no account without a confirmation of age and terms', async () => {
    const browser = new Browser();
    const confirm = await world().identify(somebody(), world().editor().signInAddress(), browser);
    const again = await browser.submit(confirm, { decision: 'continue' });
    assert.equal(again.status, 400);
    assert.match(again.html, /role="alert">Confirm that you are 13 or older/);
    const opened = await browser.submit(again, { decision: 'continue', terms: '1' });
    assert.ok(editorAddress(opened).searchParams.get('code'));
  });

  it('asks nobody to accept terms that there is no page of, and says what age is meant', async () => {
    const { terms } = world().policy!.accounts;
    const { url } = terms;
    delete terms.url;
    try {
      const browser = new Browser();
      const confirm = await world().identify(somebody(), world().editor().signInAddress(), browser);
      assert.doesNotMatch(confirm.html, /type="checkbox"|terms of use/);
      assert.match(confirm.html, /you confirm that you are 13 or older/);
      const opened = await browser.submit(confirm, { decision: 'continue' });
      assert.ok(editorAddress(opened).searchParams.get('code'));
    } finally {
      terms.url = url;
    }
  });

  it('names the account and the device before anything happens', async () => {
    const person = somebody();
    const confirm = await world().identify(person, world().editor().signInAddress({ device_name: '<b>my</b> laptop' }));
    assert.match(confirm.html, new RegExp(`<strong>${person.email}</strong> by Google`));
    assert.match(confirm.html, /Visual Studio Code on <strong>&lt;b&gt;my&lt;\/b&gt; laptop<\/strong>/);
  });

  it('gives the editor its address back as it was, with code and state in its query', async () => {
    const browser = new Browser();
    const editor = world().editor();
    const callback = 'vscode://perigee.perigee/signed-in?a=%20b%2Bc&windowId=7';
    const confirm = await world().identify(somebody(), editor.signInAddress({ callback }), browser);
    const opened = editorAddress(await browser.submit(confirm, { decision: 'continue', terms: '1' }));
    assert.ok(opened.href.startsWith(`${callback}&code=`), opened.href);
    assert.equal(opened.searchParams.get('state'), editor.state);
  });

  it('tells the editor that it was cancelled, and leaves nothing to go on with', async () => {
    const browser = new Browser();
    const editor = world().editor();
    const confirm = await world().identify(somebody(), editor.signInAddress(), browser);
    const cancelled = editorAddress(await browser.submit(confirm, { decision: 'cancel' }));
    assert.deepEqual(
      [cancelled.searchParams.get('error'), cancelled.searchParams.get('state'), cancelled.searchParams.get('code')],
      ['access_denied', editor.state, null],
    );
    assert.equal((await browser.submit(confirm, { decision: 'continue', terms: '1' })).status, 400);
  });

  it('skips the page on which one chooses, if the editor has asked', async () => {
    world().idp.person = somebody();
    const confirm = await new Browser().open(world().editor().signInAddress({ provider: 'acme' }));
    assert.equal(confirm.url.pathname, '/sign-in/confirm');
  });

  it('signs the browser itself in, for the member’s page', async () => {
    const person = somebody();
    const browser = new Browser();
    const { url } = world().server();
    const confirm = await world().identify(person, `${url}/sign-in`, browser);
    const page = await browser.submit(confirm, { decision: 'continue', terms: '1' });
    assert.equal(page.url.pathname, '/account');
    const account = await browser.open(`${url}/api/account`);
    assert.equal(JSON.parse(account.html).account.email, person.email);
  });

  it('keeps no token of the provider, and forgets the ceremony itself', async () => {
    await world().signIn(somebody());
    const { db } = world().server();
    const rows = await db.read.selectFrom('auth_account').selectAll().execute();
    assert.ok(rows.length > 0);
    for (const row of rows as unknown as Record<string, unknown>[])
      assert.deepEqual([row.accessToken, row.refreshToken, row.idToken], [null, null, null]);
    assert.deepEqual(await db.read.selectFrom('auth_session').selectAll().execute(), []);
  });
});
