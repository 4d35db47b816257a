import type { Account, Balance } from '../../shared/account.ts';
import { creditsLeft, creditsSpent } from '../../shared/amounts.ts';
import { LOW_SHARE, MICRO_PER_CREDIT } from '../../shared/constants.ts';

/** Where the accounts are remembered that were warned of little credit. */
export const LOW_TOLD = 'low credits told';

/** More free messages than these are never few. */
export const FEW_MESSAGES = 3;

/** Whether a look is worth it at all if a warning is due: a cheap guess, so that the warning is loaded when it may be. */
export function mayBeLow(balance: Balance): boolean {
  if (balance.unlimited) return false;
  if (balance.guestMessagesLeft !== undefined) return balance.guestMessagesLeft <= FEW_MESSAGES;
  const isUsed = balance.windows.some(({ usedMicro, limitMicro }) => usedMicro >= limitMicro / 2);
  return isUsed || balance.availableMicro + balance.pendingMicro < balance.ofMicro * LOW_SHARE;
}

/** "1,204.5". By hand: loading the editor's formatter of numbers takes longer than all else that happens at its start. */
export function formatNumber(value: number): string {
  const [whole = '', decimals = ''] = Math.abs(value).toFixed(2).split('.');
  const part = decimals.replace(/0+$/, '');
  return `${value < 0 ? '-' : ''}${whole.replace(/\B(?=(\d{3})+$)/g, ',')}${part && `.${part}`}`;
}

/** "1 credit", "0.42 credits", "1 message": guests pay by the message, at 1 credit each. */
export function formatSpentWithUnit(micro: number, isGuest: boolean): string {
  const amount = creditsSpent(micro);
  return `${amount} ${isGuest ? 'message' : 'credit'}${amount === '1' ? '' : 's'}`;
}

export interface Meter {
  /** "87 of 100 credits", "7 of 10 messages", "0 credits". */
  text: string;
  severity: 'normal' | 'low' | 'empty';
  /** Nothing is limited here: `text` says what was spent today, or just that, and nothing is "left". */
  unlimited?: true;
  /** What is left of the whole, 0 to 1. */
  share: number;
}

/**
 * The meter for a balance. Members see what is theirs, holds of running answers included: a hold is the worst case, most
 * of which returns, and a number that jumps down and up tells nothing. For guests a message is spent once it is sent. Where
 * nothing is limited, the meter shows what was spent today, if that is known.
 */
export function meter(balance: Balance, kind: Account['kind'], spentTodayMicro?: number): Meter {
  if (balance.unlimited) {
    const text = spentTodayMicro === undefined ? 'unlimited' : `${formatSpentWithUnit(spentTodayMicro, false)} today`;
    return { text, severity: 'normal', share: 0, unlimited: true };
  }
  const isGuest = kind === 'guest' && balance.guestMessagesLeft !== undefined;
  const leftMicro = isGuest ? balance.availableMicro : balance.availableMicro + balance.pendingMicro;
  const unit = isGuest ? 'messages' : 'credits';
  const left = isGuest ? formatNumber(balance.guestMessagesLeft ?? 0) : creditsLeft(leftMicro);
  const isEmpty = isGuest ? balance.guestMessagesLeft === 0 : left === '0';
  if (isEmpty) return { text: `0 ${unit}`, severity: 'empty', share: 0 };
  if (balance.ofMicro <= 0) return { text: `${left} ${unit}`, severity: 'normal', share: 1 };
  const share = Math.min(1, leftMicro / balance.ofMicro);
  const of = isGuest ? formatNumber(guestMessages(balance).of) : creditsLeft(balance.ofMicro);
  return { text: `${left} of ${of} ${unit}`, severity: share < LOW_SHARE ? 'low' : 'normal', share };
}

/** A guest's free messages. */
export function guestMessages(balance: Balance): { left: number; of: number } {
  const left = balance.guestMessagesLeft ?? 0;
  return { left, of: Math.max(left, Math.round(balance.ofMicro / pricePerMessage(balance))) };
}

/** What one message costs a guest here, in micro-credits: an operator may have set another flat price than 1 credit. */
function pricePerMessage(balance: Balance): number {
  const left = balance.guestMessagesLeft ?? 0;
  if (left === 0) return MICRO_PER_CREDIT;
  // The server rounds down, so one more message would cost more than there is: the price lies in between.
  const atMost = balance.availableMicro / left;
  const above = balance.availableMicro / (left + 1);
  return MICRO_PER_CREDIT <= atMost && MICRO_PER_CREDIT > above ? MICRO_PER_CREDIT : atMost;
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
  const next = `${creditsSpent(window.nextFreeMicro)} free up at ${formatInstant(window.nextFreeAt, now, timeZone)}`;
  if (!window.allFreeAt || window.allFreeAt === window.nextFreeAt) return next;
  return `${next}, all of it at ${formatInstant(window.allFreeAt, now, timeZone)}`;
}

/** "31 of 50 used". */
export function formatWindowUsed(window: Window): string {
  return `${creditsSpent(window.usedMicro)} of ${creditsLeft(window.limitMicro)} used`;
}

/** The local day's beginning as an instant (ISO 8601, UTC). */
export function startOfDay(now: Date): string {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate()).toISOString();
}
