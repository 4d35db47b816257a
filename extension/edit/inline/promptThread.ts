import * as vscode from 'vscode';
import { MAX_TEXT } from '../../../shared/constants.ts';
import type { AttachedText, Instruction } from '../../../shared/runs.ts';
import { Disposable } from '../../platform/dispose.ts';
import { editorOf } from '../files/activeEditor.ts';
import { nameOf, tellPlace } from '../files/places.ts';
import type { Range } from '../hunks/track.ts';
import type { Edits } from '../requests/edits.ts';
import { textOf } from '../requests/prompt.ts';
import { refuseDocument, TOO_LONG } from '../requests/refusals.ts';
import type { LinesAsked } from '../requests/selectionEdit.ts';
import { EditBuffer } from '../review/buffer.ts';
import type { Review } from '../review/review.ts';
import type { EditRequest } from '../runs/answerRun.ts';
import { alongText, threadText } from '../words/inlineWords.ts';
import type { Button, Ending, Message } from '../words/messages.ts';
import { type Withdrawn, withdraw } from './proposal.ts';

export interface ThreadDeps {
  edits(): Promise<Edits>;
  /** The texts that a prompt names by `@` and the names of nothing, or why one can't go along. */
  read(
    prompt: string,
    about: vscode.Uri,
  ): Promise<{ attachments: AttachedText[]; missing?: string[] } | { refused: string }>;
  /** The instructions that go along with an edit of these files. */
  guide(about: readonly vscode.Uri[]): Promise<Instruction[]>;
  /** The chosen model and how hard it thinks; undefined if the server's list is unknown. */
  model(): Promise<{ id: string; name: string; effort?: string } | undefined>;
  remember(prompt: string): Promise<void>;
  /** Puts a text back into the input, and gives it the keys. */
  giveBack(thread: PromptThread, text: string): Promise<unknown>;
}

/** The prompt for some lines, the answers to it, and what the user asks further. */
export class PromptThread extends Disposable {
  private place: EditBuffer;
  private review: Review | undefined;
  private following: vscode.Disposable | undefined;
  /** The instructions that the proposal under review follows. */
  private followed: readonly string[] = [];
  private last: LinesAsked | undefined;
  /** What is under review is the proposal that `last` was about, for nothing came of that. */
  private isBack = false;
  /** What went along with `last`, in words. */
  private along = '';
  private resend: EditRequest | undefined;
  private isBusy = false;
  private modelName: string | undefined;
  private chosen: ((button: Button | undefined) => void) | undefined;
  private readonly closed = this._register(new vscode.EventEmitter<void>());
  readonly onDidClose = this.closed.event;

  /** `thread`: an empty one, on the lines of `region`. */
  constructor(
    private readonly deps: ThreadDeps,
    readonly thread: vscode.CommentThread,
    readonly document: vscode.TextDocument,
    region: Range,
  ) {
    super();
    this.place = this.placeAt(region);
    thread.canReply = true;
    thread.contextValue = 'asking';
    thread.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
    void this.label();
    this._register(
      vscode.workspace.onDidCloseTextDocument(() => {
        // A document that gets another language is told as closed, but is not.
        if (document.isClosed) this.dispose();
      }),
    );
    this._register({
      dispose: () => {
        this.chosen?.(undefined);
        this.following?.dispose();
        this.place.dispose();
        thread.dispose();
        this.closed.fire();
      },
    });
  }

  /** Nothing was asked yet. */
  get isEmpty(): boolean {
    return this.last === undefined;
  }

  get isWriting(): boolean {
    return this.isBusy;
  }

  /** What is written or reviewed here. */
  get reviewId(): number | undefined {
    return this.review?.id;
  }

  /** The lines it is about. */
  get region(): Range {
    const { review, place } = this;
    return { ...(review && review.phase !== 'ended' ? review.tracked.region : place.tracked.region) };
  }

  /** Names the lines and the model in the title. */
  async label(): Promise<void> {
    this.entitle();
    this.modelName = (await this.deps.model().catch(() => undefined))?.name;
    if (!this.isDisposed) this.entitle();
  }

  /** The lines as they are now: keys that came before the input had the focus may have moved them. */
  private entitle(): void {
    const lines = `Edit ${tellPlace(this.region, nameOf(this.document))}`;
    const title = [lines, ...(this.modelName ? [this.modelName] : [])].join(' · ');
    if (this.thread.label !== title) this.thread.label = title;
  }

