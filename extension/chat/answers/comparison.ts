import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';

const SCHEME = 'perigee-answer';

/**
 * Shows code of an answer beside a file in the editor's diff. The file is on the editable side, so that the editor's
 * own arrows copy the wanted lines into it.
 */
export class Comparison extends Disposable implements vscode.TextDocumentContentProvider {
  private readonly changed = this._register(new vscode.EventEmitter<vscode.Uri>());
  readonly onDidChange = this.changed.event;
  /** By address: the code that was last compared with a file. */
  private readonly texts = new Map<string, string>();
  private isRegistered = false;

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? '';
  }

  async show(file: string, text: string): Promise<void> {
    if (!this.isRegistered) this._register(vscode.workspace.registerTextDocumentContentProvider(SCHEME, this));
    this.isRegistered = true;
    const uri = vscode.Uri.parse(file, true);
    // The same file extension gives it the same language.
    const code = vscode.Uri.from({ scheme: SCHEME, path: uri.path, query: uri.scheme });
    this.texts.set(code.toString(), text.endsWith('\n') ? text : `${text}\n`);
    this.changed.fire(code);
    const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
    await vscode.commands.executeCommand('vscode.diff', code, uri, `Answer ↔ ${name}`, { preview: true });
  }
}
