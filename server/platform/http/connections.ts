import { trustedBy, unmapped } from './proxies.ts';

/** The header in which a trusted proxy names the client's connection to it. */
export const CONNECTION_HEADER = 'x-connection-id';

/** The longest id that a proxy sends, without blanks. A list of several ids is not accepted. */
const ID = /^[\x21-\x2b\x2d-\x7e]{1,128}$/;

/**
 * Names the connection of a client's request. Null if it is unknown: a trusted proxy sends many clients' requests on
 * one connection, so only the proxy can name the client's. Headers of other peers are ignored. A name is valid only
 * while its connection is open: Caddy and this server use the client's address and port, which another client may get a
 * minute later. Throws `ConfigError` for a wrong TRUSTED_PROXIES.
 */
export function connectionReader(trustedProxies: readonly string[]) {
  const isTrusted = trustedBy(trustedProxies);
  return (
    socket: { remoteAddress?: string; remotePort?: number },
    header: (name: string) => string | undefined,
  ): string | null => {
    const { remoteAddress, remotePort } = socket;
    // The socket is already closed.
    if (remoteAddress === undefined || remotePort === undefined) return null;
    const peer = unmapped(remoteAddress);
    if (!isTrusted(peer)) return `${peer} ${remotePort}`;
    const id = header(CONNECTION_HEADER) ?? '';
    // Two proxies may use the same id for different connections.
    return ID.test(id) ? `${peer} ${id}` : null;
  };
}
