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

/** One start of the extension host. Times in ms by the editor's own clock, memory in MB after garbage collection. */
interface Start {
  loadMs: number;
  callMs: number;
  finishMs: number;
  hostMb: number;
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
        return { starts, chattingMb: await chat(window, probe) };
      });
      const extensionPath = await emptyExtension();
      const empty = await withEditor({ folder: sample.folder, settings, extensionPath }, (window, probe) =>
        measureStarts(window, probe, { id: 'example.nothing', ready: 'nothing here', say }),
      );
      return tell(ours.starts, empty, ours.chattingMb);
    } finally {
      await backend.stop();
      await upstream.stop();
      await sample.remove();
    }
  },
};

function tell(ours: Start[], empty: Start[], chattingMb: number): Finding[] {
  const of = (key: keyof Start, starts = ours) => starts.map((start) => start[key]);
  const emptyMb = median(of('hostMb', empty));
  const whole = ours.map((start) => start.loadMs + start.callMs + start.finishMs);
  return [
    {
      id: 'activation',
      what: 'activation in the extension host, code loading included',
      value: median(whole),
      unit: 'ms',
      goal: { atMost: 20 },
      note: `middle of ${listed(whole, 0)}; loading ${median(of('loadMs'))}, activate() ${median(of('callMs'))}; an extension that does nothing: ${listed(of('loadMs', empty), 0)}`,
    },
    {
      id: 'host-memory',
      what: 'memory of the extension host above an empty host',
      value: median(of('hostMb')) - emptyMb,
      unit: 'MB',
      goal: { atMost: 15 },
      note: `resident, after garbage collection: ${listed(of('hostMb'))} above ${listed(of('hostMb', empty))}`,
    },
    {
      id: 'host-memory-chat',
      what: 'the same with the chat open and an answer in it',
      value: chattingMb - emptyMb,
      unit: 'MB',
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
    // The table of activation times stands far down in a long text, and only lines on screen can be read.
    viewport: { width: 1280, height: 3600 },
    testsPath: join(root, 'test/bench/hostProbe.cjs'),
    onTestOutput: (line) => probe.hear(line),
  });
  try {
    return await use(window, probe);
  } finally {
    await window.close();
  }
}

/** Our ear in the extension host: see hostProbe.cjs. */
class HostProbe {
  readonly #heard = new EventEmitter();
  #pid: number | undefined;

  hear(line: string): void {
    const [, what, value] = /^\[probe\] (\w+) (\d+)/.exec(line) ?? [];
    if (!what) return;
    if (what === 'host') this.#pid = Number(value);
    this.#heard.emit(what, Number(value));
  }

  /** To be called before the window is reloaded: the next host is another process. */
  forget(): void {
    this.#pid = undefined;
  }

  /**
   * The host's resident memory in MB (10^6 bytes) after garbage collection, once two readings in a row agree: what a
   * start leaves behind is freed bit by bit.
   */
  async residentMb(): Promise<number> {
    if (this.#pid === undefined) await once(this.#heard, 'host');
    const pid = this.#pid!;
    let before = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 12; i++) {
      const heard = once(this.#heard, 'resident');
      process.kill(pid, 'SIGUSR2');
      const mb = ((await heard)[0] as number) / 1e6;
      if (Math.abs(before - mb) < 0.3) return mb;
      before = mb;
    }
    return before;
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
    const hostMb = await probe.residentMb();
    const start = { ...(await activationTimes(window, id)), hostMb };
    say(
      `${id}: loaded in ${start.loadMs}, activated in ${start.callMs} + ${start.finishMs} ms, ${hostMb.toFixed(1)} MB`,
    );
    if (i > 0) starts.push(start);
  }
  return starts;
}

/** What "Developer: Startup Performance" says of an extension, in ms. */
async function activationTimes(window: Workbench, id: string): Promise<Omit<Start, 'hostMb'>> {
  await window.runCommand('Developer: Startup Performance');
  await window.page.locator('.view-line', { hasText: id }).first().waitFor();
  const row = (await window.editorText()).split('\n').find((line) => line.includes(id));
  const [, , loadMs, callMs, finishMs] = (row ?? '')
    .split('|')
    .map((cell) => cell.trim())
    .slice(1);
  const times = { loadMs: Number(loadMs), callMs: Number(callMs), finishMs: Number(finishMs) };
  if (!Object.values(times).every(Number.isFinite)) throw new Error(`No activation times in this row: ${row}`);
  return times;
}

/** Opens the chat and has one answer written. */
async function chat(window: Workbench, probe: HostProbe): Promise<number> {
  await window.runCommand('Perigee: Open Chat');
  const view = window.webview();
  const composer = view.getByLabel('Message', { exact: true }).getByRole('textbox');
  await composer.fill('Hello');
  await composer.press('Enter');
  await view.getByRole('article', { name: 'Answer' }).and(view.locator('[aria-busy="false"]')).first().waitFor();
  return probe.residentMb();
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
