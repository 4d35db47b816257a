import assert from 'node:assert/strict';
import { fitTurns } from '../../../server/gateway/prompt/compact.ts';
import type { Turn } from '../../../server/gateway/prompt/prompt.ts';
import type { RunRequest } from '../../../shared/runs.ts';
import { type Client, endOf } from '../../support/client.ts';
import { onBothEngines } from '../../support/engines.ts';
import type { TestServer } from '../../support/server.ts';
import { KIMI, member } from '../../support/tokenPrices.ts';

const HEAD = 'Summary of our conversation before this:\n\n';
/** What the model service was sent last, without the system prompt. */
const sent = (server: TestServer) =>
  server.double.bill
    .at(-1)!
    .body.messages!.slice(1)
    .map(({ role, content }) => [role, content]);

onBothEngines(
  'compacting a conversation',
  (server) => {
    const compact = (client: Client, conversationId: string, more: Partial<RunRequest> = {}) =>
      client.chat('', { conversationId, compacts: true, ...more });
    async function ask(client: Client, conversationId: string, text: string, answer = `Answer to ${text}`) {
      server().double.script({ text: answer });
      endOf(await client.run(client.chat(text, { conversationId })));
    }
    async function summarise(client: Client, conversationId: string, text = 'All about a and b.') {
      server().double.script({ text });
      const request = compact(client, conversationId);
      return { request, end: endOf(await client.run(request)) };
    }
    async function begun(): Promise<[Client, string]> {
      const client = await member(server());
      const id = crypto.randomUUID();
      await ask(client, id, 'a');
      await ask(client, id, 'b');
      return [client, id];
    }
    const summaries = async (client: Client, id: string) =>
      (await client.conversation(id)).body.messages.map(({ role, text, summary }) => [role, summary ?? text]);

    it('is a run of its own, charged as any, and later prompts have the summary alone', async () => {
      const [client, id] = await begun();
      const before = await client.available();
      const { request, end } = await summarise(client, id);
      const asked = sent(server());
      assert.deepEqual(asked.slice(0, 4), [
        ['user', 'a'],
        ['assistant', 'Answer to a'],
        ['user', 'b'],
        ['assistant', 'Answer to b'],
      ]);
      assert.match(String(asked[4]![1]), /^Summarise our conversation/);
      assert.equal(asked.length, 5);
      assert.ok(end.data.chargedMicro > 0);
      assert.equal(await client.available(), before - end.data.chargedMicro);
      const last = (await client.conversation(id)).body.messages.at(-1)!;
      assert.deepEqual(
        [last.role, last.kind, last.summary, last.text, last.chargedMicro, last.runId],
        ['assistant', 'chat', 'used', 'All about a and b.', end.data.chargedMicro, request.id],
      );
      await ask(client, id, 'c');
      assert.deepEqual(sent(server()), [['user', `${HEAD}All about a and b.\n\nc`]]);
      await ask(client, id, 'd');
      assert.deepEqual(sent(server()), [
        ['user', `${HEAD}All about a and b.\n\nc`],
        ['assistant', 'Answer to c'],
        ['user', 'd'],
      ]);
      assert.equal((await client.conversation(id)).body.messages.length, 9, 'nothing is deleted');
      await summarise(client, id, 'All of it.');
      assert.deepEqual(
        sent(server())
          .slice(0, 4)
          .map(([, text]) => text),
        [`${HEAD}All about a and b.\n\nc`, 'Answer to c', 'd', 'Answer to d'],
      );
      await ask(client, id, 'e');
      assert.deepEqual(sent(server()), [['user', `${HEAD}All of it.\n\ne`]]);
      const exported = String((await client.request('GET', `/api/conversations/${id}/export`)).body);
      assert.match(exported, /Answer to a[\s\S]*A summary of the messages before it[\s\S]*All about a and b\./);
    });

    it('is undone by choice, and done again, by whoever owns it', async () => {
      const [client, id] = await begun();
      const { request } = await summarise(client, id);
      const { messageId } = (await client.request<{ messageId: string }>('GET', `/api/runs/${request.id}`)).body;
      const choose = (summary: string | null, by = client) =>
        by.request('PATCH', `/api/conversations/${id}`, { summary });
      assert.equal((await choose(null)).status, 204);
      await ask(client, id, 'c');
      assert.deepEqual(
        sent(server()).map(([, text]) => text),
        ['a', 'Answer to a', 'b', 'Answer to b', 'c'],
      );
      assert.deepEqual((await summaries(client, id))[4], ['assistant', 'unused']);
      assert.equal((await choose(messageId)).status, 204);
      await ask(client, id, 'd');
      assert.deepEqual(
        sent(server()).map(([, text]) => text),
        [`${HEAD}All about a and b.\n\nc`, 'Answer to c', 'd'],
      );
      const { messages } = (await client.conversation(id)).body;
      assert.equal((await choose(messages[0]!.id)).status, 404, 'no summary');
      assert.equal((await choose(null, await member(server()))).status, 404, 'not theirs');
      assert.deepEqual((await summaries(client, id))[4], ['assistant', 'used']);
    });

    it('is undone by an edit of a message before it, or by answering one anew', async () => {
      for (const way of ['edit', 'regenerate'] as const) {
        const [client, id] = await begun();
        await summarise(client, id);
        const { messages } = (await client.conversation(id)).body;
        const isEdit = way === 'edit';
        const again = client.chat(isEdit ? 'b, but better' : '', {
          conversationId: id,
          replaces: messages[isEdit ? 2 : 3]!.id,
        });
        endOf(await client.run(again));
        assert.deepEqual(
          sent(server()).map(([, text]) => text),
          ['a', 'Answer to a', isEdit ? 'b, but better' : 'b'],
        );
        await ask(client, id, 'c');
        assert.equal(sent(server()).length, 5, 'the whole conversation again');
      }
    });

    it('counts only when it is whole: a part of it, a failure or a stop leaves all as it was', async () => {
      for (const script of [
        { text: 'Half a', finish: 'length' },
        { pieces: ['Half '], end: 'destroy' as const },
      ]) {
        const [client, id] = await begun();
        server().double.script(script);
        endOf(await client.run(compact(client, id)));
        assert.deepEqual((await summaries(client, id)).at(-1), ['assistant', 'unused']);
        const { messages } = (await client.conversation(id)).body;
        const chosen = await client.request('PATCH', `/api/conversations/${id}`, { summary: messages.at(-1)!.id });
        assert.equal(chosen.status, 404);
        const more = await client.start(client.chat('', { conversationId: id, continues: messages.at(-1)!.runId! }));
        assert.equal(more.body.code, 'nothing_to_continue');
        await ask(client, id, 'c');
        assert.deepEqual(
          sent(server()).map(([, text]) => text),
          ['a', 'Answer to a', 'b', 'Answer to b', 'c'],
        );
      }
    });

    it('is refused by name where there is nothing to tell, while an answer runs, and with anything else', async () => {
      const [client, id] = await begun();
      await summarise(client, id);
      const codeOf = async (request: RunRequest) => (await client.start(request)).body.code;
      assert.equal(await codeOf(compact(client, id)), 'nothing_to_compact');
      assert.equal(await codeOf(compact(client, crypto.randomUUID())), 'not_found');
      assert.equal(await codeOf(compact(client, id, { input: { text: 'and this' } } as never)), 'invalid_request');
      const { messages } = (await client.conversation(id)).body;
      const anew = client.chat('', { conversationId: id, replaces: messages.at(-1)!.id });
      assert.equal(await codeOf(anew), 'invalid_request');
      const held = server().double.script({ text: 'Later', gateAt: 0 });
      const running = client.chat('c', { conversationId: id });
      await client.start(running);
      assert.equal(await codeOf(compact(client, id)), 'conversation_busy');
      held.open();
      endOf(await client.events(running.id));
      const other = await member(server());
      assert.equal((await other.start(compact(other, id))).status, 404);
    });

    it('makes room: it is offered where a conversation is too long, and fits what does not', async () => {
      const client = await member(server());
      const id = crypto.randomUUID();
      const long = 'word '.repeat(3_400);
      await ask(client, id, `${long}first`, 'One');
      await ask(client, id, `${long}second`, 'Two');
      const refused = await client.start(client.chat(`${long}third`, { conversationId: id }));
      assert.deepEqual([refused.body.code, refused.body.compactable], ['context_too_long', true]);
      assert.match(refused.body.detail, /\/compact, or start a new chat/);
      const alone = await client.start(client.chat(long.repeat(4)));
      assert.deepEqual([alone.body.code, alone.body.compactable], ['context_too_long', undefined]);
      await summarise(client, id, 'Many words.');
      const entry = server().double.bill.at(-1)!;
      assert.equal(entry.body.max_tokens, 1_024);
      assert.match(JSON.stringify(entry.body.messages), /\[…\]/);
      assert.match(JSON.stringify(entry.body.messages), /first/);
      await ask(client, id, `${long}third`);
      assert.equal(sent(server()).length, 1);
    });

    it('brings instructions again, which only messages before it had', async () => {
      const client = await member(server());
      const id = crypto.randomUUID();
      const instructions = [{ path: 'AGENTS.md', text: 'Use tabs.' }];
      const say = async (text: string) =>
        endOf(await client.run(client.chat('', { conversationId: id, input: { text, instructions } })));
      await say('a');
      await say('b');
      assert.doesNotMatch(String(sent(server()).at(-1)![1]), /Use tabs/);
      await summarise(client, id);
      await say('c');
      assert.match(String(sent(server()).at(-1)![1]), /Use tabs/);
    });
  },
  {
    policy: (policy) => {
      policy.models = [{ id: 'double', contextTokens: 8_000, maxOutputTokens: 1_500, price: KIMI }];
    },
  },
);

describe('turns cut to what fits', () => {
  const size = (turns: readonly Turn[]) => JSON.stringify(turns).length;
  const turns: Turn[] = [
    { role: 'user', text: `begin ${'x'.repeat(5_000)} end`, attachments: [{ kind: 'file', text: 'y'.repeat(9_000) }] },
    { role: 'assistant', text: 'Short.' },
  ];

  it('are left alone where they fit', () => {
    assert.equal(
      fitTurns(turns, () => true),
      turns,
    );
  });

  it('keep the beginnings and the ends, of attachments, too', () => {
    const fitted = fitTurns(turns, (some) => size(some) < 3_000)!;
    assert.ok(size(fitted) < 3_000 && size(fitted) > 1_000);
    assert.match(fitted[0]!.text, /^begin x+\n\[…\]\nx+ end$/);
    assert.equal(fitted[1]!.text, 'Short.');
  });

  it('are none where even pieces do not fit', () => {
    assert.equal(
      fitTurns(turns, () => false),
      null,
    );
  });
});
