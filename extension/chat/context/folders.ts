import * as vscode from 'vscode';
import type { AttachmentInput } from '../../../shared/runs.ts';
import { languageIdOf } from '../../platform/languages.ts';
import { holdsSecrets } from '../../platform/secrecy/guarded.ts';
import { judgedPath } from '../../platform/secrecy/judgedPath.ts';
import { whyNotUnasked } from '../../platform/unasked.ts';
import { AttachmentRefused, baseName, head, readText, type StoredChip, workspacePath } from './attachments.ts';

/** Entries that are looked at, files that are listed, and texts; characters of all texts, about four to a token. */
const MOST = { entries: 2_000, listed: 300, texts: 20, characters: 100_000 };
/** Judging a file asks the disk several times. */
const AT_ONCE = 8;
/** Folders that nobody means. */
const NOT_SEARCHED = new Set(['node_modules', '.git']);

/** A folder as attachments: the list of its files, and the texts that fit. */
export interface ReadFolder {
  inputs: AttachmentInput[];
  /** The files whose text is attached. */
  uris: string[];
  note: string;
  leftOut: string | undefined;
}

/** A chip for a folder of the workspace. Throws `AttachmentRefused`. */
export async function folderChip(uri: vscode.Uri): Promise<StoredChip> {
  const { inputs, note, leftOut } = await readFolder(uri, MOST.texts, new Set());
  const path = workspacePath(uri);
  const characters = inputs.reduce((sum, input) => sum + ('text' in input ? input.text.length : 0), 0);
  return {
    ...head('folder', uri.toString()),
    ...{ label: `${baseName(path)}/`, path, uri: uri.toString(), note, leftOut },
    tokens: Math.ceil(characters / 4),
  };
}

/**
 * The list of a folder's files, then the texts of at most `room` of them, without those `taken`. Files that are never
 * sent unasked are left out: the user chose the folder, not each of them. Throws `AttachmentRefused`.
 */
export async function readFolder(folder: vscode.Uri, room: number, taken: ReadonlySet<string>): Promise<ReadFolder> {
  const path = workspacePath(folder);
  if (!vscode.workspace.isTrusted)
    throw new AttachmentRefused('You do not trust this workspace, so no whole folder of it is sent. Attach its files.');
  const { listed, left, isCut } = await look(folder);
  const isThere = await vscode.workspace.fs.stat(folder).then(Boolean, () => false);
  if (!isThere || listed.length + left.secrets + left.files + left.folders === 0)
    throw new AttachmentRefused(`${path} has no files, or it is no longer there.`);
  const texts: AttachmentInput[] = [];
  const attached: string[] = [];
  let characters = 0;
  for (const uri of listed) {
    if (texts.length >= Math.min(room, MOST.texts)) break;
    if (taken.has(uri.toString()) || !(await isAtMost(uri, MOST.characters - characters))) continue;
    const read = await readText(uri).catch((error) => {
      if (error instanceof AttachmentRefused) return undefined;
      throw error;
    });
    if (!read || read.text === '' || characters + read.text.length > MOST.characters) continue;
    characters += read.text.length;
    attached.push(uri.toString());
    const languageId = read.languageId ?? (await languageIdOf(/\.(\w+)$/.exec(uri.path)?.[1]));
    texts.push({ kind: 'file', path: workspacePath(uri), languageId, text: read.text });
  }
  const here = new Set([...attached, ...taken]);
  const listOnly = listed.filter((uri) => !here.has(uri.toString())).map(named);
  const why = 'ignored, excluded or behind a link';
  const said = [
    listOnly.length > 0 && `${counted(listOnly.length, 'file')} by name only (binary, or beyond the bounds)`,
    left.secrets > 0 && `${counted(left.secrets, 'file')} that may hold secrets`,
    left.files > 0 && `${counted(left.files, 'file')} that ${left.files === 1 ? 'is' : 'are'} ${why}`,
    left.folders > 0 && `${counted(left.folders, 'folder')} that ${left.folders === 1 ? 'is' : 'are'} ${why}`,
    isCut && 'what lies deeper: only the upper files are listed',
  ].filter((part) => part !== false);
  const leftOut = said.length > 0 ? `Left out: ${said.join('; ')}.` : undefined;
  if (listed.length === 0)
    throw new AttachmentRefused(`Nothing of ${path} can go along. ${leftOut} Attach single files of it yourself.`);
  const names = listed.map((uri) => named(uri) + (here.has(uri.toString()) ? '' : ' (by name only)'));
  const list = [...names, ...(leftOut ? ['', leftOut] : [])].join('\n');
  // How much is in what was not entered is not known.
  const all = isCut || left.folders > 0 ? undefined : listed.length + left.secrets + left.files;
  const isWhole = all === undefined || all === attached.length;
  return {
    inputs: [{ kind: 'folder', path, text: list }, ...texts],
    uris: attached,
    note: isWhole ? counted(attached.length, 'file') : `${attached.length} of ${all} files`,
    leftOut,
  };
}

