import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** Where failures of work that nobody awaits are reported. */
export interface FaultDeps {
  log: Log;
  metrics: Pick<Metrics, 'faulted'>;
}

/**
 * Starts work that nobody awaits. The server has no other way to do so; a test looks for others. Errors are logged and
 * counted under `name` and stop nothing else.
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

/** The part of `process` that the last catch needs. */
interface Faulting {
  on(event: 'unhandledRejection' | 'uncaughtException', listener: (error: unknown) => void): unknown;
}

/**
 * Handles errors that nothing else has caught. A rejected promise that nobody awaits has stopped only itself, so the
 * server goes on: stopping it would end every user's answers. An exception may have left the code around it in a broken
 * state, so the server shuts down cleanly, as for SIGTERM, and its supervisor restarts it.
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
