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
  if (why) throw suspended(why, page === undefined && accountPage !== null ? HOW_TO_APPEAL : howToAppeal(accountPage));
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

function suspended({ why, until }: NonNullable<AppEnv['Variables']['suspended']>, appeal: string): AppError {
  const end = until === null ? null : iso(until);
  const detail = [
    suspensionInWords({ why, until }),
    'Nothing was started; your data can be read and exported.',
    appeal,
  ].join(' ');
  return new AppError('suspended', detail.trim(), { until: end });
}

const HOW_TO_APPEAL = 'Read the decision, and how to appeal, on your account page.';

/** Where the decision about an account stands. A guest has no page. */
export const howToAppeal = (accountPage: string | null): string =>
  accountPage === null ? '' : `Read the decision, and how to appeal: ${accountPage}#decisions`;

/** That an account is suspended, until when, and why. Many clients show the text alone. */
export const suspensionInWords = ({ why, until }: NonNullable<AppEnv['Variables']['suspended']>): string =>
  `This account is suspended until ${until === null ? 'further notice' : iso(until)}. ${sentence(why) || 'No reason was given.'}`;

/** Ends a text that a person wrote with a full stop. */
const sentence = (text: string) => (/[.!?…]$/.test(text) || text === '' ? text : `${text}.`);
