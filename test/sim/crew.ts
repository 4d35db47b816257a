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

/** Parts of some seconds, so that all workers end at about the same time. */
const PART = 10;
const parts = (jobs: readonly Job[]): Job[] =>
  jobs.flatMap((job) =>
    Array.from({ length: Math.ceil((job.to - job.from) / PART) }, (_, i) => ({
      ...job,
      ...{ from: job.from + i * PART, to: Math.min(job.to, job.from + (i + 1) * PART) },
    })),
  );

/**
 * Runs all jobs, in this process (`workers` 1) or in so many others. The results are the same: a trial depends on its
 * seed alone. `tell` hears how much is done, 0 to 1.
 */
export async function run(jobs: readonly Job[], workers: number, tell: (done: number) => void): Promise<Trial[]> {
  const all = parts(jobs);
  const results: Trial[][] = [];
  const told = (index: number, trials: Trial[]) => {
    results[index] = trials;
    tell(Object.keys(results).length / all.length);
  };
  if (workers === 1) for (const [i, job] of all.entries()) told(i, trialsOf(job));
  else {
    let next = 0;
    const one = async () => {
      const child = fork(fileURLToPath(new URL('worker.ts', import.meta.url)));
      try {
        for (let i = next++; i < all.length; i = next++) told(i, await answer(child, all[i]!));
      } finally {
        child.disconnect();
      }
    };
    await Promise.all(Array.from({ length: workers }, one));
  }
  return results.flat();
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
