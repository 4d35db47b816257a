import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';
import { blankChanges, showBlanks } from '../hunks/blankChanges.ts';
import type { TrackedHunk } from '../hunks/tracked.ts';
import { tellRemoved } from './lenses.ts';
import { ORIGINAL_SCHEME, Originals } from './originals.ts';
import type { Review } from './review.ts';

/** The column up to which a removed line is shown after a new one: beyond it, an editor may cut the text off. */
const MAX_COLUMN = 72;
/** The most removed lines of a hunk that are shown this way. */
const MAX_NOTES = 5;

/**
 * Colours the hunks in every editor that shows them. Removed lines appear as notes, and in the hover of `HunkHovers`: the
 * host parses a decoration's own hover as Markdown each time it is drawn, some 0.1 ms for each hunk.
 */
export class EditDecorations extends Disposable {
  /** Normal themes colour inserted lines; high contrast themes only draw a border around them. */
  private readonly insertedPlain = this._register(createInserted({}));
  private readonly insertedFramed = this._register(
    createInserted({
      borderStyle: 'dashed',
      borderWidth: '1px',
      borderColor: new vscode.ThemeColor('diffEditor.insertedTextBorder'),
    }),
  );
  private readonly changed = this._register(
    vscode.window.createTextEditorDecorationType({
      isWholeLine: true,
      backgroundColor: new vscode.ThemeColor('editor.inactiveSelectionBackground'),
      overviewRulerColor: new vscode.ThemeColor('editorOverviewRuler.warningForeground'),
      overviewRulerLane: vscode.OverviewRulerLane.Left,
    }),
  );
  private readonly removed = this._register(
    vscode.window.createTextEditorDecorationType({
      overviewRulerColor: new vscode.ThemeColor('editorOverviewRuler.deletedForeground'),
      overviewRulerLane: vscode.OverviewRulerLane.Left,
    }),
  );
  /** For a diff that ignores leading and trailing blanks: marks the blanks that differ, on both sides. */
  private readonly blankLines = { removed: this.colour('removed', 'Line'), inserted: this.colour('inserted', 'Line') };
  private readonly blanks = { removed: this.colour('removed', 'Text'), inserted: this.colour('inserted', 'Text') };
  /** Old lines that the answer has not reached yet. */
  private readonly waiting = this._register(
    vscode.window.createTextEditorDecorationType({ isWholeLine: true, opacity: '0.55' }),
  );
  private readonly decorated = new Set<vscode.TextEditor>();

  /** Updates all visible editors to `reviews`. */
  refresh(reviews: readonly Review[]): void {
    for (const editor of vscode.window.visibleTextEditors) {
      const before = Originals.reviewOf(editor.document.uri);
      const isDiff = before !== undefined || isBesideOriginal(editor);
      const ofDocument = reviews.filter(({ id, document }) =>
        before === undefined ? document === editor.document : id === before,
      );
      const shown = isDiff ? [] : ofDocument;
      if (ofDocument.length === 0 && !this.decorated.has(editor)) continue;
      this.decorate(editor, shown);
      this.decorateBlanks(editor, isDiff && ignoresBlanks(ofDocument[0]?.document) ? ofDocument : []);
      if (ofDocument.length > 0) this.decorated.add(editor);
      else this.decorated.delete(editor);
    }
    for (const editor of this.decorated) {
      if (!vscode.window.visibleTextEditors.includes(editor)) this.decorated.delete(editor);
    }
  }

  private colour(side: Side, of: 'Line' | 'Text'): vscode.TextEditorDecorationType {
    const backgroundColor = new vscode.ThemeColor(`diffEditor.${side}${of}Background`);
    const isWholeLine = of === 'Line';
    return this._register(vscode.window.createTextEditorDecorationType({ isWholeLine, backgroundColor }));
  }

  private decorate(editor: vscode.TextEditor, reviews: readonly Review[]): void {
    const inserted: vscode.Range[] = [];
    const changed: vscode.Range[] = [];
    const removed: vscode.DecorationOptions[] = [];
    const waiting: vscode.Range[] = [];
    for (const review of reviews) {
      const { tracked, phase, document } = review;
      if (phase !== 'writing' && phase !== 'reviewing') continue;
      for (const hunk of tracked.open) {
        removed.push(...removedNotes(document, hunk));
        if (hunk.end <= hunk.start) continue;
        const lines = lineRange(document, hunk.start, hunk.end);
        if (tracked.isFresh(hunk)) inserted.push(lines);
        else changed.push(lines);
      }
      if (phase === 'writing' && tracked.isRegion) {
        const from = tracked.open.at(-1)?.end ?? tracked.region.start;
        if (from < tracked.region.end) waiting.push(lineRange(document, from, tracked.region.end));
      }
    }
    editor.setDecorations(this.insertedPlain, isHighContrast() ? [] : inserted);
    editor.setDecorations(this.insertedFramed, isHighContrast() ? inserted : []);
    editor.setDecorations(this.changed, changed);
    editor.setDecorations(this.removed, removed);
    editor.setDecorations(this.waiting, waiting);
  }

