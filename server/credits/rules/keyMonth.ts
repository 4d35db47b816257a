/** A calendar month in UTC, from its first instant up to, not including, the first of the next. In ms. */
export interface Month {
  from: number;
  to: number;
}

export function monthOf(at: number): Month {
  const date = new Date(at);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return { from: Date.UTC(year, month, 1), to: Date.UTC(year, month + 1, 1) };
}
