// Child processes that never outlive this one: each leads a process group, and the whole group ends with this process.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const running = new Set<ChildProcess>();
const folders = new Set<string>();
let hooked = false;

/**
 * Starts a program in a process group of its own. If this process is interrupted (Ctrl-C) or terminated, all such
 * programs are asked to end (or as `onInterrupt` says). Their groups are killed when this process exits.
 */
export function startProcess(command: string, args: string[], options: SpawnOptions = {}): ChildProcess {
  hook();
  const child = spawn(command, args, { ...options, detached: process.platform !== 'win32' });
  running.add(child);
  child.once('error', () => running.delete(child));
  return child;
}

/**
 * Asks a process and its group to end, and kills the rest after `graceMs`. Resolves once all are gone: the leader may
 * end at the signal while others of its group still clean up.
 */
export async function endProcess(child: ChildProcess, graceMs = 3000): Promise<void> {
  const deadline = Date.now() + graceMs;
  signalGroup(child, 'SIGTERM');
  while (signalGroup(child, 0) && Date.now() < deadline) await new Promise((again) => setTimeout(again, 50));
  killGroup(child);
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    await new Promise<void>((gone) => child.once('exit', () => gone()));
  }
  running.delete(child);
}

/** Kills a process and everything it started, at once. */
export function killGroup(child: ChildProcess): void {
  signalGroup(child, 'SIGKILL');
}

/** Whether there was any process to signal. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (child.pid === undefined) return false;
  try {
    if (process.platform === 'win32') return child.exitCode === null && child.kill(signal);
    return process.kill(-child.pid, signal);
  } catch {
    return false;
  }
}

/** Makes a folder that is removed with its contents when this process exits, for any reason. */
export async function temporaryFolder(prefix: string, inside = tmpdir()): Promise<string> {
  hook();
  const folder = await mkdtemp(join(inside, prefix));
  folders.add(folder);
  return folder;
}

/**
 * Sets what happens on Ctrl-C or SIGTERM: `end` is awaited, then the process exits with 130 or 143. A second signal
 * exits at once. Programs that still run then are killed.
 */
export function onInterrupt(end: (signal: NodeJS.Signals) => Promise<void>): void {
  hook();
  orderlyEnd = end;
}

let ending: number | undefined;
// A child whose own children are in other groups must be asked to end, because only it can end them.
let orderlyEnd: (signal: NodeJS.Signals) => Promise<void> = async () => {
  await Promise.all([...running].map((child) => endProcess(child, 5000)));
};

function hook(): void {
  if (hooked) return;
  hooked = true;
  process.on('exit', () => {
    for (const child of running) killGroup(child);
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => {
      // One Ctrl-C arrives several times: from the terminal, from npm and from tsx.
      if (ending && Date.now() - ending < 1000) return;
      if (ending) process.exit(code);
      ending = Date.now();
      orderlyEnd(signal).then(
        () => process.exit(code),
        (error) => {
          console.error(error);
          process.exit(1);
        },
      );
    });
  }
}
