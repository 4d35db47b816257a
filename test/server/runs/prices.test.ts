import assert from 'node:assert/strict';
import { cost } from '../../../server/credits/rules/pricing.ts';
import type { ModelsAnswer, PriceChange } from '../../../shared/models.ts';
import type { Client } from '../../support/client.ts';
import { endOf } from '../../support/client.ts';
import { onBothEngines } from '../../support/engines.ts';
import type { TestServer } from '../../support/server.ts';
import { KIMI, member } from '../../support/tokenPrices.ts';

const C = 1_000_000;

const DAYS_MS = 31 * 24 * 3_600_000;
const priceChanges: PriceChange[] = [
  { from: new Date(Date.now() + DAYS_MS).toISOString(), price: { mode: 'flat', runMicro: 3 * C } },
];

onBothEngines(
  'a run at token prices',
  (server) => {
    it('is charged by what the model service reported, cached input at its own price', async () => {
      const client = await member(server());
      server().double.script({
        text: 'counted',
        usage: { prompt_tokens: 1204, completion_tokens: 312, prompt_tokens_details: { cached_tokens: 980 } },
      });
      const request = client.chat('how much?');
      const started = await client.start(request);
      assert.equal(started.body.run.clampedTo, undefined, 'there is plenty');
      const end = endOf(await client.events(request.id));
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
      // Told before it starts, and to every reader of the conversation.
      assert.equal(started.body.run.clampedTo, limit);
      const { messages } = (await client.conversation(request.conversationId)).body;
      assert.equal(messages.at(-1)?.clampedTo, limit);
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

const LONG = {
  ...KIMI,
  tiers: [{ aboveInputTokens: 20_000, inputMicro: 120 * C, cachedInputMicro: 30 * C, outputMicro: 500 * C }],
};

onBothEngines(
  'a price list',
  (server) => {
    // Guard: worstCase looks at every tier that the input's bound can reach (ratesUpTo).
    it('17: is held at the dearest price that a long request can reach, and charged at the one that it did reach', async () => {
      const client = await member(server());
      const long = client.chat('long', {
        input: { text: 'long', attachments: [{ kind: 'file', path: 'a.txt', text: 'a b c d '.repeat(4_000) }] },
      });
      server().double.script({ text: 'short', usage: { prompt_tokens: 20_000, completion_tokens: 100 } });
      const started = await client.start(long);
      const held = started.body.balance.pendingMicro;
      assert.ok(held > 20_000 * 120, `${held} is held at the base price`);
      const end = endOf(await client.events(long.id));
      assert.equal(end.data.chargedMicro, 20_000 * 60 + 100 * 250);
      Object.assign(server().double.bill.at(-1)!, { inputTokens: 20_000, cachedInputTokens: 0, outputTokens: 100 });
      server().double.script({ text: 'long', usage: { prompt_tokens: 20_001, completion_tokens: 100 } });
      const longer = endOf(await client.run({ ...long, id: crypto.randomUUID(), conversationId: crypto.randomUUID() }));
      assert.equal(longer.data.chargedMicro, 20_001 * 120 + 100 * 500);
      Object.assign(server().double.bill.at(-1)!, { inputTokens: 20_001, cachedInputTokens: 0, outputTokens: 100 });
    });
  },
  {
    policy: (policy) => {
      policy.models = [{ id: 'double', contextTokens: 128_000, maxOutputTokens: 1000, price: LONG }];
    },
  },
);

onBothEngines(
  'a price that changes',
  (server) => {
    it('is announced with its day, counts from it on, and not for what was running before', async () => {
      const client = await member(server());
      const models = async () => (await client.request<ModelsAnswer>('GET', '/api/models')).body.models[0]!;
      assert.deepEqual([(await models()).price, (await models()).nextPrice], [KIMI, priceChanges[0]]);
      const call = server().double.script({
        pieces: ['one ', 'two'],
        gateAt: 1,
        usage: { prompt_tokens: 100, completion_tokens: 2 },
      });
      const before = client.chat('begun before');
      await client.start(before);
      const entry = await call.received;
      server().clock.advance(DAYS_MS);
      assert.deepEqual([(await models()).price, (await models()).nextPrice], [priceChanges[0]!.price, undefined]);
      call.open();
      assert.equal(endOf(await client.events(before.id)).data.chargedMicro, 100 * 60 + 2 * 250);
      Object.assign(entry, { inputTokens: 100, cachedInputTokens: 0, outputTokens: 2 });
      assert.equal(endOf(await client.run(client.chat('begun after'))).data.chargedMicro, 3 * C);
    });
  },
  {
    policy: (policy) => {
      policy.models = [{ id: 'double', contextTokens: 128_000, maxOutputTokens: 1000, price: KIMI, priceChanges }];
    },
  },
);

onBothEngines(
  'a long session',
  (server) => {
    it('keeps the beginning of its prompt, so that 20 turns cost less than half of what 20 calls do that begin anew', async () => {
      const client = await member(server());
      const conversationId = crypto.randomUUID();
      const file = { kind: 'file' as const, path: 'a.ts', text: 'const a = 1;\n'.repeat(400) };
      const first = server().double.bill.length;
      let chargedMicro = 0;
      for (let turn = 0; turn < 20; turn++) {
        const text = `Question ${turn}: what about line ${turn}?`;
        const input = turn === 0 ? { text, attachments: [file] } : { text };
        const end = endOf(await client.run(client.chat(text, { conversationId, input })));
        chargedMicro += end.data.chargedMicro!;
      }
      const calls = server().double.bill.slice(first);
      const cold = calls.map((call) => cost(KIMI, { ...call, cachedInputTokens: 0, estimated: false }, true));
      const coldMicro = cold.reduce((sum, micro) => sum + micro, 0);
      assert.equal(calls.length, 20);
      assert.ok(chargedMicro * 2 <= coldMicro, `${chargedMicro} micro-credits of ${coldMicro}`);
    });
  },
  {
    policy: (policy) => {
      policy.models = [{ id: 'double', contextTokens: 128_000, maxOutputTokens: 1000, price: KIMI }];
    },
  },
);

/** Spends by the ledger until `left` micro-credits are left. */
async function spendDownTo(server: TestServer, client: Client, left: number): Promise<void> {
  const spend = (await client.available()) - left;
  const outputTokens = Math.floor(spend / 250);
  // Thoughts are billed, and not limited: at most a token a byte.
  const thoughts = ['x'.repeat(outputTokens)];
  server.double.script({ text: 'spend', thoughts, usage: { prompt_tokens: 0, completion_tokens: outputTokens } });
  await client.run(client.chat('spend'));
  Object.assign(server.double.bill.at(-1)!, { inputTokens: 0, cachedInputTokens: 0, outputTokens });
}
