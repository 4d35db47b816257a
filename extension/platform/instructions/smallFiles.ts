import * as vscode from 'vscode';

/** Files of instructions and prompts are short texts: larger ones are not read. */
const MOST_BYTES = 1_000_000;
const MOST_FILES = 100;

/** Why a file may not be read; undefined if it may. */
export type Judge = (uri: vscode.Uri) => Promise<string | undefined>;

/**
 * The text of a file, or why it isn't read; undefined if there is no such file. `whyNot` judges it before it is read.
 */
export async function readSmallText(
  uri: vscode.Uri,
  whyNot: Judge,
): Promise<{ text: string } | { why: string } | undefined> {
  const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
  let stat: vscode.FileStat;
  try {
    stat = await vscode.workspace.fs.stat(uri);
  } catch {
    return undefined;
  }
  if ((stat.type & vscode.FileType.File) === 0) return undefined;
  const why = await whyNot(uri);
  if (why !== undefined) return { why };
  if (stat.size > MOST_BYTES) return { why: `${name} is larger than 1 MB.` };
  try {
    const bytes = await vscode.workspace.fs.readFile(uri);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.includes('\0') ? { why: `${name} is no text.` } : { text };
  } catch {
    return { why: `${name} can’t be read as text.` };
  }
}

/** Files by the end of their name, in a folder and the folders in it down to a depth, by path. Enters no link. */
export async function filesBelow(
  folder: vscode.Uri,
  ending: string,
  { deepest }: { deepest: number },
): Promise<vscode.Uri[]> {
  const entries = await vscode.workspace.fs.readDirectory(folder).then(
    (all) => all.sort(([a], [b]) => (a < b ? -1 : 1)),
    () => [],
  );
  const found: vscode.Uri[] = [];
  for (const [name, type] of entries) {
    const uri = vscode.Uri.joinPath(folder, name);
    if (type & vscode.FileType.File && name.endsWith(ending)) found.push(uri);
    else if (type === vscode.FileType.Directory && deepest > 0)
      found.push(...(await filesBelow(uri, ending, { deepest: deepest - 1 })));
    if (found.length >= MOST_FILES) break;
  }
  return found.slice(0, MOST_FILES);
}
