import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import { encodePicture } from '../../../server/accounts/cases/encoding.ts';
import { purgeCases } from '../../../server/accounts/cases/keeping.ts';
import { applyRetention } from '../../../server/accounts/data/retention.ts';
import { purgeAdmissions } from '../../../server/accounts/people/guests.ts';
import { purgeActs } from '../../../server/accounts/reviewers/acts.ts';
import { purgeDesks } from '../../../server/accounts/reviewers/deskSessions.ts';
import { purgeAttempts } from '../../../server/accounts/sessions/attempts.ts';
import { purgeCodes } from '../../../server/accounts/sessions/codes.ts';
import { purgeDeviceGrants } from '../../../server/accounts/sessions/deviceGrants.ts';
import { purgeMailCodes } from '../../../server/accounts/sessions/mailCodes.ts';
import { purgeSessions } from '../../../server/accounts/sessions/sessions.ts';
import { indexDue } from '../../../server/conversations/search.ts';
import { purgeLimitUses } from '../../../server/credits/limits/limits.ts';
import { purgePaymentEvents } from '../../../server/credits/payments/payments.ts';
import { purgeEvents, RUNS_OF_ACCOUNTS } from '../../../server/gateway/runs/runs.ts';
import { parseConfig } from '../../../server/platform/config/config.ts';
import type { Reader, Tx } from '../../../server/platform/db/database.ts';
import { type Belonging, EXPORT_FILES, TABLES, type TableName } from '../../../server/platform/db/tables.ts';
import { declare } from '../../../server/risk/flags/store.ts';
import { SketchStore, shred } from '../../../server/risk/store.ts';
import { DESK_IDLE_MINUTES } from '../../../shared/desk.ts';
import { observation } from '../../risk/observations.ts';
import { Client } from '../../support/client.ts';
import type { Engine } from '../../support/server.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';
import { unzip } from '../../support/zip.ts';
import * as images from '../cases/images.ts';

const DAY = 24 * 3_600_000;
const { policy } = parseConfig({}, () => '{}');
const names = Object.keys(TABLES) as TableName[];
const rulesOf = (table: TableName) => TABLES[table] as { of: Belonging | null } & (typeof TABLES)[TableName];

/** The tables that there are, without what the engines and the migrator keep for themselves. */
async function tablesIn(db: Reader, engine: Engine): Promise<string[]> {
  const { rows } = await (engine === 'sqlite'
    ? sql<{ name: string }>`select name from sqlite_master where type = 'table'`
    : sql<{ name: string }>`select table_name as name from information_schema.tables where table_schema = 'public'`
  ).execute(db);
  return rows
    .map(({ name }) => name)
    .filter((name) => !/^sqlite_|^kysely_migration|^search_grams_/.test(name))
    .sort();
}
const listed = (engine: Engine) => names.filter((name) => engine === 'sqlite' || name !== 'search_grams').sort();

/** A column of an account's rows of a table, by what the list says of whose they are. */
function ofAccount(table: TableName, column: string, accountId: string): RawBuilder<unknown> {
  const { of } = rulesOf(table);
  assert.ok(of);
  const select = sql`select ${sql.raw(column)} from ${sql.table(table)} where`;
  return 'account' in of
    ? sql`${select} ${sql.ref(of.account)} = ${accountId}`
    : sql`${select} ${sql.raw(of.by)} in (${ofAccount(of.to, of.key, accountId)})`;
}
async function keyOf(db: Reader, engine: Engine, table: TableName): Promise<string> {
  if (table === 'search_grams') return 'rowid';
  const { rows } = await (engine === 'sqlite'
    ? sql<{ name: string }>`select name from pragma_table_info(${table}) where pk > 0 order by pk`
    : sql<{ name: string }>`select column_name as name from information_schema.key_column_usage natural join
        information_schema.table_constraints where table_name = ${table} and constraint_type = 'PRIMARY KEY'
        order by ordinal_position`
  ).execute(db);
  assert.ok(rows.length > 0, `${table} has a primary key`);
  return rows.map(({ name }) => `"${name}"`).join(', ');
}

type Keys = Record<string, string[]>;

