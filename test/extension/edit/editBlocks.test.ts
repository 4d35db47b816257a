import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { Undecided } from '../../../extension/edit/apply/undecided.ts';
import { planBlocks, readCode } from '../../../extension/edit/changes/applyBlocks.ts';
import { block, Scene } from './editModel.ts';

const before = `${Array.from({ length: 12 }, (_, index) => `line ${index + 1}`).join('\n')}\n`;

describe('the blocks of an answer, in review', () => {
  let scene: Scene;
  let undecided: Undecided;
  const source = { title: 'Answer', runId: 'the run', block: '' };
  beforeEach(async () => {
    scene = new Scene();
    const none = new vscode.EventEmitter<void>();
    undecided = new Undecided(scene.edits.reviews, { proposals: [], onDidChange: none.event });
    await scene.open(before);
  });
  afterEach(() => scene.dispose());

  /** Puts the named blocks, each of some lines, into review. */
  async function review(blocks: Record<string, number[]>, from = source): Promise<number> {
    const edits = Object.entries(blocks).flatMap(([name, numbers]) => {
      const text = numbers.map((number) => block(`line ${number}`, `LINE ${number}`)).join('\n');
      return readCode(text, 'txt', 'a.txt').edits.map((edit) => ({ ...edit, block: name }));
    });
    const [plan] = planBlocks(edits, () => scene.text);
    assert.ok(plan?.kind === 'update', JSON.stringify(plan));
    assert.ok(await scene.edits.review(scene.document, plan, from), scene.messages.told.join());
    return scene.edits.running.at(-1)!.id;
  }
  const waiting = () => undecided.list().flatMap(({ blocks }) => blocks);

  it('wait as long as one of their hunks is open, and are kept with what was accepted of them', async () => {
    const id = await review({ one: [2], two: [5, 8], three: [11] });
    assert.deepEqual(waiting(), ['one', 'two', 'three']);
    await scene.edits.reviews.acceptHunk({ review: id, hunk: 1 });
    await scene.edits.reviews.acceptHunk({ review: id, hunk: 2 });
    assert.deepEqual(waiting(), ['two', 'three']);
    await scene.edits.reviews.rejectHunk({ review: id, hunk: 3 });
    await scene.edits.reviews.rejectHunk({ review: id, hunk: 4 });
    await scene.idle();
    assert.deepEqual(waiting(), []);
    await scene.until(() => scene.accepted.length === 1);
    const { blocks, partly } = scene.accepted[0]!.files[0]!;
    assert.deepEqual([blocks, partly], [['one', 'two'], ['two']]);
    // The rejection is undone: what was rejected is to be decided about again, and nothing else.
    await vscode.commands.executeCommand('undo');
    assert.deepEqual(waiting(), ['three']);
  });

  it('are counted together above the hunks of one file, whichever came first', async () => {
    await review({ late: [9] }, { ...source, block: 'late' });
    await review({ early: [3] }, { ...source, block: 'early' });
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
      'vscode.executeCodeLensProvider',
      scene.document.uri,
      20,
    );
    const titles = lenses.flatMap(({ command }) => (command?.title.startsWith('Perigee: hunk') ? [command.title] : []));
    assert.deepEqual(titles.sort(), ['Perigee: hunk 1 of 2', 'Perigee: hunk 2 of 2']);
    const at = (line: number) => lenses.find((lens) => lens.range.start.line === line)?.command?.title;
    assert.deepEqual([at(2), at(8)], ['Perigee: hunk 1 of 2', 'Perigee: hunk 2 of 2']);
  });
});
