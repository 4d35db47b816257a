import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import type { Config } from '../../server/platform/config/config.ts';
import { parsePayments } from '../../server/platform/config/paymentConfig.ts';
import type { PageCodeAnswer } from '../../shared/auth.ts';
import { IdentityProvider, type Person } from '../doubles/identityProvider.ts';
import { StripeDouble } from '../doubles/stripe.ts';
import { evaluable, launchChromium } from '../editor/browser.ts';
import type { Client } from '../support/client.ts';
import type { Member } from '../support/member.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { Shop } from '../support/shopWorld.ts';
import { SignInWorld, somebody } from '../support/signInWorld.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A server at which one can sign in and buy, and a real browser. */
export class Scene {
  /** Its till, before a double of Stripe. */
  readonly shop: Shop;

  private constructor(
    readonly server: TestServer,
    readonly idp: IdentityProvider,
    readonly stripe: StripeDouble,
    readonly browser: Browser,
  ) {
    this.shop = new Shop(() => this.world, stripe);
  }

  /** Everybody who can sign in at it. */
  get world(): SignInWorld {
    return new SignInWorld(() => this.server, this.idp, null);
  }

  static async start(change: (config: Config) => void = () => {}): Promise<Scene> {
    const idp = await IdentityProvider.start();
    const stripe = await StripeDouble.start();
    const server = await startServer('sqlite', {
      // Tests say more in a minute than people do.
      policy: (policy) => policy.limits.tiers.splice(0, 1),
      config: (config) => {
        const mail = { url: 'console:', from: 'mail@perigee.example' };
        config.payments = parsePayments(stripe.env, '127.0.0.1', null);
        config.signIn = { providers: [idp.config('google', 'Google')], mail, local: false };
        config.policy.accounts.terms.url = 'https://perigee.example/terms';
        change(config);
      },
    });
    if (!(await fetch(`${server.url}/account`)).ok) throw new Error('The page is not built: run "npm run build".');
    stripe.now = () => server.clock.now();
    server.double.usually({ text: 'Hello. This is an answer of the double.' });
    return new Scene(server, idp, stripe, await launchChromium());
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.server.stop();
    await this.idp.stop();
    await this.stripe.stop();
  }

  /** Somebody who has signed in on an editor. */
  async member(person: Person = somebody()): Promise<Member> {
    return (await this.world.signIn(person)).member;
  }

  /** A window of a browser of its own. `told` is what its console says. */
  async window(options: BrowserContextOptions = {}): Promise<{ page: Page; context: BrowserContext; told: string[] }> {
    const context = await this.browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options });
    await context.addInitScript(evaluable);
    const page = await context.newPage();
    const told: string[] = [];
    page.on('console', (message) => told.push(message.text()));
    page.on('pageerror', (error) => told.push(String(error)));
    return { page, context, told };
  }

  /** The address by which the editor opens the page of its account. */
  async address(client: Client): Promise<string> {
    const { body } = await client.request<PageCodeAnswer>('POST', '/api/auth/page-code');
    return `${this.server.url}/account#code=${body.code}`;
  }

  /** Opens the page as the editor does, and goes to a part of it. */
  async enter(page: Page, client: Client, section = 'balance'): Promise<void> {
    await page.goto(await this.address(client));
    await page.getByRole('button', { name: 'Open it' }).click();
    await page.getByRole('navigation').waitFor();
    await page.goto(`${this.server.url}/account#${section}`);
  }
}

/** What axe finds wrong. By the debugger: the page itself lets no foreign script run. */
export async function violations(page: Page): Promise<string[]> {
  const debug = await page.context().newCDPSession(page);
  const expression = `${axe};axe.run().then((found) => found.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html).join(' ')))`;
  const { result } = await debug.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
  await debug.detach();
  return result.value as string[];
}

/** Fails if axe finds anything, or the page is wider than its window. */
export async function inOrder(page: Page): Promise<void> {
  assert.deepEqual(await violations(page), [], page.url());
  const [inner, outer] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as number[];
  assert.ok(inner! <= outer!, `${page.url()} is ${inner} wide`);
}

/**
 * Waits until that expression is true of the page. Not by `waitForFunction`, whose second look is an `eval` of the page's own,
 * which its policy forbids.
 */
export async function until(page: Page, expression: string): Promise<void> {
  while (!(await page.evaluate(expression))) await page.evaluate(() => new Promise(requestAnimationFrame));
}
