import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';

const SCHEME = 'perigee-diagram';

/**
 * Opens diagrams of answers in the editor's own Markdown preview, which draws them if it can, else shows their source.
 * A preview loads pictures from anywhere, so an answer could carry data out: what may do that opens as text.
 */
export class Diagrams extends Disposable implements vscode.TextDocumentContentProvider {
  private readonly changed = this._register(new vscode.EventEmitter<vscode.Uri>());
  readonly onDidChange = this.changed.event;
  /** By path: the preview may ask for its own text again at any time. */
  private readonly texts = new Map<string, string>();

  constructor() {
    super();
    this._register(vscode.workspace.registerTextDocumentContentProvider(SCHEME, this));
  }

  provideTextDocumentContent({ path }: vscode.Uri): string {
    return this.texts.get(path) ?? '';
  }

  async show(text: string, language: string): Promise<void> {
    if (mayLoad(text)) {
      await vscode.window.showTextDocument(this.put('/Diagram.txt', text), { preview: true });
      const why = 'The diagram is shown as text: its preview might load something from the internet.';
      void vscode.window.showInformationMessage(why);
      return;
    }
    const uri = this.put('/Diagram.md', fenced(text, language));
    try {
      await vscode.commands.executeCommand('markdown.showPreview', uri);
    } catch {
      // The preview belongs to an extension of the editor's, which may be switched off.
      await vscode.window.showTextDocument(uri, { preview: true });
    }
  }

  private put(path: string, text: string): vscode.Uri {
    this.texts.set(path, text);
    const uri = vscode.Uri.from({ scheme: SCHEME, path });
    this.changed.fire(uri);
    return uri;
  }
}

/**
 * Whether a diagram has anything that might name a resource: HTML, or character references and escapes that may stand
 * for it; addresses; Mermaid's front matter, directives and shapes with pictures; PlantUML's included files.
 */
const mayLoad = (text: string) =>
  // Stereotypes of classes, such as <<interface>>, are no HTML.
  /<(?!br ?\/?>)[a-z!/?&]|&[#\w]|#\w+;|\\[^n\]]|\/\/|https?:|url\(|@import|@\s{0,9}\{|%%\s{0,9}\{|^[ \t]{0,20}(?:---[ \t]{0,20}$|!)/im.test(
    text.replace(/<<\w+>>/g, ''),
  );

/** A fence that no line of the text can close. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((marks) => marks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language.replace(/[^\w-]/g, '')}\n${text.trimEnd()}\n${fence}\n`;
}
