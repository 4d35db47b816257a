/** A calendar month or day in UTC, from its first instant up to, not including, the first of the next. In ms. */
export interface Period {
  from: number;
  to: number;
}

const DAY_MS = 24 * 3_600_000;

export function dayOf(at: number): Period {
  const from = Math.floor(at / DAY_MS) * DAY_MS;
  return { from, to: from + DAY_MS };
}

export function monthOf(at: number): Period {
  const date = new Date(at);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return { from: Date.UTC(year, month, 1), to: Date.UTC(year, month + 1, 1) };
}
