// A node that observes, as a process of its own, to be killed by test/risk/killed.test.ts. Its arguments: DATABASE_URL, SECRET, the
// account, the name of the node, how many requests it observes before its first flush and how many after it, and where it
// stops in the second flush to wait for its end:
//
//   before   nothing of the flush has been written
//   within   all of it is written, and its transaction is open
//   after    it is committed, and the node does not know it yet
//   never    it goes on
//
// It writes "ready" there.
import { parseConfig } from '../../server/platform/config/config.ts';
import type { Database } from '../../server/platform/db/database.ts';
import { openDatabase } from '../../server/platform/db/open.ts';
import { createLog } from '../../server/platform/log.ts';
import { systemClock } from '../../server/platform/system.ts';
import { observerOf } from '../../server/risk/observer.ts';

const [url, secret, accountId, node, first, second, stop] = process.argv.slice(2) as [string, string, ...string[]];
const config = parseConfig({ DATABASE_URL: url, SECRET: secret }, () => '{}');
const log = createLog('silent');
const opened = await openDatabase(config.database, log);
let stopsAt = 'never';

async function reach(place: string): Promise<void> {
  if (stopsAt !== place) return;
  process.stdout.write('ready\n');
  await new Promise(() => setInterval(() => {}, 1_000_000));
}
const db: Database = Object.create(opened, {
  writeUnsynced: {
    value: async (work: Parameters<Database['writeUnsynced']>[0]) => {
      await reach('before');
      const done = await opened.writeUnsynced(async (tx) => {
        const wrote = await work(tx);
        await reach('within');
        return wrote;
      });
      await reach('after');
      return done;
    },
  },
});
const metrics = { observed() {}, faulted() {} };
const observer = observerOf({ db, secret, config, clock: systemClock, log, metrics, node: node! });
await observer.begin();

function see(requests: string): void {
  for (let i = 0; i < Number(requests); i++)
    observer.saw({
      ...{ accountId: accountId!, credential: 'key', installKey: null, body: {} },
      incoming: {
        headers: {},
        rawHeaders: [],
        httpVersion: '1.1',
        socket: { remoteAddress: '203.0.113.7', remotePort: 4711 },
      },
      turn: () => ({ kind: 'tool', isFirst: false, language: null, root: `root ${i}`, text: '', paths: [] }),
    });
}

see(first!);
await observer.flush();
see(second!);
stopsAt = stop!;
await observer.flush();
await opened.close();
process.stdout.write('done\n');
