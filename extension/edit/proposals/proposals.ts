import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';
import type { Log } from '../../platform/log.ts';
import { plainMessage } from '../../platform/plainMessage.ts';
import type { Accepted, AcceptedFile, Source } from '../changes/proposal.ts';
import { isDecided, tellFiles, tellSummary } from '../changes/proposalState.ts';
import type { FilePlan } from '../engine/edits.ts';
import { rebaseText } from '../engine/placing/rebase.ts';
import type { WorkspaceFiles } from '../files/files.ts';
import type { Reports } from '../notifications/reports.ts';
import { acceptChanges, type Outcome, type StaleChange } from './acceptance.ts';
import { isOpen, type Proposal, ProposalList, type ProposedFile, warningOf } from './proposalList.ts';
import { isFile, type ProposalNode, ProposalTree } from './proposalTree.ts';
import { ProposedContents, readProposedUri } from './proposedContents.ts';

export interface ProposalsDeps {
  files: WorkspaceFiles;
  /** Shows the full reasons for refusals. */
  reports: Reports;
  /** Puts the hunks of an existing file into its editor for review. If it can't, tells the user and gives false. */
  review(document: vscode.TextDocument, plan: FilePlan & { kind: 'update' }, source: Source): Promise<boolean>;
  /** Stores accepted changes. Returns the id for undoing them. */
  record(accepted: Accepted): Promise<string>;
  takeBack(id: string): Promise<unknown>;
  log: Log;
}

/** A proposal whose answer still arrives. */
export interface OpenProposal {
  /** Sets all plans so far. */
  update(plans: readonly FilePlan[]): void;
  /** The answer is complete. Resolves when the list shows it. */
  finish(plans: readonly FilePlan[]): Promise<ProposalCounts>;
  /** The answer ended early. The list shows its plans so far, and that some may be missing. `why`: a sentence. */
  fail(why: string): Promise<ProposalCounts>;
}

export interface ProposalCounts {
  /** The files that can be accepted. */
  files: number;
  refused: number;
}

/** How long a message in the status bar stays. */
const STATUS_MS = 8_000;

/** Proposals of many files, their list, and the user's decisions. No file is changed before a decision. */
export class Proposals extends Disposable {
  readonly list: ProposalList;
  readonly tree: ProposalTree;
  private readonly contents: ProposedContents;
  /** One decision at a time: a file can't be rejected while it is being accepted, or the reverse. */
  private queue: Promise<unknown> = Promise.resolve();
  private announced: vscode.Disposable | undefined;

  constructor(private readonly deps: ProposalsDeps) {
    super();
    this.list = this._register(new ProposalList(deps.files));
    this.contents = this._register(new ProposedContents(this.list));
    this.tree = this._register(new ProposalTree(this.list));
  }

  /** Starts a proposal that arrives in pieces. `stop` ends the answer. */
  begin(source: Source, stop?: () => void): OpenProposal {
    const proposal = this.list.add(source, stop);
    let isRevealed = false;
    let waiting: readonly FilePlan[] | undefined;
    let writing: Promise<void> = Promise.resolve();
    // Only the latest plans matter; those in between need not be shown.
    const show = (plans: readonly FilePlan[]): Promise<void> => {
      if (waiting === undefined) {
        writing = writing.then(async () => {
          const next = waiting ?? [];
          waiting = undefined;
          await this.list.setPlans(proposal, next);
        });
      }
      waiting = plans;
      return writing;
    };
    const end = async (phase: 'ready' | 'ended', why?: string): Promise<ProposalCounts> => {
      await writing;
      // The user rejected it while it was being made.
      if (!this.list.proposals.includes(proposal)) return { files: 0, refused: 0 };
      proposal.phase = phase;
      proposal.why = why;
      return this.ended(proposal);
    };
    return {
      update: (plans) => {
        void show(plans);
        if (isRevealed || plans.length === 0) return;
        isRevealed = true;
        void this.tree.reveal(proposal);
      },
      finish: async (plans) => {
        await show(plans);
        return end('ready');
      },
      fail: (why) => end('ended', why),
    };
  }

  /** Shows a complete proposal. */
  open(source: Source, plans: readonly FilePlan[]): Promise<ProposalCounts> {
    return this.begin(source).finish(plans);
  }

