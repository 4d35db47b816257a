import * as vscode from 'vscode';
import { pathsIn } from '../../../shared/answers/answerPaths.ts';
import { type FilesEdit, type Instruction, MAX_ATTACHMENTS } from '../../../shared/runs.ts';
import { Disposable } from '../../platform/dispose.ts';
import type { Log } from '../../platform/log.ts';
import { plainMessage } from '../../platform/plainMessage.ts';
import { holdsSecrets, MAY_HOLD_SECRETS } from '../../platform/secrecy/guarded.ts';
import type { Source } from '../changes/proposal.ts';
import type { FilePlan } from '../engine/edits.ts';
import { openDocument, type WorkspaceFiles } from '../files/files.ts';
import { pickFiles } from '../files/pickFiles.ts';
import type { Reports } from '../notifications/reports.ts';
import { showMessage, showRequest } from '../notifications/showMessage.ts';
import type { OpenProposal, Proposals } from '../proposals/proposals.ts';
import { refuse, refuseModally } from '../review/reviews.ts';
import type { EditRequest } from '../runs/answerRun.ts';
import { FilesRun, type FileText } from '../runs/filesRun.ts';
import type { EditRuns } from '../runs/runs.ts';
import { count, type Ending, type Missed, tellAskingAgain, tellEnding } from '../words/messages.ts';
import { requestTitle } from '../words/requestTitle.ts';
import { guided } from './fileEdit.ts';
import type { EditPrompt } from './prompt.ts';

/** The files and the instruction, if the user needn't be asked. `paths`: other files, by name only. */
export interface WorkspaceRequest {
  files?: readonly vscode.Uri[];
  instruction?: string;
  title?: string;
  paths?: readonly string[];
}

export interface WorkspaceEditsDeps {
  runs: EditRuns;
  files: WorkspaceFiles;
  proposals(): Pick<Proposals, 'begin'>;
  prompt: EditPrompt;
  reports: Reports;
  review(document: vscode.TextDocument, plan: FilePlan & { kind: 'update' }, source: Source): Promise<boolean>;
  isGuest(): boolean;
  guide(about: readonly vscode.Uri[]): Promise<Instruction[]>;
  log: Log;
}

/** The most text of all files in one request, in UTF-16 units. */
const MAX_TOGETHER = 4_000_000;
/** The most other files that are named, if the caller names none. */
const MAX_NAMED = 200;

/** "Edit in Workspace": one answer that changes several files and may create, move and delete files. */
export class WorkspaceEdits extends Disposable {
  private readonly running = new Set<FilesRun>();

  constructor(private readonly deps: WorkspaceEditsDeps) {
    super();
    this._register({
      dispose: () => {
        for (const run of this.running) run.dispose();
      },
    });
  }

  /** Resolves when the changes are ready for review, or when the edit failed and the user was told. */
  async edit(request?: WorkspaceRequest): Promise<void> {
    const { files, prompt } = this.deps;
    const given = typeof request === 'object' && request !== null && !(request instanceof vscode.Uri) ? request : {};
    if (!given.files && !vscode.workspace.workspaceFolders?.length) return openFolderFirst();
    const picked = given.files ? { files: given.files, typed: '' } : await pickFiles((uri) => files.pathOf(uri));
    if (!picked) return;
    const { files: chosen, typed } = picked;
    const asked = () => prompt.open(tellChosen(chosen.length), { typed }).answer;
    const instruction = given.instruction?.trim() || (await asked());
    if (!instruction) return;
    const title = given.title ?? requestTitle(instruction);
    const named = given.instruction ? [] : await this.findNamed(instruction);
    const all = [...new Map([...chosen, ...named].map((uri) => [uri.toString(), uri])).values()];
    const input = await this.read(all, instruction, given.paths);
    if (input) await this.start(input, title, () => this.edit({ ...given, files: all, instruction, title }));
  }

  /**
   * The existing files that the instruction names. The user didn't pick them explicitly, so files with secrets are left
   * out.
   */
  private async findNamed(instruction: string): Promise<vscode.Uri[]> {
    const found: vscode.Uri[] = [];
    for (const path of pathsIn(instruction, await this.deps.files.known())) {
      const file = await this.deps.files.find(path);
      if (file.kind !== 'file') continue;
      if (holdsSecrets(path) || holdsSecrets(file.path)) refuse(`${file.path} is left out. ${MAY_HOLD_SECRETS}`);
      else found.push(file.uri);
    }
    return found;
  }

