import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { moveRequests, storeRequests } from '../../server/requests/store.ts';
import type { RequestRecord } from '../../shared/requests.ts';
import type { OutcomeAnswer } from '../../shared/runs.ts';
import { Client } from '../support/client.ts';
// Stops the PostgreSQL that all suites share.
import '../support/engines.ts';
import { freshDatabase, startServer, type TestServer } from '../support/server.ts';
import { requestOf } from './rows.ts';

describe('the record of requests with two nodes', function () {
  this.timeout(60_000);
  let one: TestServer;
  let other: TestServer;

  before(async () => {
    const { url } = await freshDatabase('postgres');
    one = await startServer('postgres', { databaseUrl: url });
    other = await startServer('postgres', { databaseUrl: url, double: one.double });
  });
  after(async () => {
    await other?.stop();
    await one?.stop();
  });

  it('has a refund that another node made before the answer was recorded', async () => {
    const guest = await one.guest();
    const there = new Client(other.url, guest.token, guest.accountId);
    one.double.script({ pieces: ['nonsense'] });
    const edit = guest.edit('do', 'x');
    await guest.run(edit);
    const outcome = { applied: 0, refused: 1 };
    const { body } = await there.request<OutcomeAnswer>('POST', `/api/runs/${edit.id}/outcome`, outcome);
    assert.ok(body.refundedMicro > 0, JSON.stringify(body));
    const record = await guest.request<RequestRecord>('GET', `/api/requests/${edit.id}`);
    assert.equal(record.body.chargedMicro, 0);
  });

  it('goes with a guest that joins an account while a row is being stored', async () => {
    const [guest, owner] = [await one.guest(), await one.guest()];
    const row = requestOf(guest.accountId);
    let joined = false;
    const waits = async () => {
      const { rows } = await sql`select 1 from pg_locks where not granted`.execute(one.db.read);
      return rows.length > 0;
    };
    const join = () =>
      other.db.write(async (tx) => {
        await tx
          .updateTable('account')
          .set({ merged_into: owner.accountId })
          .where('id', '=', guest.accountId)
          .execute();
        await moveRequests(tx, guest.accountId, owner.accountId);
      });
    let joining: Promise<void> | undefined;
    await one.db.write(async (tx) => {
      await storeRequests(tx, [row], 'postgres');
      joining = join().then(() => {
        joined = true;
      });
      while (!joined && !(await waits())) await new Promise((resolve) => setImmediate(resolve));
    });
    await joining;
    const stored = await one.db.read.selectFrom('request').select('account_id').where('id', '=', row.id).execute();
    assert.deepEqual(stored, [{ account_id: owner.accountId }]);
    const late = requestOf(guest.accountId, { id: randomUUID() });
    await one.db.write((tx) => storeRequests(tx, [late], 'postgres'));
    assert.equal((await owner.request('GET', `/api/requests/${late.id}`)).status, 200, 'one that is stored afterwards');
  });
});
