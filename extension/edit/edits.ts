import * as vscode from 'vscode';
import { MAX_TEXT } from '../../shared/constants.ts';
import { Disposable } from '../platform/dispose.ts';
import type { Log } from '../platform/log.ts';
import { EditBuffer } from './buffer.ts';
import { EditDecorations } from './decorations.ts';
import { EditLenses } from './lenses.ts';
import { type Button, type Message, tellEnding, tellPlace } from './messages.ts';
import { Originals } from './originals.ts';
import { EditPrompt } from './prompt.ts';
import type { TrackedHunk } from './review.ts';
import type { EditRuns } from './runs.ts';
import { EditSession } from './session.ts';
import type { Range } from './track.ts';

export interface EditsDeps {
  runs: EditRuns;
  /** Where earlier requests are kept: the extension's global state. */
  memory: vscode.Memento;
  /** Guests pay by the message. */
  isGuest(): boolean;
  log: Log;
}

/** What a lens or a key means; without a hunk the one at the cursor, without a session all of the document's. */
export interface HunkTarget {
  session?: number;
  hunk?: number;
}

/** How long a message in the status bar stays. */
const STATUS_MS = 8_000;

/** "Edit Selection" and the review of what came of it, in all documents. */
export function createEdits(deps: EditsDeps): Edits {
  return new Edits(deps);
}

export class Edits extends Disposable {
  private sessions: EditSession[] = [];
  private readonly keys = new Map<string, boolean>();
  private readonly changed = this._register(new vscode.EventEmitter<void>());
  /** An edit began, came to another phase or ended, or its hunks or their places changed. */
  readonly onDidChange = this.changed.event;
  private readonly prompt: EditPrompt;
  private readonly decorations = this._register(new EditDecorations());
  private readonly originals = this._register(new Originals());

  constructor(private readonly deps: EditsDeps) {
    super();
    this.prompt = new EditPrompt(deps.memory);
    const lenses = new EditLenses(() => this.sessions, this.changed.event);
    this._register(vscode.languages.registerCodeLensProvider('*', lenses));
    this._register(vscode.window.onDidChangeVisibleTextEditors(() => this.refresh()));
    this._register(vscode.window.onDidChangeActiveTextEditor(() => this.tellKeys()));
    this._register(vscode.window.onDidChangeActiveColorTheme(() => this.refresh()));
    this._register({
      dispose: () => {
        for (const session of this.sessions.splice(0)) session.dispose();
      },
    });
  }

  /** The edits that are not over. */
  get running(): readonly EditSession[] {
    return this.sessions;
  }

  /** Asks what to do with the selected lines and does it. `instruction`: what to do, if it need not be asked. */
  async editSelection(instruction?: string): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (!editor) return this.refuseModally('Open a file first, and select what Perigee should edit.');
    const { document } = editor;
    const refusal = refuseDocument(document);
    if (refusal) return this.refuseModally(refusal);
    const selection = editor.selection;
    const chosen = wholeLines(selection);
    const length =
      document.offsetAt(new vscode.Position(chosen.end, 0)) - document.offsetAt(new vscode.Position(chosen.start, 0));
    if (length > MAX_TEXT) {
      return this.refuseModally('More than 1 MB is selected, which no model can rewrite at once. Select fewer lines.');
    }
    if (!(await this.isFree(document, chosen))) return;

