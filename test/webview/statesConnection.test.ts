import assert from 'node:assert/strict';
import type { Connection } from '../../extension/chat/protocol.ts';
import type { Problem } from '../../shared/problems.ts';
import { ago, broken, changed, conversation, longAnswer, problem, running, surroundings, user } from './samples.ts';
import { eachView } from './shared.ts';
import type { View } from './view.ts';

describe('chat view: states and what they say', () => {
  let view: View;
  const box = () => view.page.locator('.answer .box').innerText();
  eachView((opened) => {
    view = opened;
  });

  it('says where the conversation is answering, and lets one follow or stop', async () => {
    const there = running({ device: 'desktop', text: longAnswer(600) });
    await view.tell(surroundings(), conversation([user('Go'), there], { elsewhere: [there.runId!] }));
    const banner = view.page.locator('.banner');
    assert.match(await banner.innerText(), /^Answering on desktop\./);
    await view.page.evaluate(`document.querySelector('.transcript').scrollTop = 0`);
    await view.page.getByRole('button', { name: 'Latest' }).waitFor();
    await banner.getByRole('button', { name: 'Follow' }).click();
    await view.tell();
    assert.ok((await view.fromEnd()) < 4);
    await banner.getByRole('button', { name: 'Stop' }).click();
    assert.equal((await view.until('stop')).runId, there.runId);
    await view.tell(changed([{ ...there, state: 'complete', chargedMicro: 1 }]));
    assert.equal(await banner.count(), 0);
  });

  it('offers to follow only what is not shown, and tells another window from another device', async () => {
    const there = running({ device: 'laptop', text: longAnswer(600) });
    await view.tell(surroundings(), conversation([user('Go'), there], { elsewhere: [there.runId!] }));
    const banner = view.page.locator('.banner');
    assert.match(await banner.innerText(), /^Answering in another window\./);
    assert.deepEqual(await banner.getByRole('button').allInnerTexts(), ['Stop']);
    await view.page.evaluate(`document.querySelector('.transcript').scrollTop = 0`);
    await banner.getByRole('button', { name: 'Follow' }).click();
    await view.tell();
    assert.deepEqual(await banner.getByRole('button').allInnerTexts(), ['Stop']);
  });

  it('says once that the connection is lost, nothing of the server that is not known, and offers no stop that can’t work', async () => {
    const reply = running({ text: 'So far' });
    await view.tell(surroundings(), conversation([user('Go'), reply]));
    const line = view.page.locator('.answer .answering');
    assert.equal(await line.innerText(), 'Answering');
    const stop = view.page.getByRole('button', { name: 'Stop (Escape)' });
    assert.equal(await stop.count(), 1);
    await view.tell(surroundings({ connection: { state: 'offline', detail: 'Connection refused.' } }));
    const lost = 'Waiting for the connection';
    const banner = view.page.locator('.box');
    const told =
      /^Offline\. Connection refused\. What you type is kept\. If the answer goes on at the server, it is shown when the connection is back\./;
    assert.match((await banner.allInnerTexts()).join('|'), told);
    assert.equal(await line.innerText(), lost);
    assert.equal(await stop.count(), 0);
    await view.page.keyboard.press('Escape');
    await view.tell(surroundings({ connection: { state: 'connecting' } }));
    assert.equal(await line.innerText(), lost, 'a try is no connection yet');
    assert.match(await banner.innerText(), told, 'and nothing flickers');
    await view.composer.fill('Next');
    await view.page.keyboard.press('Enter');
    assert.equal((await view.until('send')).waits, true, 'the host keeps it until the answer is known to have ended');
    await view.tell(surroundings());
    assert.equal(await line.innerText(), 'Answering');
    assert.equal((await view.said()).filter(({ type }) => type === 'stop').length, 0);
  });

  const signedOut = { state: 'signedOut', detail: 'Your sign-in has ended.', isMember: true, isNew: false } as const;
  const REFUSED: [what: string, connection: Connection, told: RegExp, why: Problem][] = [
    [
      'the server cannot be reached',
      { state: 'offline', detail: 'Connection refused.' },
      /^Offline\. Connection refused\. Your message was not sent\. Your text is kept\./,
      problem('unavailable', { status: 0, detail: 'Connection refused.' }),
    ],
    [
      'something else answers there',
      { state: 'wrongServer', detail: 'Look at perigee.serverUrl.' },
      /^Not a Perigee server\. Look at perigee\.serverUrl\. Your message was not sent\. Your text is kept\./,
      problem('wrong_host', { status: 0 }),
    ],
    [
      'nobody is signed in',
      signedOut,
      /^Signed out\. Your sign-in has ended\. Your message was not sent\. Your text is kept\./,
      problem('unauthorized'),
    ],
  ];
  for (const [what, connection, text, why] of REFUSED)
    it(`says in one box that ${what} and that a message was not sent`, async () => {
      await view.tell(surroundings(), conversation([]));
      await view.composer.fill('Hello');
      await view.page.keyboard.press('Enter');
      const { requestId } = await view.until('send');
      await view.tell(surroundings({ connection }), { type: 'notSent', requestId, problem: why });
      assert.equal(await view.page.locator('.box').count(), 1);
      assert.match(await view.page.locator('.box').innerText(), text);
      assert.equal(await view.composer.inputValue(), 'Hello');
      await view.page.keyboard.press('Escape');
      assert.doesNotMatch(await view.page.locator('.box').innerText(), /not sent/, 'once it is dismissed');
      await view.tell(surroundings());
      assert.equal(await view.page.locator('.box').count(), 0);
    });

  it('says beside it why a message was not sent, where that is another reason', async () => {
    await view.tell(surroundings(), conversation([]));
    await view.composer.fill('Hello');
    await view.page.keyboard.press('Enter');
    const { requestId } = await view.until('send');
    await view.tell({ type: 'notSent', requestId, problem: problem('upstream_busy') });
    await view.tell(surroundings({ connection: { state: 'offline', detail: 'Connection refused.' } }));
    assert.equal(await view.page.locator('.box').count(), 2);
  });

  it('takes back nothing that was shown without a word', async () => {
    const reply = running({ text: 'Kept words and lost ones' });
    await view.tell(surroundings(), conversation([user('Go'), reply]));
    const end = { ...reply, state: 'interrupted', reason: 'interrupted', text: 'Kept words', chargedMicro: 0 } as const;
    await view.tell(changed([end]));
    assert.match(await box(), /but for its last words, which the server had not stored:.*and lost ones/);
    await view.tell(conversation([user('Go'), end]));
    assert.match(await box(), /and lost ones/, 'also when all is told anew');
  });

  it('takes back nothing that was shown where its end is told before the text that the server has kept', async () => {
    const reply = running({ text: 'Kept words and lost ones' });
    await view.tell(surroundings(), conversation([user('Go'), reply]));
    const end = { ...reply, state: 'interrupted', reason: 'interrupted', chargedMicro: 0 } as const;
    // By the events of the run first, then as it is read afresh.
    await view.tell(changed([end]));
    assert.match(await box(), /What came so far is kept\./);
    await view.tell(changed([{ ...end, text: 'Kept words' }]));
    assert.match(await box(), /but for its last words, which the server had not stored:.*and lost ones/);
  });

  it('takes back nothing that was shown when a chat is told anew while its answer runs', async () => {
    const reply = running({ text: 'Kept words' });
    await view.tell(surroundings(), conversation([user('Go'), reply]));
    await view.tell({ type: 'text', messageId: reply.id, text: ' and lost ones', at: reply.text.length });
    await view.page.getByText('Kept words and lost ones').waitFor();
    await view.tell(conversation([user('Go'), reply]));
    assert.match(await view.page.locator('.answer').innerText(), /Kept words and lost ones/);
    const end = { ...reply, state: 'interrupted', reason: 'interrupted', chargedMicro: 0 } as const;
    await view.tell(conversation([user('Go'), end]));
    assert.match(await box(), /but for its last words, which the server had not stored:.*and lost ones/);
  });

  it('says of a service that is busy when another try makes sense, and counts down to it', async () => {
    const busy = (part: object) => broken({ state: 'failed', problem: problem('upstream_busy', part) });
    const at = new Date(Date.now() + 40_000).toISOString();
    await view.tell(surroundings(), conversation([user('Go'), busy({ retryAt: at })]));
    assert.match(await box(), /The model service is busy\. Try again at \d\d:\d\d \(UTC\+\d\), in (40|3\d) s\./);
    await view.page.locator('.answer .box', { hasText: /in (3[0-7]) s\./ }).waitFor();
    await view.tell(conversation([user('Go'), busy({ retryAt: ago(1000) })]));
    assert.match(await box(), /The model service is busy\. You can try again now\./);
    await view.tell(conversation([user('Go'), busy({})]));
    assert.match(await box(), /does not say for how long\. Try again in a minute\./);
  });

  it('keeps what was typed while the server cannot be reached, and retries', async () => {
    await view.tell(surroundings(), conversation([]));
    await view.page.keyboard.type('Kept');
    await view.tell(surroundings({ connection: { state: 'offline', detail: 'Connection refused.' } }));
    assert.match(
      await view.page.locator('.banner').innerText(),
      /^Offline\. Connection refused\. What you type is kept\./,
    );
    await view.page.locator('.banner').getByRole('button', { name: 'Retry' }).click();
    await view.until('reconnect');
    assert.equal(await view.composer.inputValue(), 'Kept');
    await view.tell(surroundings());
    assert.equal(await view.page.locator('.banner').count(), 0);
  });

  it('leads on from a wrong address and from being signed out', async () => {
    await view.tell(
      surroundings({ connection: { state: 'wrongServer', detail: 'Look at perigee.serverUrl.' } }),
      conversation([]),
    );
    assert.match(
      await view.page.locator('.banner').innerText(),
      /^Not a Perigee server\. Look at perigee\.serverUrl\./,
    );
    await view.page.getByRole('button', { name: 'Settings' }).click();
    assert.equal((await view.until('command')).command, 'openSettings');
    await view.tell(
      surroundings({
        connection: { state: 'signedOut', detail: 'Your sign-in has ended.', isMember: true, isNew: false },
        account: null,
        balance: null,
        guests: true,
      }),
    );
    await view.page.getByRole('button', { name: 'Sign in again' }).click();
    assert.equal((await view.until('command', 2)).command, 'signIn');
    await view.page.getByRole('button', { name: 'Continue as guest' }).click();
    assert.equal((await view.until('command', 3)).command, 'continueAsGuest');
  });

  it('offers whoever is new what this server offers, and nothing else', async () => {
    const isNew = { state: 'signedOut', detail: 'Open the chat to begin.', isMember: false, isNew: true } as const;
    const nobody = { connection: isNew, account: null, balance: null };
    const ways = () => view.page.locator('.banner .ways').innerText();
    await view.tell(surroundings({ ...nobody, guests: false, signInCredits: 100 }));
    assert.equal(await ways(), 'Sign in for 100 credits\nRetry');
    assert.match(await view.page.locator('.banner').innerText(), /This server admits no guests\. Sign in first\./);
    await view.tell(surroundings({ ...nobody, guests: true }));
    assert.equal(await ways(), 'Continue as guest\nRetry');
  });
});
