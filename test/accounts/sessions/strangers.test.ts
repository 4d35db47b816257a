import assert from 'node:assert/strict';
import { Browser } from '../../support/browser.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

onBothEnginesWithSignIn(
  'a stranger who knows somebody’s address',
  (world) => {
    const url = () => world().server().url;
    let networks = 0;
    /** Of a network that nobody has come from before. */
    const anywhere = () => ({ 'x-forwarded-for': `203.${++networks >> 8}.${networks & 255}.9` });
    async function ask(email: string, browser = new Browser(), from = anywhere()) {
      const page = await browser.submit(await browser.open(`${url()}/sign-in`), { email }, from);
      return { page, browser, code: page.status === 200 ? world().mailedCode() : '' };
    }
    const wrongFor = (code: string) => (code === '111111' ? '222222' : '111111');
    /** A browser in which that person has signed in before. */
    async function knownBrowser(email: string): Promise<Browser> {
      const { page, browser, code } = await ask(email);
      const confirm = await browser.submit(page, { code });
      await browser.submit(confirm, { decision: 'continue', terms: '1' });
      return browser;
    }

    it('voids no code of the owner’s by asking for others', async () => {
      const email = somebody().email!;
      const owner = await ask(email);
      for (let n = 0; n < 5; n++) await ask(email);
      assert.equal((await owner.browser.submit(owner.page, { code: owner.code })).url.pathname, '/sign-in/confirm');
    });

    it('uses up none of the owner’s tries by guessing in other browsers', async () => {
      const email = somebody().email!;
      const owner = await ask(email);
      for (let n = 0; n < 4; n++) {
        const { page, browser, code } = await ask(email);
        for (let t = 0; t < 7; t++) await browser.submit(page, { code: wrongFor(code) });
      }
      assert.equal((await owner.browser.submit(owner.page, { code: owner.code })).url.pathname, '/sign-in/confirm');
    });

    it('can’t use a code that another browser asked for, and it stays good there', async () => {
      const email = somebody().email!;
      const owner = await ask(email);
      const stranger = await ask(email);
      assert.equal((await stranger.browser.submit(stranger.page, { code: owner.code })).status, 400);
      assert.equal((await owner.browser.submit(owner.page, { code: owner.code })).url.pathname, '/sign-in/confirm');
    });

    it('gets no share of the owner’s by an account with that address that nobody proved', async () => {
      const email = somebody().email!;
      const browser = new Browser();
      await world().signIn(somebody({ email, email_verified: false }), { browser });
      for (let n = 0; n < 14; n++) await ask(email);
      assert.equal((await ask(email, browser)).page.status, 429);
    });

    it('leaves a browser that has signed in before its share, however many mails were asked for', async () => {
      const email = somebody().email!;
      const browser = await knownBrowser(email);
      const statuses: number[] = [];
      for (let n = 0; n < 14; n++) statuses.push((await ask(email)).page.status);
      assert.equal(statuses.at(-1), 429);
      const again = await ask(email, browser);
      assert.equal(again.page.status, 200);
      assert.equal((await browser.submit(again.page, { code: again.code })).url.pathname, '/sign-in/confirm');
      const mails = world()
        .server()
        .mails.filter(({ to }) => to === email);
      assert.ok(mails.length <= 14, `${mails.length} mails`);
    });

    it('has no share of that browser’s, neither by a cookie made up nor by one for another mailbox', async () => {
      const [ada, eve] = [somebody().email!, somebody().email!];
      const known = await knownBrowser(eve);
      for (let n = 0; n < 14; n++) await ask(ada);
      assert.equal((await ask(ada, known)).page.status, 429, 'of another mailbox');
      const browser = new Browser();
      const begun = await browser.open(`${url()}/sign-in`);
      const flow = browser.cookie(new URL(url()).host, /flow/)!;
      const forged = await fetch(`${url()}/sign-in/email`, {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams({ flow: begun.url.searchParams.get('flow')!, email: ada }),
        headers: { origin: url(), cookie: `${flow.join('=')}; perigee_known=abc.def.ghi`, ...anywhere() },
      });
      assert.equal(forged.status, 429, 'made up');
    });

    it('from one network uses up that network’s share alone; of one sign-in, that sign-in’s', async () => {
      const email = somebody().email!;
      const from = anywhere();
      const browser = new Browser();
      const page = await browser.open(`${url()}/sign-in`);
      const inOne: number[] = [];
      for (let n = 0; n < 4; n++) inOne.push((await browser.submit(page, { email }, from)).status);
      assert.deepEqual(inOne, [200, 200, 200, 429]);
      for (let n = 0; n < 3; n++) assert.equal((await ask(email, new Browser(), from)).page.status, 200);
      assert.equal((await ask(email, new Browser(), from)).page.status, 429);
      assert.equal((await ask(email)).page.status, 200, 'from elsewhere');
    });

    it('gets no further by asking the account page of their own account', async () => {
      const email = somebody().email!;
      const browser = await knownBrowser(email);
      const { member } = await world().signIn(somebody());
      const codes: string[] = [];
      for (let n = 0; n < 5; n++)
        codes.push((await member.request<{ code: string }>('POST', '/api/account/email', { email })).body?.code ?? '');
      assert.equal(codes.at(-1), 'too_many_attempts');
      assert.equal((await ask(email, browser)).page.status, 200);
    });

    it('on the owner’s network keeps a known browser from nothing: neither mails nor codes of devices', async () => {
      const email = somebody().email!;
      const browser = await knownBrowser(email);
      const from = anywhere();
      const device = await browser.open(`${url()}/device`);
      const stranger = new Browser();
      const page = await stranger.open(`${url()}/device`);
      for (let n = 0; n < 21; n++) await stranger.submit(page, { user_code: 'BCDF-GHJK' }, from);
      assert.equal((await stranger.submit(page, { user_code: 'BCDF-GHJK' }, from)).status, 429);
      assert.equal((await browser.submit(device, { user_code: 'BCDF-GHJK' }, from)).status, 400, 'not 429');
    });

    it('who makes up codes on a network keeps nobody there from using a right one', async () => {
      const from = anywhere();
      const guess = () => ({ grant_type: 'authorization_code', code: 'x'.repeat(43), code_verifier: 'v'.repeat(43) });
      const post = async (body: unknown) => {
        const editor = world().editor();
        const dpop = await editor.key.prove({ method: 'POST', url: `${url()}/api/auth/token` });
        const headers = { 'content-type': 'application/json', dpop, ...from };
        const answer = await fetch(`${url()}/api/auth/token`, { method: 'POST', headers, body: JSON.stringify(body) });
        return ((await answer.json()) as { code?: string }).code;
      };
      for (let n = 0; n < 60; n++) assert.equal(await post(guess()), 'invalid_grant');
      assert.equal(await post(guess()), 'too_many_attempts');
      const { member } = await world().signIn(somebody());
      assert.equal((await member.account()).status, 200);
    });
  },
  { env: { TRUSTED_PROXIES: '127.0.0.1' } },
);
