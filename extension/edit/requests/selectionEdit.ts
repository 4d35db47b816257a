import * as vscode from 'vscode';
import { MAX_EARLIER } from '../../../shared/constants.ts';
import type { AttachedText, SelectionEdit } from '../../../shared/runs.ts';
import { Disposable } from '../../platform/dispose.ts';
import type { Log } from '../../platform/log.ts';
import type { Edit } from '../engine/edits.ts';
import { elided } from '../engine/placing/refusals.ts';
import { findElision, looseKey } from '../engine/text/loose.ts';
import { Alignment, showSoFar } from '../hunks/align.ts';
import { AnswerLines, isClosed, readAnswer } from '../hunks/stream.ts';
import type { Range } from '../hunks/track.ts';
import type { Review } from '../review/review.ts';
import { AnswerRun, type EditRequest, type Heard, INTERRUPTED, requestFor } from '../runs/answerRun.ts';
import type { EditRuns } from '../runs/runs.ts';
import type { Ending } from '../words/messages.ts';
import { type Asked, guided } from './fileEdit.ts';

/** The most lines of context on each side of the selection, and the most text of them. */
const CONTEXT_LINES = 200;
const CONTEXT_CHARACTERS = 40_000;

/** The most new lines processed in one turn: some milliseconds. */
const LINES_A_TURN = 100;

const nextTurn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

/** What the user asks for the lines of a selection. */
export interface LinesAsked extends Asked {
  /** A model's id; without it, the one that is chosen when it is sent. */
  model?: string;
  /** How hard that model thinks; as it does by itself without it. */
  effort?: string;
  attachments?: readonly AttachedText[];
  /** The instructions that made `draft`, oldest first. */
  earlier?: readonly string[];
  /** The proposal that the instruction is about, in place of the region's own lines. */
  draft?: readonly string[];
}

/** Has a review's region rewritten by a model, and shows the new lines as they stream in. */
export class SelectionWriter extends Disposable {
  private readonly run: AnswerRun;
  private readonly alignment: Alignment;
  private readonly soFar: AnswerLines;
  private readonly draft: readonly string[] | undefined;
  private isShowDue = false;
  private isShowing = false;
  private showing: Promise<void> | undefined;

  /**
   * `path`: the file's path for the model. `resend`: the request of an earlier try whose start was never answered. It
   * is sent again unchanged, so that the server starts it only once.
   */
  constructor(
    runs: EditRuns,
    log: Log,
    readonly review: Review,
    asked: LinesAsked,
    private readonly path: string,
    resend?: EditRequest,
  ) {
    super();
    const { document, tracked } = review;
    this.draft = asked.draft;
    this.alignment = new Alignment(tracked.original);
    this.soFar = new AnswerLines(this.context());
    const input = editInput(tracked.lines, tracked.region, asked, path, document.languageId);
    const request = requestFor(input, resend, asked);
    review.cameFrom(request.id, request.conversationId);
    this.run = this._register(new AnswerRun(runs, log, request));
    this._register(
      review.onDidInterrupt((cut) => {
        if (cut !== 'failed') this.run.stop();
      }),
    );
    this._register(vscode.window.onDidChangeVisibleTextEditors(() => this.showSoon()));
  }

  /** The request to send again if its start was never answered. */
  get resend(): EditRequest | undefined {
    return this.run.resend;
  }

  /** The model's whole answer. */
  get answer(): string {
    return this.run.answer;
  }

  /** Requests the edit and writes it. Never rejects. */
  async write(): Promise<Ending> {
    const { review } = this;
    const heard = await this.run.read(() => this.showSoon());
    await this.showing;
    if (!review.cut && heard.kind === 'complete') {
      const ending = await this.finish(heard);
      if (ending) return ending;
    } else if (!review.cut) {
      review.interrupt(heard.kind === 'stopped' ? 'stopped' : 'failed');
    }
    const { charge } = heard;
    const cost = review.cut === 'touched' ? await this.run.tellOutcome({ applied: 0, refused: 1 }, charge) : charge;
    return review.endInterrupted(heard.kind === 'failed' ? heard.problem : INTERRUPTED, cost);
  }

