import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { Notices } from '../../extension/account/notices.ts';
import type { Offers } from '../../extension/account/offers.ts';
import type { Session } from '../../extension/account/session/session.ts';
import type { Backend } from '../../extension/backend.ts';
import { detailsItems, showQuota } from '../../extension/quota/details.ts';
import { LowCredit } from '../../extension/quota/lowCredit.ts';
import { quotaTooltip } from '../../extension/quota/tooltip.ts';
import type { Account, Balance } from '../../shared/account.ts';
import type { LogEntry } from '../../shared/credits.ts';
import { Client } from '../support/client.ts';
import { perigee, until } from './window.ts';

describe('the status bar', () => {
  it('moves as soon as another device was charged', async () => {
    const { session, statusBar } = await perigee();
    const token = (await session.credential()).token!;
    await until(session.onDidChange, () => session.state.kind === 'ok');
    const before = Number(/(\d+) of/.exec(statusBar.text)?.[1]);
    const url = vscode.workspace.getConfiguration('perigee').get<string>('serverUrl', '');
    const other = new Client(url, token, session.account!.id, 'another device');
    await other.run(other.chat('Charge me'));
    await until(session.onDidChange, () => statusBar.text.includes(`${before - 1} of`));
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
  });
});

const account: Account = {
  id: crypto.randomUUID(),
  kind: 'member',
  email: 'you@example.org',
  createdAt: '2026-11-01T00:00:00Z',
};
const guest: Account = { ...account, kind: 'guest', email: undefined };
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
const spending = { chargedMicro: 12_400_000, runs: 3, conversations: [conversation], keys: [] };
const now = new Date('2026-11-21T10:00:00Z');

