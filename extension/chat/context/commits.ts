import type * as vscode from 'vscode';
import { type ListedCommit, NO_ANSWER, readCommit } from '../../platform/git.ts';
import { stoppedWithin } from '../../platform/within.ts';
import { AttachmentRefused, estimateTokens, GIT_MS, head, refuseTooLong, type StoredChip } from './attachments.ts';

/** "3f2a1bc Try failed requests again" */
export const commitName = ({ hash, message }: Pick<ListedCommit, 'hash' | 'message'>) =>
  `${hash.slice(0, 7)} ${message.split('\n', 1)[0]!.trim()}`.trim().slice(0, 200);

/** A chip for a commit: its message, then its diff. Throws `AttachmentRefused`. */
export async function commitChip(commit: ListedCommit, near: vscode.Uri | undefined): Promise<StoredChip> {
  const read = (await stoppedWithin((signal) => readCommit(near, commit.hash, signal), GIT_MS)) ?? { none: NO_ANSWER };
  if ('none' in read) throw new AttachmentRefused(read.none);
  refuseTooLong(read.text, `The commit ${commit.hash.slice(0, 7)}`);
  const name = commitName(commit);
  return {
    ...head('commit', commit.hash),
    label: name,
    path: name,
    text: read.text,
    tokens: estimateTokens(read.text),
  };
}
