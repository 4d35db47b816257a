import * as vscode from 'vscode';
import { MAX_TEXT } from '../../../shared/constants.ts';
import type { Instruction } from '../../../shared/runs.ts';
import { Disposable } from '../../platform/dispose.ts';
import type { Log } from '../../platform/log.ts';
import { plainMessage } from '../../platform/plainMessage.ts';
import type { Tried } from '../apply/apply.ts';
import type { Source } from '../changes/proposal.ts';
import type { FilePlan } from '../engine/edits.ts';
import { rebaseText } from '../engine/placing/rebase.ts';
import type { WorkspaceFiles } from '../files/files.ts';
import { nameOf, tellPlace, wholeLines } from '../files/places.ts';
import { applySplices, type Range } from '../hunks/track.ts';
import type { NewHunk } from '../hunks/tracked.ts';
import type { Reports } from '../notifications/reports.ts';
import { showMessage, showRequest } from '../notifications/showMessage.ts';
import type { Proposals } from '../proposals/proposals.ts';
import { EditBuffer } from '../review/buffer.ts';
import { type KeepDeps, keepAccepted } from '../review/keepAccepted.ts';
import { Review } from '../review/review.ts';
import { activeDocument, type HunkTarget, Reviews, refuse, refuseModally } from '../review/reviews.ts';
import type { EditRequest } from '../runs/answerRun.ts';
import type { EditRuns } from '../runs/runs.ts';
import { type Button, count, type Ending, type Message, tellAskingAgain, tellEnding } from '../words/messages.ts';
import { type Asked, FileWriter, tellInstructions } from './fileEdit.ts';
import { type EditPrompt, type Question, type SelectionQuestion, textOf } from './prompt.ts';
import { refuseDocument, TOO_LONG } from './refusals.ts';
import { type LinesAsked, SelectionWriter } from './selectionEdit.ts';
import { WorkspaceEdits, type WorkspaceRequest } from './workspaceEdit.ts';

/** `why`: a sentence for the user. Without it, the user declined, or knows already. */
type Placed = { review: Review } | { why?: string };

export interface EditsDeps extends KeepDeps {
  reports: Reports;
  runs: EditRuns;
  files: WorkspaceFiles;
  /** Where the changes to several files are offered. */
  proposals(): Pick<Proposals, 'begin'>;
  prompt: EditPrompt;
  /** Guests pay by the message. */
  isGuest(): boolean;
  /** The instructions that go along with an edit of these files. */
  guide(about: readonly vscode.Uri[]): Promise<Instruction[]>;
  log: Log;
}

/**
 * What to edit, and the instruction if the user needn't be asked. `title`: shown to the user, such as "Document
 * client.ts". `source`: the origin of the request, to which the review belongs.
 */
export interface FileRequest {
  document?: vscode.TextDocument;
  instruction?: string;
  title?: string;
  source?: Source;
  /** A prompt that is already open. */
  question?: Question;
}

/** Who shows an edit of lines, in place of notifications. */
export interface LinesHost {
  /** A review began to be written, also that of another try. */
  begun(review: Review): void;
  /**
   * Tells how it ended; resolves to the way on that the user chooses. `resend`: the request to send again on another
   * try, since its start was never answered.
   */
  tell(message: Message, ending: Ending, resend?: EditRequest): Promise<Button | undefined>;
}

/** Writes a model's answer into a review. */
interface Writer extends vscode.Disposable {
  /** Never rejects. */
  write(): Promise<Ending>;
  /** The request to send again if its start was never answered. */
  readonly resend: EditRequest | undefined;
  /** The model's whole answer. */
  readonly answer: string;
}

/** All edits by a model and their reviews, in all documents. */
export function createEdits(deps: EditsDeps): Edits {
  return new Edits(deps);
}

export class Edits extends Disposable {
  readonly reviews = this._register(new Reviews((review) => keepAccepted(this.deps, review)));
  /** An edit began, changed its phase or ended, or its hunks or their places changed. */
  readonly onDidChange = this.reviews.onDidChange;
  private readonly workspace: WorkspaceEdits;

  constructor(private readonly deps: EditsDeps) {
    super();
    const review = this.review.bind(this);
    this.workspace = this._register(new WorkspaceEdits({ ...deps, review }));
  }

