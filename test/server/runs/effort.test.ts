import assert from 'node:assert/strict';
import type { ModelsAnswer } from '../../../shared/models.ts';
import type { RunRequest } from '../../../shared/runs.ts';
import { endOf } from '../../support/client.ts';
import { onBothEngines } from '../../support/engines.ts';
import { KIMI, member } from '../../support/tokenPrices.ts';

const SIZES = { contextTokens: 32_000, maxOutputTokens: 4_000, price: KIMI };

onBothEngines(
  'how hard a model thinks',
  (server) => {
    const asking = (model: string, effort?: string): Partial<RunRequest> => ({ model, effort });

    it('is told with the model, and a model without a choice tells none', async () => {
      const client = await member(server());
      const { models } = (await client.request<ModelsAnswer>('GET', '/api/models')).body;
      assert.deepEqual(
        models.map(({ id, efforts }) => [id, efforts]),
        [
          ['steps', ['low', 'high', 'max']],
          ['switch', ['off', 'on']],
          ['both', ['off', 'high', 'max']],
          ['plain', undefined],
        ],
      );
    });

    const SENT: [model: string, effort: string | undefined, fields: Record<string, unknown>][] = [
      ['steps', 'max', { reasoning_effort: 'max' }],
      ['switch', 'on', { thinking: { type: 'enabled' } }],
      ['switch', 'off', { thinking: { type: 'disabled' } }],
      ['both', 'off', { thinking: { type: 'disabled' } }],
      ['both', 'high', { thinking: { type: 'enabled' }, reasoning_effort: 'high' }],
      ['steps', undefined, {}],
      ['plain', undefined, {}],
    ];
    for (const [model, effort, fields] of SENT)
      it(`is sent as the service of "${model}" wants it for ${effort ?? 'no effort'}`, async () => {
        const client = await member(server());
        const edit = { ...client.edit('shorter', 'let a;'), ...asking(model, effort) } as RunRequest;
        for (const request of [client.chat('think', asking(model, effort)), edit]) {
          endOf(await client.run(request));
          const { body } = server().double.bill.at(-1)!;
          const { model: asked, reasoning_effort, thinking } = body as Record<string, unknown>;
          assert.deepEqual(JSON.parse(JSON.stringify({ asked, reasoning_effort, thinking })), {
            asked: model,
            ...fields,
          });
        }
      });

    it('is stored with the run and its answer, and goes along when the request is sent again', async () => {
      const client = await member(server());
      const request = client.chat('think', asking('steps', 'high'));
      const started = await client.start(request);
      assert.equal(started.body.run.effort, 'high');
      endOf(await client.events(request.id));
      const again = await client.start(request);
      assert.deepEqual([again.status, again.body.run.effort], [202, 'high']);
      const { messages } = (await client.conversation(request.conversationId)).body;
      assert.deepEqual(
        messages.map(({ role, effort }) => [role, effort]),
        [
          ['user', undefined],
          ['assistant', 'high'],
        ],
      );
      const other = await client.start({ ...request, effort: 'low' });
      assert.deepEqual([other.status, other.body.code], [409, 'run_id_reused']);
    });

    it('is refused by name where the model does not know it, and nothing is started', async () => {
      const client = await member(server());
      const before = server().double.bill.length;
      const unknown = await client.start(client.chat('think', asking('steps', 'medium')));
      assert.deepEqual([unknown.status, unknown.body.code], [422, 'effort_unknown']);
      assert.equal(
        unknown.body.detail,
        'steps knows no effort "medium". Nothing was started. There is: low, high, max.',
      );
      const none = await client.start(client.chat('think', asking('plain', 'low')));
      assert.equal(
        none.body.detail,
        'plain knows no effort "low". Nothing was started. Send no "effort": it thinks as it does by itself.',
      );
      assert.equal(server().double.bill.length, before);
    });

    it('changes neither the output limit nor the hold, and thoughts are charged as output within them', async () => {
      const client = await member(server());
      const usage = {
        prompt_tokens: 30,
        completion_tokens: 4_000,
        completion_tokens_details: { reasoning_tokens: 3_900 },
      };
      const costs: number[] = [];
      const holds: number[] = [];
      for (const effort of [undefined, 'max']) {
        server().double.script({ text: 'Yes.', usage });
        const request = client.chat('think', asking('steps', effort));
        const { run, balance } = (await client.start(request)).body;
        holds.push(balance.pendingMicro);
        assert.equal(run.maxOutputTokens, 4_000);
        const end = endOf(await client.events(request.id));
        costs.push(end.data.chargedMicro);
        const entry = server().double.bill.at(-1)!;
        assert.equal(entry.body.max_tokens, 4_000);
        Object.assign(entry, { inputTokens: 30, cachedInputTokens: 0, outputTokens: 4_000 });
      }
      assert.deepEqual(costs, [30 * 60 + 4_000 * 250, 30 * 60 + 4_000 * 250]);
      assert.ok(holds[0]! >= costs[0]!, `${holds[0]} held`);
      assert.equal(holds[1], holds[0]);
    });
  },
  {
    policy: (policy) => {
      policy.models = [
        { id: 'steps', ...SIZES, thinking: { efforts: ['low', 'high', 'max'], field: 'reasoning_effort' } },
        { id: 'switch', ...SIZES, thinking: { efforts: ['off', 'on'], field: 'thinking' } },
        { id: 'both', ...SIZES, thinking: { efforts: ['off', 'high', 'max'], field: 'thinking' } },
        { id: 'plain', ...SIZES },
      ];
    },
  },
);
