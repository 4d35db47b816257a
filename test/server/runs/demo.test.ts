import assert from 'node:assert/strict';
import { audit } from '../../../server/credits/audit/audit.ts';
import { demoUpstream } from '../../../server/gateway/upstreams/demo/demo.ts';
import type { ModelsAnswer } from '../../../shared/models.ts';
import type { RepairEdit, RunRequest } from '../../../shared/runs.ts';
import { type Client, endOf, textOf } from '../../support/client.ts';
import { done, type Files, planOf, readEdits } from '../../support/editing.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { member as memberOf } from '../../support/tokenPrices.ts';
import { openTool } from '../../support/tools.ts';

const C = 1_000_000;
const FILES: Files = { 'src/a.ts': 'let count = 1;\n', 'src/b.ts': `${'line\n'.repeat(60)}` };

describe('a newcomer with the demo model', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer('sqlite', { upstream: demoUpstream({ delayMs: 0 }) });
  });
  after(async () => {
    assert.deepEqual(await audit(server.db.read, Date.now(), 0), []);
    await server.stop();
  });

  async function ask(guest: Client, request: RunRequest): Promise<string> {
    const events = await guest.run(request);
    const end = endOf(events);
    assert.deepEqual([end.type, end.data.chargedMicro], ['done', C]);
    return textOf(events);
  }

  /** What the editor sends when blocks were refused. */
  function repairOf(guest: Client, edit: RunRequest, text: string): RunRequest {
    const refused: RepairEdit['refused'] = planOf(text, FILES).flatMap((plan) =>
      plan.kind === 'refused'
        ? plan.refusals.map((r) => ({ path: plan.path!, lookedFor: r.lookedFor.join('\n'), why: r.message }))
        : [],
    );
    assert(refused.length > 0);
    return guest.repair(edit, { refused });
  }

  it('sees files changed, made and moved by one answer', async () => {
    const guest = await server.guest();
    const text = await ask(
      guest,
      guest.editFiles('rename count to total; new file c.md; move src/b.ts to b.ts', FILES),
    );
    const after = done(FILES, planOf(text, FILES));
    assert.deepEqual(Object.keys(after).sort(), ['b.ts', 'c.md', 'src/a.ts']);
    assert.equal(after['src/a.ts'], 'let total = 1;\n');
  });

  it('sees a miss repaired', async () => {
    const guest = await server.guest();
    const edit = guest.editFiles('miss: make uppercase', FILES);
    const text = await ask(guest, edit);
    const repair = repairOf(guest, edit, text);
    const again = await ask(guest, repair);
    const after = done(FILES, planOf(again, FILES));
    assert.deepEqual(after, { 'src/a.ts': 'LET COUNT = 1;\n', 'src/b.ts': 'LINE\n'.repeat(60) });
  });

  it('sees both refunded when the repair misses as well', async () => {
    const guest = await server.guest();
    const edit = guest.editFiles('miss twice', FILES);
    const repair = repairOf(guest, edit, await ask(guest, edit));
    const text = await ask(guest, repair);
    assert.equal(readEdits(text).length, 2);
    assert(planOf(text, FILES).every(({ kind }) => kind === 'refused'));
    for (const { id } of [edit, repair]) assert.equal((await guest.outcome(id, 0, 2)).body.refundedMicro, C);
    assert.equal(await guest.available(), 10 * C);
  });
});

describe('the demo model in the place of priced models', () => {
  it('costs what an unpriced model does, and no price of the list', async () => {
    const price = { mode: 'tokens' as const, inputMicro: 6e9, cachedInputMicro: 6e9, outputMicro: 6e9 };
    const priceChanges = [{ from: new Date(Date.now() + 1e9).toISOString(), price: { ...price, inputMicro: 9e9 } }];
    const model = { contextTokens: 128_000, maxOutputTokens: 8_000, price, priceChanges };
    const server = await startServer('sqlite', {
      upstream: demoUpstream({ delayMs: 0 }),
      policy: (policy) => {
        policy.models = [{ ...model, id: 'dear' }];
      },
      config: (config) => {
        config.upstream = null;
      },
    });
    try {
      const tool = await openTool(server);
      const before = await tool.available();
      const { status } = await tool.send({ model: 'dear', messages: [{ role: 'user', content: 'Hi' }] });
      assert.equal(status, 200);
      assert.equal(before - (await tool.available()), C);
      const member = await memberOf(server);
      const [shown] = (await member.request<ModelsAnswer>('GET', '/api/models')).body.models;
      assert.deepEqual(
        [shown!.isDemo, shown!.price, shown!.nextPrice],
        [true, { mode: 'flat', runMicro: C }, undefined],
      );
    } finally {
      await server.stop();
    }
  });
});
