import * as vscode from 'vscode';
import type { Instruction } from '../../../shared/runs.ts';
import { Disposable } from '../../platform/dispose.ts';
import type { Log } from '../../platform/log.ts';
import { holdsSecrets, MAY_HOLD_SECRETS } from '../../platform/secrecy/guarded.ts';
import type { Source } from '../changes/proposal.ts';
import type { FilePlan, PlacedHunk } from '../engine/edits.ts';
import type { WorkspaceFiles } from '../files/files.ts';
import type { NewHunk } from '../hunks/tracked.ts';
import type { Review } from '../review/review.ts';
import { type EditRequest, INTERRUPTED } from '../runs/answerRun.ts';
import { type FilesHeard, FilesRun, type FileText } from '../runs/filesRun.ts';
import type { EditRuns } from '../runs/runs.ts';
import type { Ending, Missed } from '../words/messages.ts';

/** What the user asks for, and the instructions that go along. */
export interface Asked {
  instruction: string;
  instructions: readonly Instruction[];
}

export interface FileWriterDeps {
  runs: EditRuns;
  log: Log;
  files: Pick<WorkspaceFiles, 'pathOf' | 'find'>;
  /** Offers the changes to several files. */
  propose(source: Source, plans: readonly FilePlan[]): void;
  /** A repair was requested for the refused edits. */
  onRepair(refused: number, of: number): void;
}

/**
 * Edits one file by blocks, and shows each in the file's review as it streams in: placed in the text that the model was
 * given, then moved to where these lines are now.
 */
export class FileWriter extends Disposable {
  private readonly run: FilesRun;
  private readonly path: string;
  private wanted: readonly PlacedHunk[] = [];
  private readonly placed = new Set<string>();
  private stale: readonly NewHunk[] = [];
  private isSyncDue = false;
  private isSyncing = false;
  private syncing: Promise<void> | undefined;

  constructor(
    private readonly deps: FileWriterDeps,
    readonly review: Review,
    asked: Asked,
    resend?: EditRequest,
  ) {
    super();
    const { document } = review;
    const text = document.getText();
    this.path = deps.files.pathOf(document.uri);
    const files = [{ path: this.path, languageId: document.languageId, text }];
    const input = { instruction: asked.instruction, files, ...guided(asked.instructions) };
    const host = {
      read: (path: string, isNew: boolean) => this.read(path, isNew, text),
      onPlans: (plans: readonly FilePlan[]) => this.follow(plans),
      onRepair: deps.onRepair,
    };
    this.run = this._register(new FilesRun(deps.runs, deps.log, input, host, resend));
    const { id, conversationId } = this.run.request;
    review.cameFrom(id, conversationId);
    this._register(
      review.onDidInterrupt((cut) => {
        if (cut !== 'failed' && cut !== 'refused') this.run.stop();
      }),
    );
    this._register(vscode.window.onDidChangeVisibleTextEditors(() => this.syncSoon()));
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
    const { review, run } = this;
    const heard = await run.run();
    await this.syncing;
    if (!review.cut && heard.kind !== 'stopped' && heard.kind !== 'failed') {
      const ending = heard.kind === 'plans' ? await this.finish(heard) : await this.giveUp(heard);
      if (ending) return { ...ending, mayMiss: run.cutShort };
    } else if (!review.cut) {
      review.interrupt(heard.kind === 'stopped' ? 'stopped' : 'failed');
    }
    const charge = 'charge' in heard ? heard.charge : {};
    return review.endInterrupted(heard.kind === 'failed' ? heard.problem : INTERRUPTED, charge);
  }

  /** Handles an answer with edits. Undefined if the writing was interrupted. */
  private async finish({ plans, repairProblem }: FilesHeard & { kind: 'plans' }): Promise<Ending | undefined> {
    const { review, run, deps } = this;
    const own = this.ownPlan(plans);
    const isOnlyOwn = plans.every((plan) => this.isOwn(plan) || plan.kind === 'refused');
    const fine = plans.filter((plan) => plan.kind !== 'refused');
    if (fine.length > 0 && (!isOnlyOwn || own?.kind !== 'update')) {
      await this.takeBack();
      deps.propose(review.source, plans);
      return { kind: 'handedOver', files: fine.length, ...(await run.tellOutcome(fine, 0)) };
    }
    const missed = plans.flatMap((plan) =>
      plan.kind === 'refused' ? plan.refusals.map((refusal) => ({ path: plan.path ?? this.path, refusal })) : [],
    );
    if (missed.length > 0 || own?.kind !== 'update') {
      const { left } = await this.takeBack();
      const cost = await run.tellOutcome([], 0);
      if (missed.every(({ refusal }) => refusal.reason === 'noChange')) return { kind: 'noChange', ...cost };
      const of =
        missed.length + plans.reduce((sum, plan) => sum + (plan.kind === 'refused' ? plan.placed.length : 0), 0);
      return { kind: 'unplaced', missed, of, left, repairProblem, ...cost };
    }
    await this.sync(own.hunks);
    if (review.cut) return undefined;
    const stale = this.stale.map((hunk) => this.tellStale(hunk));
    const hunks = own.hunks.length - stale.length;
    if (hunks === 0) {
      const { left } = await this.takeBack();
      const cost = await run.tellOutcome([own], stale.length);
      return { kind: 'unplaced', missed: stale, of: stale.length, left, ...cost };
    }
    await review.finish();
    if (review.cut) return undefined;
    const cost = await run.tellOutcome([own], stale.length);
    return { kind: 'review', hunks: review.tracked.open.length, cutShort: false, missed: stale, ...cost };
  }

