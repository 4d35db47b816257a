import { useEffect, useState } from 'preact/hooks';

const FAST_MS = 1000;
const SLOW_MS = 30_000;
/** This close to a time that the user waits for, seconds are shown. */
const NEAR_MS = 90_000;

const listeners = new Map<() => void, number>();
let timer: ReturnType<typeof setTimeout> | undefined;

function tick(): void {
  clearTimeout(timer);
  timer = undefined;
  if (listeners.size > 0) timer = setTimeout(tell, Math.min(...listeners.values()));
}

function tell(): void {
  for (const listener of [...listeners.keys()]) listener();
  tick();
}

/**
 * The current time, for texts that depend on it. Updates each second shortly before `at`. One timer serves the whole
 * view.
 */
export function useNow(at?: string): Date {
  const [now, setNow] = useState(() => new Date());
  const left = at === undefined ? Number.NaN : Date.parse(at) - now.getTime();
  useTicks(left > -FAST_MS && left < NEAR_MS ? FAST_MS : SLOW_MS, setNow);
  return now;
}

/** The whole seconds since `since` (ms since 1970). */
export function useSecondsSince(since: number): number {
  const [now, setNow] = useState(() => new Date());
  useTicks(FAST_MS, setNow);
  return Math.max(0, Math.floor((now.getTime() - since) / 1000));
}

function useTicks(everyMs: number, setNow: (now: Date) => void): void {
  useEffect(() => {
    const listener = () => setNow(new Date());
    listeners.set(listener, everyMs);
    tick();
    return () => {
      listeners.delete(listener);
      tick();
    };
  }, [everyMs, setNow]);
}
