import * as vscode from 'vscode';
import { Disposable } from '../platform/dispose.ts';
import { splitLines } from './hunks.ts';
import { TrackedEdit } from './review.ts';
import { applySplices, type ContentChange, type Range, type Splice, toChanges, toSplices } from './track.ts';

/**
 * What became of a write. `abandoned`: the plan gave up, since the document is not what it was made for.
 * `readOnly`: the editor takes no changes. `closed`: the document is gone.
 */
export type Written = 'written' | 'abandoned' | 'readOnly' | 'closed';

/** Refusals in a row, without anybody having changed the document, until it counts as read-only. */
const MAX_REFUSALS = 5;

/**
 * Writes one edit into one document and hears of everybody else's changes. Own writes are serialised, each computed for
 * the document's present version and computed anew when the editor refused it because somebody was faster.
 */
export class EditBuffer extends Disposable {
  readonly tracked: TrackedEdit;
  private readonly foreignChange = this._register(new vscode.EventEmitter<void>());
  /** Somebody else changed the document; `tracked` knows it already. */
  readonly onDidChangeForeign = this.foreignChange.event;
  private queue: Promise<unknown> = Promise.resolve();
  /** What came while a write was on its way: whether the first is our own is known only at its end. */
  private arrived: vscode.TextDocumentContentChangeEvent[][] | undefined;
  private isUndoStopDue = true;

  /** `region`: the lines to be rewritten. */
  constructor(
    readonly document: vscode.TextDocument,
    region: Range,
  ) {
    super();
    this.tracked = new TrackedEdit(splitLines(document.getText()), region);
    this._register(
      vscode.workspace.onDidChangeTextDocument((event) => {
        if (event.document !== document || event.contentChanges.length === 0) return;
        if (this.arrived) this.arrived.push([...event.contentChanges]);
        else this.tellForeign([[...event.contentChanges]]);
      }),
    );
  }

  /** An editor that shows the document, if any does: only through one can several writes be one undo step. */
  get editor(): vscode.TextEditor | undefined {
    const { activeTextEditor, visibleTextEditors } = vscode.window;
    if (activeTextEditor?.document === this.document) return activeTextEditor;
    return visibleTextEditors.find((editor) => editor.document === this.document);
  }

  /**
   * Writes what `plan` says, then calls `commit` for `tracked` to follow. `plan` is asked again after each refusal, and
   * gives up by returning undefined. `endsStep`: the next change, whoever makes it, is an undo step of its own.
   */
  write(plan: () => readonly Splice[] | undefined, commit: () => void, endsStep: boolean): Promise<Written> {
    const written = this.queue.then(() => this.writeNow(plan, commit, endsStep));
    this.queue = written.catch(() => {});
    return written;
  }

  private async writeNow(
    plan: () => readonly Splice[] | undefined,
    commit: () => void,
    endsStep: boolean,
  ): Promise<Written> {
    for (let refusals = 0; refusals < MAX_REFUSALS; ) {
      if (this.isDisposed || this.document.isClosed) return 'closed';
      const splices = plan();
      if (!splices) return 'abandoned';
      if (splices.length === 0) {
        commit();
        this.isUndoStopDue ||= endsStep;
        return 'written';
      }
      const { lines } = this.tracked;
      const changes = toChanges(lines, splices, this.document.eol === vscode.EndOfLine.CRLF ? '\r\n' : '\n');
      this.arrived = [];
      const isTaken = await this.apply(changes, endsStep).catch(() => false);
      const arrived = this.arrived;
      this.arrived = undefined;
      const [own, ...foreign] = arrived;
      if (isTaken && own && isSame(applyEvent(lines, own), applySplices(lines, splices))) {
        commit();
        this.isUndoStopDue = endsStep;
        this.tellForeign(foreign);
        return 'written';
      }
      this.tellForeign(arrived);
      refusals = arrived.length === 0 ? refusals + 1 : 0;
    }
    return 'readOnly';
  }

  private async apply(changes: readonly ContentChange[], endsStep: boolean): Promise<boolean> {
    const edits = changes.map((change) => ({
      range: new vscode.Range(change.startLine, change.startCharacter, change.endLine, change.endCharacter),
      text: change.text,
    }));
    const { editor } = this;
    if (editor) {
      const stops = { undoStopBefore: this.isUndoStopDue, undoStopAfter: endsStep };
      return editor.edit((builder) => {
        for (const { range, text } of edits) {
          // An insertion pushes a cursor that stands there down with its line; a replacement would leave it behind.
          if (range.isEmpty && range.start.character === 0) builder.insert(range.start, text);
          else builder.replace(range, text);
        }
      }, stops);
    }
    const edit = new vscode.WorkspaceEdit();
    for (const { range, text } of edits) edit.replace(this.document.uri, range, text);
    return vscode.workspace.applyEdit(edit);
  }

  private tellForeign(events: readonly (readonly vscode.TextDocumentContentChangeEvent[])[]): void {
    if (events.length === 0) return;
    // Else the editor would join our next write and what somebody typed to one step.
    this.isUndoStopDue = true;
    for (const event of events) this.tracked.foreign(event.map(toContentChange));
    this.foreignChange.fire();
  }
}

function toContentChange({ range, text }: vscode.TextDocumentContentChangeEvent): ContentChange {
  return {
    startLine: range.start.line,
    startCharacter: range.start.character,
    endLine: range.end.line,
    endCharacter: range.end.character,
    text,
  };
}

function applyEvent(lines: readonly string[], event: readonly vscode.TextDocumentContentChangeEvent[]): string[] {
  let result = [...lines];
  for (const change of event) result = applySplices(result, toSplices(result, toContentChange(change)));
  return result;
}

const isSame = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((line, index) => line === b[index]);
