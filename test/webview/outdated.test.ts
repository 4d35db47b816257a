import assert from 'node:assert/strict';
import type { FromHost, Surroundings } from '../../extension/chat/protocol.ts';
import { Chat } from '../../extension/chat/webview/model/chat.ts';
import type { Saved } from '../../extension/chat/webview/model/host.ts';
import type { ProblemCode } from '../../shared/problems.ts';
import {
  ago,
  answer,
  CONVERSATION,
  changed,
  conversation,
  member,
  problem,
  running,
  surroundings,
  user,
} from './samples.ts';

const OTHER = '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b02';
const offline: Partial<Surroundings> = { connection: { state: 'offline', detail: 'Connection refused.' } };

/** The view without a page. */
function open(...messages: FromHost[]): { chat: Chat; sent: string[] } {
  const kept: Saved = { conversationId: null, anchor: null, edits: {} };
  const sent: string[] = [];
  const chat = new Chat({
    post: (message) => message.type === 'send' && sent.push(message.requestId),
    saved: () => kept,
    save: (part) => void Object.assign(kept, part),
    onMessage: () => {},
  });
  for (const message of messages) chat.receive(message);
  return { chat, sent };
}

type Notice = Extract<FromHost, { type: 'notice' }>;
const notice = (part: Partial<Notice> = {}): Notice => ({
  type: 'notice',
  level: 'error',
  text: 'It failed.',
  ...part,
});
const messages = [user('Before'), answer('Yes')];
const shown = (id: string, part: object = {}) => conversation(messages, { id, chatId: id, ...part } as never);

describe('chat view: what is told goes with what it is about', () => {
  const told: [what: string, notice: Notice, after: FromHost[], isGone: boolean][] = [
    ['stays while nothing about it changes', notice({ of: 'export' }), [surroundings(), shown(CONVERSATION)], false],
    ['goes when another chat is opened', notice({ of: 'export' }), [shown(OTHER)], true],
    [
      'of a lost connection goes when the server is found again',
      notice({ of: 'rename', action: { label: 'Try again', command: 'reconnect' } }),
      [surroundings(offline), surroundings({ connection: { state: 'connecting' } }), surroundings()],
      true,
    ],
    [
      'of a lost connection stays while it is lost',
      notice({ of: 'rename', action: { label: 'Try again', command: 'reconnect' } }),
      [surroundings(offline), surroundings({ connection: { state: 'connecting' } })],
      false,
    ],
    [
      'of terms goes when they are accepted',
      notice({ of: 'regenerate', action: { label: 'Read and accept', command: 'acceptTerms' } }),
      [surroundings(member({ termsDue: '2' })), surroundings(member())],
      true,
    ],
    [
      'of something that could not be attached goes when something is',
      notice({ of: 'attach', level: 'info' }),
      [surroundings({ chips: [{ id: 'a', kind: 'file', label: 'a.ts', tokens: 1 }] })],
      true,
    ],
  ];
  for (const [what, about, after, isGone] of told)
    it(`a notice ${what}`, () => {
      const { chat } = open(surroundings(), shown(CONVERSATION), about, ...after);
      assert.equal(chat.state.notice === null, isGone);
    });

  it('a notice goes when the same is tried again, and no other', () => {
    const { chat } = open(surroundings(), shown(CONVERSATION), notice({ of: 'attachText' }));
    chat.host.post({ type: 'export', id: CONVERSATION });
    assert.ok(chat.state.notice);
    chat.host.post({ type: 'attach', kind: 'file' });
    assert.equal(chat.state.notice, null);
  });

  it('that a message to another chat was not sent is told until one looks there', () => {
    const { chat, sent } = open(surroundings(), shown(CONVERSATION));
    chat.setDraft('Mine');
    chat.sendDraft();
    chat.openConversation(OTHER);
    chat.receive(shown(OTHER));
    chat.receive({ type: 'notSent', requestId: sent[0]!, problem: problem('unavailable') });
    assert.match(chat.state.notice!.text, /to the chat before was not sent/);
    assert.equal(chat.state.notice!.chatId, CONVERSATION);
    // Nothing was sent there: the server does not know it yet.
    chat.receive(conversation([], { chatId: CONVERSATION, draft: 'Mine' } as never));
    assert.equal(chat.state.notice, null);
  });

  /** A message that is refused. */
  function refused(code: ProblemCode, part: object, ...before: FromHost[]) {
    const { chat, sent } = open(surroundings(), shown(CONVERSATION), ...before);
    chat.setDraft('Mine');
    chat.sendDraft();
    chat.receive({ type: 'notSent', requestId: sent[0]!, problem: problem(code, part) });
    assert.ok(chat.state.refusal);
    return chat;
  }

  for (const [code, part, cause, end] of [
    ['unavailable', { status: 0 }, surroundings(offline), surroundings()],
    ['terms_changed', {}, surroundings(member({ termsDue: '2' })), surroundings(member())],
    [
      'account_closing',
      {},
      surroundings(member({ closing: { at: ago(1), goneAt: ago(-9) } as never })),
      surroundings(member()),
    ],
  ] as [ProblemCode, object, FromHost, FromHost][])
    it(`a refusal for ${code} goes when that is over, and the text stays`, () => {
      const chat = refused(code, part);
      chat.receive(cause);
      assert.ok(chat.state.refusal);
      chat.receive(end);
      assert.equal(chat.state.refusal, null);
      assert.equal(chat.state.draft, 'Mine');
    });

  it('a refusal goes when its text is removed or replaced, and stays while it is edited', () => {
    for (const [draft, isGone] of [
      ['Mine, and more', false],
      ['More first\n\nMine', false],
      ['', true],
      ['/explain', true],
    ] as const) {
      const chat = refused('invalid_request', {});
      chat.setDraft(draft);
      assert.equal(chat.state.refusal === null, isGone, draft);
      chat.setDraft('Mine');
      assert.equal(chat.state.refusal === null, isGone, 'it does not come back');
    }
  });

  it('a refusal of what is attached stays when the server is found again', () => {
    const chat = refused('invalid_request', { status: 0 });
    chat.receive(surroundings(offline));
    chat.receive(surroundings());
    assert.ok(chat.state.refusal);
  });

  it('a refusal for want of credits goes when there are enough', () => {
    const chat = refused('insufficient_credits', { neededMicro: 50_000_000, availableMicro: 1 });
    const left = (availableMicro: number) => {
      const { value } = surroundings(member()) as Extract<FromHost, { type: 'surroundings' }>;
      const { account } = chat.state.surroundings!;
      chat.receive(surroundings({ account, balance: { ...value.balance!, availableMicro } }));
    };
    left(1);
    left(2);
    assert.ok(chat.state.refusal);
    left(60_000_000);
    assert.equal(chat.state.refusal, null);
  });

  it('that the conversation is answering goes when it has answered', () => {
    const there = running();
    const chat = refused('conversation_busy', { runId: there.runId });
    chat.receive(changed([there]));
    assert.ok(chat.state.refusal);
    chat.hint('Still answering.', true);
    chat.receive(changed([{ ...there, state: 'complete', text: 'Yes', chargedMicro: 1 }]));
    assert.equal(chat.state.refusal, null);
    assert.equal(chat.state.hint, null);
  });
});
