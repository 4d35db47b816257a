import assert from 'node:assert/strict';
import { NEW, OTHER, told, Window } from './pageless.ts';
import { answer, CONVERSATION, conversation, problem, running, surroundings, user } from './samples.ts';

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

  it('waits for an answer that turns out to be running, with the text in the composer until the host has it', () => {
    const view = new Window();
    view.type('Early');
    view.enter();
    view.tell(surroundings(), told([user('Before'), running()], { draft: '' }));
    assert.deepEqual(
      view.all('send').map(({ text, waits }) => [text, waits]),
      [['Early', true]],
    );
    assert.equal(view.draft, 'Early');
    view.sent();
    assert.equal(view.draft, '');
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

  for (const [typed, isLatest] of [
    ['', true],
    ['half a thought', true],
    ['half a thought', false],
  ] as const)
    it(`${typed ? `is “${typed}”` : 'is empty'} where the editor has stored an earlier text alone, with a page that ${isLatest ? 'kept its last key' : 'may have lost some'}`, () => {
      const view = new Window();
      view.tell(surroundings(), told(messages, { draft: '' }));
      for (const text of ['two', '', typed]) {
        view.chat.setDraft(text);
        view.chat.composing.flush();
      }
      view.load(isLatest);
      view.tell(surroundings(), told(messages, { draft: 'two' }));
      assert.equal(view.draft, typed);
      // What the host never had from this page is somebody else's.
      view.load(isLatest);
      view.tell(surroundings(), told(messages, { draft: 'of another window' }));
      assert.equal(view.draft, ['of another window', typed].filter((text) => text !== '').join('\n\n'));
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
