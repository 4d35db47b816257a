import * as vscode from 'vscode';
import { KnownPaths } from '../../../shared/answers/answerPaths.ts';
import { MAX_TEXT } from '../../../shared/constants.ts';
import { Links } from '../../platform/server/links.ts';
import { activeEditor } from './activeEditor.ts';
import { endsWithPath, readPath, suffixPattern } from './filePaths.ts';

/** The current state of a URI. */
export type FileNow =
  /** The text has no byte order mark. `version`: of the open document with this text, unsaved changes included. */
  | { kind: 'file'; text: string; version?: number }
  | { kind: 'missing' }
  /** Perigee neither reads nor writes it; `why` says the reason. */
  | { kind: 'refused'; why: string };

/** The file that a model's path means. `path` is the same for all spellings of one file. */
export type FoundFile = { path: string } & (
  | (FileNow & { kind: 'file'; uri: vscode.Uri })
  /** The file does not exist but could be created there. */
  | { kind: 'missing'; uri: vscode.Uri }
  | { kind: 'refused'; why: string }
);

/** In their order, but the file in front first, then those of its workspace folder: the first is a keypress away. */
export function nearestFirst(uris: readonly vscode.Uri[]): vscode.Uri[] {
  const here = activeEditor()?.document.uri;
  const folder = here && vscode.workspace.getWorkspaceFolder(here);
  const distance = (uri: vscode.Uri) => {
    if (uri.toString() === here?.toString()) return 0;
    return folder && vscode.workspace.getWorkspaceFolder(uri) === folder ? 1 : 2;
  };
  return [...uris].sort((a, b) => distance(a) - distance(b));
}

/** The most files offered when a path fits several. */
const MAX_ALIKE = 20;
/** The most workspace paths that are given to the reader of an answer. */
const MAX_KNOWN = 10_000;
const NOT_SEARCHED = '**/{node_modules,.git}/**';

/** The files that a model may read and change: those of the workspace, or without a workspace the open documents. */
export class WorkspaceFiles {
  private readonly links = new Links();

  /** The path by which models know the file: from its workspace folder. With several, the folder's name comes first. */
  pathOf(uri: vscode.Uri): string {
    return vscode.workspace.asRelativePath(uri).replaceAll('\\', '/');
  }

  /** The paths that an answer may name: those of the workspace and of the open documents. */
  async known(): Promise<KnownPaths> {
    const found = await vscode.workspace.findFiles('**/*', NOT_SEARCHED, MAX_KNOWN);
    const open = vscode.workspace.textDocuments.filter(({ uri, isClosed }) => !isClosed && mayHold(uri));
    return new KnownPaths([...found, ...open.map(({ uri }) => uri)].map((uri) => this.pathOf(uri)));
  }

  /**
   * The file for a model's path. If the path does not exist, it may be the end of a longer one, unless it is `exact`,
   * as for a new file. Asks the user if several files match.
   */
  async find(path: string, exact = false): Promise<FoundFile> {
    const folders = vscode.workspace.workspaceFolders ?? [];
    if (folders.length === 0) return this.findOpen(path, exact);
    const read = readPath(path);
    if (read.kind === 'refused') return { kind: 'refused', path, why: read.why };
    const { segments } = read;
    const roots = folders.map(({ uri }) => uri);
    const walks: Walked[] = [];
    for (const group of startsOf(folders, segments)) {
      const walked = await Promise.all(group.map((start) => walk(start.folder, start.segments, roots, this.links)));
      const files = walked.filter((each) => each.kind === 'file');
      if (files.length > 0) return this.choose(path, unique(files.map(({ uri }) => uri)));
      walks.push(...walked);
    }
    const refused = walks.find((walked) => walked.kind === 'refused');
    if (refused) return { kind: 'refused', path, why: refused.why };
    const alike = exact ? [] : await this.findBySuffix(segments);
    if (alike.length > 0) return this.choose(path, unique(alike));
    // A new file goes where most of its folders exist; if there are several such places, near the active file.
    const here = vscode.window.activeTextEditor?.document.uri;
    const active = here && vscode.workspace.getWorkspaceFolder(here);
    const missing = walks.filter((walked) => walked.kind === 'missing');
    const [at] = missing.sort((a, b) => b.depth - a.depth || +(b.folder === active) - +(a.folder === active));
    if (!at) return { kind: 'refused', path, why: 'It is in no folder of the workspace.' };
    const why = refuseScheme(at.uri);
    return why ? { kind: 'refused', path, why } : { kind: 'missing', uri: at.uri, path: this.pathOf(at.uri) };
  }

