// Finds the file that a model names for a code block. The chat shows it; the edit engine uses it.

import { KnownPaths, MAX_PATH } from './knownPaths.ts';
import {
  baseName,
  type Candidate,
  candidatesOf,
  endsAsFile,
  endsAsSource,
  hasFolder,
  isEndOf,
  isFileName,
  type Named,
  NONE,
  named,
  readPathText,
  unreadable,
} from './pathWords.ts';

export { KnownPaths, MAX_PATH, type Named, NONE, named };

const NO_PATHS = new KnownPaths([]);
/** How much prose above a block is read: lines, and UTF-16 units. */
const MAX_PROSE_LINES = 400;
const MAX_PROSE = 32_000;

/** Reads a line that consists of a path, with any marks around it: `**src/a.ts**:`, `### File: src/a.ts`. */
export function readLine(line: string, known: KnownPaths = NO_PATHS): Named {
  if (line.length > MAX_PATH) return NONE;
  const candidates = candidatesOf(line);
  for (const { text } of candidates) {
    const found = readKnown(text, known);
    if (found) return found;
  }
  return readLast(candidates.at(-1)!);
}

function readLast({ text, isMarked, isIntroduced }: Candidate): Named {
  const read = readPathText(text, isMarked || /^[a-z]+:\/\/\S+$/i.test(text));
  // "Then in a.ts" may be prose: without a folder it does not surely name a file.
  return isIntroduced && !isMarked && !hasFolder(text) ? NONE : read;
}

/** Undefined if `text` is not a path of the workspace. */
function readKnown(text: string, known: KnownPaths): Named | undefined {
  const found = known.find(text);
  return found === undefined ? undefined : found === null ? unreadable(text) : named(found);
}