  /** Builds the request; undefined, after telling the user, if there is nothing to send or too much. */
  private async read(
    uris: readonly vscode.Uri[],
    instruction: string,
    names: readonly string[] | undefined,
  ): Promise<FilesEdit | undefined> {
    const { files } = this.deps;
    const found = await Promise.all(uris.map((uri) => files.at(uri)));
    const read = found.flatMap((file, index) => {
      if (file.kind !== 'file') return [];
      const languageId = openDocument(uris[index]!)?.languageId ?? /\.(\w+)$/.exec(file.path)?.[1] ?? 'plaintext';
      return [{ path: file.path, languageId, text: file.text }];
    });
    const refused = found.find((file) => file.kind === 'refused');
    if (read.length === 0) {
      const why = refused?.kind === 'refused' ? ` ${refused.path}: ${refused.why}` : '';
      refuseModally(`Choose at least one file that can be edited.${why}`);
      return undefined;
    }
    if (refused?.kind === 'refused') refuse(`${refused.path} is left out. ${refused.why}`);
    if (read.length > MAX_ATTACHMENTS) {
      refuseModally(`${read.length} files are more than the ${MAX_ATTACHMENTS} of one request. Choose fewer.`);
      return undefined;
    }
    if (read.reduce((sum, { text }) => sum + text.length, 0) > MAX_TOGETHER) {
      refuseModally('The files are together larger than 4 MB, which no model can read at once. Choose fewer.');
      return undefined;
    }
    const known = new Set(read.map(({ path }) => path));
    const others =
      names ?? (await vscode.workspace.findFiles('**/*', undefined, MAX_NAMED)).map((uri) => files.pathOf(uri));
    const instructions = guided(await this.deps.guide(uris));
    return { instruction, files: read, paths: others.filter((path) => !known.has(path)), ...instructions };
  }

  private async start(
    input: FilesEdit,
    title: string,
    again: () => Promise<void>,
    resend?: EditRequest,
  ): Promise<void> {
    const options = { location: vscode.ProgressLocation.Notification, cancellable: true, title: plainMessage(title) };
    await vscode.window.withProgress(options, async (progress, token) => {
      const answer = new AnswerToFiles(this.deps, input, title, (message) => progress.report({ message }), resend);
      this.running.add(answer.run);
      token.onCancellationRequested(() => answer.run.stop());
      const { ending, missed } = await answer.hear();
      this.running.delete(answer.run);
      this.deps.log.info(`An edit of files ended: ${ending?.kind ?? 'reviewed'}.`);
      if (!ending || this.isDisposed) return;
      const told: Ending = { ...ending, mayMiss: answer.run.cutShort };
      const message = tellEnding(told, count(input.files.length, 'file'), this.deps.isGuest());
      // Not awaited: the message may stay for a long time.
      void showMessage(message).then(async (button) => {
        if (button === 'Retry') await again();
        else if (button === 'Show details' && told.kind === 'failed') showRequest(told.problem);
        else if (button === 'Show details') await this.deps.reports.show(title, missed, answer.run.answer);
        else if (button === 'Show quota') await vscode.commands.executeCommand('perigee.showQuota');
        else if (button === 'Sign in') await vscode.commands.executeCommand('perigee.signIn');
        answer.run.dispose();
      });
    });
  }
}

/** One answer about many files, while it streams into the list of proposals. */
class AnswerToFiles {
  readonly run: FilesRun;
  private readonly source: Source;
  private readonly texts: ReadonlyMap<string, string>;
  /** The workspace's own path for each path that the answer names. */
  private readonly paths = new Map<string, string>();
  private proposal: OpenProposal | undefined;

  constructor(
    private readonly deps: WorkspaceEditsDeps,
    input: FilesEdit,
    title: string,
    private readonly report: (words: string) => void,
    resend?: EditRequest,
  ) {
    this.texts = new Map(input.files.map(({ path, text }) => [path, text]));
    this.run = new FilesRun(
      deps.runs,
      deps.log,
      input,
      {
        read: (path, isNew) => this.read(path, isNew),
        onPlans: (plans) => this.show(plans),
        onRepair: (refused, of) => report(tellAskingAgain(refused, of)),
      },
      resend,
    );
    const { id, conversationId } = this.run.request;
    this.source = { title, runId: id, conversationId };
  }

