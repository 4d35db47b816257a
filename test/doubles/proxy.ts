import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

/** What the proxy does instead of forwarding: answers a status, never answers, or hangs up. */
export type Refusal = number | 'silence' | 'hang up';

/**
 * A forward proxy on loopback, by CONNECT and for plain HTTP. It resolves hosts itself, as the proxy of a network
 * without DNS does: `hosts` gives each host's port on this machine. For port 443 it also plays the host's TLS.
 */
export class ProxyDouble {
  /** Its requests, oldest first: "CONNECT model.service.test:443", "POST http://model.service.test/v1/…". */
  readonly asked: string[] = [];
  /** The required `user:password`; null for none. */
  credentials: string | null = null;
  refusal: Refusal | null = null;
  readonly #server: http.Server;
  readonly #sockets = new Set<Socket>();
  readonly #hosts: Record<string, number>;
  readonly #isSecure: boolean;

  private constructor(hosts: Record<string, number>, isSecure: boolean) {
    this.#hosts = hosts;
    this.#isSecure = isSecure;
    this.#server = isSecure ? https.createServer({ key: KEY, cert: CERTIFICATE }) : http.createServer();
    this.#server.on('connection', (socket: Socket) => this.#keep(socket));
    this.#server.on('connect', (request, socket, head) => this.#tunnel(request, socket as Socket, head));
    this.#server.on('request', (request, response) => this.#forward(request, response));
  }

  static async start(hosts: Record<string, number>, { isSecure = false } = {}): Promise<ProxyDouble> {
    const double = new ProxyDouble(hosts, isSecure);
    double.#server.listen(0, '127.0.0.1');
    await once(double.#server, 'listening');
    return double;
  }

  /** The proxy's URL, with the credentials. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    const user = this.credentials === null ? '' : `${this.credentials}@`;
    return `http${this.#isSecure ? 's' : ''}://${user}127.0.0.1:${port}`;
  }

  /** Connections to the proxy that are open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** True if it has already refused the request. */
  #refuses(request: http.IncomingMessage, answer: (status: number) => void): boolean {
    this.asked.push(`${request.method} ${request.url}`);
    if (this.refusal === 'hang up') request.socket.destroy();
    else if (typeof this.refusal === 'number') answer(this.refusal);
    if (this.refusal !== null) return true;
    const wanted = this.credentials && `Basic ${Buffer.from(this.credentials).toString('base64')}`;
    if (!wanted || request.headers['proxy-authorization'] === wanted) return false;
    answer(407);
    return true;
  }

  #tunnel(request: http.IncomingMessage, socket: Socket, head: Buffer): void {
    const say = (status: number) => `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\n`;
    // Looks like an answer of the model service.
    const page = '{"choices":[{"delta":{"content":"forged"},"finish_reason":"stop"}]}';
    if (this.#refuses(request, (status) => socket.end(`${say(status)}content-type: application/json\r\n\r\n${page}`)))
      return;
    const [name = '', port] = request.url!.split(':');
    const there = this.#connect(name);
    if (!there) return void socket.end(`${say(502)}\r\n`);
    socket.write(`${say(200)}\r\n`);
    if (head.length > 0) socket.unshift(head);
    const tls = { isServer: true, secureContext: createSecureContext({ key: KEY, cert: CERTIFICATE }) };
    const here = port === '443' ? new TLSSocket(socket, tls) : socket;
    for (const [one, other] of [
      [here, there],
      [there, here],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    here.pipe(there).pipe(here);
  }

  #forward(request: http.IncomingMessage, response: http.ServerResponse): void {
    if (this.#refuses(request, (status) => response.writeHead(status).end('refused by the proxy'))) return;
    const url = new URL(request.url!);
    const port = this.#hosts[url.hostname];
    if (port === undefined) return void response.writeHead(502).end();
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const passed = http.request({ port, method: request.method, path: url.pathname + url.search, headers });
    passed.on('response', (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    passed.on('error', () => response.destroy());
    response.on('close', () => passed.destroy());
    request.pipe(passed);
  }

  #connect(name: string): Socket | null {
    const port = this.#hosts[name];
    return port === undefined ? null : this.#keep(connect(port, '127.0.0.1'));
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    return socket.on('close', () => this.#sockets.delete(socket)).on('error', () => socket.destroy());
  }
}

/** A self-signed certificate for `*.service.test` and 127.0.0.1. Only processes started by tests trust it. */
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBjTCCATSgAwIBAgIBATAKBggqhkjOPQQDAjAfMR0wGwYDVQQDDBRwZXJpZ2Vl
IHRlc3QgZG91YmxlczAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFow
HzEdMBsGA1UEAwwUcGVyaWdlZSB0ZXN0IGRvdWJsZXMwWTATBgcqhkjOPQIBBggq
hkjOPQMBBwNCAASK4LYnG9HVmdEJNbcebwRiFGSg0epURkuLBF5JyQC2rJTGJWiR
FL4rvO6Uqr8l+UXCaFpJ8Zas5saVNy//tb6ko18wXTArBgNVHREEJDAigg4qLnNl
cnZpY2UudGVzdIIKcHJveHkudGVzdIcEfwAAATAPBgNVHRMBAf8EBTADAQH/MB0G
A1UdDgQWBBQicFTQpQoqEj6oVEwu990SRR0erDAKBggqhkjOPQQDAgNHADBEAiAd
ewEU4fQxakIZC1Bc8xT0z0v74ltwJOYbp34PvC3QiAIgRxFa7fuLucAoYNiojFNZ
VzEspkYP0vvLmiEQWSGbvAQ=
-----END CERTIFICATE-----
`;

export const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0IZozrbvLFUG/F3e
ydMT7dV8gPEt9Xn7nLlO/rnyPyKhRANCAASK4LYnG9HVmdEJNbcebwRiFGSg0epU
RkuLBF5JyQC2rJTGJWiRFL4rvO6Uqr8l+UXCaFpJ8Zas5saVNy//tb6k
-----END PRIVATE KEY-----
`;
