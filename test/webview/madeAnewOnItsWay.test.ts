import assert from 'node:assert/strict';
import { NEW, OTHER, told, Window } from './pageless.ts';
import { answer, CONVERSATION, conversation, problem, surroundings, user } from './samples.ts';

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
