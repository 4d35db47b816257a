import assert from 'node:assert/strict';
import {
  AnswerChangesHost,
  type Applied,
  type ChangeSource,
  type ChatEdits,
  type KeptCheckpoint,
} from '../../extension/chat/answers/answerChanges.ts';
import type { AnswerChanges, FromHost } from '../../extension/chat/protocol.ts';
import { Emitter } from '../../extension/platform/emitter.ts';
import type { Message } from '../../shared/conversations.ts';

const ID = '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b01';
const RUN = '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b02';
const OTHER = '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b03';
const answer: Message = {
  ...{ id: ID, role: 'assistant', kind: 'chat', text: 'The host’s own text', runId: RUN, state: 'complete' },
  createdAt: new Date(0).toISOString(),
};

/** The edits as the chat knows them, played by the test. */
class PlayedEdits implements ChatEdits {
  readonly asked: { text: string; language?: string; path?: string; source: ChangeSource }[] = [];
  readonly shown: ChangeSource[] = [];
  readonly turned: string[] = [];
  kept: KeptCheckpoint[] = [];
  loaded = 0;
  readonly changed = new Emitter<void>();
  applied: Promise<Applied> = Promise.resolve({ kind: 'review', skipped: [] });
  decide: () => void = () => {};
  private readonly decision = new Promise<void>((resolve) => {
    this.decide = resolve;
  });

  applyCode = (code: PlayedEdits['asked'][number]) => {
    this.asked.push(code);
    return this.applied;
  };
  applyAnswer = this.applyCode;
  readonly placed: Parameters<ChatEdits['placeCode']>[0][] = [];
  comesToReview: Promise<boolean> = Promise.resolve(true);
  placeCode = (code: PlayedEdits['placed'][number]) => {
    this.placed.push(code);
    return this.comesToReview;
  };
  decided = () => this.decision;
  show = async (source: ChangeSource) => void this.shown.push(source);
  checkpoints = async () => {
    this.loaded++;
    return {
      list: async () => this.kept,
      onDidChange: (listener: () => void) => this.changed.event(listener),
      takeBack: async (id: string) => this.turned.push(`back ${id}`),
      applyAgain: async (id: string) => this.turned.push(`again ${id}`),
    };
  };
  keep(source: ChangeSource, isTakenBack = false): void {
    const files = [{ path: 'a.ts', change: 'updated' as const, added: 1, removed: 0, isTakenBack }];
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
    edits.decide();
    await until(() => blocks().b1 === undefined);
    host.tell();
    edits.keep(edits.asked[0]!.source);
    await until(() => blocks().b1 !== undefined);
    assert.deepEqual(blocks(), { b1: { state: 'applied' } });
    assert.equal(told.at(-1)?.[ID]?.checkpoints[0]?.at, '1970-01-01T00:00:00.000Z');
    edits.keep(edits.asked[0]!.source, true);
    await until(() => blocks().b1 === undefined);
    assert.equal(told.at(-1)?.[ID]?.checkpoints.length, 1);
  });

  it('are taken as a whole from the host’s own text, once the answer has ended', async () => {
    messages = [{ ...answer, state: 'running' }];
    await host.do({ type: 'applyAll', messageId: ID });
    assert.equal(edits.asked.length, 0);
    messages = [answer];
    edits.applied = Promise.resolve({ kind: 'proposal', files: 2, refused: 1, skipped: ['a command'] });
    await host.do({ type: 'applyAll', messageId: ID });
    assert.equal(edits.asked[0]?.text, answer.text);
    assert.equal(edits.asked[0]?.source.title, 'Answer in “Its title”');
    const all = told.at(-1)?.[ID]?.all;
    assert.ok(all?.state === 'review');
    assert.equal(all.why, '1 of 3 files can’t be changed: the list says why. Left out: a command.');
    await host.do({ type: 'showReview', messageId: ID });
    assert.equal(edits.shown.length, 1);
  });

  it('tell which files of the whole were accepted, and stand', async () => {
    await host.do({ type: 'applyAll', messageId: ID });
    edits.keep(edits.asked[0]!.source);
    await until(() => told.at(-1)?.[ID]?.accepted !== undefined);
    assert.deepEqual(told.at(-1)?.[ID]?.accepted, ['a.ts']);
    edits.keep(edits.asked[0]!.source, true);
    await until(() => told.at(-1)?.[ID]?.accepted === undefined);
  });

  it('say why they were refused, and nothing when the user thought better of it', async () => {
    edits.applied = Promise.resolve({ kind: 'refused', message: 'No such lines.' });
    await host.do(apply);
    assert.deepEqual(blocks(), { b1: { state: 'refused', why: 'No such lines.' } });
    edits.applied = Promise.resolve({ kind: 'nothing' });
    await host.do(apply);
    assert.deepEqual(blocks(), {});
    edits.applied = Promise.reject(new Error('broken'));
    await assert.rejects(host.do(apply), /broken/);
    assert.deepEqual(blocks(), {});
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
    edits.decide();
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
