import * as vscode from 'vscode';

// The part in use of the built-in git extension's API, version 1 (extensions/git/src/api/git.d.ts in VS Code's source).
interface GitApi {
  readonly repositories: Repository[];
  getRepository(uri: vscode.Uri): Repository | null;
}
interface Repository {
  readonly rootUri: vscode.Uri;
  readonly state: {
    readonly workingTreeChanges: Change[];
    readonly indexChanges: Change[];
    readonly untrackedChanges?: Change[];
  };
  status(): Promise<void>;
  diff(cached?: boolean): Promise<string>;
  diffWithHEAD(path: string): Promise<string>;
}
interface Change {
  readonly uri: vscode.Uri;
  readonly status: number;
}
const UNTRACKED = 7;

/** `git diff HEAD` of the repository around `near` (else the first one), or why there is none, in a sentence. */
export async function gitDiff(near: vscode.Uri | undefined): Promise<{ text: string } | { none: string }> {
  const repository = await findRepository(near);
  if (!repository) return { none: 'No git repository is open in the editor.' };
  await repository.status();
  const { indexChanges, workingTreeChanges, untrackedChanges = [] } = repository.state;
  const unstaged = workingTreeChanges.filter(({ status }) => status !== UNTRACKED);
  const untracked = [...workingTreeChanges.filter(({ status }) => status === UNTRACKED), ...untrackedChanges];
  let text: string;
  if (indexChanges.length === 0) text = await repository.diff(false);
  else if (unstaged.length === 0) text = await repository.diff(true);
  else {
    // Both: only a comparison of each file with HEAD shows a line that was staged and changed again once, as it is now.
    const paths = [...new Set([...indexChanges, ...unstaged].map(({ uri }) => uri.fsPath))];
    const parts = await Promise.all(paths.map((path) => repository.diffWithHEAD(path)));
    text = parts.join('');
  }
  if (untracked.length > 0) {
    text += `\nNot under version control yet:\n${untracked.map(({ uri }) => vscode.workspace.asRelativePath(uri)).join('\n')}\n`;
  }
  return text.trim() === '' ? { none: 'There are no uncommitted changes.' } : { text };
}

/** Whether a repository with uncommitted changes is open; does not wake the git extension. */
export function hasUncommittedChanges(): boolean {
  const api = vscode.extensions.getExtension<{ enabled: boolean; getAPI(version: 1): GitApi }>('vscode.git');
  if (!api?.isActive || !api.exports.enabled) return false;
  return api.exports
    .getAPI(1)
    .repositories.some(({ state }) => state.indexChanges.length + state.workingTreeChanges.length > 0);
}

async function findRepository(near: vscode.Uri | undefined): Promise<Repository | undefined> {
  const extension = vscode.extensions.getExtension<{ enabled: boolean; getAPI(version: 1): GitApi }>('vscode.git');
  const git = await extension?.activate();
  if (!git?.enabled) return undefined;
  const api = git.getAPI(1);
  return (near && api.getRepository(near)) ?? api.repositories[0];
}
