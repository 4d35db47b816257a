import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { perigee } from '../window.ts';
import { ProposalScene } from './proposalScene.ts';

describe('applying code of the chat, by the extension as a whole', () => {
  it('shows hunks in the editor, and leaves the disk alone until they are accepted', async () => {
    const scene = new ProposalScene();
    try {
      const before = 'export const a = 1;\nexport const b = 2;\nexport const c = 3;\n';
      await scene.write('whole.lua', before);
      const after = before.replace('b = 2', 'b = 22');
      const apply = await (await perigee()).apply();
      const source = { title: 'Apply' };
      const applied = await apply.applyCode({ text: after, language: 'lua', path: scene.path('whole.lua'), source });
      assert.equal(applied.kind, 'review');
      const { document } = vscode.window.activeTextEditor!;
      assert.equal(document.uri.toString(), scene.uri('whole.lua').toString());
      assert.equal(document.getText(), after);
      await vscode.commands.executeCommand('perigee.rejectAllHunks');
      await scene.until(() => document.getText() === before);
    } finally {
      await scene.dispose();
    }
  });
});
