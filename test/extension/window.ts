import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { TestApi } from '../../extension/extension.ts';

/** The extension of this window, started. */
export async function perigee(): Promise<TestApi> {
  const extension = vscode.extensions.getExtension<TestApi>('perigee.perigee');
  assert.ok(extension, 'the extension is there');
  return extension.activate();
}

/** Whether the suites, and the extension with them, run in a web worker of the page. */
export const inWorker = process.env.PERIGEE_HOST === 'web';

/** Why there is no git in a worker. */
export const noGit = 'the git extension lives beside Node';

/** A test of what only the extension host beside Node has; elsewhere it is shown as skipped, with the reason. */
export function itBesideNode(title: string, why: string, test: () => Promise<void>): void {
  if (inWorker) it.skip(`${title} (skipped here: ${why})`, test);
  else it(title, test);
}

/** A suite of what only some hosts have; where it `isThere` not, it is shown as skipped, with the reason. */
export function describeWhere(isThere: boolean, title: string, why: string, suite: (this: Mocha.Suite) => void): void {
  if (isThere) describe(title, suite);
  else describe.skip(`${title} (skipped here: ${why})`, suite);
}

/** Resolves when `isSo` becomes true; it is looked at whenever `event` fires. Mocha's limit ends a vain wait. */
export function until(event: (listener: () => void) => { dispose(): unknown }, isSo: () => boolean): Promise<void> {
  if (isSo()) return Promise.resolve();
  return new Promise((resolve) => {
    const listening = event(() => {
      if (!isSo()) return;
      listening.dispose();
      resolve();
    });
  });
}

/** A file of the sample workspace. */
export function sampleFile(path: string): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0];
  assert.ok(folder, 'a workspace folder is open');
  return vscode.Uri.joinPath(folder.uri, path);
}

/** Changes the server's address for the length of `body`. */
export async function withServer(url: string, body: () => Promise<void>): Promise<void> {
  const settings = vscode.workspace.getConfiguration('perigee');
  const before = settings.inspect<string>('serverUrl')?.globalValue;
  await settings.update('serverUrl', url, vscode.ConfigurationTarget.Global);
  try {
    await body();
  } finally {
    const { session } = await perigee();
    await settings.update('serverUrl', before, vscode.ConfigurationTarget.Global);
    await until(session.onDidChange, () => session.state.kind === 'ok');
  }
}
