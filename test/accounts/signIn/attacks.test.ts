import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Browser, editorAddress, type Page } from '../../support/browser.ts';
import { Editor, InstallKey, Member } from '../../support/member.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

const guess = () => randomBytes(32).toString('base64url');

onBothEnginesWithSignIn('an attacker', (world) => {
  const url = () => world().server().url;
  /** The code that was handed to an editor which has not exchanged it yet. */
  async function handedOver(editor = world().editor(), person = somebody()) {
    const browser = new Browser();
    const confirm = await world().identify(person, editor.signInAddress(), browser);
    const opened = await browser.submit(confirm, { decision: 'continue', terms: '1' });
    return { editor, person, code: editorAddress(opened).searchParams.get('code')! };
  }

  describe('who has a code', () => {
    it('and not its verifier gets nothing, and has used it up (code interception)', async () => {
      const { editor, code } = await handedOver();
      const thief = world().editor();
      assert.deepEqual((await thief.exchange(code)).body.code, 'invalid_grant');
      assert.deepEqual((await editor.exchange(code)).body.code, 'invalid_grant');
    });

    it('gets nothing the second time (replay)', async () => {
      const { editor, code } = await handedOver();
      assert.equal((await editor.exchange(code)).status, 200);
      assert.equal((await editor.exchange(code)).body.code, 'invalid_grant');
    });

    it('gets one session, however many ask at once (race)', async () => {
      const { editor, code } = await handedOver();
      const answers = await Promise.all(Array.from({ length: 10 }, () => editor.exchange(code)));
      assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    });

    it('gets nothing after two minutes (expiry)', async () => {
      const { editor, code } = await handedOver();
      world()
        .server()
        .clock.advance(2 * 60_000);
      const late = await editor.post<{ code: string }>(
        '/api/auth/token',
        { grant_type: 'authorization_code', code, code_verifier: editor.verifier },
        { iat: Math.floor(world().server().clock.now() / 1000) },
      );
      assert.equal(late.body.code, 'invalid_grant');
    });

    it('of another kind gets nothing (confusion)', async () => {
      const { editor, code } = await handedOver();
      const { member } = await world().signIn(somebody());
      const page = (await member.request<{ code: string }>('POST', '/api/auth/page-code')).body.code;
      assert.equal((await editor.exchange(page)).body.code, 'invalid_grant');
      const asPage = await fetch(`${url()}/api/auth/page`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
        body: JSON.stringify({ code, confirm: true }),
      });
      assert.equal(((await asPage.json()) as { code: string }).code, 'invalid_grant');
    });

    it('that was made up gets nothing, and is counted (forgery, brute force)', async () => {
      const editor = new Editor(url(), new InstallKey(() => world().server().clock.now()));
      const codes: string[] = [];
      for (let n = 0; n < 61; n++) codes.push((await editor.exchange(guess())).body.code);
      assert.equal(codes[0], 'invalid_grant');
      assert.equal(codes.at(-1), 'too_many_attempts');
      world()
        .server()
        .clock.advance(10 * 60_000);
    });
  });

  describe('who sends somebody a link', () => {
    const REDIRECTS = [
      'https://evil.example/callback',
      'https://vscode.dev.evil.example/callback?vscode-authority=perigee.perigee',
      'javascript:alert(document.domain)',
      'vscode://evil.extension/take',
      '//evil.example',
      'data:text/html,<script>1</script>',
    ];
    for (const callback of REDIRECTS)
      it(`does not have them sent to ${callback} (open redirect)`, async () => {
        const page = await new Browser().open(world().editor().signInAddress({ callback }));
        assert.equal(page.status, 400);
        assert.ok(!page.html.includes('evil'), page.html);
        assert.ok(!page.html.includes('javascript:'), page.html);
      });

    it('can’t have a provider send them elsewhere, either (open redirect)', async () => {
      for (const query of [
        'callbackURL=https://evil.example',
        'redirectTo=https://evil.example',
        'next=//evil.example',
      ]) {
        const browser = new Browser();
        const chosen = await browser.open(world().editor().signInAddress());
        const flow = chosen.url.searchParams.get('flow')!;
        const sent = await browser.request(new URL(`/sign-in/with/google?flow=${flow}&${query}`, url()));
        const back = new URL(sent.headers.get('location')!).searchParams.get('redirect_uri')!;
        assert.equal(back, `${url()}/api/auth/callback/google`);
      }
    });

    it('does not sign them in as the attacker (login CSRF by the provider’s answer)', async () => {
      const attacker = new Browser();
      world().idp.person = somebody();
      const chosen = await attacker.open(world().editor().signInAddress());
      const toProvider = await attacker.request(
        new URL(`/sign-in/with/google?flow=${chosen.url.searchParams.get('flow')}`, url()),
      );
      const answered = await attacker.request(new URL(toProvider.headers.get('location')!));
      const answer = answered.headers.get('location')!;
      assert.match(answer, /\/api\/auth\/callback\/google\?code=/);
      const victim = new Browser();
      const page = await victim.open(answer);
      assert.match(page.html, /was started in another browser/);
      const own = await victim.open(world().editor().signInAddress());
      const done = await victim.open(`${url()}/sign-in/done?flow=${own.url.searchParams.get('flow')}`);
      assert.equal(done.status, 400);
    });

    it('can’t have a victim go on with a sign-in of the attacker’s (session fixation)', async () => {
      const attacker = new Browser();
      const confirm = await world().identify(somebody(), `${url()}/sign-in`, attacker);
      const victim = new Browser();
      const page = await victim.open(confirm.url);
      assert.equal(page.status, 400);
      assert.match(page.html, /was started in another browser/);
      const forged = await victim.open(`${url()}/sign-in/confirm`, {
        method: 'POST',
        body: new URLSearchParams({
          flow: confirm.url.searchParams.get('flow')!,
          decision: 'continue',
          terms: '1',
        }),
        headers: { origin: url() },
      });
      assert.equal(forged.status, 400);
      assert.deepEqual(victim.cookie(new URL(url()).host, /session/), undefined);
    });

    it('can’t send the forms of these pages from another site (CSRF)', async () => {
      for (const [path, fields] of [
        ['/sign-in/email', { email: 'victim@example.org' }],
        ['/sign-in/confirm', { decision: 'continue', terms: '1' }],
        ['/device', { user_code: 'WDJB-MJHT' }],
      ] as const) {
        const browser = new Browser();
        const begun = await browser.open(`${url()}/sign-in`);
        const body = new URLSearchParams({ flow: begun.url.searchParams.get('flow')!, ...fields });
        for (const headers of [
          { origin: 'https://evil.example' },
          { origin: 'null' },
          { 'sec-fetch-site': 'cross-site', origin: url() },
          {},
        ] as Record<string, string>[]) {
          const refused = await browser.open(`${url()}${path}`, { method: 'POST', body, headers });
          assert.equal(refused.status, 403, `${path} ${JSON.stringify(headers)}`);
        }
      }
    });

    it('can’t change what a sign-in is for: its cookie is signed', async () => {
      const browser = new Browser();
      const chosen = await browser.open(world().editor().signInAddress());
      const [name, value] = browser.cookie(new URL(url()).host, /flow/)!;
      const [text, signature] = decodeURIComponent(value).split('.');
      const flow = JSON.parse(Buffer.from(text!, 'base64url').toString());
      flow.purpose.callback = 'https://evil.example/';
      const forged = `${Buffer.from(JSON.stringify(flow)).toString('base64url')}.${signature}`;
      const page = await fetch(chosen.url, { headers: { cookie: `${name}=${encodeURIComponent(forged)}` } });
      assert.equal(page.status, 400);
    });
  });

  describe('who replays what a browser did', () => {
    it('finds a confirmation used up', async () => {
      const browser = new Browser();
      const confirm = await world().identify(somebody(), world().editor().signInAddress(), browser);
      const cookies = [...Array(2)].map(() => browser.cookie(new URL(url()).host, /flow/)!);
      const fields = { decision: 'continue', terms: '1' };
      editorAddress(await browser.submit(confirm, fields));
      const [name, value] = cookies[0]!;
      const again = await fetch(`${url()}/sign-in/confirm`, {
        method: 'POST',
        body: new URLSearchParams({ flow: confirm.url.searchParams.get('flow')!, ...fields }),
        headers: { origin: url(), cookie: `${name}=${value}` },
      });
      assert.equal(again.status, 400);
      assert.match(await again.text(), /confirmed before, or it has expired/);
    });

    it('gets one code for two clicks at once', async () => {
      const browser = new Browser();
      const confirm = await world().identify(somebody(), world().editor().signInAddress(), browser);
      const fields = { decision: 'continue', terms: '1' };
      const pages = await Promise.all([1, 2, 3].map(() => browser.submit(confirm, fields)));
      assert.equal(pages.filter(({ html }) => html.includes('You are signed in')).length, 1);
    });

    it('can’t use a provider’s answer twice', async () => {
      const browser = new Browser();
      world().idp.person = somebody();
      const chosen = await browser.open(world().editor().signInAddress());
      const flow = chosen.url.searchParams.get('flow')!;
      const toProvider = await browser.request(new URL(`/sign-in/with/google?flow=${flow}`, url()));
      const answered = await browser.request(new URL(toProvider.headers.get('location')!));
      const answer = new URL(answered.headers.get('location')!);
      const first = await browser.request(answer);
      assert.equal(new URL(first.headers.get('location')!, url()).pathname, '/sign-in/done');
      const second = await browser.request(answer);
      assert.equal(new URL(second.headers.get('location')!, url()).pathname, '/sign-in/failed');
    });
  });

  describe('who forges a provider’s word', () => {
    const LIES: [title: string, lie: (payload: Record<string, unknown>) => void][] = [
      ['for another client', (payload) => Object.assign(payload, { aud: 'client-of-somebody-else' })],
      ['by another issuer', (payload) => Object.assign(payload, { iss: 'https://evil.example' })],
      ['that has expired', (payload) => Object.assign(payload, { exp: 1_000 })],
      ['for another sign-in (nonce)', (payload) => Object.assign(payload, { nonce: 'another' })],
    ];
    for (const [title, lie] of LIES)
      it(`${title} is believed nothing`, async () => {
        world().idp.person = somebody();
        world().idp.forge = lie;
        try {
          const browser = new Browser();
          const page = await browser.click(
            await browser.open(world().editor().signInAddress()),
            'Continue with Google',
          );
          assert.equal(page.url.pathname, '/sign-in/done');
          assert.match(page.html, /The sign-in failed/);
        } finally {
          world().idp.forge = () => {};
        }
      });
  });

  describe('who tries out addresses', () => {
    const send = async (email: string): Promise<{ page: Page; browser: Browser }> => {
      const browser = new Browser();
      const page = await browser.submit(await browser.open(`${url()}/sign-in`), { email });
      return { page, browser };
    };

    it('learns of none whether it is known here (enumeration)', async () => {
      const person = somebody();
      await world().signIn(person);
      const known = (await send(person.email!)).page;
      const unknown = (await send(somebody().email!)).page;
      const plain = ({ html }: Page) =>
        html.replaceAll(/person\d+@example\.org/g, '…').replaceAll(/value="[\w-]{12}"|flow=[\w-]{12}/g, '…');
      assert.equal(plain(known), plain(unknown));
      assert.equal(known.status, unknown.status);
    });

    it('has 5 tries for a code, and the right one is worth nothing after them (brute force)', async () => {
      const { page, browser } = await send(somebody().email!);
      const right = world().mailedCode();
      const wrong = right === '111111' ? '222222' : '111111';
      for (let n = 0; n < 5; n++) assert.equal((await browser.submit(page, { code: wrong })).status, 400);
      assert.equal((await browser.submit(page, { code: right })).status, 400);
    });

    it('has 5 tries for each code that is mailed, and so many mails as one network may have in an hour (brute force)', async () => {
      const { email } = somebody();
      let tries = 0;
      let mails = 0;
      for (let round = 0; round < 14; round++) {
        const browser = new Browser();
        const page = await browser.submit(await browser.open(`${url()}/sign-in`), { email: email! });
        if (page.status === 429) continue;
        mails++;
        const wrong = world().mailedCode() === '111111' ? '222222' : '111111';
        for (let n = 0; n < 5; n++) if ((await browser.submit(page, { code: wrong })).status === 400) tries++;
        assert.equal(
          (await browser.submit(page, { code: world().mailedCode() })).status,
          400,
          'worth nothing any more',
        );
      }
      assert.deepEqual([mails, tries], [6, 30]);
      world().server().clock.advance(3_600_000);
    });

    it('makes this server send 6 mails from a network to an address in an hour, whatever tags it has (flooding)', async () => {
      const before = world().server().mails.length;
      const statuses: number[] = [];
      for (let n = 0; n < 7; n++) statuses.push((await send(`flooded+${n}@gmail.com`)).page.status);
      assert.deepEqual(statuses, [...Array(6).fill(200), 429]);
      assert.equal(world().server().mails.length - before, 6);
      world().server().clock.advance(3_600_000);
    });

    it('gets a code that works in no other browser’s sign-in for another address', async () => {
      const mine = await send('attacker@example.org');
      const code = world().mailedCode();
      const { page, browser } = await send(somebody().email!);
      assert.equal((await browser.submit(page, { code })).status, 400);
      assert.equal((await mine.browser.submit(mine.page, { code })).url.pathname, '/sign-in/confirm');
    });

    it('can’t write headers into mail', async () => {
      const before = world().server().mails.length;
      const { page } = await send('a@example.org\r\nbcc: victim@example.org');
      assert.equal(page.status, 400);
      assert.equal(world().server().mails.length, before);
    });

    it('finds codes in the database only as keyed hashes', async () => {
      await send(somebody().email!);
      const code = world().mailedCode();
      const rows = JSON.stringify(await world().server().db.read.selectFrom('mail_code').selectAll().execute());
      assert.ok(!rows.includes(code) && !rows.includes('example.org'), rows);
    });
  });

  it('who types codes of devices at random is stopped after 20 (brute force)', async () => {
    const browser = new Browser();
    const page = await browser.open(`${url()}/device`);
    const statuses: number[] = [];
    for (let n = 0; n < 21; n++) statuses.push((await browser.submit(page, { user_code: 'BCDF-GHJK' })).status);
    assert.deepEqual([statuses[0], statuses[19], statuses[20]], [400, 400, 429]);
    world()
      .server()
      .clock.advance(10 * 60_000);
  });

  it('who is called a script is shown as text (XSS by a name)', async () => {
    const name = '<script>alert(1)</script>';
    const confirm = await world().identify(somebody({ name, email: undefined }), world().editor().signInAddress());
    assert.match(confirm.html, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/);
    assert.ok(!confirm.html.includes(name));
  });

  it('finds no page of this server in a frame, and none that runs a script (clickjacking, XSS)', async () => {
    for (const path of ['/sign-in', '/sign-in/failed', '/device', '/sign-in/start']) {
      const page = await new Browser().open(url() + path);
      const policy = page.headers.get('content-security-policy')!;
      for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"])
        assert.ok(policy.includes(rule), `${path}: ${policy}`);
      assert.equal(page.headers.get('cache-control'), 'no-store');
      assert.ok(!page.html.includes('<script'));
    }
  });

  it('finds nothing of the machine that finds out who somebody is: its own calls are not there', async () => {
    for (const path of ['get-session', 'sign-in/social', 'sign-up/email', 'list-accounts', 'update-user', 'error'])
      for (const method of ['GET', 'POST']) {
        const { status } = await fetch(`${url()}/api/auth/${path}`, { method, headers: { origin: url() } });
        assert.ok(status === 401 || status === 404, `${method} ${path}: ${status}`);
      }
  });

  it('who is signed in on a stolen laptop is out as soon as its owner says so elsewhere', async () => {
    const person = somebody();
    const stolen = (await world().signIn(person)).member;
    const phone = (await world().signIn(person)).member;
    const { sessions } = (await phone.request<{ sessions: { id: string; current: boolean }[] }>('GET', '/api/sessions'))
      .body;
    await phone.request('DELETE', `/api/sessions/${sessions.find(({ current }) => !current)!.id}`);
    const copy = new Member(stolen.url, stolen.token, stolen.accountId, stolen.key);
    assert.equal((await copy.request('POST', '/api/auth/refresh')).status, 401);
    assert.equal((await copy.account()).status, 401);
  });
});
