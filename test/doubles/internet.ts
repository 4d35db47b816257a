import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Network } from '../../server/fetch/network.ts';
import { CERTIFICATE, KEY } from './proxy.ts';

/** A public address, of which no test asks the real host. */
export const PUBLIC = '93.184.215.14';

/**
 * A small internet on loopback: names with their addresses, and real HTTP and HTTPS servers behind public addresses. The
 * server under test judges the addresses that it is told here, as it would judge real ones.
 */
export class InternetDouble {
  /** What DNS says of a name. A name with several lists says the next one at each look. */
  readonly names = new Map<string, string[] | string[][]>();
  /** Names that were looked up, oldest first. */
  readonly looked: string[] = [];
  /** What was connected to: "93.184.215.14:80". */
  readonly connected: string[] = [];
  readonly requests: { url: string; headers: http.IncomingHttpHeaders; servername: string | undefined }[] = [];
  /** Answers requests to every host; `url` is whole. */
  answer: (url: string, response: http.ServerResponse, request: http.IncomingMessage) => void = (_, response) =>
    response.end('hello');
  /** Public addresses that do not answer. */
  readonly dead = new Set<string>();
  readonly #servers = { 80: http.createServer(), 443: https.createServer({ key: KEY, cert: CERTIFICATE }) };
  readonly #sockets = new Set<Socket>();

  async start(): Promise<this> {
    for (const [port, server] of Object.entries(this.#servers)) {
      const scheme = port === '443' ? 'https' : 'http';
      server.on('connection', (socket: Socket) => {
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket));
      });
      server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
        const url = `${scheme}://${request.headers.host}${request.url}`;
        const { servername } = request.socket as { servername?: string };
        this.requests.push({ url, headers: request.headers, servername });
        response.on('error', () => {});
        this.answer(url, response, request);
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    return this;
  }

  /** Forgets what was asked, and answers as at the start. */
  reset(): void {
    for (const list of [this.looked, this.connected, this.requests]) list.length = 0;
    this.names.clear();
    this.dead.clear();
    this.answer = (_, response) => response.end('hello');
  }

  get network(): Network {
    return {
      ca: CERTIFICATE,
      resolve: async (name) => {
        this.looked.push(name);
        const known = this.names.get(name) ?? [];
        const isSeries = (list: string[] | string[][]): list is string[][] => Array.isArray(list[0]);
        if (!isSeries(known)) return known;
        return known.length > 1 ? known.shift()! : known[0]!;
      },
      connect: (address, port) => {
        this.connected.push(`${address}:${port}`);
        assert.ok(port === 80 || port === 443, `no server listens on ${port}`);
        // Nothing listens on port 1.
        const there = this.dead.has(address) ? 1 : (this.#servers[port].address() as AddressInfo).port;
        return connect({ host: '127.0.0.1', port: there });
      },
    };
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(Object.values(this.#servers).map((server) => new Promise((resolve) => server.close(resolve))));
  }
}
