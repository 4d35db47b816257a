import assert from 'node:assert/strict';
import { chatPage } from '../../extension/chat/page.ts';
import { scopeOf } from '../../extension/chat/scope.ts';
import { connectHost } from '../../extension/chat/webview/model/connect.ts';
import { NEW, OTHER, told, Window } from './pageless.ts';
import { answer, CONVERSATION, conversation, problem, surroundings, user } from './samples.ts';

for (const isLatest of [true, false])
  describe(`chat view: what is typed while the page is made anew (${isLatest ? 'all of it was kept' : 'by the editor’s store'})`, () => {
    const messages = [user('Before'), answer('Yes')];

    it('is in the composer again when nobody had heard of it yet', () => {
      const view = new Window();
      view.type('Early');
      view.load(isLatest);
      assert.equal(view.draft, 'Early');
      view.tell(surroundings(), told(messages, { draft: 'left' }));
      assert.deepEqual([view.draft, view.chat.state.aside?.text], ['Early', 'left']);
    });

    it('is in the composer again when its last letters were not told', () => {
      const view = new Window();
      view.tell(surroundings(), told(messages, { draft: 'le' }));
      view.type('ft');
      view.load(isLatest);
      view.tell(surroundings(), told(messages, { draft: 'le' }));
      assert.equal(view.draft, 'left');
      assert.equal(view.chat.state.aside, null);
    });

    it('stands beside what another window has left there meanwhile', () => {
      const view = new Window();
      view.tell(surroundings(), told(messages, { draft: '' }));
      view.type('mine');
      view.load(isLatest);
      view.tell(surroundings(), told(messages, { draft: 'theirs' }));
      assert.ok(view.seen.includes('mine') && view.seen.includes('theirs'), view.seen);
    });

    it('does not return after it was sent', () => {
      const view = new Window();
      view.tell(surroundings(), told(messages, { draft: '' }));
      view.type('Hello');
      view.enter();
      view.sent();
      view.load(isLatest);
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
      view.load(isLatest);
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
        view.load(isLatest);
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
        view.load(isLatest);
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
      view.load(isLatest);
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
          view.load(isLatest);
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
          view.load(isLatest);
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
        view.load(isLatest);
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
      view.load(isLatest);
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
      view.load(isLatest);
      view.tell(surroundings(), told([], { id: null, chatId: NEW, draft: '' } as never));
      assert.deepEqual(view.all('send'), []);
      assert.equal(view.draft, '');
    });

    it('stands in the composer before anything is told, and nothing jumps when it is', () => {
      const view = new Window();
      view.tell(surroundings(), told(messages, { draft: '' }));
      view.type('half a thought');
      view.load(isLatest);
      assert.equal(view.draft, 'half a thought');
      view.tell(surroundings(), told([], { draft: 'half a thought' }), told(messages, { draft: 'half a thought' }));
      assert.deepEqual([view.draft, view.chat.state.aside], ['half a thought', null]);
    });

    it('goes on from there, and is told to the host as one', () => {
      for (const stored of ['', 'hal', 'half']) {
        const view = new Window();
        view.tell(surroundings(), told(messages, { draft: stored }));
        view.chat.setDraft('half');
        view.load(isLatest);
        view.type(' a thought');
        view.load(isLatest);
        view.type('.');
        view.tell(surroundings(), told(messages, { draft: stored }));
        assert.deepEqual([view.draft, view.chat.state.aside], ['half a thought.', null], stored);
        const last = view.all('draft').at(-1);
        assert.deepEqual([last?.text, last?.chatId], ['half a thought.', CONVERSATION], stored);
      }
    });

    it('is sent once with Enter before the chat is there', () => {
      const view = new Window();
      view.tell(surroundings(), told(messages, { draft: '' }));
      view.type('Hello');
      view.load(isLatest);
      view.type(' there');
      view.enter();
      view.tell(surroundings(), told(messages, { draft: 'Hello' }));
      assert.deepEqual(
        view.all('send').map(({ text, chatId }) => [text, chatId]),
        [['Hello there', CONVERSATION]],
      );
      view.sent();
      assert.equal(view.seen, '');
    });

    it('does not return where it was deleted before the chat is there', () => {
      const view = new Window();
      view.tell(surroundings(), told(messages, { draft: '' }));
      view.type('half');
      view.load(isLatest);
      view.chat.setDraft('');
      view.tell(surroundings(), told(messages, { draft: 'half' }));
      assert.equal(view.seen, '');
      assert.equal(view.all('draft').at(-1)?.text, '');
    });

    it('is not written over what another window has left there meanwhile', () => {
      for (const typed of ['', ' more']) {
        const view = new Window();
        view.tell(surroundings(), told(messages, { draft: '' }));
        view.type('mine');
        view.load(isLatest);
        view.type(typed);
        view.tell(surroundings(), told(messages, { draft: 'theirs' }));
        assert.ok(view.seen.includes(`mine${typed}`) && view.seen.includes('theirs'), view.seen);
        assert.equal(view.seen.split('mine').length, 2, 'once');
      }
    });

    it('stays with its chat when another one is open, which has a draft of its own', () => {
      const view = new Window();
      view.tell(surroundings(), told(messages, { draft: '' }));
      view.type('mine');
      view.load(isLatest);
      view.type('!');
      view.enter();
      view.tell(surroundings(), conversation([user('Other')], { id: OTHER, chatId: OTHER, draft: 'theirs' } as never));
      assert.deepEqual([view.draft, view.chat.state.aside], ['theirs', null]);
      assert.deepEqual(view.all('draft').at(-1), { type: 'draft', text: 'mine!', chatId: CONVERSATION });
      assert.deepEqual(view.all('send'), []);
      assert.match(view.chat.state.hint?.text ?? '', /Not sent.*kept/);
    });

    it('comes along when its chat was never begun and is not there any more', () => {
      const view = new Window();
      view.tell(surroundings(), told([], { id: null, chatId: NEW, draft: '' } as never));
      view.type('mine');
      view.load(isLatest);
      view.tell(surroundings(), told([], { id: null, chatId: OTHER, draft: '' } as never));
      assert.equal(view.draft, 'mine');
      assert.deepEqual(view.all('draft').at(-1), { type: 'draft', text: 'mine', chatId: OTHER });
    });

    it('stays with its chat when another one is opened before that is there', () => {
      const view = new Window();
      view.tell(surroundings(), told(messages, { draft: '' }));
      view.type('mine');
      view.load(isLatest);
      view.type('!');
      view.chat.openConversation(OTHER);
      assert.deepEqual(view.all('draft').at(-1), { type: 'draft', text: 'mine!', chatId: CONVERSATION });
      view.tell(told(messages, { draft: 'mine' }));
      view.tell(conversation([user('Other')], { id: OTHER, chatId: OTHER, draft: 'theirs' } as never));
      assert.deepEqual([view.draft, view.chat.state.aside], ['theirs', null]);
    });
  });

