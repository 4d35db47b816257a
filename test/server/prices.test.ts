import assert from 'node:assert/strict';
import { sql } from 'kysely';
import type { Client } from '../support/client.ts';
import { endOf } from '../support/client.ts';
import { onBothEngines } from '../support/engines.ts';
import type { TestServer } from '../support/server.ts';

const C = 1_000_000;
const KIMI = { mode: 'tokens', inputMicro: 60 * C, cachedInputMicro: 15 * C, outputMicro: 250 * C } as const;

/** An account that pays by tokens: sign-in comes from another part of the server, so the row is changed here. */
async function member(server: TestServer): Promise<Client> {
  const client = await server.guest();
  await server.db.write((tx) => sql`update account set kind = 'member' where id = ${client.accountId}`.execute(tx));
  return client;
}

onBothEngines(
  'a run at token prices',
  (server) => {
    it('is charged by what the model service reported, cached input at its own price', async () => {
      const client = await member(server());
      server().double.script({
        text: 'counted',
        usage: { prompt_tokens: 1204, completion_tokens: 312, prompt_tokens_details: { cached_tokens: 980 } },
      });
      const end = endOf(await client.run(client.chat('how much?')));
      assert.equal(end.data.chargedMicro, 224 * 60 + 980 * 15 + 312 * 250);
      assert.equal(await client.available(), 10 * C - end.data.chargedMicro);
      const entry = server().double.bill.at(-1)!;
      Object.assign(entry, { inputTokens: 1204, cachedInputTokens: 980, outputTokens: 312 });
    });

    it('gets an output limit that what is left can buy, and is refused when that is next to nothing', async () => {
      const client = await member(server());
      await spendDownTo(server(), client, 200_000);
      const request = client.chat('short of money');
      const started = await client.start(request);
      const limit = started.body.run.maxOutputTokens;
      assert.ok(limit > 64 && limit < 800, `limit ${limit}`);
      assert.ok(started.body.balance.availableMicro >= 0);
      endOf(await client.events(request.id));
      assert.equal(server().double.bill.at(-1)!.body.max_tokens, limit);
      await spendDownTo(server(), client, 10_000);
      const refused = await client.start(client.chat('broke'));
      assert.deepEqual([refused.status, refused.body.code], [402, 'insufficient_credits']);
      assert.ok(refused.body.neededMicro! > refused.body.availableMicro!);
    });

    it('never takes more than the hold and what is left when the model service reports more than it may', async () => {
      const client = await member(server());
      await spendDownTo(server(), client, 100_000);
      server().double.script({ text: 'x', usage: { prompt_tokens: 50_000, completion_tokens: 50_000 } });
      const end = endOf(await client.run(client.chat('too much')));
      assert.equal(end.type === 'done' && end.data.reason, 'beyond_hold');
      assert.ok((await client.available()) >= 0);
      Object.assign(server().double.bill.at(-1)!, { inputTokens: 50_000, cachedInputTokens: 0, outputTokens: 50_000 });
    });
  },
  {
    policy: (policy) => {
      policy.models = [{ id: 'double', contextTokens: 128_000, maxOutputTokens: 8192, price: KIMI }];
    },
  },
);

/** Spends by the ledger until `left` micro-credits are left. */
async function spendDownTo(server: TestServer, client: Client, left: number): Promise<void> {
  const spend = (await client.available()) - left;
  const outputTokens = Math.floor(spend / 250);
  server.double.script({ text: 'spend', usage: { prompt_tokens: 0, completion_tokens: outputTokens } });
  await client.run(client.chat('spend'));
  Object.assign(server.double.bill.at(-1)!, { inputTokens: 0, cachedInputTokens: 0, outputTokens });
}
