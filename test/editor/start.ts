// `npm start [-- folder]`: starts the backend and an editor with the extension. The editor is desktop VS Code if `code`
// is on the PATH, else the browser edition from npm, whose address is printed. Ctrl-C ends both.
import { execFile } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type Config, ConfigError, parseConfig } from '../../server/platform/config/config.ts';
import { backendProgram, untilReady } from './backend.ts';
import { fetchEditor, root } from './fetch.ts';
import { endProcess, onInterrupt, startProcess } from './processes.ts';
import { makeSample } from './sample.ts';
import { startServer, writeSettings } from './vscodeServer.ts';

const run = promisify(execFile);
const data = join(root, 'data');

/** An error that is shown in one line, without a stack. */
class Told extends Error {}

type End = () => Promise<void>;

async function main(args: string[]): Promise<void> {
  const desktop = findOnPath('code');
  if (!desktop && process.platform !== 'linux') {
    throw new Told(
      'VS Code is needed: install it, and see that "code" is on the PATH ("Shell Command: Install code").',
    );
  }
  const { url, localToken } = backendSettings();
  const folder = args[0] ? namedFolder(args[0]) : await sampleFolder();
  const ends: End[] = [];
  let interrupted = false;
  onInterrupt(async () => {
    interrupted = true;
    console.log('\nEnding.');
    // End the editor first: it calls the backend until then.
    for (const end of ends.reverse()) await end();
  });
  await handOver(url, localToken, args[0] ? undefined : 'src/client.ts');
  const backend = await openBackend(url);
  if (backend) ends.push(backend.end);
  let what: string;
  if (desktop) {
    await openDesktop(desktop, folder);
    console.log(`Perigee is ready in VS Code, on ${folder}. Ctrl-C ends the backend.`);
    if (url !== 'http://127.0.0.1:8787') console.log(`Set "perigee.serverUrl" in its user settings to ${url}.`);
    if (!backend) return;
    what = `The backend has ended by itself, ${await backend.ended}`;
  } else {
    const editor = await openBrowserEdition(folder, url);
    ends.push(editor.end);
    console.log(`\nPerigee is ready: ${editor.url}\nOpen it in a browser. Ctrl-C ends it.\n`);
    what = await Promise.race([
      editor.ended.then((last) => `${last}\nThe editor's server has ended by itself`),
      ...(backend ? [backend.ended.then((how) => `The backend has ended by itself, ${how}`)] : []),
    ]);
  }
  // The handler of the interrupt exits when it is done.
  if (interrupted) return;
  for (const end of ends.reverse()) await end();
  throw new Told(
    `${what}; what it said last stands above. "npm start" starts it again: accounts and conversations are kept.`,
  );
}

function namedFolder(name: string): string {
  // npm runs scripts in the package's folder, but the user typed the name relative to the folder where npm was started.
  const folder = resolve(process.env.INIT_CWD ?? process.cwd(), name);
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new Told(`${folder} is not a folder.`);
  return folder;
}

async function sampleFolder(): Promise<string> {
  const folder = join(data, 'sample');
  if (!existsSync(join(folder, '.git'))) {
    await rm(folder, { recursive: true, force: true });
    await makeSample(folder);
  }
  return folder;
}

/**
 * Tells the extension in this editor which backend was started here, and which `file` a new user sees first. In local
 * mode, it also writes the path of the one-time token that signs in this machine's single user without a question.
 */
async function handOver(server: string, localToken: string | null, file: string | undefined): Promise<void> {
  const tokenFile = localToken === null ? undefined : decodeURIComponent(pathToFileURL(localToken).pathname);
  await writeFile(join(root, 'dist/local.json'), JSON.stringify({ server, tokenFile, welcome: { file } }));
}

