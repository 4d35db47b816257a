// Fetches a real VS Code and a browser for it from npm alone: no root, no download page, no system-wide installation.
// Everything is stored in `.vscode-test/`, in folders named by version, so nothing is fetched twice.
import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createBrotliDecompress } from 'node:zlib';
import { endProcess, startProcess } from './processes.ts';

const run = promisify(execFile);

/** The repository's root. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const store = join(root, '.vscode-test');

// Change these together: code-server 4.139.1 is VS Code 1.139.1, whose server requires Node 24.
const nodeVersion = '24.21.0';
const codeServerVersion = '4.139.1';
const chromiumVersion = '153.0.0';

export interface Editor {
  /** Node 24's executable. */
  node: string;
  /** The folder of the VS Code server; its `out/server-main.js` is the program. */
  vscode: string;
}

export interface Browser {
  executable: string;
  /** Required environment variables (libraries and fonts, if the system has none). */
  env: Record<string, string>;
}

/** VS Code's browser edition and its Node, fetched if missing (Linux only; about 25 s and 400 MB). */
export async function fetchEditor(): Promise<Editor> {
  if (process.platform !== 'linux') {
    throw new Error('The browser edition of VS Code is fetched on Linux only. Here, use desktop VS Code.');
  }
  const platform = `linux-${process.arch}`;
  const nodeFolder = await fetchOnce(`node-${nodeVersion}-${platform}`, `Node ${nodeVersion}`, async (folder, task) => {
    await npmInstall(folder, `node-${platform}@${nodeVersion}`, task);
    await run(join(folder, 'node_modules', `node-${platform}`, 'bin/node'), ['--version']);
  });
  const nodeHome = join(nodeFolder, 'node_modules', `node-${platform}`);
  const label = `VS Code ${codeServerVersion.replace(/^4/, '1')}, browser edition`;
  const codeFolder = await fetchOnce(`code-server-${codeServerVersion}-${platform}`, label, async (folder, task) => {
    // Its own postinstall takes minutes and requires system headers, for parts that we don't need.
    await npmInstall(folder, `code-server@${codeServerVersion}`, task);
    const vscode = join(folder, vscodeIn);
    const env = {
      PATH: join(nodeHome, 'bin') + delimiter + process.env.PATH,
      // Compile native modules with the headers of this Node 24, whatever the user's npm settings are.
      npm_config_nodedir: nodeHome,
      npm_package_config_node_gyp_nodedir: nodeHome,
    };
    task('its libraries');
    await npm(['install', '--prefix', vscode, '--omit=dev', '--include=optional', '--ignore-scripts'], vscode, env);
    task('its native parts');
    await npm(['rebuild', '--prefix', vscode, '@vscode/spdlog', '@vscode/native-watchdog'], vscode, env);
    for (const built of ['spdlog/build/Release/spdlog.node', 'native-watchdog/build/Release/watchdog.node']) {
      if (!existsSync(join(vscode, 'node_modules/@vscode', built))) {
        throw new Error(`npm did not build ${built}; python3, make and g++ are needed for it.`);
      }
    }
  });
  const vscode = join(codeFolder, vscodeIn);
  typescript ??= fetchTypeScript(vscode, `typescript-of-code-server-${codeServerVersion}-${platform}`);
  await typescript;
  return { node: join(nodeHome, 'bin/node'), vscode };
}

let typescript: Promise<void> | undefined;

// The package lacks TypeScript, which VS Code's own extensions share. Without it, opening a .ts file shows an error. An
// older editor without it gets it here; if that fails, the editor still works.
async function fetchTypeScript(vscode: string, name: string): Promise<void> {
  const extensions = join(vscode, 'extensions');
  const modules = join(extensions, 'node_modules');
  const place = { folder: join(modules, 'typescript'), part: 'node_modules/typescript' };
  try {
    await fetchOnce(
      name,
      "TypeScript for VS Code's editor",
      async (folder, task) => {
        task('npm install');
        for (const file of ['package.json', 'npm-shrinkwrap.json']) {
          await copyFile(join(extensions, file), join(folder, file));
        }
        await npm(['install', '--prefix', folder, '--omit=dev', '--ignore-scripts'], folder);
        await mkdir(modules, { recursive: true });
      },
      place,
    );
  } catch (error) {
    console.error(`.ts files will have no language service: ${error instanceof Error ? error.message : error}`);
  }
}

