import type { Account, Balance } from '../../shared/account.ts';
import { readBalance } from '../credits/store.ts';
import { iso } from '../platform/clock.ts';
import type { Policy } from '../platform/config.ts';
import type { Reader } from '../platform/db/database.ts';
import { prepared } from '../platform/db/prepared.ts';
import type { AccountRow } from '../platform/db/schema.ts';
import { AppError } from '../platform/errors.ts';
import { providersOf } from './identities.ts';
import { suspensionOf } from './tokens.ts';

export function findAccount(db: Reader, id: string): Promise<AccountRow | undefined> {
  return selectAccount.first(db, { id });
}

const selectAccount = prepared((db, p: { id: string }) => db.selectFrom('account').selectAll().where('id', '=', p.id));

/** An account as its owner sees it. Throws `unauthorized` if it has gone. */
export async function describeAccount(db: Reader, id: string, now: number): Promise<Account> {
  const row = await findAccount(db, id);
  if (!row) throw new AppError('unauthorized', 'This account has ended.');
  const suspended = suspensionOf(row, now);
  return {
    id: row.id,
    kind: row.kind,
    createdAt: iso(row.created_at),
    ...(row.name === null ? {} : { name: row.name }),
    ...(row.email === null ? {} : { email: row.email }),
    ...(row.kind === 'guest'
      ? {}
      : { providers: await providersOf(db, id), tier: row.tier ?? 0, marketing: row.marketing === 1 }),
    ...(row.gone_at === null
      ? {}
      : { closing: { since: iso(row.closed_at ?? row.gone_at), goneAt: iso(row.gone_at) } }),
    ...(suspended
      ? {
          suspended: {
            ...suspended,
            since: iso(suspended.since),
            until: suspended.until === null ? null : iso(suspended.until),
          },
        }
      : {}),
  };
}

/** An account's balance at `now`; a guest's is told in messages too. */
export async function balanceOf(db: Reader, policy: Policy, accountId: string, now: number): Promise<Balance> {
  const account = await findAccount(db, accountId);
  const balance = await readBalance(db, accountId, account?.kind === 'guest' ? policy.guests.runMicro : null, now);
  return account?.is_local ? { ...balance, unlimited: true } : balance;
}
