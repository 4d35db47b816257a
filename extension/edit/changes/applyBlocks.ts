import type { KnownPaths } from '../../../shared/answers/answerPaths.ts';
import { splitThoughts } from '../../../shared/answers/thoughts.ts';
import { isDiff } from '../../../shared/answers/unifiedDiff.ts';
import type { Edit, FilePlan, PlacedHunk, Refusal, StandingEdit } from '../engine/edits.ts';
import { planEdits } from '../engine/planning/plan.ts';
import { AnswerReader } from '../engine/reading/answerReader.ts';
import { isBlockHead } from '../engine/reading/blockReader.ts';
import { readDiff } from '../engine/reading/diffReader.ts';
import { isPatchHead } from '../engine/reading/patchReader.ts';
import { planSnippet } from '../engine/snippets/snippet.ts';
import { moveRange } from '../hunks/track.ts';
import { hunksOf } from './proposalState.ts';

/** The parts of an answer that can be applied, and descriptions of those that are left out. */
export interface Blocks {
  edits: Edit[];
  skipped: string[];
}

const SHELLS =
  /^(?:bash|sh|shell|zsh|fish|console|shellsession|shell-session|terminal|powershell|pwsh|ps1|cmd|bat|batch)$/i;
const SHELL_FILES = /\.(?:sh|bash|zsh|fish|ps1|cmd|bat)$|(?:^|\/)[^.]+$/i;

/**
 * Reads all blocks of an answer. It leaves out commands, diffs that can't be read, and code without a file name.
 * `known`: the paths that the answer may name.
 */
export function readAnswerBlocks(answer: string, known?: KnownPaths): Blocks {
  const { text } = splitThoughts(answer);
  const reader = new AnswerReader(undefined, known);
  const read = [...reader.feed(text), ...reader.end()];
  const lines = text.split('\n');
  const skipped: string[] = [];
  const edits = read.filter((edit) => {
    if (edit.kind !== 'whole') return true;
    const language = languageOf(lines[edit.answerLine - 1] ?? '');
    const why = whySkipped(edit, language);
    if (why) skipped.push(why);
    return !why;
  });
  return { edits, skipped };
}

/** Reads one code block without its fence. `path`: the file that the answer names for it. */
export function readCode(
  text: string,
  language: string | undefined,
  path: string | undefined,
  known?: KnownPaths,
): Blocks {
  if (text.split('\n').some((line) => isBlockHead(line) || isPatchHead(line))) {
    const reader = new AnswerReader(path, known);
    return { edits: [...reader.feed(text.endsWith('\n') ? text : `${text}\n`), ...reader.end()], skipped: [] };
  }
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const edit: Edit & { kind: 'whole' } = { kind: 'whole', path, lines, answerLine: 1 };
  // The user chose this block, so apply it. Only a diff that can't be read is refused.
  if (!isDiff(lines, language ?? '', path)) return { edits: [edit], skipped: [] };
  const edits = readDiff(edit, language ?? '');
  return edits ? { edits, skipped: [] } : { edits: [], skipped: [DIFF] };
}

const DIFF = 'a diff that names no file or can’t be read';

/** The language in a fence's info string. */
function languageOf(line: string): string {
  return /^[ \t]*(?:`{3,}|~{3,})[ \t]*([\w+#-]*)(?=$|[\s:{])/.exec(line)?.[1] ?? '';
}

function whySkipped(edit: Edit & { kind: 'whole' }, language: string): string | undefined {
  const { path } = edit;
  if (isDiff(edit.lines, language, path)) return DIFF;
  // The path of a shell block may just be a file that the prose above mentions, so only a script's path counts.
  if (SHELLS.test(language) && (path === undefined || !SHELL_FILES.test(path))) return `commands (${language})`;
  if (edit.unreadable !== undefined) return `code for “${edit.unreadable}”, which is no file that can be told`;
  if (path === undefined) return language ? `${language} without a file’s name` : 'code without a file’s name';
  return undefined;
}

/**
 * Plans the edits against the files' texts from `read`. Code for an existing file may be the whole file or a snippet;
 * several snippets are inserted one after the other. `cursorIn`: the user's line in a file, from 0.
 */
export function planBlocks(
  edits: readonly Edit[],
  read: (path: string) => string | undefined,
  cursorIn: (path: string) => number | undefined = () => undefined,
): FilePlan[] {
  const isPieces = (path: string | undefined): path is string =>
    path !== undefined &&
    read(path) !== undefined &&
    edits.every((edit) => edit.path !== path || edit.kind === 'whole');
  const plans = planEdits(
    edits.filter(({ path }) => !isPieces(path)),
    read,
    { isOld: true },
  );
  const paths = [...new Set(edits.map(({ path }) => path))].filter(isPieces);
  for (const path of paths) {
    const pieces = edits.flatMap((edit) => (edit.kind === 'whole' && edit.path === path ? [edit] : []));
    plans.push(planPieces(path, read(path)!, pieces, cursorIn(path)));
  }
  return plans;
}

function planPieces(
  path: string,
  before: string,
  pieces: readonly (Edit & { kind: 'whole' })[],
  cursor: number | undefined,
): FilePlan {
  let text = before;
  const refusals: Refusal[] = [];
  const named: NamedStep[] = [];
  const standing: StandingEdit[] = [];
  for (const { lines, answerLine, block, reading } of pieces) {
    // An earlier snippet changed the text, so the cursor's line is no longer valid.
    const plan = planSnippet(path, text, lines, text === before ? cursor : undefined, reading);
    if (plan.kind === 'update') {
      if (block !== undefined) named.push({ block, before: text, hunks: plan.hunks });
      text = plan.after;
    } else if (plan.kind === 'refused') {
      refusals.push(...plan.refusals.map((refusal) => ({ ...refusal, answerLine })));
      standing.push({ answerLine, ...(block !== undefined && { block }), isSure: true });
    }
  }
  const isOnlyKnown = refusals.every(({ reason }) => reason === 'noChange');
  if (refusals.length > 0 && !(isOnlyKnown && text !== before)) {
    return { kind: 'refused', path, before, refusals, placed: [] };
  }
  const hunks = withBlocks(hunksOf(before, text), before, named);
  return { kind: 'update', path, before, after: text, hunks, ...(standing.length > 0 && { standing }) };
}

/** The result of one named block, applied after the blocks before it. */
interface NamedStep {
  block: string;
  before: string;
  hunks: readonly PlacedHunk[];
}

/** Adds to each hunk the blocks that change its lines. `hunks` are all changes that the steps make to `before`. */
function withBlocks(hunks: readonly PlacedHunk[], before: string, steps: readonly NamedStep[]): PlacedHunk[] {
  const named = steps.map(({ block, before: text, hunks: own }) => {
    // Maps lines of the text that the block found back to the original text.
    const earlier = hunksOf(text, before).map(({ startLine, oldLines, newLines }) => ({
      start: startLine,
      removed: oldLines.length,
      inserted: newLines,
    }));
    const ranges = own.map(({ startLine, oldLines }) =>
      moveRange({ start: startLine, end: startLine + oldLines.length }, earlier, 'wide'),
    );
    return { block, ranges };
  });
  return hunks.map((hunk) => {
    const [start, end] = [hunk.startLine, hunk.startLine + hunk.oldLines.length];
    const blocks = named.flatMap(({ block, ranges }) =>
      ranges.some((range) => range.start <= end && start <= range.end) ? [block] : [],
    );
    return blocks.length > 0 ? { ...hunk, blocks: [...new Set(blocks)] } : hunk;
  });
}