for (const isLatest of [true, false])
  describe(`chat view: a message on its way when the page was closed, more than five minutes ago (${isLatest ? 'all of it was kept' : 'by the editor’s store'})`, () => {
    const messages = [user('Before'), answer('Yes')];
    /** `Hello` was sent, and its page was closed before it heard what became of it. `more` was typed after Enter. */
    function closed(more = ''): { view: Window; requestId: string } {
      const view = new Window();
      view.tell(surroundings(), told(messages, { draft: '' }));
      view.type('Hello');
      view.enter();
      const { requestId } = view.all('send')[0]!;
      view.type(more);
      view.pass(6);
      view.load(isLatest);
      return { view, requestId };
    }
    const isSaid = (view: Window) => /Not sent/.test(`${view.chat.state.hint?.text} ${view.chat.state.spoken.text}`);

    for (const more of ['', ' and more'])
      it(`is asked about, not sent, and does not come back when it was taken (typed after it: “${more}”)`, () => {
        const { view, requestId } = closed(more);
        view.tell(surroundings(), told([...messages, user('Hello'), answer('Hi')], { draft: '' }));
        assert.deepEqual(view.all('send'), []);
        assert.deepEqual(view.all('findSent'), [{ type: 'findSent', requestId, chatId: CONVERSATION, text: 'Hello' }]);
        assert.ok(!isSaid(view), 'nothing is known yet');
        view.tell({ type: 'sent', requestId });
        assert.equal(view.seen, more);
        assert.ok(!isSaid(view));
        assert.equal(view.all('draft').at(-1)?.text ?? '', more);
        view.load(isLatest);
        view.tell(surroundings(), told(messages, { draft: more }));
        assert.deepEqual([view.all('findSent'), view.seen], [[], more], 'asked about once');
      });

    for (const left of ['', 'Hello'])
      it(`is in the composer, with a word about it, when it was never sent (the host kept “${left}”)`, () => {
        const { view, requestId } = closed();
        view.tell(surroundings(), told(messages, { draft: left }));
        view.tell({ type: 'neverSent', requestId });
        assert.equal(view.seen, 'Hello');
        assert.match(view.chat.state.hint?.text ?? '', /Not sent, because the chat was reloaded/);
        assert.equal(view.chat.state.sending, null);
        view.enter();
        assert.equal(view.all('send').length, 1);
        assert.notEqual(view.all('send')[0]!.requestId, requestId);
      });

    it('is kept with the reason when nobody can say what became of it, and leaves when it turns out to be sent', () => {
      const { view, requestId } = closed();
      view.tell(surroundings(), told(messages, { draft: '' }));
      view.tell({ type: 'notSent', requestId, problem: problem('unavailable', { status: 0 } as never) });
      assert.equal(view.seen, 'Hello');
      assert.ok(view.chat.state.refusal);
      view.tell({ type: 'sent', requestId, text: 'Hello' });
      assert.equal(view.seen, '');
    });

    it('is asked about again by the next page when this one is closed, too, before it hears of it', () => {
      const { view, requestId } = closed();
      view.tell(surroundings(), told(messages, { draft: '' }));
      view.load(isLatest);
      view.tell(surroundings(), told(messages, { draft: '' }));
      assert.equal(view.all('findSent')[0]?.requestId, requestId);
      view.tell({ type: 'sent', requestId });
      assert.equal(view.seen, '');
    });

    for (const isTaken of [true, false])
      it(`goes before what is typed and sent meanwhile, and is ${isTaken ? 'gone' : 'kept beside it'}`, () => {
        const { view, requestId } = closed();
        view.chat.setDraft('');
        view.type('Next');
        view.enter();
        view.tell(surroundings(), told(messages, { draft: '' }));
        assert.deepEqual(view.all('send'), []);
        view.tell({ type: isTaken ? 'sent' : 'neverSent', requestId });
        assert.deepEqual(
          view.all('send').map(({ text }) => text),
          ['Next'],
        );
        view.sent();
        assert.equal(view.seen, isTaken ? '' : 'Hello');
      });

    for (const isTaken of [true, false])
      it(`is ${isTaken ? 'not sent again' : 'sent'} by an Enter that was pressed before its chat was there`, () => {
        const { view, requestId } = closed();
        assert.equal(view.draft, 'Hello');
        view.enter();
        view.tell(surroundings(), told(messages, { draft: isLatest || !isTaken ? 'Hello' : '' }));
        view.tell({ type: isTaken ? 'sent' : 'neverSent', requestId });
        assert.equal(view.all('send').length, isTaken ? 0 : 1);
        if (!isTaken) view.sent();
        assert.equal(view.seen, '');
      });

    it('is asked about, too, when it replaces an earlier one', () => {
      const view = new Window();
      const [first] = messages;
      view.tell(surroundings(), told(messages, { draft: 'half' }));
      view.chat.editing.start(first!.id);
      view.chat.editing.set({ messageId: first!.id, text: 'Better', keep: [] });
      view.chat.sendEdited();
      const { requestId } = view.all('send')[0]!;
      view.pass(6);
      view.load(isLatest);
      view.tell(surroundings(), told(messages, { draft: 'half' }));
      assert.deepEqual(view.all('findSent').at(0), {
        type: 'findSent',
        requestId,
        chatId: CONVERSATION,
        text: 'Better',
        replaces: first!.id,
      });
      view.tell({ type: 'neverSent', requestId });
      assert.deepEqual([view.seen, view.chat.state.editing?.text], ['half', 'Better']);
      assert.ok(isSaid(view));
    });
  });

