import { type Tokens, walkTokens } from 'marked';
import { BlockReader, isClosedFence } from './blocks.ts';
import { isCutWhole, readChanges, type ShownChange } from './changes.ts';
import { type Above, aboveInner, readFence } from './fence.ts';

/** A code block in the form in which it is shown. */
export interface ShownCode {
  language: string;
  file?: string;
  /** The block's file is unclear, so the user must choose it. */
  isUnclear?: true;
  /** The words that leave the file unclear: the block's info string and the end of the prose above it. */
  spoken?: { info: string; prose: string };
  text: string;
  /** False if the closing fence is missing. */
  isWhole: boolean;
  /** The changes in the block; null for plain code. */
  changes: ShownChange[] | null;
}

/** The text that a block adds to a file. For changes, only their new lines. */
export function broughtBy({ text, changes }: ShownCode): string {
  if (!changes) return text;
  const lines = changes.flatMap((file) => file.lines.filter(({ op }) => op === 'keep' || op === 'new'));
  return lines.map((line) => line.text).join('\n');
}

/** Shell commands and tool output. They are offered for a file only if the block names one. */
const NO_FILE = new Set(
  'sh bash zsh fish shell console terminal shellscript shellsession powershell pwsh ps1 cmd bat batch text txt plain plaintext output log stdout stderr csv http mermaid ascii tree'.split(
    ' ',
  ),
);
/** A diff that can't be read would be written into the file as it is. */
const NEVER = new Set(['diff', 'patch', 'udiff']);

/** Reads a code block's source. `closed`: the block is complete. `fallback`: the file for a block that names none. */
export function readCode(token: Tokens.Code, above: Above, closed: boolean, fallback?: string): ShownCode {
  const { language, isUnclear, file: named } = readFence(token.lang ?? '', above);
  // If a block names its file in words that can't be read, don't guess another file.
  const file = isUnclear ? undefined : (named ?? fallback);
  const isWhole = isClosedFence(token.raw.trimStart());
  // A block without a fence ends with its own end marker. Without that marker, it is broken.
  const isBroken = closed && !isWhole && isCutWhole(token.raw) === false;
  return {
    language,
    file,
    ...(isUnclear && { isUnclear, spoken: spokenOf(token.lang ?? '', above.prose) }),
    text: token.text,
    isWhole,
    changes: isBroken ? null : readChanges(token.text, file, closed, language),
  };
}

/** How many characters of these words are sent to the host, in whole lines. */
const MAX_SPOKEN = 4_096;

function spokenOf(info: string, prose: string): ShownCode['spoken'] {
  const end = prose.slice(-MAX_SPOKEN);
  const isCut = end.length < prose.length;
  return { info: info.slice(0, MAX_SPOKEN), prose: isCut ? end.slice(end.indexOf('\n') + 1) : end };
}

/** Whether to offer a code block of a finished answer for applying to a file. */
export function isApplicable({ language, file, text, isWhole, changes }: ShownCode): boolean {
  if (changes) return true;
  // Code that was cut off would delete the rest of its file.
  if (!isWhole || text.trim() === '' || NEVER.has(language)) return false;
  return file !== undefined || (language !== '' && !NO_FILE.has(language));
}

const pathsOf = ({ changes, file }: ShownCode) => (changes ?? [{ path: file }]).flatMap(({ path }) => path ?? []);

/**
 * Whether a block is applied together with the others of its answer. For marked changes the host may find a file name
 * that the view can't read, as in a list. Plain code without a file name is only applied by itself.
 */
export const isOfAll = (code: ShownCode) => code.changes !== null || pathsOf(code).length > 0;

/** Whether all files of a block, its `targets`, are among these workspace paths, which may be longer or shorter. */
export function isForOnly(targets: readonly (string | undefined)[], paths: readonly string[]): boolean {
  const isOf = (file: string | undefined) => file !== undefined && paths.some((path) => isSameFile(file, path));
  return targets.length > 0 && targets.every(isOf);
}

/** The files of a block after they are moved; undefined for those without a name. */
export const targetsOf = ({ changes, file }: ShownCode): (string | undefined)[] =>
  changes ? changes.map(({ movedTo, path }) => movedTo ?? path) : [file];

/** An answer may omit folders, and in a workspace of several folders a path begins with a folder's name. */
function isSameFile(named: string, path: string): boolean {
  const file = named.replaceAll('\\', '/').replace(/^\.?\//, '');
  return file === path || path.endsWith(`/${file}`) || file.endsWith(`/${path}`);
}

/** A block that can be applied together with the others of its answer. */
export interface ApplicableBlock {
  /** See `blockId`. */
  block: string;
  text: string;
  language: string;
  path?: string;
  /** The files that it is for; empty if the view can't read a name. */
  files: string[];
  /** The same after they are moved. */
  targets: string[];
}

/** The blocks of a finished answer that "apply all" covers; null if there is only one, which has its own button. */
export function listApplicable(markdown: string, fallback?: string): ApplicableBlock[] | null {
  const blocks: ApplicableBlock[] = [];
  const add = (code: ShownCode) => {
    if (!isOfAll(code) || !isApplicable(code)) return;
    const { text, language, file: path } = code;
    const files = pathsOf(code).map((each) => each.replace(/^\.\//, ''));
    const targets = targetsOf(code).flatMap((target) => target ?? []);
    const block = { block: blockId(code), text, language: language.slice(0, 100), ...(path && { path }) };
    blocks.push({ ...block, files, targets });
  };
  for (const { token, closed, ...above } of new BlockReader().read(markdown, true)) {
    if (token.type === 'code') add(readCode(token as Tokens.Code, above, closed, fallback));
    else {
      const aboveAll = aboveInner(token.raw);
      walkTokens([token], (inner) => {
        if (inner.type === 'code') add(readCode(inner as Tokens.Code, aboveAll, true, fallback));
      });
    }
  }
  return blocks.filter(({ files }) => files.length > 0).length > 1 ? blocks : null;
}

/** A block's id within its answer, a hash of its contents: 53 bits (cyrb53, public domain) in base 36. */
export function blockId({ file = '', text }: ShownCode): string {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (const part of [file, '\n', text]) {
    for (let i = 0; i < part.length; i++) {
      const unit = part.charCodeAt(i);
      a = Math.imul(a ^ unit, 2654435761);
      b = Math.imul(b ^ unit, 1597334677);
    }
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (4294967296 * (2097151 & b) + (a >>> 0)).toString(36);
}