  /** Undefined if the writing was interrupted. */
  private async finish({ charge, cutShort: atLimit }: Heard & { kind: 'complete' }): Promise<Ending | undefined> {
    const { review } = this;
    const { original } = review.tracked;
    const answer = readAnswer(this.run.answer, true, this.context());
    if (answer.kind !== 'lines') {
      review.interrupt('refused');
      await review.whenRestored();
      const cost = await this.run.tellOutcome({ applied: 0, refused: 0 }, charge);
      return answer.kind === 'words' ? { ...cost, kind: 'words', text: answer.text } : { ...cost, kind: 'empty' };
    }
    // Parsing a long answer takes one turn, so write it in another.
    await nextTurn();
    const known = new Set([...original, ...(this.draft ?? [])].map(looseKey));
    const edit: Edit = { kind: 'whole', lines: [...answer.lines], answerLine: 1 };
    const elision = findElision(answer.lines, (key) => known.has(key));
    if (elision !== undefined) {
      review.interrupt('refused');
      const { left } = await review.whenRestored();
      const cost = await this.run.tellOutcome({ applied: 0, refused: 1 }, charge);
      const missed = [{ path: this.path, refusal: elided(edit, elision) }];
      return { ...cost, kind: 'unplaced', missed, of: 1, left };
    }
    const cutShort = !answer.complete || (atLimit && !isClosed(this.run.answer, this.context()));
    const next = cutShort ? showSoFar(this.alignment, original, answer.lines) : answer.lines;
    if ((await review.show(next, true)) !== 'written') return undefined;
    const hunks = review.tracked.open.length;
    const isOpen = await review.finish();
    if (review.cut) return undefined;
    // A written replacement counts as applied, whatever the user decides.
    const cost = this.run.tellOutcome({ applied: hunks, refused: 0 }, charge);
    if (hunks === 0) return { ...(await cost), kind: 'noChange' };
    return { ...charge, kind: 'review', hunks: isOpen ? review.tracked.open.length : 0, cutShort };
  }

  private context() {
    const { tracked, document } = this.review;
    return { selection: this.draft ?? tracked.original, languageId: document.languageId };
  }

  /** One write at a time; the next one shows everything that arrives meanwhile. */
  private showSoon(): void {
    if (this.review.phase !== 'writing' || this.review.cut) return;
    this.isShowDue = true;
    if (!this.isShowing) this.showing = this.showUntilCurrent();
  }

  private async showUntilCurrent(): Promise<void> {
    const { review } = this;
    this.isShowing = true;
    // Without an editor each write would be its own undo step: wait for the end, or until an editor shows the document.
    while (this.isShowDue && review.phase === 'writing' && !review.cut && review.buffer.editor) {
      this.isShowDue = false;
      const answer = this.soFar.read(this.run.answer);
      if (answer.kind !== 'lines' || answer.lines.length === 0) continue;
      while (!this.alignment.advance(answer.lines, LINES_A_TURN)) await nextTurn();
      await review.show(showSoFar(this.alignment, review.tracked.original, answer.lines), false);
    }
    this.isShowing = false;
  }
}

function editInput(
  lines: readonly string[],
  region: Range,
  { instruction, instructions, attachments = [], earlier = [], draft }: LinesAsked,
  path: string,
  languageId: string,
): SelectionEdit {
  const before = lines.slice(Math.max(0, region.start - CONTEXT_LINES), region.start).join('\n');
  const after = lines.slice(region.end, region.end + CONTEXT_LINES).join('\n');
  const given = draft ?? lines.slice(region.start, region.end);
  return {
    instruction,
    path,
    languageId,
    selection: {
      start: region.start,
      end: Math.max(region.start, region.start + given.length - 1),
      text: given.join('\n'),
    },
    before: before.slice(-CONTEXT_CHARACTERS),
    after: after.slice(0, CONTEXT_CHARACTERS),
    ...guided(instructions),
    ...(attachments.length > 0 && { attachments: [...attachments] }),
    ...(earlier.length > 0 && { earlier: earlier.slice(-MAX_EARLIER) }),
  };
}
