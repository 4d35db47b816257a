/** The hours of a week, UTC, from Monday on. */
export const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const;

const two = (n: number) => String(n).padStart(2, '0');
export const hourOf = (i: number) => `${DAYS[Math.floor(i / 24) % 7]} ${two(i % 24)}:00`;

/** The longest stretch of hours without a turn, around the end of the week too; undefined if there is none. */
export function quietOf(week: readonly number[]): { from: number; hours: number } | undefined {
  let best: { from: number; hours: number } | undefined;
  let run = 0;
  // Twice around: a stretch may begin on Sunday and end on Monday.
  for (let i = 0; i < 2 * week.length; i++) {
    run = week[i % week.length] === 0 ? Math.min(run + 1, week.length) : 0;
    if (run > (best?.hours ?? 0)) best = { from: (i - run + 1) % week.length, hours: run };
  }
  return best;
}

/** The week in words, for who does not see the picture. */
export function weekInWords(week: readonly number[]): string {
  const all = week.reduce((sum, n) => sum + n, 0);
  if (all === 0) return 'No turn of a person was counted.';
  const most = week.indexOf(Math.max(...week));
  const quiet = quietOf(week);
  return [
    `${all} turns of a person; the most, ${week[most]}, on ${hourOf(most)}`,
    quiet ? `; the longest time without any: ${quiet.hours} hours from ${hourOf(quiet.from)}` : '; no hour without any',
    '. All hours are UTC.',
  ].join('');
}
