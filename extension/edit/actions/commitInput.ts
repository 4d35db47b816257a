import * as vscode from 'vscode';
import type { SelectionEdit } from '../../../shared/runs.ts';
import { isMerging, NO_CHANGES, type Repository, untrackedFiles } from '../../platform/git.ts';
import { holdsSecrets, withoutSecrets } from '../../platform/secrecy/guarded.ts';
import { belowScissors, commitInstruction, newFileDiff } from './texts/commitText.ts';

/** How many recent commits show the repository's style of subjects. */
const SUBJECTS = 8;
/** Of a larger new file, only the name is sent. */
const MAX_NEW_FILE = 100_000;
const MAX_NEW_FILES = 100;

const MERGING = 'A merge is in progress, and git has written its message. Commit or abort the merge first.';
const CONFLICTS = 'A merge is in progress, and some files have conflicts. Resolve them first.';

/**
 * Builds the request for a commit message: for the staged changes, or for all changes if nothing is staged. Otherwise
 * says in a sentence why there is nothing to ask.
 */
export async function readCommit(repository: Repository, wish = ''): Promise<SelectionEdit | string> {
  await repository.status();
  if (repository.state.mergeChanges.length > 0) return CONFLICTS;
  if (await isMerging(repository)) return MERGING;
  const diff = await readDiff(repository);
  if (diff.trim() === '') return NO_CHANGES;
  const subjects = await latestSubjects(repository);
  // Read it last: reading the changes takes a moment, and the author may have typed meanwhile.
  const start = repository.inputBox.value;
  return {
    instruction: commitInstruction(subjects, start.trim() !== '', wish),
    path: 'COMMIT_EDITMSG',
    languageId: 'git-commit',
    selection: { start: 0, end: start.split('\n').length - 1, text: start },
    before: '',
    after: belowScissors(diff),
  };
}

async function readDiff(repository: Repository): Promise<string> {
  if (repository.state.indexChanges.length > 0) return withoutSecrets(await repository.diff(true));
  const known = withoutSecrets(await repository.diff(false));
  const untracked = untrackedFiles(repository).slice(0, MAX_NEW_FILES);
  const added = await Promise.all(untracked.map((uri) => readNewFile(repository, uri)));
  return known + added.join('');
}

async function readNewFile({ rootUri }: Repository, uri: vscode.Uri): Promise<string> {
  const path = uri.path.startsWith(`${rootUri.path}/`) ? uri.path.slice(rootUri.path.length + 1) : uri.path;
  try {
    const { size, type } = await vscode.workspace.fs.stat(uri);
    // For a folder with a repository of its own, only the name is known.
    if ((type & vscode.FileType.File) === 0 || size > MAX_NEW_FILE || holdsSecrets(path)) return newFileDiff(path, '');
    const bytes = await vscode.workspace.fs.readFile(uri);
    return newFileDiff(path, bytes.includes(0) ? '' : new TextDecoder().decode(bytes));
  } catch {
    // The file was deleted meanwhile.
    return '';
  }
}

async function latestSubjects(repository: Repository): Promise<string[]> {
  // `log` rejects in a repository without commits.
  const commits = await repository.log({ maxEntries: SUBJECTS }).catch(() => []);
  return commits.map(({ message }) => message.split('\n', 1)[0]!.trim()).filter((subject) => subject !== '');
}
