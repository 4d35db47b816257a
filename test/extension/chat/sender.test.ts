import assert from 'node:assert/strict';
import type { Session } from '../../../extension/account/session/session.ts';
import type { Backend } from '../../../extension/backend.ts';
import { Drafts } from '../../../extension/chat/context/drafts.ts';
import { OpenRecord } from '../../../extension/chat/conversation/openRecord.ts';
import { Sender } from '../../../extension/chat/conversation/sender.ts';
import type { ModelChoice } from '../../../extension/chat/modelChoice.ts';
import { BackendError, localProblem } from '../../../extension/platform/server/backendError.ts';
import type { Message } from '../../../shared/conversations.ts';
import type { RunRequest } from '../../../shared/runs.ts';
import { Memory } from './chatScene.ts';

const lost = () => BackendError.offline('the connection was cut');
const refused = (code: 'run_id_reused' | 'insufficient_credits', status: number) =>
  new BackendError('refused', { ...localProblem('No', 'no', code), status });

describe('sending', () => {
  const conversationId = crypto.randomUUID();
  const memory = new Memory();
  let requests: RunRequest[];
  /** What the server does with each request in turn; undefined: it takes it. */
  let fates: (BackendError | undefined)[];
  let onServer: Message[];
  const question = { text: 'Why?', chips: [] };

  beforeEach(() => {
    requests = [];
    fates = [];
    onServer = [];
    memory.values.clear();
  });

  /** A sender as it is after a start of the window, with what the editor kept. */
  function open() {
    const drafts = new Drafts(memory);
    const record = new OpenRecord(memory);
    const backend = {
      startRun: async (_: string, request: RunRequest) => {
        requests.push(request);
        assert.equal(drafts.get(conversationId).pending?.runId, request.id, 'stored before it is sent');
        const fate = fates.shift();
        if (fate) throw fate;
        return { run: { id: request.id, messageId: 'answer' } };
      },
    } as unknown as Backend;
    const session = { call: (use: (token: string) => unknown) => use('token') } as unknown as Session;
    const models = { id: 'double' } as ModelChoice;
    const sender = new Sender({ session, backend, drafts, record, models, found: { pieces: async () => [] } });
    return { sender, drafts, record };
  }
  const look = async () => ({ messages: onServer });
  const answerOf = (runId: string): Message => ({
    id: crypto.randomUUID(),
    role: 'assistant',
    kind: 'chat',
    text: '',
    runId,
    state: 'running',
    createdAt: '2026-11-21T09:00:00Z',
  });

  it('names the same run when the answer was lost, also after the window was killed', async () => {
    fates = [lost()];
    await assert.rejects(open().sender.start(conversationId, question, look));
    const again = open();
    await again.sender.start(conversationId, question, look);
    assert.equal(requests[1]?.id, requests[0]?.id);
    assert.equal(again.drafts.get(conversationId).pending, undefined);
    assert.ok(again.record.isOwnRun(requests[0]!.id));
  });

  it('names another run for another text, and after a refusal', async () => {
    const { sender } = open();
    fates = [lost(), refused('insufficient_credits', 402)];
    await assert.rejects(sender.start(conversationId, question, look));
    await assert.rejects(sender.start(conversationId, { text: 'Another', chips: [] }, look));
    await sender.start(conversationId, { text: 'Another', chips: [] }, look);
    assert.equal(new Set(requests.map(({ id }) => id)).size, 3);
  });

  it('keeps what was attached after the answer was lost', async () => {
    const { sender, drafts } = open();
    const chip = (id: string) => ({ id, kind: 'pasted' as const, label: id, text: id, tokens: 1 });
    const [sent, later] = [chip('sent'), chip('later')];
    await drafts.update(conversationId, { text: 'Why?', chips: [sent] });
    fates = [lost()];
    await assert.rejects(sender.start(conversationId, { text: 'Why?', chips: [sent] }, look));
    await drafts.update(conversationId, { chips: [sent, later] });
    await open().sender.settlePending(conversationId, [answerOf(requests[0]!.id)]);
    const { text, chips } = open().drafts.get(conversationId);
    assert.deepEqual([text, chips], ['', [later]]);
  });

  it('refuses more attachments than a message holds, and says how many it has', async () => {
    const { sender } = open();
    const chips = Array.from({ length: 50 }, (_, n) => ({
      ...{ id: `${n}`, kind: 'pasted' as const, label: `${n}`, text: 'x', tokens: 1 },
    }));
    const kept = { text: 'Why?', chips, keep: ['message/0'] };
    const many = /A message holds 50 attachments; this one has 51\. Remove some\./;
    await assert.rejects(sender.start(conversationId, kept, look), many);
    await sender.start(conversationId, { text: 'Why?', chips }, look);
    assert.equal(requests.length, 1);
  });

  it('finds the run that was started with other attachments instead of starting a second', async () => {
    const { sender } = open();
    fates = [lost(), refused('run_id_reused', 409)];
    await assert.rejects(sender.start(conversationId, question, look));
    onServer = [answerOf(requests[0]!.id)];
    const run = await sender.start(conversationId, question, look);
    assert.deepEqual([run.id, run.messageId], [requests[0]!.id, onServer[0]!.id]);
    assert.equal(requests.length, 2);
  });

  it('forgets what was typed once the run turns up on the server, unless something else stands there', async () => {
    const { sender, drafts } = open();
    await drafts.update(conversationId, { text: 'Why?' });
    fates = [lost()];
    await assert.rejects(sender.start(conversationId, question, look));
    assert.equal(await sender.settlePending(conversationId, []), undefined);
    assert.equal(drafts.get(conversationId).text, 'Why?');
    await drafts.update(conversationId, { text: 'Why? And how' });
    assert.equal(await sender.settlePending(conversationId, [answerOf(requests[0]!.id)]), undefined);
    assert.equal(drafts.get(conversationId).text, 'Why? And how');

    fates = [lost()];
    await drafts.update(conversationId, { text: 'Why?' });
    await assert.rejects(sender.start(conversationId, question, look));
    assert.equal((await sender.settlePending(conversationId, [answerOf(requests[1]!.id)]))?.text, 'Why?');
    assert.equal(drafts.get(conversationId).text, '');
  });
});