  /** The file at a known URI. */
  async at(uri: vscode.Uri): Promise<FoundFile> {
    const target = await this.behindLink(uri);
    const path = this.pathOf(target);
    const now = await readFile(target);
    return now.kind === 'refused' ? { ...now, path } : { ...now, path, uri: target };
  }

  /** The target of `uri` if it is a link into the workspace, else `uri` itself. */
  private async behindLink(uri: vscode.Uri): Promise<vscode.Uri> {
    const roots = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri);
    const isLink = uri.scheme !== 'untitled' && (await isLinkAt(uri));
    return (isLink && (await this.links.resolve(uri, roots))) || uri;
  }

  private async findBySuffix(segments: readonly string[]): Promise<vscode.Uri[]> {
    const end = segments.join('/');
    const roots = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri);
    const pattern = suffixPattern(segments);
    // A glob with wildcards also finds other files, perhaps many before the right one.
    const most = pattern === `**/${end}` ? MAX_ALIKE : MAX_KNOWN;
    const found = await vscode.workspace.findFiles(pattern, NOT_SEARCHED, most);
    const ending = found.filter((uri) => endsWithPath(uri.path, end));
    const alike = ending.sort((a, b) => (a.path < b.path ? -1 : 1)).slice(0, MAX_ALIKE);
    const walked = await Promise.all(
      alike.map(async (uri) => {
        const folder = vscode.workspace.getWorkspaceFolder(uri);
        if (!folder) return [];
        const inside = readPath(uri.path.slice(folder.uri.path.replace(/\/?$/, '/').length));
        if (inside.kind !== 'path') return [];
        const at = await walk(folder, inside.segments, roots, this.links);
        return at.kind === 'file' ? [at.uri] : [];
      }),
    );
    return walked.flat();
  }

  /** Without a workspace, the disk is not searched. */
  private async findOpen(path: string, exact: boolean): Promise<FoundFile> {
    const read = readPath(path);
    const name = path.trim().replaceAll('\\', '/');
    const open = vscode.workspace.textDocuments.filter(({ uri, isClosed }) => !isClosed && mayHold(uri));
    // Models get the full path of such a document, so they name it by that path.
    const same = open.filter(({ uri }) => this.pathOf(uri) === name || uri.path === name);
    if (same.length === 0 && read.kind === 'refused') return { kind: 'refused', path, why: read.why };
    const end = read.kind === 'path' ? read.segments.join('/') : name;
    const alike = same.length > 0 || exact ? same : open.filter(({ uri }) => endsWithPath(uri.path, end));
    if (alike.length > 0) {
      return this.choose(
        path,
        alike.map(({ uri }) => uri),
      );
    }
    const uri = vscode.Uri.from({ scheme: 'untitled', path: end });
    return { kind: 'missing', uri, path: this.pathOf(uri) };
  }

  private async choose(path: string, uris: readonly vscode.Uri[]): Promise<FoundFile> {
    const [only] = uris;
    if (only && uris.length === 1) return this.at(only);
    const items = nearestFirst(uris).map((uri) => ({ label: this.pathOf(uri), uri }));
    const title = `Several files are named ${path}`;
    const chosen = await vscode.window.showQuickPick(items, { title, placeHolder: 'Which one is meant?' });
    if (chosen) return this.at(chosen.uri);
    return { kind: 'refused', path, why: `${uris.length} files of the workspace are named so.` };
  }
}

