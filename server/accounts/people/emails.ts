import { domainToASCII } from 'node:url';

/** Providers whose own documentation says that everything after a plus is ignored. */
const PLUS_DOMAINS = new Set(
  'gmail.com outlook.com hotmail.com live.com icloud.com me.com mac.com fastmail.com proton.me protonmail.com pm.me'.split(
    ' ',
  ),
);

/** RFC 5321, 4.5.3.1; the path's limit of 256 octets includes two brackets. */
const MAX_LOCAL = 64;
const MAX_ADDRESS = 254;
/**
 * The atoms of RFC 5322, 3.2.3, and letters of every script (RFC 6531). Quoted names are refused: hardly any service
 * has them.
 */
const LOCAL = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~.-]+$/u;
const HOST = /^(?=.{1,253}$)(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)*(?!-)(?![0-9]+$)[a-z0-9-]{1,63}(?<!-)$/;

/**
 * Validates every address, typed or from a provider. Normalises it to lower case and one Unicode form, with a domain
 * that is valid in DNS. Null if it is not valid.
 */
export function readAddress(typed: string): { local: string; host: string; address: string } | null {
  if (typed.length > 2 * MAX_ADDRESS) return null;
  const address = typed.trim().normalize('NFC').toLowerCase().normalize('NFC').replace(/\.$/, '');
  const at = address.lastIndexOf('@');
  const local = address.slice(0, Math.max(0, at));
  if (!LOCAL.test(local) || Buffer.byteLength(local) > MAX_LOCAL) return null;
  const domain = address.slice(at + 1);
  // Characters that the domain parser would read as a path, a port, a user or a blank.
  if (/[\s/\\?#:@[\]%]/.test(domain)) return null;
  const host = domainToASCII(domain);
  if (!HOST.test(host) || (!host.includes('.') && host !== 'localhost')) return null;
  if (Buffer.byteLength(`${local}@${host}`) > MAX_ADDRESS) return null;
  return { local, host, address };
}

/**
 * The mailbox that an address is delivered to, normalised: the key for finding an account. Two addresses count as the
 * same mailbox only if that is certain, because a stranger's mailbox must never match. Null if this is no address.
 */
export function mailboxOf(address: string): string | null {
  const { local, host: given } = readAddress(address) ?? {};
  if (!local || !given) return null;
  const host = given === 'googlemail.com' ? 'gmail.com' : given;
  const untagged = PLUS_DOMAINS.has(host) ? local.replace(/\+.*$/, '') : local;
  const name = host === 'gmail.com' ? untagged.replaceAll('.', '') : untagged;
  return name ? `${name}@${host}` : null;
}

/** Identifies a person for one-time gifts: here a plus tag is ignored at every provider. */
export function personOf(mailbox: string): string {
  return mailbox.replace(/\+[^@]*@/, '@');
}
