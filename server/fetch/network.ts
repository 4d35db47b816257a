import { Resolver } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';

/** How names are resolved and connections opened. Tests put servers of their own behind public addresses. */
export interface Network {
  /** The IP addresses of a name; none if there is no such name. */
  resolve(name: string, signal: AbortSignal): Promise<string[]>;
  /** Begins to connect to an address that was judged. */
  connect(address: string, port: number): Socket;
  /** Certificates to trust instead of the usual ones. */
  ca?: string;
}

const DNS = { timeout: 2_000, tries: 2 };

/**
 * The internet, without any proxy: it would resolve the name again, out of sight. Names are asked of DNS alone, not of
 * the machine's host file. The threads of the process, which the database needs, have no part in it.
 */
export const internet: Network = {
  async resolve(name, signal) {
    signal.throwIfAborted();
    const resolver = new Resolver(DNS);
    const cancel = () => resolver.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
      return found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  },
  connect: (host, port) => connect({ host, port }),
};
