import * as vscode from 'vscode';
import type { Problem } from '../../shared/problems.ts';
import type { SelectionEdit, Reason, RunEvent, RunRequest } from '../../shared/runs.ts';
import { BackendError } from '../backendError.ts';
import { Disposable } from '../platform/dispose.ts';
import type { Log } from '../platform/log.ts';
import { Alignment, showSoFar } from './align.ts';
import { EditBuffer } from './buffer.ts';
import type { TrackedHunk } from './review.ts';
import type { EditRuns } from './runs.ts';
import { readAnswer } from './stream.ts';
import type { Range } from './track.ts';

/** What was charged, when it is known; `reason` says why it was nothing, or less. */
export interface Charge {
  chargedMicro?: number;
  reason?: Reason;
}

/** How the writing ended. Except for `review`, the region is as it was before, but for hunks counted in `left`. */
export type Ending = Charge &
  (
    | { kind: 'review'; hunks: number; cutShort: boolean }
    | { kind: 'noChange' }
    /** The model answered in words. */
    | { kind: 'words'; text: string }
    | { kind: 'empty' }
    | { kind: 'stopped'; canKeep: boolean; left: number }
    | { kind: 'failed'; problem: Problem; left: number }
    /** Somebody changed the lines that were being written. */
    | { kind: 'touched'; left: number }
    /** The user took it back while it was being written. */
    | { kind: 'undone' }
    | { kind: 'readOnly' }
    | { kind: 'closed' }
  );

type Cut = 'stopped' | 'touched' | 'undone' | 'readOnly' | 'closed' | 'failed';

/** How long after a stop the last event may take, which says what was charged. */
const LAST_EVENT_MS = 5_000;
/** Lines of the file around the selection that the model sees, and the most text of them, on each side. */
const CONTEXT_LINES = 200;
const CONTEXT_CHARACTERS = 40_000;

let lastId = 0;

/** One edit of one document: from the request, through the writing and the review, until nothing of it is open. */
export class EditSession extends Disposable {
  readonly id = ++lastId;
  readonly buffer: EditBuffer;
  private readonly changed = this._register(new vscode.EventEmitter<void>());
  /** The phase, the hunks or their places changed. */
  readonly onDidChange = this.changed.event;
  private now: 'writing' | 'stopped' | 'reviewing' | 'ended' = 'writing';
  private text = '';
  private readonly alignment: Alignment;
  private readonly tail = new AbortController();
  private isStarted = false;
  private cut: Cut | undefined;
  private restored: Promise<void> | undefined;
  private isShowDue = false;
  private isShowing = false;
  private showing: Promise<void> | undefined;
  private readonly request: RunRequest & { kind: 'edit' };

  /**
   * `region` are the lines to be rewritten, `path` what the model is told of the file. `resend`: the request of an earlier
   * try whose start was never answered; sent again as it was, the server starts it once.
   */
  constructor(
    private readonly runs: EditRuns,
    private readonly log: Log,
    readonly document: vscode.TextDocument,
    region: Range,
    readonly instruction: string,
    path: string,
    resend?: RunRequest & { kind: 'edit' },
  ) {
    super();
    this.buffer = this._register(new EditBuffer(document, region));
    this.alignment = new Alignment(this.tracked.original);
    const input = editInput(this.tracked.lines, region, instruction, path, document.languageId);
    this.request =
      resend && JSON.stringify(resend.input) === JSON.stringify(input)
        ? resend
        : { kind: 'edit', id: crypto.randomUUID(), conversationId: crypto.randomUUID(), input };
    this._register(this.buffer.onDidChangeForeign(() => this.followForeign()));
    this._register(
      vscode.workspace.onDidCloseTextDocument(() => {
        if (document.isClosed) this.documentClosed();
      }),
    );
    this._register(vscode.window.onDidChangeVisibleTextEditors(() => this.showSoon()));
    this._register({
      dispose: () => {
        if (this.now === 'writing' && this.isStarted) void this.stopRun();
        this.now = 'ended';
        this.tail.abort(new Error('disposed'));
      },
    });
  }

  get tracked() {
    return this.buffer.tracked;
  }

  /** `writing` until the answer's end, `stopped` while what was written can still be kept, then `reviewing`. */
  get phase() {
    return this.now;
  }

  /** For another try after a start that nobody answered: the server may have it. */
  get resend(): (RunRequest & { kind: 'edit' }) | undefined {
    return this.isStarted ? undefined : this.request;
  }

