import * as vscode from 'vscode';

/** Files of instructions and prompts are short texts: larger ones are not read. */
const MOST_BYTES = 1_000_000;
const MOST_FILES = 100;
/** The most entries of folders that are looked at in search of them. */
const MOST_ENTRIES = 500;

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
  try {
    const why = await whyNot(uri);
    if (why !== undefined) return { why };
    if (stat.size > MOST_BYTES) return { why: `${name} is larger than 1 MB.` };
    const bytes = await vscode.workspace.fs.readFile(uri);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.includes('\0') ? { why: `${name} is no text.` } : { text };
  } catch {
    return { why: `${name} can’t be read as text.` };
  }
}

/**
 * Files by the end of their name, in a folder and the folders in it down to a depth, by path; or why the folder isn't
 * read. `whyNot` judges the folder first, because a link may lead to any other. Links in it are not entered.
 */
export async function findBelow(
  folder: vscode.Uri,
  ending: string,
  { deepest, whyNot }: { deepest: number; whyNot: Judge },
): Promise<{ uris: vscode.Uri[]; why?: string }> {
  const uris: vscode.Uri[] = [];
  let left = MOST_ENTRIES;
  const look = async (at: vscode.Uri, depth: number): Promise<void> => {
    const entries = await vscode.workspace.fs.readDirectory(at);
    for (const [name, type] of entries.sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (left === 0 || uris.length === MOST_FILES) return;
      left -= 1;
      const uri = vscode.Uri.joinPath(at, name);
      if (type & vscode.FileType.File && name.endsWith(ending)) uris.push(uri);
      else if (type === vscode.FileType.Directory && depth < deepest) await look(uri, depth + 1).catch(() => {});
    }
  };
  try {
    await vscode.workspace.fs.stat(folder);
    const why = await whyNot(folder);
    if (why !== undefined) return { uris, why };
    await look(folder, 0);
  } catch {
    // There is no such folder.
  }
  return { uris };
}
