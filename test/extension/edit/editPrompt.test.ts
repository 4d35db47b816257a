import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { sampleFile } from '../window.ts';
import { filesOf, Scene, selectionOf } from './editModel.ts';

const before = 'one\ntwo\nthree\nfour\n';

describe('the prompt of an edit', () => {
  let scene: Scene;
  /** Those that were opened, newest last. */
  const picks: vscode.QuickPick<vscode.QuickPickItem>[] = [];
  const { createQuickPick } = vscode.window;
  const replace = (of: object, name: string, value: PropertyDescriptor) =>
    Object.defineProperty(of, name, { ...value, configurable: true });

  beforeEach(() => {
    scene = new Scene();
    replace(vscode.window, 'createQuickPick', {
      value: () => {
        const pick = createQuickPick();
        picks.push(pick);
        return pick;
      },
    });
  });
  afterEach(async () => {
    replace(vscode.window, 'createQuickPick', { value: createQuickPick });
    await scene.dispose();
  });

  /** Presses Enter in the boxes until a request is sent: nothing tells when one is on the screen. */
  async function enter(): Promise<void> {
    while (scene.runs.requests.length === 0) {
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
    }
  }

  it('gets the keys that come before it is there, and the lines get back what they were typed over', async () => {
    await scene.open(before);
    const selection = new vscode.Selection(1, 0, 2, 5);
    scene.editor.selection = selection;
    void scene.edits.editSelection();
    await scene.editor.edit((edit) => edit.replace(selection, 's'));
    await scene.shows(before);
    await enter();
    const { instruction, selection: sent } = selectionOf(scene.runs.requests[0]!);
    assert.deepEqual([instruction, sent.text], ['s', 'two\nthree']);
    assert.equal(scene.text, before);
    scene.edits.stopEdit();
    await scene.idle();
  });

  it('says which instructions go along', async () => {
    const named = (path: string) => ({ path, text: 'Be brief.' });
    scene.guide = () => [named('AGENTS.md'), named('.github/copilot-instructions.md')];
    await scene.open(before);
    const count = picks.length;
    const edits = [() => scene.edits.editSelection(), () => scene.edits.editFile()];
    for (const [at, edit] of edits.entries()) {
      const over = edit();
      const pick = picks[count + at]!;
      while (!/ · with AGENTS\.md and 1 more$/.test(pick.title ?? '')) await new Promise((done) => setTimeout(done));
      pick.hide();
      await over;
    }
  });

  it('lets everything be that others change', async () => {
    await scene.open(before);
    scene.editor.selection = new vscode.Selection(1, 0, 2, 5);
    void scene.edits.editSelection();
    await scene.editor.edit((edit) => edit.insert(new vscode.Position(4, 0), 'five\n'));
    picks.at(-1)!.value = 'upper case';
    await enter();
    assert.equal(scene.text, `${before}five\n`);
    assert.equal(selectionOf(scene.runs.requests[0]!).instruction, 'upper case');
    scene.edits.stopEdit();
    await scene.idle();
  });

  it('keeps what was typed and not sent among the earlier requests, also where the edit is refused', async () => {
    const question = scene.prompt.open('Edit a.ts', { typed: 'Wait between the tries' });
    question.close();
    assert.equal(await question.answer, undefined);
    assert.deepEqual(scene.prompt.history, ['Wait between the tries']);
    await scene.open('x'.repeat(1_000_001));
    const large = scene.prompt.openForSelection()!;
    picks.at(-1)!.value = 'Make it shorter';
    await scene.edits.editSelection(large);
    await scene.messages.next(/More than 1 MB/);
    assert.equal(await large.answer, undefined);
    assert.equal(scene.prompt.history[0], 'Make it shorter');
  });

  it('of a workspace takes words that were typed into the list of files for the instruction', async () => {
    await scene.open(before);
    const file = sampleFile('src/client.ts');
    scene.editor = await vscode.window.showTextDocument(file);
    void scene.edits.editWorkspace();
    picks.at(-1)!.value = 'Wait between the tries';
    await enter();
    const { instruction, files } = filesOf(scene.runs.requests[0]!);
    assert.equal(instruction, 'Wait between the tries');
    assert.deepEqual(
      files.map(({ path }) => path),
      ['src/client.ts'],
    );
  });

  it('is not asked without a folder: the way to open one is offered', async () => {
    const folders = Object.getOwnPropertyDescriptor(vscode.workspace, 'workspaceFolders')!;
    const opened: string[] = [];
    const { executeCommand } = vscode.commands;
    replace(vscode.workspace, 'workspaceFolders', { get: () => undefined });
    replace(vscode.commands, 'executeCommand', { value: async (name: string) => void opened.push(name) });
    try {
      scene.messages.press('Open Folder…');
      await scene.edits.editWorkspace();
    } finally {
      replace(vscode.commands, 'executeCommand', { value: executeCommand });
      replace(vscode.workspace, 'workspaceFolders', folders);
    }
    const told = await scene.messages.next(/^Open a folder first/);
    assert.deepEqual(scene.messages.modal, [told]);
    assert.deepEqual(opened, ['vscode.openFolder']);
  });
});
