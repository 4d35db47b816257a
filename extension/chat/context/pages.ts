import type { AccountAnswer } from '../../../shared/account.ts';
import { MAX_ADDRESS } from '../../../shared/constants.ts';
import type { Session } from '../../account/session/session.ts';
import { sha256 } from '../../account/session/signingKey.ts';
import type { Backend } from '../../backend.ts';
import { BackendError } from '../../platform/server/backendError.ts';
import { AttachmentRefused, estimateTokens, head, MAX_ID, type StoredChip } from './attachments.ts';
import type { OfferSource } from './mentions.ts';

const NOT_NOW =
  'Web pages can’t be read now: the server reads none for this account, or you are not connected. Try again later, sign in, or paste the text.';

/** A whole address of the web as somebody types it, if pages are read at such a one; undefined for anything else. */
export function webAddress(typed: string): URL | undefined {
  return addressRefusal(typed) === undefined ? addressIn(typed) : undefined;
}

/** Why no page is read at a whole address, in sentences; undefined if one may be, or if it is no address. */
export function addressRefusal(typed: string): string | undefined {
  const url = addressIn(typed);
  if (!url) return undefined;
  if (url.username !== '' || url.password !== '')
    return 'The address contains a user name or a password. Leave that out, and name a page that needs none.';
  // Other letters than English ones become several characters each.
  if (typed.length <= MAX_ADDRESS && url.href.length <= MAX_ADDRESS) return undefined;
  const most = MAX_ADDRESS.toLocaleString('en');
  return `The address is too long: as it is sent, it has more than ${most} characters. Copy the part of the page that matters, and paste it.`;
}

const addressIn = (typed: string): URL | undefined =>
  /^https?:\/\/[^\s/]/i.test(typed) && URL.canParse(typed) ? new URL(typed) : undefined;

/** A chip for a page of the web that nobody has read yet. The same address gives the same chip, and no other does. */
export async function pageChip({ href, host, pathname }: URL): Promise<StoredChip> {
  const id = `page ${href}`.length <= MAX_ID ? href : await sha256(href);
  return { ...head('page', id), label: shortAddress({ host, pathname }), path: href, tokens: 0 };
}

const shortAddress = ({ host, pathname }: Pick<URL, 'host' | 'pathname'>) =>
  `${host}${pathname === '/' ? '' : pathname}`.slice(0, 200);

/**
 * Pages of the web, which the server reads, where its operator allows it. Only an address that the user typed is read,
 * never one of an answer or a file.
 */
export class WebPages {
  constructor(
    private readonly session: Pick<Session, 'call'> & { limits: AccountAnswer['limits'] },
    private readonly backend: Pick<Backend, 'fetchPage'>,
  ) {}

  /** Whether the server reads pages for this account. */
  get isOffered(): boolean {
    return (this.session.limits.pagesPerHour ?? 0) > 0;
  }

  /** Offers the address that is being typed. */
  readonly offers: OfferSource = async (_wanted, _files, typed) => {
    const url = this.isOffered ? addressIn(typed) : undefined;
    if (!url) return [];
    const offer = { icon: 'globe' as const, label: shortAddress(url), score: 10 };
    const refusal = addressRefusal(typed);
    if (refusal === undefined)
      return [
        { ...offer, id: `page ${url.href}`, detail: 'Read this web page', chips: async () => [await pageChip(url)] },
      ];
    const refuse = () => Promise.reject(new AttachmentRefused(refusal));
    return [{ ...offer, id: 'page refused', detail: refusal.split('.')[0]!, chips: refuse }];
  };

  /** The chip with the page's text, or with the reason why there is none. */
  async read(chip: StoredChip): Promise<StoredChip> {
    const { id, kind, path = '' } = chip;
    const unread = { id, kind, path, label: chip.label, tokens: 0 };
    // Before any call, which would make a guest where no account is.
    if (!this.isOffered) return { ...unread, failed: NOT_NOW };
    try {
      const page = await this.session.call((who) => this.backend.fetchPage(who, path));
      const about = [
        `Address: ${page.url}`,
        `Read at: ${page.readAt}`,
        ...(page.title ? [`Title: ${page.title}`] : []),
      ];
      const text = `${about.join('\n')}\n\n${page.text}`;
      const whole = [new URL(page.url).host, ...(page.title ? [page.title] : [])].join(': ');
      // Not half of a character of two units.
      const label = whole.slice(0, 300).replace(/[\ud800-\udbff]$/, '');
      return { ...unread, label, text, tokens: estimateTokens(text) };
    } catch (error) {
      const { title, detail } = BackendError.from(error).problem;
      return { ...unread, failed: `${title}. ${detail}` };
    }
  }
}
