import * as vscode from 'vscode';
import { newInvisible, showInvisible } from '../../../shared/answers/invisible.ts';
import { Disposable } from '../../platform/dispose.ts';
import { holdsSecrets, runsCommands } from '../../platform/secrecy/guarded.ts';
import { judgedPath } from '../../platform/secrecy/judgedPath.ts';
import type { Source } from '../changes/proposal.ts';
import { type FileChange, type FileState, type Fit, fitChange, isDecided } from '../changes/proposalState.ts';
import type { FilePlan, Refusal } from '../engine/edits.ts';
import { readFile, type WorkspaceFiles } from '../files/files.ts';

/** One file of a proposal, and its state. */
export interface ProposedFile {
  readonly id: number;
  readonly proposal: Proposal;
  readonly plan: FilePlan;
  state: FileState;
  /** The current and the new URI; undefined for a refused file. */
  readonly uri?: vscode.Uri;
  readonly target?: vscode.Uri;
  readonly change?: FileChange;
  /** Whether and how it fits the current file. */
  fit?: Fit;
}

/** Changes of several files from one answer. */
export interface Proposal {
  readonly id: number;
  readonly source: Source;
  /** `ended`: the answer failed or was stopped, and `why` says so; some changes may be missing. */
  phase: 'running' | 'ready' | 'ended';
  why?: string;
  files: ProposedFile[];
  /** Stops the answer that makes this proposal. */
  stop?: () => void;
}

/** The files are checked again after this long without a change. */
const REFRESH_MS = 150;

/** All open proposals. It watches their files, so that the list always shows what accepting would do. */
export class ProposalList extends Disposable {
  private open: Proposal[] = [];
  /** No number comes again after a reload: a diff that the editor restores must not stand for another file. */
  private lastId = Date.now();
  private readonly changed = this._register(new vscode.EventEmitter<void>());
  /** A proposal was added, removed or changed. */
  readonly onDidChange = this.changed.event;
  private readonly fitted = this._register(new vscode.EventEmitter<ProposedFile>());
  /** A change now fits its file differently. */
  readonly onDidFit = this.fitted.event;
  private watching: vscode.Disposable | undefined;
  private readonly touched = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly files: WorkspaceFiles) {
    super();
    this._register({ dispose: () => this.unwatch() });
  }

  get proposals(): readonly Proposal[] {
    return this.open;
  }

  find(proposal: number, file: number): ProposedFile | undefined {
    return this.open.find(({ id }) => id === proposal)?.files.find(({ id }) => id === file);
  }

  add(source: Source, stop?: () => void): Proposal {
    const proposal: Proposal = { id: ++this.lastId, source, phase: 'running', files: [], stop };
    this.open.push(proposal);
    this.tell();
    return proposal;
  }

  remove(proposal: Proposal): void {
    this.open = this.open.filter((other) => other !== proposal);
    this.tell();
  }

  /** Takes the plans from the answer so far. A file keeps its number, so that an open diff stays valid. */
  async setPlans(proposal: Proposal, plans: readonly FilePlan[]): Promise<void> {
    const known = new Map(proposal.files.map((file) => [file.plan.path, file]));
    const files = await Promise.all(
      plans.map(async (plan) => {
        const earlier = known.get(plan.path);
        if (earlier?.plan === plan) return earlier;
        const file: ProposedFile = {
          id: earlier?.id ?? ++this.lastId,
          proposal,
          ...(await this.locate(plan, earlier)),
        };
        await refit(file);
        // A file that the user rejected while the answer arrives stays rejected.
        if (earlier?.state === 'rejected') file.state = 'rejected';
        return file;
      }),
    );
    proposal.files = files;
    if (!this.open.includes(proposal)) return;
    this.tell();
    for (const file of files) this.fitted.fire(file);
  }

  /** A decision was made. Removes proposals that are completely decided. */
  decided(): void {
    this.open = this.open.filter(({ phase, files }) => phase === 'running' || !isDecided(files));
    this.tell();
  }

  /** Checks a file again. */
  async refresh(file: ProposedFile): Promise<void> {
    const before = file.fit;
    await refit(file);
    if (!isSameFit(before, file.fit)) this.fitted.fire(file);
  }

  tell(): void {
    if (this.open.length > 0) this.watch();
    else this.unwatch();
    this.changed.fire();
  }

  /** The URIs of a plan's files. The planner has already resolved the plan's path. */
  private async locate(plan: FilePlan, earlier: ProposedFile | undefined): Promise<Located> {
    if (plan.path === undefined) return { plan, state: 'refused' };
    const isSame = earlier?.uri && earlier.plan.kind === plan.kind && toOf(earlier.plan) === toOf(plan);
    if (isSame) return place(plan, earlier.uri, earlier.target);
    // The path of a new file is exact.
    const found = await this.files.find(plan.path, plan.kind === 'create');
    const to = toOf(plan);
    const target = to === undefined ? undefined : await this.files.find(to, true);
    const forbidden = [found, target].find((each) => each?.kind === 'refused');
    if (forbidden?.kind === 'refused') {
      const refusal: Refusal = { reason: 'forbidden', message: forbidden.why, lookedFor: [] };
      const refusals = plan.kind === 'refused' ? plan.refusals : [refusal];
      return { plan: { kind: 'refused', path: plan.path, refusals, placed: [] }, state: 'refused' };
    }
    return place(
      plan,
      found.kind === 'refused' ? undefined : found.uri,
      target?.kind === 'refused' ? undefined : target?.uri,
    );
  }

  private watch(): void {
    if (this.watching) return;
    const touch = (uri: vscode.Uri) => this.touch(uri);
    const watcher = vscode.workspace.createFileSystemWatcher('**/*');
    this.watching = vscode.Disposable.from(
      watcher,
      watcher.onDidChange(touch),
      watcher.onDidCreate(touch),
      watcher.onDidDelete(touch),
      vscode.workspace.onDidChangeTextDocument(({ document }) => touch(document.uri)),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => touch(uri)),
    );
  }

  private unwatch(): void {
    this.watching?.dispose();
    this.watching = undefined;
    clearTimeout(this.timer);
    this.touched.clear();
  }

  private touch(uri: vscode.Uri): void {
    const address = uri.toString();
    const isProposed = this.open.some(({ files }) =>
      files.some(({ change }) => change && (change.uri === address || change.movedTo === address)),
    );
    if (!isProposed) return;
    this.touched.add(address);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.refreshTouched(), REFRESH_MS);
  }

  private async refreshTouched(): Promise<void> {
    const touched = new Set(this.touched);
    this.touched.clear();
    const files = this.open
      .flatMap((proposal) => proposal.files)
      .filter(({ change }) => change && (touched.has(change.uri) || touched.has(change.movedTo ?? '')));
    await Promise.all(files.map((file) => this.refresh(file)));
    if (!this.isDisposed) this.changed.fire();
  }
}

