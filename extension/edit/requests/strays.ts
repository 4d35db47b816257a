import * as vscode from 'vscode';

/** How often an edit is retried that the editor refuses because the user is typing. */
const MAX_TRIES = 5;

/**
 * Catches keys meant for a prompt that was not on the screen yet, so that the editor typed them over the selection or
 * at the cursor. Restores the replaced text and passes the keys to `onTyped`.
 */
export class Strays {
  private readonly document: vscode.TextDocument;
  private selection: vscode.Selection;
  private selected: string;
  private end: vscode.Position;
  private typed = '';
  private givingBack: Promise<void> | undefined;
  private readonly listening: vscode.Disposable;

  constructor(
    private readonly editor: vscode.TextEditor,
    private readonly onTyped: (text: string) => void,
    /** The prompt takes long to come: goes on until `stop`. */
    private readonly isLasting = false,
  ) {
    this.document = editor.document;
    this.selection = editor.selection;
    this.selected = this.document.getText(this.selection);
    this.end = this.selection.end;
    this.listening = vscode.workspace.onDidChangeTextDocument((event) => {
      if (event.document === this.document && event.contentChanges.length > 0) this.take(event);
    });
  }

  /** The selection is elsewhere now, and so is the next key. */
  moveTo(selection: vscode.Selection): void {
    if (this.typed !== '') return;
    this.selection = selection;
    this.selected = this.document.getText(selection);
    this.end = selection.end;
  }

  /** The prompt has the focus: later changes to the document are no strays. */
  stop(): void {
    this.listening.dispose();
  }

  /** Resolves when the keys' changes to the document are undone. */
  async settled(): Promise<void> {
    for (let last: unknown; this.givingBack && last !== this.givingBack; ) {
      last = this.givingBack;
      await last;
    }
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
      this.editor.selection = this.selection;
      if (this.isLasting) {
        this.typed = '';
        this.end = this.selection.end;
        this.givingBack = undefined;
      } else this.stop();
      // Enter confirms only a visible prompt, so it counts as a blank here.
      this.onTyped(typed.replace(/[\r\n]+[ \t]*/g, ' '));
      return;
    }
    this.stop();
  }
}

/** Keys for a prompt that takes its time to come on the screen: kept until the prompt takes them. */
export class EarlyKeys {
  private typed = '';
  private taken: ((keys: string) => PromiseLike<boolean>) | undefined;
  private handing: Promise<void> = Promise.resolve();
  private readonly strays: Strays;
  selection: vscode.Selection;

  constructor(readonly editor: vscode.TextEditor) {
    this.selection = editor.selection;
    this.strays = new Strays(editor, (keys) => this.hand(keys), true);
  }

  /** The prompt is there, and takes what was typed and what is still under way. `taken`: false if it is gone. */
  async take(taken: (keys: string) => PromiseLike<boolean>): Promise<void> {
    await this.strays.settled();
    this.taken = taken;
    this.hand('');
    await this.handing;
  }

  /** The selection is elsewhere now. */
  moveTo(selection: vscode.Selection): void {
    this.selection = selection;
    this.strays.moveTo(selection);
  }

  /** From now on the editor has the keys. Resolves to those that no prompt took. */
  async stop(): Promise<string> {
    await this.strays.settled();
    this.strays.stop();
    await this.handing;
    const { typed } = this;
    this.typed = '';
    return typed;
  }

  /** From now on the editor has the keys, also those that no prompt took. */
  async writeBack(): Promise<void> {
    const typed = await this.stop();
    const { editor, selection } = this;
    if (typed === '' || editor.document.isClosed) return;
    const end = editor.document.offsetAt(selection.start) + typed.length;
    const isWritten = await editor.edit((edit) => edit.replace(selection, typed)).then(undefined, () => false);
    // The next key must not overwrite them.
    const at = editor.document.positionAt(end);
    if (isWritten) editor.selection = new vscode.Selection(at, at);
  }

  private hand(keys: string): void {
    this.typed += keys;
    const { taken } = this;
    if (!taken) return;
    this.handing = this.handing.then(async () => {
      const { typed } = this;
      if (typed === '') return;
      this.typed = '';
      if (!(await taken(typed))) this.typed = typed + this.typed;
    });
  }
}
