import assert from 'node:assert/strict';
import {
  AnswerChangesHost,
  type Applied,
  type ChangeSource,
  type ChatEdits,
  type KeptCheckpoint,
  type Waiting,
} from '../../../extension/chat/answers/answerChanges.ts';
import type { AnswerChanges, FromHost } from '../../../extension/chat/protocol.ts';
import { Emitter } from '../../../extension/platform/emitter.ts';
import type { Message } from '../../../shared/conversations.ts';

const ID = '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b01';
const RUN = '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b02';
const OTHER = '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b03';
const answer: Message = {
  ...{ id: ID, role: 'assistant', kind: 'chat', text: 'The host’s own text', runId: RUN, state: 'complete' },
  createdAt: new Date(0).toISOString(),
};

/** The edits as the chat knows them, played by the test. */
class PlayedEdits implements ChatEdits {
  readonly asked: Parameters<ChatEdits['applyCode']>[0][] = [];
  readonly shown: ChangeSource[] = [];
  readonly turned: string[] = [];
  kept: KeptCheckpoint[] = [];
  loaded = 0;
  readonly changed = new Emitter<void>();
  applied: Promise<Applied> = Promise.resolve({ kind: 'review', skipped: [] });
  waiting: Waiting[] = [];
  readonly decided = new Emitter<void>();
  /** What waits for the user is this from now on. */
  wait(...waiting: Waiting[]): void {
    this.waiting = waiting;
    this.decided.fire();
  }
  /** What the next work brings to review, as the edits do it before they say so. */
  private review(source: ChangeSource, blocks: readonly string[]): Promise<Applied> {
    return this.applied.then((applied) => {
      if (applied.kind === 'review' || applied.kind === 'proposal')
        this.wait(...this.waiting, { source, blocks, paths: ['a.ts'] });
      return applied;
    });
  }

  applyCode = (code: PlayedEdits['asked'][number]) => {
    this.asked.push(code);
    return this.review(code.source, [code.source.block!]);
  };
  readonly answers: Parameters<ChatEdits['applyAnswer']>[0][] = [];
  applyAnswer = (answer: PlayedEdits['answers'][number]) => {
    this.answers.push(answer);
    return this.review(
      answer.source,
      answer.blocks.flatMap(({ name, done }) => (done.length > 0 ? [] : [name])),
    );
  };
  readonly placed: Parameters<ChatEdits['placeCode']>[0][] = [];
  comesToReview: Promise<boolean> = Promise.resolve(true);
  placeCode = (code: PlayedEdits['placed'][number]) => {
    this.placed.push(code);
    return this.comesToReview.then((comes) => {
      if (comes) this.wait({ source: code.source, blocks: [code.source.block!], paths: ['a.ts'] });
      return comes;
    });
  };
  undecided = async () => ({
    list: () => this.waiting,
    onDidChange: (listener: () => void) => this.decided.event(listener),
  });
  show = async ({ source }: Waiting) => void this.shown.push(source);
  checkpoints = async () => {
    this.loaded++;
    return {
      list: async () => this.kept,
      onDidChange: (listener: () => void) => this.changed.event(listener),
      takeBack: async (id: string) => this.turned.push(`back ${id}`),
      applyAgain: async (id: string) => this.turned.push(`again ${id}`),
    };
  };
  keep(source: ChangeSource, isTakenBack = false, more: { blocks?: string[]; partly?: string[] } = {}): void {
    const files = [{ path: 'a.ts', change: 'updated' as const, added: 1, removed: 0, isTakenBack, ...more }];
    this.kept = [{ id: OTHER, source, at: 0, files }];
    this.changed.fire();
  }
}

