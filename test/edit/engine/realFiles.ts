// Real files, true edits of them made of their own lines, and how an answer writes such an edit down.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Draws a whole number below `n`. */
export type Draw = (n: number) => number;

export interface RealFile {
  path: string;
  lines: string[];
  /** The lines without blanks around them. */
  trimmed: string[];
  /** One level of indentation, by the most frequent step. */
  unit: string;
}

/** Lines `start` to `end` become `fresh`. */
export interface TrueEdit {
  start: number;
  end: number;
  fresh: string[];
}

/** `at`: the file's line that it is. */
export interface WrittenLine {
  op: 'keep' | 'old' | 'new';
  text: string;
  at?: number;
}

export interface RealCase {
  file: RealFile;
  edits: TrueEdit[];
  before: string;
  after: string;
  /** Each edit among lines that stay, which together stand once in the file. */
  blocks: WrittenLine[][];
}

const PACKAGES = fileURLToPath(new URL('../../../node_modules', import.meta.url));

/** Folders and files of packages that differ in language, in style, and in the characters of their indentation. */
const SOURCES = [
  'prom-client/lib',
  'nodemailer/lib/mailer',
  'nodemailer/lib/mime-funcs',
  'semver/classes',
  'semver/ranges',
  'preact/src',
  'hono/dist/helper/cookie',
  'hono/dist/middleware/cors',
  'kysely/dist/esm/parser',
  'mocha/lib',
  'mocha/lib/reporters',
  'highlight.js/styles',
  'pure-rand/lib/esm',
  'diff/libesm/diff',
  ...['hono', 'zod', 'semver', 'glob', 'minimatch', 'marked', 'debug', 'yargs', 'nodemailer', 'pino'].flatMap(
    (name) => [`${name}/README.md`, `${name}/package.json`],
  ),
  ...['ajv', 'chalk', 'dompurify', 'esbuild', 'fast-check', 'jose', 'kysely', 'openai', 'undici', 'yazl'].map(
    (name) => `${name}/README.md`,
  ),
];
const EXTENSIONS = /\.(?:[cm]?[jt]sx?|css|json|md|ya?ml|py|go|c|h|cc|sh|rs|java|rb|php|html)$/;
const [LEAST, MOST] = [25, 400];

/** None where the packages are not there. `EDIT_SOURCES`: further folders, parted by colons, to look at other languages. */
export function realFiles(): RealFile[] {
  const more = (process.env.EDIT_SOURCES ?? '').split(':').filter((folder) => folder !== '');
  const named = [...SOURCES.map((name) => join(PACKAGES, name)), ...more].filter(existsSync);
  const paths = named.flatMap((path) =>
    statSync(path).isDirectory()
      ? readdirSync(path, { withFileTypes: true })
          .filter((entry) => entry.isFile() && EXTENSIONS.test(entry.name))
          .map(({ name }) => join(path, name))
          .sort()
          .slice(0, more.includes(path) ? 400 : 6)
      : [path],
  );
  return paths.flatMap((path) => {
    const text = readFileSync(path, 'utf8');
    const lines = text.replace(/\n$/, '').split('\n');
    const isFit =
      lines.length >= LEAST && lines.length <= MOST && !text.includes('\r') && lines.every((line) => line.length < 400);
    const name = path.slice(path.lastIndexOf('/') + 1);
    const unit = unitOf(lines);
    return isFit && ['\t', '  ', '    '].includes(unit)
      ? [{ path: `src/${name.replace(/[^\w.-]/g, '_')}`, lines, trimmed: lines.map((line) => line.trim()), unit }]
      : [];
  });
}

export const indentOf = (line: string) => /^[ \t]*/.exec(line)![0];
export const isBlank = (line: string) => line.trim() === '';

function unitOf(lines: readonly string[]): string {
  const steps = new Map<string, number>();
  let above = '';
  for (const line of lines.filter((each) => !isBlank(each))) {
    const indent = indentOf(line);
    const step = indent.startsWith(above) ? indent.slice(above.length) : '';
    if (step !== '') steps.set(step, (steps.get(step) ?? 0) + 1);
    above = indent;
  }
  return [...steps].sort((a, b) => b[1] - a[1])[0]?.[0] ?? '  ';
}

