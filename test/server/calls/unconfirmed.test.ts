import assert from 'node:assert/strict';
import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import { endOf, textOf } from '../../support/client.ts';
import { onBothEngines } from '../../support/engines.ts';
import type { TestServer } from '../../support/server.ts';
import { openTool, ownerOf } from '../../support/tools.ts';

const ASK = { model: 'double', messages: [{ role: 'user' as const, content: 'Hi' }] };
const WHOLE = { pieces: ['One ', 'two'] };

/** Breaks the connection after the commit of the next end of a run; with `forGood`, each later attempt fails, too. */
function loseNextEnd({ db }: TestServer, { forGood = false } = {}): { restore(): void } {
  const { writeFirst } = db;
  let isLost = false;
  db.writeFirst = async (work) => {
    if (isLost && forGood) throw new Error('broken');
    const value = await writeFirst(work);
    if (isLost || !(value as { chargedMicro?: number } | null)?.chargedMicro) return value;
    isLost = true;
    throw new Error(forGood ? 'broken' : 'Connection terminated unexpectedly');
  };
  return {
    restore() {
      db.writeFirst = writeFirst;
      assert.ok(isLost);
    },
  };
}

// Guard: endStubbornly finds the run ended as it was going to be (isEndedAs).
onBothEngines(
  'an answer whose settlement is stored without a confirmation',
  (server) => {
    for (const stream of [false, true])
      it(`is told whole and charged once, however often the official client would try again${stream ? ', streamed' : ''}`, async () => {
        const tool = await openTool(server());
        const owner = await ownerOf(server(), tool);
        server().double.script(WHOLE);
        const lost = loseNextEnd(server());
        let text = '';
        let id: string | null = null;
        try {
          const client = tool.openai.withOptions({ maxRetries: 2 });
          if (stream) {
            const { data, response } = await client.chat.completions.create({ ...ASK, stream }).withResponse();
            for await (const chunk of data) text += chunk.choices[0]?.delta.content ?? '';
            id = response.headers.get('x-request-id');
          } else {
            const { data, response } = await client.chat.completions.create(ASK).withResponse();
            text = data.choices[0]!.message.content!;
            id = response.headers.get('x-request-id');
          }
        } finally {
          lost.restore();
        }
        assert.equal(text, 'One two');
        const charges = (await tool.log()).filter(({ kind }) => kind === 'charge');
        assert.equal(charges.length, 1);
        const { status, body } = await owner.request<{ outcome: string; chargedMicro: number }>(
          'GET',
          `/api/requests/${id}`,
        );
        assert.deepEqual([status, body.outcome, body.chargedMicro], [200, 'answered', -charges[0]!.amount]);
      });

    it('is counted, and its readers in the editor are told its end', async () => {
      const ended = async () =>
        Number(
          /perigee_runs_total\{state="complete"\} (\d+)/.exec(
            await (await fetch(`${server().url}/metrics`)).text(),
          )?.[1] ?? 0,
        );
      const guest = await server().guest();
      const before = await ended();
      server().double.script(WHOLE);
      const lost = loseNextEnd(server());
      try {
        const events = await guest.run(guest.chat('Hi'));
        const end = endOf(events);
        assert.deepEqual([textOf(events), end.type === 'done' && end.data.state], ['One two', 'complete']);
      } finally {
        lost.restore();
      }
      assert.equal(await ended(), before + 1);
      assert.equal(await guest.available(), 9 * MICRO_PER_CREDIT);
    });

    it('is refused where it stays unknown, so that no client tries again by itself', async () => {
      const tool = await openTool(server());
      server().double.script(WHOLE);
      const lost = loseNextEnd(server(), { forGood: true });
      try {
        const error = await tool.openai
          .withOptions({ maxRetries: 2 })
          .chat.completions.create(ASK)
          .catch((caught) => caught);
        assert.deepEqual([error.status, error.headers.get('x-should-retry')], [500, 'false']);
        assert.match(error.message, /Look at your credits/);
      } finally {
        lost.restore();
      }
      assert.equal((await tool.log()).filter(({ kind }) => kind === 'charge').length, 1);
    });
  },
  { env: { LEASE_MS: '500' } },
);