describe('the changes that answers of the chat propose', () => {
  let edits: PlayedEdits;
  let messages: Message[];
  let told: Record<string, AnswerChanges>[];
  let host: AnswerChangesHost;
  const apply = { type: 'apply', messageId: ID, block: 'b1', text: 'code', language: 'ts', path: 'src/a.ts' } as const;
  const named = (...names: string[]) => names.map((block) => ({ block, text: block, path: 'src/a.ts' }));
  const all = { type: 'applyAll' as const, messageId: ID, blocks: named('b1', 'b2') };
  const heard = new Emitter<void>();
  const blocks = () => told.at(-1)?.[ID]?.blocks ?? {};
  const until = (isSo: () => boolean) =>
    isSo()
      ? Promise.resolve()
      : new Promise<void>((resolve) => {
          const listening = heard.event(() => {
            if (!isSo()) return;
            listening.dispose();
            resolve();
          });
        });

  beforeEach(() => {
    edits = new PlayedEdits();
    messages = [answer];
    told = [];
    host = new AnswerChangesHost(
      edits,
      () => ({ id: 'the conversation', title: 'Its title', messages }),
      (message: FromHost) => {
        if (message.type === 'changes') told.push(message.value);
        heard.fire();
      },
      { info: () => {}, warn: () => {}, error: () => {} },
    );
  });
  afterEach(() => host.dispose());

  it('are applied with their source, and told from the click to the review', async () => {
    await host.do(apply);
    assert.deepEqual(edits.asked, [
      {
        ...{ text: 'code', language: 'ts', path: 'src/a.ts' },
        source: { title: 'Apply to a.ts', runId: RUN, conversationId: 'the conversation', block: 'b1' },
      },
    ]);
    assert.deepEqual(
      told.map((value) => value[ID]?.blocks.b1?.state),
      ['applying', 'review'],
    );
    await host.do({ type: 'showReview', messageId: ID, block: 'b1' });
    assert.deepEqual(edits.shown, [edits.asked[0]!.source]);
  });

  it('count as applied when something of them was accepted, and not when nothing was', async () => {
    await host.do(apply);
    edits.wait();
    await until(() => blocks().b1 === undefined);
    host.tell();
    edits.keep(edits.asked[0]!.source);
    await until(() => blocks().b1 !== undefined);
    assert.deepEqual(blocks(), { b1: { state: 'applied', paths: ['a.ts'] } });
    assert.equal(told.at(-1)?.[ID]?.checkpoints[0]?.at, '1970-01-01T00:00:00.000Z');
    edits.keep(edits.asked[0]!.source, true);
    await until(() => blocks().b1 === undefined);
    assert.equal(told.at(-1)?.[ID]?.checkpoints.length, 1);
  });

  it('are taken as a whole from the host’s own text, once the answer has ended', async () => {
    messages = [{ ...answer, state: 'running' }];
    await host.do(all);
    assert.equal(edits.answers.length, 0);
    messages = [answer];
    edits.applied = Promise.resolve({ kind: 'proposal', files: 2, refused: 1, skipped: ['a command'] });
    await host.do(all);
    assert.equal(edits.answers[0]?.text, answer.text);
    assert.equal(edits.answers[0]?.source.title, 'Answer in “Its title”');
    const said = told.at(-1)?.[ID]?.all;
    assert.ok(said?.state === 'review');
    assert.equal(said.why, '1 of 3 files can’t be changed: the list says why. Left out: a command.');
    await host.do({ type: 'showReview', messageId: ID });
    assert.equal(edits.shown.length, 1);
  });

  it('are told block by block where all were applied at once: in review, applied, in part, or none of it', async () => {
    await host.do(all);
    const { source } = edits.answers[0]!;
    assert.deepEqual(blocks(), { b1: { state: 'review' }, b2: { state: 'review' } });
    edits.keep(source, false, { blocks: ['b1'] });
    edits.wait();
    await until(() => blocks().b1?.state === 'applied');
    assert.deepEqual(blocks(), { b1: { state: 'applied', paths: ['a.ts'] } }, 'the other was rejected');
    assert.equal(told.at(-1)?.[ID]?.all, undefined);
    // An undo of the rejection.
    edits.wait({ source, blocks: ['b2'], paths: ['a.ts'] });
    assert.deepEqual(blocks(), { b1: { state: 'applied', paths: ['a.ts'] }, b2: { state: 'review' } });
    await host.do({ type: 'showReview', messageId: ID, block: 'b2' });
    assert.deepEqual(edits.shown, [source]);
    edits.wait();
    edits.keep(source, false, { blocks: ['b1', 'b2'], partly: ['b2'] });
    await until(() => blocks().b2?.state === 'applied');
    assert.deepEqual(blocks().b2, { state: 'applied', paths: ['a.ts'], isPart: true });
    edits.keep(source, true, { blocks: ['b1', 'b2'] });
    await until(() => blocks().b1 === undefined);
    assert.deepEqual(blocks(), {});
  });

  it('are left out of all at once when they are applied or in review, but not when they were taken back', async () => {
    const left = () => edits.answers.at(-1)?.blocks.map(({ name, done }) => [name, done]);
    await host.do(apply);
    await host.do(all);
    assert.deepEqual(left(), [
      ['b1', ['a.ts']],
      ['b2', []],
    ]);
    const { source } = edits.asked[0]!;
    edits.wait();
    edits.keep(source);
    await until(() => blocks().b1?.state === 'applied');
    await host.do(all);
    assert.deepEqual(left(), [
      ['b1', ['a.ts']],
      ['b2', []],
    ]);
    edits.wait();
    edits.keep(source, true);
    await until(() => blocks().b1 === undefined);
    await host.do(all);
    assert.deepEqual(left(), [
      ['b1', []],
      ['b2', []],
    ]);
  });

  it('wait for what is kept to be read before all at once are applied', async () => {
    const source = { title: 'Apply to a.ts', runId: RUN, block: 'b1' };
    edits.keep(source);
    let read = () => {};
    const reading = new Promise<void>((resolve) => {
      read = resolve;
    });
    const { checkpoints } = edits;
    edits.checkpoints = async () => {
      const kept = await checkpoints();
      return { ...kept, list: () => reading.then(kept.list) };
    };
    host.tell();
    const applying = host.do(all);
    // A later turn of the loop: nothing that is ready by then has been waited for in vain.
    await new Promise((resolve) => setTimeout(resolve));
    assert.equal(edits.answers.length, 0);
    read();
    await applying;
    assert.deepEqual(edits.answers[0]?.blocks[0]?.done, ['a.ts']);
  });

  it('are handed over with the files in which they are applied or wait, and are in part applied if one of these is', async () => {
    const source = { title: 'Apply', runId: RUN, block: 'b1' };
    const file = { change: 'updated' as const, added: 1, removed: 0, isTakenBack: false, blocks: ['b1'] };
    const keep = (...partly: string[]) => {
      const files = ['a.ts', 'b.ts'].map((path) => ({
        ...file,
        path,
        ...(partly.includes(path) && { partly: ['b1'] }),
      }));
      edits.kept = [{ id: OTHER, source, at: 0, files }];
      edits.changed.fire();
    };
    const isPart = () => {
      const { b1 } = blocks();
      return b1?.state === 'applied' && b1.isPart === true;
    };
    keep('b.ts');
    host.tell();
    await until(isPart);
    keep();
    await until(() => !isPart());
    keep('a.ts');
    await until(isPart);
    edits.applied = Promise.resolve({ kind: 'refused', message: 'No such lines.' });
    await host.do(apply);
    assert.deepEqual(blocks().b1, { state: 'refused', why: 'No such lines.' }, 'it was applied in part alone');
    edits.wait({ source, blocks: ['b1'], paths: ['c.ts'] });
    edits.applied = Promise.resolve({ kind: 'review', skipped: [] });
    await host.do(all);
    assert.deepEqual(edits.answers[0]?.blocks[0]?.done, ['a.ts', 'b.ts', 'c.ts']);
  });

  it('say no longer why all at once were refused, once it stands otherwise with one of them', async () => {
    const said = () => told.at(-1)?.[ID]?.all?.state;
    for (const turn of [() => host.do(apply), () => edits.keep({ title: 'By hand', runId: RUN, block: 'b2' })]) {
      edits.applied = Promise.resolve({ kind: 'refused', message: 'No such lines.' });
      await host.do(all);
      assert.equal(said(), 'refused');
      edits.applied = Promise.resolve({ kind: 'review', skipped: [] });
      await turn();
      await until(() => said() === undefined);
    }
  });

  it('are not refused for being applied already', async () => {
    edits.keep({ title: 'Apply to a.ts', runId: RUN, block: 'b1' });
    host.tell();
    await until(() => blocks().b1?.state === 'applied');
    edits.applied = Promise.resolve({ kind: 'refused', message: 'No such lines.', uri: 'file:///w/a.ts' });
    await host.do(apply);
    assert.deepEqual(blocks().b1, {
      state: 'nothing',
      why: 'It was applied already. To apply it anew, take it back first.',
    });
    edits.keep({ title: 'Apply to a.ts', runId: RUN, block: 'b1' }, true);
    await until(() => blocks().b1 === undefined);
  });

  it('say why they were refused, and nothing when the user thought better of it', async () => {
    edits.applied = Promise.resolve({ kind: 'refused', message: 'No such lines.' });
    await host.do(apply);
    assert.deepEqual(blocks(), { b1: { state: 'refused', why: 'No such lines.' } });
    edits.applied = Promise.resolve({ kind: 'refused', message: 'Read-only.', isOfEditor: true });
    await host.do(apply);
    assert.deepEqual(blocks(), { b1: { state: 'refused', why: 'Read-only.', isOfEditor: true } });
    edits.applied = Promise.resolve({ kind: 'nothing' });
    await host.do(apply);
    assert.deepEqual(blocks(), {});
    edits.applied = Promise.reject(new Error('broken'));
    await assert.rejects(host.do(apply), /broken/);
    assert.deepEqual(blocks(), {});
  });

  it('ask how a block is meant, and are applied as the user says', async () => {
    const [uri, message] = ['file:///w/a.ts', 'The code lacks the file’s last line.'];
    edits.applied = Promise.resolve({ kind: 'refused', message, uri, readings: ['file', 'part'] });
    await host.do(apply);
    assert.deepEqual(blocks(), { b1: { state: 'refused', why: message, file: 'a.ts', readings: ['file', 'part'] } });
    edits.applied = Promise.resolve({ kind: 'review', skipped: [] });
    await host.do({ ...apply, reading: 'part' });
    assert.deepEqual(
      edits.asked.map(({ reading }) => reading),
      [undefined, 'part'],
    );
    assert.equal(blocks().b1?.state, 'review');
  });

  it('are placed by a model where their file has no place for them, and the refusal stands again if nothing comes of it', async () => {
    const uri = 'file:///w/src/a%20b.ts';
    edits.applied = Promise.resolve({ kind: 'refused', message: 'No such lines.', uri });
    await host.do(apply);
    const refused = { b1: { state: 'refused', why: 'No such lines.', file: 'a b.ts' } };
    assert.deepEqual(blocks(), refused);
    edits.comesToReview = Promise.resolve(false);
    await host.do({ type: 'placeCode', messageId: ID, block: 'b1' });
    const { source } = edits.asked[0]!;
    assert.deepEqual(edits.placed, [{ text: 'code', language: 'ts', uri, source }]);
    assert.deepEqual(blocks(), refused);
    edits.comesToReview = Promise.resolve(true);
    await host.do({ type: 'placeCode', messageId: ID, block: 'b1' });
    assert.deepEqual(blocks(), { b1: { state: 'review' } });
    edits.wait();
    await until(() => blocks().b1 === undefined);
    await host.do({ type: 'placeCode', messageId: ID, block: 'b1' });
    assert.equal(edits.placed.length, 2, 'there is nothing to place any more');
  });

  it('are applied once, however often one clicks, and of answers alone that are shown', async () => {
    let end = (_: Applied) => {};
    edits.applied = new Promise((resolve) => {
      end = resolve;
    });
    const first = host.do(apply);
    await host.do(apply);
    end({ kind: 'review', skipped: [] });
    await first;
    await host.do({ ...apply, messageId: OTHER });
    messages = [{ ...answer, role: 'user' }];
    await host.do(apply);
    assert.equal(edits.asked.length, 1);
  });

  it('are told under the answers whose runs made them, edits too, and taken back when that is wished', async () => {
    messages = [];
    host.tell();
    assert.equal(edits.loaded, 0, 'nothing is loaded for a chat without answers');
    messages = [{ ...answer, kind: 'edit' }];
    edits.keep({ title: 'Edit a.ts', runId: RUN });
    host.tell();
    await until(() => told.at(-1)?.[ID] !== undefined);
    assert.deepEqual(
      told.at(-1)?.[ID]?.checkpoints.map(({ id }) => id),
      [OTHER],
    );
    await host.do({ type: 'takeBack', checkpointId: OTHER });
    await host.do({ type: 'applyAgain', checkpointId: OTHER });
    assert.deepEqual(edits.turned, [`back ${OTHER}`, `again ${OTHER}`]);
  });
});
