// The programs of the gateway's measures, each a process of its own: the model service, our server, and the yardstick.
import type { ChildProcess } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BillEntry, ControlOrder } from '../doubles/script.ts';
import { type Backend, startBackend } from '../editor/backend.ts';
import { root } from '../editor/fetch.ts';
import { endProcess, startProcess } from '../editor/processes.ts';
import { CallGateway, type Gateway, MessagesGateway, PerigeeGateway, PlainGateway } from './gateways.ts';

export interface Services {
  upstream: UpstreamProcess;
  /** The yardstick first: it warms up the machine's clock for nobody's advantage. */
  gateways: { plain: Gateway; perigee: PerigeeGateway; calls: Gateway; messages: Gateway };
  /** Where the plain proxy listens, without /v1. */
  plainUrl: string;
  /** Leaders of the process groups. */
  pids: { plain: number; perigee: number };
  stop(): Promise<void>;
}

/** A folder on the disk of the repository, for databases: a temporary one may lie in memory, where durability is free. */
export async function diskFolder(name: string): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = join(root, 'out/bench', `${name}-${process.pid}`);
  await mkdir(folder, { recursive: true });
  return { folder, remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Starts all three, with one guest of our server for each stream up to `guests`. */
export async function startServices(guests: number): Promise<Services> {
  const disk = await diskFolder('server');
  const config = join(disk.folder, 'config.json');
  const plenty = 1_000_000;
  await writeFile(
    config,
    JSON.stringify({
      guests: { messages: plenty, perHour: plenty, perDay: plenty, dailyBudget: plenty },
      limits: {
        guest: { requestsPerMinute: plenty, modelRequestsPerMinute: plenty, tokensPerMinute: plenty * plenty },
      },
    }),
  );
  const stops: (() => Promise<void>)[] = [disk.remove];
  const stop = async () => {
    for (const end of stops.toReversed()) await end();
  };
  try {
    const upstream = await UpstreamProcess.start();
    stops.push(() => upstream.stop());
    const proxy = await startProgram(['test/bench/plainProxy.ts', upstream.url], /^plain proxy: (\S+)/);
    stops.push(() => endProcess(proxy.child));
    const backend: Backend = await startBackend({
      env: { UPSTREAM_URL: upstream.url, PERIGEE_CONFIG: config },
      database: join(disk.folder, 'perigee.db'),
    });
    stops.push(() => backend.stop());
    const perigee = await PerigeeGateway.open(backend.url, guests);
    return {
      upstream,
      gateways: {
        plain: new PlainGateway(proxy.url),
        perigee,
        calls: new CallGateway(perigee),
        messages: new MessagesGateway(perigee),
      },
      plainUrl: proxy.url,
      pids: { plain: proxy.child.pid!, perigee: backend.pid! },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The double of a model service, scripted and read from outside. */
export class UpstreamProcess {
  private constructor(
    /** With /v1. */
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(): Promise<UpstreamProcess> {
    const { url, child } = await startProgram(['test/doubles/upstream.ts'], /^upstream double: (\S+)/);
    return new UpstreamProcess(url, child);
  }

  /** Forgets its bill and answers every request with so many pieces from now on. */
  async answer(pieces: number, everyMs: number): Promise<void> {
    // About as many bytes in an event as the usual services send.
    const usual = { pieces: Array.from({ length: pieces }, (_, i) => `piece ${i} `), everyMs };
    await this.#control('POST', '', { reset: true, usual } satisfies ControlOrder);
    // A reset sets the usual answer back, so it comes first in an order of its own.
    await this.#control('POST', '', { usual } satisfies ControlOrder);
  }

  async bill(): Promise<BillEntry[]> {
    return ((await this.#control('GET', '/bill')) as { bill: BillEntry[] }).bill;
  }

  stop(): Promise<void> {
    return endProcess(this.child);
  }

  async #control(method: string, path: string, order?: ControlOrder): Promise<unknown> {
    const response = await fetch(new URL(`/control${path}`, this.url), { method, body: JSON.stringify(order) });
    if (!response.ok) throw new Error(`the model service's double refused: ${response.status}`);
    return response.json();
  }
}

/** Starts a TypeScript program of the tests; resolves once it says its address. */
async function startProgram(args: string[], says: RegExp): Promise<{ url: string; child: ChildProcess }> {
  const child = startProcess(process.execPath, ['--import', 'tsx', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise<string>((found, fail) => {
    createInterface(child.stdout!).on('line', (line) => {
      const address = says.exec(line)?.[1];
      if (address) found(address);
    });
    child.once('error', fail);
    child.once('exit', (code) => fail(new Error(`${args[0]} ended with ${code}`)));
  });
  return { url, child };
}
