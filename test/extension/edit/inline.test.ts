import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { Session } from '../../../extension/account/session/session.ts';
import type { Backend } from '../../../extension/backend.ts';
import { type EditModels, type InlineDeps, InlineEdits } from '../../../extension/edit/inline/inlineEdits.ts';
import { EarlyKeys } from '../../../extension/edit/requests/strays.ts';
import type { HunkTarget } from '../../../extension/edit/review/reviews.ts';
import { runsOf } from '../../../extension/edit/runs/runs.ts';
import { BackendError, localProblem } from '../../../extension/platform/server/backendError.ts';
import type { Model } from '../../../shared/models.ts';
import type { AttachedText, RunRequest } from '../../../shared/runs.ts';
import { Scene, selectionOf } from './editModel.ts';
import { answer, before, selectionDeeds } from './editSelection.ts';

/** The answer above, but for its last line. */
const second = '```\nTWO\nthree\nfour\nFIVE\n```\n';

/** A model of the server's list. */
const MODEL: Model = {
  ...{ id: 'small', name: 'Small', contextTokens: 100_000, maxOutputTokens: 10_000 },
  ...{ price: { mode: 'flat', runMicro: 1_000_000 }, isDefault: false, isDemo: false },
};

describe('the prompt at the lines', () => {
  let scene: Scene;
  let inline: InlineEdits;
  let models: EditModels & { models: Model[] };
  let read: () => ReturnType<InlineDeps['read']>;
  const { review } = selectionDeeds(() => scene);

  beforeEach(async () => {
    scene = new Scene();
    read = async () => ({ attachments: [] });
    models = { models: [], id: 'small', effort: undefined, load: async () => {}, choose: async () => {} };
    inline = new InlineEdits({
      edits: async () => scene.edits,
      prompt: scene.prompt,
      models: async () => models,
      offers: async () => [],
      read: () => read(),
      guide: async () => [],
      memory: scene.memory,
    });
    await scene.open(before);
    scene.editor.selection = new vscode.Selection(1, 0, 4, 4);
  });
  afterEach(async () => {
    inline.dispose();
    await scene.dispose();
  });

  const thread = () => inline.thread!;
  const told = () => thread().comments.map(({ author }) => author.name);
  const input = () => vscode.workspace.textDocuments.findLast(({ uri }) => uri.authority === 'perigee.edit');
  async function open(): Promise<void> {
    const keys = new EarlyKeys(scene.editor);
    assert.equal(await inline.open(keys), true);
    await keys.stop();
  }
  /** Sends a prompt, and lets the model answer it. */
  async function send(text: string, answers: string, hunks: number): Promise<void> {
    const { over } = await begin(text);
    scene.runs.write(answers);
    scene.runs.done();
    await over;
    await scene.reviewed(hunks);
  }
  /** Sends a prompt. Returns once the model has been asked. */
  async function begin(text: string): Promise<{ over: Promise<void> }> {
    const { length } = scene.runs.requests;
    const over = inline.send({ thread: thread(), text });
    await scene.until(() => scene.runs.requests.length > length);
    return { over };
  }

  it('sends all lines that were typed, and what they name, word for word', async () => {
    const attachments: AttachedText[] = [{ kind: 'file', path: 'a.ts', text: 'const a = 1;\n' }];
    read = async () => ({ attachments, missing: ['none'] });
    await open();
    const text = 'Write it in upper case\n\nas @a.ts does';
    await send(text, answer, 2);
    const sent = selectionOf(scene.runs.requests[0]!);
    assert.deepEqual([sent.instruction, sent.attachments], [text, attachments]);
    assert.equal(sent.selection.text, 'two\nthree\nfour\nfive');
    assert.deepEqual(scene.prompt.history, [text]);
    assert.deepEqual(told(), [
      'You: Write it in upper case as @a.ts does',
      'Sent along: a.ts. Not found, so text only: @none.',
      'Perigee: 2 hunks to review. Charged 1 credit.',
    ]);
  });

  it('asks further about the proposal, and the review is about the text before both', async () => {
    await open();
    await send('upper case', answer, 2);
    const proposed = scene.text;
    await send('now also without the half', second, 2);
    const sent = selectionOf(scene.runs.requests[1]!);
    assert.deepEqual(sent.earlier, ['upper case']);
    assert.deepEqual(sent.selection, { start: 1, end: 5, text: 'TWO\nthree\nfour\nFIVE\nFIVE AND A HALF' });
    assert.equal(scene.text, 'one\nTWO\nthree\nfour\nFIVE\nsix\n');
    await vscode.commands.executeCommand('undo');
    await scene.shows(before);
    await vscode.commands.executeCommand('undo');
    await scene.shows(proposed);
    await scene.reviewed(2);
  });

  it('is under review again after undos through a further proposal that keeps some of it', async () => {
    await open();
    await send('upper case', answer, 2);
    const proposed = scene.text;
    await send('now also name it', '```\nNAMED\nTWO\nthree\nfour\nFIVE\nFIVE AND A HALF\n```\n', 2);
    await vscode.commands.executeCommand('undo');
    await scene.shows(before);
    await vscode.commands.executeCommand('undo');
    await scene.shows(proposed);
    await scene.reviewed(2);
    await vscode.commands.executeCommand('undo');
    await scene.shows(before);
  });

  it('rejects both with one word, and accepts both', async () => {
    for (const isAccepted of [false, true]) {
      await open();
      await send('upper case', answer, 2);
      await send('now also without the half', second, 2);
      if (isAccepted) await scene.edits.reviews.acceptAllHunks();
      else await scene.edits.reviews.rejectAllHunks();
      await scene.idle();
      assert.equal(scene.text, isAccepted ? 'one\nTWO\nthree\nfour\nFIVE\nsix\n' : before);
      scene.editor.selection = new vscode.Selection(1, 0, 4, 4);
    }
  });

  it('asks the same again, and takes the proposal back first', async () => {
    await open();
    await send('upper case', answer, 2);
    const over = inline.regenerate(thread());
    await scene.until(() => scene.runs.requests.length === 2);
    assert.equal(scene.text, before);
    scene.runs.write(second);
    scene.runs.done();
    await scene.until(() => scene.text.includes('FIVE\nsix'));
    await over;
    const [first, again] = scene.runs.requests;
    assert.deepEqual(selectionOf(again!), selectionOf(first!));
    assert.notEqual(again!.id, first!.id);
  });

  it('keeps the proposal when the further request fails, and gives its text back', async () => {
    await open();
    await send('upper case', answer, 2);
    const proposed = scene.text;
    const { over } = await begin('now also shorter');
    scene.runs.fail();
    await scene.shows(proposed);
    await scene.reviewed(2);
    await over;
    await scene.until(() => input()?.getText() === 'now also shorter');
    assert.match(told().at(-1)!, /^Perigee: .*stopped answering.* Not charged\. The earlier proposal is back\.$/);
    assert.match(thread().contextValue!, /^told retry/);
    await scene.edits.reviews.rejectAllHunks();
    await scene.shows(before);
  });

  it('asks again about the same lines after a further request that failed, and nothing else is touched', async () => {
    for (const way of ['regenerate', 'send'] as const) {
      await open();
      await send('upper case', answer, 2);
      const { over } = await begin('now also shorter');
      scene.runs.fail();
      await scene.reviewed(2);
      await over;
      await scene.until(() => input()?.getText() === 'now also shorter');
      const { length } = scene.runs.requests;
      const again =
        way === 'send' ? inline.send({ thread: thread(), text: 'now also shorter' }) : inline.regenerate(thread());
      await scene.until(() => scene.runs.requests.length > length);
      const sent = selectionOf(scene.runs.requests.at(-1)!);
      assert.deepEqual(sent.selection, { start: 1, end: 5, text: 'TWO\nthree\nfour\nFIVE\nFIVE AND A HALF' });
      assert.deepEqual([sent.before, sent.after, sent.earlier], ['one', 'six\n', ['upper case']]);
      scene.runs.write(second);
      scene.runs.done();
      await again;
      await scene.shows('one\nTWO\nthree\nfour\nFIVE\nsix\n');
      await scene.reviewed(2);
      await scene.edits.reviews.rejectAllHunks();
      await scene.shows(before);
      await scene.idle();
      scene.editor.selection = new vscode.Selection(1, 0, 4, 4);
    }
  });

  it('asks the same about the proposal that stands there when a further request had failed', async () => {
    await open();
    await send('upper case', answer, 2);
    const { over } = await begin('now also shorter');
    scene.runs.fail();
    await scene.reviewed(2);
    await over;
    await scene.until(() => input()?.getText() === 'now also shorter');
    await scene.editor.edit((edit) => edit.insert(new vscode.Position(2, 5), ' and a half'));
    const { length } = scene.runs.requests;
    const again = inline.regenerate(thread());
    await scene.until(() => scene.runs.requests.length > length);
    const { selection } = selectionOf(scene.runs.requests.at(-1)!);
    assert.equal(selection.text, 'TWO\nthree and a half\nfour\nFIVE\nFIVE AND A HALF');
    scene.runs.fail();
    await again;
    await scene.shows('one\nTWO\nthree and a half\nfour\nFIVE\nFIVE AND A HALF\nsix\n');
  });

  it('says in its place that the credits do not suffice, with the way to them, and sends the same once they do', async () => {
    await open();
    const problem = localProblem(
      'Not enough credits',
      'This may cost 2 credits, and 1 is left.',
      'insufficient_credits',
    );
    scene.runs.refusal = new BackendError('refused', problem);
    await inline.send({ thread: thread(), text: 'upper case' });
    await scene.until(() => input()?.getText() === 'upper case');
    assert.equal(
      told().at(-1),
      'Perigee: Not enough credits. This may cost 2 credits, and 1 is left. The file is as it was. Not charged.',
    );
    assert.equal(thread().contextValue, 'told retry quota');
    await send('upper case', answer, 2);
  });

  it('sends the same request again after a lost answer, and another one if another model or effort was chosen', async () => {
    const sent: RunRequest[] = [];
    let chosen = { model: 'chosen first' };
    const session = { call: (use: (token: string) => unknown) => use('token') } as unknown as Session;
    const startRun = async (_: unknown, request: RunRequest) => {
      sent.push(request);
      throw new BackendError('offline', localProblem('Lost', 'Lost.'));
    };
    const runs = runsOf(session, { startRun } as unknown as Backend, () => chosen);
    scene.runs.start = (request) => runs.start(request);
    const lost = () => scene.until(() => sent.length > 0 && /^told retry/.test(inline.thread?.contextValue ?? ''));
    const again = async () => {
      const { length } = sent;
      await lost();
      await inline.regenerate(thread());
      await scene.until(() => sent.length > length);
      return sent.slice(-2).map(({ id, model, effort }) => [id, model, effort]);
    };
    await open();
    await inline.send({ thread: thread(), text: 'upper case' });
    chosen = { model: 'chosen later' };
    const [first, same] = await again();
    assert.deepEqual(same, first);
    const both = ['small', 'large'].map((id) => ({ ...MODEL, id, name: id }));
    Object.assign(models, { models: both, id: 'small' });
    const [, named] = await again();
    assert.notEqual(named![0], first![0]);
    assert.equal(named![1], 'small');
    const [, unchanged] = await again();
    assert.deepEqual(unchanged, named);
    Object.assign(models, { id: 'large', effort: 'max' });
    const [, other] = await again();
    assert.notEqual(other![0], named![0]);
    assert.deepEqual(other!.slice(1), ['large', 'max']);
  });

  it('says in its place why nothing is sent, and gives the text back', async () => {
    read = async () => ({ refused: '.env may hold secrets.' });
    await open();
    await inline.send({ thread: thread(), text: 'as @.env says' });
    assert.deepEqual(told(), ['Perigee: .env may hold secrets.']);
    await scene.until(() => input()?.getText() === 'as @.env says');
    assert.equal(scene.runs.requests.length, 0);
  });

  it('keeps what was typed and not sent for the next time', async () => {
    await open();
    const edit = new vscode.WorkspaceEdit();
    edit.insert(input()!.uri, new vscode.Position(0, 0), 'first line\nsecond line');
    await vscode.workspace.applyEdit(edit);
    await inline.close();
    assert.deepEqual(scene.prompt.history, ['first line\nsecond line']);
    await open();
    await scene.until(() => input()?.getText() === 'first line\nsecond line');
  });

  it('gives up the lines with the document, and no key to a file that cannot be changed', async () => {
    await open();
    const readOnly = await vscode.workspace.openTextDocument(vscode.Uri.parse('perigee-original:/a.ts?edit=0'));
    const shown = await vscode.window.showTextDocument(readOnly);
    const keys = new EarlyKeys(shown);
    assert.equal(await inline.open(keys), false);
    await keys.stop();
  });

  it('names in its title the lines as they are now', async () => {
    await open();
    assert.match(thread().label!, /^Edit lines 2–5 of /);
    await scene.editor.edit((edit) => edit.insert(new vscode.Position(0, 0), 'one more\n'));
    assert.match(thread().label!, /^Edit lines 3–6 of /);
    await send('upper case', second.replace('FIVE\n', ''), 2);
    assert.match(thread().label!, /^Edit lines 3–5 of /, 'the answer is shorter');
  });

  it('ends with the review', async () => {
    await open();
    await send('upper case', answer, 2);
    review().accept(review().tracked.open.map(({ number }) => number));
    await scene.idle();
    assert.equal(inline.thread, undefined);
  });

  /** As the user types into the editor, over what is selected. */
  const type = (text: string) => scene.editor.edit((edit) => edit.replace(scene.editor.selection, text));

  it('leaves to the file what is typed after it was closed', async () => {
    await scene.prompt.catchingKeys((keys) => inline.open(keys));
    await inline.close();
    await type('Q');
    await scene.shows('one\nQ\nsix\n');
    await open();
    assert.equal(scene.text, 'one\nQ\nsix\n');
  });

  it('hands on to the box what was typed while it did not come', async () => {
    const typed = await scene.prompt.catchingKeys(async () => {
      await type('Q');
      await scene.shows(before);
      return false;
    });
    assert.equal(typed, 'Q');
    const question = scene.prompt.openForSelection(false, typed)!;
    question.close();
    await question.answer;
    assert.deepEqual(scene.prompt.history, ['Q']);
  });

  it('gives the file back what was typed when it could not be opened at all', async () => {
    const opening = scene.prompt.catchingKeys(async () => {
      await type('Q');
      await scene.shows(before);
      throw new Error('no prompt');
    });
    await assert.rejects(opening, /no prompt/);
    assert.equal(scene.text, 'one\nQ\nsix\n');
    assert.ok(scene.editor.selection.isEmpty);
  });

  it('takes what is typed at once after the key also where a proposal stands', async () => {
    await open();
    await send('upper case', answer, 2);
    const proposed = scene.text;
    await vscode.commands.executeCommand('workbench.action.focusActiveEditorGroup');
    scene.editor.selection = new vscode.Selection(1, 0, 4, 4);
    const opening = scene.prompt.catchingKeys((keys) => inline.open(keys));
    await type('Q');
    await opening;
    await scene.until(() => input()?.getText() === 'Q');
    assert.equal(scene.text, proposed);
  });

  it('keeps a prompt that was not sent among the earlier ones when another is typed', async () => {
    await scene.memory.update('edit.unsent', 'kept over a reload');
    const keys = new EarlyKeys(scene.editor);
    const opening = inline.open(keys);
    await type('Q');
    await opening;
    await keys.stop();
    await scene.until(() => input()?.getText() === 'Q');
    assert.deepEqual(scene.prompt.history, ['kept over a reload']);
  });

  /** Two threads with one line each: the first with a proposal, the second open. */
  async function openTwo(): Promise<readonly [vscode.CommentThread, vscode.CommentThread]> {
    scene.editor.selection = new vscode.Selection(1, 0, 1, 3);
    await open();
    await send('a', '```\nTWO\n```\n', 1);
    const first = thread();
    scene.editor.selection = new vscode.Selection(4, 0, 4, 4);
    await open();
    return [first, thread()];
  }

  it('closes the thread whose input has the keys, not the newest', async () => {
    const [first, newest] = await openTwo();
    const shown = () => vscode.window.activeTextEditor?.document;
    const own = shown();
    await vscode.window.showTextDocument(scene.document);
    scene.editor.selection = new vscode.Selection(1, 3, 1, 3);
    const commands = ['workbench.action.focusCommentOnCurrentLine', 'widgetNavigation.focusNext'];
    await vscode.commands.executeCommand('runCommands', { commands });
    await scene.until(() => shown()?.uri.scheme === 'comment' && shown() !== own);
    await inline.close();
    assert.equal(first.collapsibleState, vscode.CommentThreadCollapsibleState.Collapsed);
    assert.equal(inline.thread, newest);
    await inline.close({} as vscode.CommentThread);
    assert.equal(inline.thread, newest);
  });

  it('decides only about its own proposal', async () => {
    const [first] = await openTwo();
    await begin('b');
    scene.runs.write('```\nFIVE\n```\n');
    scene.runs.done();
    await scene.until(
      () => scene.edits.running.length === 2 && scene.edits.running.every(({ phase }) => phase === 'reviewing'),
    );
    assert.equal(scene.text, 'one\nTWO\nthree\nfour\nFIVE\nsix\n');
    await vscode.window.showTextDocument(scene.document);
    await scene.edits.reviews.rejectAllHunks(inline.target(first) as HunkTarget);
    await scene.shows('one\ntwo\nthree\nfour\nFIVE\nsix\n');
    assert.equal(scene.edits.running.length, 1);
  });

  it('stops only its own writing', async () => {
    await openTwo();
    await begin('b');
    const two = thread();
    scene.edits.stopEdit(inline.target({ thread: two, text: '' }) as HunkTarget);
    await scene.until(() => scene.runs.stopped.length === 1);
    assert.deepEqual(scene.runs.stopped, [scene.runs.requests.at(-1)!.id]);
  });

  it('stays when its file gets another language', async () => {
    await open();
    const { over } = await begin('upper case');
    const { document } = scene;
    assert.equal(await vscode.languages.setTextDocumentLanguage(document, 'json'), document);
    assert.ok(inline.thread);
    scene.runs.write(answer);
    scene.runs.done();
    await over;
    await scene.reviewed(2);
  });
});