/** A line break in a name could look like the next one. */
const named = (uri: vscode.Uri) => workspacePath(uri).replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');

/** Whether a text of that many characters can be in a file; no character takes more than 4 bytes. */
async function isAtMost(uri: vscode.Uri, characters: number): Promise<boolean> {
  const isOpen = vscode.workspace.textDocuments.some((open) => open.uri.toString() === uri.toString());
  const size = async () => (await vscode.workspace.fs.stat(uri)).size;
  // A file may vanish.
  return isOpen || (await size().catch(() => Number.POSITIVE_INFINITY)) <= 4 * characters;
}

/** What a folder holds. Of what is left out, only the numbers. */
interface Looked {
  listed: vscode.Uri[];
  left: { secrets: number; files: number; folders: number };
  /** The bounds ended it before all was seen. */
  isCut: boolean;
}

/** The files that may go along, sorted. Upper folders come first, and none that is left out is entered. */
async function look(folder: vscode.Uri): Promise<Looked> {
  const [listed, left]: [vscode.Uri[], Looked['left']] = [[], { secrets: 0, files: 0, folders: 0 }];
  const folders = [folder];
  let seen = 0;
  let isCut = false;
  const judge = async (uri: vscode.Uri, isFolder: boolean) => {
    if (!isFolder && holdsSecrets(judgedPath(uri))) left.secrets++;
    else if (await whyNotUnasked(uri, { isFolder })) left[isFolder ? 'folders' : 'files']++;
    else return true;
    return false;
  };
  if (!(await judge(folder, true))) folders.pop();
  for (const at of folders) {
    // A folder may vanish, or be closed to us.
    const inside = await vscode.workspace.fs.readDirectory(at).then(undefined, () => []);
    const entries = inside.filter(([name]) => !NOT_SEARCHED.has(name)).sort(([a], [b]) => (a < b ? -1 : 1));
    for (let from = 0; from < entries.length && !isCut; from += AT_ONCE) {
      const some = entries.slice(from, from + AT_ONCE).map(([name, type]) => ({
        uri: vscode.Uri.joinPath(at, name),
        isFolder: (type & vscode.FileType.Directory) > 0,
      }));
      const judged = await Promise.all(some.map(({ uri, isFolder }) => judge(uri, isFolder)));
      for (const { uri, isFolder } of some.filter((_, n) => judged[n])) (isFolder ? folders : listed).push(uri);
      seen += some.length;
      isCut = seen >= MOST.entries || listed.length > MOST.listed;
    }
    if (isCut) break;
  }
  const upper = listed.slice(0, MOST.listed).sort((a, b) => (a.path < b.path ? -1 : 1));
  return { listed: upper, left, isCut };
}

const counted = (many: number, what: string) => `${many} ${what}${many === 1 ? '' : 's'}`;
