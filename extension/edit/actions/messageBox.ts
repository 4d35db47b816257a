import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';
import type { Repository } from '../../platform/git.ts';

/**
 * A repository's box for the commit message, shared with the author. As soon as the author or git changes it, this
 * class stops writing.
 */
export class MessageBox extends Disposable {
  private onTouch: (() => void) | undefined;
  private first = '';
  private last = '';
  /** All texts written so far. The editor reports them late, one after the other. */
  private ours = new Set<string>();
  /** Texts written that the editor has not reported yet. It reports them while the box is visible. */
  private awaited: string[] = [];
  private theirs: string | undefined;

  constructor(private readonly repository: Pick<Repository, 'inputBox' | 'rootUri'>) {
    super();
    // The box has no change event. But while it is visible it is also a document, whose change event comes first.
    this._register(
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (this.isOf(document)) this.see(plain(document.getText()));
      }),
    );
    // The box may become visible in the middle: the document has what was written before, and is told of the rest.
    this._register(
      vscode.workspace.onDidOpenTextDocument((document) => {
        if (this.isOf(document)) this.awaited.splice(0, this.awaited.lastIndexOf(plain(document.getText())) + 1);
      }),
    );
  }

  /** Starts writing. Calls `onTouch` once when something else changes the box. */
  begin(onTouch: () => void): void {
    this.onTouch = onTouch;
    this.first = this.repository.inputBox.value;
    this.last = plain(this.first);
    this.ours = new Set([this.last]);
    this.theirs = undefined;
    // What was written into a hidden box is not reported any more.
    if (!this.isVisible) this.awaited = [];
  }

  end(): void {
    this.onTouch = undefined;
  }

  /** The box's text at the start. */
  get before(): string {
    return this.first;
  }

  /** Whether something else has changed the box. Checked before each write, so that typed text is never overwritten. */
  get isTouched(): boolean {
    const now = plain(this.repository.inputBox.value);
    if (!this.ours.has(now)) this.touch(now);
    return this.theirs !== undefined;
  }

  /** False if something else has changed the box. */
  write(text: string): boolean {
    if (this.isTouched) return false;
    if (plain(text) === this.last) return true;
    this.last = plain(text);
    this.ours.add(this.last);
    this.awaited.push(this.last);
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
    // Both wrote at the same moment, and our write came second. Restore the author's text, so that no keystroke is
    // lost.
    if (this.theirs !== undefined && text === this.last) this.repository.inputBox.value = this.theirs;
  }

  private touch(text: string): void {
    if (this.theirs !== undefined) return;
    this.theirs = text;
    this.onTouch?.();
  }

  private get isVisible(): boolean {
    return vscode.workspace.textDocuments.some((document) => this.isOf(document));
  }

  private isOf({ uri: { scheme, query } }: vscode.TextDocument): boolean {
    const root = scheme === 'vscode-scm' ? new URLSearchParams(query).get('rootUri') : null;
    return root !== null && vscode.Uri.parse(root).toString() === this.repository.rootUri.toString();
  }
}

/** On Windows, the reported text may have other line endings. */
const plain = (text: string) => text.replaceAll('\r\n', '\n');
