import { MICRO_PER_CREDIT } from '../../../shared/constants.ts';

/** "1,204.5": what is left is rounded down, never to more than there is. */
export function credits(micro: number): string {
  const value = Math.floor(micro / (MICRO_PER_CREDIT / 100)) / 100;
  return value.toLocaleString('en', { maximumFractionDigits: 2 });
}

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

/** Instants in a sentence of the server's, as the reader's own clock has them. */
export const withInstants = (text: string) => text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, instant);
