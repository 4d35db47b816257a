// Matches lines of a snippet to lines of the file.
import { type Block, blockAt, declarationOf, isAttached, isTelling, opensBlock } from '../text/blocks.ts';
import type { IndexedFile } from '../text/indexedFile.ts';
import { isBlank } from '../text/loose.ts';

/** Line `own` of the snippet is line `line` of the file: unchanged, or a rewritten declaration of the same name. */
export interface Anchor {
  own: number;
  line: number;
}

export interface Snippet {
  lines: readonly string[];
  keys: readonly string[];
  /** Lines that stand for omitted code. */
  isElided: readonly boolean[];
  /** The snippet has blanks for the file's tabs, or tabs for its blanks. */
  isRestyled?: boolean;
}

/** How many lines beyond the snippet's length to search for its outer lines. */
const NEAR = 8;

/** A block of the snippet and the matching block of the file. */
export interface BlockPair {
  own: Block & { start: number };
  file: Block & { start: number };
}

/**
 * The anchors in order. A line is an anchor if its text is unique in both texts; if its declaration is unique in both;
 * if it closes a block whose head is an anchor; or if it continues from an anchor. Undefined if the anchors stand in a
 * different order than in the file.
 */
export function findAnchors(file: IndexedFile, snippet: Snippet): Anchor[] | undefined {
  const declared = sameDeclarations(file, snippet);
  const blocks = declared.flatMap((anchor) => blockPair(file, snippet, anchor) ?? []);
  const ownBlocks = innermost(
    snippet.lines.length,
    blocks.map(({ own }) => own),
  );
  const fileBlocks = innermost(
    file.lines.length,
    blocks.map((block) => block.file),
  );
  const isAcross = ({ own, line }: Anchor) => ownBlocks[own] !== fileBlocks[line];
  const heads = declared.filter((anchor) => !isAcross(anchor));
  const single = singleLines(file, snippet).filter((anchor) => !isAcross(anchor));
  const known = new AnchorList(file, snippet);
  const found = [...heads, ...single];
  for (const anchor of found.length > 0 ? found : singleRuns(file, snippet)) if (!known.add(anchor)) return undefined;
  // The end of a block is not unique, so it is matched through its head.
  known.addEnds();
  known.extend();
  known.addEnds();
  known.extend();
  known.addEdges();
  known.dropBesideElisions();
  return known.all();
}

/** For each line, the innermost of `blocks` around it; -1 for none. `blocks` are in the order of their heads. */
function innermost(length: number, blocks: readonly { start: number; end: number }[]): Int32Array {
  const found = new Int32Array(length).fill(-1);
  for (const [index, { start, end }] of blocks.entries()) found.fill(index, start, end);
  return found;
}

export function blockPair(file: IndexedFile, { lines }: Snippet, { own, line }: Anchor): BlockPair | undefined {
  const mine = blockAt(lines, own);
  const theirs = mine && blockAt(file.lines, line);
  return theirs && { own: { ...mine, start: own }, file: { ...theirs, start: line } };
}

function sameDeclarations(file: IndexedFile, { lines, isElided }: Snippet): Anchor[] {
  const inFile = declarations(file.lines);
  const own = declarations(lines.map((line, index) => (isElided[index] ? '' : line)));
  return [...own].flatMap(([name, [first, ...more]]) => {
    const [line, ...others] = inFile.get(name) ?? [];
    return line === undefined || others.length > 0 || more.length > 0 ? [] : [{ own: first!, line }];
  });
}

/** The lines, by the name that they declare. */
export function declarations(lines: readonly string[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const [index, line] of lines.entries()) {
    const name = declarationOf(line);
    if (name === undefined) continue;
    const known = found.get(name);
    if (known) known.push(index);
    else found.set(name, [index]);
  }
  return found;
}

function singleLines(file: IndexedFile, { keys, isElided }: Snippet): Anchor[] {
  const times = new Map<string, number>();
  for (const key of keys) times.set(key, (times.get(key) ?? 0) + 1);
  return keys.flatMap((key, own) => {
    const [line, ...others] = file.at(key);
    const isSingle = line !== undefined && others.length === 0 && times.get(key) === 1;
    return isSingle && !isElided[own] && isTelling(key) ? [{ own, line }] : [];
  });
}

/**
 * If no line is unique: two or three lines whose sequence is unique. The head of one of several functions of one name
 * is not part of it, because the lines after it may be new.
 */
function singleRuns(file: IndexedFile, { keys, isElided }: Snippet): Anchor[] {
  for (const length of [2, 3]) {
    const found = keys.flatMap((_, own) => {
      const run = keys.slice(own, own + length);
      if (run.some((key) => declarationOf(key) !== undefined)) return [];
      if (run.length < length || isElided.slice(own, own + length).includes(true) || !run.some(isTelling)) return [];
      const [line, ...others] = file.places(run);
      const isRepeated = keys.some((_, other) => other !== own && run.every((key, at) => keys[other + at] === key));
      return line === undefined || others.length > 0 || isRepeated
        ? []
        : run.map((_, at) => ({ own: own + at, line: line + at }));
    });
    if (found.length > 0) return found;
  }
  return [];
}

/** Anchors whose lines ascend in both texts. */
class AnchorList {
  /** The file's line for each line of the snippet, -1 if unknown. */
  private readonly lines: Int32Array;
  /** Anchors found only as a continuation of others. */
  private readonly extended = new Set<number>();

