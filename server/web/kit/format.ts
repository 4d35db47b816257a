import { creditsSpent, withUnit } from '../../../shared/money/amounts.ts';

/** "0.42 credits", "not charged". */
export const spent = (micro: number) => (micro === 0 ? 'not charged' : withUnit(creditsSpent(micro)));

const DAY_MS = 24 * 3_600_000;

/** "3 minutes ago" within a day, "25 Nov 2026, 21:04" after, in the reader's own zone. */
export function when(iso: string, now = Date.now()): string {
  const ms = now - Date.parse(iso);
  if (ms > DAY_MS || ms < -60_000) return instant(iso);
  if (ms < 60_000) return 'just now';
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return minutes === 1 ? 'a minute ago' : `${minutes} minutes ago`;
  const hours = Math.floor(minutes / 60);
  return hours === 1 ? 'an hour ago' : `${hours} hours ago`;
}

export function instant(iso: string): string {
  const parts = { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' } as const;
  return new Date(iso).toLocaleString('en-GB', { ...parts, hourCycle: 'h23' });
}

/** "Thu 26 Nov, 14:20 CET": for events in the next days, where the time zone must be clear. */
export function zoned(iso: string): string {
  const parts = { weekday: 'short', day: 'numeric', month: 'short' } as const;
  const time = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZoneName: 'short' } as const;
  return new Date(iso).toLocaleString('en-GB', { ...parts, ...time });
}

/** "26 Nov 2026". */
export const dayOf = (iso: string) =>
  new Date(iso).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

/** "21:04", in the reader's own zone. */
export const timeOf = (iso: string) =>
  new Date(iso).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

/** A day in the usage's format, 2027-01-31, as "31 Jan". */
export const dayLabel = (day: string) =>
  new Date(`${day}T00:00:00Z`).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

export const count = (n: number) => n.toLocaleString('en');

/** "1 run", "2 runs". */
export const counted = (n: number, one: string, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** Converts instants in a server's sentence to the reader's local time. */
export const withInstants = (text: string) => text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, instant);
