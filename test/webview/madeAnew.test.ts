import assert from 'node:assert/strict';
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
