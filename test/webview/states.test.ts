import assert from 'node:assert/strict';
import type { Message } from '../../shared/conversations.ts';
import {
  ago,
  answer,
  broken,
  changed,
  conversation,
  guest,
  historyPage,
  member,
  problem,
  running,
  surroundings,
  user,
} from './samples.ts';
import { eachView } from './shared.ts';
import type { View } from './view.ts';

describe('chat view: states and what they say', () => {
  let view: View;
  const footer = () => view.page.locator('.answer footer .cost').innerText();
  const box = () => view.page.locator('.answer .box').innerText();
  eachView((opened) => {
    view = opened;
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
      assert.deepEqual(await view.page.locator('.answer .box .ways button').allInnerTexts(), ways);
      await view.page.locator('.answer .box').getByRole('button', { name: 'Try again' }).click();
      assert.equal((await view.until('regenerate')).messageId, message.id);
      if (!ways.includes('Continue')) return;
      await view.page.locator('.answer .box').getByRole('button', { name: 'Continue' }).click();
      assert.equal((await view.until('continue')).runId, message.runId);
    });
  }

  it('names the request that brought no answer, to be copied, and leads a member to what became of it', async () => {
    const failure = problem('upstream_failed');
    const failed = broken({ state: 'failed', reason: 'upstream_failed', problem: failure });
    await view.tell(surroundings(), conversation([user('Go'), failed]));
    const line = view.page.locator('.answer .request');
    assert.match(await line.innerText(), new RegExp(`^Request ${failure.requestId.slice(0, 13)}\\s*·\\s*Details$`));
    await line.getByRole('button', { name: 'Copy request id' }).click();
    assert.equal((await view.until('copy')).text, failure.requestId);
    await line.getByRole('button', { name: 'Details' }).click();
    assert.equal((await view.until('openRequest')).id, failure.requestId);
    const lost = broken({ state: 'interrupted', reason: 'interrupted' });
    await view.tell(surroundings(guest(7)), conversation([user('Go'), lost]));
    assert.equal(await line.innerText(), `Request ${lost.runId!.slice(0, 13)}`, 'a guest has no account page');
    await view.tell(surroundings(), conversation([user('Go'), answer('Half', { state: 'stopped' })]));
    assert.ok(await view.page.locator('.answer .box').isVisible());
    assert.equal(await line.count(), 0);
  });

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
    assert.deepEqual(await view.page.locator('.answer .box .ways button').allInnerTexts(), []);
    assert.match(await view.page.locator('.answer').last().innerText(), /^Continued/);
  });

  it('regenerates and copies an answer', async () => {
    const reply = answer('Yes **indeed**');
    await view.tell(surroundings(), conversation([user('Go'), reply]));
    await view.page.getByRole('button', { name: 'Regenerate' }).click();
    assert.equal((await view.until('regenerate')).messageId, reply.id);
    await view.page.locator('.answer').getByRole('button', { name: 'Copy as Markdown' }).click();
    assert.equal((await view.until('copy')).text, 'Yes **indeed**');
    assert.ok(await view.page.locator('.answer').getByRole('button', { name: 'Copied' }).isVisible());
  });

  const suspended = { since: ago(24 * 3_600_000), why: 'Resold through a relay', until: null };
  const closing = { since: '2026-11-25T10:00:00Z', goneAt: '2026-12-02T10:00:00Z' };
  const STANDING: [what: string, account: object, text: RegExp, way: string, command: string][] = [
    [
      'is suspended',
      { suspended },
      /^This account is suspended until further notice\. Resold through a relay\./,
      'How to appeal',
      'openDecisions',
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
