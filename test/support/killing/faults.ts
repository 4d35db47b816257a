import { FAILURES, type Script } from '../../doubles/script.ts';

/** How many of 100 calls the model service fails, in each of the ways below. */
const FAILING = 15;
/** The longest answer, in pieces. */
const PIECES = 24;

/** The ways in which a model service fails a call, or answers it oddly. Each but `silent` ends the call at once. */
const FAULTS: Record<string, (pieces: string[]) => Script> = {
  broken: () => FAILURES.broken,
  busy: () => FAILURES.busy(),
  html: () => FAILURES.html,
  closes: () => ({ instead: 'close' }),
  empty: () => ({ pieces: [] }),
  dies: (pieces) => ({ pieces, everyMs: 4, end: 'destroy' }),
  stops: (pieces) => ({ pieces, everyMs: 4, end: 'eof' }),
  malformed: (pieces) => ({ pieces, everyMs: 4, end: 'malformed' }),
  error: (pieces) => ({ pieces, everyMs: 4, end: 'error' }),
  refuses: (pieces) => ({ pieces, finish: 'content_filter' }),
  uncounted: (pieces) => ({ pieces, everyMs: 4, usage: 'none' }),
  unfinished: (pieces) => ({ pieces, everyMs: 4, end: 'no [DONE]' }),
  // The server waits for its next word longer than a round.
  silent: (pieces) => ({ pieces, end: 'hang' }),
};

/** What the model service does with its next call. Answers differ in length, so that a bill tells them apart. */
export function anyScript(next: () => number): { script: Script; fault?: string } {
  const pieces = Array.from({ length: 1 + Math.floor(next() * PIECES) }, (_, n) => `piece${n} `);
  if (next() * 100 >= FAILING) return { script: { pieces, everyMs: 4 } };
  const names = Object.keys(FAULTS);
  const fault = names[Math.floor(next() * names.length)]!;
  return { script: FAULTS[fault]!(pieces), fault };
}
