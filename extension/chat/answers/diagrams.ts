import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';

const SCHEME = 'perigee-diagram';

/** Opens diagrams of answers in the editor's own Markdown preview, which draws them if it can, else shows their source. */
export class Diagrams extends Disposable implements vscode.TextDocumentContentProvider {
  private readonly changed = this._register(new vscode.EventEmitter<vscode.Uri>());
  readonly onDidChange = this.changed.event;
  private text = '';
  private isRegistered = false;

  provideTextDocumentContent(): string {
    return this.text;
  }

  async show(text: string, language: string): Promise<void> {
    if (!this.isRegistered) this._register(vscode.workspace.registerTextDocumentContentProvider(SCHEME, this));
    this.isRegistered = true;
    this.text = fenced(text, language);
    const uri = vscode.Uri.from({ scheme: SCHEME, path: '/Diagram.md' });
    this.changed.fire(uri);
    try {
      await vscode.commands.executeCommand('markdown.showPreview', uri);
    } catch {
      // The preview belongs to an extension of the editor's, which may be switched off.
      await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: true });
    }
  }
}

/** A fence that no line of the text can close. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((marks) => marks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language.replace(/[^\w-]/g, '')}\n${text.trimEnd()}\n${fence}\n`;
}
