import { KnownPaths } from '../../../shared/answers/answerPaths.ts';
import { timeOrderedId } from '../../../shared/ids.ts';
import type { Problem } from '../../../shared/problems.ts';
import type { FilesEdit, RepairEdit } from '../../../shared/runs.ts';
import { Disposable } from '../../platform/dispose.ts';
import type { Log } from '../../platform/log.ts';
import type { FilePlan, PlacedHunk, Refusal } from '../engine/edits.ts';
import { AnswerPlanner } from '../engine/planning/planner.ts';
import { AnswerRun, type Charge, type EditRequest, type Heard, requestFor, sumCharges } from './answerRun.ts';
import type { EditRuns } from './runs.ts';

/** A file as the model received it, or as it is when the model first names it. */
export type FileText =
  /** `path`: the file's real path, if it differs from the requested one. */
  { kind: 'file'; text: string; path?: string } | { kind: 'missing' } | { kind: 'refused'; why: string };

export interface FilesHost {
  /**
   * The text for all plans of this file, requested once for each path. `isNew`: the file must not exist, so the path is
   * exact.
   */
  read(path: string, isNew: boolean): Promise<FileText>;
  /** Receives the current plans of the answer. Later plans may drop earlier ones. */
  onPlans(plans: readonly FilePlan[]): void;
  /** A repair request starts for the changes that did not fit. */
  onRepair(refused: number, of: number): void;
}

/** How an answer about files ended, including its repair. The charge is known only after the outcome was reported. */
export type FilesHeard =
  /** `repairProblem`: why the repair failed. */
  | { kind: 'plans'; plans: readonly FilePlan[]; repairProblem?: Problem }
  | { kind: 'words'; text: string }
  | { kind: 'empty' }
  /** The answer broke off; discard all of it. */
  | Exclude<Heard, { kind: 'complete' }>;

/** The server's limit for each list. */
const MAX_REFUSED = 100;
const MAX_WHY = 2_000;

/**
 * One edit of files: asks the model, plans its answer while it arrives, asks again for changes that don't fit, and
 * reports the outcome of both requests. It writes no files.
 */
export class FilesRun extends Disposable {
  private planner: AnswerPlanner;
  private readonly first: AnswerRun;
  private second: AnswerRun | undefined;
  private readonly charges: Charge[] = [];
  /** Files that must not be written, and why. */
  private readonly barred = new Map<string, string>();
  private readonly asked = new Set<string>();
  private readonly found = new Map<string, FileText>();
  private reading: Promise<void> = Promise.resolve();
  /** The parts that fitted when the first answer ended. */
  private fitted = new Set<string>();
  private missed = 0;
  private isStopped = false;
  private isCutShort = false;

  /** `resend`: the unanswered request of an earlier try. If it is sent again, the server starts it only once. */
  constructor(
    private readonly runs: EditRuns,
    private readonly log: Log,
    private readonly input: FilesEdit,
    private readonly host: FilesHost,
    resend?: EditRequest,
  ) {
    super();
    this.planner = plannerFor(input);
    this.first = this._register(new AnswerRun(runs, log, requestFor(input, resend)));
  }

  get request(): EditRequest {
    return this.first.request;
  }

  /** The request for another try, if its start was never answered. */
  get resend(): EditRequest | undefined {
    return this.first.resend;
  }

  /** All text that the model wrote. */
  get answer(): string {
    return [this.first.answer, this.second?.answer ?? ''].filter((text) => text !== '').join('\n\n');
  }

  /** Whether the answer, or the repair's, reached its length limit: more changes may be missing. */
  get cutShort(): boolean {
    return this.isCutShort;
  }

  stop(): void {
    this.isStopped = true;
    this.first.stop();
    this.second?.stop();
  }

  /** Never rejects. */
  async run(): Promise<FilesHeard> {
    const heard = await this.hear(this.first);
    if (heard.kind !== 'complete') return { ...heard, charge: this.charge };
    const plans = this.plans();
    if (plans.length === 0) {
      const text = this.first.answer.trim();
      return text === '' ? { kind: 'empty' } : { kind: 'words', text };
    }
    this.fitted = new Set(plans.flatMap(partsOf));
    const refused = plans.flatMap((plan) =>
      plan.kind === 'refused' ? plan.refusals.map((each) => ({ plan, each })) : [],
    );
    this.missed = refused.length;
    const repairable = refused.filter(
      ({ plan, each }) => each.reason !== 'noChange' && !this.barred.has(plan.path ?? ''),
    );
    if (repairable.length === 0) return { kind: 'plans', plans };
    return this.repair(repairable.map(({ plan, each }) => told(plan.path ?? '', each)));
  }

  /**
   * Reports the outcome of the answer. `applied`: the plans that could be applied completely, except for `stale` hunks.
   * Resolves to the charge of both requests together. Never rejects.
   */
  async tellOutcome(applied: readonly FilePlan[], stale: number): Promise<Charge> {
    const parts = applied.flatMap(partsOf);
    const fromFirst = parts.filter((part) => this.fitted.has(part)).length;
    const fromSecond = parts.length - fromFirst;
    const lost = this.fitted.size - fromFirst;
    const [first = {}, second = {}] = this.charges;
    const own = Math.min(stale, fromFirst);
    const tellings = [this.first.tellOutcome({ applied: fromFirst - own, refused: this.missed + lost + own }, first)];
    if (this.second) {
      const placed = Math.max(0, fromSecond - (stale - own));
      const refused = placed === 0 ? this.missed : stale - own;
      tellings.push(this.second.tellOutcome({ applied: placed, refused }, second));
    }
    return sumCharges(await Promise.all(tellings));
  }

