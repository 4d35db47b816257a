import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UpstreamDouble } from '../../doubles/upstream.ts';
import { root } from '../fetch.ts';
import { none } from '../parts/deeds.ts';
import { between, hasty, inOne, inTime, inTwo, path, patient, pieces, tooEarly } from '../sampleEdit.ts';
import { atSharedDesk, type Desk } from '../sharedDesk.ts';
import type { Workbench } from '../workbench.ts';

const firstLine = (text: string) => text.split('\n')[0] ?? '';

describe('Edit File in a real editor, while somebody types', () => {
  const out = join(root, 'out/editFile');
  const desk = atSharedDesk({ width: 1100, height: 900 });
  let upstream: UpstreamDouble;
  let sample: Desk['sample'];
  let editor: Workbench;
  let original: string;

  before(async () => {
    await mkdir(out, { recursive: true });
    ({ upstream, sample, editor } = desk());
    original = await readFile(join(sample.folder, path), 'utf8');
  });
  beforeEach(async () => {
    upstream.reset();
    await editor.openFile(path, 1);
    // The name of what the cursor is in comes from the language service, and so does the formatter.
    await editor.page.locator('.breadcrumbs-control').getByText('Order', { exact: true }).waitFor();
  });
  afterEach(async () => {
    await editor.runCommand('Notifications: Clear All Notifications');
    await editor.runCommand('View: Revert and Close Editor');
    await writeFile(join(sample.folder, path), original);
  });

  const picture = (name: string) =>
    editor.page.screenshot({ path: join(out, `${name}.png`), animations: 'disabled', caret: 'hide' });
  const saves = (expected: string) => editor.saves(join(sample.folder, path), expected);
  const lensOf = (hunk: number, of = 3) => editor.parts.lenses(`hunk ${hunk} of ${of}`);

  it('shows the first hunk before the answer ends, and puts the others where their lines are by then', async () => {
    const { parts } = editor;
    const call = upstream.script({ pieces, gateAt: between });
    await editor.runCommand('Perigee: Edit File');
    await parts.request('Edit client.ts', 'Wait between the tries');
    await call.atGate;
    await parts.shows('if (i === tries - 1)');
    await parts.lenses('writing…').waitFor();

    // Above everything, inside a function between two hunks that are still to come, and below everything.
    await parts.typeAt(1, 1, '// Orders of the shop.\n');
    await parts.typeAt(26, 1, '  const   longest=10_000;\n');
    await parts.typeAt(200, 1, '\nexport const none: Order[] = [];\n');
    await picture('typed');
    await call.step();
    await parts.shows(firstLine(inTwo));
    await call.step();
    await lensOf(3).waitFor();
    const now = [patient, inTime, inTwo];
    for (const [i, lines] of now.entries()) {
      await parts.goTo([10, 20, 33][i] ?? 1);
      await parts.standAbove(lensOf(i + 1), firstLine(lines));
    }
    await picture('review');

    // Saved in the middle of the review: the formatter has its way with what was typed, and the hunks stay.
    const typed = `// Orders of the shop.\n${original}\nexport const none: Order[] = [];\n`;
    const kept = typed.replace(/(waitMs\(attempt.*\n)/, '$1  const longest = 10_000;\n').replace(hasty, patient);
    const written = kept.replace(tooEarly, inTime).replace(inOne, inTwo);
    await saves(written);
    await parts.goTo(10);
    await parts.standAbove(lensOf(2), firstLine(inTime));

    await parts.decide('✓ Accept', 'hunk 1 of 3');
    await parts.decide('✗ Reject', 'hunk 2 of 3');
    await parts.shows(tooEarly.trim());
    await parts.pressInEditor('Control+Z', 'the hunk is back', lensOf(2));
    await parts.standAbove(lensOf(2), firstLine(inTime));
    await parts.pressInEditor('Control+Shift+Z', 'the hunk is decided again', none(lensOf(2)));
    await parts.goTo(33);
    await parts.standAbove(lensOf(3), firstLine(inTwo));
    await editor.runCommand('Perigee: Accept All Hunks');
    await editor.until('no hunk is left', none(parts.lenses('Perigee: hunk')));
    await saves(kept.replace(inOne, inTwo));
  });

  it('leaves a change out whose line somebody wrote anew meanwhile, and says so', async () => {
    const { parts } = editor;
    const call = upstream.script({ pieces, gateAt: between });
    await editor.runCommand('Perigee: Edit File');
    await parts.request('Edit client.ts', 'Wait between the tries');
    await call.atGate;
    await parts.shows('if (i === tries - 1)');
    await parts.typeAt(9, 17, '0');
    call.open();
    const told = await editor.notification('1 change was not written');
    assert.match((await told.textContent()) ?? '', /Line 9 was changed while Perigee was writing/);
    await picture('stale');
    await editor.hideNotifications();
    await parts.standAbove(lensOf(1, 2), firstLine(inTime));
    await editor.runCommand('Perigee: Accept All Hunks');
    await editor.until('no hunk is left', none(parts.lenses('Perigee: hunk')));
    const edited = original.replace(tooEarly, inTime).replace(inOne, inTwo);
    await saves(edited.replace(hasty, 'const baseMs = 1000;'));
  });

  it('leaves nothing behind when it is stopped between two hunks, but what was typed', async () => {
    const { parts } = editor;
    const call = upstream.script({ pieces, gateAt: between });
    await editor.runCommand('Perigee: Edit File');
    await parts.request('Edit client.ts', 'Wait between the tries');
    await call.atGate;
    await parts.shows('if (i === tries - 1)');
    await parts.typeAt(1, 1, '// Orders of the shop.\n');
    await parts.lenses('writing…').waitFor();
    await parts.pressInEditor('Escape', 'it stops writing', none(parts.lenses('writing…')));
    await call.ended;
    await parts.shows(tooEarly.trim());
    await saves(`// Orders of the shop.\n${original}`);
  });
});
