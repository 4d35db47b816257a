// Pictures of every state of the chat view, to look at: `npx tsx test/webview/pictures.ts [name parts, with commas] [size part]` → out/webview/.
import { mkdir } from 'node:fs/promises';
import type { AnswerChanges, FromHost } from '../../extension/chat/protocol.ts';
import {
  ago,
  answer,
  changed,
  conversation,
  DAY,
  guest,
  HOUR,
  historyPage,
  longAnswer,
  MINUTE,
  member,
  nearlyOut,
  pricedModels,
  problem,
  row,
  running,
  surroundings,
  user,
} from './samples.ts';
import { Harness, type OpenOptions, type View } from './view.ts';

const RETRY = `The \`catch\` returns at once, so the loop never runs again. Wait between tries, and give up only after the last one:

\`\`\`ts src/client.ts
for (let i = 0; ; i++) {
  try { return await send(req) }
  catch (e) {
    if (i === tries) throw e
    await wait(2 ** i * baseMs)
  }
}
\`\`\``;

const WRITINGS = `تعيد الدالة \`fetchOrder\` المحاولة **ثلاث مرات** (انظر \`src/client.ts:12\`):

1. ترسل الطلب.
2. \`catch\` تنتظر \`2 ** i\` ثانية.
   - عنصر داخلي
3. English in between.

> ملاحظة: هذا اقتباس.

| الاسم | القيمة |
|---|---|
| tries | 3 |
| مهلة | \`baseMs\` |

\`\`\`ts src/client.ts
for (let i = 0; ; i++) await send(req);
\`\`\`

שלום world, וזה הכול.`;
const CHINESE = `**注意：**这是重点，大约3~5天，价格100~200元。请使用**\`npm ci\`**安装，见 https://example.com/guide，详见下文。

「**重要**」は[文書](https://example.com)です[^1]。In README.md and \`src/client.ts:12\`.

[^1]: 脚注の**内容**。`;
const MATH = `With \\(n\\) tries and a base of \\(b\\) ms it waits

\\[
T(n) = \\sum_{i=0}^{n-1} 2^i b = (2^n - 1)\\, b
\\]

at most; for $n = 5$ that is \\(31b\\). It costs $5 or $6. In general

$$
\\begin{aligned}
f(x) &= \\begin{cases} \\frac{1}{x} & x > 0 \\\\ 0 & \\text{otherwise} \\end{cases} \\\\
\\hat{\\beta} &= (X^\\top X)^{-1} X^\\top y, \\quad \\lVert x \\rVert_2 = \\sqrt{\\textstyle\\sum_i x_i^2}
\\end{aligned}
$$

- In a list: \\(O(n \\log n)\\), \\(\\binom{n}{k}\\), \\(\\mathbb{R}^{m \\times n}\\), \\(\\vec{v} \\cdot \\overline{w}\\)
- A matrix: \\(A = \\begin{bmatrix} a_{11} & a_{12} \\\\ a_{21} & a_{22} \\end{bmatrix}\\)

What can't be drawn stays as it is: \\(\\notacommand{x}\\), and \\( this never ends.`;

const asked = user('Why does this give up after one failure? Make it retry.', {
  attachments: [
    { id: 'a1', kind: 'selection', path: 'src/client.ts', range: { start: 11, end: 39 }, characters: 900 },
    { id: 'a2', kind: 'problems', path: 'src/client.ts', characters: 120 },
  ],
});
const failed = (part: object = {}) =>
  answer('First, the timeout belongs', {
    state: 'failed',
    chargedMicro: 0,
    reason: 'upstream_failed',
    problem: problem('upstream_failed'),
    usage: undefined,
    ...part,
  });
