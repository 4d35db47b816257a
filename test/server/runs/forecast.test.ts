import assert from 'node:assert/strict';
import { sql } from 'kysely';
import type { Chip } from '../../../extension/chat/protocol.ts';
import { conversationBytes, type Forecast, forecastAnswer } from '../../../extension/chat/webview/model/forecast.ts';
import { imageTokens, imageTokensBound } from '../../../shared/media/images.ts';
import type { ModelsAnswer } from '../../../shared/models.ts';
import type { Client } from '../../support/client.ts';
import { onBothEngines } from '../../support/engines.ts';
import { png } from '../../support/pngs.ts';
import type { TestServer } from '../../support/server.ts';

const C = 1_000_000;
const rates = { inputMicro: 60 * C, cachedInputMicro: 15 * C, outputMicro: 250 * C };
const tiers = [{ aboveInputTokens: 6_000, inputMicro: 120 * C, cachedInputMicro: 30 * C, outputMicro: 500 * C }];

/** A member by the row, with so much left by the ledger. */
async function memberWith(server: TestServer, leftMicro: number): Promise<Client> {
  const client = await server.guest();
  await server.db.write((tx) =>
    sql`update account set kind = 'member', terms_version = '1' where id = ${client.accountId}`.execute(tx),
  );
  const outputTokens = Math.floor(((await client.available()) - leftMicro) / 250);
  // Thoughts are billed, and not limited: at most a token a byte.
  const thoughts = ['x'.repeat(outputTokens)];
  server.double.script({ text: 'spend', thoughts, usage: { prompt_tokens: 0, completion_tokens: outputTokens } });
  await client.run(client.chat('spend'));
  Object.assign(server.double.bill.at(-1)!, { inputTokens: 0, cachedInputTokens: 0, outputTokens });
  return client;
}

/** What the chat says before `text` is sent into a conversation. */
async function foretold(
  client: Client,
  conversationId: string,
  text: string,
  chips: Chip[] = [],
): Promise<Forecast | null> {
  const { models } = (await client.request<ModelsAnswer>('GET', '/api/models')).body;
  const { balance } = (await client.account()).body;
  const known = await client.conversation(conversationId);
  const messages = known.status === 200 ? known.body.messages : [];
  const usage = messages.findLast((message) => message.usage)?.usage;
  const contextTokens = usage ? usage.inputTokens + usage.outputTokens : 0;
  return forecastAnswer({
    surroundings: { balance, models, modelId: models[0]!.id, chips, contextTokens },
    soFarBytes: conversationBytes(messages, false, contextTokens, models[0]!.vision),
    draft: text,
  });
}

