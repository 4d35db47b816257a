import type { Memento } from 'vscode';
import type { Account, Balance } from '../../shared/account.ts';

/** Warned below this share of the whole, and once a plan's window has no more than this left. */
const SHARE = 0.1;

/** `warn` once when it gets low, `rearm` once when it is not any more, nothing in between. */
export type Verdict = 'warn' | 'rearm' | 'nothing';

/**
 * What to do about a balance, for an account that has been warned (`isWarned`) since it was last in plenty. A running
 * answer's hold is the worst case, most of which returns: as long as there is one, nothing is decided.
 */
export function judge(balance: Balance, kind: Account['kind'], isWarned: boolean): Verdict {
  if (balance.unlimited || balance.pendingMicro > 0) return 'nothing';
  const isLow = kind === 'guest' ? isGuestLow(balance) : isMemberLow(balance);
  return isLow === isWarned ? 'nothing' : isLow ? 'warn' : 'rearm';
}

/** A guest's last message is worth a word, a tenth of few messages would be none at all. */
function isGuestLow({ guestMessagesLeft, availableMicro, ofMicro }: Balance): boolean {
  return (guestMessagesLeft !== undefined && guestMessagesLeft <= 1) || availableMicro < ofMicro * SHARE;
}

function isMemberLow({ availableMicro, ofMicro, promotionalMicro, purchasedMicro, windows }: Balance): boolean {
  if (availableMicro < ofMicro * SHARE) return true;
  // The window's own rest is nearly gone, and what pays after it would not fill a tenth of it.
  const beyondMicro = promotionalMicro + purchasedMicro;
  return windows.some(
    ({ usedMicro, limitMicro }) => usedMicro >= limitMicro * (1 - SHARE) && beyondMicro < limitMicro * SHARE,
  );
}

/** Warns each account once for each time that it gets low, on this machine and over restarts. */
export class CreditWarning {
  constructor(
    private readonly memory: Memento,
    private readonly show: (account: Account, balance: Balance) => void,
  ) {}

  look(account: Account, balance: Balance): void {
    const key = `low credit ${account.id}`;
    const verdict = judge(balance, account.kind, this.memory.get(key, false));
    if (verdict === 'nothing') return;
    // Kept before it is shown: the next balance may come while the warning is still there.
    void this.memory.update(key, verdict === 'warn' || undefined);
    if (verdict === 'warn') this.show(account, balance);
  }
}
