import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { sql } from 'kysely';
import { parseConfig } from '../../../server/platform/config/config.ts';
import { openDatabase } from '../../../server/platform/db/open.ts';
import { createLog } from '../../../server/platform/log.ts';
import { IdentityProvider } from '../../doubles/identityProvider.ts';
import { runAdmin } from '../../support/admin.ts';
import { adminProcess } from '../../support/adminProcess.ts';
import { ENGINES } from '../../support/engines.ts';
import type { Member } from '../../support/member.ts';
import { emptyDatabase, openBooks, SECRET, startServer, type TestServer } from '../../support/server.ts';
import { SignInWorld, somebody } from '../../support/signInWorld.ts';

/** The real command, as a process of its own. */
const adminOn = (url: string, ...args: string[]) => adminProcess({ DATABASE_URL: url }, ...args);

// Guards: migrate and openSqlite. An address with a slip in it would else get a new, empty database, and its books hold.
describe('the operator’s commands, where no server has been', function () {
  this.timeout(60_000);

  for (const engine of ENGINES)
    it(`say that no server has used this database, and leave it as it is (${engine})`, async () => {
      const { url, remove } = await emptyDatabase(engine);
      try {
        const settled = engine === 'sqlite' ? url.slice('sqlite:'.length) : null;
        if (settled) new Sqlite(settled).exec('create table of_somebody_else (x)').close();
        for (const command of [['audit'], ['find', 'a'], ['create', 'a@b.example']]) {
          const { code, said } = await adminOn(url, ...command);
          assert.equal(code, 1);
          assert.match(said, /^perigee: DATABASE_URL: no server has used this database yet\. Set it as for the server/);
        }
      } finally {
        await remove();
      }
    });

  for (const engine of ENGINES)
    it(`bring no database up to date, for a server may be at work on it (${engine})`, async () => {
      const { url, remove } = await emptyDatabase(engine);
      try {
        const config = parseConfig({ DATABASE_URL: url, SECRET }, () => '{}');
        const db = await openDatabase(config.database, createLog('silent'));
        const last = sql`select max(name) from kysely_migration`;
        await db.write((tx) => sql`delete from kysely_migration where name = (${last})`.execute(tx));
        await db.close();
        const { code, said } = await adminOn(url, 'audit');
        assert.equal(code, 1);
        assert.match(said, /^perigee: this command is newer than the database: start the server of this version once/);
      } finally {
        await remove();
      }
    });

  it('make no file and no folder where there is none', async () => {
    const folder = join(tmpdir(), `perigee-${randomUUID()}`);
    const { code, said } = await adminOn(`sqlite:${folder}/slip.db`, 'audit');
    assert.deepEqual([code, existsSync(folder)], [1, false]);
    assert.match(said, /there is no .*slip\.db\. Set it as for the server/);
  });

  it('make no SECRET of their own, which would be another than the server’s', async () => {
    const { url, remove } = await emptyDatabase('sqlite');
    try {
      await (await openBooks(url)).close();
      const env = { DATABASE_URL: url, SECRET: '' };
      assert.equal((await adminProcess(env, 'audit')).code, 0);
      const made = await adminProcess(env, 'create', 'ada@example.org');
      assert.equal(made.code, 1);
      assert.match(made.said, /^perigee: SECRET is not set, and there is no file secret beside the database\./);
      assert(!existsSync(join(dirname(url.slice('sqlite:'.length)), 'secret')));
    } finally {
      await remove();
    }
  });

  for (const [what, url, why] of [
    ['is no database', `sqlite:${process.argv[1]}`, /can't be opened: file is not a database$/],
    ['does not answer', 'postgres://127.0.0.1:1/x', /can't be opened: .*ECONNREFUSED/],
  ] as const)
    it(`say why in one line when it ${what}`, async () => {
      const { code, said } = await adminOn(url, 'audit');
      assert.equal(code, 1);
      assert.match(said, why);
      assert(!said.includes('\n'), said);
    });
});

for (const engine of ENGINES)
  describe(`the operator’s commands, beside a running server (${engine})`, function () {
    this.timeout(60_000);
    let idp: IdentityProvider;
    let database: Awaited<ReturnType<typeof emptyDatabase>>;
    let server: TestServer;
    before(async () => {
      idp = await IdentityProvider.start();
      database = await emptyDatabase(engine);
      server = await startServer(engine, {
        databaseUrl: database.url,
        config: (config) => {
          const mail = { url: 'console:', from: 'mail@perigee.example' };
          config.signIn = { providers: [idp.config('google', 'Google')], mail, local: false };
        },
      });
    });
    after(async () => {
      await server?.stop();
      await server?.double.stop();
      await database?.remove();
      await idp?.stop();
    });

    /** As a process of its own: once for each way that a command's work reaches the running server and its clients. */
    const admin = (...args: string[]) => adminOn(database.url, ...args);
    /** The same command without the process around it. */
    const inProcess = async (...args: string[]) => {
      const { code, lines } = await runAdmin(server, ...args);
      return { code, lines, said: lines.join('\n') };
    };
    const signIn = async (person = somebody()): Promise<Member> =>
      (await new SignInWorld(() => server, idp, null).signIn(person)).member;

    it('suspend somebody, who hears of it at once and reads why and until when; and restore them', async () => {
      const person = somebody();
      const member = await signIn(person);
      const stream = await member.changes();
      const suspended = await admin('suspend', person.email!, '--why', 'Access was resold.', '--until', '7d');
      assert.match(suspended.said, new RegExp(`^${person.email} is suspended until \\d{4}-`));
      await stream.next((topic) => topic === 'account');
      const { account, notices } = (await member.account()).body;
      assert.equal(account.suspended!.why, 'Access was resold.');
      assert.match(notices[0]!.text, /suspended until .* Access was resold\. /);
      const refused = await member.start(member.chat('hello'));
      assert.deepEqual([refused.status, refused.body.code], [403, 'suspended']);
      assert.equal((await member.request('GET', '/api/account/export')).status, 200);
      assert.equal((await admin('restore', member.accountId)).code, 0);
      await stream.next((topic) => topic === 'account');
      assert.equal((await member.account()).body.account.suspended, undefined);
      stream.close();
    });

    it('make an account, which its owner enters by mail and where the terms are asked for; find it and set its tier', async () => {
      const email = `made-${engine}@example.org`;
      const made = await admin('create', email.toUpperCase(), '--name', 'Made', '--tier', '2');
      assert.match(made.said, /^Made [0-9a-f-]{36} for made-/);
      const again = await inProcess('create', email);
      assert.deepEqual([again.code, again.said], [1, `There is an account for ${email} already.`]);
      assert.equal((await inProcess('tier', email, '3')).code, 0);
      const found = await inProcess('find', `MADE-${engine}`);
      assert.match(found.said, new RegExp(`tier 3 +open .*${email}, Made`));
      assert.match((await inProcess('show', email)).said, /signs in by +email/);
      const member = await signIn(somebody({ email }));
      const { account, balance } = (await member.account()).body;
      assert.deepEqual([account.email, account.tier, balance.availableMicro], [email, 3, 100_000_000]);
    });

    it('give credits and take them back: the editor hears of it at once, and its owner reads why', async () => {
      const person = somebody();
      const member = await signIn(person);
      const stream = await member.changes();
      const given = await admin('grant', person.email!, '12.5', '--why', 'For the report of a bug.', '--id', engine);
      assert.deepEqual(given, { code: 0, said: `${person.email} has 12.5 credits more.` });
      await stream.next((topic) => topic === 'balance');
      assert.equal(await member.available(), 112_500_000);
      const again = await inProcess(
        'grant',
        person.email!,
        '12.5',
        '--why',
        'For the report of a bug.',
        '--id',
        engine,
      );
      assert.match(again.said, / got 12\.5 credits by this id on \d{4}-.*: nothing more was given\.$/);
      const reset = await inProcess('reset', member.accountId, '--why', 'Won by a second account.');
      assert.deepEqual([reset.code, reset.said], [0, `Took 112.5 credits back from ${person.email}.`]);
      await stream.next((topic) => topic === 'balance');
      stream.close();
      assert.equal(await member.available(), 0);
      const [last, before] = (await member.log()).body.entries;
      assert.deepEqual(
        [last!.kind, last!.amountMicro, last!.balanceMicro, last!.reason],
        ['reset', -112_500_000, 0, 'Won by a second account.'],
      );
      assert.deepEqual([before!.kind, before!.reason], ['grant', 'For the report of a bug.']);
      assert.match((await inProcess('audit')).said, /^The books hold/);
    });

    it('find nothing by what SQL or a pattern takes for more', async () => {
      await signIn();
      for (const text of ['%', '_', "' or 1=1 --", '\\'])
        assert.deepEqual((await inProcess('find', text)).lines, ['There is none.'], text);
    });

    it('show what people are called without what moves a terminal', async () => {
      const person = somebody({ name: 'Evil\u001b[2J\u202ename' });
      await signIn(person);
      assert.match((await inProcess('find', person.email!)).said, /Evil\[2Jname/);
    });

    it('delete what is kept no longer, or only count it', async () => {
      const member = await signIn();
      await member.request('POST', '/api/account/closing');
      await server.db.write((tx) =>
        tx.updateTable('account').set({ gone_at: 1 }).where('id', '=', member.accountId).execute(),
      );
      const stream = await member.changes();
      assert.match((await inProcess('retention', '--dry-run')).said, /closed accounts +7 days +1$/m);
      assert.match((await admin('retention')).said, /closed accounts +7 days +1 +1$/m);
      await stream.ended;
      assert.equal((await member.account()).status, 401);
    });

    it('tell an owner why in one line of plain text, whatever was typed', async () => {
      const member = await signIn();
      await inProcess('suspend', member.accountId, '--why', ' Access\nwas  \u001b[31mre\u202esold.\u0000 ');
      const { account, notices } = (await member.account()).body;
      assert.equal(account.suspended!.why, 'Access was [31mresold.\uFFFD');
      assert.match(notices[0]!.text, /Access was \[31mresold\.\uFFFD/);
      await inProcess('suspend', member.accountId, '--why', 'ü'.repeat(500));
      assert.equal((await member.account()).body.account.suspended!.why.length, 500);
      const email = `${member.accountId}@b.example`;
      await inProcess('create', email, '--name', ' Ada\n\u202eLove\u0000lace ');
      assert.match((await inProcess('show', email)).lines.join('\n'), /^name +Ada Love\uFFFDlace$/m);
    });

    const WRONG: [args: string[], code: number, said: RegExp][] = [
      [['frobnicate'], 2, /There is no command "frobnicate"/],
      [['show'], 2, /show needs an account/],
      [['show', 'nobody@example.org'], 1, /There is no account "nobody@example\.org"/],
      [['suspend', 'a@b.example'], 2, /needs --why/],
      [['suspend', 'a@b.example', '--why', '\u200b\u202e'], 2, /suspend needs --why/],
      [['suspend', 'a@b.example', '--why', 'x'.repeat(501)], 2, /--why has 501 characters, and may have 500 at most/],
      [['suspend', 'a@b.example', '--why', 'x', '--until', 'soon'], 2, /"soon" is no time/],
      [['suspend', 'a@b.example', '--why', 'x', '--until', '2020-01-01'], 2, /is over already/],
      [['tier', 'a@b.example', '9'], 2, /from 0 to 4/],
      [['create', 'a@b.example', '--name', 'x'.repeat(101)], 2, /--name has 101 characters, and may have 100 at most/],
      [['create', 'a@b.example', '--name', '\u200b'], 2, /--name is empty/],
      [['create', 'nonsense'], 2, /is no email address/],
      [['find', 'x', '--why', 'y'], 2, /find takes no --why/],
      [['find', 'x', '--bogus'], 2, /Unknown option '--bogus'/],
    ];
    for (const [args, code, said] of WRONG)
      it(`refuse in a line that says what to do: ${args.join(' ').slice(0, 60)}`, async () => {
        const refused = await inProcess(...args);
        assert.equal(refused.code, code);
        if (code !== 2) assert.equal(refused.lines.length, 1);
        assert.match(refused.lines[0]!, said);
      });

    if (engine === 'sqlite')
      it('don’t let a second server onto the file', async () => {
        const config = parseConfig({ DATABASE_URL: database.url }, () => '{}').database;
        await assert.rejects(openDatabase(config, createLog('silent')), /another Perigee server uses/);
      });
  });