  /** In a diff, colours the lines that differ only in blanks, and highlights these blanks. */
  private decorateBlanks(editor: vscode.TextEditor, reviews: readonly Review[]): void {
    const isBefore = Originals.reviewOf(editor.document.uri) !== undefined;
    const lines = reviews.flatMap(({ tracked }) =>
      tracked.open.flatMap((hunk) =>
        blankChanges(hunk.oldLines, hunk.newLines).map(({ old, fresh }) =>
          isBefore ? tracked.lineBefore(hunk) + old : hunk.start + fresh,
        ),
      ),
    );
    const there = lines.filter((line) => line < editor.document.lineCount).map((line) => editor.document.lineAt(line));
    const blanks = there.flatMap(({ text, lineNumber }) => [
      new vscode.Range(lineNumber, 0, lineNumber, text.length - text.trimStart().length),
      new vscode.Range(lineNumber, text.trimEnd().length, lineNumber, text.length),
    ]);
    const shown = (side: Side, of: vscode.Range[]) => ((side === 'removed') === isBefore ? of : []);
    for (const side of SIDES) {
      editor.setDecorations(
        this.blankLines[side],
        shown(
          side,
          there.map(({ range }) => range),
        ),
      );
      editor.setDecorations(this.blanks[side], shown(side, blanks));
    }
  }
}

type Side = 'removed' | 'inserted';
const SIDES = ['removed', 'inserted'] as const;

/** Whether diffs of this document ignore leading and trailing blanks, which is the editor's default. */
function ignoresBlanks(document: vscode.TextDocument | undefined): boolean {
  return vscode.workspace.getConfiguration('diffEditor', document).get('ignoreTrimWhitespace', true);
}

function createInserted(more: vscode.DecorationRenderOptions): vscode.TextEditorDecorationType {
  return vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor('diffEditor.insertedLineBackground'),
    overviewRulerColor: new vscode.ThemeColor('editorOverviewRuler.addedForeground'),
    overviewRulerLane: vscode.OverviewRulerLane.Left,
    ...more,
  });
}

function isHighContrast(): boolean {
  const { kind } = vscode.window.activeColorTheme;
  return kind === vscode.ColorThemeKind.HighContrast || kind === vscode.ColorThemeKind.HighContrastLight;
}

/** Whether this is the right side of "Show removed", which shows all changes itself. */
function isBesideOriginal(editor: vscode.TextEditor): boolean {
  return vscode.window.visibleTextEditors.some(
    (other) => other.document.uri.scheme === ORIGINAL_SCHEME && other.viewColumn === editor.viewColumn,
  );
}

function lineRange(document: vscode.TextDocument, start: number, end: number): vscode.Range {
  const last = document.lineAt(Math.min(end, document.lineCount) - 1).range.end;
  return new vscode.Range(Math.min(start, last.line), 0, last.line, last.character);
}

/**
 * The removed lines, struck through, each after a line that replaced it, if all fit. Otherwise the lines removed
 * without replacement are counted, and the lens and the hover show the rest.
 */
function removedNotes(
  document: vscode.TextDocument,
  { start, end, oldLines, newLines }: Readonly<TrackedHunk>,
): vscode.DecorationOptions[] {
  const isInserted = end > start;
  const first = isInserted ? start : Math.max(0, start - 1);
  const places = isInserted ? end - start : 1;
  const isFew = oldLines.length <= Math.min(places, MAX_NOTES);
  const hasRoom = () => oldLines.every((line, index) => columnsOf(document, first + index) + line.length <= MAX_COLUMN);
  const note = (line: number, contentText: string, isLine: boolean): vscode.DecorationOptions => {
    const { end: at } = document.lineAt(Math.min(line, document.lineCount - 1)).range;
    return {
      range: new vscode.Range(at, at),
      renderOptions: {
        after: {
          contentText,
          color: new vscode.ThemeColor('editorCodeLens.foreground'),
          margin: '0 0 0 3ch',
          ...(isLine
            ? {
                textDecoration: 'line-through',
                backgroundColor: new vscode.ThemeColor('diffEditor.removedTextBackground'),
              }
            : { fontStyle: 'italic' }),
        },
      },
    };
  };
  if (isFew && hasRoom()) {
    const blanks = new Set(blankChanges(oldLines, newLines).map(({ old }) => old));
    const told = (line: string, index: number) => (blanks.has(index) ? showBlanks(line) : line.trim());
    return oldLines.flatMap((line, index) =>
      line.trim() === '' ? [] : [note(first + index, told(line, index), true)],
    );
  }
  return isInserted || oldLines.length === 0 ? [] : [note(first, tellRemoved(oldLines.length), false)];
}

/** The line's approximate width in the editor. */
function columnsOf(document: vscode.TextDocument, line: number): number {
  if (line >= document.lineCount) return 0;
  const { text } = document.lineAt(line);
  return text.length + 3 * (/^\t*/.exec(text)?.[0].length ?? 0);
}