    const title = `Edit ${tellPlace(chosen, nameOf(document))}`;
    // To type the request may take a while, in which the file may change.
    const place = new EditBuffer(document, chosen);
    const request = typeof instruction === 'string' ? instruction.trim() : await this.prompt.ask(title);
    place.dispose();
    if (!request) return;
    await this.prompt.remember(request);
    const { region, intact } = place.tracked;
    if (document.isClosed) return this.refuse(`${nameOf(document)} was closed; nothing was changed.`);
    if (!intact) return this.refuse('The selected lines were changed meanwhile. Select them again.');
    if (!(await this.isFree(document, region))) return;
    if (editor.selection.isEqual(selection) && !selection.isEmpty) {
      // A selection would hide the colours of what is written into it.
      const at = new vscode.Position(region.start, document.lineAt(region.start).firstNonWhitespaceCharacterIndex);
      editor.selection = new vscode.Selection(at, at);
    }
    await this.start(document, { ...region }, request);
  }

  /** Ends the writing in the active editor, or that of one session. */
  stopEdit(session?: number): void {
    for (const running of this.sessions) {
      if (running.phase !== 'writing') continue;
      if (session === undefined ? running.document === activeDocument() : running.id === session) running.stop();
    }
  }

  async acceptHunk(target?: HunkTarget): Promise<void> {
    const found = this.find(target);
    if (!found) return this.refuse(NO_HUNK);
    found.session.accept([found.hunk.number]);
    if (asTarget(target).hunk === undefined) this.goToNext(found.hunk.start);
  }

  async rejectHunk(target?: HunkTarget): Promise<void> {
    const found = this.find(target);
    if (!found) return this.refuse(NO_HUNK);
    await this.takeBack(found.session, [found.hunk.number]);
    if (asTarget(target).hunk === undefined) this.goToNext(found.hunk.start);
  }

  async acceptAllHunks(target?: HunkTarget): Promise<void> {
    const sessions = this.reviewed(target);
    if (sessions.length === 0) return this.refuse(NO_HUNK);
    for (const session of sessions) session.accept(session.tracked.open.map((hunk) => hunk.number));
  }

  async rejectAllHunks(target?: HunkTarget): Promise<void> {
    const sessions = this.reviewed(target);
    if (sessions.length === 0) return this.refuse(NO_HUNK);
    for (const session of sessions) {
      const numbers = session.tracked.open.map((hunk) => hunk.number);
      await this.takeBack(session, numbers);
    }
  }

  async showRemoved(target?: HunkTarget): Promise<void> {
    const found = this.find(target);
    if (!found) return this.refuse(NO_HUNK);
    await this.originals.show(found.session, found.hunk.start);
  }

  /** `resend`: the request of an earlier try that the server may have. */
  private async start(
    document: vscode.TextDocument,
    region: Range,
    instruction: string,
    resend?: EditSession['resend'],
  ): Promise<void> {
    const path = vscode.workspace.asRelativePath(document.uri).replaceAll('\\', '/');
    const { runs, log } = this.deps;
    const session = new EditSession(runs, log, document, region, instruction, path, resend);
    // Another try needs the place, so an edit is followed until its message is answered.
    let isAnswered = false;
    const forgetEnded = () => {
      if (session.phase !== 'ended') return;
      this.sessions = this.sessions.filter((other) => other !== session);
      if (isAnswered) session.dispose();
    };
    session.onDidChange(() => {
      this.originals.refresh(session);
      forgetEnded();
      this.refresh();
    });
    this.sessions.push(session);
    this.refresh();
    const ending = await session.run();
    log.info(`An edit ended: ${ending.kind}.`);
    if (!this.isDisposed) {
      const place = tellPlace(session.tracked.region, nameOf(document));
      await this.answer(session, await showMessage(tellEnding(ending, place, this.deps.isGuest())));
    }
    if (session.phase === 'stopped') session.giveUp();
    isAnswered = true;
    forgetEnded();
  }

  private async answer(session: EditSession, button: Button | undefined): Promise<void> {
    switch (button) {
      case 'Keep what was written':
        if (!(await session.keepWritten())) this.refuse('The lines were changed meanwhile, so nothing was written.');
        return;
      case 'Retry':
        return this.retry(session);
      case 'Show quota':
        return void vscode.commands.executeCommand('perigee.showQuota');
      case 'Sign in':
        return void vscode.commands.executeCommand('perigee.signIn');
      case 'Open settings':
        return void vscode.commands.executeCommand('workbench.action.openSettings', 'perigee.serverUrl');
      case undefined:
        return;
    }
  }

  private async retry(session: EditSession): Promise<void> {
    const { document, instruction } = session;
    const { region } = session.tracked;
    if (document.isClosed) return this.refuse(`${nameOf(document)} was closed. Open it and select the lines again.`);
    if (region.end <= region.start) return this.refuse('The lines are gone. Select others and try again.');
    if (!(await this.isFree(document, region))) return;
    // Not waited for: it lasts as long as its own message.
    void this.start(document, { ...region }, instruction, session.resend);
  }

  /** Whether no other edit has the lines; one that is only to be reviewed can be accepted on the way. */
  private async isFree(document: vscode.TextDocument, { start, end }: Range): Promise<boolean> {
    const overlaps = (range: Range) => range.start < end && start < Math.max(range.end, range.start + 1);
    for (const session of this.sessions.filter((other) => other.document === document)) {
      const { region, open } = session.tracked;
      if (session.phase === 'writing' && overlaps(region)) {
        const place = tellPlace(region, nameOf(document));
        this.refuseModally(`Perigee is still writing ${place}. Stop that edit first, or wait for it.`);
        return false;
      }
      if (session.phase !== 'reviewing' || !open.some(overlaps)) continue;
      const goOn = 'Accept all and go on';
      const asked = 'The selection has changes of an earlier edit that are neither accepted nor rejected.';
      if ((await vscode.window.showWarningMessage(asked, { modal: true }, goOn)) !== goOn) return false;
      session.accept(session.tracked.open.map((hunk) => hunk.number));
    }
    return true;
  }

  private async takeBack(session: EditSession, numbers: readonly number[]): Promise<void> {
    const { refused, isWritten } = await session.reject(numbers);
    if (!isWritten)
      return this.refuse(`VS Code takes no changes for ${nameOf(session.document)}; nothing was changed.`);
    const [first] = refused;
    if (!first) return;
    const names = refused.map((hunk) => hunk.number).join(', ');
    const words =
      refused.length === 1
        ? `Hunk ${names} was not taken back: its lines were changed after Perigee wrote them.`
        : `Hunks ${names} were not taken back: their lines were changed after Perigee wrote them.`;
    // Not waited for: whoever rejects goes on.
    void vscode.window.showWarningMessage(words, 'Show removed').then((button) => {
      if (button) void this.originals.show(session, first.start);
    });
  }

  private reviewed(target?: HunkTarget): EditSession[] {
    const { session: id } = asTarget(target);
    return this.sessions.filter(
      (session) =>
        session.phase === 'reviewing' && (id === undefined ? session.document === activeDocument() : session.id === id),
    );
  }

  private find(target?: HunkTarget): { session: EditSession; hunk: Readonly<TrackedHunk> } | undefined {
    const { hunk: number } = asTarget(target);
    const all = this.reviewed(target)
      .flatMap((session) => session.tracked.open.map((hunk) => ({ session, hunk })))
      .toSorted((a, b) => a.hunk.start - b.hunk.start);
    if (number !== undefined) return all.find(({ hunk }) => hunk.number === number);
    const line = vscode.window.activeTextEditor?.selection.active.line ?? 0;
    return all.find(({ hunk }) => line < hunk.end || line <= hunk.start) ?? all.at(-1);
  }

  /** By keyboard one goes from hunk to hunk. */
  private goToNext(line: number): void {
    const editor = vscode.window.activeTextEditor;
    const starts = this.reviewed().flatMap((session) => session.tracked.open.map((hunk) => hunk.start));
    const sorted = starts.toSorted((a, b) => a - b);
    const next = sorted.find((start) => start >= line) ?? sorted[0];
    if (!editor || next === undefined) return;
    const at = new vscode.Position(Math.min(next, editor.document.lineCount - 1), 0);
    editor.selection = new vscode.Selection(at, at);
    editor.revealRange(new vscode.Range(at, at), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }

  private refresh(): void {
    if (this.isDisposed) return;
    this.decorations.refresh(this.sessions);
    this.changed.fire();
    this.tellKeys();
  }

  private tellKeys(): void {
    const here = this.sessions.filter((session) => session.document === activeDocument());
    this.setKey(
      'perigee.hasHunks',
      here.some((session) => session.phase === 'reviewing'),
    );
    this.setKey(
      'perigee.editing',
      here.some((session) => session.phase === 'writing'),
    );
  }

  private setKey(key: string, value: boolean): void {
    if ((this.keys.get(key) ?? false) === value) return;
    this.keys.set(key, value);
    void vscode.commands.executeCommand('setContext', key, value);
  }

  private refuse(words: string): void {
    void vscode.window.showWarningMessage(words);
  }

  /**
   * In place of the input box: whoever asked for an edit may be typing the instruction already, and with only a message
   * in the corner it would overwrite the selected lines.
   */
  private refuseModally(words: string): void {
    void vscode.window.showWarningMessage(words, { modal: true });
  }
}