/** Reads a fence's info string: `ts src/a.ts`, `ts:src/a.ts`, `ts title="src/a.ts"`, `12:20:src/a.ts`, `src/a.ts`. */
export function readInfo(info: string, known: KnownPaths = NO_PATHS): Named {
  const text = info.trim();
  if (text === '' || text.length > MAX_PATH) return NONE;
  const attribute =
    /(?:^|[\s{,])(title|file|filename|path|filepath|name)\s{0,4}[=:]\s{0,4}(?:"([^"]*)"|'([^']*)'|(\S+))/i.exec(text);
  if (attribute) {
    const [, key, double, single, bare = ''] = attribute;
    const quoted = double ?? single;
    const value = quoted ?? (/[{[(]/.test(bare) ? bare : bare.replace(/[}\],]+$/, ''));
    const read = readKnown(value, known) ?? readPathText(withoutLines(value), true);
    // A title may be any words. A file attribute is a path, spaces included.
    const isPath = read.kind === 'unreadable' && quoted !== undefined && !/^(?:title|name)$/i.test(key!);
    return isPath && endsAsFile(value) && !hasSeveral(value) ? named(value) : read;
  }
  const [, range] = /^(?:\d{1,7}:){1,2}(\S.*)$/.exec(text) ?? [];
  if (range !== undefined) return readWhole(range, known);
  const [, language, rest] = /^([\w+#.-]{0,40}):(?!\d)(\S.*)$/.exec(text) ?? [];
  if (rest !== undefined && !/^[A-Za-z]$/.test(language!)) {
    const read = readWhole(rest, known);
    if (read.kind !== 'none') return read;
  }
  // The language, if there is one, comes first.
  const blank = text.search(/\s/);
  const behind = blank < 0 ? '' : text.slice(blank).trim();
  for (const all of [text, behind]) {
    const found = readKnown(all, known) ?? readKnown(withoutLines(all), known);
    if (found) return found;
  }
  const words = text.split(/\s+/);
  const reads = words.map((word) => readWord(word, known, true));
  const telling = reads.filter((read) => read.kind !== 'none');
  const [only] = telling;
  if (!only) return NONE;
  const at = reads.indexOf(only);
  // `ts src/my file.ts`: the words around the path may belong to it.
  const isAlone =
    telling.length === 1 && !words.slice(1).some((word, i) => i + 1 !== at && /^[\w.-]*[\\/][\w.\\/-]*$/.test(word));
  return isAlone ? only : unreadable(text);
}

/** Removes line numbers, which some models put after a path. */
const withoutLines = (text: string) => text.replace(/[#:]L?\d{1,7}(?:-L?\d{1,7})?$/, '');

const readWhole = (text: string, known: KnownPaths): Named => {
  const bare = withoutLines(text);
  return readKnown(text, known) ?? readKnown(bare, known) ?? readPathText(bare, false);
};

const hasSeveral = (text: string) => /[\p{L}\p{N}]\.\w{1,6}[,;\s]+\S*[\\/.]/u.test(text);

/** The files that a text mentions, and words that look like a path but are ambiguous. */
export interface Mentions {
  paths: string[];
  unreadable?: string;
}

/** What a line of prose mentions. In a heading, a name without a folder counts as a file, too. */
export function mentionsIn(line: string, known: KnownPaths = NO_PATHS, isHeading = false): Mentions {
  if (line.length > MAX_PATH) return { paths: [] };
  const reads: Named[] = [];
  const outside = line.replace(/`{1,8}([^`]+)`{1,8}/g, (_, span: string) => {
    const text = span.trim();
    const read =
      readKnown(text, known) ?? readKnown(withoutLines(text), known) ?? readPathText(withoutLines(text), true);
    if (endsAsFile(withoutLines(text)) || readKnown(text, known)) reads.push(read);
    return ' \u0001 ';
  });
  const { paths, rest } = known.within(outside);
  for (const path of paths) reads.push(path === null ? unreadable(line) : named(path));
  const words = rest.split(/[\s*]+/).filter((word) => word !== '');
  const last = unquoted(words.at(-1) ?? '');
  const endsAsName = !hasFolder(last) && (last.endsWith('\0') || endsAsSource(last));
  for (const [index, word] of words.entries()) {
    const read = readWord(word, known, isHeading);
    if (read.kind !== 'none') reads.push(read);
    // `src/my file.ts`: the word after the space is not a file of its own.
    const isCut =
      /[^\s\\/][\\/][^\s\\/]/.test(word) && !endsAsFile(unquoted(word)) && !/^(?:and\/or|https?:)/i.test(word);
    const next = unquoted(words[index + 1] ?? '');
    if (isCut && (endsAsName || next === '\0' || isFileName(next))) reads.push(unreadable(line));
  }
  const unread = reads.find((read) => read.kind === 'unreadable');
  return {
    paths: [...new Set(reads.flatMap((read) => (read.kind === 'named' ? [read.path] : [])))],
    ...(unread && { unreadable: unread.text }),
  };
}

/** A word of prose is a path only if it has a folder, because e.g. and Node.js are no files. */
function readWord(word: string, known: KnownPaths, takesNames: boolean): Named {
  const bare = withoutLines(unquoted(word));
  const found = readKnown(bare, known);
  if (found && (hasFolder(bare) || takesNames)) return found;
  if (!endsAsFile(bare)) return NONE;
  if (hasFolder(bare)) return readPathText(bare, false);
  return takesNames && (isFileName(bare) || /^[A-Z][a-z]+file$/.test(bare)) ? named(bare) : NONE;
}

/** Removes the marks around a word that are not part of it: `(src/a.ts),` but not `(auth)/a.ts`. */
function unquoted(word: string): string {
  let text = word;
  // A bound: no one writes more marks around a name.
  for (let again = true, step = 0; again && step < 12; step++) {
    const before = text;
    text = text.replace(/^["'“”‘’«»„<]|["'“”‘’«»>.,:;!?：，。、]$/g, '');
    const [first = '', last = ''] = [text[0], text.at(-1)];
    const count = (mark: string) => text.split(mark).length;
    if ('([{'.includes(first) && count(first) > count(CLOSER[first] ?? '')) text = text.slice(1);
    else if (')]}'.includes(last) && count(last) > count(OPENER[last] ?? '')) text = text.slice(0, -1);
    else if (/^[([{].*[)\]}]$/s.test(text) && CLOSER[first] === last && count(first) === 2) text = text.slice(1, -1);
    again = text !== before && text !== '';
  }
  return text;
}
const CLOSER: Record<string, string> = { '(': ')', '[': ']', '{': '}' };
const OPENER: Record<string, string> = { ')': '(', ']': '[', '}': '{' };

/** All files that a text of several lines mentions, such as an instruction. */
export function pathsIn(text: string, known?: KnownPaths): string[] {
  return [...new Set(text.split('\n').flatMap((line) => mentionsIn(line, known).paths))];
}

/** Whether any line of a text mentions a file. */
export const speaksOfFiles = (text: string): boolean =>
  text.split('\n').some((line) => {
    const { paths, unreadable: unread } = mentionsIn(line, NO_PATHS, isHeading(line));
    return paths.length > 0 || unread !== undefined || readLine(line).kind !== 'none';
  });

/** A line that is bold as a whole is a heading, too. */
const isHeading = (line: string) => /^\s*#|^\s*\*\*[^*]+\*\*[:：]?\s*$/.test(line);

/** Reads a heading. A name without a folder is a file there, but it is resolved only if it matches `before`. */
function readHeading(line: string, before: Named, known: KnownPaths): Named {
  const own = readLine(line, known);
  if (own.kind !== 'none') return own;
  const { paths, unreadable: unread } = mentionsIn(line, known, true);
  const [only] = paths;
  if (unread !== undefined || paths.length > 1) return unreadable(line);
  if (only === undefined) return NONE;
  if (hasFolder(only) || known.find(only) !== undefined) return named(only);
  return before.kind === 'named' && only === baseName(before.path) ? NONE : unreadable(line);
}

/** The path in the last line of its own, or in a heading, above other words. */
function headingOf(prose: readonly string[], before: Named, known: KnownPaths): Named {
  const read = (line: string) => (isHeading(line) ? readHeading(line, before, known) : readLine(line, known));
  const lines = prose.map((line) => ({ line, said: read(line) })).filter(({ said }) => said.kind !== 'none');
  const last = lines.at(-1);
  if (!last) return NONE;
  const isOnly = lines.every(({ said }) => isSame(said, last.said));
  return isOnly || /^\s*#/.test(last.line) ? last.said : unreadable(last.line);
}

const isSame = (a: Named, b: Named) => a.kind === 'named' && b.kind === 'named' && a.path === b.path;

/** The file that the prose above a block names. If it names none: `before`, the file of the previous blocks. */
export function readAbove(prose: readonly string[], before: Named = NONE, known: KnownPaths = NO_PATHS): Named {
  const lines = lastOf(prose);
  const nearest = lines.at(-1) ?? '';
  const own = isHeading(nearest) ? readHeading(nearest, before, known) : readLine(nearest, known);
  if (own.kind === 'unreadable') return own;
  if (own.kind === 'named') return isCurrent(own.path, before, known) ? before : own;
  const heading = headingOf(lines, before, known);
  if (heading.kind === 'unreadable') return heading;
  const current = heading.kind === 'named' ? heading : before;
  const mentions = mentionsIn(nearest, known);
  if (mentions.unreadable !== undefined) return unreadable(mentions.unreadable);
  const others = mentions.paths.filter((path) => !isCurrent(path, current, known));
  const [only] = others;
  if (only === undefined) {
    // An earlier line's file may be the right one, unless this line or a heading names another.
    const isNamed = mentions.paths.length > 0 || heading.kind === 'named';
    return (isNamed ? undefined : spokenOf(lines, current, known)) ?? readEnd(nearest, current);
  }
  // A sentence's only file is the right one if the sentence introduces it, or if no file is known so far.
  const leadsOver = /\.\w{1,16}[`'"*)]{0,8}[:：][\s*_]{0,8}$|^\s*#/.test(nearest.slice(-100)) || /^\s*#/.test(nearest);
  const isAnnounced = current.kind === 'none' || (heading.kind === 'none' && leadsOver);
  return mentions.paths.length === 1 && isAnnounced ? named(only) : unreadable(nearest);
}

/**
 * The file that prose names for plain code after it. A marked change shows by itself whether it fits the file of a
 * sentence. Code does not, so the sentence must introduce it.
 */
function readAboveCode(prose: string, known: KnownPaths = NO_PATHS): Named {
  const lines = prose.split('\n').filter((line) => line.trim() !== '');
  const told = readAbove(lines, NONE, known);
  if (told.kind !== 'named') return told;
  const nearest = lines.at(-1) ?? '';
  const isOnly = (line: string) =>
    isSame(isHeading(line) ? readHeading(line, NONE, known) : readLine(line, known), told);
  return /[:：][\s*_]{0,8}$/.test(nearest.slice(-20)) || lines.some(isOnly) ? told : unreadable(nearest);
}

/** The file of plain code: from its info string, else from the prose above it. */
export function readFenced(info: string, prose: string, known?: KnownPaths): Named {
  const inInfo = readInfo(info, known);
  return inInfo.kind === 'none' ? readAboveCode(prose, known) : inInfo;
}

/** The lines above a block that may name its file. */
function lastOf(prose: readonly string[]): string[] {
  const lines: string[] = [];
  let left = MAX_PROSE;
  for (let at = prose.length - 1; at >= 0 && lines.length < MAX_PROSE_LINES && left > 0; at--) {
    const line = prose[at]!;
    if (line.length > MAX_PATH || line.trim() === '') continue;
    left -= line.length;
    lines.push(line);
  }
  return lines.reverse();
}

/** Whether `path` is another spelling of the file of `current`. */
function isCurrent(path: string, current: Named, known: KnownPaths): boolean {
  if (current.kind !== 'named') return false;
  if (path === current.path) return true;
  if (!isEndOf(path, current.path) || known.size === 0) return false;
  return known.find(path) === undefined && known.endingWith(path) === current.path;
}

/** A file other than `current` that earlier lines mention. It can't be told whether it is meant. */
function spokenOf(lines: readonly string[], current: Named, known: KnownPaths): Named | undefined {
  for (const line of lines.slice(0, -1)) {
    const mentions = mentionsIn(line, known);
    const isOther = mentions.paths.some((path) => hasFolder(path) && !isCurrent(path, current, known));
    if (isOther || mentions.unreadable !== undefined) return unreadable(mentions.unreadable ?? line);
  }
  return undefined;
}

/** Reads a line such as "And in b.ts:" or "my b.ts", which ends with a name without its folder; else `current`. */
function readEnd(line: string, current: Named): Named {
  const text = line.trim().replace(/[\s*_]{1,8}$/, '');
  const leadsOver = /[:：]$/.test(text);
  const end = candidatesOf(text).at(-1)!.text;
  const word = unquoted(end.slice(end.search(/\S+$/)));
  const isName = leadsOver ? /^[^\s`'"()*/\\]+\.[A-Za-z]\w{0,9}$/.test(word) : isFileName(word) && text.endsWith(word);
  if (!isName) return current;
  if (current.kind === 'named') return word === baseName(current.path) ? current : unreadable(word);
  if (current.kind === 'unreadable' || !isFileName(word)) return current;
  return end === word ? named(word) : unreadable(end);
}
