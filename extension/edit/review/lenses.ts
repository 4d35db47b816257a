import * as vscode from 'vscode';
import { count } from '../words/messages.ts';
import type { Review } from './review.ts';

/** The lenses above each hunk and above a running edit: a description and its actions. */
export class EditLenses implements vscode.CodeLensProvider {
  /** `reviews`: all open edits. `onDidChangeCodeLenses` fires when they or their places change. */
  constructor(
    private readonly reviews: () => readonly Review[],
    readonly onDidChangeCodeLenses: vscode.Event<void>,
  ) {}

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const ofDocument = this.reviews().filter((review) => review.document === document);
    const numbers = numbersIn(ofDocument.filter(({ phase }) => phase === 'reviewing'));
    return ofDocument.flatMap((review) => {
      if (review.phase === 'writing') return this.writing(review);
      if (review.phase === 'reviewing') return this.reviewing(review, numbers);
      return [];
    });
  }

  private writing(review: Review): vscode.CodeLens[] {
    const at = lensRange(review.document, review.tracked.region.start);
    return [
      new vscode.CodeLens(at, { title: `$(loading~spin) Perigee: ${review.progress}`, command: '' }),
      new vscode.CodeLens(at, { title: 'Stop (Esc)', command: 'perigee.stopEdit', arguments: [review.id] }),
    ];
  }

  private reviewing(review: Review, numbers: ReadonlyMap<unknown, number>): vscode.CodeLens[] {
    const { open } = review.tracked;
    return open.flatMap((hunk) => {
      const at = lensRange(review.document, hunk.start);
      const target = { review: review.id, hunk: hunk.number };
      const lens = (title: string, command: string, ...args: unknown[]) =>
        new vscode.CodeLens(at, { title, command, arguments: args });
      const isFresh = review.tracked.isFresh(hunk);
      const lenses = [
        lens(`Perigee: hunk ${numbers.get(hunk)} of ${numbers.size}${isFresh ? '' : ', changed by you'}`, ''),
      ];
      lenses.push(lens(isFresh ? '✓ Accept' : '✓ Keep', 'perigee.acceptHunk', target));
      if (isFresh) lenses.push(lens('✗ Reject', 'perigee.rejectHunk', target));
      if (hunk.oldLines.length > 0) {
        lenses.push(lens(`Show removed (${hunk.oldLines.length})`, 'perigee.showRemoved', target));
        lenses.push(lens('Compare', 'perigee.compareHunk', target));
      }
      if (open.length > 1) {
        lenses.push(lens('Accept all', 'perigee.acceptAllHunks', { review: review.id }));
        lenses.push(lens('Reject all', 'perigee.rejectAllHunks', { review: review.id }));
      }
      return lenses;
    });
  }
}

/** The hunks of all reviews of a document, decided or not, numbered from 1 in document order. */
function numbersIn(reviews: readonly Review[]): Map<unknown, number> {
  const all = reviews.flatMap(({ id, tracked }) => tracked.hunks.map((hunk) => ({ id, hunk })));
  const ordered =
    reviews.length > 1
      ? all.toSorted((a, b) =>
          a.id === b.id ? a.hunk.number - b.hunk.number : a.hunk.start - b.hunk.start || a.id - b.id,
        )
      : all;
  return new Map(ordered.map(({ hunk }, index) => [hunk, index + 1]));
}

/** A lens needs an existing line; lines removed at the document's end have none below them. */
function lensRange(document: vscode.TextDocument, line: number): vscode.Range {
  const shown = Math.min(line, document.lineCount - 1);
  return new vscode.Range(shown, 0, shown, 0);
}

/** "3 lines removed" */
export function tellRemoved(lines: number): string {
  return `${count(lines, 'line')} removed`;
}
