import * as vscode from 'vscode';

/** How often an edit is retried that the editor refuses because the user is typing. */
const MAX_TRIES = 5;

/**
 * Catches keys meant for a prompt that was not on the screen yet, so that the editor typed them over the selection or
 * at the cursor. Restores the replaced text and passes the keys to `onTyped`.
 */
export class Strays {
  private readonly document: vscode.TextDocument;
  private readonly selection: vscode.Selection;
  private readonly selected: string;
  private end: vscode.Position;
  private typed = '';
  private givingBack: Promise<void> | undefined;
  private readonly listening: vscode.Disposable;

  constructor(
    private readonly editor: vscode.TextEditor,
    private readonly onTyped: (text: string) => void,
  ) {
    this.document = editor.document;
    this.selection = editor.selection;
    this.selected = this.document.getText(this.selection);
    this.end = this.selection.end;
    this.listening = vscode.workspace.onDidChangeTextDocument((event) => {
      if (event.document === this.document && event.contentChanges.length > 0) this.take(event);
    });
  }

  /** The prompt has the focus: later changes to the document are no strays. */
  stop(): void {
    this.listening.dispose();
  }

  /** Resolves when the keys' changes to the document are undone. */
  async settled(): Promise<void> {
    await this.givingBack;
  }

  private take({ contentChanges, reason }: vscode.TextDocumentChangeEvent): void {
    const [change] = contentChanges;
    const expected = this.typed === '' ? this.selection : new vscode.Range(this.end, this.end);
    const isKey = contentChanges.length === 1 && reason === undefined && change!.range.isEqual(expected);
    if (!isKey) {
      if (!this.givingBack) this.stop();
      return;
    }
    this.typed += change!.text;
    const lines = this.typed.split(/\r\n|\r|\n/);
    const { start } = this.selection;
    const last = lines.at(-1)!.length;
    this.end = new vscode.Position(start.line + lines.length - 1, lines.length > 1 ? last : start.character + last);
    this.givingBack ??= this.giveBack();
  }

  private async giveBack(): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const { typed, end } = this;
      const place = new vscode.Range(this.selection.start, end);
      const stops = { undoStopBefore: false, undoStopAfter: false };
      const isBack = await this.editor
        .edit((edit) => edit.replace(place, this.selected), stops)
        .then(undefined, () => false);
      if (!isBack) continue;
      this.stop();
      this.editor.selection = this.selection;
      // Enter confirms only a visible prompt, so it counts as a blank here.
      this.onTyped(typed.replace(/[\r\n]+[ \t]*/g, ' '));
      return;
    }
    this.stop();
  }
}
