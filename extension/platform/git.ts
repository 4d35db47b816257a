import * as vscode from 'vscode';
import { holdsSecrets, LEFT_OUT, withoutSecrets } from './secrecy/guarded.ts';
import { judgedPath } from './secrecy/judgedPath.ts';

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
  diffBetween(ref1: string, ref2: string): Promise<Change[]>;
  diffBetween(ref1: string, ref2: string, path: string): Promise<string>;
  log(options: { maxEntries: number }, token?: vscode.CancellationToken): Promise<Commit[]>;
  getCommit(ref: string): Promise<Commit>;
}
interface Commit {
  readonly hash: string;
  readonly message: string;
  readonly parents: string[];
  readonly authorName?: string;
  readonly commitDate?: Date;
}
interface Change {
  /** Where the file is now; where it was, if it was deleted. */
  readonly uri: vscode.Uri;
  /** Where a renamed file was. */
  readonly originalUri?: vscode.Uri;
  readonly status: number;
}
const UNTRACKED = 7;

export const NO_REPOSITORY = 'No git repository is open in the editor.';
export const NO_CHANGES = 'There are no uncommitted changes.';
export const NO_ANSWER = 'Git did not answer. Try again in a moment.';

/**
 * `git diff HEAD` of the repository around `near` (else the first repository), without files that hold secrets.
 * Otherwise a sentence that says why there is no diff. Once the signal has aborted, git is asked nothing more.
 */
export async function gitDiff(
  near: vscode.Uri | undefined,
  signal: AbortSignal,
): Promise<{ text: string } | { none: string }> {
  const repository = await repositoryAround(near);
  if (!repository) return { none: NO_REPOSITORY };
  signal.throwIfAborted();
  await repository.status();
  signal.throwIfAborted();
  const { indexChanges, workingTreeChanges } = repository.state;
  const unstaged = workingTreeChanges.filter(({ status }) => status !== UNTRACKED);
  const untracked = untrackedFiles(repository);
  let text: string;
  if (indexChanges.length === 0) text = await repository.diff(false);
  else if (unstaged.length === 0) text = await repository.diff(true);
  else {
    // Both lists are needed: a line that was staged and then changed again shows its current text only in a diff
    // against HEAD.
    const changes = new Map([...unstaged, ...indexChanges].map((change) => [change.uri.fsPath, change]));
    const all = [...changes.values()];
    text = '';
    for (let at = 0; at < all.length; at += MOST_AT_ONCE) {
      signal.throwIfAborted();
      const some = all.slice(at, at + MOST_AT_ONCE);
      const parts = some.map((change) => fileDiff(change, (path) => repository.diffWithHEAD(path)));
      text += (await Promise.all(parts)).join('');
    }
  }
  text = withoutSecrets(text);
  if (untracked.length > 0) {
    text += `\nNot under version control yet:\n${untracked.map((uri) => vscode.workspace.asRelativePath(uri)).join('\n')}\n`;
  }
  return text.trim() === '' ? { none: NO_CHANGES } : { text };
}

/** Processes of git at a time. The git extension can't end one that runs, so few are begun. */
const MOST_AT_ONCE = 8;

/** One file's diff. Asked for by its new name alone, a renamed file looks new, and is judged by both its names. */
async function fileDiff({ uri, originalUri = uri }: Change, ask: (path: string) => Promise<string>): Promise<string> {
  const [name, from] = [uri, originalUri].map((one) => vscode.workspace.asRelativePath(one));
  const head = `diff --git a/${from} b/${name}\n`;
  if ([uri, originalUri].some((one) => holdsSecrets(judgedPath(one)))) return `${head}${LEFT_OUT}\n`;
  const diff = withoutSecrets(await ask(uri.fsPath));
  if (from === name || diff === '') return diff;
  return `${head}rename from ${from}\nrename to ${name}\n${diff.slice(diff.indexOf('\n') + 1)}`;
}

async function repositoryAround(near: vscode.Uri | undefined): Promise<Repository | undefined> {
  const git = await openGit();
  return (near && git?.getRepository(near)) ?? git?.repositories[0];
}

/** A commit in a list. */
export type ListedCommit = Pick<Commit, 'hash' | 'message' | 'commitDate'>;

/**
 * The newest commits of the repository around `near`, newest first; none without a repository or a commit. The token ends
 * the process of git.
 */
export async function recentCommits(
  near: vscode.Uri | undefined,
  maxEntries: number,
  token: vscode.CancellationToken,
): Promise<ListedCommit[]> {
  const repository = await repositoryAround(near);
  if (!repository || token.isCancellationRequested) return [];
  return repository.log({ maxEntries }, token).catch(() => []);
}

/** Each file's diff is asked of git by itself. Characters of all of them, about four to a token. */
const MOST = { files: 50, characters: 100_000 };

/**
 * A commit as `git show` tells it, without files that hold secrets. The diff is the one from its first parent. Otherwise
 * a sentence that says why there is none. Once the signal has aborted, git is asked nothing more.
 */
export async function readCommit(
  near: vscode.Uri | undefined,
  hash: string,
  signal: AbortSignal,
): Promise<{ text: string } | { none: string }> {
  const repository = await repositoryAround(near);
  if (!repository) return { none: NO_REPOSITORY };
  signal.throwIfAborted();
  const commit = await repository.getCommit(hash).catch(() => undefined);
  if (!commit) return { none: `The commit ${hash.slice(0, 7)} is no longer in the repository.` };
  const { parents, authorName, commitDate, message } = commit;
  const about = [
    `commit ${commit.hash}`,
    ...(authorName ? [`Author: ${authorName}`] : []),
    ...(commitDate ? [`Date: ${commitDate.toISOString()}`] : []),
  ];
  const [parent] = parents;
  signal.throwIfAborted();
  const changes = parent === undefined ? [] : await repository.diffBetween(parent, commit.hash);
  const diffs: string[] = [];
  const rest: string[] = [];
  let characters = 0;
  // Each by itself: the extension trims them, so that one would run into the next.
  for (const [at, change] of changes.entries()) {
    signal.throwIfAborted();
    const name = vscode.workspace.asRelativePath(change.uri);
    const isAsked = at < MOST.files && characters < MOST.characters && !name.startsWith(':');
    const ask = (path: string) => repository.diffBetween(parent!, commit.hash, path);
    const diff = isAsked ? await fileDiff(change, ask).catch(() => undefined) : undefined;
    if (diff === undefined || characters + diff.length > MOST.characters || !isOfOneFile(diff)) rest.push(name);
    else {
      characters += diff.length;
      diffs.push(diff.trimEnd());
    }
  }
  const parts = [about.join('\n'), message.trim(), diffs.join('\n')];
  if (parent === undefined)
    parts.push('Its diff is not known: it is the first commit, or this clone does not have the one before it.');
  if (rest.length > 0) parts.push(`Changed as well, not shown:\n${rest.join('\n')}`);
  return { text: parts.filter((part) => part !== '').join('\n\n') };
}

/** Git takes a name as a pattern: "[id].ts" is also "i.ts". */
const isOfOneFile = (diff: string) => new Set(diff.match(/^diff --git .*/gm)).size < 2;

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
