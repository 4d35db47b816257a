import * as vscode from 'vscode';
import type { Problem } from '../../../shared/problems.ts';
import { Disposable } from '../../platform/dispose.ts';
import type { Source } from '../changes/proposal.ts';
import type { Range, Splice } from '../hunks/track.ts';
import type { NewHunk, TrackedHunk } from '../hunks/tracked.ts';
import type { Charge } from '../runs/answerRun.ts';
import type { Ending } from '../words/messages.ts';
import { EditBuffer, type Written } from './buffer.ts';

/** Why the writing ended early. Except for `failed`, the model can stop. */
export type Cut =
  | 'stopped'
  /** A foreign change hit the lines that were being written. */
  | 'touched'
  /** The user undid it while it was being written. */
  | 'undone'
  | 'readOnly'
  | 'closed'
  | 'failed'
  /** The received edits can't be applied as a whole. */
  | 'refused';

let lastId = 0;

/**
 * An edit proposed for one document and placed in it for review: from the first write until no hunk is open. After that
 * it keeps following the document: an undo that brings back a hunk also brings back the review. Writers call `show` or
 * `place` as the text streams in, and `finish` at its end. An interruption before that takes everything back.
 */
export class Review extends Disposable {
  readonly id = ++lastId;
  readonly buffer: EditBuffer;
  private readonly changed = this._register(new vscode.EventEmitter<void>());
  /** The phase, the hunks or their places changed. */
  readonly onDidChange = this.changed.event;
  private readonly interrupted = this._register(new vscode.EventEmitter<Cut>());
  /** Something outside interrupted the writing. */
  readonly onDidInterrupt = this.interrupted.event;
  private now: 'writing' | 'stopped' | 'reviewing' | 'ended' = 'writing';
  private interruption: Cut | undefined;
  private restored: Promise<number[]> = Promise.resolve([]);
  /** Set during `finish`, which changes the lines twice. */
  private isJoining = false;
  /** The current activity, for the user. */
  private doing = 'writing…';
  /** The hunks that a stop took back. */
  private kept: number[] = [];

  /** The document was closed during the review. */
  isClosedOpen = false;

  /** `region`: the lines to rewrite; without it, hunks may go anywhere in the document. */
  constructor(
    readonly document: vscode.TextDocument,
    private origin: Source,
    region?: Range,
  ) {
    super();
    this.buffer = this._register(new EditBuffer(document, region));
    this._register(this.buffer.onDidChangeForeign((event) => this.followForeign(event)));
    this._register(
      vscode.workspace.onDidCloseTextDocument(() => {
        if (!document.isClosed) return;
        if (this.now === 'writing') return this.interrupt('closed');
        this.isClosedOpen = this.now === 'reviewing';
        this.end();
      }),
    );
    this._register({ dispose: () => this.end() });
  }

  /** The current activity, in a few words. */
  get progress(): string {
    return this.doing;
  }

  /** Sets the current activity, if it is more than writing. */
  tell(progress: string): void {
    this.doing = progress;
    this.changed.fire();
  }

  get source(): Source {
    return this.origin;
  }

  /** Sets the run that writes it. */
  cameFrom(runId: string, conversationId: string): void {
    // A block that another run places still belongs to its own answer.
    if (this.origin.runId !== undefined) return;
    this.origin = { ...this.origin, runId, conversationId };
  }

  get tracked() {
    return this.buffer.tracked;
  }

  /** `writing` until the answer's end, `stopped` while the written hunks can still be kept, then `reviewing`. */
  get phase() {
    return this.now;
  }

  /** Why the writing was cut; undefined if it wasn't. */
  get cut(): Cut | undefined {
    return this.interruption;
  }

  /** Rewrites the region as `next`. `abandoned`: a foreign change hit it, or the writing is over. */
  async show(next: readonly string[], isLast: boolean): Promise<Written> {
    const written = await this.write(
      () => (this.tracked.intact ? this.tracked.planShow(next) : undefined),
      () => this.tracked.show(next, isLast),
      isLast,
    );
    if (isLast && written === 'abandoned') this.interrupt('touched');
    return written;
  }