const chips = [
  { id: 'c1', kind: 'file' as const, label: 'client.ts', path: 'src/client.ts', tokens: 1800 },
  { id: 'c2', kind: 'selection' as const, label: 'orders.ts:120–260', path: 'src/orders.ts', tokens: 2400 },
];
const selected = {
  ...{ id: 'implicit c3', kind: 'selection' as const, label: 'client.ts:12–40', path: 'src/client.ts' },
  ...{ range: { start: 11, end: 39 }, tokens: 412, lines: 29, implicit: 'selection' as 'selection' | 'visible' },
};
const rows = [
  row('Migration of the orders table', ago(MINUTE), { running: { runId: crypto.randomUUID(), device: 'desktop' } }),
  row('Retry with backoff', ago(12 * MINUTE)),
  row('Rename the fetch helpers', ago(2 * HOUR), { kind: 'edit' }),
  row("Explain the parser's error recovery", ago(DAY)),
  row('Flaky test in CI', ago(DAY + 2 * HOUR)),
  row('A very long title that goes on and on about everything in the repository', ago(3 * DAY)),
  row('Sort out the build', ago(40 * DAY)),
];

const EDITS = `Two places wait for nothing now.

src/client.ts
\`\`\`typescript
<<<<<<< SEARCH
async function fetchOrder(id: string) {
  for (let i = 0; i < tries; i++) {
    return send(req(id)); // gives up after the first failure
  }
}
=======
async function fetchOrder(id: string) {
  for (let i = 0; ; i++) {
    try {
      return await send(req(id));
    } catch (error) {
      if (i === tries) throw error;
      await wait(2 ** i * baseMs);
    }
  }
}
>>>>>>> REPLACE
\`\`\`

And what is no longer used goes:

\`\`\`
*** Begin Patch
*** Update File: src/orders/index.ts
@@ export function orders() {
-  return old();
+  return fetchOrder();
*** Add File: src/wait.ts
+export const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
*** Delete File: src/old.ts
*** Update File: src/util.ts
*** Move to: src/text/util.ts
*** End Patch
\`\`\`

Then run it:

\`\`\`sh
npm test
\`\`\``;
const proposed = answer(EDITS);
const changes = (part: Partial<AnswerChanges>): FromHost => ({
  type: 'changes',
  value: { [proposed.id]: { blocks: {}, checkpoints: [], ...part } },
});
const file = (path: string, part: object = {}) => ({
  ...{ path, change: 'updated' as const, added: 9, removed: 2, isTakenBack: false },
  ...part,
});
/** What the view called the first block when it asked to apply it. */
async function apply(view: View): Promise<string> {
  await view.page
    .getByRole('button', { name: /^Apply: / })
    .first()
    .click();
  return (await view.until('apply')).block;
}

interface State {
  messages: FromHost[];
  act?: (view: View) => Promise<void>;
}

async function refused(view: View, text: string, ...args: Parameters<typeof problem>): Promise<void> {
  await view.composer.fill(text);
  await view.page.keyboard.press('Enter');
  const { requestId } = await view.until('send');
  await view.tell({ type: 'notSent', requestId, problem: problem(...args) });
}

