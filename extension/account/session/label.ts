import type { Account } from '../../../shared/account.ts';

/** What somebody calls an account: its address, else its name. */
export function accountLabel({ kind, email, name, providers }: Account): string {
  if (kind === 'guest') return 'guest';
  return email ?? name ?? (providers?.includes('local') ? 'local user' : 'your account');
}

/** What stands between an account and the next answer, each in a sentence. */
export function standingLines({ suspended, closing, termsDue }: Account): string[] {
  return [
    suspended && 'This account is suspended: nothing is answered, reading and exporting go on.',
    closing && 'This account is closing: it can still be kept, on its page.',
    termsDue !== undefined && 'The terms have changed: nothing is answered before they are accepted.',
  ].filter((line) => typeof line === 'string');
}
