import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { DeviceAnswer } from '../../../shared/auth.ts';
import { GithubDouble } from '../../doubles/github.ts';
import { IdentityProvider } from '../../doubles/identityProvider.ts';
import { evaluable, launchChromium } from '../../editor/browser.ts';
import { Editor, Member } from '../../support/member.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { somebody } from '../../support/signIn.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe('the pages on which one signs in, in a real browser', function () {
  this.timeout(120_000);
  let idp: IdentityProvider;
  let github: GithubDouble;
  let server: TestServer;
  let browser: Browser;
  before(async () => {
    idp = await IdentityProvider.start();
    github = await GithubDouble.start();
    server = await startServer('sqlite', {
      config: (config) => {
        const providers = [idp.config('google', 'Google'), github.config()];
        config.signIn = { providers, mail: { url: 'console:', from: 'a@b.example' }, local: false };
        config.policy.accounts.terms.url = 'https://perigee.example/terms';
      },
    });
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await idp?.stop();
    await github?.stop();
  });

  /** What axe finds wrong. By the debugger: the page itself lets no script run. */
  async function violations(context: BrowserContext, page: Page): Promise<string[]> {
    const debug = await context.newCDPSession(page);
    const expression = `${axe};axe.run().then((found) => found.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html).join(' ')))`;
    const { result } = await debug.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    return result.value as string[];
  }

  for (const [title, options] of [
    ['light and wide', { colorScheme: 'light', viewport: { width: 900, height: 640 } }],
    ['dark and narrow', { colorScheme: 'dark', viewport: { width: 320, height: 640 } }],
  ] as const)
    it(`lead an editor and a device to their account, without a script and fit for everybody (${title})`, async () => {
      const context = await browser.newContext({ ...options, locale: 'en-US' });
      await context.addInitScript(evaluable);
      const page = await context.newPage();
      const told: string[] = [];
      page.on('console', (message) => told.push(message.text()));
      const inOrder = async () => {
        assert.deepEqual(await violations(context, page), [], page.url());
        const [inner, outer] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as number[];
        assert.ok(inner! <= outer!, `${page.url()} is ${inner} wide`);
      };
      const editor = new Editor(server.url);
      const person = somebody();
      await page.goto(editor.signInAddress({ device_name: 'Ada’s laptop' }));
      await inOrder();
      await page.getByLabel('Email address').fill(person.email!);
      await page.getByRole('button', { name: 'Send a code' }).click();
      await page.getByLabel('Code').fill('000000');
      await inOrder();
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').waitFor();
      await inOrder();
      await page.getByLabel('Code').fill(/^\d{6}/.exec(server.mails.at(-1)!.text)![0]);
      await page.keyboard.press('Enter');
      await page.getByRole('checkbox').check();
      await inOrder();
      await page.getByRole('button', { name: 'Make the account and continue' }).click();
      const link = page.getByRole('link', { name: 'Open your editor' });
      const address = new URL((await link.getAttribute('href'))!);
      await inOrder();
      assert.equal(address.searchParams.get('state'), editor.state);
      const exchanged = await editor.exchange(address.searchParams.get('code')!);
      assert.equal((await Member.from(server.url, editor.key, exchanged.body).account()).status, 200);

      const device = new Editor(server.url);
      const { body } = await device.post<DeviceAnswer>('/api/auth/device', {
        device_name: 'a machine',
        tool: 'a terminal',
      });
      await page.goto(body.verification_uri_complete);
      await inOrder();
      await page.getByRole('button', { name: 'Go on' }).click();
      idp.person = person;
      await page.getByRole('link', { name: 'Continue with Google' }).click();
      await page.getByText(body.user_code).waitFor();
      await inOrder();
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByRole('heading', { name: 'Approved' }).waitFor();
      await inOrder();
      await page.goto(`${server.url}/sign-in/failed`);
      await inOrder();
      const unexpected = told.filter((line) => !/status of 400|vscode:/.test(line));
      assert.deepEqual(unexpected, []);
      await context.close();
    });
});
