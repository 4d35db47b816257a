import * as vscode from 'vscode';

/** So many entries of the workspace are compared with a link before it counts as one that leads elsewhere. */
const MOST_COMPARED = 10_000;
/** Nothing of theirs is edited. */
const NOT_COMPARED = new Set(['.git', 'node_modules']);
const IS_LINK = vscode.FileType.SymbolicLink;

/** So many links are remembered. */
const MOST_KNOWN = 1_000;

/** Where links of the workspace lead. Looking for that reads all of it, so each is looked for once while it stays as it is. */
export class Links {
  private readonly known = new Map<string, Promise<vscode.Uri | undefined>>();

  /** As `resolveLink`. What was found is taken as long as link and place still have the same times and length. */
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
 * The place in these folders that a link leads to; undefined where there is none, or where it can't be known.
 *
 * No API of the editor tells where a link leads. But `stat` of a link tells of its target: the place in the workspace that
 * was made and changed in the same milliseconds, is as large and holds the same is the target. Where two are, none is. What
 * is written then goes to that place by its own name and never through the link, so that it cannot land outside.
 */
async function resolveLink(link: vscode.Uri, folders: readonly vscode.Uri[]): Promise<vscode.Uri | undefined> {
  const target = await statOf(link);
  // Some file systems know no times, so that all their files look alike.
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
    // What can't be looked at wholly leaves open whether there is a second one.
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

/** Whether a place that is no link itself has what `stat` tells of a link's target. */
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
