import assert from 'node:assert/strict';
import type { Policy } from '../../server/platform/config/config.ts';
import type { TokenAnswer } from '../../shared/auth.ts';
import type { GithubDouble } from '../doubles/github.ts';
import type { IdentityProvider, Person } from '../doubles/identityProvider.ts';
import { Browser, editorAddress, type Page } from './browser.ts';
import { Editor, InstallKey, Member } from './member.ts';
import type { TestServer } from './server.ts';

/** A server with every way to sign in: Google and another OIDC provider (one double), GitHub, and codes by mail. */
export class SignInWorld {
  constructor(
    readonly server: () => TestServer,
    readonly idp: IdentityProvider,
    readonly github: GithubDouble | null,
    /** The server's own policy, which a test may change for a moment. */
    readonly policy: Policy | null = null,
  ) {}

  editor(): Editor {
    return new Editor(this.server().url, new InstallKey(() => this.server().clock.now()));
  }

  /** Signs in at the OIDC double, up to the page that asks for confirmation. */
  async identify(person: Person, address: string, browser = new Browser(), provider = 'Google'): Promise<Page> {
    this.idp.person = person;
    const confirm = await browser.click(await browser.open(address), `Continue with ${provider}`);
    assert.equal(confirm.url.pathname, '/sign-in/confirm', confirm.html);
    return confirm;
  }

  /** Signs an editor in as this person, from its address to its token. */
  async signIn(
    person: Person,
    {
      editor = this.editor(),
      browser = new Browser(),
      guestToken,
    }: { editor?: Editor; browser?: Browser; guestToken?: string } = {},
  ): Promise<{ member: Member; answer: TokenAnswer }> {
    const confirm = await this.identify(person, editor.signInAddress(), browser);
    const opened = await browser.submit(confirm, { decision: 'continue', terms: '1' });
    const code = editorAddress(opened).searchParams.get('code')!;
    const exchanged = await editor.exchange(code, guestToken ? { guest_token: guestToken } : {});
    assert.equal(exchanged.status, 200, JSON.stringify(exchanged.body));
    return { member: Member.from(editor.url, editor.key, exchanged.body), answer: exchanged.body };
  }

  /** The newest mailed code. */
  mailedCode(): string {
    return /^\d{6}/.exec(this.server().mails.at(-1)?.text ?? '')![0];
  }
}

let people = 0;
/** A new person with a verified address. */
export function somebody(more: Partial<Person> = {}): Person {
  const n = ++people;
  return { sub: `subject-${n}`, email: `person${n}@example.org`, email_verified: true, name: `Person ${n}`, ...more };
}
