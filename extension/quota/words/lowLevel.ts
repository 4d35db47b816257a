import type { Account, Balance } from '../../../shared/account.ts';
import { FEW_MESSAGES, formatWindowFrees, guestMessages, meter } from './format.ts';

const LOW_SHARE = 0.1;
const LOW_WINDOW = 0.9;
const LOW_MESSAGES = 0.2;
// Above these, the balance has recovered. The gap to "low" exists because a window's share fluctuates as it frees up,
// and must not warn each time.
const RISEN_SHARE = 0.2;
const RISEN_WINDOW = 0.8;

/** How much is left: `between` is not low, but not recovered either. */
export type Level = 'fine' | 'between' | 'low';

/**
 * Low: less than 10 % of the total ("of 100"), or a window used by 90 % without credits beyond the plan. Fine: at least
 * 20 %, and each window below 80 %. Holds of running answers count as left, because most of a hold returns. An
 * unlimited balance is always fine.
 */
export function levelOf(balance: Balance, kind: Account['kind']): Level {
  if (balance.unlimited) return 'fine';
  if (kind === 'guest') return messagesLevel(balance);
  const left = balance.availableMicro + balance.pendingMicro;
  const share = balance.ofMicro > 0 ? left / balance.ofMicro : 1;
  const beyondMicro = balance.promotionalMicro + balance.purchasedMicro;
  const windows = beyondMicro > 0 ? [] : balance.windows.filter(({ limitMicro }) => limitMicro > 0);
  const used = Math.max(0, ...windows.map(({ usedMicro, limitMicro }) => usedMicro / limitMicro));
  if (share < LOW_SHARE || used >= LOW_WINDOW) return 'low';
  return share >= RISEN_SHARE && used < RISEN_WINDOW ? 'fine' : 'between';
}

/**
 * A guest's messages are low at a fifth of the total, but at no less than one and no more than three, so that there is
 * time to sign in. They are fine at twice as many, because a failed answer gives its message back. A full count is
 * never low.
 */
function messagesLevel(balance: Balance): Level {
  const { left, of } = guestMessages(balance);
  const low = Math.min(FEW_MESSAGES, Math.max(1, Math.floor(of * LOW_MESSAGES)));
  if (left <= low && left < of) return 'low';
  return left >= Math.min(of, 2 * low) ? 'fine' : 'between';
}

/** Whether to warn now, and what to remember: it warns once for each fall to low. */
export function decide(wasTold: boolean, level: Level): { warns: boolean; isTold: boolean } {
  return { warns: level === 'low' && !wasTold, isTold: level === 'low' || (level === 'between' && wasTold) };
}

/** "Perigee: 4.2 of 50 credits left. 5 hours: 19 free up at 14:20 (UTC+2).", "Perigee: 2 of 10 free messages left." */
export function lowWords(account: Account, balance: Balance, now: Date): string {
  if (account.kind === 'guest') {
    const { left, of } = guestMessages(balance);
    return left > 0 ? `Perigee: ${left} of ${of} free messages left.` : 'Perigee: the free messages are used up.';
  }
  const { text } = meter(balance, account.kind);
  const full = balance.windows
    .filter(({ nextFreeAt }) => nextFreeAt !== null)
    .toSorted((a, b) => b.usedMicro / b.limitMicro - a.usedMicro / a.limitMicro)[0];
  return `Perigee: ${text} left.${full ? ` ${full.name}: ${formatWindowFrees(full, now)}.` : ''}`;
}
