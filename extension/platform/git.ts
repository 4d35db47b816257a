import * as vscode from 'vscode';
import { withoutSecrets } from './secrecy/guarded.ts';

// The part that we use of the built-in git extension's API, version 1 (extensions/git/src/api/git.d.ts in VS Code's
// source).
interface GitApi {
  readonly state: 'uninitialized' | 'initialized';
  readonly onDidChangeState: vscode.Event<GitApi['state']>;
  readonly repositories: Repository[];
  getRepository(uri: vscode.Uri): Repository | null;
}
export interface Repository {
  readonly rootUri: vscode.Uri;
  /** The input box for the commit message. */
  readonly inputBox: { value: string };
  readonly state: {
    readonly HEAD: { readonly name?: string } | undefined;
    /** Files with conflicts. */
    readonly mergeChanges: Change[];
    readonly workingTreeChanges: Change[];
    readonly indexChanges: Change[];
    readonly untrackedChanges?: Change[];
  };
  status(): Promise<void>;
  diff(cached?: boolean): Promise<string>;
  diffWithHEAD(path: string): Promise<string>;
  log(options: { maxEntries: number }): Promise<Commit[]>;
  getCommit(ref: string): Promise<Commit>;
}
interface Commit {
  readonly message: string;
}
interface Change {
  readonly uri: vscode.Uri;
  readonly status: number;
}
const UNTRACKED = 7;

export const NO_REPOSITORY = 'No git repository is open in the editor.';
export const NO_CHANGES = 'There are no uncommitted changes.';

/**
 * `git diff HEAD` of the repository around `near` (else the first repository), without files that hold secrets.
 * Otherwise a sentence that says why there is no diff.
 */
export async function gitDiff(near: vscode.Uri | undefined): Promise<{ text: string } | { none: string }> {
  const git = await openGit();
  const repository = (near && git?.getRepository(near)) ?? git?.repositories[0];
  if (!repository) return { none: NO_REPOSITORY };
  await repository.status();
  const { indexChanges, workingTreeChanges } = repository.state;
  const unstaged = workingTreeChanges.filter(({ status }) => status !== UNTRACKED);
  const untracked = untrackedFiles(repository);
  let text: string;
  if (indexChanges.length === 0) text = await repository.diff(false);
  else if (unstaged.length === 0) text = await repository.diff(true);
  else {
    // Both lists are needed: a line that was staged and then changed again shows its current text only in a diff
    // against HEAD.
    const paths = [...new Set([...indexChanges, ...unstaged].map(({ uri }) => uri.fsPath))];
    const parts = await Promise.all(paths.map((path) => repository.diffWithHEAD(path)));
    text = parts.join('');
  }
  text = withoutSecrets(text);
  if (untracked.length > 0) {
    text += `\nNot under version control yet:\n${untracked.map((uri) => vscode.workspace.asRelativePath(uri)).join('\n')}\n`;
  }
  return text.trim() === '' ? { none: NO_CHANGES } : { text };
}

/** Whether a repository with uncommitted changes is open; does not wake the git extension. */
export function hasUncommittedChanges(): boolean {
  return !!readyGit()?.repositories.some(
    ({ state }) => state.indexChanges.length + state.workingTreeChanges.length > 0,
  );
}

/** Whether a repository may be open: false only if there is certainly none. Does not wake the git extension. */
export function mayHaveRepository(): boolean {
  const extension = vscode.extensions.getExtension('vscode.git');
  if (!extension || (extension.isActive && !extension.exports?.enabled)) return false;
  const git = readyGit();
  return git?.state !== 'initialized' || git.repositories.length > 0;
}

function readyGit(): GitApi | undefined {
  const extension = vscode.extensions.getExtension<{ enabled: boolean; getAPI(version: 1): GitApi }>('vscode.git');
  return extension?.isActive && extension.exports?.enabled ? extension.exports.getAPI(1) : undefined;
}

/** The untracked files. By the user's settings, they are in a list of their own or among the other changes. */
export function untrackedFiles({ state }: Repository): vscode.Uri[] {
  const found = state.workingTreeChanges.filter(({ status }) => status === UNTRACKED);
  return [...found, ...(state.untrackedChanges ?? [])].map(({ uri }) => uri);
}

/** Whether a merge is in progress: git has its own message for that commit. */
export async function isMerging(repository: Repository): Promise<boolean> {
  if (repository.state.mergeChanges.length > 0) return true;
  return repository.getCommit('MERGE_HEAD').then(
    () => true,
    () => false,
  );
}

/** The built-in git extension's API; undefined if there is none (the web editor), it is off, or git is missing. */
export async function openGit(): Promise<GitApi | undefined> {
  const extension = vscode.extensions.getExtension<{ enabled: boolean; getAPI(version: 1): GitApi }>('vscode.git');
  const git = await extension?.activate();
  if (!git?.enabled) return undefined;
  const api = git.getAPI(1);
  // Until it has scanned for repositories, it reports none.
  if (api.state !== 'initialized') {
    await new Promise<void>((resolve) => {
      const listening = api.onDidChangeState((state) => {
        if (state !== 'initialized') return;
        listening.dispose();
        resolve();
      });
    });
  }
  return api;
}
