import assert from 'node:assert/strict';
import { mailNotices, type NoticeMailDeps } from '../../../server/accounts/notices/noticeMail.ts';
import { runCommand } from '../../../server/accounts/operator/commands.ts';
import { RUNS_OF_ACCOUNTS } from '../../../server/gateway/runs/runs.ts';
import { parseConfig } from '../../../server/platform/config/config.ts';
import { openDatabase } from '../../../server/platform/db/open.ts';
import { createLog } from '../../../server/platform/log.ts';
import type { Mail } from '../../../server/platform/mail.ts';
import { systemIds } from '../../../server/platform/system.ts';
import { AccountAnswerSchema } from '../../../shared/account.ts';
import { COMMANDS, runAdmin } from '../../support/admin.ts';
import type { Client } from '../../support/client.ts';
import { freshDatabase, SECRET, startServer } from '../../support/server.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;

onBothEnginesWithSignIn('a notice of the operator', (world, engine) => {
  const server = () => world().server();
  const admin = (...args: string[]) => runAdmin(server(), ...args);
  /** Tells everybody; returns the notice's id. */
  async function tell(text: string, ...more: string[]): Promise<string> {
    const { code, lines } = await admin('notice', text, '--until', '1h', ...more);
    assert.equal(code, 0, lines.join('\n'));
    // Each on a line of its own: a text may end without a full stop.
    assert.match(lines[0]!, /^Every account is told until \d{4}-[\dT:.-]+Z:$/);
    assert.match(lines[1]!, /^ {2}\S/);
    assert.deepEqual(lines.slice(2, -1), more.includes('--mail') ? ['It is mailed within 10 minutes.'] : []);
    return /--end (\w+)"/.exec(lines.at(-1)!)![1]!;
  }
  const noticesOf = async (client: Client) => (await client.account()).body.notices;
  const textsOf = async (client: Client) => (await noticesOf(client)).map(({ text }) => text);
  afterEach(async () => {
    // Every test begins without one.
    server().clock.advance(2 * HOUR);
  });

  it('stands in every account at once, is told live, and is over at its end without anybody’s doing', async () => {
    const guest = await server().guest();
    const { member } = await world().signIn(somebody());
    const streams = [await guest.changes(), await member.changes()];
    const id = await tell('Answers are slow. We are at it.');
    for (const [n, client] of [guest, member].entries())
      await streams[n]!.next((topic, account) => topic === 'account' && account === client.accountId);
    for (const client of [guest, member]) {
      const [notice, ...others] = await noticesOf(client);
      const { at, until, ...rest } = notice!;
      assert.deepEqual(others, []);
      assert.deepEqual(rest, { id: `operator:${id}`, kind: 'operator', text: 'Answers are slow. We are at it.' });
      // The clock goes on between reading the command and writing the notice.
      const lastsMs = Date.parse(until!) - Date.parse(at);
      assert(lastsMs <= HOUR && lastsMs > HOUR - MINUTE, `${lastsMs}`);
    }
    for (const stream of streams) stream.close();
    server().clock.advance(HOUR - MINUTE);
    assert.equal((await noticesOf(guest)).length, 1);
    server().clock.advance(MINUTE);
    assert.deepEqual(await noticesOf(guest), []);
  });

  it('is ended sooner by its id, once, and that is told live too', async () => {
    const guest = await server().guest();
    const [id, other] = [await tell('One'), await tell('Other')];
    const stream = await guest.changes();
    assert.deepEqual(await admin('notice', '--end', id), { code: 0, lines: [`The notice ${id} is over.`] });
    await stream.next((topic) => topic === 'account');
    stream.close();
    assert.deepEqual(await textsOf(guest), ['Other']);
    const again = await admin('notice', '--end', id);
    assert.deepEqual([again.code, /is over since /.test(again.lines[0]!)], [1, true]);
    const { lines } = await admin('notices');
    const line = (of: string) => lines.find((one) => one.startsWith(of))!;
    assert.match(line(id), / over .* One$/);
    assert.match(line(other), / shown .* Other$/);
  });

  it('is one line of plain text, whatever was typed', async () => {
    const guest = await server().guest();
    await tell('  Zwei\nZeilen,\ta tab, \u001b[31mred\u202e and <b>bold</b>\u0000 ');
    assert.deepEqual(await textsOf(guest), ['Zwei Zeilen, a tab, [31mred and <b>bold</b>\uFFFD']);
    server().clock.advance(2 * HOUR);
    await tell('ü'.repeat(500));
    assert.equal((await textsOf(guest))[0]!.length, 500);
  });

  const REFUSED: [what: string, args: string[], code: number, said: RegExp][] = [
    ['no text', ['notice', '--until', '1h'], 2, /needs one text in quotation marks/],
    ['several texts', ['notice', 'Answers', 'are', 'slow', '--until', '1h'], 2, /needs one text in quotation marks/],
    ['an empty text', ['notice', ' \n\u200b', '--until', '1h'], 2, /^The notice is empty\./],
    ['a long text', ['notice', 'x'.repeat(501), '--until', '1h'], 2, /has 501 characters, and may have 500 at most/],
    ['no end', ['notice', 'Slow'], 2, /needs --until/],
    ['an end that is over', ['notice', 'Slow', '--until', '2020-01-01'], 2, /is over already/],
    ['an end that is no time', ['notice', 'Slow', '--until', 'soon'], 2, /"soon" is no time/],
    ['a day that there is not', ['notice', 'Slow', '--until', '2027-02-31T99:00Z'], 2, /is no time/],
    ['another option', ['notice', 'Slow', '--until', '1h', '--why', 'x'], 2, /takes no --why/],
    ['an end of none', ['notice', '--end'], 2, /needs the id of a notice/],
    ['an end with an instant', ['notice', 'x', '--end', '--until', '1h'], 2, /takes no --until/],
    ['an id that there is not', ['notice', '--end', 'nobodys'], 1, /There is no notice "nobodys"\. .*lists them/],
    ['a list of something', ['notices', 'x'], 2, /notices needs no text/],
  ];
  for (const [what, args, code, said] of REFUSED)
    it(`is refused with ${what}`, async () => {
      const told = await admin(...args);
      assert.equal(told.code, code);
      assert.match(told.lines[0]!, said);
      assert.deepEqual(await noticesOf(await server().guest()), []);
    });

  it('is not mailed where the server sends no mail', async () => {
    const { policy, leaseMs } = parseConfig({}, () => '{}');
    const { db, clock } = server();
    const deps = { db, clock, ids: systemIds, policy, leaseMs, secret: SECRET, runs: RUNS_OF_ACCOUNTS };
    const args = ['notice', 'Slow', '--until', '1h', '--mail'];
    const { code, lines } = await runCommand({ ...deps, ...COMMANDS, sendsMail: false }, args);
    assert.deepEqual([code, lines], [1, ['This server sends no mail: set MAIL_URL, or leave --mail out.']]);
  });

  describe('by mail', () => {
    let mails: Mail[];
    beforeEach(() => {
      mails = [];
    });
    const deps = (more: Partial<NoticeMailDeps> = {}): NoticeMailDeps => ({
      db: server().db,
      clock: server().clock,
      log: createLog('silent'),
      mailer: { send: async (mail) => void mails.push(mail) },
      publicUrl: 'https://perigee.example',
      terms: { version: '1' },
      priceNotice: () => null,
      ...more,
    });
    const toldOf = (email: string | null | undefined) => mails.filter(({ to }) => to === email);

    it('is sent to each member once, by any number of nodes, whatever they said of news', async () => {
      const person = somebody();
      const { member } = await world().signIn(person);
      await member.request('PATCH', '/api/account', { marketing: false });
      await tell('Answers are slow.', '--mail');
      await Promise.all([mailNotices(deps()), mailNotices(deps())]);
      await mailNotices(deps());
      const [mail, ...more] = toldOf(person.email);
      assert.equal(more.length, 0);
      assert.equal(mail!.subject, 'A notice about Perigee');
      assert.match(mail!.text, /^Answers are slow\.\n\nThis counts until \d{4}-\d\d-\d\d, \d\d:\d\d UTC\./);
      assert.match(mail!.text, /https:\/\/perigee\.example\/account/);
    });

    it('is sent to none without --mail', async () => {
      await world().signIn(somebody());
      await tell('Answers are slow.');
      assert.equal(await mailNotices(deps()), 0);
    });

    it('is sent later to those whom a node that died had claimed, and to nobody twice', async () => {
      const people = [somebody(), somebody(), somebody()];
      for (const person of people) await world().signIn(person);
      await tell('Answers are slow.', '--mail');
      // It dies with the second mail: what it claimed stays claimed.
      let sent = 0;
      await new Promise<void>((died) => {
        const send = async (mail: Mail) => {
          if (sent++ === 0) return void mails.push(mail);
          died();
          await new Promise(() => {});
        };
        void mailNotices(deps({ mailer: { send } }));
      });
      const before = mails.length;
      await mailNotices(deps());
      assert.equal(mails.length, before, 'as long as the claim lasts, nobody takes it over');
      server().clock.advance(16 * MINUTE);
      await mailNotices(deps());
      for (const { email } of people) assert.equal(toldOf(email).length, 1, email!);
    });

    /** An error as nodemailer makes it. */
    const mailError = (code: string, more: { responseCode?: number; command?: string } = {}) =>
      Object.assign(new Error(`${code} ${more.responseCode}`), { code, ...more });
    /**
     * Signs in so many, tells all until `until`, and takes no mail for those addresses that are tried as the nth of them all,
     * at any time. The members of the tests before are told, too.
     */
    async function refusing(people: number, error: Error, isRefused: (n: number) => boolean, until = '1h') {
      const addresses: string[] = [];
      for (let n = 0; n < people; n++) {
        const person = somebody();
        await world().signIn(person);
        addresses.push(person.email!);
      }
      await tell('Answers are slow.', '--mail', '--until', until);
      const tried: string[] = [];
      const refused = new Set<string>();
      const send = async (mail: Mail) => {
        if (!tried.includes(mail.to) && isRefused(tried.length)) refused.add(mail.to);
        tried.push(mail.to);
        if (refused.has(mail.to)) throw error;
        mails.push(mail);
      };
      return { addresses, tried, refused, send: () => mailNotices(deps({ mailer: { send } })) };
    }

    const LETTERS: [what: string, error: Error, againAfter: number][] = [
      ['an address that there is not', mailError('EENVELOPE', { responseCode: 550, command: 'RCPT TO' }), 24 * HOUR],
      ['an address that is put off', mailError('EENVELOPE', { responseCode: 450, command: 'RCPT TO' }), HOUR],
    ];
    for (const [what, error, againAfter] of LETTERS)
      it(`is sent to all others in spite of ${what}, which is tried again later`, async () => {
        const until = `${againAfter / HOUR + 2}h`;
        const { addresses, tried, refused, send } = await refusing(3, error, (n) => n === 0, until);
        await send();
        assert.equal(refused.size, 1);
        for (const address of addresses) assert.equal(toldOf(address).length, refused.has(address) ? 0 : 1, address);
        const before = tried.length;
        server().clock.advance(againAfter - MINUTE);
        await send();
        assert.equal(tried.length, before);
        server().clock.advance(MINUTE);
        await send();
        assert.deepEqual(tried.slice(before), [...refused]);
      });

    const SERVERS: [what: string, error: Error][] = [['can not be reached', mailError('ECONNECTION')]];
    for (const [what, error] of SERVERS)
      it(`waits for its next turn where the mail server ${what}, and then leaves out nobody`, async () => {
        const { addresses, tried, send } = await refusing(4, error, (n) => n === 1);
        await send();
        assert.equal(tried.length, 2, 'one try says enough');
        await send();
        const [, failed] = tried;
        for (const address of addresses) assert.equal(toldOf(address).length, address === failed ? 0 : 1, address);
      });

    it('is given up for this turn once several in a row were refused: then it is the mail server that takes none', async () => {
      const error = mailError('EENVELOPE', { responseCode: 554, command: 'RCPT TO' });
      const { tried, send } = await refusing(10, error, () => true);
      await send();
      assert.equal(tried.length, 5);
      await send();
      assert.deepEqual([mails.length, new Set(tried).size], [0, 10], 'the next turn begins with others');
    });

    it('is sent to nobody who is suspended or closing, and to those whose suspension is over', async () => {
      const people = [somebody(), somebody(), somebody()] as const;
      const [suspended, closing, restored] = people;
      const members = [];
      for (const person of people) members.push((await world().signIn(person)).member);
      await admin('suspend', members[0]!.accountId, '--why', 'x');
      await members[1]!.request('POST', '/api/account/closing');
      await admin('suspend', members[2]!.accountId, '--why', 'x', '--until', '1h');
      server().clock.advance(HOUR);
      await tell('Answers are slow.', '--mail');
      await mailNotices(deps());
      const told = [suspended, closing, restored].map(({ email }) => toldOf(email).length);
      assert.deepEqual(told, [0, 0, 1]);
      assert.deepEqual(await textsOf(members[0]!), [
        ...(await noticesOf(members[0]!))
          .filter(({ kind }) => kind === 'suspended' || kind === 'decision')
          .map(({ text }) => text),
        'Answers are slow.',
      ]);
    });

    it('stops in the middle once it is ended', async () => {
      // More than one batch.
      await server().db.write(async (tx) => {
        const at = server().clock.now();
        for (let n = 0; n < 60; n++) {
          const id = crypto.randomUUID();
          const account = { id, kind: 'member' as const, created_at: at, last_active_at: at, email: `${id}@b.example` };
          await tx.insertInto('account').values(account).execute();
          const way = { provider: 'email', subject: `${id}@b.example`, account_id: id, email: `${id}@b.example` };
          await tx
            .insertInto('identity')
            .values({ ...way, created_at: at, last_used_at: at })
            .execute();
        }
      });
      const id = await tell('Answers are slow.', '--mail');
      const mailer = {
        send: async (mail: Mail) => {
          if (mails.push(mail) === 1) await admin('notice', '--end', id);
        },
      };
      await mailNotices(deps({ mailer }));
      assert.equal(mails.length, 50, 'the batch that had begun');
      await mailNotices(deps());
      assert.equal(mails.length, 50);
    });
  });

  // SQLite: a command beside the server. PostgreSQL: the same as another node.
  it('is told live by another process on the same database', async function () {
    this.timeout(30_000);
    const { url, remove } = await freshDatabase(engine);
    const own = await startServer(engine, { databaseUrl: url });
    const config = parseConfig({ DATABASE_URL: url, SECRET }, () => '{}');
    const db = await openDatabase(config.database, createLog('silent'), { alongside: true });
    try {
      const guest = await own.guest();
      const stream = await guest.changes();
      const { policy, leaseMs } = config;
      const deps = { db, clock: own.clock, ids: systemIds, policy, leaseMs, secret: SECRET, runs: RUNS_OF_ACCOUNTS };
      const args = ['notice', 'From elsewhere', '--until', '1h'];
      assert.equal((await runCommand({ ...deps, ...COMMANDS, sendsMail: false }, args)).code, 0);
      await stream.next((topic, id) => topic === 'account' && id === guest.accountId);
      stream.close();
      assert.deepEqual(await textsOf(guest), ['From elsewhere']);
    } finally {
      await db.close();
      await own.stop();
      await remove();
    }
  });
});

describe('a client that reads an account', () => {
  const account = { id: crypto.randomUUID(), kind: 'guest', createdAt: '2027-01-01T00:00:00Z' };
  const balance = {
    availableMicro: 0,
    pendingMicro: 0,
    ofMicro: 0,
    promotionalMicro: 0,
    purchasedMicro: 0,
    windows: [],
  };
  const known = { id: 'operator:1', kind: 'operator', text: 'Slow.', at: '2027-01-01T00:00:00Z' };
  const read = (notices: unknown) => AccountAnswerSchema.safeParse({ account, balance, limits: {}, notices });

  it('leaves out notices of kinds that it does not know, and reads the rest', () => {
    const strange = [{ ...known, kind: 'of the future' }, { kind: 'other', all: 'else' }, { id: 'none' }, null, 7];
    assert.deepEqual(read([...strange, known]).data?.notices, [known]);
    assert.deepEqual(read([...strange]).data?.notices, []);
  });

  it('refuses what is no list, and known kinds without their text', () => {
    for (const notices of [undefined, null, 'none', {}, [{ ...known, text: undefined }], [{ ...known, until: 'soon' }]])
      assert.equal(read(notices).success, false, JSON.stringify(notices));
  });
});