  /** Without an ending, the user has been told everything. */
  async hear(): Promise<{ ending?: Ending; missed: Missed[] }> {
    const heard = await this.run.run();
    if (heard.kind === 'stopped' || heard.kind === 'failed') {
      const why = heard.kind === 'failed' ? `${heard.problem.title}.` : 'It was stopped in the middle.';
      await this.proposal?.fail(why);
      const { charge } = heard;
      const ending: Ending =
        heard.kind === 'failed'
          ? { kind: 'failed', problem: heard.problem, left: 0, ...charge }
          : { kind: 'stopped', canKeep: false, left: 0, ...charge };
      return { ending, missed: [] };
    }
    if (heard.kind !== 'plans') return { ending: { ...heard, ...(await this.run.tellOutcome([], 0)) }, missed: [] };
    const plans = this.located(heard.plans);
    const missed = plans.flatMap((plan) =>
      plan.kind === 'refused' ? plan.refusals.map((refusal) => ({ path: plan.path ?? '', refusal })) : [],
    );
    const fine = heard.plans.filter((_, index) => plans[index]!.kind !== 'refused');
    if (fine.length === 0) {
      await this.proposal?.finish([]);
      const cost = await this.run.tellOutcome([], 0);
      if (missed.every(({ refusal }) => refusal.reason === 'noChange'))
        return { ending: { kind: 'noChange', ...cost }, missed };
      const { repairProblem } = heard;
      return { ending: { kind: 'unplaced', missed, of: missed.length, left: 0, repairProblem, ...cost }, missed };
    }
    const [only] = plans;
    if (!this.proposal && plans.length === 1 && only?.kind === 'update') {
      const isReviewed = await this.review(only);
      const cost = await this.run.tellOutcome(isReviewed ? fine : [], 0);
      return isReviewed
        ? { ending: { kind: 'review', hunks: only.hunks.length, cutShort: false, ...cost }, missed }
        : { missed };
    }
    this.proposal ??= this.begin();
    await this.proposal.finish(plans);
    const cost = await this.run.tellOutcome(fine, 0);
    return { ending: { kind: 'handedOver', files: fine.length, ...cost }, missed };
  }

  /** A single file is not listed, but reviewed in its editor once it is complete. */
  private show(plans: readonly FilePlan[]): void {
    const located = this.located(plans);
    this.report(`${count(located.length, 'file')} so far`);
    if (!this.proposal && located.length === 1 && (located[0]!.kind === 'update' || located[0]!.kind === 'refused'))
      return;
    this.proposal ??= this.begin();
    this.proposal.update(located);
  }

  private begin(): OpenProposal {
    return this.deps.proposals().begin(this.source, () => this.run.stop());
  }

  private async review(plan: FilePlan & { kind: 'update' }): Promise<boolean> {
    const found = await this.deps.files.find(plan.path);
    if (found.kind !== 'file') {
      refuse(`${plan.path} is not there any more; nothing was changed.`);
      return false;
    }
    const document = await vscode.workspace.openTextDocument(found.uri);
    return this.deps.review(document, plan, this.source);
  }

  private async read(path: string, isNew: boolean): Promise<FileText> {
    const found = await this.deps.files.find(path, isNew);
    this.paths.set(path, found.path);
    // The model refers to the text that it was given.
    const text = this.texts.get(found.path);
    if (text !== undefined) return { kind: 'file', text, path: found.path };
    // A repair request would send lines near the miss to the model.
    if (found.kind === 'file' && holdsSecrets(found.path)) return { kind: 'refused', why: MAY_HOLD_SECRETS };
    return found.kind === 'file' ? { kind: 'file', text: found.text, path: found.path } : found;
  }

  /** The plans under the workspace's own paths; two for one file are a conflict. */
  private located(plans: readonly FilePlan[]): FilePlan[] {
    const own = (path: string) => this.paths.get(path) ?? path;
    const seen = new Set<string>();
    return plans.map((plan): FilePlan => {
      if (plan.path === undefined) return plan;
      const path = own(plan.path);
      if (seen.has(path)) {
        const message = `The answer changes ${path} under another name as well.`;
        return { kind: 'refused', path, refusals: [{ reason: 'overlap', message, lookedFor: [] }], placed: [] };
      }
      seen.add(path);
      return plan.kind === 'move' ? { ...plan, path, to: own(plan.to) } : { ...plan, path };
    });
  }
}

async function openFolderFirst(): Promise<void> {
  const open = 'Open Folder…';
  const words =
    'Open a folder first: Edit in Workspace changes the files of one. For a single file there is Edit File.';
  if ((await vscode.window.showWarningMessage(words, { modal: true }, open)) !== open) return;
  await vscode.commands.executeCommand('vscode.openFolder');
}

const tellChosen = (files: number) => `Edit ${files === 0 ? 'files' : count(files, 'file')}`;
