import * as vscode from 'vscode';
import { Disposable } from '../../platform/dispose.ts';
import { NO_REPOSITORY, openGit, type Repository } from '../../platform/git.ts';
import type { Log } from '../../platform/log.ts';
import { plainMessage } from '../../platform/plainMessage.ts';
import { showMessage, showRequest } from '../notifications/showMessage.ts';
import type { EditRequest } from '../runs/answerRun.ts';
import type { EditRuns } from '../runs/runs.ts';
import { type CommitEnding, tellCommitEnding } from './commitEnding.ts';
import { readCommit } from './commitInput.ts';
import { CommitRun } from './commitRun.ts';
import { MessageBox } from './messageBox.ts';

export interface CommitMessagesDeps {
  runs: EditRuns;
  /** Guests are charged by the message. */
  isGuest(): boolean;
  log: Log;
}

const NO_GIT = 'The editor’s git extension is turned off or not there, or git is not installed.';

/** Writes commit messages into the source control view, one at a time in each repository. */
export class CommitMessages extends Disposable {
  /** By repository; undefined while the changes are read. */
  private readonly running = new Map<string, CommitRun | undefined>();
  private readonly boxes = new Map<string, MessageBox>();

  constructor(private readonly deps: CommitMessagesDeps) {
    super();
    this._register({ dispose: () => this.stop() });
  }

  /**
   * Writes a message for the staged changes of a repository, or for all changes if nothing is staged. `context`: the
   * argument from the source control view. Without it, the only repository, or the one that the user picks. `wish`:
   * what the author asks for in words. `begun` is called when there is something to write about, and nothing in the way.
   */
  async write(context?: unknown, wish?: unknown, begun?: unknown): Promise<void> {
    const repository = await chooseRepository(context);
    if (typeof repository === 'string') return say(repository);
    if (!repository) return;
    // Called from elsewhere, the box may not be visible.
    if (!rootOf(context)) void vscode.commands.executeCommand('workbench.view.scm');
    await this.writeFor(repository, typeof wish === 'string' ? wish : '', {
      begun: typeof begun === 'function' ? () => begun() : undefined,
    });
  }

  /** Stops all runs and restores the boxes. */
  stop(): void {
    for (const running of this.running.values()) running?.stop();
  }

  /** `resend`: the request of an earlier try that the server may already have. */
  private async writeFor(
    repository: Repository,
    wish: string,
    { resend, begun }: { resend?: EditRequest; begun?: () => void } = {},
  ): Promise<void> {
    const key = repository.rootUri.toString();
    if (this.running.has(key)) return;
    this.running.set(key, undefined);
    let run: CommitRun | undefined;
    try {
      const input = await readCommit(repository, wish).catch(
        (error) => `Git could not tell what changed: ${messageOf(error)}`,
      );
      if (typeof input === 'string') return say(input);
      begun?.();
      const box = this.boxOf(repository);
      run = new CommitRun(this.deps.runs, this.deps.log, box, input, resend);
      this.running.set(key, run);
      this.tellKey();
      const place = { location: vscode.ProgressLocation.SourceControl };
      const ending = await vscode.window.withProgress(place, run.run.bind(run));
      this.deps.log.info(`A commit message ended: ${ending.kind}.`);
      // Not awaited: the user may start the next one while the message is shown.
      if (!this.isDisposed) void this.answer(repository, wish, run, ending);
    } finally {
      this.running.delete(key);
      this.tellKey();
      run?.dispose();
    }
  }

  private async answer(repository: Repository, wish: string, run: CommitRun, ending: CommitEnding): Promise<void> {
    switch (await showMessage(tellCommitEnding(ending, this.deps.isGuest()))) {
      case 'Retry':
        return this.writeFor(repository, wish, { resend: run.resend });
      case 'Restore what stood there':
        if (!run.restore()) say('The commit message was changed since, so it stays as it is.');
        return;
      case 'Show details':
        return ending.kind === 'failed' ? showRequest(ending.problem) : undefined;
      case 'Show quota':
        return void vscode.commands.executeCommand('perigee.showQuota');
      case 'Sign in':
        return void vscode.commands.executeCommand('perigee.signIn');
      case 'Open settings':
        return void vscode.commands.executeCommand('perigee.openSettings');
    }
  }

  private boxOf(repository: Repository): MessageBox {
    const key = repository.rootUri.toString();
    const known = this.boxes.get(key);
    if (known) return known;
    const box = this._register(new MessageBox(repository));
    this.boxes.set(key, box);
    return box;
  }

  private tellKey(): void {
    void vscode.commands.executeCommand('setContext', 'perigee.writingCommitMessage', this.running.size > 0);
  }
}

/** The repository to use, or why there is none; undefined if the user picks none. */
async function chooseRepository(context: unknown): Promise<Repository | string | undefined> {
  const git = await openGit();
  if (!git) return NO_GIT;
  const root = rootOf(context);
  const meant = root && git.repositories.find(({ rootUri }) => rootUri.toString() === root.toString());
  if (meant || git.repositories.length <= 1) return meant ?? git.repositories[0] ?? NO_REPOSITORY;
  const active = vscode.window.activeTextEditor?.document.uri;
  const near = active && git.getRepository(active);
  const items = git.repositories
    .map((repository) => ({
      label: repository.rootUri.path.slice(repository.rootUri.path.lastIndexOf('/') + 1),
      description: repository.state.HEAD?.name,
      detail: vscode.workspace.asRelativePath(repository.rootUri, false),
      iconPath: new vscode.ThemeIcon('repo'),
      repository,
    }))
    .sort((a, b) => Number(b.repository === near) - Number(a.repository === near));
  const title = 'Commit Message';
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder: 'For which repository?' });
  return picked?.repository;
}

/** A menu of the source control view passes its provider, which has the root's URI. */
function rootOf(context: unknown): vscode.Uri | undefined {
  if (typeof context !== 'object' || context === null || !('rootUri' in context)) return undefined;
  return context.rootUri instanceof vscode.Uri ? context.rootUri : undefined;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
const say = (words: string) => void vscode.window.showInformationMessage(plainMessage(words));
