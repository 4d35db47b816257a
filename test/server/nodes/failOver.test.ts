import assert from 'node:assert/strict';
import { join } from 'node:path';
import { StripeDouble } from '../../doubles/stripe.ts';
import { BIN, Cluster, needs } from '../../support/debianPostgres.ts';
import { Load } from '../../support/nodeLoad.ts';
import { auditAfter, MUCH_ALLOWED, Nodes, query } from '../../support/nodes.ts';

const READ_ONLY_MS = Number(process.env.PERIGEE_READ_ONLY_MS ?? 60_000);

describe('two nodes on a PostgreSQL with a synchronous standby', function () {
  this.timeout(300_000);
  let primary: Cluster;
  let standby: Cluster;
  let stripe: StripeDouble;
  let nodes: Nodes;
  before(async function () {
    needs.call(this, join(BIN, 'pg_basebackup'));
    primary = await Cluster.primary();
    standby = await primary.standby();
    stripe = await StripeDouble.start();
    const hosts = `127.0.0.1:${standby.port},127.0.0.1:${primary.port}`;
    const url = `postgres://postgres@${hosts}/perigee?target_session_attrs=read-write`;
    nodes = await Nodes.on(primary.url, MUCH_ALLOWED, { LEASE_MS: '15000', DATABASE_URL: url, ...stripe.env });
    for (let n = 0; n < 2; n++) await nodes.start();
    nodes.double.usually({ pieces: ['word0 ', 'word1 ', 'word2 ', 'word3 '], everyMs: 50 });
  });
  after(async () => {
    await nodes?.end();
    await stripe?.stop();
    await primary?.remove();
    await standby?.remove();
  });

  it(`that is read-only for ${READ_ONLY_MS / 1000} s: refuse by name with a time to wait, keep their running answers, and go on by themselves`, async () => {
    const load = await Load.begin(nodes, 16, stripe);
    await load.more(30);
    const set = async (value: 'on' | 'off') => {
      const admin = primary.url.replace(/perigee$/, 'postgres');
      await query(admin, `alter database perigee set default_transaction_read_only = ${value}`);
      await query(admin, "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = 'perigee'");
    };
    await set('on');
    const began = Date.now();
    const seen = new Set<string>();
    while (Date.now() - began < READ_ONLY_MS) {
      const response = await fetch(`${nodes.all[0]!.url}/api/guest`, { method: 'POST' });
      seen.add(
        `${response.status} ${((await response.json()) as { code: string }).code} ${response.headers.get('retry-after')}`,
      );
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    await set('off');
    const freeAt = Date.now();
    await load.more(1);
    const firstMs = Date.now() - freeAt;
    await load.more(50);
    await load.stop();
    assert.deepEqual([...seen], ['503 unavailable 5']);
    assert.deepEqual(await auditAfter(primary.url), []);
    assert.equal(load.ends.interrupted ?? 0, 0, 'no answer of a living node was taken from it');
    console.log(`        read-only for ${READ_ONLY_MS} ms; the next answer ended ${firstMs} ms after it`);
    console.log(`        ${await load.prove()}`);
  });

  // Guards: Hosts looks for the primary again; what a client was told had been confirmed by the standby.
  it('whose primary is killed and whose standby is promoted: work again within 30 s, with everything that was told', async () => {
    const load = await Load.begin(nodes, 16, stripe);
    await load.more(60);
    const killedAt = Date.now();
    await primary.kill();
    await standby.promote();
    const promotedMs = Date.now() - killedAt;
    Object.assign(nodes, { databaseUrl: standby.url });
    load.acceptedAt = 0;
    while (load.acceptedAt === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const acceptedMs = load.acceptedAt - killedAt;
    await load.more(1);
    const answeredMs = Date.now() - killedAt;
    await load.more(60);
    await load.stop();
    console.log(
      `        promoted ${promotedMs} ms after the kill; a request was accepted after ${acceptedMs} ms, an answer ended after ${answeredMs} ms`,
    );
    assert.ok(acceptedMs < 30_000, `${acceptedMs} ms`);
    assert.deepEqual(await auditAfter(standby.url), []);
    console.log(`        ${await load.prove()}`);
  });
});