function isSameFit(a: Fit | undefined, b: Fit | undefined): boolean {
  if (a?.kind === 'fits' && b?.kind === 'fits') return a.before === b.before && a.after === b.after;
  return a?.kind === 'stale' && b?.kind === 'stale' && a.why === b.why;
}

/** Whether the file still needs a decision. */
export const isOpen = ({ state }: ProposedFile) => state === 'open' || state === 'stale';

/** Why the user should look at a file before accepting it: because of its path, its new path, or its new text. */
export function warningOf({ uri, target, change }: ProposedFile): string | undefined {
  const paths = [uri, target].flatMap((at) => (at === undefined ? [] : [judgedPath(at)]));
  if (paths.some(runsCommands)) return 'can run commands or change the editor';
  if (paths.some(holdsSecrets)) return 'may hold secrets';
  const hidden = newInvisible(change?.before ?? '', change?.after ?? '');
  return hidden.length > 0
    ? `gets characters that can’t be seen (${showInvisible(hidden.slice(0, 3).join(' '))})`
    : undefined;
}

/** Why a file can't be applied, or no longer can; empty for an open one. */
export function whyNot({ plan, fit }: ProposedFile): string {
  if (plan.kind === 'refused') return plan.refusals[0]?.message ?? '';
  return fit?.kind === 'stale' ? fit.why : '';
}

type Located = Pick<ProposedFile, 'plan' | 'state' | 'uri' | 'target' | 'change'>;

const toOf = (plan: FilePlan) => (plan.kind === 'move' ? plan.to : undefined);

function place(plan: FilePlan, uri: vscode.Uri | undefined, target: vscode.Uri | undefined): Located {
  if (plan.kind === 'refused' || !uri) return { plan, state: 'refused', uri };
  const change: FileChange = {
    uri: uri.toString(),
    ...(target && { movedTo: target.toString() }),
    ...(plan.blocks && { blocks: plan.blocks }),
    before: plan.kind === 'create' ? undefined : plan.before,
    after: plan.kind === 'delete' ? undefined : plan.after,
  };
  return { plan, state: 'open', uri, target, change };
}

async function refit(file: ProposedFile): Promise<void> {
  const { uri, target, change } = file;
  if (!uri || !change || !isOpen(file)) return;
  const [now, there] = await Promise.all([readFile(uri), target && readFile(target)]);
  if (!isOpen(file)) return;
  file.fit =
    now.kind === 'refused'
      ? { kind: 'stale', why: now.why }
      : fitChange(change, {
          text: now.kind === 'file' ? now.text : undefined,
          isTargetTaken: there && there.kind !== 'missing',
        });
  file.state = file.fit.kind === 'fits' ? 'open' : 'stale';
}
