// The workspace for tests, pictures and `npm start`: a copy of ./sample with a git history, so that changes to it never
// reach the repository.
import { execFile } from 'node:child_process';
import { cp, mkdir, rm } from 'node:fs/promises';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './fetch.ts';
import { temporaryFolder } from './processes.ts';

const run = promisify(execFile);

/** Copies the sample into a folder that must not exist yet, or into a temporary one, and commits it there. */
export async function makeSample(to?: string): Promise<{ folder: string; remove: () => Promise<void> }> {
  const home = to ?? (await temporaryFolder('perigee-sample-'));
  const folder = to ?? join(home, 'orders');
  await mkdir(folder, { recursive: true });
  await cp(join(root, 'test/editor/sample'), folder, { recursive: true });
  // Ignore the user's git hooks and signing key.
  const git = (...args: string[]) =>
    run('git', ['-c', 'user.name=Sample', '-c', 'user.email=sample@localhost', '-c', 'commit.gpgsign=false', ...args], {
      cwd: folder,
      env: { ...process.env, GIT_CONFIG_GLOBAL: devNull, GIT_DIR: undefined, GIT_WORK_TREE: undefined },
    });
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'orders: first version');
  return { folder, remove: () => rm(home, { recursive: true, force: true, maxRetries: 5 }) };
}
