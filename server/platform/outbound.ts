import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import type { Duplex } from 'node:stream';
import * as tls from 'node:tls';
import { type ProxyConfig, type ProxyServer, proxyFor } from './config/proxyConfig.ts';

/** How requests to one address are sent. */
export interface Route {
  agent: http.Agent;
  /** For the request line: a proxy that passes plain HTTP on reads the whole address in it. */
  path: string;
  headers: Record<string, string>;
}

const KEPT: http.AgentOptions = { keepAlive: true, maxFreeSockets: 256, timeout: 30_000 };
/** Until the proxy has connected us. A tunnel that is still not there is given up, with its connection. */
const TUNNEL_MS = 10_000;

/** The way to `url` (http or https): directly, or by the proxy that is set for it. Its connections are kept. */
export function routeTo(url: URL, proxies: ProxyConfig | null): Route {
  const proxy = proxyFor(proxies, url);
  const path = `${url.pathname}${url.search}`;
  if (!proxy)
    return { agent: url.protocol === 'https:' ? new https.Agent(KEPT) : new http.Agent(KEPT), path, headers: {} };
  if (url.protocol === 'https:') return { agent: new TunnelAgent(proxy), path, headers: {} };
  return {
    agent: new ForwardAgent(proxy),
    path: url.origin + path,
    headers: { host: url.host, ...authorizationOf(proxy) },
  };
}

/** Sends what uses the global `fetch` (sign-in, lists of models) by the proxies, too. */
export async function setFetchProxies(proxies: ProxyConfig): Promise<void> {
  const { Agent, ProxyAgent, setGlobalDispatcher } = await import('undici');
  const agents = new Map<ProxyServer, InstanceType<typeof ProxyAgent>>();
  const agentOf = (proxy: ProxyServer) => {
    const { origin: uri, authorization } = proxy;
    // Plain HTTP is passed on, not tunnelled: many proxies refuse CONNECT to other ports than 443.
    const made = agents.get(proxy) ?? new ProxyAgent({ uri, token: authorization ?? undefined, proxyTunnel: false });
    agents.set(proxy, made);
    return made;
  };
  setGlobalDispatcher(
    new Agent().compose((direct) => (options, handler) => {
      const proxy = proxyFor(proxies, new URL(String(options.origin)));
      return proxy ? agentOf(proxy).dispatch(options, handler) : direct(options, handler);
    }),
  );
}

/**
 * A connection to `host` and `port` by CONNECT. Rejects with a `code` that begins with PROXY_: what a proxy answers in place of a
 * tunnel must never be read as the answer of the service behind it.
 */
export function tunnel(proxy: ProxyServer, host: string, port: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const authority = `${net.isIPv6(host) ? `[${host}]` : host}:${port}`;
    const request = http.request({
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...authorizationOf(proxy) },
      createConnection: () => dial(proxy),
    });
    const fail = (why: string | number) => {
      clearTimeout(timer);
      reject(Object.assign(new Error(`no tunnel through the proxy: ${why}`), { code: `PROXY_${why}` }));
      request.destroy();
    };
    const timer = setTimeout(fail, TUNNEL_MS, 'ETIMEDOUT');
    request.once('connect', ({ statusCode }, socket: net.Socket, head) => {
      if (statusCode !== 200) {
        socket.destroy();
        return fail(statusCode ?? 'ECONNRESET');
      }
      clearTimeout(timer);
      // Mail servers speak first.
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.once('response', ({ statusCode }) => fail(statusCode ?? 'ECONNRESET'));
    request.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'ECONNRESET'));
    request.end();
  });
}

/** Connections to the services behind a proxy, each by a tunnel. */
class TunnelAgent extends https.Agent {
  constructor(private readonly proxy: ProxyServer) {
    super(KEPT);
  }

  override createConnection(options: https.RequestOptions, made?: (error: Error | null, stream: Duplex) => void) {
    tunnel(this.proxy, String(options.host), Number(options.port))
      .then((socket) => super.createConnection({ ...options, socket } as https.RequestOptions)!)
      .then(
        (secured) => made?.(null, secured),
        (error) => made?.(error, undefined as never),
      );
    return undefined;
  }
}

/** Connections to a proxy that passes plain HTTP on. */
class ForwardAgent extends http.Agent {
  constructor(private readonly proxy: ProxyServer) {
    super(KEPT);
  }

  override createConnection() {
    return dial(this.proxy).setTimeout(KEPT.timeout!);
  }
}

function dial({ origin }: ProxyServer): net.Socket {
  const { protocol, hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (protocol === 'http:') return net.connect({ host, port: Number(port || 80) });
  return tls.connect({ host, port: Number(port || 443), servername: net.isIP(host) ? '' : host });
}

function authorizationOf({ authorization }: ProxyServer): Record<string, string> {
  return authorization === null ? {} : { 'proxy-authorization': authorization };
}
