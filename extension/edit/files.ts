import * as vscode from 'vscode';
import { MAX_TEXT } from '../../shared/constants.ts';
import { endsWithPath, readPath, suffixPattern } from './filePaths.ts';

/** What there is at an address. */
export type FileNow =
  /** Without a byte order mark. `version`: of the open document that holds the text, unsaved changes included. */
  | { kind: 'file'; text: string; version?: number }
  | { kind: 'missing' }
  /** Something that Perigee neither reads nor writes, and why. */
  | { kind: 'refused'; why: string };

/** What a model means by a path. `path` is the same for all spellings of one file. */
export type FoundFile = { path: string } & (
  | (FileNow & { kind: 'file'; uri: vscode.Uri })
  /** Could be made there. */
  | { kind: 'missing'; uri: vscode.Uri }
  | { kind: 'refused'; why: string }
);

/** At most so many files are offered for a path that fits several. */
const MAX_ALIKE = 20;

/** The files that a model may read and change: those of the workspace, or without one the open documents. */
export class WorkspaceFiles {
  /** The path by which models know the file: from its workspace folder, whose name leads where there are several. */
  pathOf(uri: vscode.Uri): string {
    return vscode.workspace.asRelativePath(uri).replaceAll('\\', '/');
  }

  /**
   * The file that `path` names, as a model wrote it. A path that leads nowhere may be the end of a longer one, unless it is
   * `exact`, as for a new file. Asks the user which is meant, if several are.
   */
  async find(path: string, exact = false): Promise<FoundFile> {
    const folders = vscode.workspace.workspaceFolders ?? [];
    if (folders.length === 0) return this.findOpen(path, exact);
    const read = readPath(path);
    if (read.kind === 'refused') return { kind: 'refused', path, why: read.why };
    const { segments } = read;
    const walks: Walked[] = [];
    for (const group of startsOf(folders, segments)) {
      const walked = await Promise.all(group.map((start) => walk(start.folder, start.segments)));
      const files = walked.filter((each) => each.kind === 'file');
      if (files.length > 0) return this.choose(path, unique(files.map(({ uri }) => uri)));
      walks.push(...walked);
    }
    const refused = walks.find((walked) => walked.kind === 'refused');
    if (refused) return { kind: 'refused', path, why: refused.why };
    const alike = exact ? [] : await this.findBySuffix(segments);
    if (alike.length > 0) return this.choose(path, alike);
    // A new file goes where most of its folders are; among several such places, beside the file in front.
    const here = vscode.window.activeTextEditor?.document.uri;
    const active = here && vscode.workspace.getWorkspaceFolder(here);
    const missing = walks.filter((walked) => walked.kind === 'missing');
    const [at] = missing.sort((a, b) => b.depth - a.depth || +(b.folder === active) - +(a.folder === active));
    if (!at) return { kind: 'refused', path, why: 'It is in no folder of the workspace.' };
    const why = refuseScheme(at.uri);
    return why ? { kind: 'refused', path, why } : { kind: 'missing', uri: at.uri, path: this.pathOf(at.uri) };
  }

  /** A file of which the address is known already. */
  async at(uri: vscode.Uri): Promise<FoundFile> {
    const path = this.pathOf(uri);
    const now = await readFile(uri);
    return now.kind === 'refused' ? { ...now, path } : { ...now, path, uri };
  }

  private async findBySuffix(segments: readonly string[]): Promise<vscode.Uri[]> {
    const end = segments.join('/');
    const exclude = '**/{node_modules,.git}/**';
    const found = await vscode.workspace.findFiles(suffixPattern(segments), exclude, MAX_ALIKE);
    const alike = found.filter((uri) => endsWithPath(uri.path, end)).sort((a, b) => (a.path < b.path ? -1 : 1));
    const isPlain = await Promise.all(
      alike.map(async (uri) => {
        const folder = vscode.workspace.getWorkspaceFolder(uri);
        if (!folder) return false;
        const inside = readPath(uri.path.slice(folder.uri.path.replace(/\/?$/, '/').length));
        return inside.kind === 'path' && (await walk(folder, inside.segments)).kind === 'file';
      }),
    );
    return alike.filter((_, index) => isPlain[index]);
  }

