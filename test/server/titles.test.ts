import assert from 'node:assert/strict';
import { claimTitle } from '../../server/conversations/titles.ts';
import { audit } from '../../server/credits/audit/audit.ts';
import { titleIn, titlePrompt } from '../../server/gateway/prompt/title.ts';
import { type ChatBody, FAILURES, type Script } from '../doubles/upstream.ts';
import { type Client, endOf } from '../support/client.ts';
import { onBothEngines } from '../support/engines.ts';
import type { TestServer } from '../support/server.ts';
import { KIMI } from '../support/tokenPrices.ts';

const SIZES = { contextTokens: 32_000, maxOutputTokens: 4_000 };
const isForTitle = ({ model }: ChatBody) => model === 'small';

function give(title: Script) {
  return (body: ChatBody): Script => (isForTitle(body) ? title : { text: 'An answer.' });
}
const policy: NonNullable<Parameters<typeof onBothEngines>[2]>['policy'] = (given) => {
  given.titles = { model: 'small', effort: 'off' };
  given.models = [
    { id: 'big', ...SIZES, price: KIMI },
    { id: 'small', ...SIZES, price: KIMI, thinking: { efforts: ['off', 'on'], field: 'thinking' } },
  ];
};
async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}
const askedFor = (server: TestServer) => server.double.bill.filter(({ body }) => isForTitle(body));
const usesOf = (server: TestServer) => server.db.read.selectFrom('house_use').selectAll().execute();

/** Asks until the conversation has so many answers. Returns its id. */
async function converse(
  client: Client,
  answers: number,
  conversationId: string = crypto.randomUUID(),
): Promise<string> {
  for (let i = 0; i < answers; i++)
    endOf(await client.run(client.chat(`why is the list slow? ${i}`, { conversationId })));
  return conversationId;
}
const titleOf = async (client: Client, id: string) => (await client.conversation(id)).body.title;

