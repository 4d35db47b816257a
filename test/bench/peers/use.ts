// What a gateway takes of the machine, seen from outside and for all of them alike: the sums over its process group, as
// Linux tells them. Elsewhere they are NaN, which the table shows as "?".
import { readdirSync, readFileSync } from 'node:fs';

/** The kernel's unit of processor time on every common Linux. */
const TICKS_PER_SECOND = 100;

/** The fields of /proc/PID/stat behind the program's name, which may have blanks: state, parent, group and so on. */
const statOf = (pid: string | number) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');

/** The processes of a group. */
export function membersOf(leader: number): number[] {
  if (process.platform !== 'linux') return [];
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => groupOf(pid) === leader).map(Number);
}

function groupOf(pid: string): number | null {
  try {
    return Number(statOf(pid)[2]);
  } catch {
    // It ended meanwhile.
    return null;
  }
}

const sum = (pids: readonly number[], of: (pid: number) => number) =>
  pids.length === 0 ? Number.NaN : pids.reduce((all, pid) => all + of(pid), 0);

/** Seconds of processor time since they began. */
export const cpuSeconds = (pids: readonly number[]) =>
  sum(
    pids,
    (pid) =>
      statOf(pid)
        .slice(11, 13)
        .map(Number)
        .reduce((user, system) => user + system) / TICKS_PER_SECOND,
  );

/** Resident memory, in KB. */
export const memoryKb = (pids: readonly number[]) =>
  sum(pids, (pid) => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]));