for (const minutes of [0, 6])
  describe(`chat view: a message on its way in another chat than the one that is shown after a reload (${minutes} minutes later)`, () => {
    const messages = [user('Before'), answer('Yes')];
    const other = conversation([user('Other')], { id: OTHER, chatId: OTHER, draft: 'theirs' } as never);
    function closed(more = ''): { view: Window; requestId: string } {
      const view = new Window();
      view.tell(surroundings(), told(messages, { draft: '' }));
      view.type('Hello');
      view.enter();
      view.type(more);
      const { requestId } = view.all('send')[0]!;
      view.pass(minutes);
      view.load(true);
      view.tell(surroundings(), other);
      return { view, requestId };
    }

    for (const more of ['', ' more'])
      it(`is asked about, and only what was typed after it is left in its chat (“${more}”)`, () => {
        const { view, requestId } = closed(more);
        assert.deepEqual([view.all('send'), view.draft], [[], 'theirs']);
        assert.deepEqual(
          view.all('findSent').map(({ chatId, text }) => [chatId, text]),
          [[CONVERSATION, 'Hello']],
        );
        const drafts = view.all('draft').filter(({ chatId }) => chatId === CONVERSATION);
        assert.equal(drafts.at(-1)?.text, more);
        assert.ok(
          view.posted.findIndex(({ type }) => type === 'draft') <
            view.posted.findIndex(({ type }) => type === 'findSent'),
          'the host puts it back into that draft when it was never sent',
        );
        view.tell({ type: 'sent', requestId });
        assert.deepEqual([view.draft, view.chat.state.notice], ['theirs', null]);
        assert.equal(
          view.chat.state.hint?.text,
          more ? 'What you typed is kept in the chat that it was typed in.' : undefined,
        );
      });

    it('is told of when it was never sent, and put into the composer when its chat is shown by then', () => {
      const { view, requestId } = closed();
      view.tell({ type: 'neverSent', requestId });
      assert.match(view.chat.state.notice?.text ?? '', /not sent.*kept there/);
      assert.equal(view.draft, 'theirs');

      const back = closed();
      back.view.chat.openConversation(CONVERSATION);
      back.view.tell(told(messages, { draft: '' }));
      back.view.tell({ type: 'neverSent', requestId: back.requestId });
      assert.equal(back.view.draft, 'Hello');
    });

    for (const isTaken of [true, false])
      it(`${isTaken ? 'leaves' : 'stays in'} the composer where it came along from a chat that was never begun`, () => {
        const view = new Window();
        view.tell(surroundings(), told([], { id: null, chatId: NEW, draft: '' } as never));
        view.type('Hello');
        view.enter();
        const { requestId } = view.all('send')[0]!;
        view.type(' more');
        view.pass(minutes);
        view.load(true);
        view.tell(surroundings(), told([], { id: null, chatId: OTHER, draft: '' } as never));
        assert.deepEqual([view.all('send'), view.all('findSent')[0]?.chatId], [[], NEW]);
        view.tell({ type: isTaken ? 'sent' : 'neverSent', requestId });
        assert.equal(view.draft, isTaken ? ' more' : 'Hello more');
      });
  });

