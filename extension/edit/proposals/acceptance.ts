import * as vscode from 'vscode';
import type { AcceptedFile } from '../changes/proposal.ts';
import { type FileChange, type Fit, fitChange, isSameText } from '../changes/proposalState.ts';
import { decodeFile, isNotFound, readFile } from '../files/files.ts';
import { splitLines } from '../hunks/hunks.ts';
import { toChanges } from '../hunks/track.ts';

/** A change that doesn't fit the current file. */
export interface StaleChange {
  change: FileChange;
  why: string;
}

/** The result of accepting several changes together. Each file is changed completely or not at all. */
export type Outcome =
  /** `unsaved`: files that the editor could not save; their changes are in the editor. */
  | { kind: 'accepted'; changes: FileChange[]; files: AcceptedFile[]; stale: StaleChange[]; unsaved: vscode.Uri[] }
  /** Nothing was changed: all changes are stale, or the user declined to continue without the stale ones. */
  | { kind: 'stale'; stale: StaleChange[] }
  /** The editor refused the changes. `left`: files that it changed anyway and that could not be restored. */
  | { kind: 'failed'; left: vscode.Uri[] };

/** How often to retry if the user types at the same moment. */
const MAX_TRIES = 4;
/** How long the editor may take to notice a file's change on the disk. */
const NOTICE_MS = 2_000;

/**
 * Makes `changes` as one step with one undo. Text changes are applied as hunks to the current text; new, moved and
 * deleted files never overwrite another file. Files without unsaved changes are saved. `goOn` asks whether to continue
 * without the stale changes; nothing is changed before that.
 */
export async function acceptChanges(
  changes: readonly FileChange[],
  goOn: (stale: readonly StaleChange[], fitting: number) => Promise<boolean>,
): Promise<Outcome> {
  let agreed = new Set<FileChange>();
  for (let tries = 0; tries < MAX_TRIES; ) {
    const checked = await Promise.all(changes.map(checkFile));
    // No `await` from here to the edit, so that the edit applies to the same text that was checked.
    const fitted = checked.map(fitFile);
    const stale = fitted.flatMap(({ change, fit }) => (fit.kind === 'stale' ? [{ change, why: fit.why }] : []));
    const ready = fitted.filter((each): each is Ready => each.fit.kind === 'fits');
    if (ready.length === 0) return { kind: 'stale', stale };
    if (stale.some(({ change }) => !agreed.has(change))) {
      if (!(await goOn(stale, ready.length))) return { kind: 'stale', stale };
      agreed = new Set(stale.map(({ change }) => change));
      continue;
    }
    const wasDirty = new Set(ready.filter(({ document }) => document?.isDirty));
    if (await applyEdit(ready)) {
      const { files, unsaved } = await saveAccepted(ready, wasDirty);
      return { kind: 'accepted', changes: ready.map(({ change }) => change), files, stale, unsaved };
    }
    const left = await putBack(ready, wasDirty);
    if (left.length > 0) return { kind: 'failed', left };
    tries++;
  }
  return { kind: 'failed', left: [] };
}

interface Checked {
  change: FileChange;
  uri: vscode.Uri;
  target?: vscode.Uri;
  isTargetTaken?: boolean;
  /** For a text change: the document that the editor changes. */
  document?: vscode.TextDocument;
  /** For any other change. */
  text?: string;
  /** For a new file, in the encoding that the editor will read it with. */
  contents?: Uint8Array;
  /** Why this change must not be made. */
  why?: string;
}
type Fitted = Checked & { fit: Fit };
type Ready = Checked & { fit: Fit & { kind: 'fits' } };

/** Reads the current state for a change. It is asynchronous, so that `fitFile` needs no `await` afterwards. */
async function checkFile(change: FileChange): Promise<Checked> {
  const uri = vscode.Uri.parse(change.uri, true);
  const target = change.movedTo === undefined ? undefined : vscode.Uri.parse(change.movedTo, true);
  const checked: Checked = { change, uri, target };
  const refuse = (why: string) => ({ ...checked, why });
  try {
    const now = await readFile(uri);
    if (now.kind === 'refused') return refuse(now.why);
    if (target) checked.isTargetTaken = await exists(target);
    const text = now.kind === 'file' ? now.text : undefined;
    if (change.before === undefined && change.after !== undefined) {
      return { ...checked, text, contents: await vscode.workspace.encode(change.after, { uri }) };
    }
    if (text === undefined || change.after === undefined) return { ...checked, text };
    const document = await vscode.workspace.openTextDocument(uri);
    if (!(await isCurrent(document))) return refuse('It was changed on the disk, and the editor has not noticed yet.');
    return { ...checked, document };
  } catch (error) {
    return refuse(`It can’t be opened: ${error instanceof Error ? error.message : 'unknown cause'}`);
  }
}

function fitFile(checked: Checked): Fitted {
  const { change, document, isTargetTaken, why } = checked;
  if (why !== undefined) return { ...checked, fit: { kind: 'stale', why } };
  const text = document ? document.getText() : checked.text;
  return { ...checked, fit: fitChange(change, { text, isTargetTaken }) };
}

