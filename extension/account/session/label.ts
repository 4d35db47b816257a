import type { Account } from '../../../shared/account.ts';

/** The name to show for an account: its email address, else its name. */
export function accountLabel({ kind, email, name, providers }: Account): string {
  if (kind === 'guest') return 'guest';
  return email ?? name ?? (providers?.includes('local') ? 'local user' : 'your account');
}

/** The states of an account that its owner must know about, each in a sentence. */
export function standingLines({ suspended, closing, termsDue }: Account): string[] {
  return [
    suspended && 'This account is suspended: you get no answers, but you can still read, export and appeal.',
    closing && 'This account is closing. You can still keep it on the account page.',
    termsDue !== undefined && 'The terms have changed: accept them to get answers again.',
  ].filter((line) => typeof line === 'string');
}
