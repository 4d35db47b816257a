import { domainToASCII } from 'node:url';

/** Where everything after a plus is the same mailbox, by the provider's own documentation. */
const PLUS_DOMAINS = new Set(
  'gmail.com outlook.com hotmail.com live.com icloud.com me.com mac.com fastmail.com proton.me protonmail.com pm.me'.split(
    ' ',
  ),
);

/** RFC 5321, 4.5.3.1; the path's 256 octets have two brackets. */
const MAX_LOCAL = 64;
const MAX_ADDRESS = 254;
/** The atoms of RFC 5322, 3.2.3, and letters of every script (RFC 6531). Quoted names are refused: hardly a service has them. */
const LOCAL = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~.-]+$/u;
const HOST = /^(?=.{1,253}$)(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)*(?!-)(?![0-9]+$)[a-z0-9-]{1,63}(?<!-)$/;

/**
 * The one judge of an address that somebody typed or a provider told: in small letters and one normal form, with a domain
 * that the net knows. Null for what is none.
 */
export function readAddress(typed: string): { local: string; host: string; address: string } | null {
  if (typed.length > 2 * MAX_ADDRESS) return null;
  const address = typed.trim().normalize('NFC').toLowerCase().normalize('NFC').replace(/\.$/, '');
  const at = address.lastIndexOf('@');
  const local = address.slice(0, Math.max(0, at));
  if (!LOCAL.test(local) || Buffer.byteLength(local) > MAX_LOCAL) return null;
  const domain = address.slice(at + 1);
  // What the parser of domains would take for a path, a port, a user or a blank.
  if (/[\s/\\?#:@[\]%]/.test(domain)) return null;
  const host = domainToASCII(domain);
  if (!HOST.test(host) || (!host.includes('.') && host !== 'localhost')) return null;
  if (Buffer.byteLength(`${local}@${host}`) > MAX_ADDRESS) return null;
  return { local, host, address };
}

/**
 * The mailbox that an address is delivered to, as one text for one mailbox: the key by which an account is found. Only what
 * surely is the same is taken for the same: a stranger's mailbox must never be. Null for what is no address.
 */
export function mailboxOf(address: string): string | null {
  const { local, host: given } = readAddress(address) ?? {};
  if (!local || !given) return null;
  const host = given === 'googlemail.com' ? 'gmail.com' : given;
  const untagged = PLUS_DOMAINS.has(host) ? local.replace(/\+.*$/, '') : local;
  const name = host === 'gmail.com' ? untagged.replaceAll('.', '') : untagged;
  return name ? `${name}@${host}` : null;
}

/** What counts as one person where something is given once: here a tag is a tag at every provider. */
export function personOf(mailbox: string): string {
  return mailbox.replace(/\+[^@]*@/, '@');
}