  /** The edits that are not over. */
  get running(): readonly Review[] {
    return this.reviews.all;
  }

  /**
   * Asks for an instruction for the selected lines and runs the edit. `said`: the open prompt, or the instruction if
   * the user needn't be asked.
   */
  async editSelection(said?: SelectionQuestion | string): Promise<void> {
    const question = typeof said === 'string' ? undefined : (said ?? this.deps.prompt.openForSelection());
    const refuseInstead = (words: string) => {
      question?.close();
      refuseModally(words);
    };
    const editor = question?.editor ?? vscode.window.activeTextEditor;
    if (!editor) return refuseInstead('Open a file first, and select what Perigee should edit.');
    const { document } = editor;
    const refusal = refuseDocument(document);
    if (refusal) return refuseInstead(refusal);
    await question?.settled();
    const selection = question?.selection ?? editor.selection;
    const chosen = wholeLines(selection);
    const text = textOf(document, chosen);
    if (question && text !== question.text) return refuseInstead(CHANGED);
    if (text.length > MAX_TEXT) return refuseInstead(TOO_LONG);
    // The file may change while the user types the instruction.
    const place = new EditBuffer(document, chosen);
    const guiding = this.guide(document, question);
    const request = typeof said === 'string' ? said.trim() : await question?.answer;
    const instructions = await guiding;
    place.dispose();
    if (!request) return;
    const { region, intact } = place.tracked;
    if (document.isClosed) return refuse(`${nameOf(document)} was closed; nothing was changed.`);
    if (!intact) return refuse(CHANGED);
    if (!(await this.reviews.isFree(document, [region]))) return;
    if (editor.selection.isEqual(selection) && !selection.isEmpty) {
      // A selection would hide the colours of the written lines.
      const at = new vscode.Position(region.start, document.lineAt(region.start).firstNonWhitespaceCharacterIndex);
      editor.selection = new vscode.Selection(at, at);
    }
    await this.rewrite(document, { ...region }, { instruction: request, instructions });
  }

  /** Has lines rewritten as asked; `host` shows it. False if another edit uses these lines. */
  async editLines(
    document: vscode.TextDocument,
    region: Range,
    asked: LinesAsked,
    host: LinesHost,
    resend?: EditRequest,
  ): Promise<boolean> {
    if (!(await this.reviews.isFree(document, [region]))) return false;
    await this.rewrite(document, region, asked, host, resend);
    return true;
  }

  /**
   * Asks for an instruction for a file (by default the active one) and runs the edit, hunk by hunk as the answer
   * streams in. Resolves when the hunks are ready for review, or when the edit failed and the user was told.
   */
  async editFile(request?: FileRequest): Promise<void> {
    const { document = activeDocument(), instruction, title, source, question } = asRequest(request);
    const refuseInstead = (words: string) => {
      question?.close();
      refuseModally(words);
    };
    if (!document) return refuseInstead('Open a file first.');
    const refusal = refuseDocument(document);
    if (refusal) return refuseInstead(refusal);
    if (document.getText().length > MAX_TEXT) {
      return refuseInstead(
        `${nameOf(document)} is larger than 1 MB, which no model can read at once. Select a part of it.`,
      );
    }
    const named = `Edit ${nameOf(document)}`;
    const prompt = instruction?.trim() ? undefined : (question ?? this.deps.prompt.open(named));
    const guiding = this.guide(document, prompt);
    const asked = prompt ? await prompt.answer : instruction?.trim();
    if (!asked) return;
    await question?.settled();
    const instructions = await guiding;
    if (document.isClosed) return refuse(`${nameOf(document)} was closed; nothing was changed.`);
    if (!(await this.reviews.isFree(document, [{ start: 0, end: document.lineCount }]))) return;
    await this.editWhole(document, { instruction: asked, instructions }, source ?? { title: title ?? named });
  }

  /** Asks which files to edit and for an instruction. Changes to several files go to the list of proposals. */
  async editWorkspace(request?: WorkspaceRequest): Promise<void> {
    await this.workspace.edit(request);
  }

  /**
   * Puts a plan's hunks into the file's editor, each where its lines are now, for separate decisions. False, after
   * telling the user, if they no longer fit or the editor takes no changes.
   */
  async review(document: vscode.TextDocument, plan: FilePlan & { kind: 'update' }, source: Source): Promise<boolean> {
    return this.placed(await this.place(document, plan, source)) !== undefined;
  }

