// Finds references to files in an answer, so that they can be opened: `src/client.ts:12`, `client.ts#L12-L20`,
// `a.ts(3,5)`.

import { decoded } from './knownPaths.ts';
import { baseName, endsAsFile, hasFolder, isFileName } from './pathWords.ts';

/** A reference as written. Lines and columns are counted from 1. */
export interface FileReference {
  path: string;
  line?: number;
  column?: number;
}

/** The longest path that is looked up, in UTF-16 units. */
export const MAX_REFERENCE = 500;
const PLACE =
  /(?::(\d{1,7})(?::(\d{1,7}))?(?:-\d{1,7}(?::\d{1,7})?)?|#L(\d{1,7})(?:C(\d{1,7}))?(?:-L?\d{1,7}(?:C\d{1,7})?)?|\((\d{1,7})(?:, {0,2}(\d{1,7}))?\)|, lines? (\d{1,7})(?: {0,1}[-–] {0,1}\d{1,7})?)$/i;
const ADDRESS = /^(?!file:)[a-z][a-z\d+.-]+:(?!\d)/i;

/** The reference that all of `text` is. `isMarked`: the text is in backticks, or is a link's target. */
export function readReference(text: string, isMarked: boolean): FileReference | undefined {
  if (text.length < 3 || text.length > MAX_REFERENCE || /[\n\0]/.test(text)) return undefined;
  const place = PLACE.exec(text);
  const path = place ? text.slice(0, place.index) : text;
  if (ADDRESS.test(path) || /[<>|"*?]/.test(path) || /^[-!$]/.test(path) || !endsAsFile(path)) return undefined;
  // A word with a dot in prose, or in backticks, need not be a file's name.
  const isName = isFileName(baseName(path)) || (isMarked && /^[.A-Z]/.test(baseName(path)));
  if (!(isMarked ? hasFolder(path) || isName || place : hasFolder(path) || (place && isName))) return undefined;
  if (!isMarked && /\s/.test(path)) return undefined;
  const [line, column] = [place?.[1] ?? place?.[3] ?? place?.[5] ?? place?.[7], place?.[2] ?? place?.[4] ?? place?.[6]];
  return { path, ...(line && { line: Number(line) }), ...(column && { column: Number(column) }) };
}

/** Reads a link target that is not a web address. Its characters may be percent-encoded. */
export function readLinkTarget(href: string): FileReference | undefined {
  if (href.startsWith('#') || href.length > MAX_REFERENCE) return undefined;
  return readReference(decoded(href.replace(/^<|>$/g, '')), true);
}

/** File references in prose and their positions, without the marks and brackets around them. */
export function referencesIn(prose: string): { from: number; to: number; reference: FileReference }[] {
  if (!/[./\\]/.test(prose)) return [];
  return [...prose.matchAll(WORD)].flatMap((found) => {
    const word = found[0].replace(/[.,:;!?…'’]{1,3}$/, '');
    const reference = readReference(word, false);
    return reference ? [{ from: found.index, to: found.index + word.length, reference }] : [];
  });
}
/** Chinese and Japanese words follow a path without a space. Their letters are not part of a path in running text. */
const WORD =
  /(?<![\w./\\@~#-])[\w./\\@~-](?:[\p{sc=Latn}\p{sc=Cyrl}\p{sc=Grek}\w./\\@~+:#-]|\((?=[\w,-]+\))|(?<=\([\w,-]{1,40})[,)]){2,}/gu;
