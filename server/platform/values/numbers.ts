// Checks numbers from upstreams and the payment service, so that they are safe as dates, prices, rows and members of
// contracts. Anything else becomes undefined.

const DAY_MS = 24 * 3_600_000;
const YEAR_MS = 366 * DAY_MS;

/** The last instant that ISO 8601 writes with a four-digit year, in ms. */
export const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** No model reads or writes more tokens in one answer. */
export const MAX_TOKENS = 100_000_000;

/** The longest wait that is passed on. The daily limits of upstreams are reset within this time. */
export const MAX_WAIT_MS = DAY_MS;

/**
 * A count, 0 included. Some services send it as a string, or with decimals, which are cut off. Undefined for anything
 * else, and for a count above `most`.
 */
export function countOf(value: unknown, most = MAX_TOKENS): number | undefined {
  const given = typeof value === 'string' && /^\s*\d{1,16}(\.\d{1,16})?\s*$/.test(value) ? Number(value) : value;
  if (typeof given !== 'number' || !(given >= 0 && given <= most)) return undefined;
  // `+ 0` turns -0 into 0.
  return Math.floor(given) + 0;
}

/** The instant `seconds` after 1970, in ms. Undefined if a contract can't represent its date. */
export function instantOf(seconds: unknown): number | undefined {
  if (typeof seconds !== 'number' || !(seconds >= 0 && seconds * 1000 <= LAST_INSTANT)) return undefined;
  return Math.floor(seconds * 1000);
}

/**
 * How long to wait, in ms, for a wait that a service stated as `ms`: at most `MAX_WAIT_MS`. If `ms` is no plausible
 * wait but an instant near `nowMs`, in seconds or ms since 1970, returns the time until that instant. Undefined for
 * anything else.
 */
export function waitOf(ms: number, nowMs: number): number | undefined {
  if (!(ms >= 0)) return undefined;
  if (ms <= YEAR_MS) return Math.ceil(Math.min(ms, MAX_WAIT_MS));
  // A timestamp in seconds was multiplied by a thousand; one in ms may have been read as seconds and multiplied, too.
  const until = [ms, ms / 1000].map((at) => at - nowMs).find((wait) => Math.abs(wait) <= YEAR_MS);
  return until === undefined ? undefined : Math.ceil(Math.min(Math.max(0, until), MAX_WAIT_MS));
}