  /** Handles an answer without any edit. */
  private async giveUp(heard: { kind: 'words'; text: string } | { kind: 'empty' }): Promise<Ending> {
    await this.takeBack();
    return { ...heard, ...(await this.run.tellOutcome([], 0)) };
  }

  private takeBack() {
    this.review.interrupt('refused');
    return this.review.whenRestored();
  }

  private async read(path: string, isNew: boolean, text: string): Promise<FileText> {
    if (path === this.path) return { kind: 'file', text };
    const found = await this.deps.files.find(path, isNew);
    if (found.kind === 'refused') return found;
    if (found.uri.toString() === this.review.document.uri.toString()) return { kind: 'file', text, path: this.path };
    if (found.kind === 'missing') return { kind: 'missing' };
    // A repair request would send lines near the miss to the model.
    if (holdsSecrets(found.path)) return { kind: 'refused', why: MAY_HOLD_SECRETS };
    return { kind: 'file', text: found.text, path: found.path };
  }

  private isOwn({ path }: FilePlan): boolean {
    return path === this.path;
  }

  private ownPlan(plans: readonly FilePlan[]): FilePlan | undefined {
    return plans.find((plan) => this.isOwn(plan));
  }

  private follow(plans: readonly FilePlan[]): void {
    const own = this.ownPlan(plans);
    this.wanted = own?.kind === 'update' ? own.hunks : own?.kind === 'refused' ? own.placed : [];
    this.syncSoon();
  }

  /** One write at a time; the next one includes everything that arrives meanwhile. */
  private syncSoon(): void {
    if (this.review.phase !== 'writing' || this.review.cut) return;
    this.isSyncDue = true;
    if (!this.isSyncing) this.syncing = this.syncUntilCurrent();
  }

  private async syncUntilCurrent(): Promise<void> {
    const { review } = this;
    this.isSyncing = true;
    // Without an editor each write would be its own undo step: wait for the end, or until an editor shows the document.
    while (this.isSyncDue && review.phase === 'writing' && !review.cut && review.buffer.editor) {
      this.isSyncDue = false;
      await this.sync(this.wanted);
    }
    this.isSyncing = false;
  }

  /** Writes wanted hunks that are missing, and takes back hunks that are no longer wanted. */
  private async sync(wanted: readonly PlacedHunk[]): Promise<void> {
    const { review } = this;
    const keys = new Set(wanted.map(keyOf));
    const surplus = review.tracked.open.filter((hunk) => !keys.has(keyOf({ ...hunk, startLine: hunk.oldStart })));
    if (surplus.length > 0) {
      for (const hunk of surplus) this.placed.delete(keyOf({ ...hunk, startLine: hunk.oldStart }));
      await review.withdraw(surplus.map(({ number }) => number));
    }
    this.stale = this.stale.filter((hunk) => keys.has(keyOf(hunk)));
    const fresh = wanted.filter((hunk) => !this.placed.has(keyOf(hunk)));
    if (fresh.length === 0) return;
    const isFirst = this.placed.size === 0;
    for (const hunk of fresh) this.placed.add(keyOf(hunk));
    const stale = await review.place(fresh);
    if (!review.cut) this.stale = [...this.stale, ...stale];
    if (isFirst) review.reveal();
  }

  private tellStale({ oldLines, startLine }: NewHunk): Missed {
    const { length } = oldLines;
    const place = length > 1 ? `Lines ${startLine + 1}–${startLine + length} were` : `Line ${startLine + 1} was`;
    const what = length > 0 ? place : `The lines around line ${startLine + 1} were`;
    const refusal = {
      reason: 'notFound' as const,
      message: `${what} changed while Perigee was writing.`,
      lookedFor: [...oldLines],
    };
    return { path: this.path, refusal };
  }
}

/** A part of an edit's request. */
export const guided = (instructions: readonly Instruction[]) =>
  instructions.length > 0 ? { instructions: [...instructions] } : {};

/** "with AGENTS.md and 2 more" */
export function tellInstructions([first, ...others]: readonly Instruction[]): string {
  const name = first?.path?.split('/').at(-1) ?? 'your own instructions';
  return `with ${name}${others.length > 0 ? ` and ${others.length} more` : ''}`;
}

/** Equal for a new hunk and a written one with the same content. */
const keyOf = ({ startLine, oldLines, newLines }: NewHunk) => `${startLine}:${oldLines.length}:${newLines.join('\n')}`;
