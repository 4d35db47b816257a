import assert from 'node:assert/strict';
import { Client, endOf, textOf } from '../../support/client.ts';
import '../../support/engines.ts';
import { at, auditAfter, eventually, Nodes } from '../../support/nodes.ts';
import { freshDatabase } from '../../support/server.ts';

/** `npm run soak` asks for 20 rounds of 200 answers. */
const ROUNDS = Number(process.env.PERIGEE_NODE_KILLS ?? 1);
const ANSWERS = Number(process.env.PERIGEE_NODE_ANSWERS ?? 40);
const LEASE_MS = 5_000;
const PIECES = Array.from({ length: 80 }, (_, n) => `word${n} `);
const WHOLE = PIECES.join('');

/** What each node has logged about a run. */
const saidOf = ({ all }: Nodes, runId: string) =>
  all
    .map(
      ({ said, pid }) =>
        `node ${pid}: ${said()
          .split('\n')
          .filter((line) => line.includes(runId))
          .join(' ')}`,
    )
    .join('; ');

describe('two nodes of which one is killed', function () {
  this.timeout(60_000 + ROUNDS * 60_000);
  let nodes: Nodes;
  before(async () => {
    nodes = await Nodes.on((await freshDatabase('postgres')).url, undefined, { LEASE_MS: `${LEASE_MS}` });
    nodes.double.usually({ pieces: PIECES, everyMs: 100 });
    for (let n = 0; n < 2; n++) await nodes.start();
  });
  after(() => nodes.end());

  it(`under ${ANSWERS} running answers, ${ROUNDS} times: every invariant holds, and every client is told the truth at the other`, async () => {
    const guests: Client[] = [];
    // One after the other: on a busy machine, so many at once would wait too long for a connection to the database.
    for (let n = 0; n < 20; n++) guests.push(await Client.guest(nodes.all[0]!.url));
    const totals = { complete: 0, interrupted: 0, goneOn: 0, slowestMs: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const victim = nodes.all[round % 2]!;
      const other = nodes.all[1 - (round % 2)]!;
      const runs = Array.from({ length: ANSWERS }, (_, n) => {
        const client = at(n % 2 ? victim : other, guests[n % guests.length]!);
        return { client, request: client.chat(`question ${n}`), isVictims: n % 2 === 1 };
      });
      const before = await Promise.all(guests.map((guest) => at(other, guest).available()));
      await Promise.all(
        runs.map(({ client, request }) =>
          eventually(async () => {
            const { status, body } = await client.start(request);
            // On a busy machine: too many at once for the connections to the database. It is the same run when sent again.
            if (status !== 202) assert.equal(body.code, 'unavailable');
            return status === 202;
          }),
        ),
      );
      // All readers are at the other node, as behind a load balancer that has noticed.
      const reading = Promise.all(runs.map(({ client, request }) => at(other, client).events(request.id)));
      // At another instant in each round.
      await new Promise((resolve) => setTimeout(resolve, 300 + ((round * 137) % 1500)));
      const killedAt = performance.now();
      await victim.kill();
      const told = await reading;
      totals.slowestMs = Math.max(totals.slowestMs, performance.now() - killedAt);
      const spent = new Map<string, number>();
      for (const [i, events] of told.entries()) {
        const { client, request, isVictims } = runs[i]!;
        const end = endOf(events);
        assert.ok(end.type === 'done', JSON.stringify(end));
        const { state, chargedMicro, reason } = end.data;
        if (state !== 'complete' && !(isVictims && state === 'interrupted'))
          assert.fail(`round ${round}: ${state} at the node that lives; ${saidOf(nodes, runs[i]!.request.id)}`);
        if (state === 'complete') assert.equal(textOf(events), WHOLE);
        else assert.deepEqual([chargedMicro, reason, WHOLE.startsWith(textOf(events))], [0, 'interrupted', true]);
        totals[state as 'complete']++;
        spent.set(client.accountId, (spent.get(client.accountId) ?? 0) + chargedMicro);
        const { messages } = (await at(other, client).conversation(request.conversationId)).body;
        assert.deepEqual([messages[1]!.state, messages[1]!.chargedMicro], [state, chargedMicro], 'as it was told');
        assert.equal(messages[1]!.text, textOf(events));
      }
      for (const [i, guest] of guests.entries())
        assert.equal(before[i]! - (await at(other, guest).available()), spent.get(guest.accountId) ?? 0);
      const cut = runs.find((_, i) => (told[i]!.at(-1) as { data: { state: string } }).data.state === 'interrupted');
      if (cut) {
        const { conversationId, id } = cut.request;
        const client = at(other, cut.client);
        const end = endOf(await client.run(client.chat('', { conversationId, continues: id })));
        assert.equal(end.type === 'done' && end.data.state, 'complete');
        totals.goneOn++;
      }
      assert.deepEqual(await auditAfter(nodes.databaseUrl), []);
      nodes.all[round % 2] = await nodes.start();
      nodes.all.length = 2;
    }
    console.log(`        ${JSON.stringify({ rounds: ROUNDS, ...totals, slowestMs: Math.round(totals.slowestMs) })}`);
    assert.ok(totals.interrupted >= ROUNDS && totals.goneOn > 0, 'answers were running');
  });
});