describe('what stands behind the meter', () => {
  it('says in the tooltip what each window used and when it frees up, and draws nothing out of a title', () => {
    const { value } = quotaTooltip({ account, balance, today: spending, now });
    assert.match(value, /89 of 100 credits left/);
    assert.match(value, /\*\*5 hours\*\* · 19 of 50 left/);
    assert.match(value, /19 free up at \d\d:\d\d \(UTC.*\), all of it at \d\d:\d\d/);
    assert.match(value, /250 credits, never expire/);
    assert.match(value, /Set aside for running answers \| 2 credits/);
    assert.doesNotMatch(value, /\]\(http/);
    // Not even where the brackets are escaped: the editor draws those, too.
    assert.doesNotMatch(value, /\$\\?\(bug/);
  });

  const empty = { ...balance, availableMicro: 0, pendingMicro: 0 };
  const usedUp: [string, Account, Balance, boolean, leadsOn: boolean][] = [
    ['a member where credits are sold', account, empty, true, true],
    ['a member where nothing is sold', account, empty, false, false],
    ['a guest', guest, { ...empty, guestMessagesLeft: 0 }, false, true],
  ];
  for (const [who, account, balance, sold, leadsOn] of usedUp) {
    it(`${leadsOn ? 'leads on' : 'leads nowhere'} from "used up" for ${who}`, () => {
      const items = detailsItems({ account, balance, spending, log: [], sold, now }, () => {});
      const line = items.find(({ detail }) => detail?.startsWith('Used up'));
      const isGuest = account.kind === 'guest';
      assert.match(line?.detail ?? '', isGuest ? /Sign in/ : /for now: see below when more is free/);
      assert.equal(line?.run !== undefined, leadsOn, line?.detail);
    });
  }

  it('keeps in sight what a conversation with a long title cost', () => {
    const long = { ...conversation, title: 'Why does it give up '.repeat(5) };
    const spent = { ...spending, conversations: [conversation, long] };
    const items = detailsItems({ account, balance, spending: spent, log: [], sold: false, now }, () => {});
    const [short, other] = items.filter(({ label }) => label.startsWith('$(comment)'));
    assert.equal(short?.description, '12.4 credits · 3 answers');
    assert.equal(other?.detail, '12.4 credits · 3 answers');
  });

  it('adds up to what was spent today: conversations, the keys of tools, and what is in no list', () => {
    const key = { id: crypto.randomUUID(), name: '$(bug) laptop', chargedMicro: 3_000_000, runs: 1 };
    const all = { chargedMicro: 17_400_000, runs: 6, conversations: [conversation], keys: [key] };
    const spent = (spending: typeof all) => {
      const items = detailsItems({ account, balance, spending, log: [], sold: false, now }, () => {});
      const from = items.findIndex(({ label }) => label.startsWith('Spent today'));
      const rows = items.slice(
        from + 1,
        items.findIndex(({ label }) => label === 'Account'),
      );
      return [items[from]!.label, ...rows.map(({ label, description }) => `${label} | ${description}`)];
    };
    assert.deepEqual(spent(all), [
      'Spent today: 17.4 credits',
      '$(comment) A $\u200b(bug) in [orders](http://x) | *all* | 12.4 credits · 3 answers',
      '$(key) $\u200b(bug) laptop | 3 credits · 1 call',
      '$(ellipsis) Everything else | 2 credits · such as in deleted conversations',
    ]);
    assert.equal(spent({ ...all, chargedMicro: 15_400_000, runs: 4 }).length, 3, 'nothing else');
    assert.deepEqual(spent({ chargedMicro: 0, runs: 0, conversations: [], keys: [] }), [
      'Spent today: 0 credits',
      '$(check) Nothing yet | undefined',
    ]);
  });

  it('offers no credits where nothing is limited', () => {
    const unlimited: Balance = { ...balance, unlimited: true };
    const items = detailsItems({ account, balance: unlimited, spending, log: [], sold: true, now }, () => {});
    assert.ok(!items.some(({ label }) => label.includes('Buy credits')));
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
    const items = detailsItems({ account, balance, spending, log, sold: true, now }, (id) => opened.push(id));
    const labels = items.map(({ label }) => label);
    assert.ok(labels.includes('$(circle-slash) 0 · The model service failed. Not charged.'));
    assert.ok(labels.includes('$(history) 5 hours: 19 of 50 left'));
    assert.ok(!labels.some((label) => label.includes('$(bug)')));
    assert.ok(labels.includes('$(add) Buy credits') && labels.includes('$(list-unordered) Token log'));
    const here = items.filter(({ label }) => /^\$\((comment|circle-slash)\)/.test(label));
    for (const item of here) item.run?.();
    assert.deepEqual(opened, [conversation.id, conversation.id]);
  });
});

/** What the editor's window is asked to tell, in `body`; nobody chooses anything. */
async function toldIn(body: () => Promise<void>): Promise<{ text: string; ways: string[] }[]> {
  const told: { text: string; ways: string[] }[] = [];
  const window = vscode.window as { showWarningMessage: unknown; showInformationMessage: unknown };
  const { showWarningMessage, showInformationMessage } = window;
  const tell = async (text: string, ...ways: (string | vscode.MessageItem)[]) =>
    void told.push({ text, ways: ways.map((way) => (typeof way === 'string' ? way : way.title)) });
  Object.assign(window, { showWarningMessage: tell, showInformationMessage: tell });
  try {
    await body();
  } finally {
    Object.assign(window, { showWarningMessage, showInformationMessage });
  }
  return told;
}

function memory(): vscode.Memento {
  const values = new Map<string, unknown>();
  return {
    keys: () => [...values.keys()],
    get: <T>(key: string, fallback?: T) => (values.get(key) as T | undefined) ?? fallback,
    update: async (key: string, value: unknown) =>
      void (value === undefined ? values.delete(key) : values.set(key, value)),
  } as vscode.Memento;
}

/** An account with a plan at a server that sells, or does not; what is left can be changed. */
function planned(sold: boolean) {
  const session = {
    account,
    balance,
    state: { kind: 'ok' },
    onDidPass: () => ({ dispose() {} }),
    call: (use: (who: null) => unknown) => use(null),
  };
  const backend = {
    account: async () => ({ account, balance: session.balance, limits: {}, notices: [] }),
    spending: async () => spending,
    log: async () => ({ entries: [], before: null }),
    offers: async () => ({ sold }),
  };
  const offers = { load: async () => ({ providers: [], email: true }) };
  return {
    session,
    offers,
    deps: { session: session as unknown as Session, backend: backend as unknown as Backend },
    lowCredit: (kept: vscode.Memento) =>
      new LowCredit(session as unknown as Session, backend as unknown as Backend, offers as unknown as Offers, kept),
  };
}

describe('credits of a plan', () => {
  it('stand in the details with each window, what was purchased and a way to buy', async () => {
    const { session, deps } = planned(true);
    const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
    const windows = balance.windows.map((one) => ({ ...one, nextFreeAt: inHours(1), allFreeAt: inHours(2) }));
    session.balance = { ...balance, windows };
    const pick = await showQuota({ ...deps, openConversation: () => {} });
    const lines = pick.items.map(({ label, detail }) => `${label} | ${detail ?? ''}`);
    pick.hide();
    const shown = lines.join('\n');
    assert.match(shown, /5 hours: 19 of 50 left \| 31 of 50 used, 19 free up at .*, all of it at/);
    assert.match(shown, /250 credits purchased/);
    assert.match(shown, /Buy credits/);
    assert.match(shown, /Token log/);
    const unsold = await showQuota({ ...planned(false).deps, openConversation: () => {} });
    assert.ok(!unsold.items.some(({ label }) => label.includes('Buy credits')));
    unsold.hide();
  });

  it('warn exactly once over several messages, also after a reload, and again after they rose and fell', async () => {
    const { session, lowCredit } = planned(true);
    const kept = memory();
    const left = (credits: number) => {
      session.balance = { ...balance, availableMicro: credits * 1_000_000, pendingMicro: 0, windows: [] };
    };
    const told = await toldIn(async () => {
      const first = lowCredit(kept);
      for (const credits of [12, 9, 8, 7]) {
        left(credits);
        await Promise.all([first.look(), first.look()]);
      }
      const reloaded = lowCredit(kept);
      left(6);
      await reloaded.look();
    });
    assert.deepEqual(told, [{ text: 'Perigee: 9 of 100 credits left.', ways: ['Buy Credits', 'Details'] }]);
    const again = await toldIn(async () => {
      const third = lowCredit(kept);
      for (const credits of [90, 5, 4]) {
        left(credits);
        await third.look();
      }
    });
    assert.equal(again.length, 1);
  });
});

describe('the free messages of a guest', () => {
  it('warn once when few are left, with the way to sign in, also over a reload, and again once they rose', async () => {
    const { session, offers, lowCredit } = planned(false);
    session.account = guest;
    const kept = memory();
    const fall = (...messages: number[]) =>
      toldIn(async () => {
        const warning = lowCredit(kept);
        for (const left of messages) {
          const held = { availableMicro: left * 1_000_000, ofMicro: 10_000_000, guestMessagesLeft: left };
          session.balance = { ...balance, ...held, pendingMicro: 0, windows: [] };
          await Promise.all([warning.look(), warning.look()]);
        }
      });
    const words = 'Perigee: 2 of 10 free messages left.';
    assert.deepEqual(await fall(10, 3, 2, 3, 2, 1), [{ text: words, ways: ['Sign In', 'Details'] }]);
    assert.deepEqual(await fall(1, 0), []);
    offers.load = async () => ({ providers: [], email: false });
    assert.deepEqual(await fall(9, 2, 0), [{ text: words, ways: ['Details'] }]);
  });
});

describe('a notice of prices', () => {
  it('is told once, with a way to the account page', async () => {
    const kept = memory();
    const notice = {
      id: 'price-1',
      kind: 'price' as const,
      text: 'Prices change on 1 January.',
      at: now.toISOString(),
    };
    const told = await toldIn(async () => {
      await new Notices(kept).tell([notice]);
      await new Notices(kept).tell([notice]);
    });
    assert.deepEqual(told, [{ text: notice.text, ways: ['Open Account Page'] }]);
  });
});

describe('a notice of the operator', () => {
  const at = now.toISOString();
  const notice = (id: string, text: string) => ({ id: `operator:${id}`, kind: 'operator' as const, text, at });

  it('is told once, with nothing to do about it', async () => {
    const kept = memory();
    const told = await toldIn(async () => {
      for (const _ of [1, 2]) await new Notices(kept).tell([notice('1', 'Answers are slow.')]);
    });
    assert.deepEqual(told, [{ text: 'Answers are slow.', ways: [] }]);
  });

  it('makes no link that the editor would follow or run', async () => {
    const told = await toldIn(() =>
      new Notices(memory()).tell([
        notice('2', 'Slow. [Help](command:workbench.action.quit) [or](https://evil.example)'),
      ]),
    );
    assert.equal(told[0]!.text, 'Slow. [Help] (command:workbench.action.quit) [or] (https://evil.example)');
  });
});
