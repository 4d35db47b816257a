import assert from 'node:assert/strict';
import type { LogAnswer } from '../../../shared/credits.ts';
import { Browser, editorAddress, type Page } from '../../support/browser.ts';
import { type Client, endOf, textOf } from '../../support/client.ts';
import { type Editor, Member } from '../../support/member.ts';
import { onBothEnginesWithSignIn, type SignInWorld, somebody } from '../../support/signIn.ts';

const CREDIT = 1_000_000;

/** Goes as far as the code that an editor exchanges. */
async function codeFor(world: SignInWorld, person: ReturnType<typeof somebody>, editor: Editor): Promise<string> {
  const browser = new Browser();
  const confirm = await world.identify(person, editor.signInAddress(), browser);
  const opened = await browser.submit(confirm, { decision: 'continue', terms: '1' });
  return editorAddress(opened).searchParams.get('code')!;
}

async function titles(client: Client): Promise<string[]> {
  return (await client.conversations()).body.conversations.map(({ title }) => title).sort();
}

onBothEnginesWithSignIn('a guest that signs in', (world) => {
  it('brings its conversations and what is left of its messages, once', async () => {
    const guest = await world().server().guest();
    for (const text of ['first', 'second', 'third']) await guest.run(guest.chat(text));
    const { member, answer } = await world().signIn(somebody(), { guestToken: guest.token });
    assert.deepEqual(answer.merged, { conversations: 3, allowanceMicro: 7 * CREDIT });
    assert.equal(await member.available(), 107 * CREDIT);
    assert.equal((await member.account()).body.balance.ofMicro, 107 * CREDIT);
    assert.deepEqual(await titles(member), ['first', 'second', 'third']);
    const { entries } = (await member.request<LogAnswer>('GET', '/api/credits/log')).body;
    const sum = entries.reduce((all, entry) => all + entry.amountMicro, 0);
    assert.equal(sum, 107 * CREDIT, 'the token log of both adds up');
    assert.ok(entries.some(({ kind, reason }) => kind === 'move' && reason === 'Left over from your time as a guest'));
  });

  it('is a guest no more: its token is worth nothing', async () => {
    const guest = await world().server().guest();
    await world().signIn(somebody(), { guestToken: guest.token });
    assert.equal((await guest.account()).status, 401);
    assert.equal((await guest.start(guest.chat('more'))).status, 401);
  });

  it('goes on with an answer that was running, and gets back what it does not cost', async () => {
    const guest = await world().server().guest();
    const call = world()
      .server()
      .double.script({ pieces: ['One ', 'two ', 'three.'], gateAt: 1 });
    const request = guest.chat('count');
    await guest.start(request);
    await guest.events(request.id, 0, (event) => event.type === 'text');
    const { member, answer } = await world().signIn(somebody(), { guestToken: guest.token });
    assert.deepEqual(answer.merged, { conversations: 1, allowanceMicro: 9 * CREDIT });
    const { balance } = (await member.account()).body;
    assert.deepEqual([balance.availableMicro, balance.pendingMicro], [109 * CREDIT, CREDIT]);
    const changes = await member.changes();
    call.open();
    const events = await member.events(request.id);
    assert.equal(textOf(events), 'One two three.');
    assert.deepEqual(
      [endOf(events).data.chargedMicro, endOf(events).data.balance?.availableMicro],
      [CREDIT, 109 * CREDIT],
    );
    await changes.next((topic, id) => topic === 'conversation' && id === request.conversationId);
    changes.close();
    assert.equal(await member.available(), 109 * CREDIT);
  });

  it('gets the whole hold back if the running answer fails', async () => {
    const guest = await world().server().guest();
    const call = world()
      .server()
      .double.script({ pieces: ['One '], gateAt: 1, end: 'destroy' });
    const request = guest.chat('count');
    await guest.start(request);
    await guest.events(request.id, 0, (event) => event.type === 'text');
    const { member } = await world().signIn(somebody(), { guestToken: guest.token });
    call.open();
    assert.equal(endOf(await member.events(request.id)).data.chargedMicro, 0);
    assert.equal(await member.available(), 110 * CREDIT);
  });

  it('can stop what was running', async () => {
    const guest = await world().server().guest();
    world()
      .server()
      .double.script({ pieces: ['One ', 'two '], gateAt: 1 });
    const request = guest.chat('count');
    await guest.start(request);
    await guest.events(request.id, 0, (event) => event.type === 'text');
    const { member } = await world().signIn(somebody(), { guestToken: guest.token });
    await member.stop(request.id);
    assert.equal(endOf(await member.events(request.id)).data.chargedMicro, CREDIT);
    assert.equal(await member.available(), 109 * CREDIT);
  });

  it('gets an edit refunded that was charged to the guest', async () => {
    const guest = await world().server().guest();
    const edit = guest.edit('change it', 'let a;');
    await guest.run(edit);
    const { member } = await world().signIn(somebody(), { guestToken: guest.token });
    assert.equal(await member.available(), 109 * CREDIT);
    const told = await member.outcome(edit.id, 0, 1);
    assert.deepEqual([told.status, told.body.refundedMicro], [200, CREDIT]);
    assert.equal(await member.available(), 110 * CREDIT);
    assert.equal((await member.outcome(edit.id, 0, 1)).body.refundedMicro, CREDIT);
    assert.equal(await member.available(), 110 * CREDIT);
  });

  it('to an account that exists brings its conversations there, and tells that account’s other devices', async () => {
    const person = somebody();
    const { member: laptop } = await world().signIn(person);
    await laptop.run(laptop.chat('of the laptop'));
    const changes = await laptop.changes();
    const guest = await world().server().guest();
    const request = guest.chat('of the guest');
    await guest.run(request);
    const { answer } = await world().signIn(person, { guestToken: guest.token });
    assert.equal(answer.account.id, laptop.accountId);
    await changes.next((topic, id) => topic === 'conversation' && id === request.conversationId);
    changes.close();
    assert.deepEqual(await titles(laptop), ['of the guest', 'of the laptop']);
  });

  it('brings the allowance of one guest, ever; conversations of any number', async () => {
    const person = somebody();
    const guests = [await world().server().guest(), await world().server().guest()];
    for (const guest of guests) await guest.run(guest.chat(`of ${guest.accountId}`));
    const first = await world().signIn(person, { guestToken: guests[0]!.token });
    const before = await first.member.available();
    const second = await world().signIn(person, { guestToken: guests[1]!.token });
    assert.deepEqual(first.answer.merged, { conversations: 1, allowanceMicro: 9 * CREDIT });
    assert.deepEqual(second.answer.merged, { conversations: 1, allowanceMicro: 0 });
    assert.equal(await second.member.available(), before);
    assert.equal((await titles(second.member)).length, 2);
  });

  it('brings no allowance of a second guest even out of an answer that was running', async () => {
    const person = somebody();
    await world().signIn(person, { guestToken: (await world().server().guest()).token });
    const guest = await world().server().guest();
    const call = world()
      .server()
      .double.script({ pieces: ['One '], gateAt: 1, end: 'destroy' });
    const request = guest.chat('count');
    await guest.start(request);
    await guest.events(request.id, 0, (event) => event.type === 'text');
    const { member } = await world().signIn(person, { guestToken: guest.token });
    const before = await member.available();
    call.open();
    await member.events(request.id);
    assert.equal(await member.available(), before);
  });

  it('moves once when two devices bring it to one account at the same instant', async () => {
    const person = somebody();
    const guest = await world().server().guest();
    await guest.run(guest.chat('mine'));
    const editors = [world().editor(), world().editor(), world().editor()];
    const codes: string[] = [];
    for (const editor of editors) codes.push(await codeFor(world(), person, editor));
    const answers = await Promise.all(
      editors.map((editor, i) => editor.exchange(codes[i]!, { guest_token: guest.token })),
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.equal(answers.filter(({ body }) => body.merged).length, 1);
    const members = answers.map(({ body }, i) => Member.from(editors[i]!.url, editors[i]!.key, body));
    for (const member of members) {
      assert.equal(await member.available(), 109 * CREDIT);
      assert.deepEqual(await titles(member), ['mine']);
    }
  });

  it('goes to one of two accounts that ask for it at the same instant, whole', async () => {
    const guest = await world().server().guest();
    await guest.run(guest.chat('mine'));
    const editors = [world().editor(), world().editor()];
    const codes: string[] = [];
    for (const editor of editors) codes.push(await codeFor(world(), somebody(), editor));
    const answers = await Promise.all(
      editors.map((editor, i) => editor.exchange(codes[i]!, { guest_token: guest.token })),
    );
    const members = answers.map(({ body }, i) => Member.from(editors[i]!.url, editors[i]!.key, body));
    const had = await Promise.all(members.map(async (m) => [await m.available(), (await titles(m)).length]));
    assert.deepEqual(had.sort(), [
      [100 * CREDIT, 0],
      [109 * CREDIT, 1],
    ]);
  });

  it('loses no answer that is begun while it signs in', async () => {
    const guest = await world().server().guest();
    const editor = world().editor();
    const code = await codeFor(world(), somebody(), editor);
    const requests = Array.from({ length: 6 }, (_, n) => guest.chat(`question ${n}`));
    const [answer, ...started] = await Promise.all([
      editor.exchange(code, { guest_token: guest.token }),
      ...requests.map((request) => guest.start(request)),
    ]);
    const member = Member.from(editor.url, editor.key, answer!.body as never);
    const admitted = requests.filter((_, n) => started[n]!.status === 202);
    for (const { status } of started) assert.ok(status === 202 || status === 401, String(status));
    for (const request of admitted) assert.equal(endOf(await member.events(request.id)).type, 'done');
    assert.equal((await titles(member)).length, admitted.length);
    assert.equal(await member.available(), (110 - admitted.length) * CREDIT);
  });

  it('changes nothing when it is brought again', async () => {
    const person = somebody();
    const guest = await world().server().guest();
    await guest.run(guest.chat('mine'));
    await world().signIn(person, { guestToken: guest.token });
    const again = await world().signIn(person, { guestToken: guest.token });
    assert.equal(again.answer.merged, undefined);
    assert.equal(await again.member.available(), 109 * CREDIT);
    const stranger = await world().signIn(somebody(), { guestToken: guest.token });
    assert.equal(stranger.answer.merged, undefined);
    assert.deepEqual(await titles(stranger.member), []);
  });

  it('is never another member: a member’s token brings nothing', async () => {
    const { member } = await world().signIn(somebody());
    await member.run(member.chat('mine'));
    const thief = await world().signIn(somebody(), { guestToken: member.token });
    assert.equal(thief.answer.merged, undefined);
    assert.deepEqual(await titles(member), ['mine']);
  });
});

onBothEnginesWithSignIn('the bonus of a new account', (world) => {
  it('is given once when the same person signs up on several devices at the same instant', async () => {
    const person = somebody();
    const browsers = Array.from({ length: 8 }, () => new Browser());
    const editors = browsers.map(() => world().editor());
    const pages: Page[] = [];
    for (const [i, browser] of browsers.entries())
      pages.push(await world().identify(person, editors[i]!.signInAddress(), browser));
    const opened = await Promise.all(
      browsers.map((browser, i) => browser.submit(pages[i]!, { decision: 'continue', terms: '1' })),
    );
    const answers = await Promise.all(
      editors.map((editor, i) => editor.exchange(editorAddress(opened[i]!).searchParams.get('code')!)),
    );
    assert.equal(new Set(answers.map(({ body }) => body.account.id)).size, 1);
    assert.equal(await Member.from(editors[0]!.url, editors[0]!.key, answers[0]!.body).available(), 100 * CREDIT);
  });

  it('is not given again for another tag of the same mailbox', async () => {
    const person = somebody();
    await world().signIn(person);
    const tagged = await world().signIn(somebody({ email: person.email!.replace('@', '+again@') }));
    assert.equal(await tagged.member.available(), 0);
  });

  it('is not given again after the account was deleted', async () => {
    const person = somebody();
    const { member } = await world().signIn(person);
    const { db } = world().server();
    await db.write(async (tx) => {
      await tx.deleteFrom('wallet').where('account_id', '=', member.accountId).execute();
      await tx.deleteFrom('account').where('id', '=', member.accountId).execute();
    });
    const again = await world().signIn(person);
    assert.notEqual(again.answer.account.id, member.accountId);
    assert.equal(await again.member.available(), 0);
  });
});
