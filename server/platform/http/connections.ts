import { trustedBy, unmapped } from './proxies.ts';

/** The header in which a trusted proxy names the connection on which a client's request came to it. */
export const CONNECTION_HEADER = 'x-connection-id';

/** As long as any proxy makes them, without blanks: a list of several names is none. */
const ID = /^[\x21-\x2b\x2d-\x7e]{1,128}$/;

/**
 * Names the connection on which a client's request came, or null where nobody knows: behind a trusted proxy, which sends
 * requests of many clients on one connection of its own, only the proxy can say. What others say is not believed. A name
 * is good only while its connection is open: Caddy and this server use the client's address and port, and another client may
 * have both a minute later. Throws `ConfigError` for a wrong TRUSTED_PROXIES.
 */
export function connectionReader(trustedProxies: readonly string[]) {
  const isTrusted = trustedBy(trustedProxies);
  return (
    socket: { remoteAddress?: string; remotePort?: number },
    header: (name: string) => string | undefined,
  ): string | null => {
    const { remoteAddress, remotePort } = socket;
    // The socket is closed already.
    if (remoteAddress === undefined || remotePort === undefined) return null;
    const peer = unmapped(remoteAddress);
    if (!isTrusted(peer)) return `${peer} ${remotePort}`;
    const id = header(CONNECTION_HEADER) ?? '';
    // Two proxies may give the same name to connections of their own.
    return ID.test(id) ? `${peer} ${id}` : null;
  };
}
