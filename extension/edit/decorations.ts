import * as vscode from 'vscode';
import { Disposable } from '../platform/dispose.ts';
import { tellRemoved } from './lenses.ts';
import { ORIGINAL_SCHEME } from './originals.ts';
import type { Review } from './review.ts';
import type { TrackedHunk } from './tracked.ts';

/** How far to the right a removed line may reach that is shown behind a new one: further, nobody would see it. */
const MAX_COLUMN = 80;
/** So many lines of a hunk are looked at for room. */
const MAX_LOOKED_AT = 20;
/** With less room than this a removed line says nothing. */
const MIN_SHOWN = 16;

/** Colours the hunks in every editor that shows them; what was removed stands as a note and in the hover. */
export class EditDecorations extends Disposable {
  /** Plain themes colour inserted lines; high contrast themes have no colour for them, only a line around them. */
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
  /** Old lines that the answer has not come to yet. */
  private readonly waiting = this._register(
    vscode.window.createTextEditorDecorationType({ isWholeLine: true, opacity: '0.55' }),
  );
  private readonly decorated = new Set<vscode.TextEditor>();

  /** Brings all visible editors in line with `reviews`. */
  refresh(reviews: readonly Review[]): void {
    for (const editor of vscode.window.visibleTextEditors) {
      const isDiff = isBesideOriginal(editor);
      const shown = isDiff ? [] : reviews.filter((review) => review.document === editor.document);
      if (shown.length === 0 && !this.decorated.has(editor)) continue;
      this.decorate(editor, shown);
      if (shown.length > 0) this.decorated.add(editor);
      else this.decorated.delete(editor);
    }
    for (const editor of this.decorated) {
      if (!vscode.window.visibleTextEditors.includes(editor)) this.decorated.delete(editor);
    }
  }

  private decorate(editor: vscode.TextEditor, reviews: readonly Review[]): void {
    const inserted: vscode.DecorationOptions[] = [];
    const changed: vscode.DecorationOptions[] = [];
    const removed: vscode.DecorationOptions[] = [];
    const waiting: vscode.Range[] = [];
    for (const review of reviews) {
      const { tracked, phase, document } = review;
      if (phase !== 'writing' && phase !== 'reviewing') continue;
      for (const hunk of tracked.open) {
        const note = removedNote(review, hunk);
        if (note) removed.push(note);
        if (hunk.end <= hunk.start) continue;
        const options = { range: lineRange(document, hunk.start, hunk.end), hoverMessage: hover(review, hunk) };
        if (tracked.isFresh(hunk)) inserted.push(options);
        else changed.push(options);
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

/** Whether this is the right side of "Show removed", which shows everything by itself. */
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
 * One removed line is shown itself, struck through, behind the line that took its place, or another new one with more room;
 * more are counted.
 */
function removedNote(review: Review, hunk: Readonly<TrackedHunk>): vscode.DecorationOptions | undefined {
  if (hunk.oldLines.length === 0) return undefined;
  const { document } = review;
  const isInserted = hunk.end > hunk.start;
  const removed = hunk.oldLines.length === 1 ? hunk.oldLines[0]!.trim() : '';
  const line = isInserted ? lineWithRoom(document, hunk, removed.length) : Math.max(0, hunk.start - 1);
  if (line >= document.lineCount) return undefined;
  const end = document.lineAt(line).range.end;
  const room = MAX_COLUMN - columnsOf(document, line);
  const only = removed.length <= room || room >= MIN_SHOWN ? shorten(removed, room) : '';
  // Counting is for lines that left nothing behind; elsewhere the lens says it.
  if (only === '' && isInserted) return undefined;
  return {
    range: new vscode.Range(end, end),
    hoverMessage: hover(review, hunk),
    renderOptions: {
      after: {
        contentText: only === '' ? tellRemoved(hunk.oldLines.length) : only,
        color: new vscode.ThemeColor('editorCodeLens.foreground'),
        backgroundColor: only === '' ? undefined : new vscode.ThemeColor('diffEditor.removedTextBackground'),
        margin: '0 0 0 3ch',
        textDecoration: only === '' ? undefined : 'line-through',
        fontStyle: only === '' ? 'italic' : undefined,
      },
    },
  };
}

function hover(review: Review, hunk: Readonly<TrackedHunk>): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  const commands = ['perigee.acceptHunk', 'perigee.rejectHunk', 'perigee.showRemoved'];
  text.isTrusted = { enabledCommands: commands };
  if (hunk.oldLines.length > 0) {
    text.appendMarkdown(`${tellRemoved(hunk.oldLines.length)} by Perigee:\n`);
    text.appendCodeblock(hunk.oldLines.join('\n'), review.document.languageId);
  } else {
    text.appendMarkdown('Added by Perigee\n\n');
  }
  if (review.phase !== 'reviewing') return text;
  const args = encodeURIComponent(JSON.stringify([{ review: review.id, hunk: hunk.number }]));
  const names = ['Accept', 'Reject', 'Show removed'];
  const links = commands.map((command, index) => `[${names[index]}](command:${command}?${args})`);
  text.appendMarkdown(links.slice(0, hunk.oldLines.length > 0 ? 3 : 2).join(' · '));
  return text;
}

/** The hunk's first line, if `length` characters fit behind it; else its shortest. */
function lineWithRoom(document: vscode.TextDocument, { start, end }: Readonly<TrackedHunk>, length: number): number {
  if (columnsOf(document, start) + length <= MAX_COLUMN) return start;
  let best = start;
  for (let line = start; line < Math.min(end, start + MAX_LOOKED_AT, document.lineCount); line++) {
    if (columnsOf(document, line) < columnsOf(document, best)) best = line;
  }
  return best;
}

/** About as wide as the editor shows it. */
function columnsOf(document: vscode.TextDocument, line: number): number {
  if (line >= document.lineCount) return 0;
  const { text } = document.lineAt(line);
  return text.length + 3 * (/^\t*/.exec(text)?.[0].length ?? 0);
}

const shorten = (text: string, room: number) =>
  text.length <= room ? text : `${text.slice(0, Math.max(0, room - 1))}…`;
