import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';
import { splitLines } from '../hunks/hunks.ts';
import { applySplices, type ContentChange, type Range, type Splice, toChanges, toSplices } from '../hunks/track.ts';
import { TrackedEdit } from '../hunks/tracked.ts';

/**
 * What became of a write. `abandoned`: the plan gave up, since the document is not what it was made for.
 * `readOnly`: the editor takes no changes. `closed`: the document is gone.
 */
export type Written = 'written' | 'abandoned' | 'readOnly' | 'closed';

/** Refusals in a row, without anybody having changed the document, until it counts as read-only. */
const MAX_REFUSALS = 5;
/** After each of them it is waited so much longer. */
const PAUSE_MS = 20;

/**
 * Writes one edit into one document and hears of everybody else's changes. Own writes are serialised, each computed for
 * the document's present version and computed anew when the editor refused it because somebody was faster.
 */
export class EditBuffer extends Disposable {
  readonly tracked: TrackedEdit;
  private readonly foreignChange = this._register(new vscode.EventEmitter<{ isUndo: boolean; undone: boolean }>());
  /** Somebody else changed the document; `tracked` knows it already. `isUndo`: by taking a step back; `undone`: a hunk is gone. */
  readonly onDidChangeForeign = this.foreignChange.event;
  private queue: Promise<unknown> = Promise.resolve();
  /** What came while a write was on its way: whether the first is our own is known only at its end. */
  private arrived: vscode.TextDocumentChangeEvent[] | undefined;
  private isUndoStopDue = true;
  /** All is decided: only an undo or a redo, and nobody's typing, opens a hunk again. */
  isDecided = false;
  /** Undo steps that the writes are in. */
  private steps = 0;

  /** `region`: the lines to be rewritten, if not hunks are put anywhere. */
  constructor(
    readonly document: vscode.TextDocument,
    region?: Range,
  ) {
    super();
    this.tracked = new TrackedEdit(splitLines(document.getText()), region);
    this._register(
      vscode.workspace.onDidChangeTextDocument((event) => {
        if (event.document !== document || event.contentChanges.length === 0) return;
        if (this.arrived) this.arrived.push(event);
        else this.tellForeign([event]);
      }),
    );
    this._register(
      vscode.workspace.onDidSaveTextDocument((saved) => {
        // What was saved is a step to go back to: the editor sees to that.
        if (saved === document) this.isUndoStopDue = true;
      }),
    );
  }

  /** An editor that shows the document, if any does: only through one can several writes be one undo step. */
  get editor(): vscode.TextEditor | undefined {
    const { activeTextEditor, visibleTextEditors } = vscode.window;
    if (activeTextEditor?.document === this.document) return activeTextEditor;
    return visibleTextEditors.find((editor) => editor.document === this.document);
  }

  /** Whether a single undo would take back only the last of what was written. */
  get isSplit(): boolean {
    return this.steps > 1;
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
      const { editor } = this;
      const isTaken = await this.apply(editor, changes, endsStep).catch(() => false);
      const arrived = this.arrived;
      this.arrived = undefined;
      const [own, ...foreign] = arrived;
      if (isTaken && own && isOwn(own, changes, lines, splices)) {
        commit();
        if (this.isUndoStopDue || !editor) this.steps++;
        this.isUndoStopDue = endsStep || !editor;
        this.tellForeign(foreign);
        return 'written';
      }
      this.tellForeign(arrived);
      refusals = arrived.length === 0 ? refusals + 1 : 0;
      // An editor that is just opened or closed takes nothing for a moment; one that is read-only never does.
      if (refusals > 0) await new Promise((resolve) => setTimeout(resolve, refusals * PAUSE_MS));
    }
    return 'readOnly';
  }

  /** The next change, whoever makes it, is an undo step of its own. */
  endStep(): void {
    this.isUndoStopDue = true;
  }

  private async apply(
    editor: vscode.TextEditor | undefined,
    changes: readonly ContentChange[],
    endsStep: boolean,
  ): Promise<boolean> {
    const edits = changes.map((change) => ({
      range: new vscode.Range(change.startLine, change.startCharacter, change.endLine, change.endCharacter),
      text: change.text,
    }));
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

  private tellForeign(events: readonly vscode.TextDocumentChangeEvent[]): void {
    if (events.length === 0) return;
    // Else the editor would join our next write and what somebody typed to one step.
    this.isUndoStopDue = true;
    for (const event of events) {
      const open = this.tracked.open.length;
      this.tracked.foreign(event.contentChanges.map(toContentChange), !this.isDecided || event.reason !== undefined);
      const isUndo = event.reason === vscode.TextDocumentChangeReason.Undo;
      this.foreignChange.fire({ isUndo, undone: this.tracked.open.length < open });
    }
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

/** Whether the editor tells of just what was written: in the same words, or in others with the same result. */
function isOwn(
  { contentChanges }: vscode.TextDocumentChangeEvent,
  changes: readonly ContentChange[],
  lines: readonly string[],
  splices: readonly Splice[],
): boolean {
  const told = contentChanges.map(toContentChange).sort(inDocument);
  const isSameChange = (change: ContentChange, index: number) => {
    const own = changes[index]!;
    return inDocument(change, own) === 0 && change.text === own.text;
  };
  if (told.length === changes.length && told.every(isSameChange)) return true;
  let result = lines;
  for (const change of contentChanges) result = applySplices(result, toSplices(result, toContentChange(change)));
  const expected = applySplices(lines, splices);
  return result.length === expected.length && result.every((line, index) => line === expected[index]);
}

const inDocument = (a: ContentChange, b: ContentChange) =>
  a.startLine - b.startLine ||
  a.startCharacter - b.startCharacter ||
  a.endLine - b.endLine ||
  a.endCharacter - b.endCharacter;
