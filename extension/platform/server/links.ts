import * as vscode from 'vscode';

/** How many entries of the workspace to compare with a link before its target counts as outside. */
const MOST_COMPARED = 10_000;
/** Perigee edits nothing in these folders. */
const NOT_COMPARED = new Set(['.git', 'node_modules']);
const IS_LINK = vscode.FileType.SymbolicLink;

/** How many links are remembered. */
const MOST_KNOWN = 1_000;

/** Resolves the workspace's links. That reads the whole workspace, so a result is cached until the link changes. */
export class Links {
  private readonly known = new Map<string, Promise<vscode.Uri | undefined>>();

  /** Like `resolveLink`. The cached result is valid while link and target have the same times and size. */
  async resolve(link: vscode.Uri, folders: readonly vscode.Uri[]): Promise<vscode.Uri | undefined> {
    const target = await statOf(link);
    const key = JSON.stringify([link, target, folders]);
    const known = this.known.get(key);
    const place = await known;
    if (known && target && (!place || isAlike(await statOf(place), target))) return place;
    if (this.known.size >= MOST_KNOWN) this.known.clear();
    const found = resolveLink(link, folders);
    this.known.set(key, found);
    found.catch(() => this.known.delete(key));
    return found;
  }
}

/**
 * The file or folder in these folders that a link leads to; undefined if there is none, or if it can't be determined.
 *
 * The editor's API does not tell where a link leads. But `stat` of a link describes its target: the target is the entry
 * in the workspace with the same times (in milliseconds), size and contents. If two entries match, the result is
 * undefined. Edits are then written to the target's own path and never through the link, so that they cannot land
 * outside.
 */
async function resolveLink(link: vscode.Uri, folders: readonly vscode.Uri[]): Promise<vscode.Uri | undefined> {
  const target = await statOf(link);
  // Some file systems have no times, so that all their files look alike.
  if (!target || target.ctime <= 0 || target.mtime <= 0) return undefined;
  const isFolder = (target.type & vscode.FileType.Directory) !== 0;
  const found = new Map<string, vscode.Uri>();
  const compare = async (uri: vscode.Uri) => {
    if (await isSamePlace(uri, target, link)) found.set(uri.toString(), uri);
  };
  let compared = 0;
  const queue = [...folders];
  for (let folder = queue.shift(); folder; folder = queue.shift()) {
    const here = folder;
    if (isFolder) await compare(here);
    const entries = (await entriesOf(here)).filter(([name, type]) => !(type & IS_LINK) && !NOT_COMPARED.has(name));
    compared += entries.length;
    // If only a part of the workspace was compared, there may be a second match.
    if (compared > MOST_COMPARED || found.size > 1) return undefined;
    const inside = entries.map(([name, type]) => ({ uri: vscode.Uri.joinPath(here, name), type }));
    queue.push(...inside.filter(({ type }) => type & vscode.FileType.Directory).map(({ uri }) => uri));
    if (isFolder) continue;
    await Promise.all(inside.filter(({ type }) => type & vscode.FileType.File).map(({ uri }) => compare(uri)));
  }
  const [only] = found.values();
  return found.size === 1 ? only : undefined;
}

async function isSamePlace(uri: vscode.Uri, target: vscode.FileStat, link: vscode.Uri): Promise<boolean> {
  const stat = await statOf(uri);
  if (!isAlike(stat, target)) return false;
  if (stat.type & vscode.FileType.Directory) {
    const [own, its] = await Promise.all([entriesOf(uri), entriesOf(link)]);
    return JSON.stringify(own.toSorted()) === JSON.stringify(its.toSorted());
  }
  const [own, its] = await Promise.all([vscode.workspace.fs.readFile(uri), vscode.workspace.fs.readFile(link)]);
  return own.length === its.length && own.every((byte, at) => byte === its[at]);
}

/** Whether an entry that is not a link itself matches the `stat` of a link's target. */
const isAlike = (stat: vscode.FileStat | undefined, target: vscode.FileStat): stat is vscode.FileStat =>
  stat !== undefined &&
  !(stat.type & IS_LINK) &&
  stat.ctime === target.ctime &&
  stat.mtime === target.mtime &&
  stat.size === target.size &&
  (stat.type | IS_LINK) === (target.type | IS_LINK);

async function statOf(uri: vscode.Uri): Promise<vscode.FileStat | undefined> {
  try {
    return await vscode.workspace.fs.stat(uri);
  } catch {
    return undefined;
  }
}

async function entriesOf(folder: vscode.Uri): Promise<[string, vscode.FileType][]> {
  try {
    return await vscode.workspace.fs.readDirectory(folder);
  } catch {
    return [];
  }
}
