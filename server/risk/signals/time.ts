// Times in a sketch are seconds since 1970: four bytes until 2106.

export const SECOND = 1_000;
export const MINUTE_S = 60;
export const HOUR_S = 3_600;
export const DAY_S = 86_400;

/** Counters halve in this time (RISK: half-life 7 days). */
const HALF_LIFE_S = 7 * DAY_S;

export const seconds = (ms: number) => Math.max(0, Math.floor(ms / SECOND));

/** What is left of a counter after `s` seconds. */
export const leftAfter = (s: number) => 2 ** (-Math.max(0, s) / HALF_LIFE_S);

/** The last 16 days on which something was seen; bit 0 is the day of `day`. Days are those of UTC. */
export interface Days {
  day: number;
  bits: number;
}

export const dayOf = (atS: number) => Math.floor(atS / DAY_S);

/** Marks a day. One that is older than 16 days is forgotten. */
export function markDay(days: Days, atS: number): void {
  const ahead = dayOf(atS) - days.day;
  if (ahead > 0) {
    days.bits = ahead > 15 ? 1 : ((days.bits << ahead) & 0xffff) | 1;
    days.day = dayOf(atS);
  } else if (ahead > -16) days.bits |= 1 << -ahead;
}

/** How many of the last 16 days are marked. */
export function countDays(days: Days): number {
  let count = 0;
  for (let bits = days.bits; bits !== 0; bits &= bits - 1) count++;
  return count;
}

/** Both sets of days. */
export function joinDays(a: Days, b: Days): Days {
  const [newer, older] = a.day >= b.day ? [a, b] : [b, a];
  const behind = newer.day - older.day;
  return { day: newer.day, bits: newer.bits | (behind > 15 ? 0 : (older.bits << behind) & 0xffff) };
}
