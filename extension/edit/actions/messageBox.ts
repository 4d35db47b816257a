import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';
import type { Repository } from '../../platform/git.ts';

/**
 * The box of a repository for its commit message, shared with its author: as soon as somebody else writes there it is
 * theirs, and nothing more is written.
 */
export class MessageBox extends Disposable {
  private onTouch: (() => void) | undefined;
  private first = '';
  private last = '';
  /** What was written since the beginning: told by the editor it comes back late, one after the other. */
  private ours = new Set<string>();
  /** What was written while the box is on the screen, and has not been seen there yet. */
  private awaited: string[] = [];
  private theirs: string | undefined;

  constructor(private readonly repository: Pick<Repository, 'inputBox' | 'rootUri'>) {
    super();
    // The box tells nobody of changes, but while it is on the screen it is a document, too, and that comes first.
    this._register(
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (this.isOf(document)) this.see(plain(document.getText()));
      }),
    );
  }

  /** Begins to write. `onTouch` is called once when somebody else does. */
  begin(onTouch: () => void): void {
    this.onTouch = onTouch;
    this.first = this.repository.inputBox.value;
    this.last = plain(this.first);
    this.ours = new Set([this.last]);
    this.theirs = undefined;
  }

  end(): void {
    this.onTouch = undefined;
  }

  /** What stood there at the beginning. */
  get before(): string {
    return this.first;
  }

  /** Whether somebody else wrote there since; asked before each word, so that nothing typed is written over. */
  get isTouched(): boolean {
    const now = plain(this.repository.inputBox.value);
    if (!this.ours.has(now)) this.touch(now);
    return this.theirs !== undefined;
  }

  /** False when the box is somebody else's. */
  write(text: string): boolean {
    if (this.isTouched) return false;
    if (plain(text) === this.last) return true;
    this.last = plain(text);
    this.ours.add(this.last);
    if (vscode.workspace.textDocuments.some((document) => this.isOf(document))) this.awaited.push(this.last);
    this.repository.inputBox.value = text;
    return true;
  }

  private see(text: string): void {
    const at = this.awaited.indexOf(text);
    if (at === -1) {
      if (this.onTouch) this.touch(text);
      return;
    }
    this.awaited.splice(0, at + 1);
    // Both wrote in the same moment, and ours came second: no key stroke is lost.
    if (this.theirs !== undefined && text === this.last) this.repository.inputBox.value = this.theirs;
  }

  private touch(text: string): void {
    if (this.theirs !== undefined) return;
    this.theirs = text;
    this.onTouch?.();
  }

  private isOf({ uri: { scheme, query } }: vscode.TextDocument): boolean {
    const root = scheme === 'vscode-scm' ? new URLSearchParams(query).get('rootUri') : null;
    return root !== null && vscode.Uri.parse(root).toString() === this.repository.rootUri.toString();
  }
}

/** On Windows what comes back may have its own line ends. */
const plain = (text: string) => text.replaceAll('\r\n', '\n');
