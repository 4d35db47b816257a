import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { personaNamed } from './personas/all.ts';
import type { SetName } from './traffic/parameters.ts';
import { type Trial, type TrialOptions, trial } from './trial.ts';

/** Trials of one persona with the seeds `from` up to, but not including, `to`. */
export interface Job extends TrialOptions {
  persona: string;
  set: SetName;
  from: number;
  to: number;
}

export const trialsOf = ({ persona, set, from, to, ...options }: Job): Trial[] =>
  Array.from({ length: to - from }, (_, i) => trial(personaNamed(persona), set, from + i, options));

/** Parts of some seconds, a few accounts of each job in turn: whenever a run ends, all jobs are about as far. */
const PART = 10;
function parts(jobs: readonly Job[]): Job[] {
  const cut = jobs.flatMap((job) =>
    Array.from({ length: Math.ceil((job.to - job.from) / PART) }, (_, i) => {
      const from = job.from + i * PART;
      return { part: { ...job, from, to: Math.min(job.to, from + PART) }, done: from / (job.to - job.from) };
    }),
  );
  return cut.sort((a, b) => a.done - b.done).map(({ part }) => part);
}

/**
 * Runs all jobs, in this process (`workers` 1) or in so many others. The results are the same: a trial depends on its
 * seed alone. `tell` hears of trials as they come, and how much is done, 0 to 1. No part begins when `isOver`.
 */
export async function run(
  jobs: readonly Job[],
  workers: number,
  tell: (trials: readonly Trial[], done: number) => void,
  isOver: () => boolean = () => false,
): Promise<Trial[]> {
  const all = parts(jobs);
  const results: Trial[][] = [];
  let count = 0;
  const told = (index: number, trials: Trial[]) => {
    results[index] = trials;
    tell(trials, ++count / all.length);
  };
  if (workers === 1) {
    for (const [i, job] of all.entries()) if (!isOver()) told(i, trialsOf(job));
  } else {
    let next = 0;
    const one = async () => {
      const child = fork(fileURLToPath(new URL('worker.ts', import.meta.url)));
      try {
        for (let i = next++; i < all.length && !isOver(); i = next++) told(i, await answer(child, all[i]!));
      } finally {
        child.disconnect();
      }
    };
    await Promise.all(Array.from({ length: workers }, one));
  }
  return Object.values(results).flat();
}

function answer(child: ChildProcess, job: Job): Promise<Trial[]> {
  return new Promise((resolve, reject) => {
    child.once('message', (trials) => {
      child.off('exit', gone);
      resolve(trials as Trial[]);
    });
    const gone = () => reject(new Error(`A worker ended in the middle of ${job.persona}`));
    child.once('exit', gone);
    child.send(job);
  });
}
