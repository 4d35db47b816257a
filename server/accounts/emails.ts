import { domainToASCII } from 'node:url';

/** Where everything after a plus is the same mailbox, by the provider's own documentation. */
const PLUS_DOMAINS = new Set(
  'gmail.com outlook.com hotmail.com live.com icloud.com me.com mac.com fastmail.com proton.me protonmail.com pm.me'.split(
    ' ',
  ),
);

/**
 * The mailbox that an address is delivered to, as one text for one mailbox: the key by which an account is found. Only what
 * surely is the same is taken for the same: a stranger's mailbox must never be. Null for what is no address.
 */
export function mailboxOf(address: string): string | null {
  const [, local, domain] = /^([^\s@"(),:;<>[\\\]]{1,64})@([^\s@]{1,255})$/.exec(address.trim().toLowerCase()) ?? [];
  if (!local || !domain) return null;
  const ascii = domainToASCII(domain.replace(/\.$/, ''));
  if (!ascii.includes('.') && ascii !== 'localhost') return null;
  const host = ascii === 'googlemail.com' ? 'gmail.com' : ascii;
  const untagged = PLUS_DOMAINS.has(host) ? local.replace(/\+.*$/, '') : local;
  const name = host === 'gmail.com' ? untagged.replaceAll('.', '') : untagged;
  return name ? `${name}@${host}` : null;
}

/** What counts as one person where something is given once: here a tag is a tag at every provider. */
export function personOf(mailbox: string): string {
  return mailbox.replace(/\+[^@]*@/, '@');
}
