import * as vscode from 'vscode';
import type { FoundPiece, WorkspaceIndex } from './workspaceIndex.ts';

/** The pieces that the list shows. */
const LIMIT = 10;
/** Typing goes on: a question is asked when it pauses. */
const CALM_MS = 250;

interface PieceItem extends vscode.QuickPickItem {
  piece: FoundPiece;
}

/** Asks for a question, shows the pieces that fit it, and opens the chosen one. */
export async function findByQuestion(index: WorkspaceIndex, question: unknown): Promise<void> {
  const why = index.whyNot();
  if (why) {
    await vscode.window.showInformationMessage(why);
    return;
  }
  const pick = vscode.window.createQuickPick<PieceItem>();
  pick.title = 'Find in Workspace by Question';
  pick.placeholder = 'What do you look for? For example: where are failed requests tried again';
  pick.matchOnDescription = false;
  if (typeof question === 'string') pick.value = question;
  let turn = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const search = async () => {
    const own = ++turn;
    const asked = pick.value.trim();
    pick.busy = asked !== '';
    const pieces = asked === '' ? [] : await index.find(asked, LIMIT).catch(() => []);
    if (own !== turn) return;
    pick.items = pieces.map(itemOf);
    pick.busy = false;
    pick.title = `Find in Workspace by Question${asked !== '' && index.isBuilding ? ' (the index is still being built)' : ''}`;
  };
  const telling = index.onProgress((files) => {
    if (pick.busy) pick.title = `Find in Workspace by Question: reading files, ${files.toLocaleString('en')} so far`;
  });
  pick.onDidChangeValue(() => {
    clearTimeout(timer);
    turn++;
    timer = setTimeout(() => void search(), CALM_MS);
  });
  const done = new Promise<FoundPiece | undefined>((resolve) => {
    pick.onDidAccept(() => {
      const [item] = pick.activeItems;
      if (!item) return;
      resolve(item.piece);
      pick.hide();
    });
    pick.onDidHide(() => {
      turn++;
      clearTimeout(timer);
      telling.dispose();
      pick.dispose();
      resolve(undefined);
    });
  });
  pick.show();
  void search();
  const chosen = await done;
  if (!chosen) return;
  const selection = new vscode.Range(chosen.from - 1, 0, chosen.from - 1, 0);
  const editor = await vscode.window.showTextDocument(chosen.uri, { selection });
  const lines = new vscode.Range(chosen.from - 1, 0, chosen.to - 1, 0);
  editor.revealRange(lines, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

function itemOf(piece: FoundPiece): PieceItem {
  const slash = piece.path.lastIndexOf('/');
  const first = piece.text.split('\n').find((line) => /[\p{L}\p{N}]/u.test(line)) ?? '';
  return {
    label: `$(file-code) ${piece.path.slice(slash + 1)}`,
    description: `${piece.path.slice(0, Math.max(0, slash))} ${piece.from}–${piece.to}`.trim(),
    detail: first.trim().slice(0, 200),
    // The words of a question need not stand in a path.
    alwaysShow: true,
    piece,
  };
}
