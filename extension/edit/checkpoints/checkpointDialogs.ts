import * as vscode from 'vscode';
import { type Checkpoint, type Direction, type LineSpan, tellLines } from '../changes/checkpoint.ts';
import { type FileChange, tellCounts } from '../changes/proposalState.ts';
import type { StaleChange } from '../proposals/acceptance.ts';
import { count } from '../words/messages.ts';

const VERBS = { takeBack: ['Take back', 'taken back'], applyAgain: ['Apply', 'applied again'] } as const;
const ICONS = { takeBack: 'discard', applyAgain: 'redo' } as const;

interface StaleItem extends vscode.QuickPickItem {
  change?: FileChange;
}

/** The files that prevent undoing a checkpoint or applying it again. */
export interface StaleFiles {
  direction: Direction;
  stale: readonly (StaleChange & { lines: readonly LineSpan[] })[];
  /** The number of files that can be changed. */
  others: number;
  /** The address of a change's file as the user accepted it. */
  accepted(change: FileChange): vscode.Uri;
}
/** True: change the other files only. */
export type AskAboutStale = (ask: StaleFiles) => Promise<boolean>;

/**
 * Lists the conflicting files with reasons, compares each accepted text with the current file, and offers the others.
 */
export const showStale: AskAboutStale = (ask) => {
  const { direction, stale, others } = ask;
  const [verb, done] = VERBS[direction];
  const pick = vscode.window.createQuickPick<StaleItem>();
  const files = stale.map(({ change, why, lines }): StaleItem => {
    const path = vscode.workspace.asRelativePath(vscode.Uri.parse(change.uri, true)).replaceAll('\\', '/');
    const name = path.slice(path.lastIndexOf('/') + 1);
    const place = tellLines(lines);
    const clause = why.charAt(0).toLowerCase() + why.slice(1).replace(/ \(near line \d+\)(?=\.$)/, '');
    const detail = place === '' ? why : `${place}: ${clause}`;
    return { label: `$(warning) ${name}`, description: path === name ? '' : path, detail, change };
  });
  const rest: StaleItem[] =
    others === 0
      ? []
      : [
          { label: '', kind: vscode.QuickPickItemKind.Separator },
          { label: `$(${ICONS[direction]}) ${verb} the others`, description: count(others, 'file') },
        ];
  const inTheWay = stale.length === 1 ? 'a file stands' : `${stale.length} files stand`;
  pick.title = `Nothing was ${done} yet: ${inTheWay} in the way`;
  pick.placeholder = `Choose a file to compare it${others === 0 ? '' : ', or go on without it'}`;
  pick.items = [...files, ...rest];
  // The list stays open while the user compares files.
  pick.ignoreFocusOut = true;
  return new Promise((resolve) => {
    pick.onDidAccept(async () => {
      const [item] = pick.activeItems;
      if (item?.change) await compare(ask.accepted(item.change), vscode.Uri.parse(item.change.uri, true));
      else if (item) {
        resolve(true);
        pick.hide();
      }
    });
    pick.onDidHide(() => {
      resolve(false);
      pick.dispose();
    });
    pick.show();
  });
};

async function compare(left: vscode.Uri, right: vscode.Uri): Promise<void> {
  const name = right.path.slice(right.path.lastIndexOf('/') + 1);
  const options: vscode.TextDocumentShowOptions = { preserveFocus: true, preview: true };
  const isThere = await vscode.workspace.fs.stat(right).then(
    () => true,
    () => false,
  );
  if (!isThere) await vscode.commands.executeCommand('vscode.open', left, options, `${name}, as it was accepted`);
  else await vscode.commands.executeCommand('vscode.diff', left, right, `${name}: as accepted ↔ now`, options);
}

interface CheckpointItem extends vscode.QuickPickItem {
  id?: string;
  direction?: Direction;
}

/** The list of accepted changes, newest first. Undefined if there are none, or the user cancels. */
export async function chooseCheckpoint(
  all: readonly Checkpoint[],
): Promise<{ id: string; direction: Direction } | undefined> {
  if (all.length === 0) {
    const text =
      'Nothing to take back yet: what you accept of an edit is kept here, and can be taken back at any time.';
    await vscode.window.showInformationMessage(text);
    return undefined;
  }
  const item = (checkpoint: Checkpoint, direction: Direction): CheckpointItem => ({
    label: `$(${ICONS[direction]}) ${checkpoint.source.title}`,
    description: tellTime(checkpoint.at),
    detail: tellFiles(checkpoint.files.filter((file) => file.isTakenBack === (direction === 'applyAgain'))),
    id: checkpoint.id,
    direction,
  });
  const applied = all.filter(({ state }) => state === 'applied').map((one) => item(one, 'takeBack'));
  const takenBack = all.filter(({ state }) => state === 'takenBack').map((one) => item(one, 'applyAgain'));
  const separator = (label: string): CheckpointItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
  const items = [
    ...applied,
    ...(takenBack.length === 0 ? [] : [separator('Taken back: choose to apply again'), ...takenBack]),
  ];
  const picked = await vscode.window.showQuickPick(items, {
    title: 'Take Back Applied Changes',
    placeHolder: applied.length === 0 ? 'All of them are taken back' : 'Which one? What you changed since stays',
    matchOnDetail: true,
  });
  return picked?.id && picked.direction ? { id: picked.id, direction: picked.direction } : undefined;
}

/** "client.ts +3 −1, totals.py +2 and 2 more". */
function tellFiles(files: Checkpoint['files']): string {
  const told = files
    .slice(0, 3)
    .map((file) => `${file.path.slice(file.path.lastIndexOf('/') + 1)} ${tellCounts(file)}`.trim());
  return told.join(', ') + (files.length > 3 ? ` and ${files.length - 3} more` : '');
}

function tellTime(at: number): string {
  const isToday = new Date(at).toDateString() === new Date().toDateString();
  const time = { hour: '2-digit', minute: '2-digit' } as const;
  const day = isToday ? {} : ({ day: 'numeric', month: 'short' } as const);
  return new Intl.DateTimeFormat(undefined, { ...day, ...time }).format(at);
}
