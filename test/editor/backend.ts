// The real, built backend as a separate process, on a free port, with a database of its own.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { root } from './fetch.ts';
import { endProcess, killGroup, startProcess, temporaryFolder } from './processes.ts';

export const backendProgram = join(root, 'dist/server/main.js');
const adminProgram = join(root, 'dist/server/admin.js');
const execute = promisify(execFile);

export interface BackendOptions {
  /** More environment settings, such as UPSTREAM_URL; without that one, the demo model answers. */
  env?: Record<string, string | undefined>;
  /** 0 (any free port) by default. */
  port?: number;
  /** The SQLite file; one in a temporary folder by default. Not used when `env` names a DATABASE_URL. */
  database?: string;
  /** Called with each line that the backend logs. */
  onOutput?: (line: string) => void;
}

/**
 * Starts the backend and waits until it is ready. If it ends before that, rejects with its output.
 *
 *     const backend = await startBackend({ env: { UPSTREAM_URL: upstream.url } });
 *     backend.kill(); await backend.start();     // kill -9 during an answer, then restart at the same address
 *     await backend.stop();
 */
export async function startBackend(options: BackendOptions = {}): Promise<Backend> {
  if (!existsSync(backendProgram)) throw new Error('The backend is not built: run "npm run build".');
  const home = await temporaryFolder('perigee-backend-');
  const backend = new Backend(options, home);
  try {
    await backend.start();
  } catch (error) {
    await backend.stop();
    throw error;
  }
  return backend;
}

export class Backend {
  #child: ReturnType<typeof startProcess> | undefined;
  #port: number;
  #printed = '';

  constructor(
    readonly options: BackendOptions,
    readonly home: string,
  ) {
    this.#port = options.port ?? 0;
  }

  /** `http://127.0.0.1:PORT`, or with the HOST that `env` names. A restart keeps it. */
  get url(): string {
    return `http://${this.options.env?.HOST ?? '127.0.0.1'}:${this.#port}`;
  }

  /** Of the process that runs now; it leads a process group of its own. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The end of its log (100 KB at most). */
  get log(): string {
    return this.#printed;
  }

  get #env(): NodeJS.ProcessEnv {
    return {
      ...withoutSettings(process.env),
      HOST: '127.0.0.1',
      PORT: String(this.#port),
      DATABASE_URL: `sqlite:${this.options.database ?? join(this.home, 'perigee.db')}`,
      ...this.options.env,
    };
  }

  /** What the operator's command prints, on this backend's database. Rejects when it fails. */
  async admin(...args: string[]): Promise<string> {
    const { stdout } = await execute(process.execPath, [adminProgram, ...args], { cwd: this.home, env: this.#env });
    return stdout;
  }

  async start(): Promise<void> {
    const child = startProcess(process.execPath, [backendProgram], {
      cwd: this.home,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const port = await new Promise<number>((found, fail) => {
      const read = (line: string) => {
        this.#printed = `${this.#printed}${line}\n`.slice(-100_000);
        this.options.onOutput?.(line);
        const address = /^\{.*"url":"http:[^"]*:(\d+)".*listening/.exec(line);
        if (address) found(Number(address[1]));
      };
      createInterface(child.stdout!).on('line', read);
      createInterface(child.stderr!).on('line', read);
      child.once('error', fail);
      child.once('exit', (code) => fail(new Error(`The backend ended with ${code}:\n${this.#printed}`)));
    });
    this.#port = port;
    await untilReady(this.url);
  }

  /** Sends SIGKILL, like a crash or a power cut. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const gone = new Promise((done) => child.once('exit', done));
    killGroup(child);
    await gone;
    this.#child = undefined;
  }

  /** Sends SIGTERM, waits up to 15 s for running answers, then deletes its data. */
  async stop(): Promise<void> {
    if (this.#child) await endProcess(this.#child, 15_000);
    this.#child = undefined;
    await rm(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Polls /readyz until it answers 200. Rejects after `timeoutMs`. */
export async function untilReady(url: string, timeoutMs = 30_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      const answer = await fetch(`${url}/readyz`);
      await answer.arrayBuffer();
      if (answer.ok) return;
    } catch {
      // The backend is not listening yet.
    }
    if (Date.now() > deadline) throw new Error(`${url}/readyz did not become ready within ${timeoutMs / 1000} s.`);
    await new Promise((again) => setTimeout(again, 100));
  }
}

// The tester's own settings must not reach the backend under test.
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const settings =
    /^(UPSTREAM_|PERIGEE_|PUBLIC_URL$|TRUSTED_PROXIES$|CORS_ORIGINS$|SECRET$|DEMO$|METRICS_TOKEN$|LOG_LEVEL$|(https?|all|no)_proxy$)/i;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !settings.test(name)));
}