onBothEngines(
  'what the chat says before a message is sent',
  (server) => {
    const cases: [string, number, string][] = [
      ['a short question', 400_000, 'How?'],
      ['a long one', 700_000, 'words and words '.repeat(200)],
      ['one in another script, of three bytes a character', 500_000, '日本語の質問です。'.repeat(60)],
      ['one that reaches the dearer prices of long requests', 2_000_000, 'a b c d '.repeat(900)],
    ];
    for (const [title, leftMicro, text] of cases)
      it(`is what the server then grants: ${title}`, async () => {
        const client = await memberWith(server(), leftMicro);
        const conversationId = crypto.randomUUID();
        const forecast = await foretold(client, conversationId, text);
        const request = client.chat(text, { conversationId });
        const { run } = (await client.start(request)).body;
        await client.events(request.id);
        assert.ok(run.clampedTo !== undefined, 'the server clamps');
        assert.ok(forecast?.kind === 'short', JSON.stringify(forecast));
        assert.ok(Math.abs(forecast.tokens - run.clampedTo) <= 10, `${forecast.tokens} said, ${run.clampedTo} granted`);
      });

    it('counts what goes along, what the editor shows too, in any script', async () => {
      for (const attached of ['const total = items.length;\n'.repeat(40), '合計を数える。\n'.repeat(40)]) {
        const client = await memberWith(server(), 700_000);
        const conversationId = crypto.randomUUID();
        const lines = { kind: 'selection', path: 'src/a.ts', range: { start: 11, end: 50 }, visible: true } as const;
        const chip = { ...lines, id: 'a', label: 'a.ts, visible part', implicit: 'visible' as const };
        const tokens = Math.ceil(Buffer.byteLength(attached) / 4);
        const forecast = await foretold(client, conversationId, 'How?', [{ ...chip, tokens }]);
        const input = { text: 'How?', attachments: [{ ...lines, text: attached }] };
        const request = client.chat('', { conversationId, input } as never);
        const { run } = (await client.start(request)).body;
        await client.events(request.id);
        assert.ok(forecast?.kind === 'short' && run.clampedTo !== undefined);
        assert.ok(Math.abs(forecast.tokens - run.clampedTo) <= 10, `${forecast.tokens} said, ${run.clampedTo} granted`);
      }
    });

    it('counts a picture as the server does, before it is sent and afterwards', async () => {
      const bytes = png(1_280, 960);
      const tokens = imageTokens({ width: 1_280, height: 960 });
      const mostTokens = imageTokensBound({ width: 1_280, height: 960 });
      const chip = { id: 'p', kind: 'image', label: 'a.png', path: 'a.png', tokens, mostTokens } as const;
      const picture = { kind: 'image', path: 'a.png', mediaType: 'image/png', data: bytes.toString('base64') };
      const client = await memberWith(server(), 3_400_000);
      const conversationId = crypto.randomUUID();
      for (const [chips, attachments] of [[[chip], [picture]], []] as const) {
        const forecast = await foretold(client, conversationId, 'How?', chips ? [...chips] : []);
        const request = client.chat('', { conversationId, input: { text: 'How?', attachments } } as never);
        const { run } = (await client.start(request)).body;
        await client.events(request.id);
        assert.ok(forecast?.kind === 'short' && run.clampedTo !== undefined, JSON.stringify(forecast));
        assert.ok(Math.abs(forecast.tokens - run.clampedTo) <= 20, `${forecast.tokens} said, ${run.clampedTo} granted`);
      }
    });

    it('counts the conversation so far as the server does', async () => {
      const client = await memberWith(server(), 1_200_000);
      const conversationId = crypto.randomUUID();
      server().double.script({ text: 'An answer. '.repeat(80), usage: { prompt_tokens: 300, completion_tokens: 240 } });
      await client.run(client.chat('First', { conversationId }));
      Object.assign(server().double.bill.at(-1)!, { inputTokens: 300, cachedInputTokens: 0, outputTokens: 240 });
      const forecast = await foretold(client, conversationId, 'And then?');
      const request = client.chat('And then?', { conversationId });
      const { run } = (await client.start(request)).body;
      await client.events(request.id);
      assert.ok(forecast?.kind === 'short' && run.clampedTo !== undefined);
      assert.ok(Math.abs(forecast.tokens - run.clampedTo) <= 20, `${forecast.tokens} said, ${run.clampedTo} granted`);
    });

    it('is nothing where there is plenty, and a refusal where the server refuses', async () => {
      const plenty = await memberWith(server(), 9 * C);
      assert.deepEqual(await foretold(plenty, crypto.randomUUID(), 'How?'), { kind: 'whole' });
      const poor = await memberWith(server(), 50_000);
      assert.deepEqual(await foretold(poor, crypto.randomUUID(), 'How?'), { kind: 'refused' });
      assert.equal((await poor.start(poor.chat('How?'))).body.code, 'insufficient_credits');
    });
  },
  {
    policy: (policy) => {
      const price = { mode: 'tokens', ...rates, tiers } as const;
      policy.models = [{ id: 'double', contextTokens: 128_000, maxOutputTokens: 8192, price, vision: true }];
    },
  },
);
