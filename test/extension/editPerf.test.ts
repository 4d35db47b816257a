import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { block, Scene } from './editModel.ts';
import { describeWhere } from './window.ts';

/** What the extension host may be blocked for at a time, so that nobody feels it: a frame. */
const FRAME_MS = 16;

/** A file that reads like code: names that differ, brackets that don't. */
const code = (length: number) =>
  Array.from({ length }, (_, index) => {
    if (index % 8 === 7) return '}';
    if (index % 8 === 0) return `export function handle${index}(request: Request): Answer {`;
    return `  const value${index} = request.read('${index % 13}') + ${index};`;
  });
const isChanged = (index: number) => index % 24 === 3;
const changed = (lines: readonly string[]) =>
  lines.map((line, index) => (isChanged(index) ? line.replace('read', 'readAll') : line));

/** Only where Node tells the time that this thread worked: on a busy machine the clock tells that of others as well. */
const usage = (globalThis as { process?: { threadCpuUsage?(): { user: number; system: number } } }).process;
const canMeasure = usage?.threadCpuUsage !== undefined;
const noTime = 'only Node tells how long a thread has worked';
const cpuMs = () => {
  const { user, system } = usage!.threadCpuUsage!();
  return (user + system) / 1000;
};

describeWhere(canMeasure, 'the extension host while an answer comes', noTime, function () {
  this.timeout(120_000);
  let scene: Scene;
  /** What was measured, for the report. */
  let told = '';
  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(() => scene.dispose());

  /** Writes the answer token by token, and measures the longest piece of work between two turns of the host's loop. */
  async function stream(answer: string): Promise<number> {
    let longest = 0;
    const start = cpuMs();
    let last = start;
    let isOver = false;
    const watch = () => {
      const now = cpuMs();
      longest = Math.max(longest, now - last);
      last = now;
      if (!isOver) setImmediate(watch);
    };
    setImmediate(watch);
    for (let at = 0; at < answer.length; at += 4) {
      scene.runs.write(answer.slice(at, at + 4));
      await new Promise((resolve) => setImmediate(resolve));
    }
    scene.runs.done();
    await scene.until(() => scene.edits.running.some(({ phase }) => phase === 'reviewing'));
    isOver = true;
    told = ` (longest block ${longest.toFixed(1)} ms, ${Math.round(cpuMs() - start)} ms in all)`;
    return longest;
  }

  async function check(lines: readonly string[], answer: string, hunks: number): Promise<void> {
    const longest = await stream(answer);
    assert.equal(scene.edits.running[0]!.tracked.open.length, hunks);
    assert.equal(scene.text, changed(lines).join('\n'));
    // Twice a frame, for what the garbage collector adds.
    assert.ok(longest < 2 * FRAME_MS, `${longest} ms`);
  }

  it('is never blocked by blocks for a file of 2,000 lines', async function () {
    const lines = code(2_000);
    await scene.open(lines.join('\n'), 'typescript');
    await scene.askFile();
    const after = changed(lines);
    const blocks = lines.flatMap((_, index) =>
      isChanged(index)
        ? [block(lines.slice(index - 3, index + 2).join('\n'), after.slice(index - 3, index + 2).join('\n'))]
        : [],
    );
    await check(lines, blocks.join(''), blocks.length);
    this.test!.title += told;
  });

  it('is never blocked by a file of 2,000 lines that is written anew', async function () {
    const lines = code(2_000);
    await scene.open(lines.join('\n'), 'typescript');
    await scene.ask(0, lines.length - 1);
    await check(lines, `\`\`\`\n${changed(lines).join('\n')}\n\`\`\``, 84);
    this.test!.title += told;
  });

  it('is never blocked by a few lines of a file of 10,000', async function () {
    const lines = code(10_000);
    await scene.open(lines.join('\n'), 'typescript');
    await scene.ask(5_000, 5_023);
    const after = [...lines];
    after.splice(5_000, 24, ...changed(lines).slice(5_000, 5_024));
    const longest = await stream(`\`\`\`\n${after.slice(5_000, 5_024).join('\n')}\n\`\`\``);
    assert.equal(scene.text, after.join('\n'));
    assert.ok(longest < 2 * FRAME_MS, `${longest} ms`);
    await vscode.commands.executeCommand('undo');
    assert.equal(scene.text, lines.join('\n'));
    this.test!.title += told;
  });
});
