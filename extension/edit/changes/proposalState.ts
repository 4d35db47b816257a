import type { FilePlan, PlacedHunk } from '../engine/edits.ts';
import { rebaseText } from '../engine/placing/rebase.ts';
import { toPlacedHunks } from '../engine/text/changeLines.ts';
import { applyHunks, parseFile } from '../engine/text/fileText.ts';
import { splitLines } from '../hunks/hunks.ts';
import type { Splice } from '../hunks/track.ts';
import type { Accepted, AcceptedFile } from './proposal.ts';

/** The proposed change of one file: its texts before and after. */
export type FileChange = AcceptedFile;

/** Whether a proposed change fits the current file. */
export type Fit =
  /** `splices` turn the current text, `before`, into `after`; each is undefined if the file does not exist then. */
  | { kind: 'fits'; before: string | undefined; after: string | undefined; splices: Splice[]; hunks: PlacedHunk[] }
  /** The lines to change were edited meanwhile; `why` says in a sentence what conflicts. */
  | { kind: 'stale'; why: string };

/** The current file at a change's URI and, for a move, at the new one. */
export interface Now {
  text: string | undefined;
  isTargetTaken?: boolean;
}

/** Fits a proposed change to the current file, or says why it doesn't fit. */
export function fitChange({ before, after, movedTo }: FileChange, { text, isTargetTaken }: Now): Fit {
  const stale = (why: string): Fit => ({ kind: 'stale', why });
  if (before === undefined) {
    if (text !== undefined) return stale('The file exists by now. Perigee does not overwrite it.');
    return { kind: 'fits', before, after, splices: [], hunks: [] };
  }
  if (text === undefined) return stale('The file is gone.');
  if (movedTo !== undefined && isTargetTaken) return stale('A file exists at its new place by now.');
  const [base, current] = [parseFile(before), parseFile(text)];
  const isSame = base.lines.length === current.lines.length && base.lines.every((line, i) => line === current.lines[i]);
  if (after === undefined) {
    if (!isSame) return stale('The file was changed since, so it is not deleted.');
    return { kind: 'fits', before: text, after, splices: [], hunks: [] };
  }
  const proposed = hunksOf(before, after);
  if (isSame) return made(text, applyHunks(current, proposed), proposed, movedTo);
  const rebased = rebaseText(before, proposed, text);
  if (rebased.kind === 'moved') return made(text, rebased.after, rebased.hunks, movedTo);
  const [first] = rebased.touched;
  const at = first ? ` (near line ${first.lines.start + 1})` : '';
  return stale(`${first?.message.replace(/\.$/, '') ?? 'The file was changed since'}${at}.`);
}

function made(before: string, after: string, hunks: PlacedHunk[], movedTo: string | undefined): Fit {
  if (hunks.length === 0 && movedTo === undefined) return { kind: 'stale', why: 'The file reads so already.' };
  return { kind: 'fits', before, after, splices: hunks.map(toSplice), hunks };
}

/** The hunks in which two texts of a file differ. */
export function hunksOf(before: string, after: string): PlacedHunk[] {
  return toPlacedHunks(parseFile(before).lines, parseFile(after).lines, 0);
}

const toSplice = ({ startLine, oldLines, newLines }: PlacedHunk): Splice => ({
  start: startLine,
  removed: oldLines.length,
  inserted: newLines,
});

/** The changes that undo accepted changes. */
export function invert(accepted: Accepted): FileChange[] {
  return accepted.files.map(({ uri, movedTo, before, after }) =>
    movedTo === undefined
      ? { uri, before: after, after: before }
      : { uri: movedTo, movedTo: uri, before: after, after: before },
  );
}

/** Whether two texts are equal except for line endings, which an editor makes uniform. */
export function isSameText(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a === b || splitLines(a).join('\n') === splitLines(b).join('\n');
}

/**
 * The state of a proposed file. `refused`: it was never applicable. `stale`: it is no longer applicable. Both are shown
 * with the reason. `reviewing`: its hunks are in the editor for review.
 */
export type FileState = 'open' | 'stale' | 'refused' | 'accepted' | 'rejected' | 'reviewing';

export interface LineCounts {
  added: number;
  removed: number;
}

/** The lines that a plan adds and removes; for a new or deleted file, all of its lines. */
export function countLines(plan: FilePlan): LineCounts {
  if (plan.kind === 'refused') return { added: 0, removed: 0 };
  if (plan.kind === 'delete') return { added: 0, removed: parseFile(plan.before).lines.length };
  const sum = (side: 'oldLines' | 'newLines') => plan.hunks.reduce((total, hunk) => total + hunk[side].length, 0);
  return { added: sum('newLines'), removed: sum('oldLines') };
}

/** "+12 −3", "−3"; empty when no line changes. */
export function tellCounts({ added, removed }: LineCounts): string {
  return [added > 0 ? `+${added}` : '', removed > 0 ? `−${removed}` : ''].filter(Boolean).join(' ');
}

/** "3 files · +12 −3 · 1 refused · 1 changed since": the open decisions of a proposal, and what it can't do. */
export function tellSummary(files: readonly { plan: FilePlan; state: FileState }[]): string {
  const of = (state: FileState) => files.filter((file) => file.state === state);
  const open = of('open');
  const total = { added: 0, removed: 0 };
  for (const { plan } of open) {
    const { added, removed } = countLines(plan);
    total.added += added;
    total.removed += removed;
  }
  const parts = [open.length > 0 ? tellFiles(open.length) : '', tellCounts(total)];
  const [refused, stale] = [of('refused').length, of('stale').length];
  if (refused > 0) parts.push(`${refused} refused`);
  if (stale > 0) parts.push(`${stale} changed since`);
  return parts.filter(Boolean).join(' · ');
}

export const tellFiles = (n: number) => (n === 1 ? '1 file' : `${n} files`);

/** Whether no decision is open. Refused files need none once the others are decided. */
export function isDecided(files: readonly { state: FileState }[]): boolean {
  return (
    files.some(({ state }) => state !== 'refused') && files.every(({ state }) => state !== 'open' && state !== 'stale')
  );
}
