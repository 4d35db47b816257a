import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Connection } from '../../extension/chat/protocol.ts';
import type { Message } from '../../shared/conversations.ts';
import type { Problem } from '../../shared/problems.ts';
import {
  ago,
  answer,
  changed,
  conversation,
  guest,
  historyPage,
  longAnswer,
  member,
  problem,
  row,
  running,
  surroundings,
  user,
} from './samples.ts';
import { sharedHarness } from './shared.ts';
import type { Harness, Theme, View } from './view.ts';

const broken = (part: Partial<Message>) => answer('', { chargedMicro: 0, usage: undefined, ...part });

describe('chat view: states and what they say', () => {
  let harness: Harness;
  let view: View;
  const footer = () => view.page.locator('.answer footer .cost').innerText();
  const box = () => view.page.locator('.answer .box').innerText();

  before(async function () {
    this.timeout(180_000);
    harness = await sharedHarness();
  });
  beforeEach(async () => {
    view = await harness.open();
  });
  afterEach(async () => {
    const { errors } = view;
    await view.close();
    assert.deepEqual(errors, []);
  });

  it('offers suggestions when there is nothing yet', async () => {
    await view.tell(surroundings(), conversation([]));
    assert.ok(await view.page.getByRole('heading', { name: 'What are we working on?' }).isVisible());
    await view.page.getByRole('button', { name: 'Explain client.ts' }).click();
    assert.equal((await view.until('suggestion')).id, 'explain');
  });

  it('says what an answer cost, in credits for members and in messages for guests', async () => {
    await view.tell(surroundings(), conversation([answer('Yes')]));
    assert.equal(await footer(), '0.42 credits · 1,204 in (980 cached) · 312 out');
    await view.tell(surroundings(guest(7)), changed([answer('No', { chargedMicro: 1_000_000 })]));
    assert.match(await view.page.locator('.answer footer .cost').last().innerText(), /^1 message · /);
    assert.match(
      await view.page.locator('.left').innerText(),
      /^7 of 10 free messages left · Sign in for 100 credits$/,
    );
  });

  it('marks counts that are estimates', async () => {
    const usage = { inputTokens: 10, cachedInputTokens: 0, outputTokens: 5, estimated: true };
    await view.tell(surroundings(), conversation([answer('Yes', { usage })]));
    assert.equal(await footer(), '0.42 credits · ~10 in · ~5 out');
  });

  for (const [name, message, said, ways] of [
    [
      'failed in the middle',
      broken({ text: 'Half', state: 'failed', reason: 'upstream_failed', problem: problem('upstream_failed') }),
      /The model service stopped answering\. What came so far is kept\.\s*Not charged\./,
      ['Continue', 'Try again'],
    ],
    [
      'failed before its first word',
      broken({ state: 'failed', reason: 'upstream_failed', problem: problem('upstream_timeout') }),
      /The model service did not answer in time\.\s*Not charged\./,
      ['Try again'],
    ],
    [
      'failed, by what is not known, before its first word',
      broken({ state: 'failed', reason: 'upstream_failed', problem: problem('upstream_failed') }),
      /The model service failed before it wrote anything\.\s*Not charged\./,
      ['Try again'],
    ],
    [
      'was interrupted before its first word',
      broken({ state: 'interrupted', reason: 'interrupted' }),
      /The server stopped before the answer began\.\s*Not charged\./,
      ['Try again'],
    ],
    [
      'was interrupted',
      broken({ text: 'Half', state: 'interrupted', reason: 'interrupted' }),
      /The server stopped in the middle of the answer\. What came so far is kept\.\s*Not charged\./,
      ['Continue', 'Try again'],
    ],
    [
      'was stopped, and cost what it wrote',
      answer('Half', { state: 'stopped' }),
      /^Stopped\. What came so far is kept\.\s*Charged 0\.42 credits\./,
      ['Continue', 'Try again'],
    ],
    [
      'was cut at its length limit, and cost what it wrote',
      answer('Half', { cutShort: true }),
      /^Cut at its length limit\. What came so far is kept\.\s*Charged 0\.42 credits\./,
      ['Continue', 'Try again'],
    ],
    ['is empty', broken({ reason: 'empty_answer' }), /The model wrote nothing\.\s*Not charged\./, ['Try again']],
  ] as [string, Message, RegExp, string[]][]) {
    it(`says of an answer that ${name} what was kept and charged, and offers the way on`, async () => {
      await view.tell(surroundings(), conversation([user('Go'), message]));
      assert.match(await box(), said);
      assert.deepEqual(await view.page.locator('.answer .box button').allInnerTexts(), ways);
      await view.page.locator('.answer .box').getByRole('button', { name: 'Try again' }).click();
      assert.equal((await view.until('regenerate')).messageId, message.id);
      if (!ways.includes('Continue')) return;
      await view.page.locator('.answer .box').getByRole('button', { name: 'Continue' }).click();
      assert.equal((await view.until('continue')).runId, message.runId);
    });
  }

  it('says while an answer runs for how many tokens the credits are enough, where they are few', async () => {
    await view.tell(surroundings(), conversation([user('Go'), running({ clampedTo: 812 })]));
    const line = view.page.locator('.answer .answering');
    assert.match(await line.innerText(), /^Answering · enough for about 810 more tokens$/);
    await view.tell(changed([answer('Half', { clampedTo: 812, cutShort: true })]));
    assert.match(await view.page.locator('.answer .box').last().innerText(), /^What was left bought no more\. What/);
  });

  it('says nothing of tokens while an answer runs that may be as long as usual', async () => {
    await view.tell(surroundings(), conversation([user('Go'), running()]));
    assert.equal(await view.page.locator('.answer .answering').innerText(), 'Answering');
  });

  it('offers to go on only where nobody has gone on yet', async () => {
    const half = broken({ text: 'Half', state: 'interrupted', reason: 'interrupted' });
    await view.tell(surroundings(), conversation([user('Go'), half, answer('the rest', { continues: half.runId })]));
    assert.deepEqual(await view.page.locator('.answer .box button').allInnerTexts(), []);
    assert.match(await view.page.locator('.answer').last().innerText(), /^Continued/);
  });

  it('regenerates and copies an answer', async () => {
    const reply = answer('Yes **indeed**');
    await view.tell(surroundings(), conversation([user('Go'), reply]));
    await view.page.getByRole('button', { name: 'Regenerate' }).click();
    assert.equal((await view.until('regenerate')).messageId, reply.id);
    await view.page.locator('.answer').getByRole('button', { name: 'Copy' }).click();
    assert.equal((await view.until('copy')).text, 'Yes **indeed**');
    assert.ok(await view.page.locator('.answer').getByRole('button', { name: 'Copied' }).isVisible());
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
    assert.match(await view.page.locator('.hint').innerText(), /^An answer may still be running\. Your text is kept/);
    await view.tell(surroundings());
    assert.equal(await line.innerText(), 'Answering');
    assert.equal((await view.said()).filter(({ type }) => type === 'stop').length, 0);
    await view.tell(changed([{ ...reply, state: 'complete', chargedMicro: 1 }]));
    assert.equal(await view.page.locator('.hint').count(), 0, 'what kept it from being sent is over');
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

  const suspended = { since: ago(24 * 3_600_000), why: 'Resold through a relay', until: null };
  const closing = { since: '2026-11-25T10:00:00Z', goneAt: '2026-12-02T10:00:00Z' };
  const STANDING: [what: string, account: object, text: RegExp, way: string, command: string][] = [
    [
      'is suspended',
      { suspended },
      /^This account is suspended until further notice\. Resold through a relay\./,
      'Account page',
      'openAccount',
    ],
    [
      'is closing',
      { closing },
      /^This account is closing\. It is gone for good at .*2.* \(UTC/,
      'Keep the account',
      'openAccount',
    ],
    ['has terms to accept', { termsDue: '2' }, /^The terms have changed\./, 'Read and accept', 'acceptTerms'],
  ];
  for (const [what, more, text, way, command] of STANDING)
    it(`says that an account ${what}, and leads on`, async () => {
      await view.tell(surroundings(member(more)), conversation([]));
      assert.match(await view.page.locator('.banner').innerText(), text);
      await view.page.getByRole('button', { name: way }).click();
      assert.equal((await view.until('command')).command, command);
    });

  it('says where nothing is limited that it is metered, and never that it is used up', async () => {
    const { balance } = member({});
    await view.tell(
      surroundings({ ...member({}), balance: { ...balance!, availableMicro: 0, unlimited: true } }),
      conversation([]),
    );
    assert.equal(await view.page.locator('.left').innerText(), 'Metered, not limited');
    assert.equal(await view.page.locator('.banner').count(), 0);
  });

  it('says when credits are used up and when some free up', async () => {
    const nextFreeAt = ago(-3 * 3_600_000);
    await view.tell(
      surroundings({
        balance: {
          ...{ availableMicro: 0, pendingMicro: 0, ofMicro: 100_000_000, promotionalMicro: 0, purchasedMicro: 0 },
          windows: [
            {
              ...{ name: '5 hours', usedMicro: 50_000_000, limitMicro: 50_000_000, nextFreeMicro: 19_000_000 },
              ...{ nextFreeAt, allFreeAt: nextFreeAt },
            },
          ],
        },
      }),
      conversation([]),
    );
    assert.match(
      await view.page.locator('.banner').innerText(),
      /^No credits left\. 19 free up at .*\d\d:\d\d \(UTC\+[12]\)\./,
    );
    await view.tell(surroundings(guest(0)));
    assert.match(await view.page.locator('.banner').innerText(), /^All free messages are used\./);
  });

  it('shows the last notice alone, with its action, until it is dismissed', async () => {
    await view.tell(surroundings(), conversation([]));
    const notice = { type: 'notice' as const, level: 'info' as const, text: 'Nothing is selected.' };
    await view.tell(notice, notice);
    assert.deepEqual(await view.page.locator('.notice').allInnerTexts(), ['Nothing is selected.']);
    assert.equal(await view.page.locator('.notice.error').count(), 0, 'a note is no failure');
    const action = { label: 'Settings', command: 'openSettings' as const };
    await view.tell({ ...notice, level: 'error', text: 'Not read.', action });
    assert.equal(await view.page.locator('.notice').count(), 1);
    assert.equal(await view.page.locator('.notice.error').count(), 1);
    await view.page.locator('.notice').getByRole('button', { name: 'Settings' }).click();
    assert.equal((await view.until('command')).command, 'openSettings');
    await view.tell(notice);
    await view.page.locator('.notice').getByRole('button', { name: 'Dismiss' }).click();
    assert.equal(await view.page.locator('.notice').count(), 0);
  });

  it('shows what the operator tells everybody, as text, until it is over or dismissed', async () => {
    const told = [
      { id: 'operator:1', text: 'Answers are slow. <img src=x onerror=hit()>' },
      { id: 'operator:2', text: 'No answers on Sunday.' },
    ];
    await view.tell(surroundings({ told }), conversation([]));
    const lines = () => view.page.locator('.notice').allInnerTexts();
    assert.deepEqual(
      await lines(),
      told.map(({ text }) => text),
    );
    assert.equal(await view.page.locator('.notice img').count(), 0);
    await view.page.locator('.notice').last().getByRole('button', { name: 'Dismiss' }).click();
    assert.deepEqual(await lines(), [told[0]!.text]);
    await view.tell(surroundings({ told, contextTokens: 7 }));
    assert.deepEqual(await lines(), [told[0]!.text], 'stays dismissed');
    await view.tell(surroundings());
    assert.deepEqual(await lines(), []);
  });

  it('stands what the host says in any order', async () => {
    const reply = running();
    await view.tell(
      { type: 'text', messageId: reply.id, text: 'Early', at: 0 },
      changed([]),
      { type: 'mentions', requestId: 'x', items: [] },
      { type: 'sent', requestId: 'x' },
      { type: 'earlier', messages: [], before: null },
      historyPage([]),
      conversation([user('Go'), reply]),
      surroundings(),
    );
    assert.equal(await view.page.locator('.answer .markdown').innerText(), 'Early');
  });
});

describe('chat view: for everybody', () => {
  let harness: Harness;
  const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
  const asked = user('Why does averyveryverylongidentifierthatnobodycanbreakbutwemust fail?', {
    attachments: [
      { id: 'a', kind: 'file', path: `src/${'deep/'.repeat(9)}a-very-long-file-name-indeed.ts`, characters: 5 },
    ],
  });
  const failed = broken({
    text: 'Half',
    state: 'failed',
    reason: 'upstream_failed',
    problem: problem('upstream_failed'),
  });
  const chips = [{ id: 'c', kind: 'file' as const, label: 'a-very-long-file-name-that-goes-on.ts', tokens: 90_000 }];
  const scenes: Record<string, (view: View) => Promise<unknown>> = {
    empty: (view) => view.tell(surroundings(guest(7)), conversation([])),
    conversation: (view) =>
      view.tell(surroundings({ chips }), conversation([asked, answer(longAnswer(300)), user('x'), failed])),
    answering: (view) => {
      const there = running({ text: 'One', device: 'desktop' });
      return view.tell(surroundings(), conversation([asked, there], { elsewhere: [there.runId!] }));
    },
    offline: (view) =>
      view.tell(
        surroundings({ connection: { state: 'offline', detail: `http://${'x'.repeat(60)}:8787` } }),
        conversation([asked]),
      ),
    changes: async (view) => {
      const block = '<<<<<<< SEARCH\nconst a = 1; // one\n=======\nconst a = "two"; // two\n>>>>>>> REPLACE';
      const moved = '*** Begin Patch\n*** Delete File: a-long-name-of-a-file.ts\n*** Add File: b.ts\n+b\n*** End Patch';
      const text = `src/a-rather-long-name-of-a-file.ts\n\`\`\`ts\n${block}\n\`\`\`\n\n${moved}\n`;
      const reply = answer(text, { kind: 'edit' });
      await view.tell(surroundings(), conversation([asked, reply]));
      await view.page.getByRole('button', { name: /^Apply: a-/ }).click();
      const { block: id } = await view.until('apply');
      const file = { path: 'src/a-rather-long-name-of-a-file.ts', change: 'updated' as const, added: 1, removed: 1 };
      await view.tell({
        type: 'changes',
        value: {
          [reply.id]: {
            blocks: { [id]: { state: 'refused', why: `There is no ${'long'.repeat(20)} in it.` } },
            all: { state: 'review' },
            checkpoints: [
              { id: reply.id, at: ago(0), files: [{ ...file, isTakenBack: false }] },
              { id: asked.id, at: ago(9e7), files: [{ ...file, isTakenBack: true }] },
            ],
          },
        },
      });
    },
    history: async (view) => {
      await view.tell(surroundings(), conversation([asked]));
      await view.page.getByRole('button', { name: 'History' }).click();
      await view.tell(historyPage([row('One with quite a long title to be cut', ago(0)), row('Two', ago(9e7))]));
      await view.page.keyboard.press('ArrowDown');
    },
    menu: async (view) => {
      await view.tell(surroundings(), conversation([asked]));
      await view.page.getByRole('button', { name: /^Model/ }).click();
    },
    editing: async (view) => {
      await view.tell(surroundings(), conversation([asked]));
      await view.page.keyboard.press('ArrowUp');
    },
    refused: async (view) => {
      await view.tell(surroundings({ chips }), conversation([asked]));
      await view.page.keyboard.type('x');
      await view.page.keyboard.press('Enter');
      const { requestId } = await view.until('send');
      const drop = [{ what: 'Earlier messages', tokens: 91_000 }];
      await view.tell({
        type: 'notSent',
        requestId,
        problem: problem('context_too_long', { limitTokens: 128_000, drop }),
      });
    },
  };

  before(async function () {
    this.timeout(180_000);
    harness = await sharedHarness();
  });

  for (const [name, set] of Object.entries(scenes)) {
    for (const theme of ['light', 'dark', 'contrast'] as Theme[]) {
      it(`has no serious barrier: ${name}, ${theme}`, async () => {
        const view = await harness.open({ theme, reducedMotion: true });
        await set(view);
        await view.page.evaluate(await readFile(axe, 'utf8'));
        const found = (await view.page.evaluate(
          `axe.run().then((r) => r.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')
            .map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 150) + ' ' + n.failureSummary).join('; ')))`,
        )) as string[];
        await view.close();
        assert.deepEqual(found, []);
      });
    }
    it(`fits into 260 pixels: ${name}`, async () => {
      const view = await harness.open({ width: 260, height: 560 });
      await set(view);
      const wide = await view.page.evaluate(
        `[document.documentElement.scrollWidth - innerWidth, document.querySelector('.transcript').scrollWidth - document.querySelector('.transcript').clientWidth]`,
      );
      const overflow = await view.page.evaluate('fake.overflow()');
      await view.close();
      assert.deepEqual({ wide, overflow }, { wide: [0, 0], overflow: [] });
    });
  }

  it('keeps lines of answers readable in a wide tab: 80 characters at most', async () => {
    const view = await harness.open({ width: 1600, height: 700 });
    await view.tell(surroundings(), conversation([asked, answer('word '.repeat(200))]));
    const characters = (await view.page.evaluate(`(() => {
      const box = document.querySelector('.answer p');
      const probe = document.createElement('span');
      probe.textContent = '0'.repeat(80);
      probe.className = 'probe';
      box.append(probe);
      return box.getBoundingClientRect().width / (probe.getBoundingClientRect().width / 80);
    })()`)) as number;
    await view.close();
    assert.ok(characters <= 81, `${characters}`);
  });

  it('stands still with reduced motion, and keeps its edges with forced colours', async () => {
    const view = await harness.open({ reducedMotion: true, forcedColors: true });
    await view.tell(surroundings(), conversation([asked, running()]));
    const spinning = await view.page.locator('.answering .codicon').evaluate((e) => getComputedStyle(e).animationName);
    const edge = await view.page.locator('.composer').evaluate((e) => getComputedStyle(e).borderTopWidth);
    await view.close();
    assert.deepEqual({ spinning, edge }, { spinning: 'none', edge: '1px' });
  });
});
