const FIRST_MS = 250;
const LONGEST_MS = 10_000;

/** How long to wait after a stop for a run's last event, which reports the charge. */
export const LAST_EVENT_MS = 5_000;

/**
 * Waits between retries: exponential, with random jitter in the upper half, so that the windows of a server that was
 * down do not all reconnect at the same moment. A wait ends early on `wake` and rejects with the reason on abort.
 */
export class Backoff {
  private readonly waiting = new Set<() => void>();

  /** How long to wait before attempt `attempt` (counted from 0), in milliseconds. */
  static delayMs(attempt: number, random = Math.random()): number {
    const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 20));
    return whole / 2 + (whole / 2) * random;
  }

  wait(attempt: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        this.waiting.delete(end);
        resolve();
      };
      const abort = () => {
        clearTimeout(timer);
        this.waiting.delete(end);
        reject(signal.reason);
      };
      const timer = setTimeout(end, Backoff.delayMs(attempt));
      signal.addEventListener('abort', abort, { once: true });
      this.waiting.add(end);
    });
  }

  /** Ends every wait: the network is back, or the user does not want to wait. */
  wake(): void {
    for (const end of [...this.waiting]) end();
  }
}
