import type { FilePlan } from '../engine/edits.ts';
import type { Review } from '../review/review.ts';

/** A proposal that was taken out of its file, so that another can take its place. */
export interface Withdrawn {
  /** The proposal's lines of the region. */
  draft: readonly string[];
  /** Puts it back. */
  plan: FilePlan & { kind: 'update' };
}

/**
 * Takes the undecided hunks of a review out of its file. Hunks that the user changed are the user's text by now, and
 * stay. Undefined if nothing is under review; false if the editor takes no changes.
 */
export async function withdraw(review: Review): Promise<Withdrawn | undefined | false> {
  const { tracked } = review;
  if (review.phase !== 'reviewing') return undefined;
  const draft = tracked.lines.slice(tracked.region.start, tracked.region.end);
  review.accept(tracked.open.filter((hunk) => !tracked.isFresh(hunk)).map(({ number }) => number));
  const { open } = tracked;
  const hunks = open.map((hunk) => ({
    startLine: tracked.lineBefore(hunk),
    oldLines: [...hunk.oldLines],
    newLines: [...hunk.newLines],
    how: 'exact' as const,
  }));
  const [before, after] = [tracked.before().join('\n'), tracked.lines.join('\n')];
  const { isWritten, refused } = await review.reject(open.map(({ number }) => number));
  return isWritten && refused.length === 0 && { draft, plan: { kind: 'update', path: '', before, after, hunks } };
}
