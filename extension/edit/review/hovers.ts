import * as vscode from 'vscode';
import type { TrackedHunk } from '../hunks/tracked.ts';
import { tellRemoved } from './lenses.ts';
import type { Review } from './review.ts';

const COMMANDS = {
  Accept: 'perigee.acceptHunk',
  Reject: 'perigee.rejectHunk',
  'Show removed': 'perigee.showRemoved',
  Compare: 'perigee.compareHunk',
};

/** The hover over a hunk: its removed lines and its actions. */
export class HunkHovers implements vscode.HoverProvider {
  /** `reviews`: all open edits. */
  constructor(private readonly reviews: () => readonly Review[]) {}

  provideHover(document: vscode.TextDocument, at: vscode.Position): vscode.Hover | undefined {
    for (const review of this.reviews()) {
      if (review.document !== document || (review.phase !== 'writing' && review.phase !== 'reviewing')) continue;
      const hunk = review.tracked.open.find((each) => isAt(document, each, at));
      if (hunk) return new vscode.Hover(tell(review, hunk), document.lineAt(at.line).range);
    }
    return undefined;
  }
}

/** Whether `at` is in the hunk's lines, or in the note about a hunk without lines, after the line above it. */
function isAt(document: vscode.TextDocument, { start, end }: Readonly<TrackedHunk>, at: vscode.Position): boolean {
  if (end > start) return start <= at.line && at.line < end;
  return at.line === Math.max(0, start - 1) && at.character === document.lineAt(at.line).text.length;
}

function tell(review: Review, { number, oldLines }: Readonly<TrackedHunk>): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  text.isTrusted = { enabledCommands: Object.values(COMMANDS) };
  if (oldLines.length > 0) {
    text.appendMarkdown(`${tellRemoved(oldLines.length)} by Perigee:\n`);
    text.appendCodeblock(oldLines.join('\n'), review.document.languageId);
  } else {
    text.appendMarkdown('Added by Perigee\n\n');
  }
  if (review.phase !== 'reviewing') return text;
  const args = encodeURIComponent(JSON.stringify([{ review: review.id, hunk: number }]));
  const links = Object.entries(COMMANDS).map(([name, command]) => `[${name}](command:${command}?${args})`);
  text.appendMarkdown(links.slice(0, oldLines.length > 0 ? 4 : 2).join(' · '));
  return text;
}