  /** Accepts a file, the selected files, or the file whose diff is active. */
  async accept(node?: unknown, nodes?: unknown): Promise<void> {
    const files = this.filesOf(node, nodes).filter(isOpen);
    if (files.length === 0) return tell(NOTHING);
    await this.acceptFiles(files, files.length > 1);
  }

  async reject(node?: unknown, nodes?: unknown): Promise<void> {
    const files = this.filesOf(node, nodes).filter(isOpen);
    if (files.length === 0) return tell(NOTHING);
    await this.inTurn(() => this.settle(files.map((file) => this.now(file)).filter(isOpen), 'rejected'));
  }

  async acceptAll(node?: unknown): Promise<void> {
    const proposal = await this.proposalOf(node, 'accept');
    if (proposal) await this.acceptFiles(proposal.files.filter(isOpen), true);
  }

  /** Also removes a proposal that has only refused files; stops one that is still being made. */
  async rejectAll(node?: unknown): Promise<void> {
    const proposal = await this.proposalOf(node, 'reject');
    if (!proposal) return;
    proposal.stop?.();
    await this.inTurn(async () => {
      this.list.remove(proposal);
      await this.contents.close(proposal.files);
      await this.contents.closeAll(proposal);
    });
  }

  /** Shows the proposed file as a diff, or why it was refused. */
  async show(node?: unknown): Promise<void> {
    const [file] = this.filesOf(node);
    if (file?.plan.kind === 'refused') await this.showRefused(file.proposal, [file]);
    else if (file) await this.contents.show(file);
  }

  async showAll(node?: unknown): Promise<void> {
    const proposal = await this.proposalOf(node, 'show');
    if (proposal) await this.contents.showAll(proposal);
  }

  /** Opens a file in its editor to review its hunks one by one. */
  async review(node?: unknown): Promise<void> {
    const [file] = this.filesOf(node);
    if (!file?.uri) return tell(NOTHING);
    if (file.proposal.phase === 'running') return tell(STILL_WRITTEN);
    await this.list.refresh(file);
    const { plan, fit, proposal } = file;
    if (plan.kind !== 'update' || fit?.kind !== 'fits')
      return tell('This file can only be accepted or rejected whole.');
    const document = await vscode.workspace.openTextDocument(file.uri);
    const { before = '', after = '', hunks } = fit;
    // The plan's own hunks name their blocks, so use them as long as they fit.
    const own = rebaseText(plan.before, plan.hunks, before);
    const fitted = own.kind === 'moved' && own.after === after ? own : { hunks };
    if (!(await this.deps.review(document, { ...plan, before, after, hunks: fitted.hunks }, proposal.source))) return;
    await this.settle([file], 'reviewing', false);
  }

  private async ended(proposal: Proposal): Promise<ProposalCounts> {
    const files = proposal.files.filter(isOpen).length;
    const refused = proposal.files.filter(({ state }) => state === 'refused').length;
    if (proposal.files.length === 0) {
      this.list.remove(proposal);
      return { files, refused };
    }
    this.list.tell();
    await this.tree.reveal(proposal);
    const summary = tellSummary(proposal.files);
    this.announced = vscode.window.setStatusBarMessage(`$(diff-multiple) Perigee proposes ${summary}`, STATUS_MS);
    return { files, refused };
  }

  private showRefused({ source }: Proposal, files: readonly ProposedFile[]): Promise<void> {
    const missed = files.flatMap(({ plan }) =>
      plan.kind === 'refused' ? plan.refusals.map((refusal) => ({ path: plan.path ?? 'No file named', refusal })) : [],
    );
    return this.deps.reports.show(source.title, missed);
  }

  private inTurn(decide: () => Promise<void>): Promise<void> {
    const decided = this.queue.then(decide);
    this.queue = decided.catch(() => {});
    return decided;
  }

  /** `together`: the user may not have looked at each file. */
  private acceptFiles(files: readonly ProposedFile[], together: boolean): Promise<void> {
    return this.inTurn(async () => {
      const byProposal = new Map<Proposal, ProposedFile[]>();
      for (const file of files.filter(isOpen)) {
        byProposal.set(file.proposal, [...(byProposal.get(file.proposal) ?? []), file]);
      }
      for (const [proposal, own] of byProposal) {
        if (proposal.phase === 'running') tell(STILL_WRITTEN);
        else if (!together || (await askAboutSensitive(own))) await this.acceptOf(proposal, own);
      }
    });
  }

