import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { Scene, selectionOf } from './editModel.ts';
import { after, answer, before, selectionDeeds } from './editSelection.ts';

describe('Edit Selection', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(() => scene.dispose());

  const { insert, type, undo, redo, review, accepted, edit } = selectionDeeds(() => scene);

  it('writes whole lines while the answer comes, the rest of the old ones below them', async () => {
    await scene.open(before);
    await scene.ask(1, 4);
    scene.runs.write('```\nTWO\nthr');
    await scene.shows('one\nTWO\nthree\nfour\nfive\nsix\n');
    scene.runs.write('ee\nfour\nFIVE\nFIVE AND A HALF\n```');
    await scene.shows(after);
    scene.runs.done();
    await scene.reviewed(2);
    assert.equal(scene.text, after);
  });

  it('sends the selected lines and those around them', async () => {
    await scene.open(before);
    await scene.ask(1, 4, ' do it ');
    const { input } = scene.runs.requests[0]!;
    assert.deepEqual(input, {
      instruction: 'do it',
      path: scene.document.uri.path,
      languageId: 'plaintext',
      selection: { start: 1, end: 4, text: 'two\nthree\nfour\nfive' },
      before: 'one',
      after: 'six\n',
    });
    scene.edits.stopEdit();
    await scene.messages.next(/Stopped. Nothing was changed/);
  });

  it('leaves an accepted hunk as plain text and tells the outcome once', async () => {
    await edit();
    await scene.edits.reviews.acceptHunk({ review: review().id, hunk: 1 });
    await scene.edits.reviews.acceptAllHunks();
    await scene.idle();
    assert.equal(scene.text, after);
    assert.deepEqual(scene.runs.outcomes, [{ applied: 2, refused: 0 }]);
  });

  it('takes back one hunk and nothing else', async () => {
    await edit();
    await scene.edits.reviews.rejectHunk({ review: review().id, hunk: 2 });
    assert.equal(scene.text, 'one\nTWO\nthree\nfour\nfive\nsix\n');
    await scene.reviewed(1);
    await undo();
    assert.equal(scene.text, after);
    await scene.reviewed(2);
  });

  it('takes back all hunks', async () => {
    await edit();
    await scene.edits.reviews.rejectAllHunks();
    await scene.idle();
    assert.equal(scene.text, before);
    assert.deepEqual(scene.runs.outcomes, [{ applied: 2, refused: 0 }]);
  });

  it('is taken back by a single undo, which ends the review; a redo brings both back', async () => {
    await edit();
    await undo();
    assert.equal(scene.text, before);
    await scene.idle();
    assert.deepEqual(scene.runs.outcomes, [{ applied: 2, refused: 0 }]);
    await redo();
    assert.equal(scene.text, after);
    await scene.reviewed(2);
    await scene.edits.reviews.acceptAllHunks();
    await scene.idle();
    assert.deepEqual(accepted(), [[before, after]]);
  });

  it('comes back under review when the rejection of its last hunk is undone, and keeps each acceptance once', async () => {
    await edit();
    await scene.edits.reviews.acceptHunk({ review: review().id, hunk: 1 });
    await scene.edits.reviews.rejectHunk();
    await scene.idle();
    const half = 'one\nTWO\nthree\nfour\nfive\nsix\n';
    assert.deepEqual([scene.text, accepted()], [half, [[before, half]]]);
    await undo();
    assert.equal(scene.text, after);
    await scene.reviewed(1);
    assert.equal(scene.edits.reviews.status.text, '$(diff) 1 hunk to review');
    await scene.edits.reviews.acceptHunk();
    await scene.idle();
    assert.deepEqual(accepted(), [
      [before, half],
      [half, after],
    ]);
  });

  it('stays over when what was rejected is typed by hand, or taken from another edit', async () => {
    await edit();
    await scene.edits.reviews.rejectAllHunks();
    await scene.idle();
    await scene.editor.edit((builder) => builder.replace(new vscode.Range(1, 0, 1, 3), 'TWO'));
    await scene.editor.edit((builder) => builder.insert(new vscode.Position(0, 0), 'above\n'));
    await undo();
    assert.match(scene.text, /^one\nTWO\n/);
    assert.equal(scene.edits.running.length, 0);
  });

  it('ends quietly when inserted lines are undone, though they came before lines that were written again', async () => {
    const python = 'def a():\n    return 1\n\n\ndef b():\n    return 2\n';
    await scene.open(python);
    await scene.ask(0, 1);
    // For a moment the first line stands in place of the old one, which is then written below it.
    scene.runs.write('```\n# checked\n');
    await scene.shows('# checked\n    return 1\n\n\ndef b():\n    return 2\n');
    scene.runs.write('def a():\n');
    await scene.shows(`# checked\n${python}`);
    scene.runs.write('    return 1\n```');
    scene.runs.done();
    await scene.reviewed(1);
    await undo();
    assert.equal(scene.text, python);
    await scene.idle();
    assert.deepEqual(scene.runs.outcomes, [{ applied: 1, refused: 0 }]);
  });

  it('keeps what is typed above and below while the answer comes, and one undo takes back all but that', async () => {
    await scene.open(before);
    await scene.ask(1, 4);
    scene.runs.write('```\nTWO\n');
    await scene.until(() => scene.text.includes('TWO'));
    scene.editor.selection = new vscode.Selection(5, 3, 5, 3);
    await type('!');
    await insert(0, 0, 'above\n');
    scene.runs.write('three\nfour\nFIVE\n');
    await scene.until(() => scene.text.includes('FIVE'));
    await type('?');
    scene.runs.write('FIVE AND A HALF\n```');
    scene.runs.done();
    await scene.reviewed(2);
    const all = after.replace('six', 'six!?');
    assert.equal(scene.text, `above\n${all}`);

    // One undo for all that we wrote, and none of what was typed; further ones go back through what was.
    await undo();
    assert.equal(scene.text, `above\n${before.replace('six', 'six!?')}`);
    await scene.idle();
    for (let steps = 0; scene.text !== before; steps++) {
      assert.ok(steps < 10, scene.text);
      await undo();
    }
  });

  it('takes back exactly its own lines after typing above and below', async () => {
    await edit();
    await insert(0, 0, 'above\n');
    await insert(7, 3, ' below');
    await scene.edits.reviews.rejectAllHunks();
    await scene.idle();
    assert.equal(scene.text, `above\n${before.replace('six', 'six below')}`);
  });

  it('loses nothing when somebody types at every moment', async () => {
    const lines = Array.from({ length: 60 }, (_, index) => `line ${index}`);
    await scene.open(`top\n${lines.join('\n')}\nbottom\n`);
    await scene.ask(1, 60);
    let typed = 0;
    scene.runs.write('```\n');
    const typing = (async () => {
      for (; typed < 60; typed++) {
        const last = scene.document.lineAt(scene.document.lineCount - 2).range.end;
        await scene.editor.edit((builder) => {
          builder.insert(new vscode.Position(0, 0), '<');
          builder.insert(last, '>');
        });
        // A machine that types without a pause would never let anybody else write: one round trip for the other.
        await vscode.commands.executeCommand('setContext', 'perigee.test.turn', typed);
      }
    })();
    for (const line of lines) {
      scene.runs.write(`${line.toUpperCase()}\n`);
      await scene.until(() => scene.text.includes(line.toUpperCase()));
    }
    await typing;
    scene.runs.write('```');
    scene.runs.done();
    await scene.reviewed(1);
    const count = (character: string) => scene.text.split(character).length - 1;
    const typedTop = '<'.repeat(count('<'));
    assert.ok(count('<') >= 15, `${count('<')} of 60 edits of the test itself were taken`);
    assert.equal(count('<'), count('>'));
    const expected = (middle: string[]) => `${typedTop}top\n${middle.join('\n')}\nbottom${'>'.repeat(count('>'))}\n`;
    assert.equal(scene.text, expected(lines.map((line) => line.toUpperCase())));
    await scene.edits.reviews.rejectAllHunks();
    assert.equal(scene.text, expected(lines));
  });

  it('refuses in words to take back a hunk that was changed, and never overwrites it', async () => {
    await edit();
    await insert(1, 3, '!');
    await scene.edits.reviews.rejectAllHunks();
    assert.match(await scene.messages.next(/not taken back/), /^Hunk 1 was not taken back/);
    assert.equal(scene.text, 'one\nTWO!\nthree\nfour\nfive\nsix\n');
    await scene.edits.reviews.acceptHunk();
    await scene.idle();
    assert.deepEqual(scene.runs.outcomes, [{ applied: 2, refused: 0 }]);
  });

  it('stops when its lines are changed while it writes, and keeps what was typed', async () => {
    await scene.open(before);
    await scene.ask(1, 4);
    scene.runs.write('```\nTWO\n');
    await scene.until(() => scene.text.includes('TWO'));
    await insert(3, 0, 'mine ');
    await scene.messages.next(/you changed lines 2–5 .* Your text is kept\. The edit is not/);
    assert.equal(scene.text, before.replace('four', 'mine four'));
    assert.equal(scene.runs.stopped.length, 1);
    await scene.idle();
  });

  it('leaves for review what was typed into the lines that it had written', async () => {
    await scene.open(before);
    await scene.ask(1, 4);
    scene.runs.write('```\nTWO\n');
    await scene.until(() => scene.text.includes('TWO'));
    await insert(1, 3, ' mine');
    await scene.messages.next(/1 hunk that you changed is left for you to review/);
    assert.equal(scene.text, before.replace('two', 'TWO mine'));
    assert.equal(review().phase, 'reviewing');
  });

  it('keeps CRLF', async () => {
    await scene.open(before);
    await scene.editor.edit((builder) => builder.setEndOfLine(vscode.EndOfLine.CRLF));
    await scene.ask(1, 4);
    scene.runs.write(answer);
    scene.runs.done();
    await scene.reviewed(2);
    assert.equal(scene.text, after.replaceAll('\n', '\r\n'));
    await scene.edits.reviews.rejectAllHunks();
    assert.equal(scene.text, before.replaceAll('\n', '\r\n'));
  });

  it('edits the last line of a file without a final line end', async () => {
    await scene.open('one\ntwo');
    await scene.ask(1, 1);
    scene.runs.write('```\n```');
    scene.runs.done();
    await scene.reviewed(1);
    assert.equal(scene.text, 'one');
    await scene.edits.reviews.rejectAllHunks();
    assert.equal(scene.text, 'one\ntwo');
  });

  it('refuses lines that are being written, and takes others of the same file', async () => {
    await scene.open(before);
    await scene.ask(1, 2);
    scene.editor.selection = new vscode.Selection(2, 0, 4, 0);
    await scene.edits.editSelection('again');
    const refusal = await scene.messages.next(/still writing lines 2–3/);
    assert.deepEqual(scene.messages.modal, [refusal], 'what is typed for an instruction must not go into the lines');
    scene.editor.selection = new vscode.Selection(4, 0, 5, 0);
    void scene.edits.editSelection('other');
    await scene.until(() => scene.edits.running.length === 2);
    scene.edits.stopEdit();
    await scene.idle();
    assert.equal(scene.text, before);
  });

  it('accepts the lines under a new selection, if asked to, and goes on', async () => {
    await edit();
    scene.messages.press('Accept all and go on');
    await scene.ask(1, 1);
    const asked = await scene.messages.next(/neither accepted nor rejected/);
    assert.deepEqual(scene.messages.modal, [asked], 'what is typed for an instruction must not go into the lines');
    assert.deepEqual(scene.runs.outcomes, [{ applied: 2, refused: 0 }]);
    scene.edits.stopEdit();
    await scene.idle();
  });

  it('edits the line of the cursor when nothing is selected', async () => {
    await scene.open(before);
    scene.editor.selection = new vscode.Selection(2, 2, 2, 2);
    void scene.edits.editSelection('do it');
    await scene.until(() => scene.runs.requests.length === 1);
    assert.deepEqual(selectionOf(scene.runs.requests[0]!).selection, { start: 2, end: 2, text: 'three' });
    scene.edits.stopEdit();
    await scene.idle();
  });

  it('says above each hunk what it is and what can be done', async () => {
    await edit();
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
      'vscode.executeCodeLensProvider',
      scene.document.uri,
      20,
    );
    const titles = (line: number) =>
      lenses.filter((lens) => lens.range.start.line === line).map((lens) => lens.command?.title);
    assert.deepEqual(titles(1), [
      'Perigee: hunk 1 of 2',
      '✓ Accept',
      '✗ Reject',
      'Show removed (1)',
      'Compare',
      'Accept all',
      'Reject all',
    ]);
    assert.equal(titles(4)[0], 'Perigee: hunk 2 of 2');
  });

  it('shows what was removed beside what stands there now', async () => {
    await edit();
    const { id } = review();
    await scene.edits.reviews.compareHunk({ review: id, hunk: 2 });
    const original = await new Promise<vscode.TextDocument>((resolve) => {
      const find = () => vscode.workspace.textDocuments.find(({ uri }) => uri.query === `edit=${id}`);
      const found = find();
      if (found) return resolve(found);
      const listening = vscode.workspace.onDidOpenTextDocument(() => {
        const opened = find();
        if (!opened) return;
        listening.dispose();
        resolve(opened);
      });
    });
    assert.equal(original.getText(), before);
  });
});
