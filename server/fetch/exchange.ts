import { once } from 'node:events';
import { type IncomingMessage, request as send } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { connect as secure } from 'node:tls';
import { isPublic } from './addresses.ts';
import type { Network } from './network.ts';
import { hostOf, noPublicAddress } from './target.ts';

/** Of many addresses of a name, how many are tried, and how long each. */
const MOST_TRIED = 4;
const CONNECT_MS = 4_000;
const MAX_HEADER_BYTES = 16 * 1024;

const HEADERS = {
  accept: 'text/html, text/plain;q=0.9, text/*;q=0.8, application/json;q=0.8, */*;q=0.1',
  'accept-encoding': 'gzip, br',
  'user-agent': 'Mozilla/5.0 (compatible; Perigee; reads a page at the request of one person)',
  connection: 'close',
};

/**
 * Sends one request, without cookies, and returns the response with its body unread. The connection goes to an address
 * that was judged here, and nothing resolves the name again. `base`: the page that redirected here.
 */
export async function exchange(url: URL, network: Network, signal: AbortSignal, base?: URL): Promise<IncomingMessage> {
  const host = hostOf(url);
  const isSecure = url.protocol === 'https:';
  const addresses = isIP(host) ? [host] : await network.resolve(host, signal);
  signal.throwIfAborted();
  // One private address among them is enough: it is no public site's.
  if (addresses.length === 0 || !addresses.every(isPublic)) throw noPublicAddress(base);
  const plain = await dial(addresses, Number(url.port || (isSecure ? 443 : 80)), network, signal);
  const socket = isSecure ? secure({ socket: plain, ...identity(host), ca: network.ca }) : plain;
  const request = send({
    createConnection: () => socket,
    path: url.pathname + url.search,
    headers: { host: url.host, ...HEADERS },
    maxHeaderSize: MAX_HEADER_BYTES,
    signal,
  });
  // Who waits for the response or reads it sees what fails; without a listener here, the process would end.
  request.on('error', () => {});
  // Without this listener, Node closes the connection of a 101 and tells nobody.
  request.once('upgrade', (response, upgraded) => {
    upgraded.destroy();
    request.emit('response', response);
  });
  request.end();
  const [response] = (await once(request, 'response', { signal })) as [IncomingMessage];
  return response;
}

/** Whose certificate is expected. An IP address is never named to the server (RFC 6066). */
const identity = (host: string) => ({ host, servername: isIP(host) ? '' : host, ALPNProtocols: ['http/1.1'] });

/** A connection to the first of the addresses that answers. */
async function dial(
  addresses: readonly string[],
  port: number,
  network: Network,
  signal: AbortSignal,
): Promise<Socket> {
  let failure: unknown;
  for (const address of addresses.slice(0, MOST_TRIED)) {
    const socket = network.connect(address, port);
    try {
      await once(socket, 'connect', { signal: AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]) });
      signal.addEventListener('abort', () => socket.destroy(), { once: true });
      // Whoever uses the connection is told; without a listener here, the process would end.
      return socket.on('error', () => {});
    } catch (error) {
      socket.on('error', () => {}).destroy();
      signal.throwIfAborted();
      failure = error;
    }
  }
  throw failure;
}
