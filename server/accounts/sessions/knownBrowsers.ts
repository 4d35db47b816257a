import { getSignedCookie, setSignedCookie } from 'hono/cookie';
import type { Ids } from '../../platform/clock.ts';
import type { AppContext } from '../../platform/http/env.ts';
import type { Origins } from '../../platform/http/origins.ts';
import { hashKeyed } from '../../platform/secrets.ts';
import { optionsOf, prefixOf } from './pageCookie.ts';

const NAME = 'perigee_known';
const MAX_AGE_S = 400 * 24 * 3600;
/** The most mailboxes remembered for a shared browser; the latest sign-ins stay. */
const MAX_MAILBOXES = 5;
const MARK_LENGTH = 22;

/**
 * Remembers in a signed cookie, as hashes, the mailboxes whose accounts have signed in by this browser. Such a browser
 * has its own share of the limits, so that a stranger can't use up the owner's. It grants no access.
 */
export class KnownBrowsers {
  readonly #key: string;

  constructor(
    private readonly deps: { ids: Ids; origins: Origins },
    private readonly secret: string,
  ) {
    this.#key = hashKeyed(secret, 'known-browsers', '');
  }

  /** The browser's own id, if it has signed in to this mailbox's account, or, without `mailbox`, to any. */
  async find(c: AppContext, mailbox?: string): Promise<string | null> {
    const { id, marks } = await this.#read(c);
    if (id === null || marks.length === 0) return null;
    return mailbox === undefined || marks.includes(this.#mark(mailbox)) ? id : null;
  }

  async remember(c: AppContext, mailboxes: readonly string[]): Promise<void> {
    if (mailboxes.length === 0) return;
    const { id, marks } = await this.#read(c);
    const all = [...new Set([...mailboxes.map((one) => this.#mark(one)), ...marks])].slice(0, MAX_MAILBOXES);
    const text = [id ?? this.deps.ids.secret().slice(0, MARK_LENGTH), ...all].join('.');
    const options = { ...optionsOf(c, this.deps.origins), sameSite: 'Lax', maxAge: MAX_AGE_S } as const;
    await setSignedCookie(c, NAME, text, this.#key, options);
  }

  async #read(c: AppContext): Promise<{ id: string | null; marks: string[] }> {
    const text = await getSignedCookie(c, this.#key, NAME, prefixOf(c, this.deps.origins));
    const [id = null, ...marks] = text ? text.split('.') : [];
    return { id, marks };
  }

  #mark(mailbox: string): string {
    return hashKeyed(this.secret, 'known-mailbox', mailbox).slice(0, MARK_LENGTH);
  }
}
