import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { runCommand } from '../../../server/accounts/operator/commands.ts';
import { RUNS_OF_ACCOUNTS } from '../../../server/gateway/runs/runs.ts';
import { parseConfig } from '../../../server/platform/config/config.ts';
import { systemIds } from '../../../server/platform/system.ts';
import type { KeysAnswer } from '../../../shared/keys.ts';
import { COMMANDS, runAdmin } from '../../support/admin.ts';
import type { Client } from '../../support/client.ts';
import { onBothEngines } from '../../support/engines.ts';
import { SECRET, type TestServer } from '../../support/server.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

const secretIn = (lines: readonly string[]) => /pgk_[0-9A-Za-z]{49}/.exec(lines.join('\n'))?.[0] ?? '';
const call = async (server: TestServer, secret: string) =>
  (await fetch(`${server.url}/v1/models`, { headers: { 'x-api-key': secret } })).status;

onBothEnginesWithSignIn('an operator who makes keys', (world) => {
  const server = () => world().server();
  const admin = (...args: string[]) => runAdmin(server(), ...args);
  const keysOf = async (who: Client) => (await who.request<KeysAnswer>('GET', '/api/keys')).body.keys;

  it('sees each once, with the base URL, and lists and revokes it', async () => {
    const { member } = await world().signIn(somebody({ email: 'keys@example.org' }));
    const heard = await member.changes();
    const made = await admin(
      'key',
      'keys@example.org',
      '--name',
      'CI',
      '--models',
      'double',
      '--monthly',
      '12.5',
      '--expires',
      '30d',
    );
    assert.equal(made.code, 0, made.lines.join());
    assert.equal(
      made.lines[0],
      'keys@example.org has a new API key, "CI". It is shown only now. Paste this into the tool:',
    );
    const secret = secretIn(made.lines);
    assert.equal(await call(server(), secret), 200);
    await heard.next((topic) => topic === 'keys');
    heard.close();
    const [key] = await keysOf(member);
    assert.deepEqual([key!.name, key!.models, key!.monthlyMicro], ['CI', ['double'], 12_500_000]);
    assert.deepEqual(made.lines.slice(2, 5), [
      `  Base URL  ${server().url}/v1`,
      `  API key   ${secret}`,
      '  Model     double',
    ]);
    assert.ok(made.lines.at(-1)!.endsWith(`revoke-key ${key!.id}`));
    const [head, line] = (await admin('keys', member.accountId)).lines;
    assert.match(head!, /^key +name +ends in +models +this month +of +made +last used +expires$/);
    assert.match(line!, new RegExp(`^${key!.id} +CI +…${secret.slice(-4)} +double +0 credits +12\\.5 credits +2`));
    assert.ok(!line!.includes(secret.slice(0, 12)));
    const revoked = await admin('revoke-key', key!.id);
    assert.deepEqual([revoked.code, revoked.lines], [0, ['The API key "CI" is revoked.']]);
    assert.equal(await call(server(), secret), 401);
    assert.equal((await admin('revoke-key', key!.id)).code, 1);
    assert.deepEqual((await admin('keys', member.accountId)).lines, ['There is none.']);
  });

  const REFUSED: [args: string[], code: 1 | 2, said: RegExp][] = [
    [['key'], 2, /^key needs --name/],
    [['key', '--name', 'x'], 2, /^key needs an account/],
    [['key', 'ACCOUNT', 'more', '--name', 'x'], 2, /^key needs an account, and nothing else/],
    [['key', 'nobody@example.org', '--name', 'x'], 1, /There is no account "nobody@example\.org"/],
    [['key', 'local', '--name', 'x'], 1, /There is no account "local"/],
    [['key', 'ACCOUNT', '--name', ' '], 2, /^--name is empty/],
    [['key', 'ACCOUNT', '--name', 'x'.repeat(61)], 2, /has 61 characters, and may have 60/],
    [['key', 'ACCOUNT', '--name', 'x', '--models', ' , '], 2, /--models names no model/],
    [
      ['key', 'ACCOUNT', '--name', 'x', '--models', 'double,gpt-9'],
      1,
      /^"gpt-9" is not offered here\. There is: double\./,
    ],
    [['key', 'ACCOUNT', '--name', 'x', '--monthly', '0'], 2, /are nothing/],
    [['key', 'ACCOUNT', '--name', 'x', '--monthly', '-1'], 2, /is less than nothing/],
    [['key', 'ACCOUNT', '--name', 'x', '--monthly', 'much'], 2, /is no number of credits/],
    [['key', 'ACCOUNT', '--name', 'x', '--expires', '2020-01-01'], 2, /is over already/],
    [['key', 'ACCOUNT', '--name', 'x', '--until', '1d'], 2, /key takes no --until/],
    [['keys'], 2, /^keys needs an account/],
    [['keys', 'nobody@example.org'], 1, /There is no account/],
    [['revoke-key'], 2, /^revoke-key needs the id of a key/],
    [['revoke-key', randomUUID()], 1, /There is no such key/],
  ];
  for (const [args, code, said] of REFUSED)
    it(`is refused with ${args.join(' ').slice(0, 60)}`, async () => {
      const { member } = await world().signIn(somebody());
      const told = await admin(...args.map((arg) => (arg === 'ACCOUNT' ? member.accountId : arg)));
      assert.equal(told.code, code, told.lines.join());
      assert.match(told.lines[0]!, said);
      assert.deepEqual(await keysOf(member), []);
    });

  it('is refused with a guest', async () => {
    const guest = await server().guest();
    const { code, lines } = await admin('key', guest.accountId, '--name', 'x');
    assert.deepEqual([code, lines], [1, ['A guest has no API keys. Its owner can sign in first.']]);
  });
});

onBothEngines('a server of one’s own', (server) => {
  const { policy, leaseMs } = parseConfig({}, () => '{}');
  const admin = (...args: string[]) => {
    const { db, clock } = server();
    const deps = { db, clock, ids: systemIds, policy, leaseMs, secret: SECRET, runs: RUNS_OF_ACCOUNTS };
    return runCommand({ ...deps, ...COMMANDS, isLocal: true }, args);
  };

  it('serves its user’s tools by a key, before anybody has used it, and from this machine alone', async () => {
    const ways = [
      ['key', '--name', 'one'],
      ['key', 'local', '--name', 'two'],
      ['key', 'LOCAL', '--name', 'three'],
    ];
    for (const args of ways) {
      const made = await admin(...args);
      assert.equal(made.code, 0, made.lines.join());
      assert.match(made.lines[0]!, /^The user of this machine has a new API key/);
      const secret = secretIn(made.lines);
      assert.equal(await call(server(), secret), 200);
      const forwarded = await fetch(`${server().url}/v1/models`, {
        headers: { 'x-api-key': secret, 'x-forwarded-for': '203.0.113.9' },
      });
      assert.equal(forwarded.status, 401);
      assert.match(await forwarded.text(), /works on that machine alone/);
    }
    assert.equal((await admin('keys')).lines.length, 4, 'they are of one account');
    assert.deepEqual((await admin('keys', 'local')).lines, (await admin('keys')).lines);
    const accounts = await server().db.read.selectFrom('account').select('is_local').execute();
    assert.deepEqual(accounts, [{ is_local: 1 }]);
  });
});