  /** Writes hunks, each where its lines are now. Returns those not written because their lines were changed. */
  async place(hunks: readonly NewHunk[]): Promise<readonly NewHunk[]> {
    let stale: readonly NewHunk[] = [];
    const written = await this.write(
      () => {
        const plan = this.tracked.planPlace(hunks);
        stale = plan.stale;
        return plan.splices;
      },
      () => this.tracked.place(hunks),
      false,
    );
    return written === 'written' ? stale : hunks;
  }

  /** Takes back hunks that the answer itself no longer wants. */
  async withdraw(numbers: readonly number[]): Promise<void> {
    await this.write(
      () => this.tracked.planReject(numbers).splices,
      () => this.tracked.withdraw(numbers),
      false,
    );
  }

  /**
   * Ends the writing; the open hunks are for the user to decide. If saving, typing or hiding split the writes into
   * several undo steps, writes once more, so that one undo takes all back. False if there is nothing to decide or the
   * writing was cut.
   */
  async finish(): Promise<boolean> {
    const numbers = this.tracked.open.filter((hunk) => this.tracked.isFresh(hunk)).map((hunk) => hunk.number);
    this.isJoining = true;
    if (!this.cut && this.buffer.isSplit && numbers.length > 0) {
      await this.write(
        () => this.tracked.planReject(numbers).splices,
        () => this.tracked.reject(numbers),
        true,
      );
      await this.write(
        () => this.tracked.planReopen(numbers).splices,
        () => this.tracked.reopen(numbers),
        true,
      );
    }
    if (this.cut) return false;
    this.buffer.endStep();
    return this.decide();
  }

  /** Scrolls to the first change, unless one is visible. The cursor doesn't move, because the user may be typing. */
  reveal(): void {
    const { editor } = this.buffer;
    const [first] = this.tracked.open;
    if (!editor || !first) return;
    const isSeen = ({ start, end }: Range) =>
      editor.visibleRanges.some((range) => start <= range.end.line && range.start.line <= end);
    if (this.tracked.open.some(isSeen)) return;
    const line = Math.min(first.start, this.document.lineCount - 1);
    editor.revealRange(new vscode.Range(line, 0, line, 0), vscode.TextEditorRevealType.InCenter);
  }

  /** Ends the writing and takes all of it back. */
  interrupt(cut: Cut): void {
    if (this.now !== 'writing' || this.cut) return;
    this.interruption = cut;
    this.restored = cut === 'closed' ? Promise.resolve([]) : this.restore();
    this.interrupted.fire(cut);
    this.changed.fire();
  }

  /** After an interruption: waits until the document is restored. Lines with foreign changes stay as they are. */
  async whenRestored(): Promise<{ left: number; canKeep: boolean }> {
    this.kept = await this.restored;
    const left = this.cut === 'closed' ? 0 : this.tracked.open.length;
    const canKeep = this.cut === 'stopped' && left === 0 && this.kept.length > 0;
    if (left > 0) this.enter('reviewing');
    else if (canKeep) this.enter('stopped');
    else this.end();
    return { left, canKeep };
  }

  /** The ending of a writing that was cut. `problem`: the reason, if it failed. */
  async endInterrupted(problem: Problem, charge: Charge): Promise<Ending> {
    const { left, canKeep } = await this.whenRestored();
    switch (this.cut) {
      case 'stopped':
        return { kind: 'stopped', canKeep, left, ...charge };
      case 'touched':
        return { kind: 'touched', left, ...charge };
      case 'undone':
      case 'readOnly':
      case 'closed':
        return { kind: this.cut, ...charge };
      default:
        return { kind: 'failed', problem, left, ...charge };
    }
  }