  constructor(
    private readonly file: IndexedFile,
    private readonly snippet: Snippet,
  ) {
    this.lines = new Int32Array(snippet.keys.length).fill(-1);
  }

  all(): Anchor[] {
    const anchors: Anchor[] = [];
    for (const [own, line] of this.lines.entries()) if (line !== -1) anchors.push({ own, line });
    return anchors;
  }

  /** Returns false and does nothing if the anchor crosses another one. */
  add({ own, line }: Anchor): boolean {
    const { lines } = this;
    if (lines[own] !== -1) return lines[own] === line;
    let above = own - 1;
    while (above >= 0 && lines[above] === -1) above--;
    let below = own + 1;
    while (below < lines.length && lines[below] === -1) below++;
    if (above >= 0 && lines[above]! >= line) return false;
    if (below < lines.length && lines[below]! <= line) return false;
    lines[own] = line;
    return true;
  }

  /** Adds anchors for the lines that close the same block in both texts. */
  addEnds(): void {
    for (const anchor of this.all()) {
      const block = blockPair(this.file, this.snippet, anchor);
      if (!block?.own.isClosed || !block.file.isClosed) continue;
      const end = { own: block.own.end - 1, line: block.file.end - 1 };
      if (this.snippet.keys[end.own] === this.file.keys[end.line]) this.add(end);
    }
  }

  /** Adds anchors for the lines that continue from an anchor, up and down, as in the file. */
  extend(): void {
    const { keys, isElided } = this.snippet;
    const taken = new Set(this.lines);
    for (const direction of [1, -1]) {
      for (const anchor of this.all()) {
        let { own, line } = anchor;
        for (;;) {
          own += direction;
          line += direction;
          const isFree = own >= 0 && own < keys.length && !isElided[own] && this.lines[own] === -1 && !taken.has(line);
          if (!isFree || keys[own] !== this.file.keys[line]) break;
          // A continuation never crosses another anchor.
          this.lines[own] = line;
          this.extended.add(own);
          taken.add(line);
        }
      }
    }
  }

  /**
   * Adds anchors near an edge of the snippet: its last lines may match lines below in the file, its first lines those
   * above.
   */
  addEdges(): void {
    const { keys, isElided } = this.snippet;
    const anchors = this.all();
    const [first, last] = [anchors[0], anchors.at(-1)];
    if (!first || !last) return;
    const above = keys.slice(0, first.own);
    const below = keys.slice(last.own + 1);
    // The run must be unique among the lines nearby.
    const isSaid = (run: readonly string[], from: number, to: number) =>
      run.some(isTelling) && this.file.places(run).filter((at) => at >= from && at < to).length === 1;
    for (let length = above.length - 1; length > 0 && !isElided.slice(0, first.own).includes(true); length--) {
      const start = first.line - length;
      const run = above.slice(0, length);
      if (!run.every((key, at) => key === this.file.keys[start + at])) continue;
      if (!isSaid(run, first.line - 2 * above.length - NEAR, first.line)) continue;
      for (const at of run.keys()) this.add({ own: at, line: start + at });
      break;
    }
    for (let length = below.length - 1; length > 0 && !isElided.slice(last.own).includes(true); length--) {
      const run = below.slice(-length);
      if (!run.every((key, at) => key === this.file.keys[last.line + 1 + at])) continue;
      if (!isSaid(run, last.line + 1, last.line + 2 * below.length + NEAR)) continue;
      for (const at of run.keys()) this.add({ own: keys.length - length + at, line: last.line + 1 + at });
      break;
    }
  }

  /**
   * If new lines stand between an anchor and omitted code, a bracket or a blank line that continues from the anchor may
   * belong to the new lines instead.
   */
  dropBesideElisions(): void {
    const { keys, isElided } = this.snippet;
    for (const [index, elided] of isElided.entries()) {
      if (!elided) continue;
      for (const direction of [1, -1]) {
        let own = index + direction;
        while (own >= 0 && own < keys.length && this.lines[own] === -1 && !isElided[own]) own += direction;
        const isNext =
          own === index + direction ||
          keys.slice(Math.min(index, own) + 1, Math.max(index, own)).every((key) => key === '');
        while (!isNext && this.extended.has(own) && !isTelling(keys[own]!)) {
          this.lines[own] = -1;
          own += direction;
        }
      }
    }
  }
}

/** Whether lines `start` to `end` of the snippet are only whole declarations that the file doesn't have (`known`). */
export function isNewDeclarations(
  lines: readonly string[],
  start: number,
  end: number,
  known: ReadonlyMap<string, unknown>,
): boolean {
  let found = false;
  // A comment at the end may belong to the line that follows in the file.
  let isOpen = false;
  for (let at = start; at < end; ) {
    const line = lines[at]!;
    if (isBlank(line) || isAttached(line)) {
      isOpen ||= isAttached(line);
      at++;
      continue;
    }
    const name = declarationOf(line);
    if (name === undefined || known.has(name)) return false;
    found = true;
    isOpen = false;
    const block = blockAt(lines, at);
    if (block ? !block.isClosed && /[{([]\s*$/.test(line) : opensBlock(line)) return false;
    at = block?.end ?? at + 1;
    if (at > end) return false;
  }
  return found && !isOpen;
}
