// The ways to the model service that are measured beside each other: straight, and through gateways, each a process of its
// own in front of the same service.
import { Absent, fromDebian } from '../../relays/obtain.ts';
import { freePort, launch, portkey, type Running } from '../../relays/proxies.ts';
import { startServices, type UpstreamProcess } from '../services.ts';

/** One way to the service. */
export interface Peer {
  name: string;
  /** Without /v1. */
  url: string;
  /** What the nth client sends. */
  headers(n: number): Record<string, string>;
  /** The leader of the gateway's process group; null for the service itself. */
  pid: number | null;
}

export const [DIRECT, NGINX, PLAIN, PORTKEY, PERIGEE] = [
  'the service itself',
  'nginx',
  'plain proxy',
  'Portkey',
  'Perigee',
] as const;

export interface Peers {
  upstream: UpstreamProcess;
  all: Peer[];
  /** Why a gateway is left out, a line for each. */
  absences: string[];
  stop(): Promise<void>;
}

export async function startPeers(guests: number): Promise<Peers> {
  const services = await startServices(guests);
  const { upstream, gateways, pids } = services;
  const { host, origin } = new URL(upstream.url);
  const stops = [() => services.stop()];
  const stop = async () => {
    for (const end of stops.toReversed()) await end();
  };
  const absences: string[] = [];
  const others: Peer[] = [];
  const join = (name: string, running: Running, headers: Record<string, string>) => {
    stops.push(() => running.stop());
    others.push({ name, url: `http://127.0.0.1:${running.port}`, headers: () => headers, pid: running.pid });
  };
  try {
    const proxy = await ifHad(() => startNginx(host), 'nginx isn’t installed: apt-get install nginx-light', absences);
    if (proxy) join(NGINX, proxy, {});
    const rival = await ifHad(() => portkey.start({ host, key: 'any' }), 'Portkey’s gateway is left out', absences);
    if (rival) join(PORTKEY, rival, rival.headers!('chat'));
  } catch (error) {
    await stop();
    throw error;
  }
  const perigee = { url: gateways.perigee.caller(0).url, headers: (n: number) => gateways.perigee.caller(n).headers };
  const all: Peer[] = [
    { name: DIRECT, url: origin, headers: () => ({}), pid: null },
    { name: PLAIN, url: services.plainUrl, headers: () => ({}), pid: pids.plain },
    ...others,
    { name: PERIGEE, ...perigee, pid: pids.perigee },
  ];
  return { upstream, all, absences, stop };
}

/** Null for what can't be had here, and a line about it: the others are measured all the same. */
export async function ifHad<T>(start: () => Promise<T>, line: string, absences: string[]): Promise<T | null> {
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    absences.push(`${line} (${error.message})`);
    return null;
  }
}

/** One worker, as the others are one process, and all that nginx needs for speed: kept connections and no buffers. */
async function startNginx(host: string): Promise<Running> {
  const program = await fromDebian('nginx', ['nginx', 'nginx-common']);
  const port = await freePort();
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((what) => `${what}_temp_path FOLDER/${what};`);
  // The service closes connections that were idle for 5 s.
  const kept = 'keepalive 1024; keepalive_timeout 3s; keepalive_requests 1000000;';
  const configuration = `daemon off; worker_processes 1; worker_rlimit_nofile 8192; pid FOLDER/pid; error_log stderr;
    events { worker_connections 4096; }
    http { access_log off; ${paths.join(' ')}
      upstream service { server ${host}; ${kept} }
      server { listen 127.0.0.1:${port}; keepalive_requests 1000000; client_body_buffer_size 1m;
        location / {
          proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
        } } }`;
  return launch(program, (folder) => ['-c', `${folder}/nginx.conf`, '-e', 'stderr'], port, {
    'nginx.conf': configuration,
  });
}
