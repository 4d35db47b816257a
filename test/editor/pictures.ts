// `npm run pictures [-- scene or picture…]`: takes pictures of the real editor with the demo model. Each scene of scenes.ts is
// set up in a new editor, in light and dark, wide and narrow: <scene>-<theme>[-narrow].png, into docs/ if it is there, because
// a page shows it, else into out/pictures/.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UpstreamDouble } from '../doubles/upstream.ts';
import { startBackend } from './backend.ts';
import { fetchBrowser, fetchEditor, root } from './fetch.ts';
import { type Scene, scenes } from './parts/scenes.ts';
import { makeSample } from './sample.ts';
import { openWorkbench } from './workbench.ts';

const themes = { dark: 'Default Dark Modern', light: 'Default Light Modern', contrast: 'Default High Contrast' };
const shapes = {
  '': { viewport: { width: 1200, height: 760 }, sideBar: 380 },
  '-narrow': { viewport: { width: 860, height: 760 }, sideBar: 260 },
};

// Hides parts of the editor that have nothing to do with the extension.
const calm = {
  'editor.minimap.enabled': false,
  // How long ago the sample was made, and the ports of everything else that runs on the machine.
  'git.blame.statusBarItem.enabled': false,
  'remote.autoForwardPorts': false,
  'window.commandCenter': false,
  'workbench.layoutControl.enabled': false,
};

async function take(scene: Scene, theme: keyof typeof themes, shape: keyof typeof shapes): Promise<void> {
  const { viewport, sideBar } = shapes[shape];
  const name = `${scene.name}-${theme}${shape}.png`;
  const shown = join(root, 'docs', name);
  const file = existsSync(shown) ? shown : join(root, 'out/pictures', name);
  const sample = await makeSample();
  const upstream = scene.script && (await new UpstreamDouble().start());
  const call = scene.script && upstream?.script(scene.script);
  const backend = await startBackend({ env: { UPSTREAM_URL: upstream?.url } });
  try {
    const editor = await openWorkbench({
      folder: sample.folder,
      colorTheme: themes[theme],
      viewport,
      scale: 2,
      settings: { 'perigee.serverUrl': backend.url, ...calm },
    });
    try {
      const area = await scene.setUp({ editor, backend, call, setSideBarWidth: () => editor.setSideBarWidth(sideBar) });
      // No blinking caret and no fading hover, so that two runs give the same picture.
      await editor.page.screenshot({ path: file, animations: 'disabled', caret: 'hide', ...(area && { clip: area }) });
      console.log(file);
    } catch (error) {
      await editor.page.screenshot({ path: join(root, 'out', `${scene.name}-${theme}${shape}-failed.png`) });
      throw error;
    } finally {
      await editor.close();
    }
  } finally {
    await backend.stop();
    await upstream?.stop();
    await sample.remove();
  }
}

async function main(names: string[]): Promise<number> {
  const wanted = scenes.flatMap((scene) =>
    (scene.themes ?? (['dark', 'light'] as const)).flatMap((theme) =>
      (scene.narrow === false ? ([''] as const) : (['', '-narrow'] as const))
        .filter(
          (shape) =>
            names.length === 0 || names.includes(scene.name) || names.includes(`${scene.name}-${theme}${shape}`),
        )
        .map((shape) => ({ scene, theme, shape })),
    ),
  );
  if (wanted.length === 0) {
    console.error(`No such scene. There are: ${scenes.map(({ name }) => name).join(', ')}`);
    return 1;
  }
  await Promise.all([fetchEditor(), fetchBrowser()]);
  await mkdir(join(root, 'out/pictures'), { recursive: true });
  let failed = 0;
  for (const { scene, theme, shape } of wanted) {
    try {
      await take(scene, theme, shape);
    } catch (error) {
      failed++;
      console.error(`${scene.name}, ${theme}${shape}:`, error);
    }
  }
  return failed === 0 ? 0 : 1;
}

process.exit(await main(process.argv.slice(2)));
