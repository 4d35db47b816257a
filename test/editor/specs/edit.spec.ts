import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UpstreamDouble } from '../../doubles/upstream.ts';
import { root } from '../fetch.ts';
import { gone, none, once } from '../parts/deeds.ts';
import { atSharedDesk, type Desk } from '../sharedDesk.ts';
import type { Workbench } from '../workbench.ts';

/** Lines 12 to 25 of src/client.ts, rewritten in two places. */
const rewritten = `export async function fetchOrder(id: string, send: Send): Promise<Order> {
  for (let i = 0; i < tries; i++) {
    try {
      return await send(\`/orders/\${id}\`);
    } catch (error) {
      if (i === tries - 1) throw new Error(\`order \${id} not fetched\`, { cause: error });
      await new Promise((done) => setTimeout(done, waitMs(i)));
    }
  }
  throw new Error(\`order \${id} not fetched\`);
}

export function waitMs(attempt: number): number {
  return Math.min(2 ** attempt * baseMs, 10_000);
}`;
const pieces = ['```typescript\n', ...rewritten.split('\n').map((line) => `${line}\n`), '```\n'];

describe('Edit Selection in a real editor, by keyboard and mouse', () => {
  const out = join(root, 'out/edit');
  const desk = atSharedDesk({ width: 1100, height: 760 });
  let upstream: UpstreamDouble;
  let sample: Desk['sample'];
  let editor: Workbench;
  let original: string;

  before(async () => {
    await mkdir(out, { recursive: true });
    ({ upstream, sample, editor } = desk());
    original = await readFile(join(sample.folder, 'src/client.ts'), 'utf8');
  });
  beforeEach(async () => {
    upstream.reset();
    await editor.openFile('src/client.ts', 12);
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await picture(`failed ${this.currentTest.title}`.replace(/\W+/g, '-'));
    await editor.runCommand('Notifications: Clear All Notifications');
    await editor.runCommand('View: Revert and Close Editor');
    await writeFile(join(sample.folder, 'src/client.ts'), original);
  });

  const page = () => editor.page;
  const lens = (text: string | RegExp) => editor.parts.lenses(text);
  const picture = (name: string) =>
    page().screenshot({ path: join(out, `${name}.png`), animations: 'disabled', caret: 'hide' });
  const shows = (text: string) => editor.parts.shows(text);
  const hides = (text: string) => editor.parts.hides(text);
  /** The whole text of the document is `expected`: what is saved is compared, for the screen shows a part. */
  const saves = (expected: string) => editor.saves(join(sample.folder, 'src/client.ts'), expected);

  /** Selects lines 12 to 25 and asks for the edit, all by keyboard. */
  async function ask(request: string): Promise<void> {
    await editor.parts.selectLines(12, 25);
    const title = 'Edit lines 12–25 of client.ts';
    await editor.press('Alt+Shift+E', 'the question', page().getByText(title));
    await editor.parts.request(title, request);
  }

  const toggleTheme = (theme: 'vs' | 'vs-dark') =>
    editor.deeds.until({
      deed: 'toggle the theme',
      effect: `it is ${theme}`,
      shows: page().locator(`.monaco-workbench.${theme}`),
      act: () => editor.runCommand('Preferences: Toggle between Light/Dark Themes'),
      ...once,
    });
  const edited = () => original.replace(original.split('\n').slice(11, 25).join('\n'), rewritten);

  it('shows what is written while it comes, and reviews it by keys', async () => {
    const call = upstream.script({ pieces, gateAt: 8 });
    await ask('Wait between the tries');
    await lens('Perigee: writing…').waitFor();
    await shows('setTimeout(done');
    await picture('writing-dark');
    call.open();
    await lens('Perigee: hunk 1 of 2').waitFor();
    await lens('Perigee: hunk 2 of 2').waitFor();
    await picture('review-dark');
    await toggleTheme('vs');
    await picture('review-light');
    await toggleTheme('vs-dark');

    // The cursor is above: the first hunk is meant, then the next.
    await editor.parts.pressInEditor('Alt+Shift+Y', 'the first hunk is decided', none(lens('Perigee: hunk 1 of 2')));
    await editor.parts.pressInEditor('Alt+Shift+N', 'the second hunk is decided', none(lens('Perigee: hunk')));
    await hides('Math.min');
    await saves(edited().replace('Math.min(2 ** attempt * baseMs, 10_000)', '2 ** attempt * baseMs'));
  });

  it('reviews by mouse; what was removed is shown under it, and compared and decided beside; undo goes back through it', async () => {
    upstream.script({ pieces });
    await ask('Wait between the tries');
    await lens('Perigee: hunk 2 of 2').waitFor();
    const peek = page().locator('.peekview-widget .view-lines').filter({ hasText: 'if (i < tries) throw' });
    await editor.parts.clickLens('Show removed (1)', 'Perigee: hunk', 'what was removed', peek.first());
    await picture('removed-dark');
    await editor.press('Escape', 'the peek closes', none(peek));
    const compared = page().getByText('client.ts: before Perigee ↔ now');
    await editor.parts.clickLens('Compare', 'Perigee: hunk', 'the text before beside that of now', compared);
    await editor.parts.diff('original').filter({ hasText: 'if (i < tries) throw' }).waitFor();
    await picture('compared-dark');
    const isBack = editor.parts.diff().filter({ hasText: 'if (i < tries) throw' });
    await editor.parts.clickTitleAction('Reject Hunk', 'the hunk is rejected', isBack);
    await editor.runCommand('View: Close Editor');
    await lens('Perigee: hunk 2 of 2').waitFor();
    await editor.parts.decide('Reject', 'Perigee: hunk 2 of 2');
    await editor.parts.pressInEditor('Control+Z', 'the last hunk is reviewed again', lens('Perigee: hunk 2 of 2'));
    await editor.parts.pressInEditor('Control+Z', 'and the first', lens('Perigee: hunk 1 of 2'));
    await editor.parts.pressInEditor('Control+Z', 'the edit is undone', none(lens('Perigee: hunk')));
    await saves(original);
  });

  it('stops by Escape, restores the file, and keeps the request for another time', async () => {
    upstream.script({ pieces, gateAt: 8 });
    await ask('Wait between the tries, please');
    await shows('setTimeout(done');
    await lens('Perigee: writing…').waitFor();
    await editor.parts.pressInEditor('Escape', 'it stops writing', none(lens('Perigee: writing…')));
    await editor.notification('Stopped. Nothing was changed.');
    await picture('stopped-dark');
    await editor.hideNotifications();
    await editor.openFile('src/client.ts', 12);
    await saves(original);
    await editor.press('Alt+Shift+E', 'the request', editor.parts.picks('Wait between the tries, please'));
    await editor.closeList();
  });

  it('goes on below the lines by the button of the box, with what was typed, and comes back there by the key', async () => {
    const { parts } = editor;
    const box = page().locator('.quick-input-widget input').first();
    await parts.selectLines(12, 25);
    await editor.press('Alt+Shift+E', 'the question', page().getByText('Edit lines 12–25 of client.ts'));
    await box.pressSequentially('Wait between');
    const on = page().locator('.quick-input-widget').getByRole('button', { name: 'Write Several Lines' });
    await editor.click(on, 'the prompt has the keys', parts.promptFocus);
    await parts.promptText('Wait between').waitFor();
    upstream.script({ pieces });
    await parts.sendPrompt(lens('Perigee: hunk 1 of 2'));
    await parts.thread.getByText('2 hunks to review').waitFor();
    await parts.pressInEditor('Alt+Shift+E', 'the input has the keys again', parts.promptFocus);
    await parts.pressInEditor('Alt+Shift+Backspace', 'all is rejected', none(lens('Perigee: hunk')));
    await saves(original);
  });

  it('types nothing over the selection in a window that is still loading', async () => {
    const box = page().locator('.quick-input-widget input').first();
    await editor.parts.selectLines(12, 25);
    // This edition of the editor stores every few seconds which files are open.
    await editor.stored('src/client.ts', 'memento/workbench.parts.editor');
    await editor.reload({ isAwaited: false });
    await editor.parts.shows('fetchOrder');
    // Until the window knows the key, it means nothing.
    await editor.parts.pressInEditor('Alt+Shift+E', 'the request', box);
    await box.pressSequentially('Wait between the tries');
    await page()
      .getByText(/Edit lines? .* of client\.ts/)
      .first()
      .waitFor();
    await editor.closeList();
    await saves(original);
  });

  it('restores the file when the model service dies, says so, and tries again', async () => {
    const call = upstream.script({ pieces: pieces.slice(0, 8), end: 'destroy' });
    const again = upstream.script({ pieces });
    await ask('Wait between the tries');
    await call.ended;
    const told = await editor.notification('Not charged.');
    await picture('failed-dark');
    await shows('if (i < tries) throw');
    const retry = told.getByRole('button', { name: 'Retry' });
    await editor.click(retry, 'the message closes', gone(retry));
    await again.ended;
    await lens('Perigee: hunk 2 of 2').waitFor();
    await editor.runCommand('Perigee: Accept All Hunks');
    await editor.until('no hunk is left', none(lens('Perigee: hunk')));
    await saves(edited());
    await writeFile(join(sample.folder, 'src/client.ts'), original);
  });
});
