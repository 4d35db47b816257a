import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CERTIFICATE, KEY } from '../doubles/proxy.ts';
import { endProcess, startProcess, temporaryFolder } from '../editor/processes.ts';
import { Absent, fromDebian, fromNpm, type Program } from './obtain.ts';
import type { Way } from './people.ts';

/** Where a proxy forwards to, and the key that a relay puts in place of its users'. */
export interface Target {
  /** `host:port` of the server or of Caddy in front of it. */
  host: string;
  key: string;
}

/** A proxy that runs. */
export interface Running {
  port: number;
  /** It leads a process group of its own. */
  pid: number;
  /** Headers that its users must send. */
  headers?: Way['headers'];
  /** It opens the TLS of its users. */
  opensTls?: boolean;
  stop(): Promise<void>;
}

/** A proxy that may be fetched. */
export interface Intermediary {
  name: string;
  /** `relay`: users call it. `forward`, `tunnel`: they call the server through it, by plain HTTP or by CONNECT. */
  kind: 'relay' | 'forward' | 'tunnel';
  /** Rejects with `Absent` if it can't be had here. */
  start(target: Target): Promise<Running>;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts a program in a folder of its own, and waits until it listens. */
export async function launch(
  { path, env }: Pick<Program, 'path' | 'env'>,
  args: (folder: string) => string[],
  port: number,
  files: Record<string, string> = {},
): Promise<Running> {
  const folder = await temporaryFolder('perigee-relay-');
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text.replaceAll('FOLDER', folder));
  }
  let said = '';
  const home = { HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder, PATH: process.env.PATH ?? '' };
  const child = startProcess(path, args(folder), {
    cwd: folder,
    env: { ...home, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.on('error', (error) => (said += error.message));
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (bytes) => (said += bytes));
  for (const until = Date.now() + 20_000; !(await listens(port)); ) {
    if (child.exitCode !== null || child.pid === undefined || Date.now() > until) {
      await endProcess(child);
      throw new Absent(`${path} does not listen: ${said.slice(-800)}`);
    }
  }
  return { port, pid: child.pid!, stop: () => endProcess(child) };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isOpen = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => setTimeout(resolve, 50, false));
  });
  socket.destroy();
  return isOpen;
}

const nginx = (name: string, more: string): Intermediary => ({
  name,
  kind: 'relay',
  async start({ host, key }) {
    const program = await fromDebian('nginx', ['nginx', 'nginx-common']);
    const port = await freePort();
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (what) => `${what}_temp_path FOLDER/${what};`,
    );
    const configuration = `daemon off; pid FOLDER/pid; error_log stderr; events {}
      http { access_log off; ${paths.join(' ')}
        upstream server { server ${host}; keepalive 8; }
        server { listen 127.0.0.1:${port}; location / {
          proxy_pass http://server; proxy_set_header Host ${host}; proxy_set_header Authorization "Bearer ${key}"; ${more}
        } } }`;
    return launch(program, (folder) => ['-c', `${folder}/nginx.conf`, '-e', 'stderr'], port, {
      'nginx.conf': configuration,
    });
  },
});

const haproxy: Intermediary = {
  name: 'HAProxy',
  kind: 'relay',
  async start({ host, key }) {
    const program = await fromDebian('haproxy', [
      'haproxy',
      'liblua5.3-0',
      'libopentracing-c-wrapper0',
      'libopentracing1',
    ]);
    const port = await freePort();
    const configuration = `defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend users
  bind 127.0.0.1:${port}
  http-request set-header host ${host}
  http-request set-header authorization "Bearer ${key}"
  default_backend server
backend server
  http-reuse always
  server one ${host}
`;
    return launch(program, (folder) => ['-f', `${folder}/haproxy.cfg`], port, { 'haproxy.cfg': configuration });
  },
};

const CADDY = ['caddy'];

/** A relay, as one line of a Caddyfile makes it. */
const caddy: Intermediary = {
  name: 'Caddy',
  kind: 'relay',
  async start({ host, key }) {
    const port = await freePort();
    const site = `{\n admin off\n}\nhttp://127.0.0.1:${port} {\n reverse_proxy ${host} {\n  header_up Host ${host}\n  header_up Authorization "Bearer ${key}"\n }\n}\n`;
    return launch(
      await fromDebian('caddy', CADDY),
      (folder) => ['run', '--config', `${folder}/Caddyfile`, '--adapter', 'caddyfile'],
      port,
      { Caddyfile: site },
    );
  },
};

