// Pictures of every state of the chat view, to look at: `npx tsx test/webview/pictures.ts [name parts, with commas] [size part]` → out/webview/.
import { mkdir } from 'node:fs/promises';
import { accountStates } from './pictureAccount.ts';
import { changeStates } from './pictureChanges.ts';
import { chatStates } from './pictureChat.ts';
import { Harness, type OpenOptions } from './view.ts';

const state = { ...chatStates, ...accountStates, ...changeStates };

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
