import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import type { Duplex } from 'node:stream';
import * as tls from 'node:tls';
import { type ProxyConfig, type ProxyServer, proxyFor } from './config/proxyConfig.ts';

/** How to send requests to one address. */
export interface Route {
  agent: http.Agent;
  /** For the request line. A proxy that forwards plain HTTP needs the full address here. */
  path: string;
  headers: Record<string, string>;
}

const KEPT: http.AgentOptions = { keepAlive: true, maxFreeSockets: 256, timeout: 30_000 };
/** The time limit for a proxy's tunnel. After it the connection is closed. */
const TUNNEL_MS = 10_000;

/** The route to `url` (http or https): direct, or by its proxy. Connections are reused. */
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

/** Sends requests of the global `fetch` (sign-in, lists of models) through the proxies, too. */
export async function setFetchProxies(proxies: ProxyConfig): Promise<void> {
  const { Agent, ProxyAgent, setGlobalDispatcher } = await import('undici');
  const agents = new Map<ProxyServer, InstanceType<typeof ProxyAgent>>();
  const agentOf = (proxy: ProxyServer) => {
    const { origin: uri, authorization } = proxy;
    // Plain HTTP is forwarded, not tunnelled: many proxies refuse CONNECT to ports other than 443.
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
 * Connects to `host` and `port` with CONNECT. Rejects with a `code` that begins with PROXY_, so that a proxy's error is
 * never read as the answer of the service behind it.
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
      // Mail servers speak first, so bytes may follow the proxy's headers.
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.once('response', ({ statusCode }) => fail(statusCode ?? 'ECONNRESET'));
    request.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'ECONNRESET'));
    request.end();
  });
}

/** Connections to services behind a proxy, one tunnel each. */
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

/** Connections to a proxy that forwards plain HTTP. */
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