const vscodeIn = 'node_modules/code-server/lib/vscode';

/** A Chromium: the one in CHROMIUM_PATH, else the system's, else one from npm (Linux on x64; 3 s). */
export async function fetchBrowser(): Promise<Browser> {
  const named = process.env.CHROMIUM_PATH;
  if (named) {
    if (!existsSync(named)) throw new Error(`CHROMIUM_PATH names ${named}, which does not exist.`);
    return { executable: named, env: {} };
  }
  const system = await systemBrowser();
  if (system) return { executable: system, env: {} };
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('No Chromium or Chrome was found. Install one, or name it in CHROMIUM_PATH.');
  }
  const folder = await fetchOnce(`chromium-${chromiumVersion}-linux-x64`, 'Chromium', async (target, task) => {
    await npmInstall(target, `@sparticuz/chromium@${chromiumVersion}`, task);
    task('unpacking');
    await unpackChromium(target);
  });
  return { executable: join(folder, 'chromium'), env: await missingParts(folder) };
}

// The package unpacks its brotli archives into the system's temporary folder, and needs Node 22 or later. Unpacking
// them here needs neither.
async function unpackChromium(folder: string): Promise<void> {
  const home = join(folder, 'node_modules/@sparticuz/chromium');
  const { extract } = createRequire(join(home, 'package.json'))('tar-fs') as {
    extract(to: string): NodeJS.WritableStream;
  };
  const inflate = (name: string, to: NodeJS.WritableStream) =>
    pipeline(createReadStream(join(home, 'bin', name)), createBrotliDecompress(), to);
  await inflate('chromium.br', createWriteStream(join(folder, 'chromium')));
  await inflate('swiftshader.tar.br', extract(folder));
  await inflate('al2023.tar.br', extract(folder));
  await inflate('fonts.tar.br', extract(join(folder, 'fonts')));
  await chmod(join(folder, 'chromium'), 0o755);
  await rm(join(folder, 'node_modules'), { recursive: true });
}

