// Child processes that never outlive this one: each leads its own process group, and the whole group goes with us.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

const running = new Set<ChildProcess>();
let hooked = false;

/**
 * Starts a program in a process group of its own. When this process is interrupted (Ctrl-C) or terminated, the program is
 * asked to end, with everything else that was started so (or as `onInterrupt` says); its group is killed at our exit.
 */
export function startProcess(command: string, args: string[], options: SpawnOptions = {}): ChildProcess {
  hook();
  const child = spawn(command, args, { ...options, detached: process.platform !== 'win32' });
  running.add(child);
  child.once('error', () => running.delete(child));
  return child;
}

/** Asks a process to end and, after `graceMs`, kills its whole group. Resolves once it is gone. */
export async function endProcess(child: ChildProcess, graceMs = 3000): Promise<void> {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const impatient = setTimeout(() => killGroup(child), graceMs);
    await gone;
    clearTimeout(impatient);
  }
  killGroup(child);
  running.delete(child);
}

/** Kills a process and everything it started, at once. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nobody of the group is left.
  }
}

/**
 * Says how to end on Ctrl-C or SIGTERM: `end` is awaited, then the process exits with 130 or 143. A second one ends at
 * once. Whatever still runs then is killed.
 */
export function onInterrupt(end: (signal: NodeJS.Signals) => Promise<void>): void {
  hook();
  orderlyEnd = end;
}

let ending: number | undefined;
// A child that has children of its own, in groups of their own, must be asked: it alone can end them.
let orderlyEnd: (signal: NodeJS.Signals) => Promise<void> = async () => {
  await Promise.all([...running].map((child) => endProcess(child, 5000)));
};

function hook(): void {
  if (hooked) return;
  hooked = true;
  process.on('exit', () => {
    for (const child of running) killGroup(child);
  });
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => {
      // One Ctrl-C reaches us several times: from the terminal, from npm and from tsx.
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
