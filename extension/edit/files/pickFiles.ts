import * as vscode from 'vscode';
import { MAX_ATTACHMENTS } from '../../../shared/runs.ts';
import { holdsSecrets } from '../../platform/secrecy/guarded.ts';
import { judgedPath } from '../../platform/secrecy/judgedPath.ts';

interface FileItem extends vscode.QuickPickItem {
  uri: vscode.Uri;
}

/** How many workspace files are offered beside the open ones. */
const MAX_OFFERED = 5_000;

export interface PickedFiles {
  files: vscode.Uri[];
  /** The instruction, if the user typed it into this box. */
  typed: string;
}

/**
 * Asks which files to edit. Open files come first, and the active one is already chosen. Undefined if the user cancels.
 * `pathOf`: the displayed path of a file.
 */
export async function pickFiles(pathOf: (uri: vscode.Uri) => string): Promise<PickedFiles | undefined> {
  const pick = vscode.window.createQuickPick<FileItem | vscode.QuickPickItem>();
  pick.title = 'Edit in Workspace';
  pick.placeholder = 'Which files? Those named in the instruction are added';
  pick.canSelectMany = true;
  pick.matchOnDescription = true;
  const toItem = (uri: vscode.Uri): FileItem => {
    const path = pathOf(uri);
    const at = path.lastIndexOf('/');
    return { label: path.slice(at + 1), description: at < 0 ? undefined : path.slice(0, at), uri };
  };
  const open = openFiles();
  const active = vscode.window.activeTextEditor?.document.uri.toString();
  const openItems = open.map(toItem);
  const separator = (label: string) => ({ label, kind: vscode.QuickPickItemKind.Separator });
  pick.items = [separator('open'), ...openItems];
  pick.selectedItems = openItems.filter(({ uri }) => uri.toString() === active && !holdsSecrets(judgedPath(uri)));
  pick.busy = true;
  const known = new Set(open.map((uri) => uri.toString()));
  void vscode.workspace.findFiles('**/*', undefined, MAX_OFFERED).then((found) => {
    const others = found.filter((uri) => !known.has(uri.toString())).map(toItem);
    others.sort((a, b) => (`${a.description ?? ''}/${a.label}` < `${b.description ?? ''}/${b.label}` ? -1 : 1));
    const { selectedItems } = pick;
    pick.items = [separator('open'), ...openItems, separator('workspace'), ...others];
    pick.selectedItems = selectedItems;
    pick.busy = false;
  });
  return new Promise((resolve) => {
    pick.onDidAccept(() => {
      const chosen = pick.selectedItems.flatMap((item) => ('uri' in item ? [item.uri] : []));
      if (chosen.length > MAX_ATTACHMENTS) {
        pick.title = `Edit in Workspace: at most ${MAX_ATTACHMENTS} files, ${chosen.length} are chosen`;
        return;
      }
      // Text that matches no file was meant as the instruction, which the next box asks for.
      const typed = pick.value.trim();
      const isSearch = chosen.length > 0 && !/\s/.test(typed);
      resolve({ files: chosen, typed: isSearch ? '' : typed });
      pick.hide();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}

/** The files in the tabs, the active one first. */
function openFiles(): vscode.Uri[] {
  const inputs = vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs.map(({ input }) => input));
  const uris = inputs.flatMap((input) => (input instanceof vscode.TabInputText ? [input.uri] : []));
  const active = vscode.window.activeTextEditor?.document.uri;
  const first = active && uris.some((uri) => uri.toString() === active.toString()) ? [active] : [];
  return [...new Map([...first, ...uris].map((uri) => [uri.toString(), uri])).values()];
}
