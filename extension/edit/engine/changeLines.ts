import { diffLines } from '../hunks.ts';
import type { ChangeLine } from './edits.ts';
import { trimTrail } from './loose.ts';

/**
 * What turns `search` into `replace`: lines that stand in both stay as the file has them, whatever the model made of
 * their blanks at the end. Blanks that only `search` has are taken away on purpose.
 */
export function toChangeLines(search: readonly string[], replace: readonly string[]): ChangeLine[] {
  const lines: ChangeLine[] = [];
  let at = 0;
  let now = 0;
  const keepTo = (end: number) => {
    for (; at < end; at++, now++) {
      const text = search[at]!;
      const later = replace[now]!;
      if (text !== later && later === trimTrail(later)) lines.push({ op: 'old', text }, { op: 'new', text: later });
      else lines.push({ op: 'keep', text });
    }
  };
  for (const hunk of diffLines(search.map(trimTrail), replace.map(trimTrail))) {
    keepTo(hunk.oldStart);
    for (const _ of hunk.oldLines) lines.push({ op: 'old', text: search[at++]! });
    for (const _ of hunk.newLines) lines.push({ op: 'new', text: replace[now++]! });
  }
  keepTo(search.length);
  return lines;
}
