import * as vscode from 'vscode';
import type { AcceptedFile } from '../changes/proposal.ts';
import { type FileChange, type Fit, fitChange, isSameText } from '../changes/proposalState.ts';
import { decodeFile, isNotFound, readFile } from '../files/files.ts';
import { splitLines } from '../hunks/hunks.ts';
import { toChanges } from '../hunks/track.ts';

/** A change that can't be made as its file is now. */
export interface StaleChange {
  change: FileChange;
  why: string;
}

/** What became of changes that were accepted together. Every file is changed wholly or not at all. */
export type Outcome =
  /** `unsaved`: files that the editor could not save; their changes are in the editor. */
  | { kind: 'accepted'; changes: FileChange[]; files: AcceptedFile[]; stale: StaleChange[]; unsaved: vscode.Uri[] }
  /** Nothing was changed: all is stale, or the user didn't agree to go on without what is. */
  | { kind: 'stale'; stale: StaleChange[] }
  /** The editor didn't take the changes. `left`: those that it took all the same and that could not be put back. */
  | { kind: 'failed'; left: vscode.Uri[] };

/** So often it is tried again when somebody types in the very moment. */
const MAX_TRIES = 4;
/** How long the editor may take to notice that a file was changed on the disk. */
const NOTICE_MS = 2_000;

/**
 * Makes `changes` as one step, which one undo takes back: text by hunks, on top of what stands in each file now; new,
 * moved and deleted files never over another. Files without unsaved changes are saved. `goOn` is asked whether the rest
 * is to be made without those that are stale. Nothing is touched before that.
 */
export async function acceptChanges(
  changes: readonly FileChange[],
  goOn: (stale: readonly StaleChange[], fitting: number) => Promise<boolean>,
): Promise<Outcome> {
  let agreed = new Set<FileChange>();
  for (let tries = 0; tries < MAX_TRIES; ) {
    const checked = await Promise.all(changes.map(checkFile));
    // Without a pause from here to the edit, so that what is fitted is what is changed.
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
  /** Of a file whose text changes: what the editor changes is the document. */
  document?: vscode.TextDocument;
  /** Of any other. */
  text?: string;
  /** Of a new file, in the encoding that the editor will read it with. */
  contents?: Uint8Array;
  /** Nothing may be done here. */
  why?: string;
}
type Fitted = Checked & { fit: Fit };
type Ready = Checked & { fit: Fit & { kind: 'fits' } };

/** Looks what there is for a change; asynchronous, so that afterwards `fitFile` needs no pause. */
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

/** Text first: an edit of a file that was moved in the same step would find nobody who knows its version. */
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

/** Saves what had no unsaved changes, and tells what there is now: saving may have formatted it. Never rejects. */
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
      // A new document that nobody sees would be lost.
      if (at.scheme === 'untitled') await vscode.window.showTextDocument(document, { preview: false });
      const isSaved = !document.isDirty || wasDirty.has(each) || at.scheme === 'untitled' || (await document.save());
      if (!isSaved) unsaved.push(at);
      return document.getText();
    }),
  );
  const files = ready.map(({ uri, target, document, change, fit }, index): AcceptedFile => {
    const { movedTo, blocks } = change;
    const done = saved[index]!;
    // The change is made, so that it must be possible to take it back; only text that was edited can be unsaved.
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

/** After a refused edit: takes back what the editor did of it, file by file; returns where it could not. */
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

/** What takes back that which was made of a change, if anything was. */
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

/** Whether a document without unsaved changes shows what is on the disk; waits a little for an editor that is late. */
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
