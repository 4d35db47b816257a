// Matches each edit to a block of the answer as the chat shows it, and lists what is left out.

import type { Edit, FilePlan } from '../engine/edits.ts';
import { isBlank, looseKey } from '../engine/text/loose.ts';

/** A block that the chat shows. Its paths are relative to the workspace. */
export interface NamedBlock {
  name: string;
  /** Files in which it is applied, or waits for the user. */
  done: readonly string[];
  /** The edits that the block contains. The path is undefined if the chat could not read one. */
  edits: readonly Edit[];
}

export interface NamedEdits {
  /** The edits to apply, with the names of their blocks. */
  edits: Edit[];
  /** Descriptions of edits that belong to no block. */
  skipped: string[];
}

/**
 * Assigns `edits`, which the host reads from the whole answer, to the blocks that the chat wants to apply. Host and
 * chat parse by different rules (indented fences, the words above them), so edits are compared by their effect. An edit
 * of no block is left out and reported, because it may have been applied before. A malformed edit stays, and blocks its
 * file.
 */
export function nameEdits(edits: readonly Edit[], blocks: readonly NamedBlock[]): NamedEdits {
  const open = blocks.flatMap((block) => block.edits.map((edit) => ({ block, edit, isTaken: false })));
  const byPath = groupBy(open, ({ edit }) => keyOf(edit));
  const pathless = groupBy(
    open.filter(({ edit }) => edit.path === undefined),
    ({ edit }) => keyOf({ ...edit, path: undefined }),
  );
  const take = (own: typeof open | undefined) => {
    const found = own?.find(({ isTaken }) => !isTaken);
    if (found) found.isTaken = true;
    return found?.block;
  };
  const named = edits.map((edit) => ({ edit, block: take(byPath.get(keyOf(edit))) }));
  const result: NamedEdits = { edits: [], skipped: [] };
  for (const { edit, block: own } of named) {
    const block = own ?? take(pathless.get(keyOf({ ...edit, path: undefined })));
    if (block) {
      if (!isDone(edit, block)) result.edits.push({ ...edit, block: block.name });
    } else if (edit.kind === 'malformed') result.edits.push(edit);
    else result.skipped.push(tellUnnamed(edit));
  }
  return result;
}

/** Drops edits that write or delete a whole file exactly as an earlier edit does. */
export function withoutRepeats(edits: readonly Edit[]): Edit[] {
  const seen = new Set<string>();
  return edits.filter((edit) => {
    const isAll = edit.kind !== 'change' ? edit.kind !== 'malformed' : edit.lines.every(({ op }) => op === 'new');
    if (!isAll) return true;
    const { kind, path } = edit;
    const lines = 'lines' in edit ? edit.lines : [];
    const key = JSON.stringify([kind, path, edit.kind === 'move' && edit.to, lines]);
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

/** The blocks that contribute to `plan`. Blocks whose edits are in the file already are not among them. */
export function blocksOf(edits: readonly Edit[], plan: FilePlan): Pick<FilePlan, 'blocks'> {
  const left = new Set(plan.standing?.map(({ answerLine, block }) => `${answerLine} ${block}`));
  const names = edits.flatMap(({ path, block, answerLine }) =>
    path === plan.path && block !== undefined && !left.has(`${answerLine} ${block}`) ? [block] : [],
  );
  return names.length > 0 ? { blocks: [...new Set(names)] } : {};
}

/** Descriptions of the edits that plans leave out because the files contain them already. */
export function tellStanding(plans: readonly FilePlan[]): string[] {
  return plans.flatMap(({ path, standing = [] }) =>
    standing.map(({ line, isSure }) => {
      if (line === undefined) return `code for ${path} that stands in it already`;
      if (isSure) return `a change of ${path} that is made already (line ${line})`;
      return `a change of ${path} that may be made already (line ${line})`;
    }),
  );
}

/** A block for several files may be done in only some of them. */
function isDone(edit: Edit, { done, edits }: NamedBlock): boolean {
  const files = new Set(edits.map(({ path }) => path));
  if (done.length === 0 || files.size < 2) return done.length > 0;
  const move = edits.find((other) => other.kind === 'move' && other.path === edit.path);
  return [edit.path, move?.kind === 'move' ? move.to : undefined].some(
    (path) => path !== undefined && done.includes(path),
  );
}

/** A key that is equal for edits with the same effect, whatever their indentation and blank lines. */
function keyOf(edit: Edit): string {
  const { kind, path } = edit;
  switch (edit.kind) {
    case 'change': {
      const lines = edit.lines.filter(({ text }) => !isBlank(text)).map(({ op, text }) => [op, looseKey(text)]);
      return JSON.stringify([kind, path, edit.headings, lines]);
    }
    case 'move':
      return JSON.stringify([kind, path, edit.to]);
    case 'delete':
      return JSON.stringify([kind, path]);
    case 'create':
    case 'whole':
    case 'malformed': {
      const lines = edit.lines.filter((line) => !isBlank(line)).map(looseKey);
      return JSON.stringify([kind, path, lines]);
    }
    default:
      return edit satisfies never;
  }
}

const tellUnnamed = ({ path, answerLine }: Edit) =>
  `a change of ${path ?? 'a file without a name'} at line ${answerLine} of the answer, which is in no block that is offered`;

function groupBy<T>(items: readonly T[], keyOfItem: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOfItem(item);
    const known = groups.get(key);
    if (known) known.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
