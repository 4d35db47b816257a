import { isIP } from 'node:net';
import { MAX_ADDRESS } from '../../shared/constants.ts';
import { AppError } from '../platform/errors.ts';
import { isPublic } from './addresses.ts';

const PORTS = ['', '80', '443'];

/** `base`: the page that redirects here. */
const refused = (base: URL | undefined, why: string) =>
  new AppError('address_refused', base ? `The page redirects to another address. ${why}` : why);

/**
 * Parses and judges the address of a page, as typed or as a redirect names it. The parser writes odd spellings of IPv4
 * addresses (octal, hexadecimal, one number) in the usual way. Throws `address_refused`.
 */
export function judgeUrl(text: string, base?: URL): URL {
  if (text.length > MAX_ADDRESS) throw refused(base, `It has more than ${MAX_ADDRESS} characters.`);
  let url: URL;
  try {
    url = new URL(text.trim(), base);
  } catch {
    throw refused(base, 'This is no web address. Write a whole one, such as https://example.org/page.');
  }
  url.hash = '';
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw refused(base, 'Only addresses that begin with https:// or http:// are read.');
  if (url.username !== '' || url.password !== '')
    throw refused(base, 'It contains a user name or a password. Leave that out, and name a page that needs none.');
  if (!PORTS.includes(url.port))
    throw refused(base, `It names port ${url.port}. Only the usual ports of the web, 80 and 443, are read.`);
  if (isIP(hostOf(url)) && !isPublic(hostOf(url))) throw privateAddress(base);
  return url;
}

/** Without the brackets of an IPv6 address, as sockets and certificates have it. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

/**
 * The same words for a name that leads to a private address and for one that leads nowhere: they tell nothing about the
 * network of the server.
 */
export const noPublicAddress = (base?: URL): AppError =>
  refused(
    base,
    'It has no public address: the name does not exist, or leads to a private or reserved network. Look whether it is written right, or paste the text into the message instead.',
  );

function privateAddress(base?: URL): AppError {
  return refused(
    base,
    'It leads to a private or reserved network address, and only the public internet is read. Paste the text into the message instead.',
  );
}
