import type { AnswerChanges, FromHost } from '../../extension/chat/protocol.ts';
import { ago, answer, DAY, HOUR, MINUTE, problem, row, user } from './samples.ts';
import type { View } from './view.ts';

export const RETRY = `The \`catch\` returns at once, so the loop never runs again. Wait between tries, and give up only after the last one:

\`\`\`ts src/client.ts
for (let i = 0; ; i++) {
  try { return await send(req) }
  catch (e) {
    if (i === tries) throw e
    await wait(2 ** i * baseMs)
  }
}
\`\`\``;

export const THOUGHTS = `The user asks why the request is never retried. The \`catch\` in \`src/client.ts\` returns, so **nothing** runs again.

Options:

1. Put a loop around it:
   \`\`\`ts
   for (let i = 0; ; i++) await send(req)
   \`\`\`
2. Use the library that is there already. But it waits for ever when the server is gone, and the caller could not tell.

I should say how long to wait as well, and that the last failure has to reach the caller.`;

export const WRITINGS = `تعيد الدالة \`fetchOrder\` المحاولة **ثلاث مرات** (انظر \`src/client.ts:12\`):

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
export const CHINESE = `**注意：**这是重点，大约3~5天，价格100~200元。请使用**\`npm ci\`**安装，见 https://example.com/guide，详见下文。

「**重要**」は[文書](https://example.com)です[^1]。In README.md and \`src/client.ts:12\`.

[^1]: 脚注の**内容**。`;
export const MATH = `With \\(n\\) tries and a base of \\(b\\) ms it waits

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

export const asked = user('Why does this give up after one failure? Make it retry.', {
  attachments: [
    { id: 'a1', kind: 'selection', path: 'src/client.ts', range: { start: 11, end: 39 }, characters: 900 },
    { id: 'a2', kind: 'problems', path: 'src/client.ts', characters: 120 },
  ],
});
export const failed = (part: object = {}) =>
  answer('First, the timeout belongs', {
    state: 'failed',
    chargedMicro: 0,
    reason: 'upstream_failed',
    problem: problem('upstream_failed'),
    usage: undefined,
    ...part,
  });
export const chips = [
  { id: 'c1', kind: 'file' as const, label: 'client.ts', path: 'src/client.ts', tokens: 1800 },
  { id: 'c2', kind: 'selection' as const, label: 'orders.ts:120–260', path: 'src/orders.ts', tokens: 2400 },
];
export const selected = {
  ...{ id: 'implicit c3', kind: 'selection' as const, label: 'client.ts:12–40', path: 'src/client.ts' },
  ...{ range: { start: 11, end: 39 }, tokens: 412, lines: 29, implicit: 'selection' as 'selection' | 'visible' },
};
export const rows = [
  row('Migration of the orders table', ago(MINUTE), { running: { runId: crypto.randomUUID(), device: 'desktop' } }),
  row('Retry with backoff', ago(12 * MINUTE)),
  row('Rename the fetch helpers', ago(2 * HOUR), { kind: 'edit' }),
  row("Explain the parser's error recovery", ago(DAY)),
  row('Flaky test in CI', ago(DAY + 2 * HOUR)),
  row('A very long title that goes on and on about everything in the repository', ago(3 * DAY)),
  row('Sort out the build', ago(40 * DAY)),
];

export const EDITS = `Two places wait for nothing now.

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
export const proposed = answer(EDITS);
export const changes = (part: Partial<AnswerChanges>): FromHost => ({
  type: 'changes',
  value: { [proposed.id]: { blocks: {}, checkpoints: [], ...part } },
});
export const file = (path: string, part: object = {}) => ({
  ...{ path, change: 'updated' as const, added: 9, removed: 2, isTakenBack: false },
  ...part,
});
/** What the view called the first block when it asked to apply it. */
export async function apply(view: View): Promise<string> {
  await view.page
    .getByRole('button', { name: /^Apply: / })
    .first()
    .click();
  return (await view.until('apply')).block;
}

export interface State {
  messages: FromHost[];
  act?: (view: View) => Promise<void>;
}

export async function refused(view: View, text: string, ...args: Parameters<typeof problem>): Promise<void> {
  await view.composer.fill(text);
  await view.page.keyboard.press('Enter');
  const { requestId } = await view.until('send');
  await view.tell({ type: 'notSent', requestId, problem: problem(...args) });
}
