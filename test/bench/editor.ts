// The extension in a real editor: how long its activation takes, and what it adds to the extension host's memory.
import { EventEmitter, once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UpstreamDouble } from '../doubles/upstream.ts';
import { startBackend } from '../editor/backend.ts';
import { root } from '../editor/fetch.ts';
import { temporaryFolder } from '../editor/processes.ts';
import { makeSample } from '../editor/sample.ts';
import { openWorkbench, type Workbench } from '../editor/workbench.ts';
import { type Finding, listed, type Measure, median } from './numbers.ts';

const STARTS = 5;
const mark = '[probe] ';

/** An extension host's memory after garbage collection, in 10^6 bytes. */
interface HostMemory {
  /** Resident. */
  hostMb: number;
  /** JavaScript's part of it. */
  heapMb: number;
}

/** One start of an extension host with one extension. */
interface Start extends HostMemory {
  loadMs: number;
  activateMs: number;
}

export const editor: Measure = {
  name: 'editor',
  about: 'activation and memory of the extension in a real editor',
  async run(say) {
    const sample = await makeSample();
    const upstream = await new UpstreamDouble().start();
    const backend = await startBackend({ env: { UPSTREAM_URL: upstream.url } });
    try {
      const settings = { 'perigee.serverUrl': backend.url };
      const ours = await withEditor({ folder: sample.folder, settings }, async (window, probe) => {
        const starts = await measureStarts(window, probe, { id: 'perigee.perigee', ready: /Perigee/, say });
        return { starts, chatting: await chat(window, probe) };
      });
      const extensionPath = await emptyExtension();
      const empty = await withEditor({ folder: sample.folder, settings, extensionPath }, (window, probe) =>
        measureStarts(window, probe, { id: 'example.nothing', ready: 'nothing here', say }),
      );
      return tell(ours.starts, empty, ours.chatting);
    } finally {
      await backend.stop();
      await upstream.stop();
      await sample.remove();
    }
  },
};

function tell(ours: Start[], empty: Start[], chatting: HostMemory): Finding[] {
  const of = (key: keyof Start, starts = ours) => starts.map((start) => start[key]);
  const emptyMb = median(of('hostMb', empty));
  const whole = (starts: Start[]) => starts.map((start) => start.loadMs + start.activateMs);
  return [
    {
      id: 'activation',
      what: 'activation in the extension host: loading the code and activate()',
      value: median(whole(ours)),
      unit: 'ms',
      goal: { atMost: 20 },
      note: `middle of ${listed(whole(ours), 0)}; loading ${median(of('loadMs'))}, activate() ${median(of('activateMs'))}; an extension that does nothing: ${listed(whole(empty), 0)}`,
    },
    {
      id: 'host-memory',
      what: 'memory of the extension host above an empty host',
      value: median(of('hostMb')) - emptyMb,
      unit: 'MB',
      goal: { atMost: 15 },
      note: `resident, after garbage collection: ${listed(of('hostMb'))} above ${listed(of('hostMb', empty))}; JavaScript's part ${(median(of('heapMb')) - median(of('heapMb', empty))).toFixed(1)}`,
    },
    {
      id: 'host-memory-chat',
      what: 'the same with the chat open and an answer in it',
      value: chatting.hostMb - emptyMb,
      unit: 'MB',
      note: `JavaScript's part: ${(chatting.heapMb - median(of('heapMb', empty))).toFixed(1)}`,
    },
  ];
}

async function withEditor<T>(
  options: { folder: string; settings: Record<string, unknown>; extensionPath?: string },
  use: (window: Workbench, probe: HostProbe) => Promise<T>,
): Promise<T> {
  const probe = new HostProbe();
  const window = await openWorkbench({
    ...options,
    testsPath: join(root, 'test/bench/hostProbe.cjs'),
    onTestOutput: (line) => probe.hear(line),
  });
  try {
    return await use(window, probe);
  } finally {
    await window.close();
  }
}

interface HostState {
  /** In bytes. */
  memory: NodeJS.MemoryUsage;
  activations: Record<string, { loadMs: number; activateMs: number }>;
}

/** Our ear in the extension host: see hostProbe.cjs. */
class HostProbe {
  readonly #heard = new EventEmitter();
  #pid: number | undefined;

  hear(line: string): void {
    if (!line.startsWith(mark)) return;
    const message = JSON.parse(line.slice(mark.length)) as { type: string; pid?: number };
    if (message.pid) this.#pid = message.pid;
    this.#heard.emit(message.type, message);
  }

  /** To be called before the window is reloaded: the next host is another process. */
  forget(): void {
    this.#pid = undefined;
  }

  /** Once two readings of the memory in a row agree: what a start leaves behind is freed bit by bit. */
  async settled(): Promise<HostState & HostMemory> {
    if (this.#pid === undefined) await once(this.#heard, 'host');
    const pid = this.#pid!;
    let before = Number.POSITIVE_INFINITY;
    for (let reading = 1; ; reading++) {
      const heard = once(this.#heard, 'state');
      process.kill(pid, 'SIGUSR2');
      const [state] = (await heard) as [HostState];
      const hostMb = state.memory.rss / 1e6;
      if (Math.abs(before - hostMb) < 0.3 || reading === 12)
        return { ...state, hostMb, heapMb: state.memory.heapUsed / 1e6 };
      before = hostMb;
    }
  }
}

/** Reloads the window again and again: each time an extension host of its own. The first start warms the disk's cache. */
async function measureStarts(
  window: Workbench,
  probe: HostProbe,
  { id, ready, say }: { id: string; ready: RegExp | string; say: (line: string) => void },
): Promise<Start[]> {
  const starts: Start[] = [];
  for (let i = 0; i <= STARTS; i++) {
    if (i > 0) {
      probe.forget();
      await window.reload();
    }
    await window.statusBarItem(ready).first().waitFor();
    const { hostMb, heapMb, activations } = await probe.settled();
    const times = activations[id];
    if (!times) throw new Error(`The editor has no activation times of ${id}.`);
    const { loadMs, activateMs } = times;
    say(
      `${id}: loaded in ${loadMs} ms, activated in ${activateMs} ms, ${hostMb.toFixed(1)} MB, ${heapMb.toFixed(1)} of it JavaScript`,
    );
    if (i > 0) starts.push({ loadMs, activateMs, hostMb, heapMb });
  }
  return starts;
}

/** Opens the chat and has one answer written. */
async function chat(window: Workbench, probe: HostProbe): Promise<HostMemory> {
  await window.runCommand('Perigee: Open Chat');
  const view = window.webview();
  const composer = view.getByLabel('Message', { exact: true }).getByRole('textbox');
  await composer.fill('Hello');
  await composer.press('Enter');
  await view.getByRole('article', { name: 'Answer' }).and(view.locator('[aria-busy="false"]')).first().waitFor();
  return probe.settled();
}

/** An extension that does nothing but say so in the status bar: so that an empty host, too, is measured once it is up. */
async function emptyExtension(): Promise<string> {
  const folder = await temporaryFolder('perigee-nothing-');
  const manifest = {
    name: 'nothing',
    publisher: 'example',
    version: '0.0.1',
    engines: { vscode: '^1.104.0' },
    main: './main.cjs',
    activationEvents: ['onStartupFinished'],
  };
  const code = `
    const vscode = require('vscode');
    exports.activate = (context) => {
      const item = vscode.window.createStatusBarItem('nothing', vscode.StatusBarAlignment.Left);
      item.text = 'nothing here';
      item.show();
      context.subscriptions.push(item);
    };`;
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  await writeFile(join(folder, 'main.cjs'), code);
  return folder;
}
