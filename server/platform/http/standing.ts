import { iso } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { AppEnv } from './env.ts';

/**
 * Refuses accounts that may only read and export: they can start no answer and no purchase. `page`: the address of the
 * account page, for those who can't open it by a click. A suspension always says where to appeal.
 */
export function requireStanding(
  {
    suspended: why,
    goneAt,
    termsDue,
    accountPage,
  }: Pick<AppEnv['Variables'], 'suspended' | 'goneAt' | 'termsDue' | 'accountPage'>,
  page?: string,
): void {
  const there = page === undefined ? 'on your account page.' : `on your account page: ${page}`;
  if (why) throw suspended(why, accountPage);
  if (goneAt !== null)
    throw new AppError(
      'account_closing',
      `You have closed this account, and it will be deleted on ${iso(goneAt)}. Nothing was started. To go on, keep the account ${there}`,
    );
  if (termsDue !== null)
    throw new AppError(
      'terms_changed',
      `The terms of use have changed. Nothing was started. To go on, read and accept them ${there}`,
    );
}

function suspended(
  { why, until }: NonNullable<AppEnv['Variables']['suspended']>,
  accountPage: AppEnv['Variables']['accountPage'],
): AppError {
  const end = until === null ? null : iso(until);
  const detail = [
    suspensionInWords({ why, until }),
    'Nothing was started; your data can be read and exported.',
    howToAppeal(accountPage),
  ].join(' ');
  return new AppError('suspended', detail.trim(), { until: end });
}

/** Where the decision about an account stands. A guest has no page. */
export const howToAppeal = (accountPage: string | null): string =>
  accountPage === null ? '' : `Read the decision, and how to appeal: ${accountPage}#decisions`;

/** Ends a text that a person wrote with a full stop. */
/** That an account is suspended, until when, and why. Many clients show the text alone. */
export const suspensionInWords = ({ why, until }: NonNullable<AppEnv['Variables']['suspended']>): string =>
  `This account is suspended until ${until === null ? 'further notice' : iso(until)}. ${sentence(why) || 'No reason was given.'}`;

const sentence = (text: string) => (/[.!?…]$/.test(text) || text === '' ? text : `${text}.`);
