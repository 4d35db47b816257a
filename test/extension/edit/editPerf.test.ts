import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { describeWhere } from '../window.ts';
import { block, Scene } from './editModel.ts';

// What is written is judged here; how long it took is told for `npm run bench -- edits`, and judged there.

/** A file that reads like code: names that differ, brackets that don't. */
const code = (length: number) =>
  Array.from({ length }, (_, index) => {
    if (index % 8 === 7) return '}';
    if (index % 8 === 0) return `export function handle${index}(request: Request): Answer {`;
    return `  const value${index} = request.read('${index % 13}') + ${index};`;
  });
/** One for which the editor has no language service: that would work in the same host, and be measured as ours. */
const LANGUAGE = 'go';
/** In characters: one token for the bench, which measures. Where only the text is judged, ten, as one read may bring them. */
const PIECE = process.env.PERIGEE_BY_TOKENS ? 4 : 40;
const isChanged = (index: number) => index % 24 === 3;
const changed = (lines: readonly string[]) =>
  lines.map((line, index) => (isChanged(index) ? line.replace('read', 'readAll') : line));

/** The part of Node in use; a web worker has none of it. */
interface NodeProcess {
  threadCpuUsage?(): { user: number; system: number };
  memoryUsage(): { heapUsed: number };
  getBuiltinModule(name: 'node:v8'): { setFlagsFromString(flags: string): void };
  getBuiltinModule(name: 'node:vm'): { runInNewContext(code: string): () => void };
}
const node = (globalThis as { process?: NodeProcess }).process;
const canMeasure = node?.threadCpuUsage !== undefined;
const noTime = 'only Node tells how long a thread has worked';

/** How long this thread has worked: on a busy machine the clock tells the time of others as well. */
function cpuMs(): number {
  const { user, system } = node!.threadCpuUsage!();
  return (user + system) / 1000;
}

/** After garbage collection, in 10^6 bytes. */
function heapMb(): number {
  node!.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
  node!.getBuiltinModule('node:vm').runInNewContext('gc')();
  return node!.memoryUsage().heapUsed / 1e6;
}

describeWhere(canMeasure, 'the extension host while an answer comes', noTime, function () {
  this.timeout(300_000);
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(() => scene.dispose());

  /**
   * Writes the answer piece by piece, and tells the longest piece of work between two turns of the host's loop, the time
   * from the last token to the review, and what the heap has grown by.
   */
  async function stream(answer: string): Promise<string> {
    const before = heapMb();
    let longestMs = 0;
    const start = cpuMs();
    let last = start;
    let isOver = false;
    const watch = () => {
      const now = cpuMs();
      longestMs = Math.max(longestMs, now - last);
      last = now;
      if (!isOver) setImmediate(watch);
    };
    setImmediate(watch);
    for (let at = 0; at < answer.length; at += PIECE) {
      scene.runs.write(answer.slice(at, at + PIECE));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const written = performance.now();
    scene.runs.done();
    await scene.until(() => scene.edits.running.some(({ phase }) => phase === 'reviewing'));
    const shownMs = performance.now() - written;
    isOver = true;
    const allMs = cpuMs() - start;
    const grownMb = heapMb() - before;
    const told = { 'longest block, ms': longestMs, 'then, ms': shownMs, 'all, ms': allMs, 'kept, MB': grownMb };
    return Object.entries(told)
      .map(([what, value]) => `${what}: ${value.toFixed(2)}`)
      .join('; ');
  }

  function check(lines: readonly string[], hunks: number): void {
    assert.equal(scene.edits.running[0]!.tracked.open.length, hunks);
    assert.equal(scene.text, changed(lines).join('\n'));
  }

  it('takes blocks for a file of 2,000 lines', async function () {
    const lines = code(2_000);
    await scene.open(lines.join('\n'), LANGUAGE);
    await scene.askFile();
    const after = changed(lines);
    const blocks = lines.flatMap((_, index) =>
      isChanged(index)
        ? [block(lines.slice(index - 3, index + 2).join('\n'), after.slice(index - 3, index + 2).join('\n'))]
        : [],
    );
    const told = await stream(blocks.join(''));
    check(lines, blocks.length);
    // A title is what a suite's host prints.
    this.test!.title += ` (${told})`;
  });

  it('takes a file of 2,000 lines that is written anew', async function () {
    const lines = code(2_000);
    await scene.open(lines.join('\n'), LANGUAGE);
    await scene.ask(0, lines.length - 1);
    const told = await stream(`\`\`\`\n${changed(lines).join('\n')}\n\`\`\``);
    check(lines, 84);
    this.test!.title += ` (${told})`;
  });

  it('takes a few lines of a file of 10,000', async function () {
    const lines = code(10_000);
    await scene.open(lines.join('\n'), LANGUAGE);
    await scene.ask(5_000, 5_023);
    const after = [...lines];
    after.splice(5_000, 24, ...changed(lines).slice(5_000, 5_024));
    const told = await stream(`\`\`\`\n${after.slice(5_000, 5_024).join('\n')}\n\`\`\``);
    assert.equal(scene.text, after.join('\n'));
    await vscode.commands.executeCommand('undo');
    assert.equal(scene.text, lines.join('\n'));
    this.test!.title += ` (${told})`;
  });
});
