import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { detailsItems } from '../../extension/quota/details.ts';
import { quotaTooltip } from '../../extension/quota/tooltip.ts';
import type { Account, Balance } from '../../shared/account.ts';
import type { LogEntry } from '../../shared/credits.ts';
import { Client } from '../support/client.ts';
import { perigee, until } from './window.ts';

describe('the status bar', () => {
  it('moves within a second of a charge from another device', async () => {
    const { session, statusBar } = await perigee();
    const token = (await session.credential()).token!;
    await until(session.onDidChange, () => session.state.kind === 'ok');
    const before = Number(/(\d+) of/.exec(statusBar.text)?.[1]);
    const url = vscode.workspace.getConfiguration('perigee').get<string>('serverUrl', '');
    const other = new Client(url, token, session.account!.id, 'another device');
    await other.run(other.chat('Charge me'));
    const chargedAt = Date.now();
    await until(session.onDidChange, () => statusBar.text.includes(`${before - 1} of`));
    assert.ok(Date.now() - chargedAt < 1000, `it took ${Date.now() - chargedAt} ms`);
    assert.match(statusBar.accessibilityInformation?.label ?? '', /^Perigee: \d+ of \d+ messages left$/);
    assert.equal(statusBar.command, 'perigee.showQuota');
  });

  it('opens details with what is left, what was spent on today and the newest lines of the log', async () => {
    const pick = await vscode.commands.executeCommand<vscode.QuickPick<vscode.QuickPickItem>>('perigee.showQuota');
    const lines = pick.items.map(({ label }) => label);
    pick.hide();
    assert.match(lines[1] ?? '', /\d+ of \d+ messages left/);
    assert.ok(lines.includes('$(comment) Charge me'), lines.join('\n'));
    assert.ok(lines.some((line) => /−1 · /.test(line)));
    assert.ok(lines.some((line) => /\+\d+ · /.test(line)));
  });
});

const account: Account = {
  id: crypto.randomUUID(),
  kind: 'member',
  email: 'you@example.org',
  createdAt: '2026-11-01T00:00:00Z',
};
const balance: Balance = {
  availableMicro: 87_000_000,
  pendingMicro: 2_000_000,
  ofMicro: 100_000_000,
  promotionalMicro: 0,
  purchasedMicro: 250_000_000,
  windows: [
    {
      name: '5 hours',
      usedMicro: 31_000_000,
      limitMicro: 50_000_000,
      nextFreeAt: '2026-11-21T13:20:00Z',
      nextFreeMicro: 19_000_000,
      allFreeAt: '2026-11-21T14:00:00Z',
    },
  ],
};
const conversation = {
  id: crypto.randomUUID(),
  title: 'A $(bug) in [orders](http://x) | *all*',
  chargedMicro: 12_400_000,
  runs: 3,
};
const spending = { chargedMicro: 12_400_000, runs: 3, conversations: [conversation] };
const now = new Date('2026-11-21T10:00:00Z');

describe('what stands behind the meter', () => {
  it('says in the tooltip what each window used and when it frees up, and draws nothing out of a title', () => {
    const { value } = quotaTooltip({ account, balance, today: spending, now });
    assert.match(value, /89 of 100 credits left/);
    assert.match(value, /\*\*5 hours\*\* · 31 of 50 used/);
    assert.match(value, /19 free up at \d\d:\d\d \(UTC.*\), all of it at \d\d:\d\d/);
    assert.match(value, /250 credits, never expire/);
    assert.match(value, /Set aside for running answers \| 2 credits/);
    assert.doesNotMatch(value, /\]\(http/);
    assert.doesNotMatch(value, /(^|[^\\])\$\(bug\)/);
  });

  const BUY = '$(credit-card) Buy credits';
  const ways: [string, Account, Balance, boolean][] = [
    ['a member', account, balance, true],
    ['a guest', { ...account, kind: 'guest', email: undefined }, { ...balance, guestMessagesLeft: 87 }, false],
    ['the user of a server that limits nothing', account, { ...balance, unlimited: true }, false],
  ];
  for (const [who, account, balance, isOffered] of ways) {
    it(`${isOffered ? 'offers' : 'does not offer'} credits to ${who}, in the tooltip and in the details`, () => {
      const tooltip = quotaTooltip({ account, balance, now });
      assert.equal(tooltip.value.includes('[Buy credits](command:perigee.buyCredits)'), isOffered);
      const trust = tooltip.isTrusted;
      assert.ok(typeof trust === 'object' && trust.enabledCommands.includes('perigee.buyCredits'));
      const items = detailsItems({ account, balance, spending, log: [], now }, () => {});
      assert.equal(items.find(({ label }) => label === BUY)?.run !== undefined, isOffered);
    });
  }

  it('leads on from what is used up', () => {
    const empty = { ...balance, availableMicro: 0, pendingMicro: 0 };
    const items = detailsItems({ account, balance: empty, spending, log: [], now }, () => {});
    assert.ok(items.find(({ detail }) => detail?.startsWith('Used up.'))?.run);
  });

  it('lists charges and what was not charged with the reason, and leads to the conversation', () => {
    const log: LogEntry[] = [
      {
        id: '1',
        kind: 'not_charged',
        amountMicro: 0,
        balanceMicro: null,
        reason: 'The model service failed. Not charged.',
        conversationId: conversation.id,
        at: '2026-11-21T09:00:00Z',
      },
    ];
    const opened: string[] = [];
    const items = detailsItems({ account, balance, spending, log, now }, (id) => opened.push(id));
    const labels = items.map(({ label }) => label);
    assert.ok(labels.includes('$(circle-slash) 0 · The model service failed. Not charged.'));
    assert.ok(labels.includes('$(history) 5 hours: 31 of 50 used'));
    assert.ok(!labels.some((label) => label.includes('$(bug)')));
    for (const item of items) item.run?.();
    assert.deepEqual(opened, [conversation.id, conversation.id]);
  });
});