// A bare machine lacks libnss3 and similar libraries, or any font. The package has both.
async function missingParts(folder: string): Promise<Record<string, string>> {
  const env: Record<string, string> = {};
  const libraries = { LD_LIBRARY_PATH: [join(folder, 'lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(':') };
  if (!(await starts(join(folder, 'chromium'), {}))) {
    if (!(await starts(join(folder, 'chromium'), libraries))) {
      throw new Error('The fetched Chromium does not start here. Install Chromium, or name one in CHROMIUM_PATH.');
    }
    Object.assign(env, libraries);
  }
  const hasFonts =
    existsSync('/etc/fonts/fonts.conf') && (existsSync('/usr/share/fonts') || existsSync('/usr/local/share/fonts'));
  if (!hasFonts) {
    const config = join(folder, 'fonts', `perigee-${process.pid}.conf`);
    // The package's own font configuration names folders of the cloud that it was made for.
    await writeFile(
      config,
      `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${join(folder, 'fonts')}</dir>` +
        `<cachedir>${join(folder, 'fonts/cache')}</cachedir></fontconfig>`,
    );
    await rename(config, join(folder, 'fonts/perigee.conf'));
    env.FONTCONFIG_FILE = join(folder, 'fonts/perigee.conf');
  }
  return env;
}

async function starts(executable: string, env: Record<string, string>): Promise<boolean> {
  try {
    await run(executable, ['--version'], { env: { ...process.env, ...env }, timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}

async function systemBrowser(): Promise<string | undefined> {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const candidates = (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)));
  candidates.push(
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  );
  for (const candidate of candidates) if (existsSync(candidate) && (await starts(candidate, {}))) return candidate;
  return undefined;
}

async function npmInstall(folder: string, what: string, task: (name: string) => void): Promise<void> {
  task(`npm install ${what}`);
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  await npm(['install', '--prefix', folder, '--no-save', '--no-package-lock', '--ignore-scripts', what], folder);
}

async function npm(args: string[], cwd: string, env: Record<string, string> = {}): Promise<void> {
  const child = startProcess('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  child.stderr?.on('data', (chunk) => (output += chunk));
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  await endProcess(child);
  if (code !== 0) throw new Error(`npm ${args.join(' ')} ended with ${code}:\n${output.trim()}`);
}

/**
 * Returns the folder `name` under `.vscode-test/`, and calls `fill` if it is missing; or the folder of `place`, which
 * gets one part of the filled folder. An existing folder is always complete, because it is filled elsewhere and then
 * renamed. If several processes ask at once, one fetches and the others wait.
 */
async function fetchOnce(
  name: string,
  label: string,
  fill: (folder: string, task: (name: string) => void) => Promise<void>,
  { folder, part } = { folder: join(store, name), part: '' },
): Promise<string> {
  if (existsSync(folder)) return folder;
  await mkdir(store, { recursive: true });
  const progress = showProgress(`Fetching ${label}`);
  const unlock = await lock(join(store, `${name}.lock`), () => progress.task('waiting for another process'));
  const partial = join(store, `${name}.partial-${process.pid}`);
  try {
    if (!existsSync(folder)) {
      await removeAbandoned(name);
      await mkdir(partial, { recursive: true });
      await fill(partial, progress.task);
      await rename(join(partial, part), folder);
    }
    progress.end('done');
    return folder;
  } catch (error) {
    progress.end('failed');
    throw error;
  } finally {
    await rm(partial, { recursive: true, force: true });
    await unlock();
  }
}

async function removeAbandoned(name: string): Promise<void> {
  for (const entry of await readdir(store)) {
    const [of, pid] = entry.split('.partial-');
    if (of === name && !isAlive(Number(pid))) await rm(join(store, entry), { recursive: true, force: true });
  }
}

// Creating a folder is atomic, so a folder serves as the lock. Its owner file shows whether the owner died without
// unlocking.
async function lock(path: string, onWait: () => void): Promise<() => Promise<void>> {
  const owner = `${hostname()} ${process.pid}`;
  for (;;) {
    const mine = `${path}-${process.pid}`;
    await mkdir(mine, { recursive: true });
    await writeFile(join(mine, 'owner'), owner);
    try {
      // Renaming onto a non-empty folder fails, so this gets the lock with its owner file, or nothing.
      await rename(mine, path);
      return () => rm(path, { recursive: true, force: true });
    } catch {
      await rm(mine, { recursive: true, force: true });
    }
    const [host, pid] = (await readFile(join(path, 'owner'), 'utf8').catch(() => '')).split(' ');
    if (host === hostname() && !isAlive(Number(pid))) await rm(path, { recursive: true, force: true });
    else {
      onWait();
      await wait(500);
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function showProgress(title: string): { task: (name: string) => void; end: (how: string) => void } {
  const began = Date.now();
  const out = process.stderr;
  let current = '';
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
  const show = () => {
    const line = `${title}${current && `: ${current}`} … ${seconds()}`;
    out.write(out.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
  };
  show();
  const ticking = setInterval(show, out.isTTY ? 500 : 10_000);
  ticking.unref();
  return {
    task(name) {
      if (name === current) return;
      current = name;
      show();
    },
    end(how) {
      clearInterval(ticking);
      out.write(`${out.isTTY ? '\r\x1b[K' : ''}${title} … ${how} in ${seconds()}\n`);
    },
  };
}