  /** After a stop: writes the received hunks again, for review. False if the lines changed meanwhile. */
  async keepWritten(): Promise<boolean> {
    // An undo of the stop has already done it.
    if (this.now === 'reviewing') return true;
    if (this.now !== 'stopped') return false;
    const isWhole = () => this.tracked.planReopen(this.kept).reopened.length === this.kept.length;
    const written = await this.buffer.write(
      () => (isWhole() ? this.tracked.planReopen(this.kept).splices : undefined),
      () => this.tracked.reopen(this.kept),
      true,
    );
    return written === 'written' && this.decide();
  }

  /** No hunk is left to decide. */
  end(): void {
    if (this.now === 'ended') return;
    this.now = 'ended';
    this.buffer.isDecided = true;
    this.tracked.endPlacing();
    this.changed.fire();
  }

  /** Whether an undo or a redo can bring back a hunk to decide. */
  get canComeBack(): boolean {
    return !this.document.isClosed && this.tracked.hunks.some(({ state }) => state === 'rejected');
  }

  /** Turns hunks into plain text. */
  accept(numbers: readonly number[]): void {
    if (this.now !== 'reviewing') return;
    this.tracked.accept(numbers);
    this.changed.fire();
    this.endWhenDecided();
  }

  /** Takes hunks back. Returns those that could not be, because their lines were changed. */
  async reject(numbers: readonly number[]): Promise<{ refused: readonly TrackedHunk[]; isWritten: boolean }> {
    if (this.now !== 'reviewing') return { refused: [], isWritten: true };
    let refused: number[] = [];
    const written = await this.buffer.write(
      () => {
        const plan = this.tracked.planReject(numbers);
        refused = plan.refused;
        return plan.splices;
      },
      () => this.tracked.reject(numbers),
      true,
    );
    this.changed.fire();
    this.endWhenDecided();
    const hunks = this.tracked.hunks.filter((hunk) => refused.includes(hunk.number));
    return { refused: hunks, isWritten: written === 'written' };
  }

  /** Writes a part of the answer, unless the writing was interrupted. */
  private async write(plan: () => Splice[] | undefined, commit: () => void, endsStep: boolean): Promise<Written> {
    const isOn = () => this.now === 'writing' && !this.cut;
    const written = await this.buffer.write(() => (isOn() ? plan() : undefined), commit, endsStep);
    if (written === 'readOnly' || written === 'closed') this.interrupt(written);
    this.changed.fire();
    return written;
  }

  /** Takes back all hunks present when this write's turn comes. Returns the numbers of those taken back. */
  private async restore(): Promise<number[]> {
    const all = () => this.tracked.hunks.map((hunk) => hunk.number);
    let taken: number[] = [];
    await this.buffer.write(
      () => {
        const plan = this.tracked.planReject(all());
        taken = plan.rejected;
        return plan.splices;
      },
      () => this.tracked.reject(all()),
      true,
    );
    return taken;
  }

  private followForeign({ isUndo, undone }: { isUndo: boolean; undone: boolean }): void {
    if (this.now === 'writing' && !this.cut && !this.isJoining) {
      const { tracked } = this;
      const isGone = tracked.hunks.length > 0 && tracked.open.length === 0;
      if (tracked.isRegion && !tracked.intact) this.interrupt(isGone ? 'undone' : 'touched');
      else if (undone && (isUndo || isGone)) this.interrupt('undone');
    }
    if ((this.now === 'ended' || this.now === 'stopped') && this.tracked.open.length > 0) this.comeBack();
    this.changed.fire();
    this.endWhenDecided();
  }

  private comeBack(): void {
    this.now = 'reviewing';
    this.buffer.isDecided = false;
  }

  private decide(): boolean {
    if (this.tracked.open.length === 0) this.end();
    else this.enter('reviewing');
    return this.now === 'reviewing';
  }

  private endWhenDecided(): void {
    if (this.now === 'reviewing' && this.tracked.open.length === 0) this.end();
  }

  private enter(phase: 'reviewing' | 'stopped'): void {
    if (this.now === 'ended') return;
    this.now = phase;
    this.changed.fire();
  }
}
