import type { Balance } from '../../../shared/account.ts';
import { LOW_SHARE } from '../../../shared/constants.ts';
import { creditsLeft, creditsSpent } from '../../../shared/money/amounts.ts';
import type { Spending } from '../../../shared/runs.ts';

export { formatNumber, formatSpentWithUnit, guestMessages, type Meter, meter } from '../../../shared/money/meter.ts';

/** The key of the accounts that were warned of low credit. */
export const LOW_TOLD = 'low credits told';

/** More free messages than this never count as low. */
export const FEW_MESSAGES = 3;

/** A cheap guess whether a warning may be due, so that the code for it is loaded only then. */
export function mayBeLow(balance: Balance): boolean {
  if (balance.unlimited) return false;
  if (balance.guestMessagesLeft !== undefined) return balance.guestMessagesLeft <= FEW_MESSAGES;
  const isUsed = balance.windows.some(({ usedMicro, limitMicro }) => usedMicro >= limitMicro / 2);
  return isUsed || balance.availableMicro + balance.pendingMicro < balance.ofMicro * LOW_SHARE;
}

/** "14:20 (UTC+2)" today, "Thu 27 Nov, 09:00 (UTC+1)" on other days, in the given zone (default: the machine's). */
export function formatInstant(iso: string, now: Date, timeZone?: string): string {
  const at = new Date(iso);
  const day = (date: Date) => date.toLocaleDateString('en-CA', { timeZone });
  const parts = new Map(
    new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'short',
      day: 'numeric',
      month: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
      timeZoneName: 'shortOffset',
    })
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const zone = (parts.get('timeZoneName') ?? '').replace('GMT', 'UTC').replace(/\+0$/, '');
  const time = `${parts.get('hour')}:${parts.get('minute')} (${zone})`;
  if (day(at) === day(now)) return time;
  return `${parts.get('weekday')} ${parts.get('day')} ${parts.get('month')}, ${time}`;
}

type Window = Balance['windows'][number];

/** "19 free up at 14:20 (UTC+2), all of it on Thu 27 Nov, 09:00 (UTC+1)"; "all of it is free" for an unused window. */
export function formatWindowFrees(window: Window, now: Date, timeZone?: string): string {
  if (!window.nextFreeAt || window.usedMicro === 0) return 'all of it is free';
  const isPast = Date.parse(window.nextFreeAt) <= now.getTime();
  const when = isPast ? 'now' : `at ${formatInstant(window.nextFreeAt, now, timeZone)}`;
  // Until the new balance is there, a past instant must not be shown as a future one.
  if (window.allFreeAt && Date.parse(window.allFreeAt) <= now.getTime()) return 'all of it frees up now';
  const next = `${creditsSpent(window.nextFreeMicro)} free up ${when}`;
  if (!window.allFreeAt || window.allFreeAt === window.nextFreeAt) return next;
  return `${next}, all of it at ${formatInstant(window.allFreeAt, now, timeZone)}`;
}

/** The share of a window that is left, 0 to 1. */
export function windowShareLeft({ usedMicro, limitMicro }: Window): number {
  return limitMicro > 0 ? Math.max(0, limitMicro - usedMicro) / limitMicro : 0;
}

/** "19 of 50 left", as on the account's page. */
export function formatWindowLeft({ usedMicro, limitMicro }: Window): string {
  return `${creditsLeft(Math.max(0, limitMicro - usedMicro))} of ${creditsLeft(limitMicro)} left`;
}

/** "31 of 50 used". */
export function formatWindowUsed(window: Window): string {
  return `${creditsSpent(window.usedMicro)} of ${creditsLeft(window.limitMicro)} used`;
}

/** "31 of 50 used, 19 free up at 14:20 (UTC+2)"; "all of it is free". */
export function formatWindowUse(window: Window, now: Date, timeZone?: string): string {
  const frees = formatWindowFrees(window, now, timeZone);
  return window.usedMicro > 0 ? `${formatWindowUsed(window)}, ${frees}` : frees;
}

/** The start of the local day as an instant (ISO 8601, UTC). */
export function startOfDay(now: Date): string {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate()).toISOString();
}

/** What was spent on the local day that began at `from`. */
export interface DaySpending {
  from: string;
  spending: Spending;
}

/** The spending on the day of `now`; undefined if it is unknown. Yesterday's spending is not today's. */
export const spentOn = (told: DaySpending | undefined, now: Date): Spending | undefined =>
  told?.from === startOfDay(now) ? told.spending : undefined;
