import assert from 'node:assert/strict';
import pg from 'pg';
import { Client, endOf } from '../../support/client.ts';
import '../../support/engines.ts';
import { auditAfter, eventually, Nodes, query } from '../../support/nodes.ts';
import { freshDatabase } from '../../support/server.ts';

/** As many ends as a node stores at once. */
const AT_ONCE = 4;

describe('two nodes of which one can’t store the ends of its answers for a while', function () {
  this.timeout(120_000);
  let nodes: Nodes;
  before(async () => {
    nodes = await Nodes.on((await freshDatabase('postgres')).url);
    for (let n = 0; n < 2; n++) await nodes.start();
  });
  after(() => nodes.end());

  // Guard: writeLeases has a connection of its own, and LiveRuns renews runs whose ends wait.
  it('because a wallet is locked: the other takes neither those that wait nor those that still run', async () => {
    const url = nodes.databaseUrl;
    const [node] = nodes.all;
    const locked = await Client.guest(node!.url);
    const free = await Client.guest(node!.url);
    const begin = async (client: Client, text: string) => {
      const gate = nodes.double.script({ when: text, pieces: ['Once ', 'upon'], gateAt: 1 });
      const request = client.chat(text);
      assert.equal((await client.start(request)).status, 202);
      await gate.atGate;
      return { gate, client, id: request.id };
    };
    const stuck = [];
    for (let n = 0; n < AT_ONCE; n++) stuck.push(await begin(locked, `stuck ${n}`));
    const waiting = await begin(free, 'its end waits');
    const running = await begin(free, 'it goes on');
    const holder = new pg.Client({ connectionString: url });
    await holder.connect();
    try {
      await holder.query('begin');
      const wallet = 'select ledger_id from wallet where account_id = $1';
      await holder.query(`select 1 from balance where ledger_id in (${wallet}) for update`, [locked.accountId]);
      for (const { gate } of stuck) gate.open();
      const blocked = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
      await eventually(async () => (await query(url, blocked)).length >= AT_ONCE);
      waiting.gate.open();
      // Four renewals: more than a lease, in which the other node has looked many times.
      for (const { id } of [waiting, running])
        for (let renewed = 0, last = ''; renewed < 5; ) {
          const lease = 'select state, lease_until from run where id = $1';
          const [row] = await query<{ state: string; lease_until: string }>(url, lease, [id]);
          assert.equal(row!.state, 'running');
          if (row!.lease_until !== last) renewed++;
          last = row!.lease_until;
        }
    } finally {
      await holder.end();
    }
    running.gate.open();
    for (const { client, id } of [...stuck, waiting, running]) {
      const end = endOf(await client.events(id));
      assert.equal(end.type === 'done' && end.data.state, 'complete');
    }
    assert.deepEqual(await auditAfter(url), []);
  });
});