const NO_HUNK = 'There is no edit of Perigee to review here.';

const activeDocument = () => vscode.window.activeTextEditor?.document;

const nameOf = (document: vscode.TextDocument) => document.uri.path.split('/').at(-1) || 'this file';

/** Commands are also called with whatever a menu hands over. */
function asTarget(target: unknown): HunkTarget {
  if (typeof target !== 'object' || target === null) return {};
  const { session, hunk } = target as Record<string, unknown>;
  return {
    session: typeof session === 'number' ? session : undefined,
    hunk: typeof hunk === 'number' ? hunk : undefined,
  };
}

/** The lines that a selection touches; one that ends before a line's first character doesn't touch that line. */
function wholeLines({ start, end }: vscode.Selection): Range {
  const last = end.character === 0 && end.line > start.line ? end.line - 1 : end.line;
  return { start: start.line, end: last + 1 };
}

/** Why Perigee can't edit this document, in words. */
function refuseDocument({ uri }: vscode.TextDocument): string | undefined {
  if (uri.scheme === 'vscode-notebook-cell') return 'Perigee does not edit notebooks yet. Copy the cell into a file.';
  if (uri.scheme === 'untitled' || vscode.workspace.fs.isWritableFileSystem(uri.scheme)) return undefined;
  return 'What is shown here is read-only, so Perigee can’t edit it. Open the file itself.';
}

async function showMessage({ severity, text, buttons }: Message): Promise<Button | undefined> {
  switch (severity) {
    case 'status':
      vscode.window.setStatusBarMessage(text, STATUS_MS);
      return undefined;
    case 'info':
      return vscode.window.showInformationMessage(text, ...buttons);
    case 'warning':
      return vscode.window.showWarningMessage(text, ...buttons);
    case 'error':
      return vscode.window.showErrorMessage(text, ...buttons);
  }
}
