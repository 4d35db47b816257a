import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Session } from '../../extension/account/session/session.ts';
import type { Backend, NumberedRunEvent } from '../../extension/backend.ts';
import { OpenConversation } from '../../extension/chat/conversation/openConversation.ts';
import { TextFlow } from '../../extension/chat/conversation/textFlow.ts';
import type { FromHost } from '../../extension/chat/protocol.ts';
import type { Log } from '../../extension/platform/log.ts';
import type { Conversation, Message } from '../../shared/conversations.ts';
import type { RunEvent } from '../../shared/runs.ts';

const answering: Message = {
  ...{ id: randomUUID(), role: 'assistant', kind: 'chat', text: '', runId: randomUUID(), state: 'running' },
  createdAt: '2026-11-29T12:00:00Z',
};

/** A server with one conversation. Its answer's events are played by the test. */
class Server {
  message = answering;
  private readonly events: NumberedRunEvent[] = [];
  private wake = () => {};
  readonly posted: FromHost[] = [];
  readonly open: OpenConversation;

  constructor() {
    const backend = {
      conversation: async (): Promise<Conversation> => ({
        ...{ id: randomUUID(), title: 'Chat', kind: 'chat', updatedAt: answering.createdAt },
        ...{ messages: [this.message], before: null },
      }),
      runEvents: (_: unknown, __: string, after: number) => this.read(after),
    };
    const session = { call: (use: (who: unknown) => unknown) => use({}), credential: async () => ({}) };
    this.open = new OpenConversation(randomUUID(), {
      ...{ session: session as unknown as Session, backend: backend as unknown as Backend },
      log: { warn: assert.fail, error: assert.fail } as unknown as Log,
      post: (message) => this.posted.push(structuredClone(message)),
      isOwnRun: () => true,
    });
  }

  private async *read(after: number): AsyncGenerator<NumberedRunEvent> {
    for (let at = after; ; at++) {
      while (at >= this.events.length) await new Promise<void>((resolve) => (this.wake = resolve));
      yield this.events[at]!;
      if (this.events[at]!.type === 'done') return;
    }
  }

  /** Resolves when the conversation has it. */
  async say(event: RunEvent): Promise<void> {
    this.events.push({ ...event, seq: this.events.length + 1 } as NumberedRunEvent);
    this.wake();
    await new Promise(setImmediate);
  }
}

const thinking = (text: string, at: number, ms: number): RunEvent => ({ type: 'thinking', data: { text, at, ms } });

describe('a conversation whose model thinks', () => {
  it('tells the view the thoughts as they come, and the server’s own at the end', async () => {
    const server = new Server();
    const { open, posted } = server;
    await open.refresh();
    await server.say(thinking('Hm.', 0, 0));
    await server.say(thinking(' So', 3, 400));
    await server.say(thinking(' so', 3, 500));
    assert.deepEqual(open.messages[0]?.thinking, { text: 'Hm. so', ms: 500 });
    open.tell('');
    const told = posted.at(-1) as Extract<FromHost, { type: 'conversation' }>;
    assert.deepEqual(told.messages[0]?.thinking, { text: 'Hm. so', ms: 500 }, 'a page made anew has all of them');
    await open.refresh();
    assert.deepEqual(open.messages[0]?.thinking, { text: 'Hm. so', ms: 500 }, 'the server has none yet');
    await server.say(thinking('.', 6, 600));
    await server.say({ type: 'text', data: { text: 'Yes.', at: 0 } });
    server.message = { ...answering, state: 'complete', text: 'Yes.', thinking: { text: 'Hm. so.', ms: 700 } };
    await server.say({ type: 'done', data: { state: 'complete', chargedMicro: 1, balance: {} as never } });
    await open.refresh();
    assert.deepEqual(open.messages, [server.message]);
    open.dispose();
  });
});

describe('the pieces of a running answer', () => {
  const text = (said: string, at: number) => ({ type: 'text' as const, messageId: 'a', text: said, at });
  const thought = (said: string, at: number, ms: number) => ({ ...text(said, at), type: 'thinking' as const, ms });

  it('are sent together, its thoughts apart from its text', () => {
    const posted: FromHost[] = [];
    const flow = new TextFlow((message) => posted.push(message));
    flow.add(thought('Hm', 0, 0));
    flow.add(thought('. So', 2, 100));
    flow.add(text('Y', 0));
    flow.add(text('es', 1));
    flow.add(thought('. But', 6, 200));
    flow.flush();
    assert.deepEqual(posted, [thought('Hm. So. But', 0, 200), text('Yes', 0)]);
  });

  it('are sent one by one where one does not follow the other', () => {
    const posted: FromHost[] = [];
    const flow = new TextFlow((message) => posted.push(message));
    flow.add(text('Hm', 0));
    flow.add(text('', 0));
    flow.add(thought('Hm', 0, 0));
    flow.add(text('Yes', 0));
    flow.flush();
    assert.deepEqual(posted, [text('Hm', 0), text('Yes', 0), thought('Hm', 0, 0)]);
  });
});
