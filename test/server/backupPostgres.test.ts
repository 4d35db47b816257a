import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { audit } from '../../server/credits/audit/audit.ts';
import { parsePayments } from '../../server/platform/config/paymentConfig.ts';
import type { CheckoutAnswer } from '../../shared/credits.ts';
import { StripeDouble } from '../doubles/stripe.ts';
import { adminProcess } from '../support/adminProcess.ts';
import { Client } from '../support/client.ts';
import { SECRET, startServer, type TestServer } from '../support/server.ts';

/** Where Debian puts PostgreSQL 15, whose own tools make the backup; `npm run soak` names it. */
const BIN = process.env.PERIGEE_POSTGRES_BIN ?? '';

describe('a restored dump of PostgreSQL, by the commands of docs/backups.md', function () {
  this.timeout(180_000);
  let folder: string;
  let base: string;
  let stripe: StripeDouble;
  let server: TestServer | null = null;

  before(async function () {
    if (!existsSync(join(BIN, 'pg_dump')) || !existsSync(join(BIN, 'initdb'))) {
      if (BIN) console.log(`        skipped: there is no PostgreSQL in ${BIN}`);
      return this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'perigee-dump-'));
    stripe = await StripeDouble.start();
    const port = await freePort();
    if (process.getuid?.() === 0) chownSync(folder, Number(id('-u')), Number(id('-g')));
    chmodSync(folder, 0o755);
    asPostgres(
      'initdb',
      '-D',
      join(folder, 'data'),
      '-U',
      'postgres',
      '--auth=trust',
      '-E',
      'UTF8',
      '--locale=C.UTF-8',
    );
    const options = `-p ${port} -k ${folder} -c fsync=off -c listen_addresses=127.0.0.1`;
    asPostgres('pg_ctl', '-D', join(folder, 'data'), '-w', '-o', options, '-l', join(folder, 'log'), 'start');
    base = `postgres://postgres@127.0.0.1:${port}`;
    shell('createdb --maintenance-db="$MAINTENANCE_URL" perigee');
  });
  after(async () => {
    if (!base) return;
    if (server) await server.stop().then(() => server!.double.stop());
    asPostgres('pg_ctl', '-D', join(folder, 'data'), '-m', 'immediate', 'stop');
    await stripe.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const id = (flag: string) => execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' });
  /** PostgreSQL refuses to run as root. */
  function asPostgres(program: string, ...args: string[]): void {
    const isRoot = process.getuid?.() === 0;
    const who = isRoot ? { uid: Number(id('-u')), gid: Number(id('-g')) } : {};
    const { status, stderr } = spawnSync(join(BIN, program), args, {
      ...who,
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    assert.equal(status, 0, stderr);
  }
  function shell(command: string, env: Record<string, string> = {}): void {
    const maintenance = { MAINTENANCE_URL: `${base}/postgres` };
    const all = { ...process.env, ...maintenance, ...env, PATH: `${BIN}:${process.env.PATH}` };
    const { status, stderr } = spawnSync('sh', ['-c', command], { env: all, encoding: 'utf8' });
    assert.equal(status, 0, `${command}: ${stderr}`);
  }
  const start = (databaseUrl: string) =>
    startServer('postgres', {
      databaseUrl,
      env: { DELETIONS_FILE: join(folder, 'deletions') },
      config: (config) => {
        config.payments = parsePayments(stripe.env, '127.0.0.1', null);
      },
    });

  it('has what was paid, deleted and revoked since, and its books hold', async () => {
    const url = `${base}/perigee`;
    server = await start(url);
    const client = await server.guest();
    const columns = { kind: 'member' as const, terms_version: '1', tier: 0 };
    await server.db.write(async (tx) => {
      await tx.updateTable('account').set(columns).where('id', '=', client.accountId).execute();
    });
    const chat = client.chat('to be deleted');
    await client.run(chat);
    const since = new Date().toISOString();
    const dump = join(folder, 'perigee.dump');
    shell(`pg_dump --format=custom --file=${dump} "$DATABASE_URL"`, { DATABASE_URL: url });
    const { body } = await client.request<CheckoutAnswer>('POST', '/api/credits/checkout', { pack: 'pack-5' });
    for (const event of stripe.pay(/cs_\w+/.exec(body.url)![0])) await stripe.deliver(server.url, event);
    assert.equal((await client.request('DELETE', `/api/conversations/${chat.conversationId}`)).status, 204);
    await server.stop();
    await server.double.stop();
    server = null;

    const restoredUrl = `${base}/perigee_restored`;
    shell('createdb --maintenance-db="$MAINTENANCE_URL" perigee_restored');
    shell(`pg_restore --no-owner --exit-on-error --dbname="$DATABASE_URL" ${dump}`, { DATABASE_URL: restoredUrl });
    const env = { DATABASE_URL: restoredUrl, DELETIONS_FILE: join(folder, 'deletions'), SECRET, ...stripe.env };
    assert.match((await adminProcess(env, 'restored')).said, /restored needs --since/);
    const restored = await adminProcess(env, 'restored', '--since', since);
    assert.equal(restored.code, 0, restored.said);
    for (const line of [
      /1 session ended/,
      /0 accounts and 1 conversation that were deleted since are deleted again/,
      /1 payment since was credited, 0 refunds or disputes booked/,
      /The books hold\./,
    ])
      assert.match(restored.said, line);

    server = await start(restoredUrl);
    assert.deepEqual(await audit(server.db.read, server.clock.now(), 0), []);
    assert.equal((await new Client(server.url, client.token, client.accountId).account()).status, 401);
    const { posted } = await server.db.read
      .selectFrom('balance')
      .select('posted')
      .where('kind', '=', 'purchased')
      .executeTakeFirstOrThrow();
    assert.equal(posted, 500_000_000);
    assert.deepEqual(await server.db.read.selectFrom('conversation').select('id').execute(), []);
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
