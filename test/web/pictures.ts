// `npx tsx test/web/pictures.ts`: pictures of the member's page, of each part, light and dark, from phone to wide, into
// out/web/. With `--docs` those of the README, into docs/.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../editor/fetch.ts';
import { somebody } from '../support/signInWorld.ts';
import { answer, fillLog, referralsOf } from './creditsScene.ts';
import { Scene } from './scene.ts';

const ANSWER = `The \`catch\` returns at once, so the loop never runs again. Wait between tries, and give up only after the last one:

\`\`\`ts
for (let i = 0; ; i++) {
  try { return await send(req) }
  catch (e) { if (i === tries) throw e }
  await wait(2 ** i * baseMs)
}
\`\`\`

| try | wait |
|---|---|
| 1 | 100 ms |
| 2 | 200 ms |
`;

const docs = process.argv.includes('--docs');
const out = join(root, docs ? 'docs' : 'out/web');
await mkdir(out, { recursive: true });
const scene = await Scene.start();
try {
  const member = await scene.member({ ...somebody(), email: 'you@example.org', name: 'You' });
  const ids: string[] = [];
  for (const title of [
    'Why does this give up after one failure? Make it retry.',
    'Migration of the orders table',
    'Flaky test in CI',
    'Explain the parser’s error recovery',
  ]) {
    scene.server.double.script({ text: ANSWER });
    const request = member.chat(title);
    ids.push(request.conversationId);
    await member.run(request);
  }
  await fillLog(scene, member);
  const subscriber = await scene.member({ ...somebody(), email: 'plus@example.org', name: 'Plus' });
  await scene.shop.buy(subscriber, { plan: 'plus', interval: 'month' });
  await scene.shop.buy(subscriber);
  for (const minutes of [0, 40, 75]) {
    scene.server.clock.advance(minutes * 60_000);
    for (let n = 0; n < 5; n++) await subscriber.run(subscriber.chat('Go on '.repeat(9_000)));
  }
  const newcomer = await scene.member(somebody());
  const parts = [
    'balance',
    'credits',
    'usage',
    'log',
    'referrals',
    'conversations',
    `conversations/${ids[0]}`,
    'devices',
    'profile',
    'data',
  ];
  const sizes = docs
    ? ([[1000, 680]] as const)
    : ([
        [320, 720],
        [900, 720],
        [1440, 900],
      ] as const);
  for (const colorScheme of ['dark', 'light'] as const)
    for (const [width, height] of sizes) {
      const { page, context } = await scene.window({
        colorScheme,
        viewport: { width, height },
        deviceScaleFactor: docs ? 2 : 1,
      });
      const take = async (name: string, of = page) => {
        await of.evaluate('document.fonts.ready');
        const path = join(out, docs ? `account-${colorScheme}.png` : `${name}-${colorScheme}-${width}.png`);
        await of.screenshot({ path, fullPage: !docs, animations: 'disabled', caret: 'hide' });
        console.log(path);
      };
      if (!docs) {
        await page.goto(`${scene.server.url}/account`);
        await page.getByRole('heading').waitFor();
        await take('signed-out');
        await page.goto('about:blank');
        await page.goto(await scene.address(member));
        await page.getByRole('button', { name: 'Open it' }).waitFor();
        await take('enter');
      }
      await page.goto('about:blank');
      await answer(page, '/api/referrals', referralsOf());
      await scene.enter(page, member);
      for (const part of docs ? parts.slice(0, 1) : parts) {
        await page.goto(`${scene.server.url}/account#${part}`);
        await page.getByText('Loading …').waitFor({ state: 'detached' });
        await take(part.replace(/\/.*/, '-one'));
      }
      if (!docs) {
        const { id } = await scene.shop.begin(member);
        await page.goto(`${scene.server.url}/account?checkout=${id}&payment=left#credits`);
        await page.getByRole('link', { name: 'Go on paying' }).waitFor();
        await take('left');
        await page.goto(`${scene.server.url}/account#log`);
        await page.getByLabel('To', { exact: true }).fill('2020-01-01');
        await page.getByRole('button', { name: 'Show all lines' }).waitFor();
        await take('log-none');
        await page.goto(`${scene.server.url}/account#data`);
        await page.getByRole('button', { name: 'Close the account' }).click();
        await page.getByRole('dialog').waitFor();
        await take('close');
        await page.getByRole('dialog').getByRole('button', { name: 'Close the account' }).click();
        await page.getByRole('button', { name: 'Keep the account' }).waitFor();
        await take('closing');
        await page.getByRole('button', { name: 'Keep the account' }).click();
        await page.getByRole('button', { name: 'Keep the account' }).waitFor({ state: 'detached' });
      }
      await context.close();
      if (docs) continue;
      for (const [name, who] of [
        ['plan', subscriber],
        ['new', newcomer],
      ] as const) {
        const other = await scene.window({ colorScheme, viewport: { width, height } });
        await answer(
          other.page,
          '/api/referrals',
          referralsOf({ joined: 0, earnedMicro: 0, referrals: [], invited: null }),
        );
        await scene.enter(other.page, who);
        for (const part of ['balance', 'credits', 'usage', 'log', 'referrals']) {
          await other.page.goto(`${scene.server.url}/account#${part}`);
          await other.page.getByText('Loading …').waitFor({ state: 'detached' });
          await take(`${name}-${part}`, other.page);
        }
        await other.context.close();
      }
    }
} finally {
  await scene.stop();
}
