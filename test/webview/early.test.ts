import assert from 'node:assert/strict';
import type { FromHost, ToHost } from '../../extension/chat/protocol.ts';
import { Chat } from '../../extension/chat/webview/model/chat.ts';
import type { Host, Saved } from '../../extension/chat/webview/model/host.ts';
import { answer, CONVERSATION, conversation, problem, running, surroundings, user } from './samples.ts';

const OTHER = '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b02';
const NEW = '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b03';
type Posted<T extends ToHost['type']> = Extract<ToHost, { type: T }>;

/** The view without a page: what it keeps outlives it, as the editor's store does. */
class Window {
  posted: ToHost[] = [];
  private kept: Saved | undefined;
  chat!: Chat;

  constructor() {
    this.load();
  }

  /** The page is made anew: what was in it is gone but for what it had told or kept. */
  load(): void {
    const empty: Saved = { conversationId: null, anchor: null, edits: {} };
    this.posted = [];
    const host: Host = {
      post: (message) => this.posted.push(structuredClone(message)),
      saved: () => structuredClone(this.kept),
      save: (part) => {
        this.kept = structuredClone({ ...empty, ...this.kept, ...part });
      },
      onMessage: () => {},
    };
    this.chat = new Chat(host);
  }

  tell(...messages: FromHost[]): void {
    for (const message of messages) this.chat.receive(message);
  }
  type(text: string): void {
    this.chat.setDraft(this.chat.state.draft + text);
  }
  enter(): void {
    this.chat.sendDraft();
  }
  all<T extends ToHost['type']>(type: T): Posted<T>[] {
    return this.posted.filter((message) => message.type === type) as Posted<T>[];
  }
  get draft(): string {
    return this.chat.state.draft;
  }
  /** Everything of the next message that the user can still see: in the composer, or set aside over it. */
  get seen(): string {
    return [this.chat.state.aside?.text, this.draft].filter(Boolean).join('|');
  }
  sent(): void {
    this.tell({ type: 'sent', requestId: this.all('send').at(-1)!.requestId });
  }
}

const told = (messages: Parameters<typeof conversation>[0], part: Parameters<typeof conversation>[1] = {}) =>
  conversation(messages, { chatId: CONVERSATION, ...part } as never);

/** All orders in which two sequences can meet. */
function* merges<T>(one: readonly T[], other: readonly T[]): Generator<T[]> {
  if (one.length === 0 || other.length === 0) yield [...one, ...other];
  else {
    for (const rest of merges(one.slice(1), other)) yield [one[0]!, ...rest];
    for (const rest of merges(one, other.slice(1))) yield [other[0]!, ...rest];
  }
}