  /** Asks for the edit and writes it. Never rejects; afterwards the phase is `reviewing`, `stopped` or `ended`. */
  async run(): Promise<Ending> {
    let last: RunEvent | undefined;
    let problem: Problem | undefined;
    try {
      await this.runs.start(this.request);
      this.isStarted = true;
      if (this.cut) void this.stopRun();
      for await (const event of this.runs.events(this.request.id, this.tail.signal)) {
        if (event.type === 'text') {
          this.text = this.text.slice(0, event.data.at) + event.data.text;
          this.showSoon();
        } else last = event;
      }
    } catch (error) {
      if (!this.cut) problem = BackendError.from(error).problem;
    }
    if (last?.type === 'error') problem = last.data;
    await this.showing;
    const charge: Charge = {};
    if (last?.type === 'done' || last?.type === 'error') charge.chargedMicro = last.data.chargedMicro;
    if (last?.type === 'done') charge.reason = last.data.reason;
    else if (!this.isStarted) charge.chargedMicro = 0;

    if (!this.cut && last?.type === 'done' && last.data.state === 'complete') {
      const ending = await this.finish(charge);
      if (ending) return ending;
    } else if (!this.cut && last?.type === 'done' && last.data.state === 'stopped') {
      this.interrupt('stopped');
    } else if (!this.cut) {
      problem ??= INTERRUPTED;
      this.interrupt('failed');
    }
    return { ...charge, ...(await this.endInterrupted(problem)) };
  }

  /** Ends the writing: the region becomes what it was. */
  stop(): void {
    this.interrupt('stopped');
  }

  /** After a stop: writes again what had come, for review. False when the lines changed meanwhile. */
  async keepWritten(): Promise<boolean> {
    if (this.now !== 'stopped' || !this.tracked.restart()) return false;
    const next = this.linesSoFar();
    if (!next) return false;
    const written = await this.buffer.write(
      () => (this.tracked.intact ? this.tracked.planShow(next) : undefined),
      () => this.tracked.show(next),
      true,
    );
    if (written !== 'written') return false;
    this.enter('reviewing');
    this.endWhenDecided();
    return true;
  }

  /** After a stop: what was written is not kept. */
  giveUp(): void {
    if (this.now === 'stopped') this.end(undefined);
  }

  /** Makes hunks plain text. */
  accept(numbers: readonly number[]): void {
    if (this.now !== 'reviewing') return;
    this.tracked.accept(numbers);
    this.changed.fire();
    this.endWhenDecided();
  }

  /** Takes hunks back, and returns those that were not, since somebody changed them. */
  async reject(numbers: readonly number[]): Promise<{ refused: readonly TrackedHunk[]; isWritten: boolean }> {
    if (this.now !== 'reviewing') return { refused: [], isWritten: true };
    const refused = await this.takeBack(numbers);
    this.changed.fire();
    this.endWhenDecided();
    const hunks = this.tracked.hunks.filter((hunk) => refused.numbers.includes(hunk.number));
    return { refused: hunks, isWritten: refused.isWritten };
  }

  private async finish(charge: Charge): Promise<Ending | undefined> {
    const context = { selection: this.tracked.original, languageId: this.document.languageId };
    const answer = readAnswer(this.text, true, context);
    if (answer.kind !== 'lines') {
      await this.restore();
      this.end({ applied: 0, refused: 0 });
      return answer.kind === 'words' ? { ...charge, kind: 'words', text: answer.text } : { ...charge, kind: 'empty' };
    }
    const cutShort = !answer.complete;
    const next = cutShort ? showSoFar(this.alignment, this.tracked.original, answer.lines) : answer.lines;
    const written = await this.buffer.write(
      () => (!this.cut && this.tracked.intact ? this.tracked.planShow(next) : undefined),
      () => this.tracked.show(next),
      true,
    );
    if (written === 'readOnly' || written === 'closed') this.interrupt(written);
    else if (written === 'abandoned') this.interrupt('touched');
    if (written !== 'written') return undefined;
    const hunks = this.tracked.open.length;
    if (hunks === 0) {
      this.end({ applied: 0, refused: 0 });
      return { ...charge, kind: 'noChange' };
    }
    this.enter('reviewing');
    return { ...charge, kind: 'review', hunks, cutShort };
  }

  private async endInterrupted(problem: Problem | undefined): Promise<Ending> {
    await this.restored;
    const cut = this.cut ?? 'failed';
    const left = this.tracked.open.length;
    // What somebody changed stays, and stays theirs to decide.
    if (left > 0 && cut !== 'closed') this.enter('reviewing');
    else if (cut === 'stopped') this.enter('stopped');
    else this.end(cut === 'touched' ? { applied: 0, refused: 1 } : undefined);
    switch (cut) {
      case 'failed':
        return { kind: 'failed', problem: problem ?? INTERRUPTED, left };
      case 'stopped':
        return { kind: 'stopped', canKeep: left === 0 && !!this.linesSoFar()?.length, left };
      case 'touched':
        return { kind: 'touched', left };
      case 'undone':
      case 'readOnly':
      case 'closed':
        return { kind: cut };
    }
  }

