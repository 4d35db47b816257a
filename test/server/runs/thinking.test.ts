import assert from 'node:assert/strict';
import { purgeEvents } from '../../../server/gateway/runs/runs.ts';
import { MAX_THINKING } from '../../../shared/constants.ts';
import { ConversationSchema } from '../../../shared/conversations.ts';
import { RUN_EVENT_SCHEMAS } from '../../../shared/runs.ts';
import type { Script } from '../../doubles/upstream.ts';
import { type Client, endOf, type SeenEvent, textOf } from '../../support/client.ts';
import { onBothEngines } from '../../support/engines.ts';

const chunk = (delta: unknown, finish: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const DONE = `${chunk({}, 'stop')}data: [DONE]\n\n`;
/** An answer in these deltas, each in a packet of its own. */
const deltas = (...given: unknown[]): Script => ({ raw: [...given.map((delta) => chunk(delta)), DONE] });

/** The thoughts, assembled from the events as a client does. */
function thoughtsOf(events: readonly SeenEvent[]): string {
  return events.reduce((text, e) => (e.type === 'thinking' ? text.slice(0, e.data.at) + e.data.text : text), '');
}

async function answerIn(client: Client, conversationId: string) {
  return ConversationSchema.parse((await client.conversation(conversationId)).body).messages.at(-1)!;
}

onBothEngines(
  'a model that thinks',
  (server) => {
    const SERVICES: Record<string, Script> = {
      'in reasoning_content': deltas({ reasoning_content: 'Hm. ' }, { reasoning_content: 'So.' }, { content: 'Yes.' }),
      'in reasoning': deltas({ reasoning: 'Hm. ' }, { reasoning: 'So.' }, { content: 'Yes.' }),
      'in reasoning_details': deltas(
        { reasoning_details: [{ type: 'reasoning.text', text: 'Hm. ' }] },
        { reasoning_details: [{ type: 'reasoning.text', text: 'So.' }], content: 'Yes.' },
      ),
      'in blocks of its content': deltas(
        { content: [{ type: 'thinking', thinking: 'Hm. ' }] },
        {
          content: [
            { type: 'thinking', thinking: 'So.' },
            { type: 'text', text: 'Yes.' },
          ],
        },
      ),
      'in a tag': deltas({ content: '<think>\nHm. ' }, { content: 'So.</th' }, { content: 'ink>\n\nYes.' }),
      'in a tag that its template opened': deltas(
        { content: 'Hm. ' },
        { content: 'So.' },
        { content: '</think>\nYes.' },
      ),
      'and answers whole': {
        raw: [
          JSON.stringify({
            object: 'chat.completion',
            choices: [{ message: { reasoning_content: 'Hm. So.', content: 'Yes.' }, finish_reason: 'stop' }],
          }),
        ],
        headers: { 'content-type': 'application/json' },
      },
    };
    for (const [name, script] of Object.entries(SERVICES))
      it(`${name} tells its thoughts apart from its answer, and both stay`, async () => {
        const guest = await server().guest();
        server().double.script(script);
        const request = guest.chat('well?');
        const events = await guest.run(request);
        for (const { type, data } of events) RUN_EVENT_SCHEMAS[type].parse(data);
        assert.deepEqual([thoughtsOf(events), textOf(events)], ['Hm. So.', 'Yes.']);
        assert(
          events.findIndex((e) => e.type === 'thinking') < events.findLastIndex((e) => e.type === 'text'),
          'the thoughts come first',
        );
        const { text, state, thinking } = await answerIn(guest, request.conversationId);
        assert.deepEqual([text, state, thinking?.text], ['Yes.', 'complete', 'Hm. So.']);
        assert(Number.isInteger(thinking?.ms) && thinking!.ms >= 0 && thinking!.ms < 60_000, `${thinking?.ms} ms`);
      });

    it('gets none of its thoughts back, and they name no conversation and are not searched', async () => {
      const guest = await server().guest();
      const { double } = server();
      double.script({ thoughts: ['A secret ', 'plan.'], text: 'Yes.' });
      const request = guest.chat('first');
      await guest.run(request);
      await guest.run(guest.chat('second', { conversationId: request.conversationId }));
      assert.deepEqual(
        double.bill
          .at(-1)!
          .body.messages!.slice(1)
          .map(({ content }) => content),
        ['first', 'Yes.', 'second'],
      );
      assert.equal(JSON.stringify(double.bill.at(-1)!.body).includes('secret'), false);
      const [found] = (await guest.conversations()).body.conversations;
      assert.equal(found!.title, 'first');
      assert.deepEqual((await guest.conversations('?search=secret')).body.conversations, []);
    });

    it('tells and keeps nothing of it in an edit, and counts it', async () => {
      const guest = await server().guest();
      server().double.script({ thoughts: ['Hm. ', 'So.'], text: '```\nlet b;\n```' });
      const request = guest.edit('rename', 'let a;');
      const events = await guest.run(request);
      assert.deepEqual([...new Set(events.map(({ type }) => type))], ['text', 'usage', 'done']);
      const { thinking, usage, text } = await answerIn(guest, request.conversationId);
      assert.deepEqual([thinking, text], [undefined, '```\nlet b;\n```']);
      assert.equal(usage?.outputTokens, server().double.bill.at(-1)!.outputTokens);
    });

    it('is read on from anywhere in its thoughts, exactly', async () => {
      const guest = await server().guest();
      const gate = server().double.script({ thoughts: ['One. ', 'Two. ', 'Three.'], pieces: ['Yes.'], gateAt: 0 });
      const request = guest.chat('well?');
      await guest.start(request);
      await gate.atGate;
      const seen = await guest.events(request.id, 0, (e) => thoughtsOf([e]).endsWith('Three.'));
      assert.equal(thoughtsOf(seen), 'One. Two. Three.');
      assert.equal((await answerIn(guest, request.conversationId)).thinking, undefined, 'its events have them');
      const later = guest.events(request.id, 1);
      gate.open();
      const all = await guest.events(request.id);
      assert.deepEqual(await later, all.slice(1));
      assert.deepEqual(seen, all.slice(0, seen.length));
      assert.deepEqual([thoughtsOf(all), textOf(all)], ['One. Two. Three.', 'Yes.']);
    });

    const ENDS: [string, Script, state: string][] = [
      ['fails', { thoughts: ['Hm. ', 'So.'], pieces: [], end: 'destroy' }, 'failed'],
      ['ends', { thoughts: ['Hm. ', 'So.'], pieces: [] }, 'complete'],
      ['is cut at its limit', { thoughts: ['Hm. ', 'So.'], pieces: [], finish: 'length' }, 'complete'],
    ];
    for (const [name, script, state] of ENDS)
      it(`and ${name} without an answer keeps its thoughts, and replays them`, async () => {
        const guest = await server().guest();
        server().double.script(script);
        const request = guest.chat('well?');
        const events = await guest.run(request);
        const answer = await answerIn(guest, request.conversationId);
        assert.deepEqual([answer.text, answer.state, answer.thinking?.text], ['', state, 'Hm. So.']);
        await server().db.write((tx) => purgeEvents(tx, server().clock.now() + 1));
        const replayed = await guest.events(request.id);
        assert.deepEqual([thoughtsOf(replayed), endOf(replayed).data], ['Hm. So.', endOf(events).data]);
      });

    it('and is stopped keeps its thoughts, and a reader with a part of them ends with the whole', async () => {
      const guest = await server().guest();
      const gate = server().double.script({ thoughts: ['Hm. ', 'So.'], pieces: ['Yes'], gateAt: 0 });
      const request = guest.chat('well?');
      await guest.start(request);
      await gate.atGate;
      const seen = await guest.events(request.id, 0, (e) => thoughtsOf([e]).endsWith('So.'));
      await guest.stop(request.id);
      const all = await guest.events(request.id);
      const { text, state, thinking } = await answerIn(guest, request.conversationId);
      assert.deepEqual([text, state, thinking?.text], ['', 'stopped', 'Hm. So.']);
      await server().db.write((tx) => purgeEvents(tx, server().clock.now() + 1));
      const rest = await guest.events(request.id, 1);
      assert.equal(thoughtsOf([...seen.slice(0, 1), ...rest]), 'Hm. So.');
      assert.deepEqual(endOf(rest).data, endOf(all).data);
    });

    it('replays its thoughts before its text', async () => {
      const guest = await server().guest();
      server().double.script({ thoughts: ['Hm.'], text: 'Yes.' });
      const request = guest.chat('well?');
      const all = await guest.run(request);
      await server().db.write((tx) => purgeEvents(tx, server().clock.now() + 1));
      const replayed = await guest.events(request.id);
      assert.deepEqual(
        replayed.map(({ type }) => type),
        ['thinking', 'text', 'done'],
      );
      assert.deepEqual(
        [thoughtsOf(replayed), textOf(replayed), endOf(replayed).data],
        ['Hm.', 'Yes.', endOf(all).data],
      );
    });

    it('without end fills neither the log of events nor the message, and is counted whole', async () => {
      const guest = await server().guest();
      const thoughts = Array.from({ length: 3_000 }, (_, n) => `${String(n).padStart(99, '.')}\n`);
      server().double.script({ thoughts, text: 'Yes.', usage: 'none' });
      const request = guest.chat('well?');
      const events = await guest.run(request);
      const { thinking, text, usage } = await answerIn(guest, request.conversationId);
      assert.equal(text, 'Yes.');
      assert.match(thinking!.text, /\n\n\*The model thought on\. The first 200,000 characters are kept\.\*$/);
      assert.equal(thinking!.text.slice(0, MAX_THINKING), thoughts.join('').slice(0, MAX_THINKING));
      assert.equal(thoughtsOf(events), thinking!.text);
      assert(usage!.outputTokens > 300_000 / 20, `${usage!.outputTokens}`);
      const rows = await server()
        .db.read.selectFrom('run_event')
        .select('payload')
        .where('run_id', '=', request.id)
        .execute();
      const size = rows.reduce((sum, { payload }) => sum + payload.length, 0);
      assert(size < 1.2 * MAX_THINKING, `${size} in the log`);
    });

    it('of which a conversation is full opens page by page', async () => {
      const guest = await server().guest();
      const { conversationId } = guest.chat('');
      for (let n = 0; n < 4; n++) {
        server().double.script({ thoughts: ['é'.repeat(190_000)], text: `Answer ${n}` });
        await guest.run(guest.chat(`${n}`, { conversationId }));
      }
      const { body } = await guest.conversation(conversationId);
      const { messages, before } = (await guest.conversation(conversationId, `?before=${body.before}`)).body;
      const told = (page: typeof messages) => page.map(({ text }) => text).join(' ');
      assert.equal(told(body.messages), '2 Answer 2 3 Answer 3', 'two of them are a page of 1 MB');
      assert.deepEqual([told(messages), before], ['0 Answer 0 1 Answer 1', null]);
    });
  },
  {
    // These tests are about thoughts longer than any limit would let them be.
    policy: (policy) => {
      policy.guests.maxOutputTokens = 1_000_000;
      policy.limits.guest.tokensPerMinute = 1_000_000_000;
      policy.models = [
        {
          id: 'double',
          contextTokens: 1_100_000,
          maxOutputTokens: 1_000_000,
          price: { mode: 'flat', runMicro: 1_000_000 },
        },
      ];
    },
  },
);
