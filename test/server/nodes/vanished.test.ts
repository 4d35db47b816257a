import assert from 'node:assert/strict';
import { type Database, isUnavailable } from '../../../server/platform/db/database.ts';
import { DeletionList } from '../../../server/platform/db/deletions.ts';
import { openPostgres } from '../../../server/platform/db/postgres.ts';
import { createLog } from '../../../server/platform/log.ts';
import { UpstreamDouble } from '../../doubles/upstream.ts';
import { Client } from '../../support/client.ts';
import '../../support/engines.ts';
import { freshDatabase, ServerProcess } from '../../support/server.ts';
import { tapWire, type WireTap } from '../../support/wireTap.ts';

describe('a PostgreSQL whose machine vanishes without closing a connection', function () {
  this.timeout(60_000);
  let url: string;
  let tap: WireTap;
  beforeEach(async () => {
    url = (await freshDatabase('postgres')).url;
    tap = await tapWire(url);
  });
  afterEach(() => tap.stop());

  // Guard: Pulse. The exchange has another way, which stays open.
  it('behind a pooler: the node connects anew', async () => {
    const settings = { engine: 'postgres' as const, url: tap.url, sessionUrl: url };
    const db: Database = await openPostgres(settings, createLog('silent'), new DeletionList(null));
    try {
      const ask = () => db.read.selectFrom('gate').select('name').execute();
      await Promise.all(Array.from({ length: 20 }, ask));
      tap.vanish();
      for (const one of await Promise.allSettled(Array.from({ length: 20 }, ask)))
        if (one.status === 'rejected') assert.ok(isUnavailable(one.reason), String(one.reason));
      await ask();
    } finally {
      await db.close();
    }
  });

  it('for good: the node ends within its deadline of a shutdown', async () => {
    const double = await new UpstreamDouble().start();
    const node = await ServerProcess.start(tap.url, double.url, { LEASE_MS: '500', LOG_LEVEL: 'info' });
    try {
      const guest = await Client.guest(node.url);
      await guest.run(guest.chat('Hi'));
      tap.vanish(true);
      const began = performance.now();
      await node.terminate();
      const tookMs = performance.now() - began;
      assert.ok(tookMs < 21_000, `${tookMs} ms`);
    } finally {
      await node.kill();
      await double.stop();
    }
  });
});
