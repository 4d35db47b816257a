import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import { applyRetention } from '../../server/accounts/data/retention.ts';
import { closeAccount } from '../../server/accounts/people/rights.ts';
import { audit } from '../../server/credits/audit/audit.ts';
import { RUNS_OF_ACCOUNTS } from '../../server/gateway/runs/runs.ts';
import { parseConfig } from '../../server/platform/config/config.ts';
import { parsePayments } from '../../server/platform/config/paymentConfig.ts';
import { restoreBackup } from '../../server/platform/db/restore.ts';
import { readRestoring } from '../../server/platform/db/restoring.ts';
import { fingerprint } from '../../server/platform/secrets.ts';
import type { CheckoutAnswer } from '../../shared/credits.ts';
import type { NewKeyAnswer } from '../../shared/keys.ts';
import { StripeDouble } from '../doubles/stripe.ts';
import { adminProcess } from '../support/adminProcess.ts';
import { Client } from '../support/client.ts';
import { freshDatabase, SECRET, startServer, type TestServer } from '../support/server.ts';

const C = 1_000_000;

describe('a restored backup of an embedded database', function () {
  this.timeout(300_000);
  let stripe: StripeDouble;
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let server: TestServer | null = null;
  let file: string;
  beforeEach(async () => {
    stripe = await StripeDouble.start();
    database = await freshDatabase('sqlite');
    file = database.url.slice('sqlite:'.length);
    server = await start();
  });
  afterEach(async () => {
    await stop();
    await stripe.stop();
    await database.remove();
  });

  const start = () =>
    startServer('sqlite', {
      databaseUrl: database.url,
      config: (config) => {
        config.payments = parsePayments(stripe.env, '127.0.0.1', null);
      },
    });
  async function stop(): Promise<void> {
    if (!server) return;
    await server.stop();
    await server.double.stop();
    server = null;
  }
  const admin = (...args: string[]) => adminProcess({ DATABASE_URL: database.url, ...stripe.env }, ...args);
  const { policy } = parseConfig({}, () => '{}');

  async function member(): Promise<Client> {
    const client = await server!.guest();
    const columns = { kind: 'member' as const, terms_version: '1', tier: 0 };
    await server!.db.write(async (tx) => {
      await tx.updateTable('account').set(columns).where('id', '=', client.accountId).execute();
    });
    return client;
  }
  async function begin(buyer: Client, request: object = { pack: 'pack-5' }): Promise<string> {
    const { status, body } = await buyer.request<CheckoutAnswer>('POST', '/api/credits/checkout', request);
    assert.equal(status, 200, JSON.stringify(body));
    return /cs_\w+/.exec(body.url)![0];
  }
  const tell = async (events: ReturnType<StripeDouble['pay']>) => {
    for (const event of events) assert.equal(await stripe.deliver(server!.url, event), 204);
  };
  const refOf = (session: string) => stripe.sessions.get(session)!.subscription!;
  const buy = async (buyer: Client, request?: object) => {
    const session = await begin(buyer, request);
    await tell(stripe.pay(session));
    return session;
  };
  /** With the token that it had, at the server that runs now. */
  const isSignedIn = async ({ token, accountId }: Client) =>
    (await new Client(server!.url, token, accountId).account()).status === 200;
  const purchased = async ({ accountId }: Client) => {
    const row = await server!.db.read
      .selectFrom('balance')
      .innerJoin('wallet', 'wallet.ledger_id', 'balance.ledger_id')
      .select('posted')
      .where('wallet.account_id', '=', accountId)
      .where('balance.kind', '=', 'purchased')
      .executeTakeFirst();
    return row ? row.posted / C : null;
  };
  /** The model service's bill is that of another double. */
  const prove = async () => assert.deepEqual(await audit(server!.db.read, server!.clock.now(), 0), []);
  const there = async (table: 'account' | 'conversation', id: string) =>
    (await server!.db.read.selectFrom(table).select('id').where('id', '=', id).execute()).length === 1;
  const closeAndErase = async ({ accountId }: Client) => {
    const { db, clock } = server!;
    await db.write((tx) => closeAccount(tx, accountId, { days: 0, at: clock.now() }));
    await applyRetention({ db, clock, policy, runs: RUNS_OF_ACCOUNTS }, { dryRun: false });
    assert.equal(await there('account', accountId), false);
  };

  it('made under load: what was paid, refunded, deleted and revoked since is so again, the books hold, and the operator is told', async () => {
    const [buyer, leaving, writer] = [await member(), await member(), await member()];
    const chat = writer.chat('to be deleted');
    await writer.run(chat);
    await leaving.run(leaving.chat('of somebody who leaves'));
    const key = (await writer.request<NewKeyAnswer>('POST', '/api/keys', { name: 'a tool' })).body;
    const openBefore = await begin(buyer);
    const call = server!.double.script({ pieces: ['one ', 'two'], gateAt: 1 });
    const running = buyer.chat('still running');
    await buyer.start(running);
    await call.atGate;
    const crowd = await Promise.all([server!.guest(), server!.guest(), server!.guest()]);
    let isLoaded = true;
    let answers = 0;
    const load = crowd.map(async (guest) => {
      while (isLoaded && answers < 24) {
        await guest.run(guest.chat('more'));
        answers++;
      }
    });
    const backup = `${file}.bak`;
    const made = await admin('backup', backup);
    isLoaded = false;
    await Promise.all(load);
    assert.equal(made.code, 0, made.said);
    assert.match(made.said, /Wrote .*\.bak: .* checked\.\nIt needs the same SECRET \(fingerprint [0-9a-f]{16}\)/);
    assert.match(made.said, /settings, too: .*SECRET.*STRIPE_SECRET_KEY/);
    assert.equal(statSync(backup).mode & 0o777, 0o600);
    assert(!readFileSync(backup).includes('a secret for tests'));

    call.open();
    await call.ended;
    await tell(stripe.pay(openBefore));
    await buy(buyer);
    await tell(stripe.refund(await buy(buyer), 500));
    const plan = await buy(writer, { plan: 'plus', interval: 'month' });
    const left = await begin(writer);
    const lost = await member();
    const session = await buy(lost);
    const lostPlan = refOf(await buy(lost, { plan: 'plus', interval: 'month' }));
    await closeAndErase(leaving);
    assert.equal((await writer.request('DELETE', `/api/conversations/${chat.conversationId}`)).status, 204);
    const before = [await purchased(buyer), await purchased(writer)];

    const refused = await admin('restore', backup);
    assert.equal(refused.code, 1);
    assert.match(refused.said, /another Perigee server uses .*perigee\.db\. Stop it/);
    await stop();
    const restored = await admin('restore', backup);
    assert.equal(restored.code, 0, restored.said);
    for (const line of [
      /Restored .*\.bak, the database as it was at \d{4}-/,
      /The database before is kept: .*perigee\.db\.before-restore-\d{8}T\d{6}Z/,
      /[1-9]\d* sessions ended, and every code and key: everybody signs in anew\./,
      /[1-9]\d* running answers? ended as after a crash: not charged\./,
      /1 account and 2 conversations that were deleted since are deleted again\./,
      /4 payments since were credited, 1 refund or dispute booked\./,
      new RegExp(`1 paid checkout of no account that is here: ${session}\\. Refund`),
      new RegExp(`1 subscription of no account that is here: ${lostPlan}\\. Cancel there`),
      /The books hold\./,
    ])
      assert.match(restored.said, line);
    assert.doesNotMatch(restored.said, /another Perigee server/, 'these name this installation');
    assert.match(restored.said, /\nThe restore is finished\. Start the server\.$/);
    assert.match((await admin('restored')).said, /nothing to finish/);

    server = await start();
    await prove();
    assert.deepEqual([await purchased(buyer), await purchased(writer)], before);
    const byKey = await fetch(`${server.url}/v1/models`, { headers: { 'x-api-key': key.secret } });
    assert.match(await byKey.text(), /This API key was revoked/, 'it may have been revoked since the backup');
    assert.deepEqual(
      [await there('account', leaving.accountId), await there('conversation', chat.conversationId)],
      [false, false],
    );
    for (const client of [buyer, writer, leaving, ...crowd]) assert.equal(await isSignedIn(client), false);
    const active = server.db.read.selectFrom('subscription').select('state').where('state', '=', 'active');
    assert.equal((await active.execute()).length, 1, `the plan of ${plan}`);
    // Stripe tells again what it told before, and what was open is paid now.
    for (const event of [...stripe.events]) await stripe.deliver(server.url, event);
    await tell(stripe.pay(left));
    assert.deepEqual([await purchased(buyer), await purchased(writer)], [before[0], before[1]! + 500]);
    await prove();
  });

  it('that a killed command left in place is finished by the server, once, and Stripe is asked until it answers', async () => {
    const [buyer, writer] = [await member(), await member()];
    const chat = writer.chat('to be deleted');
    await writer.run(chat);
    assert.equal((await admin('backup', `${file}.bak`)).code, 0);
    await buy(buyer);
    await writer.request('DELETE', `/api/conversations/${chat.conversationId}`);
    await stop();
    const { keptAs, lock } = await restoreBackup(`${file}.bak`, file, { accept: () => {}, now: Date.now() });
    assert(existsSync(keptAs!));
    lock.close();

    server = await start();
    assert.equal(await isSignedIn(writer), false);
    assert.equal(await there('conversation', chat.conversationId), false);
    assert.equal(await purchased(buyer), 0, 'Stripe is asked by a job');
    const guest = await server.guest();
    await stop();
    stripe.failNext(/GET \/v1\/checkout\/sessions/, 'error', 'error', 'error');
    const waiting = await admin('restored');
    assert.equal(waiting.code, 3);
    assert.match(
      waiting.said,
      /\nThe restore is not finished:\n- Stripe was not asked yet what was paid since .* Start the server, which asks .*, or run "npm run admin -- restored"\.$/,
    );
    const done = await admin('restored');
    assert.equal(done.code, 0);
    assert.match(done.said, /1 payment since was credited(.|\n)*\nThe restore is finished\. Start the server\.$/);
    server = await start();
    assert.equal(await readRestoring(server.db), null);
    assert.equal(await purchased(buyer), 500);
    assert.equal(await isSignedIn(guest), true, 'who signed in since stays signed in');
    await prove();
  });

  it('closes an account as its owner asked since, and keeps one that its owner kept', async () => {
    const [closing, keeping] = [await member(), await member()];
    await keeping.request('POST', '/api/account/closing');
    assert.equal((await admin('backup', `${file}.bak`)).code, 0);
    await closing.request('POST', '/api/account/closing');
    await keeping.request('DELETE', '/api/account/closing');
    const gone = async ({ accountId }: Client) =>
      (
        await server!.db.read
          .selectFrom('account')
          .select('gone_at')
          .where('id', '=', accountId)
          .executeTakeFirstOrThrow()
      ).gone_at;
    const before = [await gone(closing), await gone(keeping)];
    assert.deepEqual([typeof before[0], before[1]], ['number', null]);
    await stop();
    // As a disk that is full leaves it.
    appendFileSync(`${file}-deletions`, '2026-01-01T00:0');
    const { said } = await admin('restore', `${file}.bak`);
    assert.match(said, /2 accounts closed or kept as decided since\./);
    assert.match(said, /1 line of .*perigee\.db-deletions can't be read/);
    server = await start();
    assert.deepEqual([await gone(closing), await gone(keeping)], before);
  });

  it('leaves alone what was paid at another server with the same Stripe account', async () => {
    const buyer = await member();
    assert.equal((await admin('backup', `${file}.bak`)).code, 0);
    const later = await member();
    const noteOf = (session: string) => stripe.sessions.get(session)!.metadata!;
    const [own, others, old, ofCopy] = [await buy(later), await buy(later), await buy(later), await buy(buyer)];
    const credited = await buy(buyer);
    const othersPlan = await buy(later, { plan: 'plus', interval: 'month' });
    assert.equal(noteOf(own).perigee_installation, fingerprint(SECRET));
    for (const session of [others, othersPlan, ofCopy]) noteOf(session).perigee_installation = '0123456789abcdef';
    delete noteOf(old).perigee_installation;
    await stop();
    const { code, said } = await admin('restore', `${file}.bak`);
    assert.equal(code, 0, said);
    assert.match(said, /1 payment since was credited/, credited);
    assert.match(said, new RegExp(`2 paid checkouts of no account that is here: ${own}, ${old}\\. Refund there\\.`));
    assert.match(said, /If another Perigee server uses this Stripe account, look first/, `${old} names no server`);
    assert.match(
      said,
      new RegExp(`1 paid checkout of accounts that are here, begun under another SECRET: ${ofCopy}\\.`),
    );
    for (const session of [others, othersPlan, refOf(othersPlan)]) assert(!said.includes(session), session);
    server = await start();
    assert.equal(await purchased(buyer), 500);
    await prove();
  });

  it('has what was paid since, also where its SECRET was lost', async () => {
    const buyer = await member();
    assert.equal((await admin('backup', `${file}.bak`)).code, 0);
    await buy(buyer);
    await stop();
    const env = { DATABASE_URL: database.url, ...stripe.env, SECRET: 'another secret of 32 characters or more' };
    const { said } = await adminProcess(env, 'restore', `${file}.bak`, '--any-secret');
    assert.match(said, /1 payment since was credited/);
    assert.doesNotMatch(said, /another SECRET|of no account/);
  });

  const plansOf = async ({ accountId }: Client) => {
    const rows = await server!.db.read
      .selectFrom('subscription')
      .innerJoin('wallet', 'wallet.ledger_id', 'subscription.ledger_id')
      .select(['subscription.state', 'subscription.payment_ref'])
      .where('wallet.account_id', '=', accountId)
      .orderBy('subscription.created_at')
      .execute();
    return rows.map(({ state, payment_ref }) => [payment_ref, state]);
  };
  it('keeps the plan that was bought after the one in it had ended at Stripe, once Stripe says what became of that one', async () => {
    const buyer = await member();
    const session = await buy(buyer, { plan: 'plus', interval: 'month' });
    const first = refOf(session);
    // Older than the checkouts that Stripe is asked for.
    stripe.sessions.get(session)!.created -= 3 * 86_400;
    assert.equal((await admin('backup', `${file}.bak`)).code, 0);
    await tell(stripe.endSubscription(first));
    const second = refOf(await buy(buyer, { plan: 'plus', interval: 'year' }));
    const taken = stripe.takenCents;
    await stop();
    stripe.failNext(/GET .v1.subscriptions/, 'error', 'error', 'error');
    const restored = await admin('restore', `${file}.bak`);
    stripe.forgetFailures();
    assert.equal(restored.code, 3);
    assert.match(restored.said, /Stripe was not asked yet what was paid since/);
    assert.equal(stripe.subscriptions.get(second)!.status, 'active');
    assert.match((await admin('restored')).said, /1 payment since was credited/);
    assert.equal(stripe.subscriptions.get(second)!.status, 'active');
    assert.equal(stripe.takenCents, taken, 'nothing is given back');
    server = await start();
    assert.deepEqual(await plansOf(buyer), [
      [first, 'ended'],
      [second, 'active'],
    ]);
  });
});
