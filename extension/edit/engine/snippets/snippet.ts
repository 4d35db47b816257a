import type { Edit, FilePlan, Reading, Reason } from '../edits.ts';
import { readLine } from '../paths.ts';
import type { Snippet } from '../placing/anchors.ts';
import { refusal } from '../placing/refusals.ts';
import { planFile } from '../planning/plan.ts';
import { applyHunks } from '../text/fileText.ts';
import { IndexedFile } from '../text/indexedFile.ts';
import { isHint, MARKS, withoutNumbers } from '../text/lineMarks.ts';
import { elisionsIn, isBlank, looseKey } from '../text/loose.ts';
import { nearestLines } from '../text/similarity.ts';
import { planDeclarations } from './declarations.ts';
import { readPiece } from './piece.ts';
import { readingsOf } from './readings.ts';
import { inStyle } from './snippetLines.ts';

/**
 * The plan for a piece of code without edit marks, from a model's answer, in the file `before`. It may be the whole
 * file, one part, or several parts with marks such as `// ... existing code ...` between them, which keep the existing
 * lines. Refused as `notFound` if no line is in the file, and as `uncertain` if there is more than one reading. Only
 * few lines may be deleted between two known lines. Whole declarations replace those of the same name, and new ones go
 * after others of their kind. `near`: the cursor's line, from 0, which decides between equally good places. `reading`:
 * the user's choice between the readings of an earlier refusal.
 */
export function planSnippet(
  path: string,
  before: string | undefined,
  lines: readonly string[],
  near?: number,
  reading?: Reading,
): FilePlan {
  const edit: Edit = { kind: 'whole', path, lines: [...lines], answerLine: 1 };
  if (before === undefined) return planFile(path, undefined, [edit]);
  const file = new IndexedFile(before);
  if (file.lines.every(isBlank)) return planFile(path, before, [edit]);
  const refuse = (reason: Reason, message: string, readings: Reading[] = []): FilePlan => {
    const nearest = reason === 'notFound' ? nearestLines(file, lines) : undefined;
    const more = { lookedFor: [...lines], nearest, ...(readings.length > 0 && { readings }) };
    const refusals = [refusal(edit, reason, message, more)];
    return { kind: 'refused', path, before, refusals, placed: [] };
  };

  const unnumbered = withoutNumbers(file, lines);
  if (typeof unnumbered === 'string') return refuse('uncertain', unnumbered);
  if (isHint(file, unnumbered.find((line) => !isBlank(line)) ?? '')) return refuse('uncertain', MARKS.hint);
  const snippet = readSnippet(file, unnumbered);
  const read = readPiece(file, snippet);
  // If the lines don't show the place, the names of whole declarations do.
  const placed = Array.isArray(read) ? read : (planDeclarations(file, snippet, near) ?? read);
  const { hunks, question } = Array.isArray(placed) ? { hunks: {} } : readingsOf(file, snippet);
  const made = (reading && hunks[reading]) ?? placed;
  if (!Array.isArray(made)) return refuse(made.reason, question ?? made.message, Object.keys(hunks) as Reading[]);
  if (made.length === 0) return refuse('noChange', 'The file reads so already.');
  return { kind: 'update', path, before, after: applyHunks(file.text, made), hunks: made };
}

function readSnippet(file: IndexedFile, written: readonly string[]): Snippet {
  const first = written.findIndex((line) => !isBlank(line));
  const last = written.findLastIndex((line) => !isBlank(line));
  let lines = written.slice(first, last + 1);
  // A comment may name the file.
  const [head] = lines;
  const isName = head !== undefined && /^(?:\/\/|#|--|<!--|\/\*)/.test(head) && isOnlyPath(head);
  const second = lines.findIndex((line, at) => at > 0 && !isBlank(line));
  // Where the file names itself above the next line, it is a changed version of that.
  const isChanged = second > 0 && isOnlyPath(file.lines[0]!) && looseKey(lines[second]!) === file.keys[second];
  if (isName && file.at(looseKey(head)).length === 0 && !isChanged) lines = lines.slice(second);
  const isElided = elisionsIn(lines, (key) => file.at(key).length > 0);
  const styled = inStyle(lines, file);
  const isRestyled = styled.some((line, at) => line !== lines[at]);
  return { lines: styled, keys: styled.map(looseKey), isElided, isRestyled };
}

/** Whether a comment is only a path. */
function isOnlyPath(comment: string): boolean {
  const said = readLine(comment);
  return said.kind === 'named' && /^\W*(?:file(?:name)?|path)?\W*$/i.test(comment.replace(said.path, ''));
}