onBothEngines(
  'titles by a model',
  (server) => {
    it('are given to a chat that goes on, once, and its devices are told', async () => {
      server().double.usually(give({ text: '**Slow list rendering.**\n\nBecause…' }));
      const client = await server().guest();
      const id = await converse(client, 1);
      assert.equal(await titleOf(client, id), 'why is the list slow? 0');
      assert.equal(askedFor(server()).length, 0);
      const changes = await client.changes();
      await converse(client, 1, id);
      await until(async () => (await titleOf(client, id)) === 'Slow list rendering');
      await changes.next((topic, changed) => topic === 'conversation' && changed === id);
      await changes.close();
      const [asked] = askedFor(server());
      const body = asked!.body as unknown as Record<string, unknown>;
      assert.deepEqual([body.max_tokens, body.thinking], [300, { type: 'disabled' }]);
      await converse(client, 2, id);
      assert.equal(askedFor(server()).length, 1);
    });

    it('cost the account nothing: the house pays, and its books tell', async () => {
      const before = await usesOf(server());
      server().double.usually(give({ text: 'A name', usage: { prompt_tokens: 200, completion_tokens: 10 } }));
      const client = await server().guest();
      const id = await converse(client, 1);
      const available = await client.available();
      await converse(client, 1, id);
      await until(async () => (await titleOf(client, id)) === 'A name');
      assert.equal(await client.available(), available - 1_000_000, 'the second answer alone');
      const used = (await usesOf(server())).filter(({ id }) => !before.some((one) => one.id === id));
      assert.deepEqual(
        used.map(({ purpose, model, input_tokens, output_tokens, cost }) => [
          purpose,
          model,
          input_tokens,
          output_tokens,
          cost,
        ]),
        [['title', 'small', 200, 10, 200 * 60 + 10 * 250]],
      );
      Object.assign(askedFor(server()).at(-1)!, { inputTokens: 200, cachedInputTokens: 0, outputTokens: 10 });
      const { db, clock } = server();
      const wrong = db.write(async (tx) => {
        await tx.updateTable('house_use').set({ cost: 1 }).where('id', '=', used[0]!.id).execute();
        const found = await audit(tx, clock.now(), 0);
        assert.deepEqual(
          found.map(({ invariant, ids }) => [invariant, ids]),
          [['h', [used[0]!.id]]],
        );
        throw new Error('taken back');
      });
      await assert.rejects(wrong, /taken back/);
      const log = (await client.log()).body.entries;
      assert.equal(log.filter(({ model }) => model === 'small').length, 0);
    });

    it('never take the place of one that the user gave, before or meanwhile', async () => {
      server().double.usually(give({ text: 'By the model' }));
      const client = await server().guest();
      const id = await converse(client, 1);
      await client.request('PATCH', `/api/conversations/${id}`, { title: 'Mine' });
      const asked = askedFor(server()).length;
      await converse(client, 1, id);
      const other = await converse(client, 1);
      const held = server().double.script({ when: 'Programmer:', text: 'By the model', gateAt: 0 });
      await converse(client, 1, other);
      await held.received;
      await client.request('PATCH', `/api/conversations/${other}`, { title: 'Mine, too' });
      const uses = (await usesOf(server())).length;
      held.open();
      assert.equal(askedFor(server()).length, asked + 1, 'not for the one with a name');
      await until(async () => (await usesOf(server())).length === uses + 1);
      assert.deepEqual([await titleOf(client, id), await titleOf(client, other)], ['Mine', 'Mine, too']);
    });

    it('fail without a trace in the chat, and are not tried again', async () => {
      server().double.usually(give(FAILURES.noModel));
      const client = await server().guest();
      const before = await usesOf(server());
      const id = await converse(client, 2);
      await until(async () => (await usesOf(server())).length === before.length + 1);
      const asked = askedFor(server()).length;
      await converse(client, 1, id);
      assert.equal(await titleOf(client, id), 'why is the list slow? 0');
      assert.equal(askedFor(server()).length, asked);
    });

    it('are not asked for after answers without text, which are free, and twice a day for a guest', async () => {
      const client = await server().guest();
      server().double.usually({ text: '' });
      const before = askedFor(server()).length;
      const id = await converse(client, 2);
      server().double.usually(give({ text: 'A name' }));
      await converse(client, 1, id);
      assert.equal(askedFor(server()).length, before, 'one answer with text');
      for (let n = 0; n < 2; n++) {
        const given = await converse(client, 2);
        await until(async () => (await titleOf(client, given)) === 'A name');
      }
      const third = await converse(client, 3);
      assert.equal(await titleOf(client, third), 'why is the list slow? 0');
      assert.equal(askedFor(server()).length, before + 2);
    });

    it('of a first message that is replaced meanwhile are thrown away', async () => {
      const client = await server().guest();
      server().double.usually(give({ text: 'A name' }));
      const conversationId = await converse(client, 1);
      const held = server().double.script({ when: 'Programmer:', text: 'Of the old', gateAt: 0 });
      await converse(client, 1, conversationId);
      await held.received;
      const uses = (await usesOf(server())).length;
      const [first] = (await client.conversation(conversationId)).body.messages;
      endOf(await client.run(client.chat('Something else', { conversationId, replaces: first!.id })));
      held.open();
      await until(async () => (await usesOf(server())).length === uses + 1);
      assert.equal(await titleOf(client, conversationId), 'Something else');
    });

    it('are asked for by one node alone', async () => {
      server().double.usually(give({ text: 'A name' }));
      const client = await server().guest();
      const id = await converse(client, 2);
      await until(async () => (await titleOf(client, id)) === 'A name');
      const { db } = server();
      await db.write((tx) => tx.updateTable('conversation').set({ titled: null }).where('id', '=', id).execute());
      const claims = await Promise.all([1, 2, 3].map(() => db.write((tx) => claimTitle(tx, id, 'A name'))));
      assert.deepEqual(claims.toSorted(), [false, false, true]);
    });
  },
  { policy },
);

onBothEngines('titles where the operator names no model for them', (server) => {
  it('stay those of the first message', async () => {
    const client = await server().guest();
    const id = await converse(client, 3);
    assert.equal(await titleOf(client, id), 'why is the list slow? 0');
    assert.equal(server().double.bill.length, 3);
    assert.deepEqual(await usesOf(server()), []);
  });
});

it('is asked for with no half of an emoji', () => {
  const [, asked] = titlePrompt([{ role: 'user', text: `${'x'.repeat(999)}😀 end` }]);
  assert.ok((asked!.text as unknown as { isWellFormed(): boolean }).isWellFormed());
});

describe('a title in an answer', () => {
  const TITLES: [answer: string, title: string | null][] = [
    ['Slow list', 'Slow list'],
    ['\n\n# "Slow list."\nmore', 'Slow list'],
    ['Title: **Slow** `list`', 'Slow list'],
    ['「慢列表」。', '「慢列表」'],
    ['  ', null],
    ['***', null],
    ['a\u202eb\u0000c', 'ab\uFFFDc'],
    [`${'word '.repeat(30)}`, `${'word '.repeat(12).trim()}…`],
  ];
  for (const [answer, title] of TITLES)
    it(`${JSON.stringify(answer.slice(0, 30))} is ${title === null ? 'none' : `"${title}"`}`, () => {
      const read = titleIn(answer);
      assert.equal(read, title);
      assert.ok((read ?? '').length <= 60);
    });
});
