import * as vscode from 'vscode';
import type { AttachmentInput, AttachmentKind, LineRange } from '../../../shared/runs.ts';
import { MAX_TEXT } from '../../../shared/runs.ts';
import { gitDiff, NO_ANSWER } from '../../platform/git.ts';
import { holdsSecrets } from '../../platform/secrecy/guarded.ts';
import { judgedPath } from '../../platform/secrecy/judgedPath.ts';
import { stoppedWithin } from '../../platform/within.ts';
import type { Chip } from '../protocol.ts';

/** Something that can't be attached; the message is a sentence for the user. */
export class AttachmentRefused extends Error {
  /** The chip without which the message can be sent. */
  chipId?: string;
}

/**
 * A chip with the data needed to send it. A file is read when it is sent, so that the newest text is sent. The others
 * hold the text from when they were attached.
 */
export interface StoredChip extends Chip {
  uri?: string;
  languageId?: string;
  text?: string;
}

/** Estimates tokens at 4 bytes each, a common rule of thumb for code and English. For meter and forecast only. */
export const estimateTokens = (text: string) => Math.ceil(new TextEncoder().encode(text).length / 4);

/** The chip without the parts that only the host uses. */
export function shownChip({ id, kind, label, path, range, tokens, note, ...more }: StoredChip): Chip {
  const { mostTokens, leftOut, isReading, failed, lines, implicit } = more;
  return { id, kind, label, path, range, tokens, mostTokens, note, leftOut, isReading, failed, lines, implicit };
}

/** Files that are attached as pictures. */
const PICTURES = /\.(?:png|jpe?g|webp|gif)$/i;

/** A chip for a file. Throws `AttachmentRefused` if it is a folder, binary, too large or gone. */
export async function fileChip(uri: vscode.Uri): Promise<StoredChip> {
  if (PICTURES.test(uri.path)) {
    const path = workspacePath(uri);
    return { ...head('image', uri.toString()), label: baseName(path), path, uri: uri.toString(), tokens: 0 };
  }
  const { text, languageId } = await readText(uri);
  const path = workspacePath(uri);
  return {
    ...head('file', uri.toString()),
    label: baseName(path),
    path,
    uri: uri.toString(),
    languageId,
    tokens: estimateTokens(text),
  };
}

/** A chip for a text without its file. */
export function textChip(name: string, text: string, languageId: string | undefined): StoredChip {
  refuseTooLong(text, name);
  return {
    // Not "file": it leads to no file of the workspace, which may have one of that name.
    ...head('pasted', `file ${name}`),
    label: name,
    path: name,
    languageId,
    text,
    tokens: estimateTokens(text),
  };
}

/** A chip for a long text that was pasted into the message. Two equal texts are two chips. */
export function longPasteChip(text: string): StoredChip {
  refuseTooLong(text, 'The pasted text');
  const lines = text.trimEnd().split(/\r\n|\n|\r/).length;
  const many = lines > 1 ? `${lines.toLocaleString('en')} lines` : `${text.length.toLocaleString('en')} characters`;
  const own = { ...head('pasted', crypto.randomUUID()), label: `Pasted text, ${many}`, path: many };
  return { ...own, text, tokens: estimateTokens(text) };
}

/** The selection of an editor, as whole lines; without a selection, the line of the cursor. */
export function selectionChip(editor: vscode.TextEditor | undefined): StoredChip {
  if (!editor) throw new AttachmentRefused('No file is open in the editor, so nothing is selected.');
  return linesChip(editor.document, selectedLines(editor.selection));
}

/** If a selection ends before the first character of a line, that line is not part of it. */
export function selectedLines({ start, end }: vscode.Selection): LineRange {
  const endsBefore = end.character === 0 && end.line > start.line;
  return { start: start.line, end: end.line - (endsBefore ? 1 : 0) };
}

function linesChip(document: vscode.TextDocument, range: LineRange): StoredChip {
  const text = document.getText(new vscode.Range(range.start, 0, range.end, Number.MAX_SAFE_INTEGER));
  if (text.trim() === '') throw new AttachmentRefused('Nothing is selected, and the line of the cursor is empty.');
  refuseTooLong(text, 'The selection');
  return partChip(document, range, text);
}

