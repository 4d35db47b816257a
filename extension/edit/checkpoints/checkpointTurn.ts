import * as vscode from 'vscode';
import { changeOf, type Direction, isMade, linesInTheWay } from '../changes/checkpoint.ts';
import type { FileChange } from '../changes/proposalState.ts';
import { readFile } from '../files/files.ts';
import { acceptChanges, type StaleChange } from '../proposals/acceptance.ts';
import { type AskAboutStale, showStale } from './checkpointDialogs.ts';
import { ACCEPTED_SCHEME, type CheckpointMeta, type CheckpointTexts } from './checkpointStore.ts';

/**
 * The numbers of the files that now have the wanted state, and how many of them were written for it. `partly`: not all
 * files; `blocked`: none.
 */
export type Turned =
  | { kind: 'done' | 'partly' | 'blocked'; files: ReadonlySet<number>; written: number }
  | { kind: 'failed'; message: string };

/**
 * Takes back the files of a checkpoint that are still applied, or applies them again, as a single undo step. A file
 * with conflicting later changes stays as it is; the others are changed only if the user agrees.
 */
export async function turnFiles(
  { id, files, source }: CheckpointMeta,
  texts: CheckpointTexts,
  direction: Direction,
  ask: AskAboutStale = showStale,
): Promise<Turned> {
  const wanted = new Map<FileChange, number>();
  for (const [file, { isTakenBack, uri, movedTo }] of files.entries()) {
    if (isTakenBack !== (direction === 'applyAgain')) continue;
    const { before, after } = texts[file]!;
    const accepted = { uri, movedTo, before: before ?? undefined, after: after ?? undefined };
    wanted.set(changeOf(accepted, source, direction), file);
  }
  const left: FileChange[] = [];
  for (const change of wanted.keys()) if (!(await isMadeNow(change))) left.push(change);
  const made = new Set([...wanted.keys()].filter((change) => !left.includes(change)));
  const already = made.size;

  let isAsked = false;
  const goOn = async (stale: readonly StaleChange[], others: number) => {
    isAsked = true;
    const inTheWay = await Promise.all(stale.map(async (one) => ({ ...one, lines: await linesNow(one.change) })));
    const accepted = (change: FileChange) => acceptedUri(id, wanted.get(change)!, change.uri, direction);
    return ask({ direction, stale: inTheWay, others, accepted });
  };
  if (left.length > 0) {
    const outcome = await acceptChanges(left, goOn);
    if (outcome.kind === 'failed') return { kind: 'failed', message: tellFailed(outcome.left) };
    // If no other file is left, there is nothing to ask: only report the conflicts.
    if (outcome.kind === 'stale' && !isAsked) await goOn(outcome.stale, 0);
    if (outcome.kind === 'accepted') for (const change of outcome.changes) made.add(change);
  }
  const turned = new Set([...made].map((change) => wanted.get(change)!));
  const kind = turned.size === wanted.size ? 'done' : turned.size > 0 ? 'partly' : 'blocked';
  return { kind, files: turned, written: made.size - already };
}

/**
 * Whether a checkpoint's file is taken back now, judged by its text, because the editor's own undo and redo change
 * that, too. Undefined if the lines were changed, so that the text shows neither.
 */
export async function isTakenBackNow(
  { files, source }: CheckpointMeta,
  texts: CheckpointTexts,
  file: number,
): Promise<boolean | undefined> {
  const { uri, movedTo } = files[file]!;
  const { before, after } = texts[file]!;
  const accepted = { uri, movedTo, before: before ?? undefined, after: after ?? undefined };
  const isBack = await isMadeNow(changeOf(accepted, source, 'takeBack'));
  return isBack === (await isMadeNow(accepted)) ? undefined : isBack;
}

const isMadeNow = async (change: FileChange) =>
  isMade(change, await textAt(change.uri), change.movedTo === undefined ? undefined : await textAt(change.movedTo));

const linesNow = async (change: FileChange) => linesInTheWay(change, await textAt(change.uri));

async function textAt(address: string): Promise<string | undefined> {
  const now = await readFile(vscode.Uri.parse(address, true));
  return now.kind === 'file' ? now.text : undefined;
}

/** The address of the text that is at `uri` as long as it is unchanged. */
function acceptedUri(id: string, file: number, uri: string, direction: Direction): vscode.Uri {
  const { path } = vscode.Uri.parse(uri, true);
  const side = direction === 'takeBack' ? 'after' : 'before';
  return vscode.Uri.from({ scheme: ACCEPTED_SCHEME, path, query: `${id}/${file}/${side}` });
}

function tellFailed(left: readonly vscode.Uri[]): string {
  if (left.length === 0)
    return 'VS Code refused the changes, perhaps because a file is read-only. Nothing was changed.';
  const names = left.map((uri) => vscode.workspace.asRelativePath(uri)).join(', ');
  return `VS Code took only a part of the changes, and these could not be put back: ${names}.`;
}
