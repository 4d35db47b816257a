// When an editor test fails, take a picture: the screen says more than the message.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from 'mocha';
import { root } from './fetch.ts';
import { openWorkbenches } from './workbench.ts';

export const mochaHooks = {
  async afterEach(this: Context): Promise<void> {
    const test = this.currentTest;
    if (test?.state !== 'failed') return;
    const folder = join(root, 'out/editor/failed');
    await mkdir(folder, { recursive: true });
    for (const [i, editor] of [...openWorkbenches].entries()) {
      const picture = join(folder, `${test.title.replace(/\W+/g, '-').slice(0, 80)}-${i + 1}.png`);
      try {
        await editor.page.screenshot({ path: picture });
        console.error(`      the editor at that moment: ${picture}`);
      } catch {
        console.error('      the editor was not open');
      }
      console.error(editor.log.replace(/^/gm, '      | '));
    }
  },
};
