// A real backend at which one can sign in by an OIDC provider, its double, and what people do in a browser for that.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { IdentityProvider, type Person } from '../doubles/identityProvider.ts';
import { UpstreamDouble } from '../doubles/upstream.ts';
import { type Backend, startBackend } from './backend.ts';
import { root } from './fetch.ts';
import type { Workbench } from './workbench.ts';

export class SignInWorld {
  private constructor(
    readonly idp: IdentityProvider,
    readonly upstream: UpstreamDouble,
    readonly backend: Backend,
  ) {}

  static async start(name: string): Promise<SignInWorld> {
    const idp = await IdentityProvider.start();
    const upstream = await new UpstreamDouble().start();
    const folder = join(root, 'out/editor');
    await mkdir(folder, { recursive: true });
    const config = join(folder, `${name}.config.json`);
    const { id, name: shown, clientId, clientSecret } = idp.config('acme', 'Acme');
    const provider = { id, name: shown, issuer: idp.issuer, clientId, clientSecret };
    const guests = { messages: 10, perHour: 1000, perDay: 1000 };
    await writeFile(config, JSON.stringify({ guests, accounts: { providers: [provider] } }));
    const backend = await startBackend({ env: { UPSTREAM_URL: upstream.url, PERIGEE_CONFIG: config } });
    return new SignInWorld(idp, upstream, backend);
  }

  async stop(): Promise<void> {
    await this.backend.stop();
    await this.upstream.stop();
    await this.idp.stop();
  }

  /** Does on the server's pages what somebody does who signs in, as far as the click that confirms it. */
  async approve(page: Page, person: Person): Promise<void> {
    this.idp.person = person;
    await page.getByRole('link', { name: 'Continue with Acme' }).click();
    const terms = page.getByRole('checkbox');
    await page.getByRole('button', { name: 'Cancel' }).waitFor();
    if (await terms.count()) await terms.check();
    await page.getByRole('button', { name: /ontinue$/ }).click();
  }

  /** Signs an editor in by the browser that it opens. */
  async signIn(editor: Workbench, person: Person, begin = () => editor.runCommand('Perigee: Sign In')): Promise<void> {
    const page = await openedBy(editor, begin);
    await this.approve(page, person);
    await editor.accountIs(person.email!);
    await page.close();
  }
}

/** The page that an editor opens in its browser: without a question, for addresses of this machine are trusted. */
export async function openedBy(editor: Workbench, begin: () => Promise<void>): Promise<Page> {
  const opened = editor.page.context().waitForEvent('page');
  await begin();
  return opened;
}