const state: Record<string, State> = {
  empty: { messages: [surroundings(guest(7)), conversation([])] },
  answered: {
    messages: [
      surroundings({ chips: chips.slice(0, 1) }),
      conversation([asked, answer(RETRY), user('And the timeout?'), failed()]),
    ],
  },
  implicit: {
    messages: [
      surroundings({ chips: [...chips.slice(0, 1), selected] }),
      conversation([
        user('Where does it try again?', {
          attachments: [
            {
              ...{ id: 'a1', kind: 'selection', visible: true, path: 'src/client.ts', characters: 900 },
              range: { start: 0, end: 44 },
            },
            { id: 'a2', kind: 'selection', path: 'src/orders.ts', range: { start: 119, end: 259 }, characters: 9000 },
          ],
        }),
        answer(RETRY),
      ]),
    ],
  },
  implicitVisible: {
    messages: [
      surroundings({
        chips: [{ ...selected, label: 'client.ts, visible part', implicit: 'visible', tokens: 1204, lines: 45 }],
      }),
      conversation([]),
    ],
  },
  implicitOut: {
    messages: [
      surroundings({ chips: chips.slice(0, 1), leftOut: { label: 'client.ts, visible part' } }),
      conversation([]),
    ],
  },
  implicitTooLarge: {
    messages: [
      surroundings({ leftOut: { label: 'a-long-name-of-a-file.generated.json:1–52000', why: 'It is too large.' } }),
      conversation([]),
    ],
  },
  markdown: { messages: [surroundings(), conversation([user('Everything, please.'), answer(longAnswer(500))])] },
  writings: {
    messages: [
      surroundings(),
      conversation([user('اشرح الدالة `fetchOrder` من فضلك.'), answer(WRITINGS), user('为什么？'), answer(CHINESE)], {
        title: 'شرح الدالة fetchOrder',
      }),
      { type: 'files', asked: ['src/client.ts', 'README.md'], found: ['src/client.ts', 'README.md'] },
    ],
    act: async (view) => {
      await view.composer.fill('كيف أختبر ذلك؟');
    },
  },
  math: {
    messages: [surroundings(), conversation([user('How long does it take?'), answer(MATH)])],
    act: async (view) => {
      await view.page.waitForSelector('math');
    },
  },
  answering: {
    messages: [
      surroundings({ chips }),
      conversation([asked, running({ id: '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b77' })]),
      { type: 'text', messageId: '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b77', text: RETRY.slice(0, 230), at: 0 },
    ],
  },
  answeringShort: {
    messages: [surroundings(), conversation([asked, running({ text: RETRY.slice(0, 110), clampedTo: 812 })])],
  },
  unpinned: {
    messages: [surroundings(), conversation([asked, answer(longAnswer(900))])],
    act: async (view) => {
      await view.page.mouse.move(150, 300);
      await view.page.mouse.wheel(0, -500);
      await view.page.getByRole('button', { name: 'Latest' }).waitFor();
    },
  },
  broken: {
    messages: [
      surroundings(),
      conversation([
        user('One'),
        answer('So far so good', { state: 'interrupted', chargedMicro: 0, reason: 'interrupted', usage: undefined }),
        user('Two'),
        answer('As far as it came', { state: 'stopped', chargedMicro: 130_000 }),
        user('Three'),
        answer('', { state: 'failed', chargedMicro: 0, reason: 'upstream_failed', problem: problem('upstream_busy') }),
        user('Four'),
        answer('', { chargedMicro: 0, reason: 'empty_answer' }),
      ]),
    ],
  },
  elsewhere: {
    messages: (() => {
      const there = running({ device: 'desktop', text: 'Step one is done, now the' });
      return [surroundings(), conversation([asked, there], { elsewhere: [there.runId!] })];
    })(),
  },
  early: {
    messages: [],
    act: async (view) => {
      await view.page.keyboard.type('And the timeout?');
      await view.tell(
        surroundings({ chips }),
        conversation([asked, answer(RETRY)], { draft: 'Please also log each try' }),
      );
      await view.page.locator('.before').waitFor();
    },
  },
  hard: {
    messages: [
      surroundings(),
      conversation([
        user('Quote it'),
        answer(`First **bold**.\n\n${'>'.repeat(600)} deep\n\nLast: use <div>, \`<p>\` or H<sub>2</sub>O.`),
      ]),
    ],
  },
  offline: {
    messages: [
      surroundings({
        connection: {
          state: 'offline',
          detail: 'http://127.0.0.1:8787 does not answer (ECONNREFUSED). It is tried again by itself.',
        },
      }),
      conversation([asked, answer(RETRY)], { draft: 'What I typed before' }),
    ],
  },
  signedOut: {
    messages: [
      surroundings({
        connection: {
          state: 'signedOut',
          detail:
            'Your sign-in has ended. Sign in again: your conversations are on the server, and what you typed is kept.',
          isMember: true,
          isNew: false,
        },
        guests: true,
        account: null,
        balance: null,
      }),
      conversation([]),
    ],
  },
  signedOutNew: {
    messages: [
      surroundings({
        connection: { state: 'signedOut', detail: 'Open the chat to begin.', isMember: false, isNew: true },
        account: null,
        balance: null,
        signInCredits: 100,
        guests: false,
      }),
      conversation([]),
    ],
  },
  suspended: {
    messages: [
      surroundings(
        member({ suspended: { since: ago(DAY), why: 'Access was resold through a relay', until: ago(-3 * DAY) } }),
      ),
      conversation([asked, answer(RETRY)]),
    ],
  },
  closing: {
    messages: [
      surroundings(member({ closing: { since: ago(DAY), goneAt: ago(-6 * DAY) } })),
      conversation([asked, answer(RETRY)]),
    ],
  },
  terms: {
    messages: [surroundings(member({ termsDue: '2' })), conversation([asked, answer(RETRY)])],
  },
  guestSignIn: {
    messages: [surroundings({ ...guest(7), signInCredits: 100, guests: true }), conversation([asked, answer(RETRY)])],
  },
  outOfCredits: {
    messages: [surroundings(guest(0)), conversation([asked, answer(RETRY, { chargedMicro: 1_000_000 })])],
  },
  history: {
    messages: [surroundings(guest(7)), conversation([])],
    act: async (view) => {
      await view.page.getByRole('button', { name: 'History' }).click();
      await view.tell(historyPage(rows));
      await view.page.keyboard.press('ArrowDown');
      await view.page.keyboard.press('ArrowDown');
    },
  },
  historyDelete: {
    messages: [surroundings(), conversation([asked, answer(RETRY)])],
    act: async (view) => {
      await view.page.getByRole('button', { name: 'History' }).click();
      await view.tell(historyPage(rows));
      await view.page.getByRole('button', { name: 'Delete Flaky test in CI' }).click();
    },
  },
  historyFound: {
    messages: [surroundings(), conversation([asked, answer(RETRY)])],
    act: async (view) => {
      await view.page.getByRole('button', { name: 'History' }).click();
      await view.page.keyboard.type('retry');
      await view.until('history', 2);
      const passage = {
        before: '…so the loop never runs. ',
        match: 'Retry',
        after: ' after a moment, and give up only after the last of several tries; see…',
      };
      await view.tell(
        historyPage(
          [
            row('Retry with backoff', ago(12 * MINUTE), { passage }),
            row('When to retry at all', ago(DAY)),
            row('Errors of the client', ago(4 * DAY), { passage }),
          ],
          { search: 'retry' },
        ),
      );
    },
  },
  editing: {
    messages: [
      surroundings({ edited: { messageId: asked.id, chips: chips.slice(1) } }),
      conversation([asked, answer(RETRY)]),
    ],
    act: async (view) => view.page.keyboard.press('ArrowUp'),
  },
  editingAttach: {
    messages: [surroundings(), conversation([asked, answer(RETRY)])],
    act: async (view) => {
      await view.page.keyboard.press('ArrowUp');
      await view.page.locator('.editing').getByRole('button', { name: 'Attach', exact: true }).click();
    },
  },
  notSentOffline: {
    messages: [surroundings(), conversation([asked, answer(RETRY)])],
    act: async (view) => {
      await view.page.keyboard.type('And the timeout?');
      await view.page.keyboard.press('Enter');
      const { requestId } = await view.until('send');
      const detail = 'http://127.0.0.1:8787 cannot be reached: connection refused.';
      await view.tell(surroundings({ connection: { state: 'offline', detail } }), {
        type: 'notSent',
        requestId,
        problem: problem('unavailable', { status: 0, detail }),
      });
    },
  },
  lostConnection: {
    messages: (() => {
      const reply = running({ text: RETRY.slice(0, 110) });
      const end = {
        ...reply,
        state: 'interrupted',
        reason: 'interrupted',
        text: RETRY.slice(0, 60),
        chargedMicro: 0,
      } as const;
      const connection = {
        state: 'offline',
        detail: 'http://127.0.0.1:8787 does not answer (connection refused).',
      } as const;
      return [
        surroundings(),
        conversation([asked, reply]),
        changed([end]),
        changed([user('And now?'), running({ text: 'First of all' })]),
        surroundings({ connection }),
      ];
    })(),
  },
  retryAt: {
    messages: [
      surroundings(),
      conversation([
        asked,
        failed({ text: '', problem: problem('upstream_busy', { retryAt: ago(-40_000) }) }),
        user('And now?'),
        failed({ text: '', problem: problem('upstream_busy') }),
      ]),
    ],
  },
  nearlyOut: {
    messages: [surroundings(nearlyOut(412_000)), conversation([asked, answer('Yes.')], { draft: 'And the timeout?' })],
  },
  notEnough: {
    messages: [surroundings(nearlyOut(50_000)), conversation([asked, answer('Yes.')], { draft: 'And the timeout?' })],
  },
  modelPrices: {
    messages: [surroundings(pricedModels()), conversation([asked, answer(RETRY)])],
    act: async (view) => view.page.getByRole('button', { name: 'Model: kimi-k2' }).click(),
  },
  models: {
    messages: [surroundings(), conversation([asked, answer(RETRY)])],
    act: async (view) => view.page.getByRole('button', { name: 'Model: kimi-k2' }).click(),
  },
  attach: {
    messages: [surroundings(), conversation([])],
    act: async (view) => view.page.getByRole('button', { name: 'Attach', exact: true }).click(),
  },
  context: {
    messages: [surroundings({ contextTokens: 104_000, chips }), conversation([asked, answer(RETRY)])],
    act: async (view) => view.page.getByRole('button', { name: /^Context/ }).click(),
  },
  mentions: {
    messages: [surroundings(), conversation([asked, answer(RETRY)])],
    act: async (view) => {
      await view.composer.pressSequentially('Look at @cl');
      const { requestId } = await view.until('mentions', 3);
      await view.tell({
        type: 'mentions',
        requestId,
        items: [
          { id: '1', icon: 'file', label: 'client.ts', detail: 'src' },
          { id: '2', icon: 'file', label: 'client.test.ts', detail: 'a/rather/long/folder/for/a/narrow/side/bar/test' },
          { id: '3', icon: 'warning', label: 'Problems in client.ts' },
        ],
      });
      await view.page.keyboard.press('ArrowDown');
    },
  },
  more: {
    messages: [surroundings(guest(3)), conversation([asked, answer(RETRY)])],
    act: async (view) => view.page.getByRole('button', { name: 'More' }).click(),
  },
  refusedTooLong: {
    messages: [surroundings({ chips }), conversation([asked, answer(RETRY)])],
    act: (view) =>
      refused(view, 'All of it', 'context_too_long', {
        limitTokens: 128_000,
        drop: [
          { what: 'Earlier messages', tokens: 91_000 },
          { what: 'src/orders.ts', tokens: 2400 },
        ],
      }),
  },
  refusedBusy: {
    messages: [surroundings(), conversation([asked, answer(RETRY)])],
    act: (view) => refused(view, 'And now this', 'conversation_busy', { runId: crypto.randomUUID() }),
  },
  refusedLimit: {
    messages: [surroundings(), conversation([asked, answer(RETRY)])],
    act: (view) =>
      refused(view, 'Again', 'rate_limited', { detail: '30 requests a minute are allowed.', retryAt: ago(-40_000) }),
  },
  changes: { messages: [surroundings(), conversation([asked, proposed])] },
  changesStreaming: {
    messages: [
      surroundings(),
      conversation([asked, running({ id: '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b77' })]),
      { type: 'text', messageId: '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b77', text: EDITS.slice(0, 380), at: 0 },
    ],
  },
  changesHover: {
    messages: [surroundings(), conversation([asked, proposed])],
    act: (view) => view.page.locator('.code').nth(1).hover(),
  },
  changesRefused: {
    messages: [surroundings(), conversation([asked, proposed])],
    act: async (view) => {
      const block = await apply(view);
      const why =
        'client.ts has no such lines: "for (let i = 0; i < tries; i++) {". The nearest are at line 14: "for (let n = 0; n < tries; n++) {".';
      await view.tell(changes({ blocks: { [block]: { state: 'refused', why, file: 'client.ts' } } }));
    },
  },
  refusedCode: {
    messages: [surroundings(guest(7)), conversation([asked, answer(RETRY, { id: proposed.id })])],
    act: async (view) => {
      const block = await apply(view);
      const why = 'client.ts: Nothing in the file is like this code, so its place is not known.';
      await view.tell(changes({ blocks: { [block]: { state: 'refused', why, file: 'client.ts' } } }));
    },
  },
  changesReview: {
    messages: [surroundings(), conversation([asked, proposed])],
    act: async (view) => {
      const block = await apply(view);
      await view.tell(changes({ blocks: { [block]: { state: 'review' } }, all: { state: 'applying' } }));
    },
  },
  applyOthers: {
    messages: [surroundings(), conversation([asked, proposed])],
    act: async (view) => {
      const block = await apply(view);
      const row = (line: number, isTakenBack: boolean, age: number) => ({
        id: crypto.randomUUID(),
        at: ago(age),
        files: [file('src/client.ts', { line, isTakenBack })],
      });
      const checkpoints = [row(14, true, 4 * MINUTE), row(14, false, MINUTE), row(48, false, MINUTE)];
      await view.tell(changes({ blocks: { [block]: { state: 'applied', isPart: true } }, checkpoints }));
      await view.page.locator('.checkpoints').scrollIntoViewIfNeeded();
    },
  },
  checkpoints: {
    messages: [surroundings(), conversation([asked, answer(RETRY, { id: proposed.id })])],
    act: async (view) => {
      const block = await apply(view);
      await view.tell(
        changes({
          blocks: { [block]: { state: 'applied' } },
          checkpoints: [
            { id: crypto.randomUUID(), at: ago(2 * HOUR), files: [file('src/client.ts', { isTakenBack: true })] },
            {
              id: crypto.randomUUID(),
              at: ago(MINUTE),
              files: [file('src/client.ts'), file('src/wait.ts'), file('src/old.ts', { isTakenBack: true })],
            },
          ],
        }),
      );
    },
  },
  notices: {
    messages: [
      surroundings(),
      conversation([asked, answer(RETRY)]),
      {
        type: 'notice',
        level: 'error',
        text: 'The conversation could not be renamed.',
        action: { label: 'Retry', command: 'reconnect' },
      },
      { type: 'notice', level: 'info', text: 'Exported to retry-with-backoff.md.' },
      changed([]),
    ],
  },
};

