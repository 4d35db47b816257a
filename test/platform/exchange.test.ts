import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { type Change, changed } from '../../server/platform/db/changes.ts';
import { type Database, isUnavailable } from '../../server/platform/db/database.ts';
import '../support/engines.ts';
import { freshDatabase, openBooks } from '../support/server.ts';
import { tapWire, type WireTap } from '../support/wireTap.ts';

/** The changes that a node hears under a key, and a wait for any of these. */
function listen(db: Database, key: string) {
  const heard: string[] = [];
  let news = () => {};
  db.changes.subscribe(key, ({ topic, id }: Change) => {
    heard.push(`${topic}:${id}`);
    news();
  });
  return {
    heard,
    async until(...any: string[]): Promise<void> {
      while (!any.some((what) => heard.includes(what))) await new Promise<void>((resolve) => (news = resolve));
    },
  };
}

describe('two nodes on one PostgreSQL', () => {
  let databaseUrl: string;
  let tap: WireTap;
  let here: Database;
  let there: Database;
  beforeEach(async () => {
    const { url } = await freshDatabase('postgres');
    databaseUrl = url;
    tap = await tapWire(url);
    here = await openBooks(tap.url);
    there = await openBooks(url);
  });
  afterEach(async () => {
    await here.close();
    await there.close();
    await tap.stop();
  });

  const change = (...ids: string[]) =>
    here.write(async (tx) => {
      for (const id of ids) changed(tx, 'ada', 'balance', id);
    });

  it('tell each other what has changed, after the commit and outside of the transaction', async () => {
    const ear = listen(there, 'ada');
    tap.statements.length = 0;
    await change('1');
    await ear.until('balance:1');
    const told = tap.statements.findIndex((text) => text.includes('pg_notify'));
    assert.equal(tap.statements[told - 1], 'commit', tap.statements.join('\n'));
  });

  it('tell nothing of a transaction that was rolled back', async () => {
    const ear = listen(there, 'ada');
    const failed = here.write(async (tx) => {
      changed(tx, 'ada', 'balance', 'never');
      throw new Error('no');
    });
    await assert.rejects(failed);
    await change('after');
    await ear.until('balance:after');
    assert.deepEqual(ear.heard, ['balance:after']);
  });

  it('send many changes in pieces that NOTIFY takes', async () => {
    const ear = listen(there, 'ada');
    const ids = Array.from({ length: 1_000 }, (_, i) => `${i}`.padStart(36, '0'));
    await change(...ids);
    await ear.until(`balance:${ids.at(-1)}`);
    assert.equal(new Set(ear.heard).size, 1_000);
  });

  it('have the other fetch afresh where more changed than can be told', async () => {
    const ear = listen(there, 'ada');
    await change(...Array.from({ length: 10_001 }, (_, i) => `${i}`));
    await ear.until('resync:');
    assert.deepEqual(ear.heard, ['resync:']);
  });

  it('tell later what changed while their connection was cut', async () => {
    const ear = listen(there, 'ada');
    tap.cut();
    // The pool may not have seen yet that its connections are gone.
    await change('1').catch(() => change('1'));
    await ear.until('balance:1', 'resync:');
  });

  // Guard: the exchange's alarm abandons the pools' connections. `cut` would have been noticed by themselves.
  it('go on within some seconds when the machine of the primary vanishes and another takes over', async function () {
    this.timeout(30_000);
    const ask = () => here.read.selectFrom('gate').select('name').execute();
    await Promise.all(Array.from({ length: 20 }, ask));
    tap.vanish();
    const began = performance.now();
    const asked = await Promise.allSettled(Array.from({ length: 20 }, ask));
    for (const one of asked) if (one.status === 'rejected') assert.ok(isUnavailable(one.reason), String(one.reason));
    await ask();
    assert.ok(performance.now() - began < 15_000);
  });

  it('close in some seconds when the database has vanished for good', async function () {
    this.timeout(30_000);
    const ear = listen(there, 'ada');
    await change('1');
    await ear.until('balance:1');
    tap.vanish(true);
    const began = performance.now();
    await here.close();
    assert.ok(performance.now() - began < 8_000);
    here = await openBooks(databaseUrl);
  });

  // Guard: set_config is local. A pooler gives the connection of one client to another.
  it('leave no setting behind on the connection on which they tell', async () => {
    const { rows } = await sql<{ v: string }>`select current_setting('synchronous_commit') as v`.execute(here.read);
    assert.deepEqual(rows, [{ v: 'on' }]);
    await change('1');
    assert.ok(!tap.statements.some((text) => /^set (?!local|transaction)/i.test(text)), tap.statements.join('\n'));
  });

  it('tell what still waits before they leave', async () => {
    const ear = listen(there, 'ada');
    await change('1');
    await here.close();
    await ear.until('balance:1');
    here = await openBooks(tap.url);
  });
});
