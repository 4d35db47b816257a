import * as vscode from 'vscode';
import { holdsSecrets } from './secrecy/guarded.ts';
import { isLeftOut } from './secrecy/ignoreFiles.ts';
import { judgedPath } from './secrecy/judgedPath.ts';

/** How many folders above the workspace are searched for the repository's root. */
const MOST_ABOVE = 30;

/**
 * Why a file is sent only if the user chooses it, in a sentence; undefined if it may be sent unasked. If that can't be
 * determined, the file isn't sent. For a folder, the same of all its files.
 */
export async function whyNotUnasked(
  uri: vscode.Uri,
  { isTrusted = vscode.workspace.isTrusted, isFolder = false }: { isTrusted?: boolean; isFolder?: boolean } = {},
): Promise<string | undefined> {
  if (!isTrusted) return 'You do not trust this workspace, so Perigee sends nothing of it by itself.';
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  const root = folder?.uri.path.replace(/\/?$/, '/');
  const names = root ? uri.path.slice(root.length).split('/') : [];
  if (!folder || folder.uri.scheme !== uri.scheme || names.includes('..')) return `${OUTSIDE} ${CHOOSE}`;
  const name = names.at(-1);
  if (holdsSecrets(judgedPath(uri))) return `${name} may hold secrets. ${CHOOSE}`;
  try {
    if (await isBehindLink(folder.uri, names)) return `${name} is reached through a link. ${CHOOSE}`;
    if ((await isExcluded(folder, names)) || (await isIgnored(folder.uri, names, isFolder)))
      return `${name} is among the files that this workspace leaves out. ${CHOOSE}`;
  } catch {
    return `Whether ${name} may be sent could not be found out. ${CHOOSE}`;
  }
  return undefined;
}

const OUTSIDE = 'Perigee sends only files of the workspace by itself.';
const CHOOSE = 'Attach it yourself if you want to send it.';

/** A link may lead out of the workspace, and the editor's API does not tell its target. */
async function isBehindLink(folder: vscode.Uri, names: readonly string[]): Promise<boolean> {
  const places = names.map((_, last) => vscode.Uri.joinPath(folder, ...names.slice(0, last + 1)));
  const found = await Promise.all(places.map((place) => vscode.workspace.fs.stat(place)));
  return found.some(({ type }) => type & vscode.FileType.SymbolicLink);
}

async function isExcluded(folder: vscode.WorkspaceFolder, names: readonly string[]): Promise<boolean> {
  const excludes = excludesOf(folder);
  for (const last of names.keys())
    if (await excludes(vscode.Uri.joinPath(folder.uri, ...names.slice(0, last + 1)))) return true;
  return false;
}

/**
 * Whether a file or folder is itself excluded by `files.exclude`, `search.exclude` or one of `more` globs, with the
 * editor's own pattern matching. The settings are read once.
 */
export function excludesOf(
  folder: vscode.WorkspaceFolder,
  more: readonly string[] = [],
): (uri: vscode.Uri) => Promise<boolean> {
  const settings = ['files', 'search'].flatMap((section) => {
    const patterns = vscode.workspace.getConfiguration(section, folder.uri).get<Record<string, Exclude>>('exclude');
    return Object.entries(patterns ?? {});
  });
  const all = [...settings, ...more.map((glob): [string, Exclude] => [glob, true])]
    .filter(([, value]) => value)
    .map(([glob, value]) => ({ pattern: new vscode.RelativePattern(folder, glob), value }));
  return async (uri) => {
    for (const { pattern, value } of all) {
      // `match` reads only these properties of a document.
      if (!vscode.languages.match({ pattern }, { uri, languageId: '' } as vscode.TextDocument)) continue;
      if (typeof value === 'boolean' || !value.when || (await hasSibling(uri, value.when))) return true;
    }
    return false;
  };
}

type Exclude = boolean | { when?: string };

/** `$(basename).ts` beside `a.js` is `a.ts`. */
async function hasSibling(uri: vscode.Uri, when: string): Promise<boolean> {
  const base = uri.path.slice(uri.path.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
  return exists(vscode.Uri.joinPath(uri, '..', when.replaceAll('$(basename)', base)));
}

/** By the ignore files from the repository's root down to the file, also those above the workspace. */
async function isIgnored(folder: vscode.Uri, names: readonly string[], isFolder: boolean): Promise<boolean> {
  const inside = names.map((_, depth) => vscode.Uri.joinPath(folder, ...names.slice(0, depth)));
  const above = (await hasRepository(inside)) ? NOTHING_ABOVE : await rulesAbove(folder);
  const rules = await Promise.all(inside.map(rulesIn));
  return isLeftOut([...above.names, ...names], [...above.rules, ...rules], isFolder);
}

/** Ignore files of the folders above a workspace folder, and the names that lead down from the uppermost one. */
export interface RulesAbove {
  names: string[];
  rules: (string | undefined)[];
}
const NOTHING_ABOVE: RulesAbove = { names: [], rules: [] };

/** The ignore files between a workspace folder and its repository's root, which may lie above the workspace. */
export async function rulesAbove(folder: vscode.Uri): Promise<RulesAbove> {
  const above = (await hasRepository([folder])) ? [] : await foldersAbove(folder);
  const names = above.map((_, at) => nameOf(above[at + 1] ?? folder));
  return { names, rules: await Promise.all(above.map(rulesIn)) };
}

/** The folders above, from the repository's root down; none without a repository. */
async function foldersAbove(folder: vscode.Uri): Promise<vscode.Uri[]> {
  const above: vscode.Uri[] = [];
  for (let at = folder; above.length < MOST_ABOVE; ) {
    const up = vscode.Uri.joinPath(at, '..');
    if (up.path === at.path) return [];
    above.unshift(up);
    if (await hasRepository([up])) return above;
    at = up;
  }
  return [];
}

const hasRepository = async (folders: readonly vscode.Uri[]) =>
  (await Promise.all(folders.map((folder) => exists(vscode.Uri.joinPath(folder, '.git'))))).includes(true);

/** The text of a folder's ignore files; undefined if it has none. */
export async function rulesIn(folder: vscode.Uri): Promise<string | undefined> {
  const read = (...path: string[]) => textOf(vscode.Uri.joinPath(folder, ...path));
  // In a worktree, `.git` is a file, so these paths do not exist.
  const own = await read('.git', 'info', 'exclude').catch(() => undefined);
  const found = [own, await read('.gitignore'), await read('.ignore')].filter((text) => text !== undefined);
  return found.length > 0 ? found.join('\n') : undefined;
}

async function textOf(uri: vscode.Uri): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
  } catch (error) {
    if (error instanceof vscode.FileSystemError && error.code === 'FileNotFound') return undefined;
    throw error;
  }
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}

const nameOf = ({ path }: vscode.Uri) => path.slice(path.lastIndexOf('/') + 1);
