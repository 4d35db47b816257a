import * as vscode from 'vscode';
import { decoded } from '../../../shared/answers/knownPaths.ts';
import { ActionRefused } from '../actions.ts';

const NOT_SEARCHED = '**/{node_modules,.git}/**';
/** The most unresolved paths for which the workspace is searched. */
const MOST_SEARCHED = 10;

/** Returns the paths of an answer that are files of the workspace. */
export async function findFiles(paths: readonly string[]): Promise<string[]> {
  let searches = 0;
  const found = await Promise.all(
    paths.map((path) => resolve(path, () => ++searches <= MOST_SEARCHED).catch(() => undefined)),
  );
  return paths.filter((_, i) => found[i]);
}

/** Opens a file of the workspace that an answer mentions. Throws `ActionRefused`. */
export async function openFile(path: string, line = 1, column = 1): Promise<void> {
  const uri = await resolve(path, () => true);
  if (!uri) throw new ActionRefused(`${path} is not in the workspace any more. It was moved, renamed or deleted.`);
  const at = new vscode.Position(line - 1, column - 1);
  await vscode.commands.executeCommand('vscode.open', uri, { selection: new vscode.Range(at, at) });
}

/** The one file of the workspace for `path`, which starts at a workspace folder or is the end of a longer path. */
async function resolve(path: string, maySearch: () => boolean): Promise<vscode.Uri | undefined> {
  const segments = segmentsOf(path);
  if (!segments) return undefined;
  const folders = vscode.workspace.workspaceFolders ?? [];
  const starts = folders.flatMap((folder) => {
    // With several folders, a path may begin with a folder's name.
    const isNamed = folders.length > 1 && segments[0] === folder.name && segments.length > 1;
    return isNamed ? [segments, segments.slice(1)].map((rest) => ({ folder, rest })) : [{ folder, rest: segments }];
  });
  const there = await Promise.all(starts.map(({ folder, rest }) => fileAt(folder.uri, rest)));
  const [first] = there.filter((uri) => uri !== undefined);
  if (first || folders.length === 0 || !maySearch()) return first;
  const pattern = `**/${segments.map((segment) => segment.replace(/[*?[\]{}!,\\]/g, '?')).join('/')}`;
  const [alike, other] = await vscode.workspace.findFiles(pattern, NOT_SEARCHED, 2);
  const folder = alike && !other ? vscode.workspace.getWorkspaceFolder(alike) : undefined;
  const inside = folder && segmentsOf(alike!.path.slice(folder.uri.path.replace(/\/$/, '').length));
  return inside && fileAt(folder.uri, inside);
}

/** The path's segments within a workspace folder; undefined if it leads elsewhere. */
function segmentsOf(path: string): string[] | undefined {
  let tidy = path.replaceAll('\\', '/');
  if (/^file:\/\//i.test(tidy)) tidy = decoded(tidy.slice('file://'.length));
  // An absolute path is in the workspace if it begins with a folder's path.
  if (/^\/?[a-z]:\//i.test(tidy) || tidy.startsWith('/')) {
    const whole = tidy.replace(/^(?=[a-z]:)/i, '/');
    const folder = vscode.workspace.workspaceFolders?.find(({ uri }) =>
      whole.startsWith(`${uri.path.replace(/\/$/, '')}/`),
    );
    // Otherwise the leading slash may mean the workspace's root.
    tidy = folder ? whole.slice(folder.uri.path.replace(/\/$/, '').length) : tidy;
  }
  const segments = tidy.split('/').filter((segment) => segment !== '' && segment !== '.');
  const isOdd = (segment: string) =>
    /^[. ]+$/.test(segment) || /[\p{Cc}\p{Cf}]/u.test(segment) || segment.includes(':');
  return segments.length === 0 || segments.some(isOdd) ? undefined : segments;
}

/** A link that leads outside is not a file of the workspace. */
async function fileAt(folder: vscode.Uri, segments: readonly string[]): Promise<vscode.Uri | undefined> {
  try {
    for (let depth = 1; depth <= segments.length; depth++) {
      const uri = vscode.Uri.joinPath(folder, ...segments.slice(0, depth));
      const { type } = await vscode.workspace.fs.stat(uri);
      if (type & vscode.FileType.SymbolicLink) return undefined;
      if (depth === segments.length) return type & vscode.FileType.File ? uri : undefined;
    }
  } catch {
    // Nothing there.
  }
  return undefined;
}