describe('chat view: what is typed while everything starts', () => {
  const messages = [user('Before'), answer('Yes')];

  for (const stored of ['', 'half a thought', 'Early', 'Ear'])
    it(`is sent once, as it was typed, at each moment of the start (${stored ? `“${stored}” was left there` : 'nothing was left there'})`, () => {
      let tried = 0;
      const steps = (view: Window) => {
        const host = [
          () => view.tell(surroundings({ connection: { state: 'connecting' }, account: null, balance: null })),
          // The host knows its chat before the server has told whether it exists.
          () => view.tell(told([], { draft: stored })),
          () => view.tell(surroundings()),
          () => view.tell(told(messages, { draft: stored })),
        ];
        let atEnter = '';
        const hands = [
          () => view.type('Ear'),
          () => view.type('ly'),
          () => {
            atEnter = view.draft;
            view.enter();
          },
        ];
        return { host, hands, atEnter: () => atEnter };
      };
      for (const order of merges([0, 1, 2, 3], [10, 11, 12])) {
        const view = new Window();
        const { host, hands, atEnter } = steps(view);
        for (const step of order) (step < 10 ? host[step]! : hands[step - 10]!)();
        const sends = view.all('send');
        assert.deepEqual([sends.length, sends[0]?.text], [1, atEnter()], String(order));
        const isEarly = order.indexOf(10) < order.indexOf(1);
        assert.equal(sends[0]!.text, isEarly ? 'Early' : `${stored}Early`, String(order));
        assert.equal(view.chat.state.sending?.text, sends[0]!.text, 'shown as on its way');
        view.sent();
        view.tell(told(messages, { draft: '' }));
        // What was left there comes back, unless the very same was typed.
        const typedBefore = order.indexOf(11) < order.indexOf(1) ? 'Early' : 'Ear';
        const isSame = [typedBefore, 'Early'].includes(stored);
        assert.equal(view.draft, isEarly && !isSame ? stored : '', String(order));
        assert.equal(view.chat.state.sending, null);
        tried++;
      }
      assert.equal(tried, 35);
    });

  it('stays where it is when it is not sent, and what was left there is kept beside it', () => {
    const view = new Window();
    view.type('Early');
    view.tell(surroundings(), told([], { draft: 'half a thought' }), told(messages, { draft: 'half a thought' }));
    assert.equal(view.draft, 'Early');
    assert.equal(view.chat.state.aside?.text, 'half a thought');
    assert.equal(
      view.all('draft').at(-1)?.text,
      'half a thought\n\nEarly',
      'both are told, so that neither can be lost',
    );
    view.chat.putBack();
    assert.equal(view.draft, 'half a thought\n\nEarly');
    assert.equal(view.chat.state.aside, null);
  });

  it('comes back with the reason when the server refuses it, at each moment of the start', () => {
    for (const order of merges([0, 1, 2], [10, 11])) {
      const view = new Window();
      const steps: Record<number, () => void> = {
        0: () => view.tell(surroundings({ connection: { state: 'connecting' } })),
        1: () => view.tell(told([], { draft: 'left' })),
        2: () => view.tell(surroundings(), told(messages, { draft: 'left' })),
        10: () => view.type('Early'),
        11: () => view.enter(),
      };
      for (const step of order) steps[step]!();
      const { requestId, text } = view.all('send')[0]!;
      view.tell({ type: 'notSent', requestId, problem: problem('unauthorized') });
      assert.ok(view.draft.includes(text), String(order));
      assert.ok(view.seen.includes('left'), String(order));
      assert.equal(view.chat.state.refusal?.problem.code, 'unauthorized');
      view.chat.retry();
      assert.deepEqual(view.all('send').at(-1)?.text, text);
    }
  });

  it('waits for an answer that turns out to be running, with the text in the composer', () => {
    const view = new Window();
    view.type('Early');
    view.enter();
    view.tell(surroundings(), told([user('Before'), running()], { draft: '' }));
    assert.deepEqual(view.all('send'), []);
    assert.equal(view.draft, 'Early');
    assert.equal(view.chat.state.sending, null);
    assert.match(view.chat.state.hint?.text ?? '', /Still answering\. Your text is kept/);
  });

  it('takes along none of the attachments that were left with an earlier draft', () => {
    const view = new Window();
    const chips = [{ id: 'file secret', kind: 'file' as const, label: 'secret.ts', tokens: 10 }];
    view.type('Early');
    view.enter();
    view.tell(surroundings({ chips }), told([], { draft: '' }));
    assert.deepEqual(view.all('send')[0]!.without, ['file secret']);
    view.sent();
    assert.equal(view.chat.state.aside, null, 'they are attached again');

    const seenFirst = new Window();
    seenFirst.tell(surroundings({ chips }), told([], { draft: '' }));
    seenFirst.type('Now');
    seenFirst.enter();
    assert.equal(seenFirst.all('send')[0]!.without, undefined);
  });

  it('is not overwritten when the same chat is told anew, however late', () => {
    const view = new Window();
    view.tell(surroundings(), told([], { draft: 'left' }));
    view.chat.setDraft('');
    view.tell(told(messages, { draft: 'left' }));
    assert.equal(view.draft, '', 'what was deleted does not return');
    view.type('New');
    view.tell(told(messages, { draft: 'left' }), told(messages, { draft: '' }));
    assert.equal(view.draft, 'New');
  });
});

