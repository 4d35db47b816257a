import { diffArrays } from 'diff';
import { readLine } from '../../../../shared/answers/answerPaths.ts';
import { isDiff, patchOfDiff } from '../../../../shared/answers/unifiedDiff.ts';

// The model's changes to files, parsed only for display. The edit engine parses them itself before it applies them.

export interface ShownLine {
  /** `gap`: omitted lines of the file. Its text is a heading above them, or empty. */
  op: 'keep' | 'old' | 'new' | 'gap';
  text: string;
}

/** The changes of one file. */
export interface ShownChange {
  path?: string;
  kind: 'update' | 'create' | 'delete' | 'move';
  movedTo?: string;
  lines: ShownLine[];
}

const HEAD = /^[ \t]*(?:<{5,9}|-{5,9}) ?SEARCH>?[ \t]*$/;
const DIVIDER = /^[ \t]*(={5,9})[ \t]*$/;
const TAIL = /^[ \t]*(?:>{5,9}|\+{5,9}) ?REPLACE>?[ \t]*$/;
/** A divider or a tail that may still be incomplete. */
const PARTIAL_MARK = /^[ \t]*(?:={0,9}|>{1,9} ?[A-Z]*|\+{5,9} ?[A-Z]*)$/;
const BEGIN = /^\s*\*\*\* Begin Patch\s*$/;
const END = /^\s*\*\*\* End Patch\s*$/;
const FILE = /^\s*\*\*\* (Add|Update|Delete) File:(.*)$/;
const MOVE = /^\s*\*\*\* Move to:(.*)$/;

/** Of a unified diff, before its heading. */
const LINE_NUMBERS = /^-\d+(?:,\d+)? \+\d+(?:,\d+)? @@ ?/;

/** With more differing lines than this, all are shown as removed and added: nobody reads them one by one. */
const MAX_DIFFERENT_LINES = 400;

/**
 * Parses a code block as search/replace blocks, a patch or a unified diff. Null if it is none or is malformed; then it is
 * shown as written. `path`: the file if the block names none. `ended`: the text is complete.
 */
export function readChanges(
  text: string,
  path: string | undefined,
  ended: boolean,
  language = '',
): ShownChange[] | null {
  const lines = text.split(/\r?\n/);
  const first = lines.findIndex((line) => line.trim() !== '');
  if (first < 0) return null;
  const isPatch = BEGIN.test(lines[first]!) || FILE.test(lines[first]!);
  if (isPatch) return readPatch(lines.slice(first), ended);
  const blocks = readBlocks(lines.slice(first), path, ended);
  if (blocks || !isDiff(lines, language, path)) return blocks;
  const patch = patchOfDiff(lines.slice(first), path);
  return patch ? readPatch(patch, ended) : null;
}

const UNFENCED = /^(?:<{5,9} ?SEARCH>?|\*\*\* Begin Patch)[ \t]*$/m;

/** The unfenced block or patch at the start of a Markdown text, up to its end or the end of the text. */
export function cutChanges(markdown: string): string | undefined {
  if (!/^(?:<{5}|\*{3} B)/.test(markdown) || UNFENCED.exec(markdown)?.index !== 0) return undefined;
  const end = markdown.startsWith('*') ? /^\*\*\* End Patch[ \t]*(?:\n|$)/m : /^>{5,9} ?REPLACE>?[ \t]*(?:\n|$)/m;
  const found = end.exec(markdown);
  return found ? markdown.slice(0, found.index + found[0].length) : markdown;
}