  private get charge(): Charge {
    return sumCharges(this.charges);
  }

  private async repair(refused: RepairEdit['refused']): Promise<FilesHeard> {
    const parts = this.fitted.size + this.missed;
    this.host.onRepair(this.missed, parts);
    this.planner.repair();
    const { conversationId, id } = this.first.request;
    const input: RepairEdit = { repairs: id, refused: refused.slice(0, MAX_REFUSED) };
    const request: EditRequest = { kind: 'edit', id: timeOrderedId(), conversationId, input };
    this.second = this._register(new AnswerRun(this.runs, this.log, request));
    if (this.isStopped) this.second.stop();
    const heard = await this.hear(this.second);
    if (heard.kind === 'stopped') return { ...heard, charge: this.charge };
    // Without a repair, the refused changes stay refused.
    return { kind: 'plans', plans: this.plans(), ...(heard.kind === 'failed' && { repairProblem: heard.problem }) };
  }

  private async hear(run: AnswerRun): Promise<Heard> {
    const heard = await run.read(
      (piece) => {
        const isChanged = this.planner.feed(piece);
        this.readNeeded();
        if (isChanged) this.tell();
      },
      () => this.planAnew(),
    );
    this.charges.push(heard.charge);
    if (heard.kind === 'complete') {
      this.isCutShort ||= heard.cutShort;
      this.planner.end();
      this.readNeeded();
      // One file can lead to another: the target of a move.
      for (let last: Promise<void> | undefined; last !== this.reading; ) {
        last = this.reading;
        await last;
      }
      this.tell();
    }
    return heard;
  }

  /** All text of the current answer was only thought: plan again from the start. */
  private planAnew(): void {
    this.planner = plannerFor(this.input);
    for (const [path, found] of this.found) this.provide(path, found);
    if (this.second) {
      this.planner.feed(this.first.answer);
      this.planner.end();
      this.planner.repair();
    }
    this.tell();
  }

  private readNeeded(): void {
    for (const path of this.planner.needs) {
      const isNew = this.planner.isNew(path);
      // The file is named, but its operation is not known yet.
      if (isNew === undefined || this.asked.has(path)) continue;
      this.asked.add(path);
      const reading = this.readFile(path, isNew);
      this.reading = Promise.all([this.reading, reading]).then(() => {});
    }
  }

  private async readFile(path: string, isNew: boolean): Promise<void> {
    const found = await this.host
      .read(path, isNew)
      .catch((error): FileText => ({ kind: 'refused', why: `It can’t be read: ${error}` }));
    if (this.isDisposed) return;
    if (found.kind === 'refused') this.barred.set(path, found.why);
    this.found.set(path, found);
    this.provide(path, found);
    this.tell();
  }

  private provide(path: string, found: FileText): void {
    if (found.kind === 'file') this.planner.provideAs(path, found.path ?? path, found.text);
    else this.planner.provide(path, undefined);
  }

  private tell(): void {
    if (!this.isStopped && !this.isDisposed) this.host.onPlans(this.plans());
  }

  /** The planner's plans, without those for files that must not be written. */
  private plans(): FilePlan[] {
    return this.planner.plans().map((plan): FilePlan => {
      const why = this.barred.get(plan.path ?? '') ?? (plan.kind === 'move' ? this.barred.get(plan.to) : undefined);
      if (why === undefined) return plan;
      return {
        kind: 'refused',
        path: plan.path,
        refusals: [{ reason: 'forbidden', message: why, lookedFor: [] }],
        placed: [],
      };
    });
  }
}

function plannerFor({ files, paths = [] }: FilesEdit): AnswerPlanner {
  const [only] = files;
  const known = new KnownPaths([...files.map(({ path }) => path), ...paths]);
  return new AnswerPlanner({ known, ...(files.length === 1 && { defaultPath: only!.path }) });
}

/** A key for each operation of a plan. */
function partsOf(plan: FilePlan): string[] {
  const key = (...parts: unknown[]) => JSON.stringify([plan.path, ...parts]);
  const ofHunk = ({ startLine, oldLines, newLines }: PlacedHunk) => key(startLine, oldLines.length, newLines);
  switch (plan.kind) {
    case 'refused':
      return plan.placed.map(ofHunk);
    case 'update':
      return plan.hunks.map(ofHunk);
    case 'move':
      return [key('to', plan.to), ...plan.hunks.map(ofHunk)];
    case 'create':
    case 'delete':
      return [key(plan.kind)];
  }
}

function told(path: string, { lookedFor, message, nearest }: Refusal): RepairEdit['refused'][number] {
  const why = message.slice(0, MAX_WHY);
  return { path, lookedFor: lookedFor.join('\n'), why, ...(nearest && { nearest: nearest.lines.join('\n') }) };
}