describe('chat view: what is typed while the page is made anew', () => {
  const messages = [user('Before'), answer('Yes')];

  it('is in the composer again when nobody had heard of it yet', () => {
    const view = new Window();
    view.type('Early');
    view.load();
    assert.equal(view.draft, 'Early');
    view.tell(surroundings(), told(messages, { draft: 'left' }));
    assert.deepEqual([view.draft, view.chat.state.aside?.text], ['Early', 'left']);
  });

  it('is in the composer again when its last letters were not told', () => {
    const view = new Window();
    view.tell(surroundings(), told(messages, { draft: 'le' }));
    view.type('ft');
    view.load();
    view.tell(surroundings(), told(messages, { draft: 'le' }));
    assert.equal(view.draft, 'left');
    assert.equal(view.chat.state.aside, null);
  });

  it('stands beside what another window has left there meanwhile', () => {
    const view = new Window();
    view.tell(surroundings(), told(messages, { draft: '' }));
    view.type('mine');
    view.load();
    view.tell(surroundings(), told(messages, { draft: 'theirs' }));
    assert.ok(view.seen.includes('mine') && view.seen.includes('theirs'), view.seen);
  });

  it('does not return after it was sent', () => {
    const view = new Window();
    view.tell(surroundings(), told(messages, { draft: '' }));
    view.type('Hello');
    view.enter();
    view.sent();
    view.load();
    view.tell(surroundings(), told(messages, { draft: '' }));
    assert.equal(view.draft, '');
    assert.deepEqual(view.all('send'), []);
  });

  it('is asked for once more under the same name when it was on its way', () => {
    const view = new Window();
    view.tell(surroundings(), told(messages, { draft: '' }));
    view.type('Hello');
    view.enter();
    const [first] = view.all('send');
    view.load();
    // The host may have it: the text is part of the draft until it is sent.
    view.tell(surroundings(), told(messages, { draft: 'Hello' }));
    assert.equal(view.chat.state.sending?.requestId, first!.requestId);
    assert.deepEqual(view.all('send'), [first]);
    view.sent();
    assert.equal(view.draft, '');
    view.sent();
    assert.equal(view.draft, '');
  });

  for (const moment of ['before the chat is there', 'while the old one is asked for'])
    it(`is sent after an old one that was kept as if it were still on its way, with Enter ${moment}`, () => {
      const view = new Window();
      view.tell(surroundings(), told(messages, { draft: '' }));
      view.type('Hello');
      view.enter();
      const [old] = view.all('send');
      // The editor’s store may be older than what the host did since.
      view.load();
      if (moment === 'before the chat is there') view.type('Early');
      if (moment === 'before the chat is there') view.enter();
      view.tell(surroundings(), told([...messages, user('Hello'), answer('Hi')], { draft: 'half' }));
      if (moment !== 'before the chat is there') view.type('Early');
      if (moment !== 'before the chat is there') view.enter();
      assert.deepEqual(view.all('send'), [old]);
      view.sent();
      const [, own] = view.all('send');
      assert.equal(own?.text, moment === 'before the chat is there' ? 'Early' : 'halfEarly');
      view.sent();
      assert.equal(view.draft, moment === 'before the chat is there' ? 'half' : '');
    });

  for (const moment of ['before the chat is there', 'while the old one is asked for'])
    it(`stays when it says the same as an old one that was kept as if it were still on its way, typed ${moment}`, () => {
      const view = new Window();
      view.tell(surroundings(), told(messages, { draft: '' }));
      view.type('Go on');
      view.enter();
      view.load();
      if (moment === 'before the chat is there') view.type('Go on');
      view.tell(surroundings(), told([...messages, user('Go on'), answer('Hi')], { draft: '' }));
      if (moment !== 'before the chat is there') view.type('Go on');
      view.sent();
      assert.equal(view.draft, 'Go on');
      view.enter();
      assert.equal(view.all('send').length, 2);
      view.sent();
      assert.equal(view.draft, '');
    });

  it('stays when the host finds the same words sent by the window before', () => {
    const view = new Window();
    view.load();
    view.type('Go on');
    view.tell(surroundings(), told(messages, { draft: 'Go on' }));
    view.tell({ type: 'sent', requestId: crypto.randomUUID(), text: 'Go on' });
    assert.equal(view.draft, 'Go on');
  });

  const lost = problem('unavailable', { status: 0 } as never);
  const notSent = (view: Window) =>
    view.tell({ type: 'notSent', requestId: view.all('send').at(-1)!.requestId, problem: lost });
  const GONE: [title: string, deeds: (view: Window) => void][] = [
    [
      'after its answer was lost and the connection is back',
      (view) => {
        view.type('Hello');
        view.enter();
        notSent(view);
        view.tell(surroundings({ connection: { state: 'offline' } } as never), surroundings());
        view.chat.dismissRefusal();
        view.tell({ type: 'sent', requestId: view.all('send')[0]!.requestId, text: 'Hello' });
      },
    ],
    [
      'after a key was pressed and taken back while it was asked for again',
      (view) => {
        view.type('Hello');
        view.enter();
        view.load();
        view.type('x');
        view.chat.setDraft('');
        view.tell(surroundings(), told(messages, { draft: 'Hello' }));
        view.sent();
      },
    ],
    [
      'after it was put back because it seemed not to be sent',
      (view) => {
        view.type('Hello');
        view.enter();
        view.chat.setDraft('');
        notSent(view);
        assert.equal(view.draft, 'Hello');
        view.tell({ type: 'sent', requestId: view.all('send')[0]!.requestId, text: 'Hello' });
      },
    ],
    [
      'after the page was made anew and it was put back',
      (view) => {
        view.type('Hello');
        view.enter();
        view.load();
        view.tell(surroundings(), told(messages, { draft: '' }));
        notSent(view);
        assert.equal(view.draft, 'Hello');
        view.tell({ type: 'sent', requestId: view.all('send')[0]!.requestId, text: 'Hello' });
      },
    ],
    [
      'after another chat was looked at',
      (view) => {
        view.type('Hello');
        view.enter();
        const { requestId } = view.all('send')[0]!;
        view.chat.openConversation(OTHER);
        view.tell(conversation([], { id: OTHER, chatId: OTHER } as never));
        view.chat.openConversation(CONVERSATION);
        view.tell(told(messages, { draft: 'Hello' }));
        view.tell({ type: 'sent', requestId });
      },
    ],
  ];
  for (const [title, deeds] of GONE)
    it(`leaves the composer when it was sent, also ${title}`, () => {
      const view = new Window();
      view.tell(surroundings(), told(messages, { draft: '' }));
      deeds(view);
      assert.equal(view.seen, '');
      assert.equal(view.all('draft').at(-1)?.text ?? '', '');
    });

  for (const isPutBack of [false, true])
    it(`leaves what is typed meanwhile when it was sent${isPutBack ? ', also when it had been put in front of it' : ''}`, () => {
      const view = new Window();
      view.tell(surroundings(), told(messages, { draft: '' }));
      view.type('Hello');
      view.enter();
      view.load();
      view.type('more');
      view.tell(surroundings(), told(messages, { draft: 'Hello' }));
      if (isPutBack) view.chat.composing.putBack();
      view.sent();
      assert.equal(view.seen, 'more');
      view.enter();
      view.sent();
      assert.equal(view.seen, '');
    });

  it('waits, when Enter is pressed once more at once, and nothing is sent that nobody typed', () => {
    const view = new Window();
    view.tell(surroundings(), told(messages, { draft: '' }));
    view.type('Hello');
    view.enter();
    view.enter();
    view.sent();
    assert.equal(view.all('send').length, 1);
    view.type('one');
    view.enter();
    view.type('two');
    view.enter();
    view.type(' more');
    view.sent();
    assert.deepEqual([view.all('send').length, view.draft], [2, 'two more'], 'what is typed on is not done');
  });

  it('comes back with the reason when it was to be sent before anything was there', () => {
    const view = new Window();
    view.type('Early');
    view.enter();
    view.load();
    view.tell(surroundings(), told(messages, { draft: '' }));
    assert.deepEqual(view.all('send'), [], 'nothing is sent by itself after a reload');
    assert.equal(view.draft, 'Early');
    assert.match(view.chat.state.hint?.text ?? '', /Not sent/);
  });

  it('is not sent in another chat than the one it was written for', () => {
    const view = new Window();
    view.tell(surroundings(), told(messages, { draft: '' }));
    view.type('Hello');
    view.enter();
    view.load();
    view.tell(surroundings(), told([], { id: null, chatId: NEW, draft: '' } as never));
    assert.deepEqual(view.all('send'), []);
    assert.equal(view.draft, '');
  });
});

