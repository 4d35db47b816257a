import { HOUR_S } from './time.ts';

// Signal 3: one person sleeps. The last 168 hours, and in which of them a person wrote. A shift worker sleeps at other
// hours and a traveller in other time zones, so each day is looked at by itself; several people in several time zones
// leave no quiet hours on any day.

export const HOURS = 168;
const DAY = 24;
/** 1970 began on a Thursday. */
const MONDAY_TO_1970 = 3 * DAY;
/** Turns that make a day worth looking at, and such days that make a judgement (RISK, signal 3: at least 5 days). */
const TURNS_OF_A_DAY = 8;
/** Hours of a day that must have been observed. */
const OBSERVED_OF_A_DAY = 22;

export class Hours {
  /** A person's turns in each of the last 168 hours, at most 255; hour `h` stands at `h % 168`. */
  turns: Uint8Array = new Uint8Array(HOURS);
  /** The newest hour since 1970. */
  last = 0;

  add(atS: number): void {
    const hour = Math.floor(atS / HOUR_S);
    if (hour > this.last) {
      for (let h = Math.max(this.last + 1, hour - HOURS + 1); h <= hour; h++) this.turns[h % HOURS] = 0;
      this.last = hour;
    }
    if (hour > this.last - HOURS && this.turns[hour % HOURS]! < 255) this.turns[hour % HOURS]!++;
  }

  /** The turns of the last 168 hours until `nowS`, by the hour of the week, UTC, from Monday 00:00 on. */
  week(nowS: number): number[] {
    const week = Array<number>(HOURS).fill(0);
    const first = Math.max(Math.floor(nowS / HOUR_S), this.last) - HOURS + 1;
    for (let hour = first; hour <= this.last; hour++) week[(hour + MONDAY_TO_1970) % HOURS] = this.turns[hour % HOURS]!;
    return week;
  }

  /**
   * The middle of the longest quiet times, in hours, of the days that had enough turns, and how many days these are; null
   * if there is none. Days end with the last hour in which anything came, and one that was not observed for most of its
   * hours is none. A quiet time belongs to each day that it touches, so midnight cuts no night in two.
   */
  quietHours(firstS: number, lastS: number): { hours: number; days: number } | null {
    if (this.last === 0) return null;
    const now = Math.floor(lastS / HOUR_S);
    const first = Math.max(now, this.last) - HOURS + 1;
    // Before that, nobody looked.
    const begin = Math.max(0, Math.floor(firstS / HOUR_S) - first);
    const turnsAt = (i: number) => (first + i <= this.last ? this.turns[(first + i) % HOURS]! : 0);
    const quiet: number[] = [];
    for (let day = 0; day < HOURS / DAY; day++) {
      if (begin > day * DAY + (DAY - OBSERVED_OF_A_DAY)) continue;
      let turns = 0;
      for (let i = day * DAY; i < (day + 1) * DAY; i++) turns += turnsAt(i);
      if (turns < TURNS_OF_A_DAY) continue;
      let longest = 0;
      for (let i = Math.max(begin, day * DAY); i < (day + 1) * DAY; i++) {
        if (turnsAt(i) > 0) continue;
        let [from, to] = [i, i];
        while (from > begin && turnsAt(from - 1) === 0) from--;
        while (to < HOURS - 1 && turnsAt(to + 1) === 0) to++;
        longest = Math.max(longest, to - from + 1);
        i = to;
      }
      quiet.push(longest);
    }
    if (quiet.length === 0) return null;
    quiet.sort((a, b) => a - b);
    return { hours: quiet[Math.floor(quiet.length / 2)]!, days: quiet.length };
  }
}
