// Which words name a file, and the file's name, without reading the disk.

import { decoded, MAX_PATH } from './knownPaths.ts';

/** What some words say about a file. Every caller must handle each kind. */
export type Named =
  | { kind: 'named'; path: string }
  /** No file is mentioned. */
  | { kind: 'none' }
  /** A file is mentioned but can't be identified. Callers must use neither it nor the previous file. */
  | { kind: 'unreadable'; text: string };

export const NONE: Named = { kind: 'none' };
export const named = (path: string): Named => ({ kind: 'named', path });
export const unreadable = (text: string): Named => ({ kind: 'unreadable', text: text.trim().slice(0, 200) });

const EXTENSION = /\.[\p{L}\p{N}_+-]{1,16}$/u;
/** Extensions of sources and settings, to tell `my page.tsx` from `return x.value`. */
const KNOWN_EXTENSION =
  /\.(?:[cm]?[jt]sx?|json[c5]?|vue|svelte|astro|html?|s?css|sass|less|py[iw]?|ipynb|rb|php|java|kts?|scala|go|rs|swift|dart|lua|cs|fs|vb|c|cc|cpp|cxx|h|hh|hpp|mm?|sh|bash|zsh|fish|ps1|bat|cmd|sql|graphql|gql|proto|prisma|ya?ml|toml|ini|cfg|conf|env|xml|mdx?|rst|txt|csv|tex|tf|hcl|gradle|lock|hs|exs?|erl|clj[cs]?|jl|r|zig|nim|pl|pm)$/i;
const WITHOUT_EXTENSION =
  /(?:^|[\\/])(?:Makefile|GNUmakefile|Dockerfile|Containerfile|Jenkinsfile|Vagrantfile|Brewfile|Justfile|LICEN[CS]E|COPYING|NOTICE|AUTHORS|README|CHANGELOG|CONTRIBUTING|CODEOWNERS|Gemfile|Rakefile|Procfile|Podfile|\.[\p{L}\p{N}_][\p{L}\p{N}_.-]*)$/u;
const PRODUCT =
  /^(?:(?:node|deno|next|nuxt|vue|react|express|nest|three|d3|ember|backbone|chart|moment|alpine|solid)\.js|socket\.io|(?:vb|asp|ado|ml)\.net)$/i;