  /** Without a workspace nothing is looked for on the disk. */
  private async findOpen(path: string, exact: boolean): Promise<FoundFile> {
    const read = readPath(path);
    const name = path.trim().replaceAll('\\', '/');
    const open = vscode.workspace.textDocuments.filter(
      ({ uri, isClosed }) =>
        !isClosed && (uri.scheme === 'untitled' || vscode.workspace.fs.isWritableFileSystem(uri.scheme) === true),
    );
    // Models are told the whole path of such a document, so they name it by that.
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
    const items = uris.map((uri) => ({ label: this.pathOf(uri), uri }));
    const title = `Several files are named ${path}`;
    const chosen = await vscode.window.showQuickPick(items, { title, placeHolder: 'Which one is meant?' });
    if (chosen) return this.at(chosen.uri);
    return { kind: 'refused', path, why: `${uris.length} files of the workspace are named so.` };
  }
}

/** What there is at `uri`, as the editor has it: an open document wins over the disk. */
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
      // A document whose file was deleted is no file any more, unless it has unsaved changes.
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

/** The text of a file's bytes in the encoding that the editor would open it with; undefined for a binary file. */
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

const IS_LINK = 'It is a link to another place, which Perigee does not follow.';
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
  // Undefined where the file system is not known yet, since nothing was read from it.
  const isReadOnly = scheme !== 'untitled' && vscode.workspace.fs.isWritableFileSystem(scheme) === false;
  return isReadOnly ? 'It is in a place that is read-only.' : undefined;
}

interface Start {
  folder: vscode.WorkspaceFolder;
  segments: readonly string[];
}

/**
 * Where a path may begin: in a folder, or with a folder's name. Where there are several folders their names are a part of
 * every path; with one alone a name in front is a model's addition. The first group in which there is a file decides.
 */
function startsOf(folders: readonly vscode.WorkspaceFolder[], segments: readonly string[]): Start[][] {
  const named = folders.filter(({ name }) => segments.length > 1 && name === segments[0]);
  const inNamed = named.map((folder) => ({ folder, segments: segments.slice(1) }));
  const inEach = folders.map((folder) => ({ folder, segments }));
  return folders.length > 1 ? [inNamed, inEach] : [inEach, inNamed];
}

type Walked = { folder: vscode.WorkspaceFolder } & (
  | { kind: 'file'; uri: vscode.Uri }
  /** `depth`: how many of the path's folders there are. */
  | { kind: 'missing'; uri: vscode.Uri; depth: number }
  | { kind: 'refused'; why: string }
);

/**
 * Goes from a workspace folder down to a file by the names that the disk has, so that `A.ts` is `a.ts` where it is the same
 * file, and links on the way are seen.
 */
export async function walk(folder: vscode.WorkspaceFolder, segments: readonly string[]): Promise<Walked> {
  let at = folder.uri;
  for (const [index, segment] of segments.entries()) {
    const entries = await namesIn(at);
    const entry = entries.find(([name]) => name === segment) ?? (await findOtherCase(at, segment, entries));
    if (!entry)
      return { kind: 'missing', folder, uri: vscode.Uri.joinPath(at, ...segments.slice(index)), depth: index };
    const [name, type] = entry;
    at = vscode.Uri.joinPath(at, name);
    const isLast = index === segments.length - 1;
    if (type & vscode.FileType.SymbolicLink) return { kind: 'refused', folder, why: isLast ? IS_LINK : viaLink(name) };
    if (isLast && type & vscode.FileType.Directory) return { kind: 'refused', folder, why: 'It is a folder.' };
    if (!isLast && !(type & vscode.FileType.Directory))
      return { kind: 'refused', folder, why: `${name} is no folder.` };
  }
  return { kind: 'file', folder, uri: at };
}

const viaLink = (name: string) => `Its folder ${name} is a link to another place, which Perigee does not follow.`;

async function namesIn(folder: vscode.Uri): Promise<[string, vscode.FileType][]> {
  try {
    return await vscode.workspace.fs.readDirectory(folder);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

/** The entry that `name` means though it is written otherwise, where the file system makes no difference. */
async function findOtherCase(
  folder: vscode.Uri,
  name: string,
  entries: readonly [string, vscode.FileType][],
): Promise<[string, vscode.FileType] | undefined> {
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
