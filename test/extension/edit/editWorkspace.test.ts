import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { sampleFile } from '../window.ts';
import { block, filesOf, repairOf, Scene } from './editModel.ts';

const one = 'one 1\none 2\none 3\n';
const two = 'two 1\ntwo 2\ntwo 3\n';

describe('Edit in Workspace', () => {
  let scene: Scene;
  let files: vscode.Uri[];
  beforeEach(async () => {
    scene = new Scene();
    files = [sampleFile('work/one.txt'), sampleFile('work/two.txt')];
    await Promise.all(
      [one, two].map((text, index) => vscode.workspace.fs.writeFile(files[index]!, new TextEncoder().encode(text))),
    );
  });
  afterEach(async () => {
    await scene.dispose();
    await vscode.workspace.fs.delete(sampleFile('work'), { recursive: true });
  });

  const textOf = async (uri: vscode.Uri) => new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
  const kinds = () => scene.proposed.at(-1)?.plans.map((plan) => `${plan.kind} ${plan.path}`);

  /** Asks for an edit of both files. Returns once the model has been asked. */
  async function ask(chosen = files, instruction = 'do it'): Promise<void> {
    const before = scene.runs.requests.length;
    void scene.edits.editWorkspace({ files: chosen, instruction, title: 'Edit 2 files', paths: ['other.txt'] });
    await scene.until(() => scene.runs.requests.length > before);
  }

  it('sends the files as they stand in the editor, and names others', async () => {
    scene.editor = await vscode.window.showTextDocument(files[0]!);
    await scene.editor.edit((builder) => builder.insert(new vscode.Position(0, 0), 'unsaved '));
    await ask();
    assert.deepEqual(filesOf(scene.runs.requests[0]!), {
      instruction: 'do it',
      files: [
        { path: 'work/one.txt', languageId: 'plaintext', text: `unsaved ${one}` },
        { path: 'work/two.txt', languageId: 'txt', text: two },
      ],
      paths: ['other.txt'],
    });
  });

  it('is called by what was asked for, and ready-made requests by their own titles', async () => {
    const instruction = 'Rename one to ONE\nin all files';
    for (const [title, told] of [
      [undefined, 'Rename one to ONE'],
      ['Write Tests', 'Write Tests'],
    ] as const) {
      const before = [scene.runs.requests.length, scene.proposed.length] as const;
      void scene.edits.editWorkspace({ files, instruction, title, paths: [] });
      await scene.until(() => scene.runs.requests.length > before[0]);
      scene.runs.write(block('one 2', 'ONE 2', 'work/one.txt') + block('', 'brand new', 'work/new.txt'));
      scene.runs.done();
      await scene.until(() => scene.proposed.length > before[1] && scene.proposed.at(-1)!.finished);
      assert.equal(scene.proposed.at(-1)!.source.title, told);
    }
  });

  it('offers changes of several files as they come, new, moved and deleted ones too, and touches none', async () => {
    await ask();
    scene.runs.write(block('one 2', 'ONE 2', 'work/one.txt'));
    scene.runs.write(block('', 'brand new', 'work/new.txt'));
    await scene.until(() => kinds()?.length === 2);
    assert.equal(scene.proposed[0]!.finished, false);
    scene.runs.write('*** Begin Patch\n*** Delete File: work/two.txt\n*** End Patch\n');
    scene.runs.done();
    await scene.until(() => scene.proposed[0]!.finished);
    assert.deepEqual(kinds(), ['update work/one.txt', 'create work/new.txt', 'delete work/two.txt']);
    assert.equal(await textOf(files[0]!), one);
    assert.equal(await textOf(files[1]!), two);
    const [proposed] = scene.proposed;
    assert.equal(proposed!.source.runId, scene.runs.requests[0]!.id);
    await scene.until(() => scene.runs.outcomes.length === 1);
    assert.deepEqual(scene.runs.outcomes, [{ applied: 3, refused: 0 }]);
  });

  it('says of an answer that ended at its length limit that more may be missing, of many files and of one', async () => {
    const limit = 'The answer ended at its length limit; more changes may be missing. Charged 1 credit.';
    await ask();
    scene.runs.write(block('one 2', 'ONE 2', 'work/one.txt') + block('two 2', 'TWO 2', 'work/two.txt'));
    scene.runs.cut();
    assert.equal(await scene.messages.next(/length limit/), limit);
    assert.deepEqual(kinds(), ['update work/one.txt', 'update work/two.txt']);
    await ask();
    scene.runs.write(block('one 3', 'ONE 3', 'work/one.txt'));
    scene.runs.cut();
    assert.equal(await scene.messages.next(/length limit/), limit);
    await scene.reviewed(1);
  });

  it('reviews in the editor what changes one file alone', async () => {
    await ask();
    scene.runs.write(block('one 2', 'ONE 2', 'work/one.txt') + block('one 3', 'ONE 3', './work/one.txt'));
    scene.runs.done();
    await scene.reviewed(2);
    assert.equal(scene.proposed.length, 0);
    assert.equal(vscode.window.activeTextEditor?.document.uri.toString(), files[0]!.toString());
    assert.equal(vscode.window.activeTextEditor?.document.getText(), 'one 1\nONE 2\nONE 3\n');
    await scene.until(() => scene.runs.outcomes.length === 1);
    assert.deepEqual(scene.runs.outcomes, [{ applied: 2, refused: 0 }]);
  });

  it('makes a new file where it is named, though another folder has one of that name', async () => {
    await ask();
    scene.runs.write(block('one 2', 'ONE 2', 'work/one.txt') + block('', 'brand new', 'one.txt'));
    scene.runs.write('*** Begin Patch\n*** Add File: two.txt\n+brand new\n*** End Patch\n');
    scene.runs.done();
    await scene.until(() => scene.proposed[0]?.finished === true);
    assert.deepEqual(kinds(), ['update work/one.txt', 'create one.txt', 'create two.txt']);
  });

  it('takes two names of one file for one file', async () => {
    await ask();
    scene.runs.write(block('one 2', 'ONE 2', 'one.txt') + block('one 3', 'ONE 3', 'work//one.txt'));
    scene.runs.write(block('two 1', 'TWO 1', 'two.txt') + block('two 1', 'ZWEI 1', 'work/two.txt'));
    scene.runs.done();
    const { id } = scene.runs.requests[0]!;
    await scene.until(() => scene.runs.requests.length === 2);
    assert.deepEqual(
      repairOf(scene.runs.requests[1]!).refused.map(({ path }) => path),
      ['work/two.txt'],
    );
    scene.runs.done();
    await scene.until(() => scene.proposed[0]?.finished === true);
    assert.deepEqual(kinds(), ['update work/one.txt', 'refused work/two.txt']);
    const [first] = scene.proposed[0]!.plans;
    assert.equal(first?.kind === 'update' && first.after, 'one 1\nONE 2\nONE 3\n');
    assert.equal(scene.proposed[0]!.source.runId, id);
  });

  it('asks once more for what does not fit, and offers the files that do', async () => {
    await ask();
    scene.runs.write(block('one 2', 'ONE 2', 'work/one.txt') + block('two zwei', 'TWO', 'work/two.txt'));
    scene.runs.done();
    await scene.until(() => scene.runs.requests.length === 2);
    assert.deepEqual(
      repairOf(scene.runs.requests[1]!).refused.map(({ path, lookedFor }) => [path, lookedFor]),
      [['work/two.txt', 'two zwei']],
    );
    scene.runs.write(block('two drei', 'TWO', 'work/two.txt'));
    scene.runs.done();
    await scene.until(() => scene.proposed[0]?.finished ?? false);
    assert.deepEqual(kinds(), ['update work/one.txt', 'refused work/two.txt']);
    await scene.until(() => scene.runs.outcomes.length === 2);
    assert.deepEqual(
      scene.runs.outcomes.map(({ applied }) => applied),
      [1, 0],
    );
  });

  it('never writes outside the workspace, whatever the model asks for', async () => {
    await ask();
    scene.runs.write(block('', 'evil', '../evil.txt') + block('', 'evil', '.git/hooks/pre-commit.sh'));
    scene.runs.done();
    const told = await scene.messages.next(/could not be placed/);
    assert.match(told, /Not charged: nothing could be applied/);
    assert.equal(scene.runs.requests.length, 1, 'nothing that a repair could mend');
    assert.equal(scene.proposed.filter(({ plans }) => plans.length > 0).length, 0);
  });

  it('asks which files, the one in front chosen already, and what to do, and adds files that are named there', async () => {
    scene.editor = await vscode.window.showTextDocument(files[0]!);
    await vscode.workspace.fs.writeFile(sampleFile('work/.env'), new TextEncoder().encode('KEY=1\n'));
    const asked = 'Move one 2 to work/two.txt, but leave work/.env alone';
    await scene.memory.update('edit.requests', [asked]);
    void scene.edits.editWorkspace();
    // Down and Enter, for each of the two questions; nothing tells when one is on the screen.
    while (scene.runs.requests.length === 0) {
      await vscode.commands.executeCommand('workbench.action.quickOpenSelectNext');
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
    }
    const { files: sent, instruction } = filesOf(scene.runs.requests[0]!);
    assert.equal(instruction, asked);
    // Named is not chosen.
    await scene.messages.next(/work\/\.env is left out\. It may hold secrets/);
    assert.deepEqual(
      sent.map(({ path }) => path),
      ['work/one.txt', 'work/two.txt'],
    );
  });

  it('says what is left out, and refuses when nothing is left', async () => {
    const image = sampleFile('work/image.bin');
    await vscode.workspace.fs.writeFile(image, new Uint8Array([0, 1, 2, 0]));
    await ask([files[0]!, image]);
    await scene.messages.next(/work\/image\.bin is left out\. It is a binary file\./);
    await scene.edits.editWorkspace({ files: [image], instruction: 'do it' });
    await scene.messages.next(/Choose at least one file that can be edited\. work\/image\.bin: It is a binary file\./);
    assert.equal(scene.runs.requests.length, 1);
  });

  it('tells an answer that failed in the middle, and what of it is in the list', async () => {
    await ask();
    scene.runs.write(block('one 2', 'ONE 2', 'work/one.txt') + block('two 2', 'TWO 2', 'work/two.txt'));
    await scene.until(() => kinds()?.length === 2);
    scene.runs.fail();
    await scene.messages.next(/The model service failed/);
    assert.equal(scene.proposed[0]!.why, 'The model service failed.');
  });
});
