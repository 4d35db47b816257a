import { once } from 'node:events';
import * as http from 'node:http';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** A certificate of models.test that signs itself, good for a hundred years, and for nothing but tests. */
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQa33l38EqM6gqCyz
4SjBxqI8H6uHw1q4sHzWtIhV8yahRANCAAQnR2poRa9+ganDv3iQkISwPl9Vi9p7
MVpHBi/cH4APf+EbUufRa9uG3Dlkjd3jZx1ELzvjSGPd39qQfEXiH3QN
-----END PRIVATE KEY-----`;
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUDkBDm1ufdNIVKH77uATImsgky9AwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLbW9kZWxzLnRlc3QwIBcNMjYxMTI4MTYwMjAxWhgPMjEyNjEx
MDQxNjAyMDFaMBYxFDASBgNVBAMMC21vZGVscy50ZXN0MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEJ0dqaEWvfoGpw794kJCEsD5fVYvaezFaRwYv3B+AD3/hG1Ln
0Wvbhtw5ZI3d42cdRC8740hj3d/akHxF4h90DaNrMGkwHQYDVR0OBBYEFAtwMlSk
REemQDVG6An45rnbXVo1MB8GA1UdIwQYMBaAFAtwMlSkREemQDVG6An45rnbXVo1
MBYGA1UdEQQPMA2CC21vZGVscy50ZXN0MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZI
zj0EAwIDRwAwRAIgFnw19V5x8nT+HOKE+yee1OnOOzxOux7wfX4Wb6wNYGgCIE54
SEvaun2PDyV2OuenLCYIjJgho/WJCLwcIBniKUBQ
-----END CERTIFICATE-----`;

/** A proxy on this machine that takes every name for one port of it, and counts. */
export class ProxyDouble {
  /** What it was asked for, such as `CONNECT models.test:443` or `POST http://models.test/v1/chat/completions`. */
  readonly asked: string[] = [];
  /** The `proxy-authorization` of each. */
  readonly credentials: (string | undefined)[] = [];
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  url = '';

  /** `target` is a port that speaks HTTP; through CONNECT it speaks TLS. */
  async start(target: number): Promise<this> {
    const secure = await this.#listen(
      createTlsServer({ key: KEY, cert: CERTIFICATE }, (socket) => this.#join(socket, connect(target, '127.0.0.1'))),
    );
    const proxy = http.createServer((request, response) => {
      this.#note(request);
      const path = new URL(request.url ?? '').pathname;
      const { host: _, 'proxy-authorization': __, ...headers } = request.headers;
      const forwarded = http.request({ port: target, host: '127.0.0.1', method: request.method, path, headers });
      forwarded.on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      forwarded.on('error', () => response.destroy());
      response.on('close', () => forwarded.destroy());
      request.pipe(forwarded);
    });
    proxy.on('connect', (request, socket: Socket) => {
      this.#note(request);
      const there = connect(secure, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        this.#join(socket, there);
      });
    });
    this.url = `http://127.0.0.1:${await this.#listen(proxy)}`;
    return this;
  }

  #note({ method, url, headers }: http.IncomingMessage): void {
    this.asked.push(`${method} ${url}`);
    this.credentials.push(headers['proxy-authorization']);
  }

  #join(one: Socket, other: Socket): void {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
      from.pipe(to);
    }
  }

  async #listen(server: Server): Promise<number> {
    this.#servers.push(server);
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  stop(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
