import assert from 'node:assert/strict';
import { conversationJson } from '../../server/accounts/data/exportFiles.ts';
import { findConversation } from '../../server/conversations/reading.ts';
import { type Client, endOf } from '../support/client.ts';
import { onBothEngines } from '../support/engines.ts';

onBothEngines('pinned conversations', (server) => {
  async function conversations(client: Client, count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let i = 0; i < count; i++) {
      const request = client.chat(`number ${i}`);
      endOf(await client.run(request));
      ids.push(request.conversationId);
    }
    return ids;
  }
  const pin = (client: Client, id: string, pinned = true) =>
    client.request('PATCH', `/api/conversations/${id}`, { pinned });
  /** All of the list, in pages of `limit`. */
  async function pages(client: Client, limit: number): Promise<string[][]> {
    const all: string[][] = [];
    for (let before: string | null = ''; before !== null; ) {
      const { body } = await client.conversations(`?limit=${limit}${before && `&before=${before}`}`);
      all.push(body.conversations.map(({ title, pinned }) => `${title}${pinned ? ' (pinned)' : ''}`));
      before = body.before;
    }
    return all;
  }

  it('stand before the others, page by page, and keep their order among themselves', async () => {
    const client = await server().guest();
    const ids = await conversations(client, 5);
    const changes = await client.changes();
    for (const i of [0, 2, 3]) assert.equal((await pin(client, ids[i]!)).status, 204);
    await changes.next((topic, id) => topic === 'conversation' && id === ids[3]);
    await changes.close();
    const order = ['number 3 (pinned)', 'number 2 (pinned)', 'number 0 (pinned)', 'number 4', 'number 1'];
    for (const limit of [1, 2, 3, 4, 5, 6]) {
      const read = await pages(client, limit);
      assert.deepEqual(read.flat(), order, `pages of ${limit}`);
      assert.equal(read.length, Math.ceil(5 / limit), `pages of ${limit}`);
    }
    await pin(client, ids[2]!, false);
    assert.deepEqual((await pages(client, 10)).flat(), [
      ...['number 3 (pinned)', 'number 0 (pinned)', 'number 4', 'number 2', 'number 1'],
    ]);
    const found = (await client.conversations('?search=number&limit=10')).body.conversations;
    assert.deepEqual(
      found.map(({ title, pinned }) => [title, pinned]),
      [4, 3, 2, 1, 0].map((i) => [`number ${i}`, [0, 3].includes(i) || undefined]),
      'a search has its own order',
    );
  });

  it('are told whole, exported, and neither renamed nor moved by it', async () => {
    const client = await server().guest();
    const [id] = await conversations(client, 1);
    const before = (await client.conversation(id!)).body;
    await pin(client, id!);
    const after = (await client.conversation(id!)).body;
    assert.deepEqual(after, { ...before, pinned: true });
    let json = '';
    const row = await findConversation(server().db.read, client.accountId, id!);
    for await (const piece of conversationJson(server().db.read, row!)) json += piece;
    assert.match(JSON.parse(json).pinnedAt, /^\d{4}-/);
  });

  it('of others are not found, and a change of nothing is refused', async () => {
    const client = await server().guest();
    const [id] = await conversations(client, 1);
    const other = await server().guest();
    assert.equal((await pin(other, id!)).status, 404);
    const nothing = await client.request('PATCH', `/api/conversations/${id}`, {});
    assert.deepEqual([nothing.status, nothing.body.code], [400, 'invalid_request']);
  });
});
