import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** Who is told of failures that nobody waits for. */
export interface FaultDeps {
  log: Log;
  metrics: Pick<Metrics, 'faulted'>;
}

/**
 * Begins work that nobody awaits. This is the only way to do so in the server (a test looks for others): whatever it throws is
 * logged and counted under `name`, and ends nothing else.
 */
export function detach(work: () => Promise<unknown> | unknown, name: string, { log, metrics }: FaultDeps): void {
  const fail = (error: unknown) => {
    metrics.faulted(name);
    log.error({ work: name, err: error }, 'work in the background failed');
  };
  try {
    Promise.resolve(work()).catch(fail);
  } catch (error) {
    fail(error);
  }
}

/** The process, as far as the last catch needs it. */
interface Faulting {
  on(event: 'unhandledRejection' | 'uncaughtException', listener: (error: unknown) => void): unknown;
}

/**
 * What nothing else has caught. A rejected promise that nobody awaits has stopped only itself: the server goes on, for ending
 * it would end everybody's answers. An exception may have left the code around it half done, so the server stops in order, as
 * for SIGTERM, and whoever runs it starts another.
 */
export function catchFaults(process: Faulting, { log, metrics }: FaultDeps, stop: () => void): void {
  process.on('unhandledRejection', (error) => {
    metrics.faulted('unhandled_rejection');
    log.error({ err: error }, 'a promise was rejected and nobody awaits it; the server goes on');
  });
  process.on('uncaughtException', (error) => {
    metrics.faulted('uncaught_exception');
    log.fatal({ err: error }, 'an exception was not caught; the server stops in order');
    stop();
  });
}