/** Text changes come first: after a move in the same step, the editor would not know the file's version. */
async function applyEdit(ready: readonly Ready[]): Promise<boolean> {
  const edit = new vscode.WorkspaceEdit();
  for (const { uri, document, fit } of ready) {
    if (!document) continue;
    const eol = document.eol === vscode.EndOfLine.CRLF ? '\r\n' : '\n';
    for (const change of toChanges(splitLines(document.getText()), fit.splices, eol)) {
      const { startLine, startCharacter, endLine, endCharacter, text } = change;
      edit.replace(uri, new vscode.Range(startLine, startCharacter, endLine, endCharacter), text);
    }
  }
  for (const { uri, target, contents, fit } of ready) {
    if (target) edit.renameFile(uri, target, { overwrite: false });
    else if (fit.after === undefined) edit.deleteFile(uri, { recursive: false });
    else if (fit.before !== undefined) continue;
    else if (uri.scheme === 'untitled') edit.insert(uri, new vscode.Position(0, 0), fit.after);
    else edit.createFile(uri, { overwrite: false, contents });
  }
  try {
    return await vscode.workspace.applyEdit(edit);
  } catch {
    return false;
  }
}

/** Saves files that had no unsaved changes. Returns the current state: saving may have formatted it. Never rejects. */
async function saveAccepted(
  ready: readonly Ready[],
  wasDirty: ReadonlySet<Checked>,
): Promise<{ files: AcceptedFile[]; unsaved: vscode.Uri[] }> {
  const unsaved: vscode.Uri[] = [];
  const saved = await Promise.allSettled(
    ready.map(async (each): Promise<string | undefined> => {
      const { uri, target, fit } = each;
      if (fit.after === undefined) return undefined;
      const at = target ?? uri;
      const document = await vscode.workspace.openTextDocument(at);
      // A new document that is not shown would be lost.
      if (at.scheme === 'untitled') await vscode.window.showTextDocument(document, { preview: false });
      const isSaved = !document.isDirty || wasDirty.has(each) || at.scheme === 'untitled' || (await document.save());
      if (!isSaved) unsaved.push(at);
      return document.getText();
    }),
  );
  const files = ready.map(({ uri, target, document, change, fit }, index): AcceptedFile => {
    const { movedTo, blocks } = change;
    const done = saved[index]!;
    // The change is made, so it must be possible to undo it. Only edited text can be unsaved.
    if (done.status === 'rejected' && document) unsaved.push(target ?? uri);
    return {
      uri: change.uri,
      ...(movedTo !== undefined && { movedTo }),
      ...(blocks && { blocks }),
      before: fit.before,
      after: done.status === 'fulfilled' ? done.value : fit.after,
    };
  });
  return { files, unsaved };
}

/** After a refused edit: undoes what the editor did of it, file by file. Returns the files where that failed. */
async function putBack(ready: readonly Ready[], wasDirty: ReadonlySet<Checked>): Promise<vscode.Uri[]> {
  const done = await Promise.all(ready.map(async (each) => ({ each, inverse: await inverseOfDone(each) })));
  const left: vscode.Uri[] = [];
  for (const { each, inverse } of done) {
    if (!inverse) continue;
    const back = fitFile(await checkFile(inverse));
    const isBack = back.fit.kind === 'fits' && (await applyEdit([back as Ready]));
    if (!isBack) left.push(each.target ?? each.uri);
    else if (back.document && !wasDirty.has(each)) await (await vscode.workspace.openTextDocument(each.uri)).save();
  }
  return left;
}

/** The inverse of the part of a change that was made, if any. */
async function inverseOfDone({ uri, target, change, fit }: Ready): Promise<FileChange | undefined> {
  const { before, after } = fit;
  const textAt = async (at: vscode.Uri) => {
    const now = await readFile(at);
    return now.kind === 'file' ? now.text : undefined;
  };
  if (target && (await exists(target)) && !(await exists(uri))) {
    return { uri: target.toString(), movedTo: change.uri, before: await textAt(target), after: before };
  }
  const text = await textAt(uri);
  return isSameText(text, after) && !isSameText(before, after) && (!target || text !== undefined)
    ? { uri: change.uri, before: text, after: before }
    : undefined;
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Whether a document without unsaved changes matches the disk. Waits a little for a slow editor. */
async function isCurrent(document: vscode.TextDocument): Promise<boolean> {
  const { uri } = document;
  if (document.isDirty || uri.scheme === 'untitled') return true;
  const isSame = async () => {
    const onDisk = await decodeFile(uri, await vscode.workspace.fs.readFile(uri));
    return document.isDirty || isSameText(onDisk, document.getText());
  };
  if (await isSame()) return true;
  await new Promise<void>((resolve) => {
    const noticed = vscode.workspace.onDidChangeTextDocument(({ document: changed }) => {
      if (changed === document) end();
    });
    const late = setTimeout(() => end(), NOTICE_MS);
    const end = () => {
      noticed.dispose();
      clearTimeout(late);
      resolve();
    };
  });
  return isSame();
}