  private interrupt(cut: Cut): void {
    if (this.now !== 'writing' || this.cut) return;
    this.cut = cut;
    this.restored = cut === 'closed' ? Promise.resolve() : this.restore();
    if (cut !== 'failed') {
      if (this.isStarted) void this.stopRun();
      const late = setTimeout(() => this.tail.abort(new Error('the last event is late')), LAST_EVENT_MS);
      this._register({ dispose: () => clearTimeout(late) });
    }
    this.changed.fire();
  }

  private async stopRun(): Promise<void> {
    try {
      await this.runs.stop(this.request.id);
    } catch (error) {
      this.log.warn(`A run could not be stopped: ${BackendError.from(error).message}`);
    }
  }

  private async restore(): Promise<void> {
    await this.takeBack();
  }

  /** Without `numbers`, all that is there when its turn to be written has come. */
  private async takeBack(numbers?: readonly number[]): Promise<{ numbers: number[]; isWritten: boolean }> {
    const asked = () => numbers ?? this.tracked.hunks.map((hunk) => hunk.number);
    let refused: number[] = [];
    const written = await this.buffer.write(
      () => {
        const plan = this.tracked.planReject(asked());
        refused = plan.refused;
        return plan.splices;
      },
      () => this.tracked.reject(asked()),
      true,
    );
    return { numbers: refused, isWritten: written === 'written' };
  }

  /** The lines to show for what has come by now, if there are any. */
  private linesSoFar(): string[] | undefined {
    const context = { selection: this.tracked.original, languageId: this.document.languageId };
    const answer = readAnswer(this.text, false, context);
    if (answer.kind !== 'lines' || answer.lines.length === 0) return undefined;
    return showSoFar(this.alignment, this.tracked.original, answer.lines);
  }

  /** One write at a time; what comes meanwhile is shown by the next. */
  private showSoon(): void {
    if (this.now !== 'writing' || this.cut) return;
    this.isShowDue = true;
    if (!this.isShowing) this.showing = this.showUntilCurrent();
  }

  private async showUntilCurrent(): Promise<void> {
    this.isShowing = true;
    // Without an editor each write would be an undo step: it is written at once in the end, or when one shows it again.
    while (this.isShowDue && this.now === 'writing' && !this.cut && this.buffer.editor) {
      this.isShowDue = false;
      const next = this.linesSoFar();
      if (!next) continue;
      const written = await this.buffer.write(
        () => (!this.cut && this.tracked.intact ? this.tracked.planShow(next) : undefined),
        () => this.tracked.show(next),
        false,
      );
      if (written === 'readOnly') this.interrupt('readOnly');
      this.changed.fire();
    }
    this.isShowing = false;
  }

  private followForeign(): void {
    if (this.now === 'writing' && !this.cut && !this.tracked.intact) {
      const isUndone = this.tracked.hunks.length > 0 && this.tracked.open.length === 0;
      this.interrupt(isUndone ? 'undone' : 'touched');
    }
    this.changed.fire();
    this.endWhenDecided();
  }

  private documentClosed(): void {
    if (this.now === 'writing') this.interrupt('closed');
    else this.end(this.now === 'reviewing' ? this.outcome() : undefined);
  }

  private endWhenDecided(): void {
    if (this.now === 'reviewing' && this.tracked.open.length === 0) this.end(this.outcome());
  }

  private outcome() {
    const count = (state: TrackedHunk['state']) => this.tracked.hunks.filter((hunk) => hunk.state === state).length;
    return { applied: count('accepted') + count('open'), refused: count('rejected') };
  }

  private enter(phase: 'reviewing' | 'stopped'): void {
    if (this.now === 'ended') return;
    this.now = phase;
    this.changed.fire();
  }

  private end(outcome: { applied: number; refused: number } | undefined): void {
    if (this.now === 'ended') return;
    this.now = 'ended';
    this.changed.fire();
    if (!outcome || !this.isStarted) return;
    this.runs.tellOutcome(this.request.id, outcome).catch((error) => {
      this.log.warn(`The outcome of an edit could not be told: ${BackendError.from(error).message}`);
    });
  }
}

const INTERRUPTED: Problem = {
  type: 'about:blank',
  title: 'The answer was interrupted',
  status: 0,
  detail: 'The server stopped in the middle of the answer.',
  code: 'internal',
  requestId: '',
};

function editInput(
  lines: readonly string[],
  region: Range,
  instruction: string,
  path: string,
  languageId: string,
): SelectionEdit {
  const before = lines.slice(Math.max(0, region.start - CONTEXT_LINES), region.start).join('\n');
  const after = lines.slice(region.end, region.end + CONTEXT_LINES).join('\n');
  return {
    instruction,
    path,
    languageId,
    selection: {
      start: region.start,
      end: Math.max(region.start, region.end - 1),
      text: lines.slice(region.start, region.end).join('\n'),
    },
    before: before.slice(-CONTEXT_CHARACTERS),
    after: after.slice(0, CONTEXT_CHARACTERS),
  };
}