  private async acceptOf(proposal: Proposal, files: readonly ProposedFile[]): Promise<void> {
    const byChange = new Map(files.flatMap((file) => (file.change ? [[file.change, file]] : [])));
    const outcome = await acceptChanges([...byChange.keys()], (stale, fitting) => this.askToGoOn(stale, fitting));
    if (outcome.kind !== 'failed') {
      await Promise.all(outcome.stale.map(({ change }) => this.list.refresh(byChange.get(change)!)));
    }
    if (outcome.kind !== 'accepted') {
      this.list.tell();
      return this.tellNotAccepted(outcome, files);
    }
    const accepted = outcome.changes.map((change) => byChange.get(change)!);
    await this.settle(accepted, 'accepted');
    // Not awaited: the caller continues.
    void this.tellAccepted(proposal, outcome);
  }

  /** Files were decided: closes their diffs and, if one of them was active, opens the next file's diff. */
  private async settle(files: readonly ProposedFile[], state: ProposedFile['state'], goesOn = true): Promise<void> {
    const [first] = files;
    if (!first) return;
    for (const file of files) file.state = state;
    this.announced?.dispose();
    const others = first.proposal.files;
    const next = others.slice(others.indexOf(first)).find(isOpen) ?? others.find(isOpen);
    // Open the next diff before closing this one, so that the focus stays in a diff.
    if (goesOn && next && this.contents.isInFront(files)) await this.contents.show(next);
    await this.contents.close(files);
    this.list.decided();
    for (const proposal of new Set(files.map((file) => file.proposal))) {
      if (!this.list.proposals.includes(proposal)) await this.contents.closeAll(proposal);
    }
  }

  private async askToGoOn(stale: readonly StaleChange[], fitting: number): Promise<boolean> {
    const detail = stale.map((each) => `${nameOf(each)}: ${each.why}`).join('\n');
    const one = stale.length === 1;
    const words = `${tellFiles(stale.length)} of this proposal ${one ? 'does' : 'do'} not fit any more.`;
    const button = `Accept the other ${fitting === 1 ? 'file' : fitting}`;
    const chosen = await vscode.window.showWarningMessage(words, { modal: true, detail }, button);
    return chosen === button;
  }

  private tellNotAccepted(outcome: Exclude<Outcome, { kind: 'accepted' }>, asked: readonly ProposedFile[]): void {
    if (outcome.kind === 'failed') {
      const names = outcome.left.map((uri) => vscode.workspace.asRelativePath(uri)).join(', ');
      tell(
        names
          ? `VS Code took only a part of the changes, and these could not be put back: ${names}.`
          : 'VS Code refused the changes, so nothing was changed. The proposal is still in the list.',
      );
      return;
    }
    // The user was asked about the stale files and already knows.
    if (outcome.stale.length < asked.length) return;
    const [first] = outcome.stale;
    if (first && asked.length === 1) tell(`${nameOf(first)} was not changed. ${first.why}`);
    else tell('Nothing was changed: each file has changed since the proposal. The list says how.');
  }

  private async tellAccepted(proposal: Proposal, outcome: Outcome & { kind: 'accepted' }): Promise<void> {
    const { record, takeBack, log } = this.deps;
    const { source } = proposal;
    const { files, unsaved } = outcome;
    if (unsaved.length > 0) {
      const names = unsaved.map((uri) => vscode.workspace.asRelativePath(uri)).join(', ');
      tell(`VS Code could not save ${names}. The changes are in the editor.`);
    }
    let id: string | undefined;
    try {
      id = await record({ source, files });
    } catch (error) {
      log.warn(`What was accepted is not kept: ${error}`);
    }
    // After the last decision, the list drops the refused files.
    const refused = isDecided(proposal.files) ? proposal.files.filter(({ state }) => state === 'refused') : [];
    const words = [`Applied to ${tellNames(files)}.`];
    if (refused.length > 0) words.push(`${tellFiles(refused.length)} could not be changed.`);
    const buttons = [...(id === undefined ? [] : ['Take back']), ...(refused.length > 0 ? ['Show why'] : [])];
    const button = await vscode.window.showInformationMessage(plainMessage(words.join(' ')), ...buttons);
    if (button === 'Take back' && id !== undefined) await takeBack(id);
    else if (button === 'Show why') await this.showRefused(proposal, refused);
  }

