import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { WorkspaceIndex } from '../../../extension/index/workspaceIndex.ts';
import { itBesideNode, perigee, sampleFile } from '../window.ts';

const { fs } = vscode.workspace;
const write = (path: string, text: string) => fs.writeFile(sampleFile(path), new TextEncoder().encode(text));

describe('the index of the workspace', () => {
  let index: WorkspaceIndex;
  before(async () => {
    index = await (await perigee()).index();
  });
  after(async () => {
    await vscode.workspace.getConfiguration('perigee').update('index', undefined, vscode.ConfigurationTarget.Global);
    await fs.delete(sampleFile('found'), { recursive: true }).then(undefined, () => {});
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  const find = (question: string) => index.find(question, 5);
  /** Asks again until the watcher has told, or mocha's time is over. */
  async function until(question: string, isSo: (paths: string[]) => boolean): Promise<void> {
    for (;;) {
      const paths = (await find(question)).map(({ path }) => path);
      if (isSo(paths)) return;
    }
  }

  it('finds the piece that a question is about, with its lines and text', async () => {
    const [first] = await find('how is the total of an order with a discount computed in Python');
    assert.equal(first?.path, 'src/totals.py');
    assert.equal(first.uri.toString(), sampleFile('src/totals.py').toString());
    const lines = new TextDecoder().decode(await fs.readFile(first.uri)).split('\n');
    assert.equal(first.text, lines.slice(first.from - 1, first.to).join('\n'));
  });

  it('takes up a file that comes, and forgets one that goes', async () => {
    await write('found/zebra.ts', 'export function paintZebraStripes() {}\n');
    await until('zebra stripes', (paths) => paths.includes('found/zebra.ts'));
    await fs.delete(sampleFile('found/zebra.ts'));
    await until('zebra stripes', (paths) => !paths.includes('found/zebra.ts'));
  });

  it('has neither secrets nor what is ignored', async () => {
    await write('found/.env', 'ZEBRA_TOKEN=1\n');
    await write('found/.gitignore', 'hidden.ts\n');
    await write('found/hidden.ts', 'export const zebraHidden = 1;\n');
    await write('found/shown.ts', 'export const zebraShown = 1;\n');
    await until('zebra', (paths) => paths.includes('found/shown.ts'));
    assert.deepEqual(
      (await find('zebra token hidden shown')).map(({ path }) => path),
      ['found/shown.ts'],
    );
  });

  itBesideNode('enters no link, and no ring of links', 'the web editor’s file system has no links', async () => {
    // By a name that the bundler does not see: a worker has no such module.
    const { symlinkSync }: typeof import('node:fs') = require('node:fs'.slice(0));
    await write('found/ring/real.ts', 'export const giraffeNeck = 1;\n');
    symlinkSync(sampleFile('found/ring').fsPath, sampleFile('found/ring/again').fsPath);
    symlinkSync(sampleFile('found/ring/real.ts').fsPath, sampleFile('found/ring/other.ts').fsPath);
    await until('giraffe neck', (paths) => paths.length > 0);
    assert.deepEqual(
      (await find('giraffe neck')).map(({ path }) => path),
      ['found/ring/real.ts'],
    );
  });

  it('finds what is typed and not saved yet, at its lines', async () => {
    const uri = sampleFile('found/draft.ts');
    await write('found/draft.ts', 'const a = 1;\n');
    await until('draft', (paths) => paths.includes('found/draft.ts'));
    const editor = await vscode.window.showTextDocument(uri);
    await editor.edit((edit) => edit.insert(new vscode.Position(1, 0), '\n\nfunction hippoSwims() {}\n'));
    const [first] = await find('hippo swims');
    assert.equal(first?.path, 'found/draft.ts');
    assert.match(first.text, /hippoSwims/);
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    await until('hippo swims', (paths) => !paths.includes('found/draft.ts'));
  });

  it('leaves out what the setting excludes', async () => {
    const settings = vscode.workspace.getConfiguration('perigee');
    await write('found/generated/panda.ts', 'export const pandaBamboo = 1;\n');
    await until('panda bamboo', (paths) => paths.length === 1);
    await settings.update('index.exclude', ['**/generated'], vscode.ConfigurationTarget.Global);
    await until('panda bamboo', (paths) => paths.length === 0);
    await settings.update('index.exclude', undefined, vscode.ConfigurationTarget.Global);
    await until('panda bamboo', (paths) => paths.length === 1);
  });

  it('finds nothing and says why when it is switched off', async () => {
    const settings = vscode.workspace.getConfiguration('perigee');
    assert.equal(index.whyNot(), undefined);
    await settings.update('index.enabled', false, vscode.ConfigurationTarget.Global);
    assert.match(index.whyNot() ?? '', /perigee\.index\.enabled is off/);
    assert.deepEqual(await find('order total'), []);
    await settings.update('index.enabled', undefined, vscode.ConfigurationTarget.Global);
    assert.ok((await find('order total')).length > 0);
  });

  it('opens the chosen piece from the command palette’s entry', async () => {
    const opened = vscode.commands.executeCommand('perigee.findInWorkspace', 'total of an order discount Python');
    let isDone = false;
    void Promise.resolve(opened).then(() => {
      isDone = true;
    });
    // The list opens empty, and accepting takes nothing until the pieces are there.
    while (!isDone) await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
    assert.equal(vscode.window.activeTextEditor?.document.uri.path.endsWith('src/totals.py'), true);
  });
});
