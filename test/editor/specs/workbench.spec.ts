import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../processes.ts';
import { makeSample } from '../sample.ts';
import { openWorkbench, type Workbench } from '../workbench.ts';

// Counts its own starts in the storage that an extension has, and shows the number.
const extension = {
  'package.json': JSON.stringify({
    name: 'starts',
    publisher: 'example',
    version: '0.0.1',
    engines: { vscode: '^1.104.0' },
    main: './main.cjs',
    activationEvents: ['onStartupFinished'],
    contributes: { commands: [{ command: 'example.forget', title: 'Example: Forget' }] },
  }),
  'main.cjs': `
    const vscode = require('vscode');
    exports.activate = async (context) => {
      const item = vscode.window.createStatusBarItem('starts', vscode.StatusBarAlignment.Left);
      const count = async (n) => {
        await context.globalState.update('starts', n);
        item.text = 'start ' + n;
        item.show();
      };
      context.subscriptions.push(vscode.commands.registerCommand('example.forget', () => count(0)));
      await count(context.globalState.get('starts', 0) + 1);
    };`,
};

describe('an editor driven from outside', () => {
  let editor: Workbench;
  let sample: Awaited<ReturnType<typeof makeSample>>;
  let extensionPath: string;

  before(async () => {
    sample = await makeSample();
    extensionPath = await temporaryFolder('perigee-extension-');
    for (const [name, text] of Object.entries(extension)) await writeFile(join(extensionPath, name), text);
    editor = await openWorkbench({ folder: sample.folder, extensionPath, readyItem: 'example.starts.starts' });
  });
  after(async () => {
    await editor?.close();
    await sample?.remove();
    await rm(extensionPath, { recursive: true, force: true });
  });

  it('keeps what an extension stored over a reload and over a kill', async () => {
    const item = () => editor.statusBarItem('example.starts.starts');
    await item().getByText('start 1').waitFor();
    await editor.stored('"starts":1');
    await editor.reload();
    await item().getByText('start 2').waitFor();
    await editor.stored('"starts":2');
    await editor.kill();
    await editor.reopen();
    await item().getByText('start 3').waitFor();
  });

  it('runs a command and shows a file', async () => {
    await editor.runCommand('Example: Forget');
    await editor.statusBarItem('start 0').waitFor();
    await editor.openFile('src/totals.py', 8);
    assert.match(await editor.editorText(), /def order_total\(lines: list\[dict\]\) -> int:/);
  });
});
