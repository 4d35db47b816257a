import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UpstreamDouble } from '../../doubles/upstream.ts';
import { root } from '../fetch.ts';
import { block } from '../parts/answers.ts';
import { none } from '../parts/deeds.ts';
import { atSharedDesk } from '../sharedDesk.ts';
import type { Workbench } from '../workbench.ts';

describe('quick fixes and files of the workspace in a real editor, by mouse', () => {
  const out = join(root, 'out/fixes');
  const desk = atSharedDesk({ width: 1200, height: 800 });
  let upstream: UpstreamDouble;
  let editor: Workbench;

  before(async () => {
    await mkdir(out, { recursive: true });
    ({ upstream, editor } = desk());
  });
  beforeEach(() => upstream.reset());

  const disk = (path: string) => readFile(join(desk().sample.folder, path), 'utf8');
  const picture = (name: string) => editor.page.screenshot({ path: join(out, `${name}.png`), animations: 'disabled' });

  it('mends a problem that the language service told of, from the light bulb', async () => {
    const { parts, page } = editor;
    await editor.openFile('src/client.ts', 10);
    await parts.typeAt(10, 1, 'export const most: string = tries;\n');
    await page.locator('.squiggly-error').first().waitFor();
    await parts.goTo(10, 15);
    const actions = await parts.quickFixes('Fix with Perigee');
    assert.ok((await actions.filter({ hasText: 'Explain with Perigee' }).count()) > 0);
    await picture('light-bulb');
    upstream.script({ text: block('src/client.ts', 'export const most: string = tries;', 'export const most = 10;') });
    await parts.quickFix('Fix with Perigee');
    await parts.decide('✓ Accept', 'hunk 1 of 1');
    await editor.save();
    assert.match(await disk('src/client.ts'), /export const most = 10;/);
  });

  it('edits the files that were ticked, of which one is rejected in the list and one accepted in its diff', async () => {
    const { parts, page } = editor;
    const before = await disk('src/totals.py');
    await editor.openFile('README.md', 1);
    const call = upstream.script({
      text:
        block('src/totals.py', '    total = 0', '    total = 1') +
        block('src/client.ts', 'const baseMs = 100;', 'const baseMs = 250;'),
    });
    await editor.runCommand('Perigee: Edit in Workspace');
    await parts.pickMany('totals.py', 'client.ts');
    await parts.request('Edit 2 files', 'Begin later');
    const prompt = (await call.received).body.messages?.at(-1)?.content ?? '';
    assert.ok(prompt.includes('def order_total') && prompt.includes('fetchOrder'));
    assert.ok(!prompt.includes('# '), 'the file in front was not ticked any more');
    await parts.proposals('client.ts').waitFor();
    await parts.clickItemAction(parts.proposals('totals.py'), 'Reject File');
    await editor.click(parts.proposals('client.ts'), 'its diff', parts.diff().getByText('250'));
    await picture('diff');
    await parts.clickTitleAction('Accept File', 'the diff closes', none(page.locator('.tab', { hasText: 'proposed' })));
    await editor.openFile('src/client.ts', 8);
    await parts.shows('const baseMs = 250;');
    assert.equal(await disk('src/totals.py'), before);
  });
});
