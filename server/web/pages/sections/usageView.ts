import type { UsageBy } from '../../../../shared/credits.ts';

/** What the usage shows. */
export interface View {
  by: UsageBy;
  /** So many days up to today, as "30", or a month of the reader's time zone, as "2027-01". */
  time: string;
}

const USUAL: View = { by: 'day', time: '30' };

export const GROUPS: readonly (readonly [UsageBy, string])[] = [
  ['day', 'Day'],
  ['model', 'Model'],
  ['tool', 'Tool'],
  ['key', 'API key'],
];

/** Parses the view in the page's address, `#usage?by=key&time=2027-01`. Invalid values and coming months are ignored. */
export function viewOf(hash: string, now: Date): View {
  const query = new URLSearchParams(hash.split('?')[1] ?? '');
  const [by, time] = [query.get('by') ?? '', query.get('time') ?? ''];
  return {
    by: GROUPS.find(([one]) => one === by)?.[0] ?? USUAL.by,
    time: /^(7|30|90)$/.test(time) || (isMonth(time) && time <= monthsUntil(now)[0]!) ? time : USUAL.time,
  };
}

export const isMonth = (time: string) => /^20\d\d-(0[1-9]|1[0-2])$/.test(time);

/** The address of a view, so that it can be bookmarked and reloaded. */
export function addressOf({ by, time }: View): string {
  const query = new URLSearchParams({
    ...(by !== USUAL.by && { by }),
    ...(time !== USUAL.time && { time }),
  }).toString();
  return `#usage${query && `?${query}`}`;
}

/** The view as the API takes it. Days and months begin at midnight of the reader's time zone. */
export function queryOf({ by, time }: View, now: Date): URLSearchParams {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
  const query = new URLSearchParams({ by, zone });
  if (!isMonth(time)) {
    query.set('from', new Date(now.getFullYear(), now.getMonth(), now.getDate() - Number(time) + 1).toISOString());
    return query;
  }
  const [year, month] = time.split('-').map(Number) as [number, number];
  query.set('from', new Date(year, month - 1).toISOString());
  const end = new Date(year, month);
  // Without an end, the period ends now: the days to come are not shown.
  if (end <= now) query.set('to', end.toISOString());
  return query;
}

const MONTHS = 12;

/** The month of `now` and those before it, the newest first. */
export function monthsUntil(now: Date): string[] {
  return Array.from({ length: MONTHS }, (_, n) => {
    const first = new Date(now.getFullYear(), now.getMonth() - n);
    return `${first.getFullYear()}-${String(first.getMonth() + 1).padStart(2, '0')}`;
  });
}

/** "2027-01" as "January 2027". */
export const monthTitle = (month: string) =>
  new Date(`${month}-01T00:00:00Z`).toLocaleDateString('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' });