describe('chat view: a page that is closed before the host has stored what it was told', () => {
  for (const messages of [[], [user('Before'), answer('Yes')]])
    it(`has it all the same in ${messages.length ? 'a chat' : 'a new chat'}, and tells it again`, () => {
      const view = new Window();
      const chat = (draft: string) => told(messages, { id: messages.length ? CONVERSATION : null, draft } as never);
      view.tell(surroundings(), chat(''));
      view.type('half a thought');
      view.chat.composing.flush();
      assert.equal(view.all('draft').at(-1)?.text, 'half a thought');
      view.load(true);
      view.tell(surroundings(), chat(''));
      assert.equal(view.draft, 'half a thought');
      assert.equal(view.all('draft').at(-1)?.text, 'half a thought');
    });

  it('does not return what was sent since, where what it kept is of some seconds before', () => {
    const view = new Window();
    view.tell(surroundings(), told([], { draft: '' }));
    view.type('Hello');
    view.chat.composing.flush();
    view.load(false);
    view.tell(surroundings(), told([user('Hello'), answer('Hi')], { draft: '' }));
    assert.equal(view.seen, '');
  });
});

describe('chat view: what it keeps for the next page', () => {
  /** The editor's store for the view of a workspace, and the session storage of a window. */
  const stores = new Map<string, string>();
  const windows = new Map<string, Map<string, string>>();
  const names = ['acquireVsCodeApi', 'sessionStorage'] as const;
  const before = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
  after(() => {
    for (const [i, name] of names.entries()) {
      if (before[i]) Object.defineProperty(globalThis, name, before[i]);
      else Reflect.deleteProperty(globalThis, name);
    }
  });
  beforeEach(() => {
    stores.clear();
    windows.clear();
  });

  /** A page in a window. `isStored`: the editor has the time to store what the page keeps. */
  function open(window: string, scope: string, isStored = true) {
    const session = windows.get(window) ?? new Map<string, string>();
    windows.set(window, session);
    const put = (name: string, value: unknown) =>
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    put('acquireVsCodeApi', () => ({
      getState: () => JSON.parse(stores.get(scope) ?? 'null') ?? undefined,
      setState: (state: unknown) => isStored && stores.set(scope, JSON.stringify(state)),
      postMessage() {},
    }));
    put('sessionStorage', {
      getItem: (key: string) => session.get(key) ?? null,
      setItem: (key: string, value: string) => session.set(key, value),
      removeItem: (key: string) => session.delete(key),
    });
    const host = connectHost(scope);
    return {
      keep: (text: string) => host.save({ composer: { text, told: '', isAwaiting: true } }),
      get kept() {
        return host.saved()?.composer?.text;
      },
      get isLatest() {
        return host.saved()?.isLatest === true;
      },
    };
  }

  it('has it to the last key after a reload, stored by the editor or not', () => {
    for (const isStored of [true, false]) {
      open('one', `workspace ${isStored}`, isStored).keep('half a thought');
      const page = open('one', `workspace ${isStored}`, isStored);
      assert.deepEqual([page.kept, page.isLatest], ['half a thought', true]);
    }
  });

  for (const isStored of [true, false])
    it(`shows none of it in another workspace that is opened in the same window (${isStored ? 'stored' : 'not stored'} by the editor)`, () => {
      open('one', 'workspace 1', isStored).keep('a secret of the first');
      assert.equal(open('one', 'workspace 2').kept, undefined, 'where the view was never opened');
      open('one', 'workspace 2').keep('of the second');
      assert.equal(open('one', 'workspace 1').kept, 'a secret of the first');
      assert.equal(open('one', 'workspace 2').kept, 'of the second');
    });

  it('takes nothing that was kept before pages had a workspace’s name', () => {
    open('one', 'workspace 1').keep('a secret');
    const session = windows.get('one')!;
    for (const value of [...session.values()]) session.set('perigee chat', value);
    assert.equal(open('one', 'workspace 2').kept, undefined);
  });

  it('takes what another window has kept since for the later one', async () => {
    open('one', 'workspace 1').keep('first');
    const now = Date.now;
    try {
      Date.now = () => now() + 1000;
      open('two', 'workspace 1').keep('second');
    } finally {
      Date.now = now;
    }
    const page = open('one', 'workspace 1');
    assert.deepEqual([page.kept, page.isLatest], ['second', false]);
  });

  const uri = (path: string) => ({ toString: () => `file:///home/me/.editor/User/${path}` });
  const globalStorageUri = uri('globalStorage/perigee');
  const folder = (id: string) => ({ storageUri: uri(`workspaceStorage/${id}/perigee`), globalStorageUri });

  it('names a workspace the same as long as it is the same', () => {
    const scopes = [
      scopeOf(folder('1f00'), true),
      scopeOf(folder('2f00'), true),
      // A workspace file without a folder: the memory is the editor's.
      scopeOf(folder('1f00'), false),
      scopeOf({ storageUri: undefined, globalStorageUri }, false),
      scopeOf({ storageUri: undefined, globalStorageUri: uri('profiles/work/globalStorage/perigee') }, false),
    ];
    assert.equal(new Set(scopes).size, scopes.length);
    // Where another process still holds the folder, as after a quick reload, the editor appends a number.
    for (const n of [1, 2, 10]) assert.equal(scopeOf(folder(`1f00-${n}`), true), scopes[0]);
  });

  it('is named in the page, whatever is in its address', () => {
    const parts = { scriptUri: 's', mathUri: 'm', styleUri: 'c', cspSource: 'self', nonce: 'n' };
    for (const scope of ['workspace file:///a', '"><script>alert(1)</script>', 'ä & b'])
      assert.equal(/ data-scope="([^"<>&]*)"/.exec(chatPage({ ...parts, scope }))?.[1], encodeURIComponent(scope));
  });
});