  /** As `review`, but leaves it to the caller to tell the user. */
  async tryReview(document: vscode.TextDocument, plan: FilePlan & { kind: 'update' }, source: Source): Promise<Tried> {
    const placed = await this.place(document, plan, source);
    return 'review' in placed ? { isShown: true } : { isShown: false, ...placed };
  }

  /** Reviews a plan, whose hunks are all within `region`, as a rewriting of that region. Undefined: as `review`. */
  async reviewLines(
    document: vscode.TextDocument,
    plan: FilePlan & { kind: 'update' },
    region: Range,
  ): Promise<Review | undefined> {
    const source = { title: `Edit ${tellPlace(region, nameOf(document))}` };
    return this.placed(await this.place(document, plan, source, region));
  }

  private placed(placed: Placed): Review | undefined {
    if ('review' in placed) return placed.review;
    if (placed.why) refuse(placed.why);
    return undefined;
  }

  private async place(
    document: vscode.TextDocument,
    plan: FilePlan & { kind: 'update' },
    source: Source,
    region?: Range,
  ): Promise<Placed> {
    const name = nameOf(document);
    const refusal = refuseDocument(document);
    if (refusal || document.isClosed) return { why: refusal ?? `${name} was closed; nothing was changed.` };
    const rebase = () => rebaseText(plan.before, plan.hunks, document.getText());
    const first = rebase();
    if (first.kind === 'moved') {
      const places = first.hunks.map(({ startLine, oldLines }) => ({
        start: startLine,
        end: startLine + oldLines.length,
      }));
      if (!(await this.reviews.isFree(document, places))) return {};
      if (!vscode.window.visibleTextEditors.some((editor) => editor.document === document)) {
        await vscode.window.showTextDocument(document, { preview: false });
      }
    }
    // The file may have changed during the question and while it was opened.
    const rebased = rebase();
    if (rebased.kind === 'touched') {
      const [touched] = rebased.touched;
      const why = touched ? `${touched.message} See ${tellPlace(touched.lines, name)}.` : '';
      return { why: `${source.title}: nothing was changed, for it no longer fits. ${why}` };
    }
    const review = new Review(document, source, region);
    this.reviews.add(review);
    const { blocks } = plan;
    const hunks = rebased.hunks.map((hunk) => (hunk.blocks ? hunk : { ...hunk, blocks }));
    const isPlaced = region
      ? (await review.show(withHunks(review.tracked.original, hunks, region), true)) === 'written'
      : (await review.place(hunks)).length === 0;
    if (isPlaced && !review.cut && (await review.finish())) {
      review.reveal();
      return { review };
    }
    const { cut } = review;
    review.interrupt('refused');
    await review.whenRestored();
    const why =
      cut === 'readOnly'
        ? `VS Code takes no changes for ${name}: the file is read-only. Nothing changed.`
        : `${name} was changed in the same moment, so nothing was written. Try again.`;
    return { why };
  }

  /** Stops the writing in the active editor, or the writing of one review. */
  stopEdit(of?: number | HunkTarget): void {
    const id = typeof of === 'object' ? of.review : of;
    for (const review of this.running) {
      if (review.phase !== 'writing') continue;
      if (typeof id === 'number' ? review.id === id : review.document === activeDocument()) review.interrupt('stopped');
    }
  }

  /** The instructions that go along with an edit. An open prompt says which. */
  private async guide({ uri }: vscode.TextDocument, prompt: Question | undefined): Promise<Instruction[]> {
    const instructions = await this.deps.guide([uri]);
    if (instructions.length > 0) prompt?.tell(tellInstructions(instructions));
    return instructions;
  }

  /** Has the lines rewritten. `resend`: the request of an earlier try that the server may have. */
  private rewrite(
    document: vscode.TextDocument,
    region: Range,
    asked: LinesAsked,
    host?: LinesHost,
    resend?: EditRequest,
  ): Promise<void> {
    const { runs, log, files } = this.deps;
    const title = `Edit ${tellPlace(region, nameOf(document))}`;
    const review = new Review(document, { title }, region);
    const writer = new SelectionWriter(runs, log, review, asked, files.pathOf(document.uri), resend);
    host?.begun(review);
    const again = async () => {
      const { region: now } = review.tracked;
      if (now.end <= now.start) return refuse('The lines are gone. Select others and try again.');
      if (await this.reviews.isFree(document, [now]))
        await this.rewrite(document, { ...now }, asked, host, writer.resend);
    };
    return this.follow(review, writer, again, host?.tell.bind(host));
  }