  private placeAt(region: Range): EditBuffer {
    const place = new EditBuffer(this.document, region);
    place.onDidChangeForeign(() => this.entitle());
    return place;
  }

  /** Sends what was typed. If that can't be, says why and gives the text back. */
  async send(typed: string): Promise<void> {
    const instruction = typed.trim();
    if (instruction === '') return;
    if (this.isBusy) return void (await this.deps.giveBack(this, typed));
    await this.busy(typed, async () => {
      const { document, deps, followed } = this;
      const refusal = document.isClosed ? `${nameOf(document)} was closed.` : refuseDocument(document);
      if (refusal) return refusal;
      if (textOf(document, this.region).length > MAX_TEXT) return TOO_LONG;
      await deps.remember(instruction);
      if (instruction.includes('@')) this.show(this.said, 'Reading what the prompt names…', [], 'reading');
      const [named, instructions, model] = await Promise.all([
        deps.read(instruction, document.uri),
        deps.guide([document.uri]),
        deps.model().catch(() => undefined),
      ]);
      if ('refused' in named) return named.refused;
      const { attachments, missing = [] } = named;
      this.along = alongText(attachments, missing);
      const asked = { instruction, instructions, attachments, ...chosen(model) };
      const isMore = this.review?.phase === 'reviewing';
      return this.ask(isMore ? { ...asked, earlier: followed } : asked, isMore);
    });
  }

  /** Takes the proposal back and asks the same again. */
  async regenerate(): Promise<void> {
    const { last, isBack } = this;
    if (!last || this.isBusy) return;
    await this.busy('', async () => {
      const model = await this.deps.model().catch(() => undefined);
      return this.ask({ ...last, ...chosen(model) }, isBack, this.resend);
    });
  }

  /** The user chose a way on that the last message names. */
  choose(button: Button): void {
    this.chosen?.(button);
  }

  private async busy(typed: string, work: () => Promise<string | undefined>): Promise<void> {
    this.isBusy = true;
    let refusal: string | undefined;
    try {
      refusal = await work();
    } catch (error) {
      refusal = error instanceof Error ? error.message : String(error);
    }
    this.isBusy = false;
    if (this.isDisposed) return;
    if (refusal === undefined) return;
    this.show(this.said, refusal, []);
    await this.deps.giveBack(this, typed);
  }

  /** `isMore`: about the proposal under review. Returns why it could not be asked. */
  private async ask(asked: LinesAsked, isMore: boolean, resend?: EditRequest): Promise<string | undefined> {
    const { document, deps } = this;
    const edits = await deps.edits();
    const withdrawn = this.review && (await withdraw(this.review));
    if (withdrawn === false) return `${nameOf(document)} takes no changes now. Accept or reject the proposal first.`;
    // The review has ended by now, but knows best where its lines are.
    const region = withdrawn && this.review ? { ...this.review.tracked.region } : this.region;
    if (region.end <= region.start) return 'The lines are gone. Select others and ask again.';
    this.move(region);
    this.last = isMore && withdrawn ? { ...asked, draft: withdrawn.draft } : asked;
    this.chosen?.(undefined);
    const host = {
      begun: (review: Review) => this.begun(review, asked.instruction),
      tell: (message: Message, ending: Ending, again?: EditRequest) => this.tell(message, ending, withdrawn, again),
    };
    if (await edits.editLines(document, region, this.last, host, resend)) return undefined;
    await this.restore(withdrawn);
    return 'These lines belong to another edit. Decide about that first.';
  }

  private begun(review: Review, instruction: string): void {
    this.follow(review);
    const asked = [`You: ${shorten(instruction)}`, this.along].filter((row) => row !== '');
    this.show([...this.said, ...asked], 'Writing… Escape stops.', [], 'writing');
    void this.toEditor();
  }