/** A generator of numbers that are the same for everybody (mulberry32). */
export function drawsOf(seed: number): Draw {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

const identifiers = (text: string) => text.match(/\b[A-Za-z_]\w{3,}\b/g) ?? [];

/** An edit of the lines from `from` to `to`, made of lines and words that stand elsewhere in the file. */
function someEdit(draw: Draw, { lines, unit }: RealFile, from: number, to: number): TrueEdit | undefined {
  const start = from + draw(Math.max(1, to - from));
  const line = lines[start]!;
  if (isBlank(line)) return undefined;
  const indent = indentOf(line);
  /** Lines of the file that begin as far in as this one. */
  const others = (most: number) => {
    const at = draw(lines.length);
    const found = lines.findIndex((other, index) => index >= at && !isBlank(other) && indentOf(other) === indent);
    if (found === -1) return [];
    let end = found + 1;
    while (
      end < lines.length &&
      end - found < most &&
      indentOf(lines[end]!).startsWith(indent) &&
      !isBlank(lines[end]!)
    )
      end++;
    return lines.slice(found, end);
  };
  const kind = draw(6);
  if (kind === 0) return { start, end: start, fresh: others(4) };
  if (kind === 1) return { start, end: Math.min(to, start + 1 + draw(3)), fresh: [] };
  if (kind === 2) return { start, end: Math.min(to, start + 1 + draw(2)), fresh: others(3) };
  if (kind === 3) {
    const heads = lines.filter((other) => indentOf(other) === indent && /[{:]$/.test(other));
    const head = heads[draw(Math.max(1, heads.length))];
    const end = Math.min(to, start + 1 + draw(3));
    const wrapped = lines.slice(start, end);
    if (!head || wrapped.some((each) => !isBlank(each) && !indentOf(each).startsWith(indent))) return undefined;
    const inner = wrapped.map((each) => (isBlank(each) ? each : unit + each));
    return { start, end, fresh: [head, ...inner, ...(head.endsWith('{') ? [`${indent}}`] : [])] };
  }
  const [own, all] = [identifiers(line), identifiers(lines.slice(0, 80).join('\n'))];
  const word = own[draw(Math.max(1, own.length))];
  const other = all[draw(Math.max(1, all.length))];
  if (!word || !other) return undefined;
  return { start, end: start + 1, fresh: [line.replace(word, () => other)] };
}

const MOST_CONTEXT = 8;

/** The lines of an edit among lines that stay, which together stand once; undefined where that takes too many. */
function blockOf(
  draw: Draw,
  { lines, trimmed }: RealFile,
  { start, end, fresh }: TrueEdit,
  low: number,
  high: number,
): WrittenLine[] | undefined {
  let first = Math.max(low, start - 1 - draw(3));
  let last = Math.min(high, end + 1 + draw(3));
  const isOnce = () => {
    const wanted = trimmed.slice(first, last);
    let found = 0;
    for (let at = 0; at + wanted.length <= trimmed.length; at++) {
      if (wanted[0] === trimmed[at] && wanted.every((text, index) => trimmed[at + index] === text)) found++;
    }
    return found === 1 && wanted.filter((text) => /\w{3}/.test(text)).length > 1;
  };
  while (!isOnce()) {
    if (start - first > MOST_CONTEXT || (first === low && last === high)) return undefined;
    first = Math.max(low, first - 1);
    last = Math.min(high, last + 1);
  }
  const range = (from: number, to: number, op: 'keep' | 'old') =>
    Array.from({ length: to - from }, (_, i): WrittenLine => ({ op, text: lines[from + i]!, at: from + i }));
  return [
    ...range(first, start, 'keep'),
    ...range(start, end, 'old'),
    ...fresh.map((text): WrittenLine => ({ op: 'new', text })),
    ...range(end, last, 'keep'),
  ];
}

/** A case of one to three edits, far enough from each other; undefined when the draw makes none. */
export function someRealCase(draw: Draw, files: readonly RealFile[]): RealCase | undefined {
  const file = files[draw(files.length)]!;
  const { lines } = file;
  const edits: TrueEdit[] = [];
  const blocks: WrittenLine[][] = [];
  const count = 1 + draw(3);
  for (let index = 0; index < count; index++) {
    const low = Math.floor((lines.length * index) / count);
    const high = Math.floor((lines.length * (index + 1)) / count);
    const edit = someEdit(draw, file, low, high);
    // Equal lines at an edge of the edit are no part of it.
    if (!edit) continue;
    while (edit.end > edit.start && edit.fresh.length > 0 && lines[edit.start] === edit.fresh[0]) {
      edit.start++;
      edit.fresh = edit.fresh.slice(1);
    }
    while (edit.end > edit.start && edit.fresh.length > 0 && lines[edit.end - 1] === edit.fresh.at(-1)) {
      edit.end--;
      edit.fresh = edit.fresh.slice(0, -1);
    }
    if (edit.end === edit.start && edit.fresh.length === 0) continue;
    const block = blockOf(draw, file, edit, low, high);
    if (!block) continue;
    edits.push(edit);
    blocks.push(block);
  }
  if (edits.length === 0) return undefined;
  const result = [...lines];
  for (const { start, end, fresh } of edits.toReversed()) result.splice(start, end - start, ...fresh);
  return { file, edits, blocks, before: `${lines.join('\n')}\n`, after: `${result.join('\n')}\n` };
}

export const side = (block: readonly WrittenLine[], op: 'old' | 'new') =>
  block.filter((line) => line.op === 'keep' || line.op === op).map(({ text }) => text);

export const linesOf = (text: string) => text.replace(/\n$/, '').split('\n');

export function searchReplace({ file }: RealCase, blocks: readonly (readonly WrittenLine[])[]): string[] {
  return blocks.flatMap((block) => [
    file.path,
    '````',
    '<<<<<<< SEARCH',
    ...side(block, 'old'),
    '=======',
    ...side(block, 'new'),
    '>>>>>>> REPLACE',
    '````',
    '',
  ]);
}

const MARKS = { keep: ' ', old: '-', new: '+' };

export function patch({ file }: RealCase, blocks: readonly (readonly WrittenLine[])[]): string[] {
  const parts = blocks.flatMap((block) => ['@@', ...block.map(({ op, text }) => MARKS[op] + text)]);
  return ['*** Begin Patch', `*** Update File: ${file.path}`, ...parts, '*** End Patch'];
}

/** In a fence that nothing in the file closes. */
export function wholeFile({ file }: RealCase, lines: readonly string[]): string[] {
  const longest = Math.max(2, ...lines.map((line) => (/^\s*(`+)/.exec(line)?.[1] ?? '').length));
  const marks = '`'.repeat(longest + 1);
  return ['The whole file:', '', `**${file.path}**`, '', marks, ...lines, marks, '', 'That is all.'];
}