describe('chat view: what is typed while another chat is being opened', () => {
  const messages = [user('Before'), answer('Yes')];
  function opened(): Window {
    const view = new Window();
    view.tell(surroundings(), told(messages, { draft: '' }));
    return view;
  }
  const other = (draft: string) => conversation([user('Other')], { id: OTHER, chatId: OTHER, draft } as never);
  const fresh = (draft: string) => conversation([], { chatId: NEW, draft } as never);

  for (const [name, open, arrives] of [
    ['a new chat', (view: Window) => view.chat.newChat(), fresh],
    ['an earlier one', (view: Window) => view.chat.openConversation(OTHER), other],
  ] as const)
    for (const draft of ['', 'left there'])
      it(`belongs to ${name}, and is sent there without what stood in the old one (${draft || 'empty'})`, () => {
        const view = opened();
        view.type('old');
        open(view);
        assert.deepEqual([view.all('draft').at(-1)?.text, view.all('draft').at(-1)?.chatId], ['old', CONVERSATION]);
        view.type('new');
        view.enter();
        assert.deepEqual(view.all('send'), []);
        // The old one may be told once more before the other is there.
        view.tell(told(messages, { draft: 'old' }));
        assert.deepEqual(view.all('send'), []);
        view.tell(arrives(draft));
        const [send] = view.all('send');
        assert.deepEqual(
          [send?.text, send?.chatId],
          ['new', draft === '' && name === 'a new chat' ? NEW : send?.chatId],
        );
        view.sent();
        assert.equal(view.draft, draft);
      });

  it('goes to the one that was chosen last', () => {
    const view = opened();
    view.chat.openConversation(OTHER);
    view.chat.openConversation(CONVERSATION);
    assert.deepEqual(
      view.all('openConversation').map(({ id }) => id),
      [OTHER, CONVERSATION],
    );
    view.type('for the last');
    view.tell(other('not this'));
    assert.equal(view.draft, 'for the last');
    view.tell(told(messages, { draft: 'left' }));
    assert.deepEqual([view.draft, view.chat.state.aside?.text], ['for the last', 'left']);
    assert.equal(view.all('draft').at(-1)?.chatId, CONVERSATION);
  });

  it('stays with its own chat when the editor shows another one unasked', () => {
    const view = opened();
    view.type('mine');
    view.tell(other('theirs'));
    assert.equal(view.draft, 'theirs');
    assert.deepEqual(view.all('draft').at(-1), { type: 'draft', text: 'mine', chatId: CONVERSATION });
  });

  it('goes along when its chat becomes one of another account', () => {
    const view = opened();
    view.type('mine');
    view.tell(conversation([], { chatId: NEW, draft: 'mi', moved: true } as never));
    assert.equal(view.draft, 'mine');
    assert.equal(view.all('draft').at(-1)?.chatId, NEW);
  });

  it('says of a message to the old one, which the server refused, that its text is kept there', () => {
    const view = opened();
    view.type('mine');
    view.enter();
    const { requestId } = view.all('send')[0]!;
    view.tell(other(''));
    assert.equal(view.chat.state.sending, null, 'one can send in the other');
    view.tell({ type: 'notSent', requestId, problem: problem('upstream_busy') });
    assert.match(view.chat.state.notice?.text ?? '', /not sent.*kept/i);
    assert.equal(view.draft, '');
  });
});