// The backend's URL and, in local mode, the path of its token file, from the backend's own settings. Reports a wrong
// setting before anything starts.
function backendSettings(): { url: string; localToken: string | null } {
  let config: Config;
  try {
    config = parseConfig(process.env, (path) => readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof ConfigError) throw new Told(error.message);
    throw error;
  }
  if (config.port === 0) throw new Told('PORT=0 is for "npm run server" alone: the editor must know the port.');
  const host = config.host === '0.0.0.0' || config.host === '::' ? '127.0.0.1' : config.host;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${config.port}`;
  const { database } = config;
  const isLocal = config.signIn.local && database.engine === 'sqlite';
  return { url, localToken: isLocal ? resolve(root, dirname(database.file), 'local-token') : null };
}

/** Starts the backend. Undefined if one already answers there. */
async function openBackend(url: string): Promise<{ end: End; ended: Promise<string> } | undefined> {
  const there = await whoAnswers(url);
  if (there === 'perigee') {
    console.log(`A Perigee backend answers at ${url} already; using it.`);
    return undefined;
  }
  if (there === 'other') {
    const { port } = new URL(url);
    throw new Told(`Port ${port} is in use by another program. End it, or choose another port: PORT=8788 npm start`);
  }
  await mkdir(data, { recursive: true });
  const child = startProcess(process.execPath, [backendProgram], {
    cwd: root,
    env: { ...process.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<string>((done) =>
    child.once('exit', (code, signal) => done(signal ? `by ${signal}` : `with code ${code}`)),
  );
  createInterface(child.stdout!).on('line', tellLogLine);
  await Promise.race([
    untilReady(url),
    ended.then((how) => {
      throw new Told(`The backend did not start: it ended ${how}.`);
    }),
  ]);
  console.log(`The backend is ready at ${url}${process.env.UPSTREAM_URL ? '' : ' (demo model; see UPSTREAM_URL)'}.`);
  return { ended, end: () => endProcess(child, 15_000) };
}

// The backend's log is made for machines. Here a person reads it, so show only the warnings.
function tellLogLine(line: string): void {
  try {
    const { level, msg, err } = JSON.parse(line) as { level: number; msg: string; err?: { message?: string } };
    if (level >= 40) console.error(`backend: ${msg}${err?.message ? `: ${err.message}` : ''}`);
  } catch {
    console.log(line);
  }
}

async function whoAnswers(url: string): Promise<'perigee' | 'other' | 'nobody'> {
  const { hostname, port } = new URL(url);
  const open = await new Promise<boolean>((answer) => {
    const socket = createConnection({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) });
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.once('close', () => answer(false));
    socket.unref();
    socket.once('connect', () => socket.destroy());
  });
  if (!open) return 'nobody';
  try {
    const answer = await fetch(`${url}/openapi.json`, { signal: AbortSignal.timeout(5000) });
    const document = (await answer.json()) as { info?: { title?: string } };
    return /perigee/i.test(document.info?.title ?? '') ? 'perigee' : 'other';
  } catch {
    return 'other';
  }
}

async function openDesktop(code: string, folder: string): Promise<void> {
  await run(code, [`--extensionDevelopmentPath=${root}`, folder], { shell: process.platform === 'win32' });
}

/** Opens the browser edition with the extension installed as users install it. */
async function openBrowserEdition(
  folder: string,
  backendUrl: string,
): Promise<{ url: string; end: End; ended: Promise<string> }> {
  await fetchEditor();
  const home = join(data, 'editor');
  await installFolder(join(home, 'extensions'));
  await writeSettings(home, { ...(await ownSettings(home)), 'perigee.serverUrl': backendUrl });
  const { port, token } = await ownAddress(join(home, 'address.json'));
  const last: string[] = [];
  const onOutput = (line: string) => void (last.push(line) > 20 && last.shift());
  const server = await startServer({ dataFolder: home, port, token, onOutput });
  const query = new URLSearchParams({ tkn: token, folder });
  return {
    url: `${server.url}/?${query}`,
    end: server.stop,
    ended: server.ended.then(() => last.join('\n')),
  };
}

/**
 * The port and token of the browser edition, the same at every start, because the browser stores the signed-in account
 * by the page's origin. If the usual port is taken, a second usual one is used, and so on, so that parallel editors
 * keep their addresses too.
 */
async function ownAddress(file: string): Promise<{ port: number; token: string }> {
  let ports: number[] = [];
  // Anyone who can reach the server can run programs as this user, and any web page can reach 127.0.0.1. So the page
  // needs a token.
  let token = randomBytes(16).toString('hex');
  try {
    const known = JSON.parse(await readFile(file, 'utf8')) as { ports: unknown; token: unknown };
    if (Array.isArray(known.ports) && typeof known.token === 'string' && /^[0-9a-f]{32}$/.test(known.token)) {
      ports = known.ports.filter((port) => Number.isInteger(port) && port > 0 && port < 65_536);
      token = known.token;
    }
  } catch {
    // The first start, or a damaged file: use a new address.
  }
  let port: number | undefined;
  for (const usual of ports) if (port === undefined && (await isFree(usual))) port = usual;
  while (port === undefined) {
    // Below the ephemeral ports, which an outgoing connection could occupy between two starts.
    const any = randomInt(20_000, 32_000);
    if (!(await isFree(any))) continue;
    port = any;
    ports.push(any);
  }
  if (port !== ports[0]) {
    console.log(`Port ${ports[0]}, the editor's usual one, is in use: it is at port ${port} this time.`);
    console.log('A browser keeps an account for each address; the conversations of the usual one are not seen here.');
  }
  const partial = `${file}.${process.pid}`;
  await writeFile(partial, JSON.stringify({ ports, token }), { mode: 0o600 });
  await rename(partial, file);
  return { port, token };
}

function isFree(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const probe = createServer();
    probe.once('error', () => answer(false));
    probe.listen({ host: '127.0.0.1', port }, () => probe.close(() => answer(true)));
  });
}

// Keeps the settings that the user changed earlier in this editor.
async function ownSettings(home: string): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await readFile(join(home, 'data/User/settings.json'), 'utf8')) as Record<string, unknown>;
  } catch {
    return {};
  }
}

// A copy, because VS Code treats a file behind a link as outside the extension. A new build needs a new start.
async function installFolder(extensions: string): Promise<void> {
  const manifest = (await import(join(root, 'package.json'), { with: { type: 'json' } })).default as {
    publisher: string;
    name: string;
    version: string;
  };
  const name = `${manifest.publisher}.${manifest.name}-${manifest.version}`;
  await rm(extensions, { recursive: true, force: true });
  await mkdir(join(extensions, name), { recursive: true });
  for (const part of ['package.json', 'package.nls.json', 'l10n', 'dist', 'extension/media', 'README.md', 'LICENSE']) {
    if (!existsSync(join(root, part))) continue;
    await cp(join(root, part), join(extensions, name, part), {
      recursive: true,
      filter: (from) => relative(root, from) !== join('dist', 'server'),
    });
  }
  const entry = {
    identifier: { id: `${manifest.publisher}.${manifest.name}` },
    version: manifest.version,
    location: { $mid: 1, path: join(extensions, name), scheme: 'file' },
    relativeLocation: name,
  };
  await writeFile(join(extensions, 'extensions.json'), JSON.stringify([entry]));
}

function findOnPath(name: string): string | undefined {
  const endings = process.platform === 'win32' ? ['.cmd', '.exe'] : [''];
  return (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => endings.map((ending) => join(folder, name + ending)))
    .find((file) => existsSync(file));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Told ? error.message : error);
  process.exit(1);
}
