import assert from 'node:assert/strict';
import type { Account, AccountAnswer, Closing } from '../../../shared/account.ts';
import { Browser, editorAddress } from '../../support/browser.ts';
import type { Client } from '../../support/client.ts';
import { Member } from '../../support/member.ts';
import type { TestServer } from '../../support/server.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

const DAY = 24 * 3_600_000;

onBothEnginesWithSignIn('the owner of an account', (world) => {
  const server = (): TestServer => world().server();
  const member = async (more = {}) => (await world().signIn(somebody(more))).member;
  const patch = (client: Client, body: unknown) => client.request<Account>('PATCH', '/api/account', body);
  const account = async (client: Client): Promise<AccountAnswer> => (await client.account()).body;

  it('corrects the name, and allows news by mail, which nobody gets unasked', async () => {
    const ada = await member();
    const devices = await ada.changes();
    assert.equal((await account(ada)).account.marketing, false);
    const named = await patch(ada, { name: '  Ada L.  ', marketing: true });
    assert.deepEqual([named.status, named.body.name, named.body.marketing], [200, 'Ada L.', true]);
    await devices.next((topic) => topic === 'account');
    await patch(ada, { marketing: false });
    const { name, marketing } = (await account(ada)).account;
    assert.deepEqual([name, marketing], ['Ada L.', false]);
    devices.close();
  });

  const WRONG: [title: string, body: unknown][] = [
    ['an empty name', { name: ' ' }],
    ['an endless name', { name: 'x'.repeat(101) }],
    ['a name that is none', { name: 5 }],
    ['what is nobody’s to correct', { tier: 4 }],
    ['another id', { id: crypto.randomUUID() }],
  ];
  for (const [title, body] of WRONG)
    it(`can’t correct ${title}`, async () => {
      const refused = await patch(await member(), body);
      assert.deepEqual([refused.status, refused.body.code], [400, 'invalid_request']);
    });

  it('is no guest: a guest has neither profile nor terms nor address', async () => {
    const guest = await server().guest();
    for (const [method, path, body] of [
      ['PATCH', '/api/account', { name: 'x' }],
      ['POST', '/api/account/terms', { version: '1' }],
      ['POST', '/api/account/email', { email: 'a@b.example' }],
      ['POST', '/api/account/email/confirm', { email: 'a@b.example', code: '123456' }],
    ] as const) {
      const refused = await guest.request(method, path, body);
      assert.deepEqual([path, refused.status, refused.body.code], [path, 403, 'members_only']);
    }
  });

  describe('that takes another address', () => {
    const ask = (client: Client, email: string) => client.request('POST', '/api/account/email', { email });
    const confirm = (client: Client, email: string, code: string) =>
      client.request('POST', '/api/account/email/confirm', { email, code });

    it('shows by a code that it is theirs; the one before is told, and signs in no more', async () => {
      const person = somebody();
      const { member: ada } = await world().signIn(person);
      const email = `new-${person.email}`;
      assert.equal((await ask(ada, email)).status, 204);
      assert.equal((await confirm(ada, email, world().mailedCode())).status, 204);
      assert.equal((await account(ada)).account.email, email);
      assert.deepEqual(
        [server().mails.at(-1)?.to, /another address/.test(server().mails.at(-1)!.subject)],
        [person.email, true],
      );
      const identities = await server()
        .db.read.selectFrom('identity')
        .select('subject')
        .where('account_id', '=', ada.accountId)
        .where('provider', '=', 'email')
        .execute();
      assert.deepEqual(identities, [{ subject: email }]);
    });

    it('can’t by a wrong code, an old one, another account’s, or one for another address', async () => {
      const [ada, eve] = [await member(), await member()];
      const email = `${crypto.randomUUID()}@example.org`;
      await ask(ada, email);
      const code = world().mailedCode();
      const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0');
      for (const [client, address, typed] of [
        [ada, email, wrong],
        [eve, email, code],
        [ada, `x${email}`, code],
      ] as const)
        assert.equal((await confirm(client, address, typed)).body.code, 'invalid_grant');
      await ask(ada, email);
      const second = world().mailedCode();
      assert.notEqual(second, '');
      server().clock.advance(10 * 60_000);
      assert.equal((await confirm(ada, email, second)).body.code, 'invalid_grant', 'expired');
      assert.notEqual((await account(ada)).account.email, email);
    });

    it('learns only with its code that another account has it', async () => {
      const other = somebody();
      await world().signIn(other);
      const ada = await member();
      assert.equal((await ask(ada, other.email!)).status, 204, 'the same answer as for any other');
      const code = world().mailedCode();
      const taken = await confirm(ada, other.email!, code);
      assert.deepEqual([taken.status, taken.body.code], [409, 'email_taken']);
    });

    it('is one’s that nobody else takes at the same instant', async () => {
      const email = `${crypto.randomUUID()}@example.org`;
      const all = [];
      for (let n = 0; n < 3; n++) {
        const client = await member();
        await ask(client, email);
        all.push({ client, code: world().mailedCode() });
      }
      const told = await Promise.all(all.map(({ client, code }) => confirm(client, email, code)));
      assert.deepEqual(told.map(({ status }) => status).sort(), [204, 409, 409]);
      const emails = await Promise.all(all.map(async ({ client }) => (await account(client)).account.email));
      assert.equal(emails.filter((one) => one === email).length, 1);
    });

    it('has 5 tries for a code, and any of those that were mailed is good until then (brute force)', async () => {
      const ada = await member();
      const email = `${crypto.randomUUID()}@example.org`;
      await ask(ada, email);
      const first = world().mailedCode();
      await ask(ada, email);
      const second = world().mailedCode();
      const wrong = ['000000', '000001', '000002'].find((code) => code !== first && code !== second)!;
      for (let n = 0; n < 5; n++) assert.equal((await confirm(ada, email, wrong)).body.code, 'invalid_grant');
      for (const code of [first, second]) assert.equal((await confirm(ada, email, code)).body.code, 'invalid_grant');
      await ask(ada, email);
      const third = world().mailedCode();
      assert.equal((await ask(ada, email)).body.code, 'too_many_attempts');
      assert.equal((await confirm(ada, email, third)).status, 204);
    });
  });

  describe('whose terms have changed', () => {
    /** As if what counts now had come after this account accepted. */
    const change = (client: Client) =>
      server().db.write((tx) =>
        tx.updateTable('account').set({ terms_version: '0' }).where('id', '=', client.accountId).execute(),
      );

    it('is told, gets no answers before they are accepted, and may do all else', async () => {
      const ada = await member();
      await change(ada);
      const { account: due, notices } = await account(ada);
      assert.equal(due.termsDue, '1');
      assert.deepEqual(
        notices.map(({ id, kind }) => [id, kind]),
        [['terms:1', 'terms']],
      );
      const refused = await ada.start(ada.chat('hello'));
      assert.deepEqual([refused.status, refused.body.code], [403, 'terms_changed']);
      assert.equal((await ada.conversations()).status, 200);
      assert.equal((await ada.request('POST', '/api/account/terms', { version: '0' })).body.code, 'terms_changed');
      assert.equal((await ada.request('POST', '/api/account/terms', { version: '1' })).status, 204);
      assert.deepEqual([(await account(ada)).account.termsDue, (await account(ada)).notices], [undefined, []]);
      await ada.run(ada.chat('hello again'));
    });

    it('may accept them while signing in, or later', async () => {
      const person = somebody();
      await change((await world().signIn(person)).member);
      for (const [fields, due] of [
        [{ decision: 'continue' }, '1'],
        [{ decision: 'continue', terms: '1' }, undefined],
      ] as const) {
        const editor = world().editor();
        const browser = new Browser();
        const page = await world().identify(person, editor.signInAddress(), browser);
        assert.match(page.html, /The terms have changed/);
        const code = editorAddress(await browser.submit(page, fields)).searchParams.get('code')!;
        const { body } = await editor.exchange(code);
        assert.equal((await Member.from(editor.url, editor.key, body).account()).body.account.termsDue, due);
      }
    });
  });

  describe('who closes it', () => {
    const close = (client: Client) => client.request<Closing>('POST', '/api/account/closing');

    it('can keep it for 7 days: until then it reads and exports, and nothing is answered', async () => {
      const person = somebody();
      const { member: ada } = await world().signIn(person);
      const closed = await close(ada);
      assert.equal(Date.parse(closed.body.goneAt) - Date.parse(closed.body.since), 7 * DAY);
      assert.match(server().mails.at(-1)!.text, /deleted for good/);
      const mails = server().mails.length;
      assert.deepEqual((await close(ada)).body, closed.body, 'closing twice changes nothing');
      assert.equal(server().mails.length, mails);
      const { account: closing, notices } = await account(ada);
      assert.deepEqual([closing.closing, notices[0]?.kind], [closed.body, 'closing']);
      const refused = await ada.start(ada.chat('hello'));
      assert.deepEqual([refused.status, refused.body.code], [403, 'account_closing']);
      assert.equal((await ada.request('GET', '/api/account/export')).status, 200);
      assert.equal((await ada.request('DELETE', '/api/account/closing')).status, 204);
      assert.deepEqual([(await account(ada)).account.closing, (await account(ada)).notices], [undefined, []]);
      await ada.run(ada.chat('hello'));
    });

    it('may be a guest', async () => {
      const guest = await server().guest();
      assert.equal((await close(guest)).status, 200);
      assert.equal((await guest.start(guest.chat('x'))).body.code, 'account_closing');
    });
  });

  it('deletes all conversations, and nobody else’s; what they are answering stops, other devices hear of it', async () => {
    const [ada, eve] = [await member(), await member()];
    await eve.run(eve.chat('mine'));
    for (let n = 0; n < 20; n++) await ada.run(ada.chat(`number ${n}`));
    const call = server().double.script({ pieces: ['one ', 'two'], gateAt: 1 });
    const running = ada.chat('still running');
    await ada.start(running);
    await call.atGate;
    const devices = await ada.changes();
    assert.equal((await ada.request('DELETE', '/api/conversations')).status, 204);
    await devices.next((topic, id) => topic === 'conversation' && id === '');
    assert.deepEqual((await ada.conversations()).body.conversations, []);
    assert.equal((await eve.conversations()).body.conversations.length, 1);
    await call.ended;
    devices.close();
    await ended(server(), running.id);
  });
});

/** Waits until a run has ended. */
async function ended(server: TestServer, runId: string): Promise<void> {
  for (;;) {
    const run = await server.db.read.selectFrom('run').select('state').where('id', '=', runId).executeTakeFirst();
    if (run?.state !== 'running') return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
