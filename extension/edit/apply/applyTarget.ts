import * as vscode from 'vscode';
import { languageIdOf } from '../../platform/languages.ts';
import { type FoundFile, nearestFirst, type WorkspaceFiles } from '../files/files.ts';

const MOST_LISTED = 5_000;

interface TargetItem extends vscode.QuickPickItem {
  uri?: vscode.Uri;
}

/**
 * The file for code that names none: the file in the active editor if it is in the same language, else the file that
 * the user chooses. Undefined if the user cancels. `mustAsk`: the active file may not be the right one. `spoken`: the
 * answer's words for the file.
 */
export async function chooseTarget(
  files: WorkspaceFiles,
  language: string | undefined,
  mustAsk = false,
  spoken?: string,
): Promise<FoundFile | undefined> {
  const wanted = await languageIdOf(language);
  const active = vscode.window.activeTextEditor?.document;
  // A language that the editor doesn't know rules out no file.
  const fits = active && isEditable(active.uri) && (wanted === undefined || isRelated(wanted, active.languageId));
  if (active && fits && !mustAsk) return files.at(active.uri);

  const open = nearestFirst(openFiles().filter(isEditable));
  const isOpen = new Set(open.map(String));
  const listed = (await vscode.workspace.findFiles('**/*', '**/{node_modules,.git}/**', MOST_LISTED)).filter(
    (uri) => !isOpen.has(uri.toString()),
  );
  const item = (uri: vscode.Uri): TargetItem => {
    const path = files.pathOf(uri);
    const name = path.slice(path.lastIndexOf('/') + 1);
    return { label: name, description: path.slice(0, -name.length - 1) || undefined, uri };
  };
  const separator = (label: string): TargetItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
  const newFile: TargetItem = { label: '$(new-file) New file…', alwaysShow: true };
  const items = [
    ...(open.length > 0 ? [separator('open'), ...open.map(item)] : []),
    ...(listed.length > 0 ? [separator('workspace'), ...listed.map(item).sort(byLabel)] : []),
    separator(''),
    newFile,
  ];
  const chosen = await vscode.window.showQuickPick(items, {
    title: 'Apply to which file?',
    placeHolder: spoken
      ? `The answer says “${spoken}”, which can be no one file of the workspace`
      : 'The answer doesn’t say which file this code is for',
    matchOnDescription: true,
  });
  if (!chosen) return undefined;
  return chosen.uri ? files.at(chosen.uri) : askForNewFile(files);
}

async function askForNewFile(files: WorkspaceFiles): Promise<FoundFile | undefined> {
  const path = await vscode.window.showInputBox({
    title: 'New file',
    prompt: 'Its path, from the workspace’s folder. Nothing is written before you accept it.',
    placeHolder: 'src/new.ts',
    validateInput: async (value) => {
      if (value.trim() === '') return undefined;
      const found = await files.find(value, true);
      if (found.kind === 'refused') return found.why;
      return found.kind === 'file' ? 'This file exists. Choose it from the list instead.' : undefined;
    },
  });
  return path?.trim() ? files.find(path, true) : undefined;
}

/** Files that are open in tabs, without settings pages, diffs or output. */
function openFiles(): vscode.Uri[] {
  const uris = vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .flatMap(({ input }) => (input instanceof vscode.TabInputText ? [input.uri] : []));
  return [...new Map(uris.map((uri) => [uri.toString(), uri])).values()];
}

const isEditable = ({ scheme }: vscode.Uri) =>
  scheme === 'untitled' || (scheme !== 'output' && vscode.workspace.fs.isWritableFileSystem(scheme) === true);

/** `tsx` code may belong in a `ts` file. */
const isRelated = (a: string, b: string) => familyOf(a) === familyOf(b);
const familyOf = (id: string) =>
  /^(?:java|type)script(?:react)?$/.test(id) ? 'script' : /^jsonc?$/.test(id) ? 'json' : id;

const byLabel = (a: TargetItem, b: TargetItem) => (a.label < b.label ? -1 : a.label > b.label ? 1 : 0);
