import type { Account } from '../../../shared/account.ts';

/** What somebody calls an account: its address, else its name. */
export function accountLabel({ kind, email, name, providers }: Account): string {
  if (kind === 'guest') return 'guest';
  return email ?? name ?? (providers?.includes('local') ? 'local user' : 'your account');
}

/** What stands between an account and the next answer, each in a sentence. */
export function standingLines({ suspended, closing, termsDue }: Account): string[] {
  return [
    suspended && 'This account is suspended: you get no answers, but you can still read and export.',
    closing && 'This account is closing. You can still keep it on the account page.',
    termsDue !== undefined && 'The terms have changed: accept them to get answers again.',
  ].filter((line) => typeof line === 'string');
}