/** Characters that are safe in every file system and in prose. */
const PLAIN = /^[^\s`'"‘’“”<>|?*:;,(){}=\0]+$/;
/** A path with a folder and without an extension. */
const FOLDERS_AND_NAME = /^[\p{L}\p{M}\p{N}_.@+~-]+(?:[\\/][\p{L}\p{M}\p{N}_.@+~-]+)+$/u;
const WORDS =
  /^(?:and\/or|[a-z]\/[a-z]|tcp\/ip|client\/server|input\/output|read\/write|yes\/no|true\/false|on\/off)$/i;
/** No name contains these, because of Windows; a line, quote or tag ends there. */
const NEVER = /[\p{Cc}`"<>|?*]/u;

export const baseName = (path: string) => path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
export const endsAsFile = (text: string) => EXTENSION.test(text) || WITHOUT_EXTENSION.test(text);
export const hasFolder = (text: string) => /[\\/]/.test(text);
/** Whether a name without a folder is more likely a file's than a property's or a product's. */
export const endsAsSource = (text: string) => KNOWN_EXTENSION.test(text) && !PRODUCT.test(text);
export const isFileName = (text: string) => KNOWN_EXTENSION.test(text) && !PRODUCT.test(text) && PLAIN.test(text);

/** The path that all of `text` is, if it is one. `isMarked`: marks or a word before it say that it is a single name. */
export function readPathText(text: string, isMarked: boolean): Named {
  if (text === '' || text.length > MAX_PATH) return NONE;
  if (/^[\p{L}][\p{L}\p{N}+.-]+:\/\//u.test(text)) return readAddress(text, isMarked);
  if (/[\\/]$/.test(text) || /^(?:[\d.]+$|\.{3})/.test(text) || PRODUCT.test(text)) return NONE;
  const withoutDrive = text.replace(/^[A-Za-z]:(?=[\\/])/, '');
  if (PLAIN.test(withoutDrive)) {
    if (endsAsFile(text)) return isBalanced(text) || hasFolder(text) ? named(text) : NONE;
    if (FOLDERS_AND_NAME.test(text)) return WORDS.test(text) ? NONE : named(text);
    return hasFolder(text) && isMarked && !/^[-!]/.test(text) ? unreadable(text) : NONE;
  }
  return readOdd(text, isMarked);
}

/** Reads a path with characters that prose and code contain, too, if nothing else would be written that way. */
function readOdd(text: string, isMarked: boolean): Named {
  const isPathLike =
    endsAsFile(text) && (hasFolder(text) ? /[^\s\\/][\\/][^\s\\/]/.test(text) : KNOWN_EXTENSION.test(text));
  if (!isPathLike) return NONE;
  // Code that ends with a property, or a command: `f(a/b).ts`, `--out=dist/a.js`, `"a/b".js`.
  if (NEVER.test(text) || /^[-!$]/.test(text)) return hasFolder(text) ? unreadable(text) : NONE;
  if (/\s/.test(text)) {
    if (hasFolder(text)) return isMarked || /^\S*[\\/]/.test(text) ? unreadable(text) : NONE;
    const isNames = /^[^;=(){}[\],'"]+$/.test(text) && !PRODUCT.test(text.slice(text.search(/\S+$/)));
    return isMarked && isNames ? unreadable(text) : NONE;
  }
  const segments = text.split(/[\\/]/);
  const isOneName = (segment: string) =>
    isBalanced(segment) && !/[;:"‘’“”]/.test(segment) && /^(?:[^']|(?<=\p{L})'(?=\p{L}))*$/u.test(segment);
  // `src/a.ts,src/b.ts` and `src/{a,b}.ts` are several paths; in `FILE=src/a.ts` the path has a label.
  const isSeveral =
    text.split(',').length > 1 &&
    text.split(',').some((part) => EXTENSION.test(part) && part !== text && !text.endsWith(part));
  const isSetting = /=/.test(segments[0]!) || /[{][^}]*,/.test(text);
  const isPath = hasFolder(text) && segments.every(isOneName) && !isSeveral && !isSetting;
  if (isPath) return named(text);
  return hasFolder(text) || isMarked ? unreadable(text) : NONE;
}

/** A web address is a quoted source. A file address names a file, but not by its path in the workspace. */
const readAddress = (text: string, isMarked: boolean): Named =>
  !/^https?:/i.test(text) || (isMarked && KNOWN_EXTENSION.test(text)) ? unreadable(text) : NONE;

function isBalanced(text: string): boolean {
  const open: string[] = [];
  for (const char of text) {
    const pair = PAIRS[char];
    if (pair) open.push(pair);
    else if (CLOSERS.has(char) && open.pop() !== char) return false;
  }
  return open.length === 0;
}
const PAIRS: Record<string, string> = { '(': ')', '[': ']', '{': '}' };
const CLOSERS = new Set(Object.values(PAIRS));

/** Whether both can name the same file: one is the end of the other, from a folder on. */
export function isEndOf(end: string, path: string): boolean {
  const [a, b] = [end, path].map((each) => each.replaceAll('\\', '/').normalize('NFC').replace(/^\.\//, ''));
  return a === b || b!.endsWith(`/${a}`);
}

const LABEL =
  /^(?:file ?(?:name|path)?|path|source file|target|datei(?:name|pfad)?|pfad|fichier|chemin|archivo|ruta|arquivo|caminho|файл|путь|文件(?:名|路径)?|檔案|文件路徑|路径|路徑|ファイル(?:名|パス)?|パス|파일(?:명| ?경로)?|경로)\s{0,8}(?:[:：](?!\/\/)|=)\s*/i;
const VERB =
  /^(?:in|inside|into|to|for|at|of|and|then|now|next|first|second|finally|lastly|also|update|updated|create|created|edit|modify|change|changes|add|new|rewrite|the|a|file|path|step \d{1,3}|\d{1,3}(?:\.\d{1,3}){0,3})[:：.]?\s+/i;
const LEAD =
  /^(?:>|[-*+•◦–—]\s|\d{1,3}(?:\.\d{1,3}){0,3}[.)]\s|\(\d{1,3}\)\s|#{1,6}\s|#(?![#!])|\/\/|--\s|\/\*+|<!--|[;%]+\s|REM\s|={2,}\s|~{2,}\s|\.\.\s)/i;
const SYMBOL = /^(?:\p{Extended_Pictographic}|\p{So}|→|\uFE0F|\u200D)+/u;
const LINES = /(?:[:#(]| {1,4}|, {0,4})(?:L|lines? {0,4})?\d{1,7}(?::\d{1,7})?(?: {0,4}[-–] {0,4}L?\d{1,7})?\)?$/i;
const QUOTES: Record<string, string> = {
  ...{ '"': '"', "'": "'", '“': '”', '‘': '’', '„': '“', '«': '»', '「': '」', '『': '』', '【': '】', '《': '》' },
  ...{ '<': '>', '(': ')', '[': ']', '{': '}', '|': '|', '*': '*', _: '_' },
};

/** A possible reading of a line. */
export interface Candidate {
  text: string;
  /** It is in quotes, backticks or similar, or after a word such as "File:". */
  isMarked: boolean;
  /** It is after a word such as "update", which may be prose. */
  isIntroduced: boolean;
}

/** The possible readings of a line, longest first: the whole line, then with decoration removed step by step. */
export function candidatesOf(line: string): Candidate[] {
  const all: Candidate[] = [];
  let at: Candidate | undefined = { text: line.trim(), isMarked: false, isIntroduced: false };
  // Each step removes something. No person writes a line that takes more steps.
  for (let step = 0; at && step < 24; step++) {
    all.push(at);
    at = peel(at);
  }
  return all;
}

function peel(from: Candidate): Candidate | undefined {
  const { text } = from;
  const to = (rest: string, more: Partial<Candidate> = {}): Candidate => ({ ...from, ...more, text: rest.trim() });
  const diff = /^(?:---|\+\+\+|diff --git) [ab]\/(.*)$/.exec(text);
  // `git diff` names a file twice, with the same words.
  if (diff) {
    const path = diff[1]!.split('\t', 1)[0]!;
    return to(text.startsWith('d') ? path.slice(0, (path.length - 3) / 2) : path, { isMarked: true });
  }
  const link = /^!?\[([^\]]*)\]\(<?([^()\s>]*(?:\([^()\s>]*\)[^()\s>]*){0,8})>?\)$/.exec(text);
  if (link)
    return to(readPathText(link[1]!.replace(/^`+|`+$/g, ''), true).kind === 'none' ? decoded(link[2]!) : link[1]!, {
      isMarked: true,
    });
  const tag = /^<([a-z]{1,20})>([^<>]+)<\/\1>$/i.exec(text);
  if (tag) return to(tag[2]!, { isMarked: true });
  for (const rule of [LEAD, SYMBOL]) {
    const found = rule.exec(text);
    if (found && found[0].length < text.length) return to(text.slice(found[0].length));
  }
  const close = closeOf(text);
  if (close > 0 && close < text.length) return to(text.slice(0, -close));
  // Emphasis may end anywhere, as in `**File:** a.ts`.
  if (text.includes('**')) return to(text.replaceAll('**', ''));
  if (text.startsWith('__') && text.endsWith('__') && text.length > 4) return to(text.slice(2, -2));
  const ticks = marksAround(text);
  if (ticks > 0) return to(text.slice(ticks, -ticks), { isMarked: true });
  const last = text.at(-1) ?? '';
  if (/[:：,;、。]/.test(last) || (last === '.' && /[\p{L}\p{N}_`'"*)\]]/u.test(text.at(-2) ?? ''))) {
    return to(text.slice(0, -1));
  }
  const quote = QUOTES[text[0] ?? ''];
  if (quote !== undefined && last === quote && text.length > 2 && !text.slice(1, -1).includes(text[0]!)) {
    if (!text.slice(1, -1).includes(quote)) return to(text.slice(1, -1), { isMarked: true });
  }
  const label = LABEL.exec(text);
  if (label) return to(text.slice(label[0].length), { isMarked: true });
  const remark = withoutRemark(text);
  if (remark !== undefined) return to(remark);
  const verb = VERB.exec(text);
  if (verb) return to(text.slice(verb[0].length), { isIntroduced: true });
  return undefined;
}

/** The length of a closing comment mark, or of the end of a line such as `=== a.ts ===`. */
function closeOf(text: string): number {
  if (text.endsWith('*/')) return 2;
  if (text.endsWith('-->')) return 3;
  const last = text.at(-1) ?? '';
  if (!'=#~'.includes(last)) return 0;
  let length = 0;
  while (length < text.length && text.at(-1 - length) === last) length++;
  return length > 1 ? length : 0;
}

/** The number of backticks around all of `text`, if there are none inside. */
function marksAround(text: string): number {
  let width = 0;
  while (text[width] === '`') width++;
  const inner = text.length - 2 * width;
  if (width === 0 || inner <= 0 || !text.endsWith('`'.repeat(width))) return 0;
  return text.slice(width, -width).includes('`') ? 0 : width;
}

/** Removes line numbers, "(new file)", "— the client" or ": the client" after a path. */
function withoutRemark(text: string): string | undefined {
  const lines = LINES.exec(text);
  if (lines && lines.index > 0) return text.slice(0, lines.index);
  if (text.endsWith(')')) {
    const open = text.lastIndexOf(' (');
    if (open > 0) return text.slice(0, open);
  }
  // If the rest ends in another file name, all of it is one name, as in `Page - old.tsx`, or several.
  if (KNOWN_EXTENSION.test(text)) return undefined;
  for (const mark of [' — ', ' – ', ' - ', ': ', '：', ' → ', ' // ', ' # ']) {
    const at = text.indexOf(mark);
    if (at <= 0) continue;
    const before = text.slice(0, at);
    const marks = marksAround(before);
    const bare = before.slice(marks, before.length - marks);
    if (readPathText(bare, true).kind !== 'none' && (marks > 0 || !/\s/.test(bare))) return before;
  }
  return undefined;
}