const [names = '', ofSize = ''] = process.argv.slice(2);
const wanted = names.split(',');
const sizes: [string, OpenOptions][] = [
  ['170-dark', { width: 170, height: 640, theme: 'dark' }],
  ['260-dark', { width: 260, height: 640, theme: 'dark' }],
  ['300-light', { width: 300, height: 640, theme: 'light' }],
  ['380-light', { width: 380, height: 720, theme: 'light' }],
  ['380-dark', { width: 380, height: 720, theme: 'dark' }],
  ['380-contrast', { width: 380, height: 720, theme: 'contrast' }],
  ['900-light', { width: 900, height: 720, theme: 'light' }],
];
const harness = await Harness.start();
await mkdir('out/webview', { recursive: true });
for (const [name, { messages, act }] of Object.entries(state)) {
  if (!wanted.some((part) => name.includes(part))) continue;
  for (const [size, options] of sizes) {
    if (!size.includes(ofSize)) continue;
    const view = await harness.open(options);
    await view.tell(...messages);
    await act?.(view);
    await view.page.evaluate('document.fonts.ready');
    await view.page.screenshot({ path: `out/webview/${name}-${size}.png` });
    const problems = [
      ...view.errors,
      ...((await view.page.evaluate('[...fake.violations, ...fake.overflow()]')) as string[]),
    ];
    if (problems.length) console.log(name, size, problems);
    await view.close();
  }
}
await harness.stop();