/** The current state of `uri` in the editor: an open document wins over the disk. */
export async function readFile(uri: vscode.Uri): Promise<FileNow> {
  const refuse = (why: string): FileNow => ({ kind: 'refused', why });
  const why = refuseScheme(uri);
  if (why) return refuse(why);
  const address = uri.toString();
  if (vscode.workspace.notebookDocuments.some((notebook) => notebook.uri.toString() === address)) {
    return refuse('It is open as a notebook, which Perigee does not edit yet.');
  }
  if (uri.scheme !== 'untitled') {
    try {
      const { type, size, permissions = 0 } = await vscode.workspace.fs.stat(uri);
      if (type & vscode.FileType.SymbolicLink) return refuse(IS_LINK);
      if (type & vscode.FileType.Directory) return refuse('It is a folder.');
      if (permissions & vscode.FilePermission.Readonly) return refuse('It is read-only.');
      if (size > MAX_TEXT) return refuse(TOO_LARGE);
    } catch (error) {
      // A document whose file was deleted counts as missing, unless it has unsaved changes.
      if (isNotFound(error)) return openText(uri, (document) => document.isDirty) ?? { kind: 'missing' };
      return refuse(`It can’t be read: ${error instanceof Error ? error.message : 'unknown cause'}`);
    }
  }
  const open = openText(uri);
  if (open) return open.text.length > MAX_TEXT ? refuse(TOO_LARGE) : open;
  if (uri.scheme === 'untitled') return { kind: 'missing' };
  const bytes = await vscode.workspace.fs.readFile(uri);
  const text = await decodeFile(uri, bytes);
  return text === undefined ? refuse('It is a binary file.') : { kind: 'file', text };
}

