import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { findFiles, openFile } from '../../../extension/chat/answers/fileLinks.ts';
import { sampleFile } from '../window.ts';

const made = sampleFile('deep/down/only-here.ts');

describe('files that an answer speaks of', () => {
  before(async () => {
    await vscode.workspace.fs.writeFile(made, new TextEncoder().encode('one\ntwo\nthree\n'));
  });
  after(async () => {
    await vscode.workspace.fs.delete(sampleFile('deep'), { recursive: true });
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('are those of the workspace, however they are written', async () => {
    const absolute = sampleFile('README.md').path;
    const there = [
      'README.md',
      './README.md',
      'deep/down/only-here.ts',
      'deep\\down\\only-here.ts',
      absolute,
      '/README.md',
    ];
    assert.deepEqual(await findFiles(there), there);
  });

  it('are never what is outside, a folder, or not there', async () => {
    const not = [
      '../outside.ts',
      'deep/../../outside.ts',
      'deep/..\\..\\outside.ts',
      '/etc/passwd',
      'file:///etc/passwd',
      'C:\\Windows\\win.ini',
      'deep',
      'deep/down',
      'gone.ts',
      'README.md:stream',
      'https://example.com/README.md',
      'deep/down/only\u200b-here.ts',
      '.',
      '',
    ];
    assert.deepEqual(await findFiles(not), []);
  });

  it('open at the line', async () => {
    await openFile('deep/down/only-here.ts', 2, 3);
    const editor = vscode.window.activeTextEditor;
    assert.equal(editor?.document.uri.toString(), made.toString());
    assert.deepEqual([editor?.selection.active.line, editor?.selection.active.character], [1, 2]);
  });

  it('say so when they have vanished', async () => {
    await assert.rejects(openFile('deep/down/gone.ts', 1), /gone\.ts is not in the workspace any more/);
  });
});
