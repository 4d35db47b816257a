import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { build } from 'esbuild';
import { jobsOf } from '../../server/jobs.ts';
import { findSketch } from '../../server/risk/store.ts';
import { root } from '../editor/fetch.ts';
import { ENGINES } from '../support/engines.ts';
import { freshDatabase, openBooks, SECRET } from '../support/server.ts';

/** Bundled, it starts in a third of the time of the sources. */
const PROGRAM = join(root, 'out/test/observingProcess.mjs');

describe('a node that is killed while it observes', () => {
  before(() =>
    build({
      ...{ entryPoints: [join(root, 'test/risk/observingProcess.ts')], outfile: PROGRAM, bundle: true },
      ...{ platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' },
    }),
  );

  for (const engine of ENGINES)
    it(`loses what it saw since its last flush, and nothing counts twice when others go on (${engine})`, async function () {
      this.timeout(90_000);
      const { url, remove } = await freshDatabase(engine);
      const children: ChildProcess[] = [];
      const accountId = randomUUID();
      try {
        const db = await openBooks(url);
        const account = { id: accountId, kind: 'member' as const, created_at: 1, last_active_at: 1 };
        await db.write((tx) => tx.insertInto('account').values(account).execute());
        await db.close();

        /** Returns once the node has reached this place in its second flush. */
        async function observe(node: string, first: number, second: number, place: string): Promise<ChildProcess> {
          const args = [url, SECRET, accountId, node, `${first}`, `${second}`, place];
          const child = spawn(process.execPath, [PROGRAM, ...args]);
          children.push(child);
          let said = '';
          for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (said += bytes));
          await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
          assert.equal(said, place === 'never' ? 'done\n' : 'ready\n');
          return child;
        }
        async function kill(child: ChildProcess): Promise<void> {
          const ended = once(child, 'exit');
          child.kill('SIGKILL');
          assert.deepEqual(await ended, [null, 'SIGKILL']);
        }
        async function stored(): Promise<number> {
          const books = await openBooks(url);
          try {
            return Math.round((await findSketch(books.read, accountId, Date.now()))!.counters.requests);
          } finally {
            await books.close();
          }
        }

        await kill(await observe('one', 5, 3, 'before'));
        assert.equal(await stored(), 5, 'what waited is lost');
        await kill(await observe('two', 2, 3, 'within'));
        assert.equal(await stored(), 5 + 2, 'half a flush is none');
        await kill(await observe('three', 2, 3, 'after'));
        assert.equal(await stored(), 7 + 2 + 3, 'what was committed counts');
        const last = await observe('four', 1, 1, 'never');
        if (last.exitCode === null) await once(last, 'exit');
        assert.equal(await stored(), 12 + 1 + 1, 'and counts once');
      } finally {
        for (const child of children) child.kill('SIGKILL');
        await remove();
      }
    });

  it('has flushed within the last 15 seconds', async () => {
    let flushes = 0;
    const observer = { flush: async () => void flushes++ };
    const turns = { policy: { risk: {} }, upstream: {} };
    const jobs = jobsOf({ ...{ accounts: {}, sales: {}, restoring: {} }, turns, observer } as never);
    const job = jobs.find(({ name }) => name === 'observations')!;
    assert.ok(job.everyMs <= 15_000);
    await job.run();
    assert.equal(flushes, 1);
  });
});