/** Decodes a file with the encoding that the editor would use; undefined for a binary file. */
export async function decodeFile(uri: vscode.Uri, bytes: Uint8Array): Promise<string | undefined> {
  const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (!isUtf16 && bytes.includes(0)) return undefined;
  const text = await vscode.workspace.decode(bytes, { uri });
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

export function openDocument(uri: vscode.Uri): vscode.TextDocument | undefined {
  const address = uri.toString();
  return vscode.workspace.textDocuments.find((open) => !open.isClosed && open.uri.toString() === address);
}

export function isNotFound(error: unknown): boolean {
  return error instanceof vscode.FileSystemError && error.code === 'FileNotFound';
}

/** Whether a URI's scheme can belong to a file. */
const mayHold = ({ scheme }: vscode.Uri) =>
  scheme === 'untitled' || vscode.workspace.fs.isWritableFileSystem(scheme) === true;

async function isLinkAt(uri: vscode.Uri): Promise<boolean> {
  try {
    return ((await vscode.workspace.fs.stat(uri)).type & vscode.FileType.SymbolicLink) !== 0;
  } catch {
    return false;
  }
}

const IS_LINK =
  'It is a link, and Perigee could not make sure that it leads to one file of the workspace. Name that file itself.';
const TOO_LARGE = 'It is larger than 1 MB.';

function openText(
  uri: vscode.Uri,
  counts = (_: vscode.TextDocument) => true,
): (FileNow & { kind: 'file' }) | undefined {
  const document = openDocument(uri);
  return document && counts(document)
    ? { kind: 'file', text: document.getText(), version: document.version }
    : undefined;
}

function refuseScheme({ scheme }: vscode.Uri): string | undefined {
  // The result is undefined for a file system that is not loaded yet, because nothing was read from it.
  const isReadOnly = scheme !== 'untitled' && vscode.workspace.fs.isWritableFileSystem(scheme) === false;
  return isReadOnly ? 'It is in a place that is read-only.' : undefined;
}

interface Start {
  folder: vscode.WorkspaceFolder;
  segments: readonly string[];
}

/**
 * Where a path may start: in a workspace folder, or with its name. With several folders, the name is a part of every
 * path; with a single one, the model may have added it. The first group with a matching file wins.
 */
function startsOf(folders: readonly vscode.WorkspaceFolder[], segments: readonly string[]): Start[][] {
  const named = folders.filter(({ name }) => segments.length > 1 && name === segments[0]);
  const inNamed = named.map((folder) => ({ folder, segments: segments.slice(1) }));
  const inEach = folders.map((folder) => ({ folder, segments }));
  return folders.length > 1 ? [inNamed, inEach] : [inEach, inNamed];
}

type Walked = { folder: vscode.WorkspaceFolder } & (
  | { kind: 'file'; uri: vscode.Uri }
  /** `depth`: how many folders of the path exist. */
  | { kind: 'missing'; uri: vscode.Uri; depth: number }
  | { kind: 'refused'; why: string }
);

/**
 * Follows a path from a workspace folder to a file, by the names on the disk, so that `A.ts` is `a.ts` if they are the
 * same file. A link on the way continues at its target in `roots`.
 */
export async function walk(
  folder: vscode.WorkspaceFolder,
  segments: readonly string[],
  roots: readonly vscode.Uri[] = [folder.uri],
  links = new Links(),
): Promise<Walked> {
  const refuse = (why: string): Walked => ({ kind: 'refused', folder, why });
  let at = folder.uri;
  for (const [index, segment] of segments.entries()) {
    const entries = await namesIn(at);
    const entry = await entryFor(at, segment, entries);
    if (entry === 'several') return refuse(`Several names in its folder look like “${segment}”.`);
    if (!entry)
      return { kind: 'missing', folder, uri: vscode.Uri.joinPath(at, ...segments.slice(index)), depth: index };
    const [name, type] = entry;
    at = vscode.Uri.joinPath(at, name);
    const isLast = index === segments.length - 1;
    if (type & vscode.FileType.SymbolicLink) {
      const link = openDocument(at);
      if (link?.isDirty) return refuse('It is open under the name of a link and not saved. Save it first.');
      const target = await links.resolve(at, roots);
      if (!target) return refuse(isLast ? IS_LINK : viaLink(name));
      at = target;
    }
    if (isLast && type & vscode.FileType.Directory) return refuse('It is a folder.');
    if (!isLast && !(type & vscode.FileType.Directory)) return refuse(`${name} is no folder.`);
  }
  return { kind: 'file', folder, uri: at };
}

const viaLink = (name: string) =>
  `Its folder ${name} is a link, and Perigee could not make sure that it leads to one folder of the workspace.`;

async function namesIn(folder: vscode.Uri): Promise<[string, vscode.FileType][]> {
  try {
    return await vscode.workspace.fs.readDirectory(folder);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

type Entry = [name: string, type: vscode.FileType];

/**
 * The entry that `name` means: the only one with the same spelling in any Unicode normal form, else one in another case
 * if the file system ignores case. If two differ only in normal form, they look the same, so neither is chosen.
 */
async function entryFor(
  folder: vscode.Uri,
  name: string,
  entries: readonly Entry[],
): Promise<Entry | 'several' | undefined> {
  const composed = name.normalize('NFC');
  const same = entries.filter(([existing]) => existing.normalize('NFC') === composed);
  if (same.length > 1) return 'several';
  if (same[0]) return same[0];
  const fold = (text: string) => text.normalize('NFC').toLowerCase();
  const other = entries.find(([existing]) => fold(existing) === fold(name));
  if (!other) return undefined;
  try {
    await vscode.workspace.fs.stat(vscode.Uri.joinPath(folder, name));
    return other;
  } catch {
    return undefined;
  }
}

const unique = (uris: readonly vscode.Uri[]) => [...new Map(uris.map((uri) => [uri.toString(), uri])).values()];
