import { MICRO_PER_CREDIT } from '../../../shared/constants.ts';

/** "1,204.5": what is left is rounded down, never to more than there is. */
export function credits(micro: number): string {
  const value = Math.floor(micro / (MICRO_PER_CREDIT / 100)) / 100;
  return value.toLocaleString('en', { maximumFractionDigits: 2 });
}

/** All of an amount, for whoever adds up: "−0.787412 credits". */
export const exactly = (micro: number) =>
  `${(micro / MICRO_PER_CREDIT).toLocaleString('en', { maximumFractionDigits: 6 }).replace('-', '−')} credits`;

/** What was spent or given, with its sign; something small is not called nothing. */
export function signedCredits(micro: number): string {
  if (micro === 0) return '0';
  const sign = micro < 0 ? '−' : '+';
  const size = Math.abs(micro);
  if (size < MICRO_PER_CREDIT / 200) return `${sign}< 0.01`;
  return sign + (size / MICRO_PER_CREDIT).toLocaleString('en', { maximumFractionDigits: 2 });
}

/** "0.42 credits", "not charged". */
export function spent(micro: number): string {
  if (micro === 0) return 'not charged';
  const amount = signedCredits(micro).slice(1);
  return `${amount} ${amount === '1' ? 'credit' : 'credits'}`;
}

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

/** "Thu 26 Nov, 14:20 CET": for what is awaited within days, where the zone must not be guessed. */
export function zoned(iso: string): string {
  const parts = { weekday: 'short', day: 'numeric', month: 'short' } as const;
  const time = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZoneName: 'short' } as const;
  return new Date(iso).toLocaleString('en-GB', { ...parts, ...time });
}

/** "26 Nov 2026". */
export const dayOf = (iso: string) =>
  new Date(iso).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

/** A day as the usage names it, 2027-01-31, as "31 Jan". */
export const dayLabel = (day: string) =>
  new Date(`${day}T00:00:00Z`).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

export const count = (n: number) => n.toLocaleString('en');

/** "1 run", "2 runs". */
export const counted = (n: number, one: string, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** "$12.00", of the smallest unit of the currency. */
export function money(cents: number, currency: string): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  return format.format(cents / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/** Instants in a sentence of the server's, as the reader's own clock has them. */
export const withInstants = (text: string) => text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, instant);