onBothEnginesWithSignIn('the list of all tables', (world, engine) => {
  const db = () => world().server().db;
  const write = (work: (tx: Tx) => Promise<unknown>) => db().write(work);
  const retention = () =>
    applyRetention({ db: db(), clock: world().server().clock, policy, runs: RUNS_OF_ACCOUNTS }, { dryRun: false });
  const theirs = names.filter((table) => rulesOf(table).of && (engine === 'sqlite' || table !== 'search_grams'));

  /** The keys of an account's rows, by table. */
  async function rowsOf(accountId: string): Promise<Keys> {
    const keys: Keys = {};
    for (const table of theirs) {
      const { rows } = await ofAccount(table, await keyOf(db().read, engine, table), accountId).execute(db().read);
      keys[table] = rows.map((row) => JSON.stringify(row)).sort();
    }
    return keys;
  }
  /** Those that are still there, whoever's they are. */
  async function remaining(keys: Keys): Promise<Keys> {
    const left: Keys = {};
    for (const table of theirs) {
      const key = await keyOf(db().read, engine, table);
      const { rows } = await sql`select ${sql.raw(key)} from ${sql.table(table)}`.execute(db().read);
      const all = new Set(rows.map((row) => JSON.stringify(row)));
      left[table] = (keys[table] ?? []).filter((one) => all.has(one));
    }
    return left;
  }

  /** Something in every table that a guest can have something in. */
  async function busyGuest(): Promise<Client> {
    const { url, token, accountId } = await world().server().guest();
    const guest = new Client(url, token, accountId, `Told ${randomUUID()}`);
    const attachments = [{ kind: 'file', path: 'src/told.ts', text: 'const told = 1;\n' }];
    await guest.run(guest.chat('', { input: { text: 'Asked as a guest', attachments } } as never));
    await guest.run(guest.editFiles('told to change', { 'src/a.ts': 'let a;\n' }, { paths: ['src/other.ts'] }));
    await indexDue(db(), new AbortController().signal);
    await guest.run(guest.chat('Not in the index yet'));
    const { bytes, width, height } = await encodePicture(await images.png());
    await write(async (tx) => {
      const { id, conversation_id } = await tx
        .selectFrom('message')
        .innerJoin('conversation', 'conversation.id', 'message.conversation_id')
        .select(['message.id', 'conversation_id'])
        .where('account_id', '=', accountId)
        .where('text', '=', 'Asked as a guest')
        .executeTakeFirstOrThrow();
      const picture = { message_id: id, place: 7, conversation_id, size: bytes.length, media_type: 'image/webp' };
      await tx
        .insertInto('picture')
        .values({ ...picture, width, height, bytes })
        .execute();
    });
    // Whoever reads the record has all of it stored.
    await guest.request('GET', '/api/requests');
    return guest;
  }
  /** A member with something in every table that an account can have something in. */
  async function busyMember(): Promise<{ member: Client; guest: Client }> {
    const guest = await busyGuest();
    const { member } = await world().signIn(somebody({ name: 'Ada Told' }), { guestToken: guest.token });
    await member.run(member.chat('Asked as a member'));
    await member.request('GET', '/api/requests');
    await member.request('POST', '/api/auth/page-code');
    const [id, at] = [member.accountId, world().server().clock.now()];
    const other = await world().signIn(somebody());
    const { bytes, width, height } = await encodePicture(await images.png());
    await write(async (tx) => {
      const { ledger_id } = await tx
        .selectFrom('wallet')
        .select('ledger_id')
        .where('account_id', '=', id)
        .where('is_own', '=', 1)
        .executeTakeFirstOrThrow();
      const run = await tx.selectFrom('hold').select('id').where('ledger_id', '=', ledger_id).executeTakeFirstOrThrow();
      const made = { account_id: id, created_at: at };
      await sql`insert into device_grant (id, device_hash, user_hash, name, tool, jkt, state, account_id, interval_ms, expires_at)
        values (${`grant ${id}`}, ${`d ${id}`}, ${`u ${id}`}, 'n', 't', 'j', 'approved', ${id}, 5000, ${at + DAY})`.execute(
        tx,
      );
      await tx
        .insertInto('referral_link')
        .values({ ...made, code: `told${id.slice(-8)}` })
        .execute();
      const referral = { referrer_id: id, referred_id: other.member.accountId, joined_at: at };
      await tx
        .insertInto('referral')
        .values({ id, ...referral, network: null, refused: null })
        .execute();
      const reward = { referral_id: id, reason: 'used', side: 'referrer', state: 'pending', amount: 1 } as const;
      await tx
        .insertInto('referral_reward')
        .values({ ...reward, paid_at: null })
        .execute();
      await tx
        .insertInto('notice_mail')
        .values({ account_id: id, notice_id: `told ${id}`, claimed_at: at, sent_at: at })
        .execute();
      const windows = JSON.stringify([{ name: 'told', hours: 5, limitMicro: 1 }]);
      await sql`insert into subscription (id, ledger_id, plan, windows, interval, state, period_start, period_end, created_at)
        values (${`plan ${id}`}, ${ledger_id}, 'told', ${windows}, 'month', 'active', ${at}, ${at + 30 * DAY}, ${at})`.execute(
        tx,
      );
      const key = {
        id: `key ${id}`,
        account_id: id,
        name: 'A key that was told',
        secret_hash: `k ${id}`,
        hint: 'told',
      };
      await tx
        .insertInto('api_key')
        .values({
          ...key,
          models: null,
          monthly_micro: null,
          expires_at: null,
          created_at: at,
          last_used_at: null,
          revoked_at: null,
        })
        .execute();
      await tx
        .insertInto('risk_standing')
        .values({ account_id: id, since: at, judge_at: at + DAY, judged_at: null, persons_since: null, advice: null })
        .execute();
      await declare(tx, id, { ownGateway: true, severalMachines: false, automationKeys: [key.id] });
      await sql`insert into risk_flag (number, account_id, kind, dossier, opened_at)
        values ((select coalesce(max(number), 0) + 1 from risk_flag), ${id}, 'sharing', '{}', ${at})`.execute(tx);
      await sql`insert into decision (id, flag_number, step, account_id, kind, why, rule, is_operators, at)
        select ${`decision ${id}`}, max(number), 0, ${id}, 'warn', ${`Told why to ${id}`}, 'r', 1, ${at} from risk_flag`.execute(
        tx,
      );
      await sql`insert into appeal (decision_id, account_id, at, time, use_case, numbers_may_be_used, is_operators)
        values (${`decision ${id}`}, ${id}, ${at}, 'then', ${`Used as told by ${id}`}, 0, 0)`.execute(tx);
      await tx
        .insertInto('appeal_picture')
        .values({
          ...{ id: `picture ${id}`, decision_id: `decision ${id}`, account_id: id, is_sent: 1, width, height },
          ...{ bytes, at },
        })
        .execute();
      await sql`insert into reviewer (account_id, added_at) values (${id}, ${at})`.execute(tx);
      await sql`insert into desk_session (session_id, account_id, opened_at, used_at, by_code)
        select id, account_id, ${at}, ${at}, 1 from session where account_id = ${id}`.execute(tx);
      await sql`insert into desk_act (at, reviewer_id, is_operators, act) values (${at}, ${id}, 0, 'opened_desk')`.execute(
        tx,
      );
      await tx.insertInto('key_month').values({ key_id: key.id, from_at: 0, to_at: 1, ledger_id, micro: 0 }).execute();
      await tx.insertInto('plan_use').values({ hold_id: run.id, ledger_id, amount: 0, at }).execute();
      await sql`insert into payment (id, ledger_id, pack, name, amount_cents, currency, credits_micro, state, created_at, asked_at)
        values (${`paid ${id}`}, ${ledger_id}, 'told', 'A pack that was told', 500, 'usd', 1000000, 'open', ${at}, 0)`.execute(
        tx,
      );
      await sql`insert into payment_reversal (id, payment_id, kind, cents, state, at)
        values (${`back ${id}`}, ${`paid ${id}`}, 'dispute', 77, 'returned', ${at})`.execute(tx);
      await sql`insert into payment_event (id, type, payment_id, outcome, at)
        values (${`event ${id}`}, 't', ${`paid ${id}`}, 'o', ${at})`.execute(tx);
    });
    const { period } = await db().read.selectFrom('risk_key').select('period').executeTakeFirstOrThrow();
    const flush = { accountId: id, period: Number(period), observations: [observation({ at })], node: 'n', number: 0 };
    await new SketchStore(db()).add([flush], at);
    await indexDue(db(), new AbortController().signal);
    return { member, guest };
  }

  /** The uses of a plan that were made up here: no hold has set them aside. */
  const withoutUses = () => write((tx) => tx.deleteFrom('plan_use').execute());

  it('names every table that the migrations make, and no other', async () => {
    assert.deepEqual(await tablesIn(db().read, engine), listed(engine));
    await write((tx) => sql`create table not_on_the_list (id text primary key)`.execute(tx));
    try {
      assert.notDeepEqual(await tablesIn(db().read, engine), listed(engine));
    } finally {
      await write((tx) => sql`drop table not_on_the_list`.execute(tx));
    }
  });

  it('says whose rows are wherever a table names an account, a ledger, a conversation, a message or a run', async () => {
    for (const table of listed(engine)) {
      const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(table)} limit 0`
        .execute(db().read)
        .then(async () =>
          engine === 'sqlite'
            ? sql<{ name: string }>`select name from pragma_table_info(${table})`.execute(db().read)
            : sql<{
                name: string;
              }>`select column_name as name from information_schema.columns where table_name = ${table}`.execute(
                db().read,
              ),
        );
      const telling = rows
        .map(({ name }) => String(name))
        .filter((name) => /^(account|ledger|conversation|message|session|referral|payment)_id$/.test(name));
      if (telling.length > 0) assert.ok(rulesOf(table as TableName).of, `${table} has ${telling}`);
    }
  });

  it('says what becomes of a guest’s rows when the guest becomes part of an account', async () => {
    const guest = await busyGuest();
    const before = await rowsOf(guest.accountId);
    const { member } = await world().signIn(somebody(), { guestToken: guest.token });
    const [left, ofGuest, ofMember] = [
      await remaining(before),
      await rowsOf(guest.accountId),
      await rowsOf(member.accountId),
    ];
    // The server's own job makes the index anew meanwhile.
    for (const table of theirs.filter((name) => !name.startsWith('search_'))) {
      const { merged } = rulesOf(table);
      const had = before[table]!;
      assert.equal(had.length === 0, merged === 'never', `${table}: a guest has ${had.length}`);
      if (merged === 'goes') assert.deepEqual(left[table], [], table);
      else assert.deepEqual(left[table], had, table);
      const now = merged === 'moves' ? ofMember[table]! : merged === 'stays' ? ofGuest[table]! : had;
      assert.deepEqual(
        had.filter((key) => merged !== 'goes' && !now.includes(key)),
        [],
        `${table}: whose they are`,
      );
      if (merged === 'moves') assert.deepEqual(ofGuest[table], [], `${table}: of the guest`);
    }
  });

  it('says in which file of an export an account’s rows are', async () => {
    const { member } = await busyMember();
    const headers = await member.credentials('GET', '/api/account/export');
    const response = await fetch(`${member.url}/api/account/export`, { headers });
    const files = await unzip(Buffer.from(await response.arrayBuffer()));
    const patterns = Object.keys(EXPORT_FILES).map(
      (name) => [name, new RegExp(`^${name.replace('*', '[^/]*').replaceAll('.', '\\.')}$`)] as const,
    );
    for (const name of files.keys())
      assert.ok(name === 'README.md' || patterns.some(([, pattern]) => pattern.test(name)), `${name} is on the list`);
    assert.ok(![...files.values()].some((text) => text.includes(`k ${member.accountId}`)), 'no hash of a key');
    const textOf = (file: string) => {
      const pattern = patterns.find(([name]) => name === file)![1];
      return [...files]
        .filter(([name]) => pattern.test(name))
        .map(([, text]) => text)
        .join('\n');
    };
    for (const name of Object.keys(EXPORT_FILES)) {
      assert.notEqual(textOf(name), '', name);
      assert.ok(files.get('README.md')!.includes(`| ${name} |`), name);
    }
    const told: Partial<Record<TableName, string>> = {
      account: member.accountId,
      identity: '"google"',
      session: '"createdAt"',
      api_key: 'A key that was told',
      risk_context: '"ownGateway": true',
      wallet: '"ofMicro"',
      balance: '"promotionalMicro": 1',
      subscription: '"told"',
      referral_link: `told${member.accountId.slice(-8)}`,
      referral: '"joinedAt"',
      referral_reward: '"used"',
      payment: 'A pack that was told',
      payment_reversal: '"amount": 77',
      log_entry: 'Left over from your time as a guest',
      conversation: 'Asked as a guest',
      message: 'Asked as a member',
      attachment: 'const told = 1;',
      edit_input: 'src/other.ts',
      // The server may have counted this member's own requests meanwhile.
      risk_sketch: '"requestsLately": ',
      reviewer: '"reviewer": {',
      decision: `Told why to ${member.accountId}`,
      appeal: `Used as told by ${member.accountId}`,
      appeal_picture: 'WEBP',
      request: '"route": "/api/runs"',
      picture: 'WEBP',
    };
    const exported = names.filter((table) => typeof rulesOf(table).exported === 'string');
    assert.deepEqual(Object.keys(told).sort(), exported.sort());
    for (const table of exported) {
      const file = rulesOf(table).exported as string;
      assert.ok(textOf(file).includes(told[table]!), `${table}: ${told[table]} in ${file}`);
    }
    await withoutUses();
  });

  it('says what becomes of an account’s rows when it is deleted, and of those of the guests that it took over', async () => {
    const guest = await busyGuest();
    const { body } = await guest.conversations();
    const gone = body.conversations[0]!.id;
    await guest.request('DELETE', `/api/conversations/${gone}`);
    const { member, guest: other } = await busyMember();
    const last = await world().signIn(somebody(), { guestToken: guest.token });
    for (const client of [member, last.member]) await client.request('POST', '/api/account/closing');
    const before = await rowsOf(member.accountId);
    for (const table of theirs)
      assert.ok(before[table]!.length > 0 || table === 'search_due', `${table}: this member has something in it`);
    world()
      .server()
      .clock.advance(8 * DAY);
    await retention();
    const [left, now] = [await remaining(before), await rowsOf(member.accountId)];
    for (const table of theirs) {
      const { deleted } = rulesOf(table);
      if (deleted === 'goes') assert.deepEqual(left[table], [], table);
      if (deleted === 'nameless') assert.deepEqual(left[table], before[table], table);
      if (deleted !== 'passes') assert.deepEqual(now[table], [], `${table}: of somebody who is gone`);
      if (deleted !== 'nameless') continue;
      const { rows } = await sql`select * from ${sql.table(table)}`.execute(db().read);
      assert.ok(!JSON.stringify(rows).includes(`to ${member.accountId}`), `${table}: no words about the account`);
      assert.ok(!JSON.stringify(rows).includes(`by ${member.accountId}`), `${table}: no words of its owner`);
      for (const { device } of [guest, other])
        assert.ok(!JSON.stringify(rows).includes(device), `${table}: no name of a device`);
    }
    for (const { accountId } of [other, guest, last.member]) {
      const rows = await rowsOf(accountId);
      for (const table of theirs)
        if (rulesOf(table).deleted !== 'passes') assert.deepEqual(rows[table], [], `${table}: of ${accountId}`);
    }
    await withoutUses();
  });

  it('says for how long a row is kept once it is over', async () => {
    const guest = await busyGuest();
    const { member } = await world().signIn(somebody());
    const run = guest.chat('Over');
    await guest.run(run);
    await guest.request('GET', '/api/requests');
    const id = { run: sql`id = ${run.id}`, message: sql`run_id = ${run.id} and role = 'assistant'` };
    const mine = sql`account_id = ${member.accountId}`;
    const ofRun = sql`run_id = ${run.id}`;
    const now = () => world().server().clock.now();
    const end = (table: string, column: string, row: RawBuilder<unknown>) => (tx: Tx, at: number) =>
      sql`update ${sql.table(table)} set ${sql.ref(column)} = ${at} where ${row}`.execute(tx);
    const make =
      (table: string, columns: string, values: (at: number) => RawBuilder<unknown>) => (tx: Tx, at: number) =>
        sql`insert into ${sql.table(table)} (${sql.raw(columns)}) values (${values(at)})`.execute(tx);
    const purge = (...purges: ((tx: Tx, now: number) => Promise<unknown>)[]) =>
      write(async (tx) => {
        for (const one of purges) await one(tx, now());
      });
    const account = member.accountId;
    const over: [
      TableName,
      end: (tx: Tx, at: number) => Promise<unknown>,
      row: RawBuilder<unknown>,
      () => Promise<unknown>,
    ][] = [
      [
        'one_time_code',
        make(
          'one_time_code',
          'hash, purpose, account_id, data, expires_at',
          (at) => sql`'over', 'p', ${account}, '{}', ${at}`,
        ),
        sql`hash = 'over'`,
        () => purge(purgeCodes),
      ],
      [
        'device_grant',
        make(
          'device_grant',
          'id, device_hash, user_hash, name, tool, jkt, state, interval_ms, expires_at',
          (at) => sql`'over', 'over', 'over', 'n', 't', 'j', 'pending', 1, ${at}`,
        ),
        sql`id = 'over'`,
        () => purge(purgeDeviceGrants),
      ],
      [
        'mail_code',
        make('mail_code', 'hash, holder, tries, expires_at', (at) => sql`'over', 'h', 1, ${at}`),
        sql`hash = 'over'`,
        () => purge(purgeMailCodes),
      ],
      [
        'attempt',
        make('attempt', 'key, points, expire', (at) => sql`'over', 1, ${at}`),
        sql`key = 'over'`,
        () => purge(purgeAttempts),
      ],
      [
        'guest_admission',
        make('guest_admission', 'id, network, at', (at) => sql`'over', 'n', ${at}`),
        sql`id = 'over'`,
        () => purge(purgeAdmissions),
      ],
      [
        'payment_event',
        make('payment_event', 'id, type, outcome, at', (at) => sql`'over', 't', 'o', ${at}`),
        sql`id = 'over'`,
        () => purge(purgePaymentEvents),
      ],
      [
        'limit_use',
        make('limit_use', 'run_id, account_id, model, tokens, at', (at) => sql`'over', ${account}, 'm', 1, ${at}`),
        sql`run_id = 'over'`,
        () => purge(purgeLimitUses),
      ],
      [
        'api_key',
        make(
          'api_key',
          'id, account_id, name, secret_hash, hint, created_at, revoked_at',
          (at) => sql`'over', ${account}, 'n', 'over', 'h', 1, ${at}`,
        ),
        sql`id = 'over'`,
        retention,
      ],
      [
        'token',
        end('token', 'expires_at', sql`session_id in (select id from session where ${mine})`),
        sql`session_id in (select id from session where ${mine})`,
        () => purge(purgeSessions),
      ],
      [
        'risk_flag',
        make('risk_flag', 'number, kind, dossier, opened_at, ended_at', (at) => sql`900000, 'sharing', '{}', 1, ${at}`),
        sql`number = 900000`,
        () => purge(purgeCases),
      ],
      [
        'second_look',
        async (tx, at) => {
          await make(
            'risk_flag',
            'number, kind, dossier, opened_at, ended_at',
            () => sql`900001, 'sharing', '{}', 1, ${at}`,
          )(tx, at);
          await make('second_look', 'flag_number, kind, why, at', () => sql`900001, 'warn', 'w', ${at}`)(tx, at);
        },
        sql`flag_number = 900001`,
        () => purge(purgeCases),
      ],
      ...(['decision', 'appeal', 'appeal_picture'] as const).map((table, n): (typeof over)[number] => [
        table,
        async (tx, at) => {
          const number = 900_010 + n;
          await make(
            'risk_flag',
            'number, kind, dossier, opened_at, ended_at',
            () => sql`${number}, 'sharing', '{}', 1, ${at}`,
          )(tx, at);
          await make(
            'decision',
            'id, flag_number, step, account_id, kind, why, rule, is_operators, at',
            () => sql`${`over ${n}`}, ${number}, 0, ${account}, 'warn', 'w', 'r', 1, 1`,
          )(tx, at);
          await make(
            'appeal',
            'decision_id, account_id, at, numbers_may_be_used, outcome, is_operators',
            () => sql`${`over ${n}`}, ${account}, 1, 0, 'upheld', 1`,
          )(tx, at);
          const picture = { id: `over ${n}`, decision_id: `over ${n}`, account_id: account, is_sent: 1, at: 1 };
          await tx
            .insertInto('appeal_picture')
            .values({ ...picture, width: 1, height: 1, bytes: Buffer.alloc(1) })
            .execute();
        },
        table === 'appeal' ? sql`decision_id = ${`over ${n}`}` : sql`id = ${`over ${n}`}`,
        () => purge(purgeCases),
      ]),
      [
        'desk_session',
        // From when it has closed by itself on. The member's session has ended above.
        (tx, at) =>
          sql`insert into desk_session (session_id, account_id, opened_at, used_at, by_code)
          select id, account_id, ${at}, ${at - DESK_IDLE_MINUTES * 60_000}, 1 from session where account_id = ${guest.accountId}`.execute(
            tx,
          ),
        sql`account_id = ${guest.accountId}`,
        () => purge(purgeDesks),
      ],
      [
        'desk_act',
        make('desk_act', 'at, is_operators, act, detail', (at) => sql`${at}, 1, 'paused', 'over'`),
        sql`detail = 'over'`,
        () => purge(purgeActs),
      ],
      [
        'risk_key',
        make('risk_key', 'period, key, starts_at, ends_at', (at) => sql`1, 'over', 0, ${at}`),
        sql`period = 1`,
        () => shred(db(), now()),
      ],
      [
        'risk_sketch',
        async (tx, at) => {
          await make('risk_key', 'period, key, starts_at, ends_at', () => sql`2, 'over', 0, ${at}`)(tx, at);
          const state = Buffer.alloc(0);
          const row = { account_id: account, period: 2, state, version: 1, flushed: '{}', seen_at: at };
          await tx.insertInto('risk_sketch').values(row).execute();
        },
        sql`period = 2`,
        () => shred(db(), now()),
      ],
      [
        'risk_device',
        async (tx, at) => {
          await make('risk_key', 'period, key, starts_at, ends_at', () => sql`3, 'over', 0, ${at}`)(tx, at);
          await make('risk_device', 'period, device, accounts', () => sql`3, 1, 1`)(tx, at);
        },
        sql`period = 3`,
        () => shred(db(), now()),
      ],
      ['message', end('message', 'superseded_at', id.message), id.message, retention],
      [
        'run_event',
        end('run', 'ended_at', id.run),
        sql`run_id = ${run.id}`,
        () => purge((tx, at) => purgeEvents(tx, at - TABLES.run_event.over)),
      ],
      ['run', end('run', 'ended_at', id.run), id.run, retention],
      ['request', end('request', 'at', ofRun), ofRun, retention],
      ['session', end('session', 'ended_at', mine), mine, retention],
    ];
    const timed = names.filter((table) => 'over' in rulesOf(table) && !table.startsWith('auth_'));
    assert.deepEqual(over.map(([table]) => table).sort(), timed.sort());
    for (const [table, finish, row, forget] of over) {
      const { over: ms } = TABLES[table] as { over: number };
      const there = async () =>
        (await sql`select 1 from ${sql.table(table)} where ${row}`.execute(db().read)).rows.length;
      await write((tx) => finish(tx, now() - ms + 1000));
      assert.ok((await there()) > 0, `${table}: there`);
      await forget();
      assert.ok((await there()) > 0, `${table}: is kept until then`);
      world().server().clock.advance(2000);
      await forget();
      assert.equal(await there(), 0, `${table}: and no longer`);
    }
  });
});
