import * as vscode from 'vscode';
import type { AttachmentInput } from '../../../shared/runs.ts';
import { languageIdOf } from '../../platform/languages.ts';
import { holdsSecrets } from '../../platform/secrecy/guarded.ts';
import { judgedPath } from '../../platform/secrecy/judgedPath.ts';
import { whyNotUnasked } from '../../platform/unasked.ts';
import { AttachmentRefused, baseName, head, readText, type StoredChip, workspacePath } from './attachments.ts';

/** Files that are found, those of them that are listed, and texts; characters of all texts, about four to a token. */
const MOST = { found: 2_000, listed: 300, texts: 20, characters: 100_000 };
/** Judging a file asks the disk several times. */
const AT_ONCE = 8;
const NOT_SEARCHED = '{**/node_modules/**,**/.git/**}';

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
  const pattern = new vscode.RelativePattern(folder, '**/*');
  const all = await vscode.workspace.findFiles(pattern, NOT_SEARCHED, MOST.found);
  if (all.length === 0) throw new AttachmentRefused(`${path} has no files, or it is no longer there.`);
  // What was built lies deep, and there is much of it.
  const upperFirst = all.sort((a, b) => depthOf(a) - depthOf(b)).slice(0, MOST.listed);
  const uris = upperFirst.sort((a, b) => (a.path < b.path ? -1 : 1));
  const judged = await mapped(uris, whyNot);
  const listed = uris.filter((_, at) => judged[at] === undefined);
  const texts: AttachmentInput[] = [];
  const attached: string[] = [];
  let characters = 0;
  for (const uri of listed) {
    if (taken.has(uri.toString()) || texts.length >= Math.min(room, MOST.texts)) continue;
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
  const listOnly = listed.filter((uri) => !here.has(uri.toString())).map(workspacePath);
  const secrets = judged.filter((why) => why === 'secret').length;
  const ignored = judged.filter((why) => why === 'other').length;
  const said = [
    listOnly.length > 0 && `${counted(listOnly.length, 'file')} by name only (binary, or beyond the bounds)`,
    secrets > 0 && `${counted(secrets, 'file')} that may hold secrets`,
    ignored > 0 &&
      `${counted(ignored, 'file')} that ${ignored === 1 ? 'is' : 'are'} ignored, excluded or behind a link`,
    all.length > MOST.listed && `all files but ${MOST.listed}, those of the upper folders`,
  ].filter((part) => part !== false);
  const leftOut = said.length > 0 ? `Left out: ${said.join('; ')}.` : undefined;
  if (listed.length === 0)
    throw new AttachmentRefused(`Nothing of ${path} can go along. ${leftOut} Attach single files of it yourself.`);
  const names = listed.map((uri) => workspacePath(uri) + (here.has(uri.toString()) ? '' : ' (by name only)'));
  const list = [...names, ...(leftOut ? ['', leftOut] : [])].join('\n');
  const many = all.length > MOST.listed ? `more than ${MOST.listed}` : String(all.length);
  return {
    inputs: [{ kind: 'folder', path, text: list }, ...texts],
    uris: attached,
    note: attached.length === all.length ? counted(all.length, 'file') : `${attached.length} of ${many} files`,
    leftOut,
  };
}

const depthOf = ({ path }: vscode.Uri) => path.split('/').length;

async function whyNot(uri: vscode.Uri): Promise<'secret' | 'other' | undefined> {
  if (holdsSecrets(judgedPath(uri))) return 'secret';
  return (await whyNotUnasked(uri)) ? 'other' : undefined;
}

/** The results in order, some at a time. */
async function mapped<From, To>(items: readonly From[], work: (item: From) => Promise<To>): Promise<To[]> {
  const done: To[] = [];
  for (let at = 0; at < items.length; at += AT_ONCE)
    done.push(...(await Promise.all(items.slice(at, at + AT_ONCE).map(work))));
  return done;
}

const counted = (many: number, what: string) => `${many} ${what}${many === 1 ? '' : 's'}`;