/** The text before an unfenced block or patch in the first paragraph of a Markdown text, if there is one. */
export function textBeforeChanges(markdown: string): string | undefined {
  const paragraph = markdown.slice(0, /\n[ \t]*\n/.exec(markdown)?.index);
  const at = /^ {0,3}(?:`{3}|~{3})/.test(paragraph) ? -1 : (UNFENCED.exec(paragraph)?.index ?? -1);
  return at > 0 ? markdown.slice(0, at) : undefined;
}

/** Whether the result of `cutChanges` has its end marker; undefined for any other code block. */
export function isCutWhole(raw: string): boolean | undefined {
  if (!/^(?:<{5}|\*{3} B)/.test(raw)) return undefined;
  const trimmed = raw.trimEnd();
  const last = trimmed.slice(trimmed.lastIndexOf('\n') + 1);
  return TAIL.test(last) || END.test(last);
}

/** Counts added and removed lines. */
export function countChanges(files: readonly ShownChange[]): { added: number; removed: number } {
  const of = (op: ShownLine['op']) =>
    files.reduce((sum, { lines }) => sum + lines.filter((line) => line.op === op).length, 0);
  return { added: of('new'), removed: of('old') };
}

function readBlocks(lines: readonly string[], path: string | undefined, ended: boolean): ShownChange[] | null {
  const files: ShownChange[] = [];
  let named = path;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    if (line.trim() === '') continue;
    if (!HEAD.test(line)) {
      // The last line may be an incomplete path or head.
      const isPartial = !ended && at === lines.length - 1 && files.length > 0;
      const said = readLine(line);
      // The file of these changes is unknown: show them as written.
      if (said.kind !== 'named' && !isPartial) return null;
      if (said.kind === 'named') named = said.path;
      continue;
    }
    const width = /[<-]+/.exec(line)![0].length;
    const search: string[] = [];
    let replace: string[] | undefined;
    for (at++; at < lines.length && !TAIL.test(lines[at]!); at++) {
      const inside = lines[at]!;
      if (HEAD.test(inside)) return null;
      if (DIVIDER.exec(inside)?.[1]?.length === width) {
        if (replace) return null;
        replace = [];
      } else if (ended || at < lines.length - 1 || !PARTIAL_MARK.test(inside)) (replace ?? search).push(inside);
    }
    const isWhole = at < lines.length;
    if (isWhole ? !replace : ended) return null;
    add(files, named, search, replace, isWhole);
  }
  return files.length > 0 ? files : null;
}

function add(
  files: ShownChange[],
  path: string | undefined,
  search: readonly string[],
  replace: readonly string[] | undefined,
  isWhole: boolean,
): void {
  const isNew = isWhole && search.every((line) => line.trim() === '');
  const lines: ShownLine[] = replace
    ? diff(isNew ? [] : search, replace)
    : search.map((text) => ({ op: 'keep', text }));
  // The lines that are still to come may keep the last old lines, so don't show those as removed yet.
  if (!isWhole) for (let i = lines.length - 1; lines[i]?.op === 'old'; i--) lines[i]!.op = 'keep';
  const last = files.at(-1);
  if (last && last.path === path && last.kind === 'update' && !isNew) {
    last.lines.push({ op: 'gap', text: '' }, ...lines);
  } else files.push({ path, kind: isNew ? 'create' : 'update', lines });
}

function diff(before: readonly string[], after: readonly string[]): ShownLine[] {
  const parts = diffArrays([...before], [...after], { maxEditLength: MAX_DIFFERENT_LINES });
  const all = (op: ShownLine['op'], texts: readonly string[]) => texts.map((text): ShownLine => ({ op, text }));
  if (!parts) return [...all('old', before), ...all('new', after)];
  return parts.flatMap(({ added, removed, value }) => all(added ? 'new' : removed ? 'old' : 'keep', value));
}

function readPatch(lines: readonly string[], ended: boolean): ShownChange[] | null {
  const files: ShownChange[] = [];
  for (const [index, line] of lines.entries()) {
    const file = files.at(-1);
    const isPartial = !ended && index === lines.length - 1;
    if (BEGIN.test(line) && index === 0) continue;
    if (END.test(line)) return lines.slice(index + 1).some((rest) => rest.trim() !== '') ? null : filled(files);
    const head = FILE.exec(line);
    const move = MOVE.exec(line);
    if (head) {
      files.push({ path: head[2]!.trim(), kind: KINDS[head[1] as keyof typeof KINDS], lines: [] });
    } else if (move && file?.kind === 'update') {
      file.kind = 'move';
      file.movedTo = move[1]!.trim();
    } else if (isPartial && (line === '' || line.startsWith('*'))) break;
    else if (!file || line.startsWith('***') || file.kind === 'delete') {
      if (line.trim() !== '' && !/^\*\*\* End of File\s*$/.test(line)) return null;
    } else if (line.startsWith('@@')) {
      const said = line.slice(2).trim().replace(LINE_NUMBERS, '');
      const text = (said.endsWith('@@') ? said.slice(0, -2) : said).trim();
      if (file.lines.length > 0 || text !== '') file.lines.push({ op: 'gap', text });
    } else if (line.startsWith('+')) file.lines.push({ op: 'new', text: line.slice(1) });
    else if (line.startsWith('-')) file.lines.push({ op: 'old', text: line.slice(1) });
    else if (file.kind === 'create' && line.trim() !== '') return null;
    else file.lines.push({ op: 'keep', text: line.replace(/^ /, '') });
  }
  return filled(files);
}

const KINDS = { Add: 'create', Update: 'update', Delete: 'delete' } as const;

const filled = (files: ShownChange[]) => (files.length > 0 ? files : null);
