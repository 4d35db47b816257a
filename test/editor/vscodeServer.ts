// VS Code's server: starts it, and gives it settings and extensions.
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { fetchEditor, root } from './fetch.ts';
import { endProcess, killGroup, startProcess } from './processes.ts';

const run = promisify(execFile);

export interface ServerOptions {
  /** The folder of the server's data, settings and extensions. */
  dataFolder: string;
  /** 0 (any free port) by default. */
  port?: number;
  /** More environment variables for the server and its extension host. */
  env?: Record<string, string | undefined>;
  /** The token that a page needs; none by default, which is only for tests. */
  token?: string;
  /** Whether the page may load an extension under development and run tests. Never for users. */
  automated?: boolean;
  /** Called with each line the server prints. */
  onOutput?: (line: string) => void;
}

export interface Server {
  /** `http://127.0.0.1:PORT` */
  url: string;
  /** Resolves or rejects when the server ends, by itself or by `stop`. */
  ended: Promise<void>;
  stop(): Promise<void>;
  /** Sends SIGKILL to the server and everything it started. */
  kill(): void;
}

/** Starts VS Code's server; resolves once it listens. If it ends before that, rejects with its output. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { node, vscode } = await fetchEditor();
  // In a file, because every user of the machine can see command line arguments.
  const tokenFile = options.token && join(options.dataFolder, 'token');
  if (tokenFile) await writeFile(tokenFile, options.token ?? '', { mode: 0o600 });
  const args = [
    ...['--require', join(root, 'test/editor/mintKey.cjs')],
    join(vscode, 'out/server-main.js'),
    ...['--host', '127.0.0.1', '--port', String(options.port ?? 0)],
    ...(tokenFile ? ['--connection-token-file', tokenFile] : ['--without-connection-token']),
    ...['--server-data-dir', options.dataFolder, '--accept-server-license-terms'],
    ...['--disable-workspace-trust', '--disable-telemetry'],
    // If this process is killed, the server ends itself once no window has been open for a while.
    ...(options.automated ? ['--enable-smoke-test-driver', '--enable-remote-auto-shutdown'] : []),
  ];
  const child = startProcess(node, args, {
    cwd: options.dataFolder,
    // By default, code-server opens addresses of this machine through its own proxy, which is not started here.
    env: { ...withoutEditor(process.env), VSCODE_PROXY_URI: '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  const port = await new Promise<number>((found, fail) => {
    let printed = '';
    const read = (line: string) => {
      printed += `${line}\n`;
      options.onOutput?.(line);
      if (printed.length > 100_000) printed = printed.slice(-50_000);
      const listening = /Extension host agent listening on (\d+)/.exec(line);
      if (listening) found(Number(listening[1]));
    };
    createInterface(child.stdout!).on('line', read);
    createInterface(child.stderr!).on('line', read);
    child.once('error', fail);
    child.once('exit', (code) => fail(new Error(`The VS Code server ended with ${code}:\n${printed}`)));
  });
  return { url: `http://127.0.0.1:${port}`, ended, stop: () => endProcess(child), kill: () => killGroup(child) };
}

// In a terminal inside VS Code, our server would mistake these variables for its own.
function withoutEditor(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.startsWith('VSCODE_') && name !== 'ELECTRON_RUN_AS_NODE'),
  );
}

/** Installs a VSIX into a server's data folder, like "Install from VSIX". Rejects with the editor's output. */
export async function installExtension(vsix: string, dataFolder: string): Promise<void> {
  const { node, vscode } = await fetchEditor();
  const args = [join(vscode, 'out/server-main.js'), '--install-extension', vsix, '--server-data-dir', dataFolder];
  const { stdout, stderr } = await run(node, args, { cwd: dataFolder, env: withoutEditor(process.env) });
  // The exit code is 0 even if the editor refused.
  if (!/successfully installed/.test(stdout)) throw new Error(`${vsix} was not installed:\n${stdout}${stderr}`);
}

// Turns off what would cover, move or distract in tests and pictures. VS Code's own chat is hidden.
const quiet = {
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'git.openRepositoryInParentFolders': 'never',
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'window.confirmBeforeClose': 'never',
  // On a busy machine a browser takes the Alt of a chord for itself, and a menu opens that keeps all other keys.
  'window.customMenuBarAltFocus': false,
  'window.enableMenuBarMnemonics': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

/** Writes the user settings into a data folder (by default a server's): quiet defaults, plus the given ones. */
export async function writeSettings(
  dataFolder: string,
  settings: Record<string, unknown>,
  user = 'data/User',
): Promise<void> {
  const folder = join(dataFolder, user);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'settings.json'), JSON.stringify({ ...quiet, ...settings }, null, 2));
}