describe('chat view: a part of the text that stands elsewhere as well', () => {
  function opened(left = ''): Window {
    const view = new Window();
    if (left) view.type('please fix the bug');
    view.tell(surroundings(), told([user('Before'), answer('Yes')], { draft: left }));
    return view;
  }

  for (const left of ['fix', 'please', 'bug', 'please fix', 'e'])
    it(`comes back although it stands in what was sent: “${left}”`, () => {
      const view = opened(left);
      assert.deepEqual([view.draft, view.chat.state.aside?.text], ['please fix the bug', left]);
      view.enter();
      view.sent();
      assert.equal(view.draft, left);
      assert.equal(view.all('draft').at(-1)!.text, left);
    });

  for (const left of ['please fix the bug', 'please'])
    it(`is not kept twice where what is typed begins with it as a paragraph: “${left}”`, () => {
      const view = new Window();
      view.type(left === 'please' ? 'please\n\nfix the bug' : left);
      view.tell(surroundings(), told([], { draft: left }));
      assert.equal(view.chat.state.aside, null);
    });

  it('stays, when the message was changed into another one while it was on its way', () => {
    const view = opened();
    view.type('Yes');
    view.enter();
    for (const draft of ['', 'Y', 'Yes', 'Yesterday it']) view.chat.setDraft(draft);
    view.sent();
    assert.equal(view.draft, 'Yesterday it');
    assert.equal(view.all('draft').at(-1)!.text, 'Yesterday it');
  });

  it('is what was typed behind it meanwhile, blank or not', () => {
    for (const more of ['next', ' next', '\n\nnext']) {
      const view = opened();
      view.type('Yes');
      view.enter();
      view.type(more);
      view.sent();
      assert.equal(view.draft.trim(), 'next');
    }
  });

  it('goes where what was left is put in front of it meanwhile', () => {
    const view = opened('house');
    view.enter();
    view.chat.putBack();
    view.sent();
    assert.equal(view.draft, 'house');
  });
});
