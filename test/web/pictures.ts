// `npx tsx test/web/pictures.ts [part of a name]`: pictures of the member's page, of each part and state, light and dark,
// from phone to wide, into out/web/. With `--docs` those that the docs show, into docs/.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { root } from '../editor/fetch.ts';
import { pictured, type State } from './pictureStates.ts';
import { Scene } from './scene.ts';

const args = process.argv.slice(2);
const isForDocs = args.includes('--docs');
const part = args.find((one) => !one.startsWith('--')) ?? '';
const out = join(root, isForDocs ? 'docs' : 'out/web');
/** The pictures of the docs, by state. */
const DOCS: Record<string, string> = { balance: 'account', 'desk-case': 'desk' };
const SIZES = isForDocs
  ? ([[1000, 680]] as const)
  : ([
      [320, 720],
      [760, 800],
      [1280, 800],
      [1600, 900],
    ] as const);

await mkdir(out, { recursive: true });
const scene = await Scene.start();
try {
  const states = await pictured(scene);
  const wanted = isForDocs
    ? states.filter(({ name }) => name in DOCS)
    : states.filter((one) => one.name.includes(part));
  for (const colorScheme of isForDocs ? (['dark'] as const) : (['dark', 'light'] as const))
    for (const [width, height] of SIZES)
      for (const state of wanted) {
        const deviceScaleFactor = isForDocs ? 2 : 1;
        const { page, context } = await scene.window({ colorScheme, viewport: { width, height }, deviceScaleFactor });
        await show(page, state);
        await page.evaluate('document.fonts.ready');
        const name = isForDocs ? `${DOCS[state.name]}-${colorScheme}` : `${state.name}-${colorScheme}-${width}`;
        const path = join(out, `${name}.png`);
        await page.screenshot({ path, fullPage: !isForDocs, animations: 'disabled', caret: 'hide' });
        console.log(path);
        await context.close();
      }
} finally {
  await scene.stop();
}

async function show(page: Page, { who, at, prepare, act }: State): Promise<void> {
  await prepare?.(page);
  if (who) await scene.enter(page, who);
  await page.goto('about:blank');
  await page.goto(`${scene.server.url}${at}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.getByText('Loading …').first().waitFor({ state: 'detached' });
  await act?.(page);
}
