import { isDiff, patchOfDiff } from '../../../../shared/answers/unifiedDiff.ts';
import type { Edit } from '../edits.ts';
import { PatchReader } from './patchReader.ts';

/**
 * The changes of a fenced unified diff, whose lines they all name as `answerLine`. `path`: the file of a diff that names
 * none. Undefined for any other code, and for a diff that can't be read.
 */
export function readDiff(
  { lines, path, answerLine }: Pick<Edit & { kind: 'whole' }, 'lines' | 'path' | 'answerLine'>,
  language: string,
): Edit[] | undefined {
  const patch = isDiff(lines, language, path) ? patchOfDiff(lines, path) : undefined;
  if (!patch) return undefined;
  const reader = new PatchReader();
  return [...patch.flatMap((line) => reader.add(line, answerLine)), ...reader.close(answerLine)];
}