/** The Caddyfile of docs/deploy in front of the server, without HTTPS. */
export async function startEdge(port: number, backend: string, shipped: string): Promise<Running> {
  const program = await fromDebian('caddy', CADDY);
  const env = { ...program.env, PERIGEE_DOMAIN: `http://127.0.0.1:${port}`, PERIGEE_BACKENDS: backend };
  return launch(
    { ...program, env },
    (folder) => ['run', '--config', `${folder}/Caddyfile`, '--adapter', 'caddyfile'],
    port,
    { Caddyfile: `{\n admin off\n}\n${shipped}` },
  );
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const NODE = { path: process.execPath, env: {} };

const httpProxy: Intermediary = {
  name: 'http-proxy',
  kind: 'relay',
  async start({ host, key }) {
    const modules = await fromNpm('http-proxy', '1.18.1');
    const port = await freePort();
    return launch(NODE, () => [here('httpProxy.cjs'), join(modules, 'http-proxy'), String(port), host, key], port);
  },
};

export const portkey: Intermediary = {
  name: '@portkey-ai/gateway',
  kind: 'relay',
  async start({ host, key }) {
    const modules = await fromNpm('@portkey-ai/gateway', '1.15.2', {
      integrity: 'sha512-OuwwQEJ0rnKQuPgaCqyMpP+X5Uly2h9EBDm5Lx/NYu9MXTzB/nKrKgjd8J3vPGeNpYoyxTzKSzTV2tGv8Dd+fg==',
      // With a later one, every streamed answer is a 500, "TypeError: immutable": Portkey-AI/gateway#1389.
      overrides: { '@hono/node-server': '1.14.0' },
    });
    const port = await freePort();
    const program = join(modules, '@portkey-ai/gateway/build/start-server.js');
    const running = await launch(NODE, () => [program, `--port=${port}`, '--headless'], port);
    const headers: Way['headers'] = (dialect) => ({
      'x-portkey-provider': dialect === 'messages' ? 'anthropic' : 'openai',
      'x-portkey-custom-host': `http://${host}/v1`,
      authorization: `Bearer ${key}`,
    });
    return { ...running, headers };
  },
};

const squid = (name: string, kind: 'forward' | 'tunnel'): Intermediary => ({
  name,
  kind,
  async start() {
    const libraries = ['libecap3', 'libnetfilter-conntrack3', 'libnfnetlink0', 'libltdl7', 'libtdb1'];
    const program = await fromDebian('squid', ['squid', 'squid-common', 'squid-langpack', ...libraries]);
    const port = await freePort();
    const { files } = program;
    const configuration = `http_port 127.0.0.1:${port}
http_access allow all
pid_filename none
cache_log stdio:/dev/stderr
access_log none
cache deny all
coredump_dir FOLDER
mime_table ${files}/usr/share/squid/mime.conf
icon_directory ${files}/usr/share/squid/icons
error_directory ${files}/usr/share/squid-langpack/en
unlinkd_program ${files}/usr/lib/squid/unlinkd
pinger_enable off
shutdown_lifetime 0 seconds
`;
    return launch(program, (folder) => ['-N', '-f', `${folder}/squid.conf`], port, { 'squid.conf': configuration });
  },
});

const tinyproxy = (name: string, kind: 'forward' | 'tunnel'): Intermediary => ({
  name,
  kind,
  async start() {
    const program = await fromDebian('tinyproxy', ['tinyproxy-bin']);
    const port = await freePort();
    const configuration = `Port ${port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\n`;
    return launch(program, (folder) => ['-d', '-c', `${folder}/tinyproxy.conf`], port, {
      'tinyproxy.conf': configuration,
    });
  },
});

/** What mitmproxy needs of Debian's packages, beside Python itself. */
const MITMPROXY =
  'mitmproxy libbrotli1 libprotobuf32 ' +
  (
    'asgiref blinker brotli certifi cffi-backend click colorama cryptography flask h11 h2 hpack hyperframe ' +
    'importlib-metadata itsdangerous jinja2 kaitaistruct ldap3 markupsafe more-itertools msgpack openssl passlib ' +
    'pkg-resources protobuf publicsuffix2 pyasn1 pyparsing pyperclip ruamel.yaml ruamel.yaml.clib sortedcontainers tornado ' +
    'typing-extensions urwid werkzeug wsproto zipp zstandard'
  )
    .split(' ')
    .map((name) => `python3-${name}`)
    .join(' ');

const mitmproxy: Intermediary = {
  name: 'mitmproxy',
  kind: 'tunnel',
  async start() {
    const { path, env, files } = await fromDebian('mitmdump', MITMPROXY.split(' '));
    const port = await freePort();
    const python = files === '' ? {} : { ...env, PYTHONPATH: `${files}/usr/lib/python3/dist-packages` };
    // The server behind it speaks no TLS.
    const plain = "def request(flow):\n    flow.request.scheme = 'http'\n";
    const args = (folder: string) => [
      ...[path, '-q', '-p', String(port), '-s', `${folder}/plain.py`],
      ...['--set', `confdir=${folder}`, '--set', 'connection_strategy=lazy'],
    ];
    const running = await launch({ path: 'python3', env: python }, args, port, { 'plain.py': plain });
    return { ...running, opensTls: true };
  },
};

const inspector: Intermediary = {
  name: 'a gateway that opens TLS',
  kind: 'tunnel',
  async start() {
    const port = await freePort();
    const files = { 'key.pem': KEY, 'certificate.pem': CERTIFICATE };
    const running = await launch(NODE, (folder) => [here('inspector.mjs'), String(port), folder], port, files);
    return { ...running, opensTls: true };
  },
};

export const PROXIES: readonly Intermediary[] = [
  nginx('nginx', ''),
  nginx('nginx, HTTP/1.1 kept alive', 'proxy_http_version 1.1; proxy_set_header Connection "";'),
  haproxy,
  caddy,
  httpProxy,
  portkey,
  squid('squid, plain', 'forward'),
  squid('squid, CONNECT', 'tunnel'),
  tinyproxy('tinyproxy, plain', 'forward'),
  tinyproxy('tinyproxy, CONNECT', 'tunnel'),
  mitmproxy,
  inspector,
];