/** A chip for lines of a document; `text` is their text, or a part of it. */
export function partChip(document: vscode.TextDocument, range: LineRange, text: string): StoredChip {
  const path = workspacePath(document.uri);
  return {
    ...head('selection', `${document.uri}#${range.start}-${range.end}`),
    label: linesLabel(path, range),
    path,
    range,
    uri: document.uri.toString(),
    languageId: document.languageId,
    text,
    tokens: estimateTokens(text),
  };
}

/** "client.ts:12–40" */
export const linesLabel = (path: string, { start, end }: LineRange) =>
  `${baseName(path)}:${start + 1}${end > start ? `–${end + 1}` : ''}`;

/**
 * A problem and the lines around it: the problem with this message that is now nearest to `at`. Throws
 * `AttachmentRefused` if there is none any more.
 */
export async function problemChips(uri: vscode.Uri, at: vscode.Range, message: string): Promise<StoredChip[]> {
  const far = ({ range }: vscode.Diagnostic) => Math.abs(range.start.line - at.start.line);
  const [problem] = vscode.languages
    .getDiagnostics(uri)
    .filter((diagnostic) => diagnostic.message === message)
    .sort((a, b) => far(a) - far(b));
  if (!problem) throw new AttachmentRefused('That problem is no longer there.');
  const list = listChip([{ uri, diagnostic: problem }], workspacePath(uri));
  // The user did not choose the lines around the problem.
  if (holdsSecrets(judgedPath(uri))) return [list];
  const { start, end } = problem.range;
  const document = await vscode.workspace.openTextDocument(uri);
  const lines = { start: Math.max(0, start.line - 40), end: Math.min(document.lineCount - 1, end.line + 40) };
  return [list, linesChip(document, lines)];
}

/** The problems of the active file, or of the whole workspace if that file has none. */
export function problemsChip(active: vscode.Uri | undefined): StoredChip {
  const ofFile = active ? countedProblems([[active, vscode.languages.getDiagnostics(active)]]) : [];
  const problems = ofFile.length > 0 ? ofFile : countedProblems(vscode.languages.getDiagnostics());
  if (problems.length === 0)
    throw new AttachmentRefused('The editor shows no problems, neither here nor in other files.');
  return listChip(problems, ofFile.length > 0 && active ? workspacePath(active) : undefined);
}

function listChip(problems: readonly LocatedProblem[], path: string | undefined): StoredChip {
  const text = problems
    .slice(0, 200)
    .map(({ uri, diagnostic }) => describeProblem(uri, diagnostic))
    .join('\n');
  return {
    ...head('problems', 'problems'),
    label: problems.length === 1 ? '1 problem' : `${problems.length} problems`,
    path,
    text,
    tokens: estimateTokens(text),
  };
}

/** The number of errors and warnings of a file: those that the problems chip would attach. */
export function countProblems(uri: vscode.Uri): number {
  return countedProblems([[uri, vscode.languages.getDiagnostics(uri)]]).length;
}

/** How long an attachment waits for git. The message waits for the attachment. */
export const GIT_MS = 10_000;

/** All uncommitted changes of the repository around `near`. */
export async function diffChip(near: vscode.Uri | undefined): Promise<StoredChip> {
  const found = (await stoppedWithin((signal) => gitDiff(near, signal), GIT_MS)) ?? { none: NO_ANSWER };
  if ('none' in found) throw new AttachmentRefused(found.none);
  const { text } = found;
  refuseTooLong(text, 'The uncommitted changes');
  return {
    ...head('diff', 'diff'),
    label: 'Uncommitted changes',
    text,
    tokens: estimateTokens(text),
  };
}

/** The content of a chip that is no picture, for the API. Throws `AttachmentRefused` if its file is gone or can't be attached any more. */
export async function chipInput(chip: StoredChip): Promise<AttachmentInput> {
  const { path, range } = chip;
  const kind = chip.kind as Exclude<AttachmentKind, 'image'>;
  const visible = chip.implicit === 'visible' ? ({ visible: true } as const) : {};
  const name = kind === 'symbol' ? { name: chip.label.slice(0, 200) } : {};
  if (chip.text !== undefined)
    return { kind, ...visible, ...name, path, range, languageId: chip.languageId, text: chip.text };
  refuseUnread(chip);
  const { text, languageId } = await readText(vscode.Uri.parse(chip.uri ?? '', true));
  return { kind, path, languageId, text };
}

