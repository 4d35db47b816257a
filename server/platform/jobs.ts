import type { Log } from './log.ts';

export interface Job {
  name: string;
  everyMs: number;
  run: () => Promise<void>;
}

/** Runs each job at its interval, never twice at once. A failure is logged; the job runs again at its next interval. */
export function startJobs(jobs: readonly Job[], log: Log): { stop(): Promise<void> } {
  const busy = new Map<string, Promise<void>>();
  const timers = jobs.map((job) => {
    const timer = setInterval(() => {
      if (busy.has(job.name)) return;
      const done = job
        .run()
        .catch((error) => log.error({ job: job.name, err: error }, 'a job failed'))
        .finally(() => busy.delete(job.name));
      busy.set(job.name, done);
    }, job.everyMs);
    timer.unref();
    return timer;
  });
  return {
    async stop() {
      for (const timer of timers) clearInterval(timer);
      await Promise.all(busy.values());
    },
  };
}