  /** The files of a command: its arguments, else the selection in the list, else the active diff. */
  private filesOf(node?: unknown, nodes?: unknown): ProposedFile[] {
    const given = (Array.isArray(nodes) && nodes.length > 0 ? nodes : [node]).filter(isNode);
    if (given.length > 0)
      return given.flatMap((each) => (isFile(each) ? [each] : each.files)).map((file) => this.now(file));
    const inFront = this.inFront(node instanceof vscode.Uri ? node : undefined);
    if (inFront !== undefined) return inFront ? [inFront] : [];
    return this.tree.selection.flatMap((each) => (isFile(each) ? [each] : each.files)).map((file) => this.now(file));
  }

  /** The current object of a file: a running answer replaces its files, and a menu may hold an old one. */
  private now(file: ProposedFile): ProposedFile {
    return this.list.find(file.proposal.id, file.id) ?? file;
  }

  /** The file whose diff is active; null if that file is gone: what is selected elsewhere is not meant then. */
  private inFront(given: vscode.Uri | undefined): ProposedFile | null | undefined {
    const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
    const uri = given ?? (input instanceof vscode.TabInputTextDiff ? input.modified : undefined);
    const ids = uri && readProposedUri(uri);
    return ids && (this.list.find(ids.proposal, ids.file) ?? null);
  }

  /** The proposal of a command: its argument, the active diff's, the selected, the only one, or the user's choice. */
  private async proposalOf(node: unknown, verb: string): Promise<Proposal | undefined> {
    if (isNode(node)) return isFile(node) ? node.proposal : node;
    const inFront = this.inFront(node instanceof vscode.Uri ? node : undefined);
    if (inFront) return inFront.proposal;
    const selected = new Set(this.tree.selection.map((each) => (isFile(each) ? each.proposal : each)));
    const { proposals } = this.list;
    const candidates = inFront === null ? [] : selected.size === 1 ? [...selected] : proposals;
    if (candidates.length <= 1) {
      if (candidates.length === 0) tell(NOTHING);
      return candidates[0];
    }
    const items = proposals.map((proposal) => ({
      label: proposal.source.title,
      description: tellSummary(proposal.files),
      proposal,
    }));
    const title = `Which proposal to ${verb}?`;
    return (await vscode.window.showQuickPick(items, { title, placeHolder: title }))?.proposal;
  }
}

const STILL_WRITTEN = 'The answer is still being written. Accept its changes when it is whole.';
const NOTHING = 'There is no proposed change to accept or reject.';

/** Asks before accepting files unseen that can run commands, hold secrets or hide something. */
async function askAboutSensitive(files: readonly ProposedFile[]): Promise<boolean> {
  const warned = files.flatMap((file) => {
    const why = warningOf(file);
    const at = file.target ?? file.uri;
    return why === undefined || !at ? [] : [`${vscode.workspace.asRelativePath(at)} ${why}`];
  });
  if (warned.length === 0) return true;
  const one = warned.length === 1;
  const words = `${one ? warned[0] : `${tellFiles(warned.length)} are to be looked at first`}.`;
  const detail = one ? 'Accept it with all others?' : `${warned.join('\n')}\n\nAccept them with all others?`;
  const button = 'Accept All';
  return (await vscode.window.showWarningMessage(plainMessage(words), { modal: true, detail }, button)) === button;
}

const isNode = (value: unknown): value is ProposalNode =>
  typeof value === 'object' && value !== null && ('plan' in value || ('files' in value && 'source' in value));

const nameOf = ({ change }: StaleChange) => {
  const { path } = vscode.Uri.parse(change.uri, true);
  return path.slice(path.lastIndexOf('/') + 1);
};

/** "client.ts and 2 more" */
function tellNames(files: readonly AcceptedFile[]): string {
  const [first] = files.map(({ uri, movedTo }) =>
    vscode.Uri.parse(movedTo ?? uri, true)
      .path.split('/')
      .at(-1),
  );
  return files.length > 1 ? `${first} and ${files.length - 1} more` : `${first}`;
}

function tell(words: string): void {
  void vscode.window.showWarningMessage(plainMessage(words));
}
