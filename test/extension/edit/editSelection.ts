import * as vscode from 'vscode';
import type { Scene } from './editModel.ts';

export const before = 'one\ntwo\nthree\nfour\nfive\nsix\n';
/** Two hunks in lines 1 to 4: `two` becomes TWO, and `five` becomes two lines. */
export const answer = '```\nTWO\nthree\nfour\nFIVE\nFIVE AND A HALF\n```\n';
export const after = 'one\nTWO\nthree\nfour\nFIVE\nFIVE AND A HALF\nsix\n';

/** What somebody does with an edit of a selection, in the scene of a test. */
export function selectionDeeds(scene: () => Scene) {
  const insert = (line: number, character: number, text: string) =>
    scene().editor.edit((builder) => builder.insert(new vscode.Position(line, character), text));
  const type = (text: string) => vscode.commands.executeCommand('type', { text });
  const undo = () => vscode.commands.executeCommand('undo');
  const redo = () => vscode.commands.executeCommand('redo');
  const review = () => scene().edits.running[0]!;
  const accepted = () => scene().accepted.map(({ files: [file] }) => [file!.before, file!.after]);

  /** Asks for the edit above and lets the model answer it all, in pieces. */
  async function edit(text = before): Promise<void> {
    await scene().open(text);
    await scene().ask(1, 4);
    scene().runs.write(answer.slice(0, 10));
    await scene().until(() => scene().text.includes('TWO'));
    scene().runs.write(answer.slice(10, 30));
    await scene().until(() => scene().text.includes('FIVE'));
    scene().runs.write(answer.slice(30));
    scene().runs.done();
    await scene().reviewed(2);
  }

  return { insert, type, undo, redo, review, accepted, edit };
}
