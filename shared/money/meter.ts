import type { Account, Balance } from '../account.ts';
import { LOW_SHARE, MICRO_PER_CREDIT } from '../constants.ts';
import { creditsLeft, creditsSpent } from './amounts.ts';

// What is left of a balance as text: the status bar, the chat and the member's page show the same number.

/** "1,204.5". By hand, because loading the editor's number formatter takes longer than everything else at its start. */
export function formatNumber(value: number): string {
  const [whole = '', decimals = ''] = Math.abs(value).toFixed(2).split('.');
  const part = decimals.replace(/0+$/, '');
  return `${value < 0 ? '-' : ''}${whole.replace(/\B(?=(?:\d{3}){1,7}$)/g, ',')}${part && `.${part}`}`;
}

/** "1 credit", "0.42 credits", "1 message": guests pay per message, 1 credit each. */
export function formatSpentWithUnit(micro: number, isGuest: boolean): string {
  const amount = creditsSpent(micro);
  return `${amount} ${isGuest ? 'message' : 'credit'}${amount === '1' ? '' : 's'}`;
}

export interface Meter {
  /** "87 of 100 credits", "7 of 10 messages", "0 credits". */
  text: string;
  severity: 'normal' | 'low' | 'empty';
  /** The account has no limit: `text` says what was spent today, or only that there is no limit. */
  unlimited?: true;
  /** The remaining share of the whole, 0 to 1. */
  share: number;
}

/**
 * The meter for a balance. For members it includes the holds of running answers: a hold is the worst case, most of
 * which returns, and a number that jumps down and up is useless. For guests a message is spent once it is sent. For an
 * unlimited account it shows what was spent today, if known.
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
  // After refunds there can be more than right after the newest grant.
  const ofMicro = Math.max(balance.ofMicro, leftMicro);
  const share = leftMicro / ofMicro;
  const of = isGuest ? formatNumber(guestMessages(balance).of) : creditsLeft(ofMicro);
  return { text: `${left} of ${of} ${unit}`, severity: share < LOW_SHARE ? 'low' : 'normal', share };
}

/** A guest's free messages. */
export function guestMessages(balance: Balance): { left: number; of: number } {
  const left = balance.guestMessagesLeft ?? 0;
  return { left, of: Math.max(left, Math.round(balance.ofMicro / pricePerMessage(balance))) };
}

/** A guest's price per message, in micro-credits. The operator may have set another flat price than 1 credit. */
function pricePerMessage(balance: Balance): number {
  const left = balance.guestMessagesLeft ?? 0;
  if (left === 0) return MICRO_PER_CREDIT;
  // The server rounds the number of messages down, and one more would exceed the balance. This bounds the price.
  const atMost = balance.availableMicro / left;
  const above = balance.availableMicro / (left + 1);
  return MICRO_PER_CREDIT <= atMost && MICRO_PER_CREDIT > above ? MICRO_PER_CREDIT : atMost;
}
