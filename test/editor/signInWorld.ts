// A real backend with sign-in by an OIDC provider, GitHub (doubles of both) and mail, and the user's steps in a
// browser.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { GithubDouble } from '../doubles/github.ts';
import { IdentityProvider, type Person } from '../doubles/identityProvider.ts';
import { UpstreamDouble } from '../doubles/upstream.ts';
import { type Backend, startBackend } from './backend.ts';
import { root } from './fetch.ts';
import { once } from './parts/deeds.ts';
import type { Workbench } from './workbench.ts';

/** The contents of a policy file, besides the ways to sign in. */
type Policy = Record<string, unknown> & { accounts?: Record<string, unknown> };

export class SignInWorld {
  private constructor(
    private readonly writePolicy: (more: Policy) => Promise<void>,
    readonly idp: IdentityProvider,
    readonly github: GithubDouble,
    readonly upstream: UpstreamDouble,
    readonly backend: Backend,
  ) {}

  /** `env`: more environment variables for the backend. */
  static async start(name: string, env: Record<string, string> = {}): Promise<SignInWorld> {
    const idp = await IdentityProvider.start();
    const github = await GithubDouble.start();
    const upstream = await new UpstreamDouble().start();
    const folder = join(root, 'out/editor');
    await mkdir(folder, { recursive: true });
    const config = join(folder, `${name}.config.json`);
    const { id, name: shown, clientId, clientSecret } = idp.config('acme', 'Acme');
    const provider = { id, name: shown, issuer: idp.issuer, clientId, clientSecret };
    const guests = { messages: 10, perHour: 1000, perDay: 1000 };
    const writePolicy = async ({ accounts, ...more }: Policy) =>
      writeFile(config, JSON.stringify({ guests, ...more, accounts: { providers: [provider], ...accounts } }));
    await writePolicy({});
    const { clientId: GITHUB_CLIENT_ID, clientSecret: githubSecret } = github.config();
    const all = { UPSTREAM_URL: upstream.url, PERIGEE_CONFIG: config, MAIL_URL: 'file:mail', MAIL_FROM: 'a@b.example' };
    const backend = await startBackend({
      env: {
        ...all,
        GITHUB_CLIENT_ID,
        GITHUB_CLIENT_SECRET: githubSecret ?? undefined,
        GITHUB_URL: github.url,
        ...env,
      },
    });
    return new SignInWorld(writePolicy, idp, github, upstream, backend);
  }

  /** Restarts the backend at the same address, with more in its policy. */
  async restart(policy: Policy): Promise<void> {
    await this.backend.kill();
    await this.writePolicy(policy);
    await this.backend.start();
  }

  async stop(): Promise<void> {
    await this.backend.stop();
    await this.upstream.stop();
    await this.idp.stop();
    await this.github.stop();
  }

  /** Resolves to the newest mailed code, once there is one. The backend writes mails to a folder in the background. */
  async mailedCode(): Promise<string> {
    const folder = join(this.backend.home, 'mail');
    for (;;) {
      const newest = (await readdir(folder).catch(() => [])).sort().at(-1);
      const code = newest && /^Subject: (\d{6})/m.exec(await readFile(join(folder, newest), 'utf8'))?.[1];
      if (code) return code;
      await new Promise((again) => setTimeout(again, 20));
    }
  }

  /** Signs in on the server's pages, up to and including the click that confirms. */
  async approve(page: Page, person: Person): Promise<void> {
    this.idp.person = person;
    await page.getByRole('link', { name: 'Continue with Acme' }).click();
    const terms = page.getByRole('checkbox');
    await page.getByRole('button', { name: 'Cancel' }).waitFor();
    if (await terms.count()) await terms.check();
    await page.getByRole('button', { name: /ontinue$/ }).click();
  }

  /** Signs an editor in with the browser that it opens. */
  async signIn(editor: Workbench, person: Person, begin = () => editor.runCommand('Perigee: Sign In')): Promise<void> {
    const page = await openedBy(editor, begin);
    await this.approve(page, person);
    await editor.accountIs(person.email!);
    await page.close();
  }
}

/**
 * The page that an editor opens in its browser. The editor does not ask, because addresses of this machine are trusted.
 * `begin` is repeated until there is a page, in case a click hit nothing.
 */
export async function openedBy(editor: Workbench, begin: () => Promise<void>): Promise<Page> {
  let opened: Page | undefined;
  const context = editor.page.context();
  const take = (page: Page) => {
    opened ??= page;
  };
  context.on('page', take);
  try {
    await editor.deeds.until({
      deed: 'what opens a page in the browser',
      effect: 'the page',
      shows: async () => opened !== undefined,
      act: begin,
      ...once,
    });
  } finally {
    context.off('page', take);
  }
  return opened!;
}
