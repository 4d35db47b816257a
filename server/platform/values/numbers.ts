// The gate for numbers that strangers send: model services, the payment service. Behind it they can become dates, prices, rows
// and members of contracts; what does not pass is no number.

const DAY_MS = 24 * 3_600_000;
const YEAR_MS = 366 * DAY_MS;

/** The last instant that ISO 8601 writes with a year of four digits, in ms. */
export const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** No model reads or writes more tokens in one answer. */
export const MAX_TOKENS = 100_000_000;

/** The longest wait that is passed on: the daily limits of model services are free again by then. */
export const MAX_WAIT_MS = DAY_MS;

/**
 * A count of things, 0 included. Some services send it as a string, or with decimals, which are cut off. Undefined for what is
 * no count, or above `most`.
 */
export function countOf(value: unknown, most = MAX_TOKENS): number | undefined {
  const given = typeof value === 'string' && /^\s*\d{1,16}(\.\d{1,16})?\s*$/.test(value) ? Number(value) : value;
  if (typeof given !== 'number' || !(given >= 0 && given <= most)) return undefined;
  // A zero below zero is one to JavaScript alone.
  return Math.floor(given) + 0;
}

/** The instant so many seconds after 1970, in ms; undefined where a contract has no date for it. */
export function instantOf(seconds: unknown): number | undefined {
  if (typeof seconds !== 'number' || !(seconds >= 0 && seconds * 1000 <= LAST_INSTANT)) return undefined;
  return Math.floor(seconds * 1000);
}

/**
 * How long to wait, in ms, from so many ms that somebody asked for: at most `MAX_WAIT_MS`. Where it can't be a wait but is an
 * instant around `nowMs`, in seconds or ms since 1970, it is the time until then. Undefined for what is neither.
 */
export function waitOf(ms: number, nowMs: number): number | undefined {
  if (!(ms >= 0)) return undefined;
  if (ms <= YEAR_MS) return Math.ceil(Math.min(ms, MAX_WAIT_MS));
  // What was meant in seconds has been multiplied by a thousand; ms may have been taken for seconds.
  const until = [ms, ms / 1000].map((at) => at - nowMs).find((wait) => Math.abs(wait) <= YEAR_MS);
  return until === undefined ? undefined : Math.ceil(Math.min(Math.max(0, until), MAX_WAIT_MS));
}
