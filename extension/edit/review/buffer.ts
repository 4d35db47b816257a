import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';
import { splitLines } from '../hunks/hunks.ts';
import { applySplices, type ContentChange, type Range, type Splice, toChanges, toSplices } from '../hunks/track.ts';
import { TrackedEdit } from '../hunks/tracked.ts';

/**
 * The result of a write. `abandoned`: the plan gave up, because the document is not the expected one. `readOnly`: the
 * editor takes no changes. `closed`: the document is gone.
 */
export type Written = 'written' | 'abandoned' | 'readOnly' | 'closed';

/** After this many refusals in a row without a change to the document, it counts as read-only. */
const MAX_REFUSALS = 5;
/** Each refusal makes the wait before the next try longer by this. */
const PAUSE_MS = 20;

/**
 * Writes one edit into one document and reports foreign changes (the user's, or other extensions'). Own writes are
 * serialised. Each is computed for the document's current version, and again when the editor refused it because of a
 * concurrent change.
 */
export class EditBuffer extends Disposable {
  readonly tracked: TrackedEdit;
  private readonly foreignChange = this._register(new vscode.EventEmitter<{ isUndo: boolean; undone: boolean }>());
  /**
   * The document has a foreign change; `tracked` knows it already. `isUndo`: it was an undo. `undone`: a hunk is gone.
   */
  readonly onDidChangeForeign = this.foreignChange.event;
  private queue: Promise<unknown> = Promise.resolve();
  /** Changes that arrived during a write. Only the end of the write tells whether the first is our own. */
  private arrived: vscode.TextDocumentChangeEvent[] | undefined;
  private isUndoStopDue = true;
  /** Every hunk is decided: only an undo or a redo, not typing, reopens one. */
  isDecided = false;
  /** Undo steps that contain the writes. */
  private steps = 0;

  /** `region`: the lines to rewrite; without it, hunks may go anywhere. */
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
        // The editor itself starts a new undo step after a save.
        if (saved === document) this.isUndoStopDue = true;
      }),
    );
  }

  /** An editor that shows the document, if any: only an editor can join several writes to one undo step. */
  get editor(): vscode.TextEditor | undefined {
    const { activeTextEditor, visibleTextEditors } = vscode.window;
    if (activeTextEditor?.document === this.document) return activeTextEditor;
    return visibleTextEditors.find((editor) => editor.document === this.document);
  }

  /** Whether a single undo would take back only the last write. */
  get isSplit(): boolean {
    return this.steps > 1;
  }

  /**
   * Writes the splices of `plan`, then calls `commit` to update `tracked`. `plan` is called again after each refusal,
   * and returns undefined to give up. `endsStep`: the next change, by anybody, starts a new undo step.
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
      // An editor that is being opened or closed refuses changes for a moment; a read-only one always does.
      if (refusals > 0) await new Promise((resolve) => setTimeout(resolve, refusals * PAUSE_MS));
    }
    return 'readOnly';
  }

  /** The next change, by anybody, starts a new undo step. */
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
          // An insertion moves a cursor at that place down with its line; a replacement would leave it behind.
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
    // Otherwise the editor would join our next write and the user's typing to one undo step.
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

/** Whether the editor reports our own write: the same changes, or others with the same result. */
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
