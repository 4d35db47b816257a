import assert from 'node:assert/strict';
import { Client, endOf, textOf } from '../../support/client.ts';
import { needs, PGBOUNCER, Pooler } from '../../support/debianPostgres.ts';
import '../../support/engines.ts';
import { Load } from '../../support/nodeLoad.ts';
import { at, auditAfter, eventually, Nodes } from '../../support/nodes.ts';
import { freshDatabase } from '../../support/server.ts';

const DROPS = Number(process.env.PERIGEE_POOLER_DROPS ?? 3);
/** The longest time until new requests are accepted again. */
const MOST_MS = 30_000;

describe('two nodes behind PgBouncer in transaction mode', function () {
  this.timeout(60_000 + DROPS * 40_000);
  let databaseUrl: string;
  let pooler: Pooler;
  let nodes: Nodes;
  before(async function () {
    needs.call(this, PGBOUNCER);
    databaseUrl = (await freshDatabase('postgres')).url;
    pooler = await Pooler.of(databaseUrl);
    nodes = await Nodes.on(databaseUrl);
    const env = { DATABASE_URL: pooler.url, DATABASE_SESSION_URL: databaseUrl, DATABASE_STATEMENTS: 'unnamed' };
    for (let n = 0; n < 2; n++) await nodes.start({ env });
  });
  after(async () => {
    await nodes?.end();
    await pooler?.remove();
  });

  it('do not start without DATABASE_SESSION_URL: they would hear nothing of each other', async () => {
    const started = nodes.start({ env: { DATABASE_URL: pooler.url, DATABASE_STATEMENTS: 'unnamed' } });
    await assert.rejects(started, /DATABASE_SESSION_URL/);
  });

  it('hear each other at once', async () => {
    const [one, two] = nodes.all;
    const guest = await Client.guest(one!.url);
    const gate = nodes.double.script({ when: 'count', pieces: ['one ', 'two ', 'three'], gateAt: 2 });
    const request = guest.chat('count');
    await guest.start(request);
    await gate.atGate;
    const there = at(two!, guest);
    await there.events(request.id, 0, (e) => e.type === 'text' && e.data.text.includes('two'));
    await there.stop(request.id);
    const events = await there.events(request.id);
    const end = endOf(events);
    assert.deepEqual([textOf(events), end.type === 'done' && end.data.state], ['one two ', 'stopped']);
  });

  // Guard: isUnavailable names what a dropped connection is, and endStubbornly and the ticks try again.
  it(`whose connections it drops ${DROPS} times under load: what fails is refused by name, nothing is doubled, and all goes on by itself`, async () => {
    nodes.double.usually({ pieces: ['word0 ', 'word1 ', 'word2 ', 'word3 '], everyMs: 20 });
    const load = await Load.begin(nodes, 24);
    let slowestMs = 0;
    for (let n = 0; n < DROPS; n++) {
      await load.more(40);
      await pooler.kill();
      await new Promise((resolve) => setTimeout(resolve, 300));
      load.acceptedAt = 0;
      const backAt = Date.now();
      await pooler.start();
      await eventually(async () => load.acceptedAt > 0);
      slowestMs = Math.max(slowestMs, load.acceptedAt - backAt);
    }
    await load.more(40);
    await load.stop();
    assert.deepEqual(await auditAfter(databaseUrl), []);
    console.log(`        a request was accepted at most ${slowestMs} ms after the pooler was back`);
    assert.ok(slowestMs < MOST_MS, `${slowestMs} ms`);
    console.log(`        ${await load.prove()}`);
  });
});
