import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { block, filesOf, repairOf, Scene } from './editModel.ts';

const lines = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`);
const before = `${lines.join('\n')}\n`;
const changed = (...numbers: number[]) =>
  numbers.reduce((text, number) => text.replace(`line ${number}\n`, `LINE ${number}\n`), before);
const change = (number: number) => block(`line ${number}`, `LINE ${number}`);

describe('Edit File', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(() => scene.dispose());

  const insert = (line: number, character: number, text: string) =>
    scene.editor.edit((builder) => builder.insert(new vscode.Position(line, character), text));
  const undo = () => vscode.commands.executeCommand('undo');
  const review = () => scene.edits.running[0]!;
  const path = () => scene.files.pathOf(scene.document.uri);
  const shown = (text: string) => scene.until(() => scene.text.includes(text));

  it('sends the file as it stands in the editor', async () => {
    await scene.open(before);
    await insert(0, 0, 'unsaved ');
    await scene.askFile(' do it ');
    assert.deepEqual(filesOf(scene.runs.requests[0]!), {
      instruction: 'do it',
      files: [{ path: path(), languageId: 'plaintext', text: `unsaved ${before}` }],
    });
  });

  it('shows each change as soon as its block has come, in any order, and one undo takes all of it back', async () => {
    await scene.open(before);
    await scene.askFile();
    scene.runs.write(change(9));
    await scene.shows(changed(9));
    scene.runs.write(change(3).slice(0, 30));
    scene.runs.write(change(3).slice(30));
    await scene.shows(changed(3, 9));
    assert.equal(review().phase, 'writing');
    scene.runs.write(block('line 6', 'line 6\nline 6 and a half'));
    scene.runs.done();
    await scene.reviewed(3);
    assert.deepEqual(
      review().tracked.open.map(({ number, start }) => [number, start]),
      [
        [1, 2],
        [2, 6],
        [3, 9],
      ],
    );
    assert.deepEqual(scene.runs.outcomes, [{ applied: 3, refused: 0 }]);
    await undo();
    assert.equal(scene.text, before);
    await scene.idle();
  });

  it('keeps what is accepted of it, so that it can be taken back later', async () => {
    await scene.open(before);
    await scene.askFile();
    scene.runs.write(change(3) + change(9));
    scene.runs.done();
    await scene.reviewed(2);
    await insert(0, 0, 'mine ');
    await scene.edits.reviews.acceptHunk({ review: review().id, hunk: 2 });
    await scene.edits.reviews.rejectAllHunks();
    await scene.idle();
    const [file] = scene.accepted[0]!.files;
    assert.equal(file!.before, `mine ${before}`);
    assert.equal(file!.after, `mine ${changed(9)}`);
    assert.equal(scene.accepted[0]!.source.runId, scene.runs.requests[0]!.id);
  });

  it('loses no key stroke and hits no wrong line while somebody types above, below and between', async () => {
    await scene.open(before);
    await scene.askFile();
    await insert(0, 0, 'above\n');
    scene.runs.write(change(9));
    await shown('LINE 9');
    await insert(4, 6, ' mine');
    scene.runs.write(change(3) + change(5));
    await shown('LINE 5');
    await insert(13, 0, 'below\n');
    scene.runs.write(change(12));
    scene.runs.done();
    await scene.reviewed(4);
    const typed = (text: string) => `above\n${text.replace('line 4', 'line 4 mine')}below\n`;
    assert.equal(scene.text, typed(changed(3, 5, 9, 12)));
    await undo();
    assert.equal(scene.text, typed(before), 'one undo takes back all of it and nothing that was typed');
  });

  it('loses nothing when somebody types at every moment', async () => {
    const many = Array.from({ length: 120 }, (_, index) => `row ${index};`);
    await scene.open(`top\n${many.join('\n')}\nbottom\n`);
    await scene.askFile();
    let typed = 0;
    const typing = (async () => {
      for (let turn = 0; turn < 60; turn++) {
        const last = scene.document.lineAt(scene.document.lineCount - 2).range.end;
        const isTaken = await scene.editor.edit((builder) => {
          builder.insert(new vscode.Position(0, 0), '<\n');
          builder.insert(last, '>');
        });
        if (isTaken) typed++;
        // A machine that types without a pause would never let anybody else write: one round trip for the other.
        await vscode.commands.executeCommand('setContext', 'perigee.test.turn', turn);
      }
    })();
    const wanted = many.map((row, index) => (index % 4 === 0 ? row.toUpperCase() : row));
    for (let index = 0; index < many.length; index += 4) {
      scene.runs.write(block(many[index]!, wanted[index]!));
      await shown(`\n${wanted[index]!}\n`);
    }
    await typing;
    scene.runs.done();
    await scene.reviewed(30);
    assert.ok(typed >= 15, `${typed} of 60 edits of the test itself were taken`);
    const expected = (rows: string[]) => `${'<\n'.repeat(typed)}top\n${rows.join('\n')}\nbottom${'>'.repeat(typed)}\n`;
    assert.equal(scene.text, expected(wanted));
    await scene.edits.reviews.rejectAllHunks();
    assert.equal(scene.text, expected(many));
  });

  it('does not write where the lines were changed before the change came, says so, and goes on with the others', async () => {
    await scene.open(before);
    await scene.askFile();
    await insert(4, 0, 'mine ');
    scene.runs.write(change(5) + change(9));
    scene.runs.done();
    await scene.reviewed(1);
    assert.equal(scene.text, changed(9).replace('line 5', 'mine line 5'));
    const told = await scene.messages.next(/not written/);
    assert.match(told, /^1 change was not written\. .*Line 5 was changed while Perigee was writing\./);
    assert.deepEqual(scene.runs.outcomes, [{ applied: 1, refused: 1 }]);
    assert.equal(scene.runs.requests.length, 1, 'what the user changed is not asked for again');
  });

  it('shows what came whole of an answer that ended at its length limit, says so, and tries again', async () => {
    await scene.open(before);
    scene.messages.press('Retry');
    scene.messages.press('Accept all and go on');
    await scene.askFile();
    scene.runs.write(change(3) + change(5).slice(0, -12));
    scene.runs.cut();
    // What was cut in the middle is asked for once more.
    await scene.until(() => scene.runs.requests.length === 2);
    assert.ok('repairs' in scene.runs.requests[1]!.input);
    scene.runs.write(change(5));
    scene.runs.done();
    const told = await scene.messages.next(/length limit/);
    assert.equal(told, 'The answer ended at its length limit; more changes may be missing. Charged 2 credits.');
    await scene.messages.next(/neither accepted nor rejected/);
    await scene.until(() => scene.runs.requests.length === 3);
    assert.match(scene.text, new RegExp(changed(3, 5).trim()));
    scene.runs.write(change(7));
    scene.runs.done();
    await scene.reviewed(1);
  });

  it('does not put lines where others were put in meanwhile', async () => {
    await scene.open(before);
    await scene.askFile();
    await insert(5, 0, 'mine\n');
    scene.runs.write(block('line 5\nline 6', 'line 5\nnew\nline 6'));
    scene.runs.done();
    await scene.messages.next(/could not be placed, so nothing was changed.* were changed while Perigee was writing/);
    assert.equal(scene.text, before.replace('line 6', 'mine\nline 6'));
    await scene.idle();
  });

  it('asks once more for what does not fit, with the nearest lines, and then has it all', async () => {
    await scene.open(before);
    await scene.askFile();
    scene.runs.write(change(3) + block('line seven\nline 8', 'SEVEN\nline 8'));
    scene.runs.done();
    await scene.until(() => scene.runs.requests.length === 2);
    const [first, second] = scene.runs.requests;
    assert.equal(second!.conversationId, first!.conversationId);
    assert.notEqual(second!.id, first!.id);
    const { repairs, refused } = repairOf(second!);
    assert.equal(repairs, first!.id);
    assert.equal(refused.length, 1);
    assert.equal(refused[0]!.path, path());
    assert.equal(refused[0]!.lookedFor, 'line seven\nline 8');
    assert.match(refused[0]!.nearest!, /line 8/);
    await scene.shows(changed(3));
    scene.runs.write(block('line 7', 'SEVEN'));
    scene.runs.done();
    await scene.reviewed(2);
    assert.equal(scene.text, changed(3).replace('line 7', 'SEVEN'));
    assert.deepEqual(scene.runs.outcomes, [
      { applied: 1, refused: 1 },
      { applied: 1, refused: 0 },
    ]);
    await undo();
    assert.equal(scene.text, before);
  });

  it('takes everything back when a change has no place after that, says which and why, and is not charged', async () => {
    await scene.open(before);
    scene.messages.press('Show details');
    await scene.askFile();
    scene.runs.write(change(3) + block('line seven\nline 8', 'SEVEN\nline 8'));
    scene.runs.done();
    await scene.until(() => scene.runs.requests.length === 2);
    scene.runs.write(block('line sieben\nline 8', 'SEVEN\nline 8'));
    scene.runs.done();
    const told = await scene.messages.next(/could not be placed/);
    assert.match(told, /^1 of 2 changes for .* could not be placed, so nothing was changed\./);
    assert.match(told, /Looked for “line sieben”; nearest is line \d+/);
    assert.match(told, /Not charged: nothing could be applied\.$/);
    assert.equal(scene.text, before);
    assert.deepEqual(
      scene.runs.outcomes.map(({ applied }) => applied),
      [0, 0],
    );
    await scene.idle();
    const isReport = () => vscode.window.activeTextEditor?.document.uri.scheme === 'perigee-report';
    await scene.until(isReport);
    const report = vscode.window.activeTextEditor!.document.getText();
    assert.match(report, /Looked for\n\n```\nline sieben\nline 8\n```/);
    assert.match(report, /## The whole answer[\s\S]*line seven[\s\S]*line sieben/);
  });

  it('says what it cost when it is not refunded', async () => {
    await scene.open(before);
    scene.runs.isCapped = true;
    await scene.askFile();
    scene.runs.write('Nothing to do, I think.');
    scene.runs.done();
    const told = await scene.messages.next(/answered in words/);
    assert.match(told, /the daily limit of refunds is reached: the edit stays charged\. Charged 1 credit\.$/);
  });

  it('hands changes of other files over, and leaves this one as it was', async () => {
    await scene.open(before);
    const { document } = scene;
    await scene.askFile();
    scene.runs.write(change(3));
    await shown('LINE 3');
    scene.runs.write(block('', 'brand new', 'src/brandNew.txt'));
    scene.runs.done();
    await scene.until(() => scene.proposed.some(({ finished }) => finished));
    assert.equal(document.getText(), before);
    assert.deepEqual(
      scene.proposed[0]!.plans.map(({ kind, path: of }) => [kind, of]),
      [
        ['update', path()],
        ['create', 'src/brandNew.txt'],
      ],
    );
    await scene.idle();
    assert.deepEqual(scene.runs.outcomes, [{ applied: 2, refused: 0 }]);
  });

  it('says so when nothing would change, or the model answers in words', async () => {
    await scene.open(before);
    await scene.askFile();
    scene.runs.write('It is fine as it is.');
    scene.runs.done();
    const told = await scene.messages.next(/answered in words/);
    assert.match(told, /“It is fine as it is.” Not charged: nothing could be applied\.$/);
    assert.deepEqual(scene.runs.outcomes, [{ applied: 0, refused: 0 }]);
    await scene.idle();
  });

  it('takes all of it back on a stop, and writes it again if asked to', async () => {
    await scene.open(before);
    await scene.askFile();
    scene.runs.write(change(3) + change(9) + change(5).slice(0, 20));
    await shown('LINE 9');
    scene.messages.press('Keep what was written');
    scene.edits.stopEdit();
    await scene.messages.next(/Stopped. Nothing was changed/);
    await scene.reviewed(2);
    assert.equal(scene.text, changed(3, 9));
    assert.equal(scene.runs.stopped.length, 1);
    await undo();
    assert.equal(scene.text, before);
  });

  it('stops when it is undone while it writes, and takes the rest back too', async () => {
    await scene.open(before);
    await scene.askFile();
    scene.runs.write(change(3));
    await shown('LINE 3');
    await insert(0, 0, 'mine ');
    scene.runs.write(change(9));
    await shown('LINE 9');
    await undo();
    await scene.idle();
    assert.equal(scene.text, `mine ${before}`);
    assert.equal(scene.runs.stopped.length, 1);
  });

  it('takes all of it back when the answer fails, and tries again', async () => {
    await scene.open(before);
    await scene.askFile();
    scene.runs.write(change(3));
    await shown('LINE 3');
    await insert(0, 0, 'mine ');
    scene.messages.press('Retry');
    scene.runs.fail();
    await scene.messages.next(/The model service failed.* The file is as it was. Not charged/);
    await scene.until(() => scene.runs.requests.length === 2);
    assert.equal(scene.text, `mine ${before}`);
    assert.equal(filesOf(scene.runs.requests[1]!).files[0]!.text, `mine ${before}`);
    scene.runs.write(change(3));
    scene.runs.done();
    await scene.reviewed(1);
  });

  it('keeps CRLF, and the end of a file without a final line end', async () => {
    await scene.open(before.trimEnd());
    await scene.editor.edit((builder) => builder.setEndOfLine(vscode.EndOfLine.CRLF));
    await scene.askFile();
    scene.runs.write(block('line 1', 'LINE 1') + block('line 12', 'LINE 12\nline 13'));
    scene.runs.done();
    await scene.reviewed(2);
    const expected = before.trimEnd().replace('line 1\n', 'LINE 1\n').replace('line 12', 'LINE 12\nline 13');
    assert.equal(scene.text, expected.replaceAll('\n', '\r\n'));
    await scene.edits.reviews.rejectAllHunks();
    assert.equal(scene.text, before.trimEnd().replaceAll('\n', '\r\n'));
  });
});