  private editWhole(document: vscode.TextDocument, asked: Asked, source: Source, resend?: EditRequest): Promise<void> {
    const review = new Review(document, source);
    const { Notification } = vscode.ProgressLocation;
    const options = { location: Notification, cancellable: true, title: plainMessage(source.title) };
    const edited = vscode.window.withProgress(options, (progress, token) => {
      token.onCancellationRequested(() => review.interrupt('stopped'));
      const hunks = review.onDidChange(() => {
        const { length } = review.tracked.open;
        if (length > 0) progress.report({ message: `${count(length, 'hunk')} so far` });
      });
      const writer = new FileWriter(
        {
          ...this.deps,
          propose: (source, plans) => void this.deps.proposals().begin(source).finish(plans),
          onRepair: (refused, of) => {
            const message = tellAskingAgain(refused, of);
            progress.report({ message });
            review.tell(message);
          },
        },
        review,
        asked,
        resend,
      );
      const again = async () => {
        // An earlier answer that reached its length limit may still be under review.
        if (await this.reviews.isFree(document, [{ start: 0, end: document.lineCount }]))
          await this.editWhole(document, asked, source, writer.resend);
      };
      return this.follow(review, writer, again).finally(() => hunks.dispose());
    });
    return Promise.resolve(edited);
  }

  /** Shows a review while `writer` writes it. At the end tells the user the result, and runs the chosen action. */
  private async follow(
    review: Review,
    writer: Writer,
    again: () => Promise<void>,
    tell: LinesHost['tell'] = showMessage,
  ): Promise<void> {
    // Keep following the review until its message is answered, because another try needs its place.
    let isAnswered = false;
    this.reviews.add(review, () => !isAnswered);
    const ending = await writer.write();
    this.deps.log.info(`An edit ended: ${ending.kind}.`);
    const { document, tracked } = review;
    const place = tracked.isRegion ? tellPlace(tracked.region, nameOf(document)) : nameOf(document);
    const message = tellEnding(ending, place, this.deps.isGuest());
    // Not awaited: the message may stay for a long time.
    const answered = this.isDisposed ? Promise.resolve(undefined) : tell(message, ending, writer.resend);
    void answered
      .then((button) => this.answer(review, writer, ending, button, again))
      .finally(() => {
        isAnswered = true;
        if (review.phase === 'stopped') review.end();
        this.reviews.forgetPast();
        writer.dispose();
      });
  }

  private async answer(
    review: Review,
    writer: Writer,
    ending: Ending,
    button: Button | undefined,
    again: () => Promise<void>,
  ): Promise<void> {
    const { document, source } = review;
    switch (button) {
      case 'Keep what was written':
        if (!(await review.keepWritten())) refuse('The lines were changed meanwhile, so nothing was written.');
        return;
      case 'Retry':
        if (document.isClosed) return refuse(`${nameOf(document)} was closed. Open it and try again.`);
        // Not awaited: it takes as long as the whole edit.
        return void again();
      case 'Show details':
        if (ending.kind === 'failed') return showRequest(ending.problem);
        return this.deps.reports.show(source.title, 'missed' in ending ? (ending.missed ?? []) : [], writer.answer);
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
}

/** A region's lines with hunks, whose places count in the whole document. */
const withHunks = (lines: readonly string[], hunks: readonly NewHunk[], region: Range) =>
  applySplices(
    lines,
    hunks.map(({ startLine, oldLines, newLines }) => ({
      ...{ start: startLine - region.start, removed: oldLines.length },
      inserted: [...newLines],
    })),
  );

/** Menus call commands with arguments of their own. */
function asRequest(request: FileRequest | undefined): FileRequest {
  if (typeof request !== 'object' || request === null || request instanceof vscode.Uri) return {};
  return request;
}

const CHANGED = 'The selected lines were changed meanwhile. Select them again.';