/** Throws `AttachmentRefused` for a page of the web that has no text. */
export function refuseUnread({ id, kind, path, text, failed }: StoredChip): void {
  if (kind !== 'page' || text !== undefined) return;
  const told = `${path} was not read. ${failed ?? ''} Try again, or remove it.`.replace('  ', ' ');
  throw Object.assign(new AttachmentRefused(told), { chipId: id });
}

/** The text of a file, with the editor's unsaved changes. Throws `AttachmentRefused`. */
export async function readText(uri: vscode.Uri): Promise<{ text: string; languageId?: string }> {
  const name = baseName(uri.path);
  const document = vscode.workspace.textDocuments.find((open) => open.uri.toString() === uri.toString());
  if (document && !document.isClosed) {
    const text = document.getText();
    refuseTooLong(text, name);
    return { text, languageId: document.languageId };
  }
  let bytes: Uint8Array;
  try {
    const { type, size } = await vscode.workspace.fs.stat(uri);
    if (type & vscode.FileType.Directory) throw new AttachmentRefused(`${name} is a folder. Attach the files in it.`);
    // UTF-16 needs up to 2 bytes a character: a file above this size can't hold a text that is short enough.
    if (size > 4 * MAX_TEXT) throw tooLarge(name, size);
    bytes = await vscode.workspace.fs.readFile(uri);
  } catch (error) {
    if (error instanceof AttachmentRefused) throw error;
    if (error instanceof vscode.FileSystemError && error.code === 'FileNotFound') {
      throw new AttachmentRefused(`${name} is no longer there. Remove it from the message, or attach another file.`);
    }
    throw new AttachmentRefused(`${name} can't be read: ${error instanceof Error ? error.message : 'unknown cause'}`);
  }
  const text = decode(bytes);
  if (text === undefined) throw new AttachmentRefused(`${name} is a binary file. Only text can be attached.`);
  if (text.length > MAX_TEXT) throw tooLarge(name, bytes.length);
  return { text };
}

function decode(bytes: Uint8Array): string | undefined {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
  if (encoding === 'utf-8' && bytes.subarray(0, 8000).includes(0)) return undefined;
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

export function refuseTooLong(text: string, name: string): void {
  if (text.length > MAX_TEXT) throw tooLarge(name, text.length);
}

function tooLarge(name: string, size: number): AttachmentRefused {
  const megabytes = (size / 1_000_000).toLocaleString('en', { maximumFractionDigits: 1 });
  return new AttachmentRefused(
    `${name} is too large: ${megabytes} MB, and at most 1 MB can be attached. Attach the part that matters.`,
  );
}

interface LocatedProblem {
  uri: vscode.Uri;
  diagnostic: vscode.Diagnostic;
}

function countedProblems(all: [vscode.Uri, vscode.Diagnostic[]][]): LocatedProblem[] {
  return all.flatMap(([uri, diagnostics]) =>
    diagnostics
      .filter(({ severity }) => severity <= vscode.DiagnosticSeverity.Warning)
      .map((diagnostic) => ({ uri, diagnostic })),
  );
}

function describeProblem(uri: vscode.Uri, { range, severity, message, source, code }: vscode.Diagnostic): string {
  const kind = vscode.DiagnosticSeverity[severity].toLowerCase();
  const name = typeof code === 'object' ? code.value : code;
  const from = [source, name].filter((part) => part !== undefined && part !== '').join(' ');
  return `${workspacePath(uri)}:${range.start.line + 1}:${range.start.character + 1}: ${kind}${from && ` (${from})`}: ${message}`;
}

/** Relative to the workspace, with forward slashes. With several folders, the folder's name comes first. */
export function workspacePath(uri: vscode.Uri): string {
  return vscode.workspace.asRelativePath(uri).replace(/\\/g, '/');
}

/** "lines 12–14 of client.ts", for a chip that has lines. */
export function tellLines({ path = '', range }: Pick<StoredChip, 'path' | 'range'>): string {
  if (!range) return baseName(path);
  const [first, last] = [range.start + 1, range.end + 1];
  return `${first === last ? `line ${first}` : `lines ${first}–${last}`} of ${baseName(path)}`;
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The longest id of a chip. */
export const MAX_ID = 200;

/** Attaching the same thing twice gives the same chip. */
export function head(kind: AttachmentKind, what: string): { id: string; kind: AttachmentKind } {
  const id = `${kind} ${what}`;
  return { id: id.length <= MAX_ID ? id : `${kind} …${id.slice(-150)}`, kind };
}
