import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';

/** Names the threads of edits, also in `when` clauses. */
export const CONTROLLER = 'perigee.edit';

/** How long the editor may take to show an input. */
export const SHOWN_MS = 5_000;

/** Whether a document is the input of one of our threads: the editor names its controller. */
export const isPromptInput = ({ uri }: vscode.TextDocument) => uri.scheme === 'comment' && uri.authority === CONTROLLER;

/** The inputs of the threads. The editor makes one for each time that it shows a thread, and tells which text is typed. */
export class PromptInputs extends Disposable {
  private readonly opened = this._register(new vscode.EventEmitter<vscode.TextDocument>());
  readonly onDidOpen = this.opened.event;
  private readonly typed = this._register(new vscode.EventEmitter<string>());
  /** The whole text of an input that was changed. */
  readonly onDidType = this.typed.event;
  /** The newest last. */
  private open: vscode.TextDocument[] = [];
  private readonly owners = new Map<string, object>();
  private filling: vscode.Disposable | undefined;

  constructor() {
    super();
    const { workspace } = vscode;
    this._register(
      workspace.onDidOpenTextDocument((document) => {
        if (!isPromptInput(document)) return;
        this.open.push(document);
        this.opened.fire(document);
      }),
    );
    this._register(
      workspace.onDidCloseTextDocument((document) => {
        this.open = this.open.filter((one) => one !== document);
      }),
    );
    this._register({ dispose: () => this.filling?.dispose() });
    this._register(
      workspace.onDidChangeTextDocument(({ document }) => {
        if (isPromptInput(document)) this.typed.fire(document.getText());
      }),
    );
  }

  /** The input that has the keys. */
  get focused(): vscode.TextDocument | undefined {
    const document = vscode.window.activeTextEditor?.document;
    return document && isPromptInput(document) ? document : undefined;
  }

  /** The input is that of this thread, as are those that the editor makes for it later. */
  own(document: vscode.TextDocument, thread: object): void {
    this.owners.set(nameOf(document), thread);
  }

  /** The thread of an input, if it is known. */
  ownerOf(document: vscode.TextDocument): object | undefined {
    return this.owners.get(nameOf(document));
  }

  /** Nothing is asked in this thread any more. */
  forget(thread: object): void {
    this.filling?.dispose();
    for (const [name, owner] of this.owners) if (owner === thread) this.owners.delete(name);
  }

  /** Puts a text into the newest input of a thread, in place of `replaces`; false if that is not what stands there. */
  async put(thread: object, text: string, replaces?: string): Promise<boolean> {
    const document = this.newest(thread);
    if (!document || (replaces !== undefined && document.getText() !== replaces)) return false;
    const edit = new vscode.WorkspaceEdit();
    const all = new vscode.Range(0, 0, document.lineCount, 0);
    edit.replace(document.uri, document.validateRange(all), text);
    return vscode.workspace.applyEdit(edit);
  }

  /**
   * Puts a text into the empty input of a thread, and into one that takes its place until something else is typed: the
   * editor makes the input anew when a thread changes, and tells of it late.
   */
  async fill(thread: object, text: string): Promise<void> {
    this.filling?.dispose();
    const put = () => this.put(thread, text, '');
    const late = setTimeout(() => this.filling?.dispose(), SHOWN_MS);
    this.filling = vscode.Disposable.from(
      { dispose: () => clearTimeout(late) },
      this.onDidOpen(put),
      this.onDidType((typed) => typed !== text && this.filling?.dispose()),
    );
    await put();
  }

  textOf(thread: object): string {
    return this.newest(thread)?.getText() ?? '';
  }

  private newest(thread: object): vscode.TextDocument | undefined {
    const open = this.open.filter(({ isClosed }) => !isClosed);
    const isOf = (owner: object | undefined) => (document: vscode.TextDocument) => this.ownerOf(document) === owner;
    return open.findLast(isOf(thread)) ?? open.findLast(isOf(undefined));
  }
}

/** What the editor calls an input: by its thread, or, before there is anything in that, by a number of its own. */
const nameOf = ({ uri }: vscode.TextDocument) =>
  /commentinput-[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}-(.+)\.md$/.exec(uri.path)?.[1] ?? uri.path;