  /** Shows how an edit ended, and what can be done. After anything but a proposal, the earlier one is put back. */
  private async tell(
    message: Message,
    ending: Ending,
    withdrawn: Withdrawn | undefined,
    resend: EditRequest | undefined,
  ): Promise<Button | undefined> {
    const { last } = this;
    this.resend = resend;
    if (this.isDisposed || !last) return undefined;
    const { review } = this;
    if (ending.kind === 'review' && review?.phase === 'ended') {
      this.dispose();
      return undefined;
    }
    const isProposal = review?.phase === 'reviewing';
    if (isProposal) {
      this.followed = [...(last.earlier ?? []), last.instruction];
      this.mark(review.tracked.region);
    } else if (review && (review.phase === 'ended' || withdrawn)) {
      this.move(review.tracked.region);
      this.following?.dispose();
      this.review = undefined;
    }
    this.isBack = !isProposal && (await this.restore(withdrawn));
    const { isBack } = this;
    const buttons = message.buttons.filter((button) => !isBack || button !== 'Keep what was written');
    const text = threadText(message, isProposal ? (this.review?.tracked.open.length ?? 0) : 0);
    this.show(this.said, isBack ? `${text} The earlier proposal is back.` : text, buttons);
    if (!isProposal) await this.deps.giveBack(this, last.instruction);
    return new Promise((resolve) => {
      this.chosen = resolve;
    });
  }

  /** Puts an earlier proposal back for review. */
  private async restore(withdrawn: Withdrawn | undefined): Promise<boolean> {
    if (!withdrawn) return false;
    const edits = await this.deps.edits();
    const review = await edits.reviewLines(this.document, withdrawn.plan, this.region);
    if (!review) return false;
    this.follow(review);
    this.mark(review.tracked.region);
    return true;
  }

  /** The thread ends with the review that it is about. */
  private follow(review: Review): void {
    this.following?.dispose();
    this.review = review;
    let phase = review.phase;
    this.following = review.onDidChange(() => {
      if (review.phase !== 'ended') this.entitle();
      const before = phase;
      phase = review.phase;
      if (this.isBusy || phase === before) return;
      if (phase === 'ended') this.dispose();
      // What a stop took back is written after all.
      else if (before === 'stopped' && this.last) this.followed = [...(this.last.earlier ?? []), this.last.instruction];
    });
  }

  /** Puts the thread below these lines. */
  private move(region: Range): void {
    this.place.dispose();
    this.place = this.placeAt({ ...region });
    this.mark(region);
  }

  private mark(region: Range): void {
    const last = this.document.lineAt(Math.max(region.start, Math.min(region.end, this.document.lineCount) - 1));
    this.thread.range = new vscode.Range(region.start, 0, last.lineNumber, last.text.length);
    this.entitle();
  }

  /** The editor gets the keys: those of the review, and Escape. */
  private async toEditor(): Promise<void> {
    const { document, region } = this;
    const shown = editorOf(document);
    if (!shown) return;
    const editor = await vscode.window.showTextDocument(document, { viewColumn: shown.viewColumn });
    if (editor.selection.isEmpty || document.isClosed) return;
    // A selection would hide the colours of the written lines.
    const at = new vscode.Position(region.start, document.lineAt(region.start).firstNonWhitespaceCharacterIndex);
    editor.selection = new vscode.Selection(at, at);
  }

  /** What the user asked and what went along, oldest first. */
  private said: readonly string[] = [];

  /** `phase` and `buttons` choose the buttons of the thread. */
  private show(said: readonly string[], told: string, buttons: readonly Button[], phase = 'told'): void {
    this.said = said;
    this.thread.canReply = phase !== 'writing';
    this.thread.contextValue = [phase, ...buttons.map((button) => WAYS[button])].join(' ');
    this.thread.comments = [...said, `Perigee: ${told}`].map(row);
  }
}

/** As `when` clauses know the ways on. */
const WAYS: Record<Button, string> = {
  Retry: 'retry',
  'Keep what was written': 'keep',
  'Show details': 'details',
  'Show quota': 'quota',
  'Sign in': 'signIn',
  'Open settings': 'settings',
};

/**
 * A row of text. It stands in the author's name, for with a text of its own it would be a comment to the editor, which
 * opens the panel of comments over whatever is there.
 */
const row = (text: string): vscode.Comment => ({
  author: { name: text },
  body: new vscode.MarkdownString(),
  mode: vscode.CommentMode.Preview,
});

const chosen = (model: { id: string; effort?: string } | undefined) =>
  model && { model: model.id, effort: model.effort };

const shorten = (text: string) => {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= 120 ? line : `${line.slice(0, 119).trimEnd()}…`;
};
