import type { Account, Balance } from '../../shared/account.ts';
import { readBalance } from '../credits/store.ts';
import { iso } from '../platform/clock.ts';
import type { Policy } from '../platform/config.ts';
import type { Reader } from '../platform/db/database.ts';
import { prepared } from '../platform/db/prepared.ts';
import type { AccountRow } from '../platform/db/schema.ts';
import { AppError } from '../platform/errors.ts';
import { suspensionOf } from './tokens.ts';

export function findAccount(db: Reader, id: string): Promise<AccountRow | undefined> {
  return selectAccount.first(db, { id });
}

const selectAccount = prepared((db, p: { id: string }) => db.selectFrom('account').selectAll().where('id', '=', p.id));

/** With each way to sign in to it: as many rows as there are, at least one. */
const selectWithProviders = prepared((db, p: { id: string }) =>
  db
    .selectFrom('account')
    .leftJoin('identity', 'identity.account_id', 'account.id')
    .selectAll('account')
    .select('identity.provider')
    .where('account.id', '=', p.id)
    .orderBy('identity.provider'),
);

/** An account as its owner sees it. Throws `unauthorized` if it has gone. */
export async function describeAccount(db: Reader, id: string, now: number): Promise<Account> {
  const rows = await selectWithProviders.all(db, { id });
  return described(rows, now);
}

/** The same with its balance, read at once: this is asked for whenever something changed. */
export async function describeWithBalance(
  db: Reader,
  policy: Policy,
  id: string,
  now: number,
): Promise<{ account: Account; balance: Balance }> {
  const { runMicro } = policy.guests;
  const [rows, balance] = await Promise.all([selectWithProviders.all(db, { id }), readBalance(db, id, runMicro, now)]);
  const account = described(rows, now);
  return { account, balance: toOwner(rows[0], balance) };
}

function described(rows: (AccountRow & { provider: string | null })[], now: number): Account {
  const [row] = rows;
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
      : {
          providers: [...new Set(rows.flatMap(({ provider }) => provider ?? []))],
          tier: row.tier ?? 0,
          marketing: row.marketing === 1,
        }),
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
  const balance = await readBalance(db, accountId, policy.guests.runMicro, now);
  return toOwner(account, balance);
}

/** Only guests are told in messages; and whoever pays nothing, that nothing runs out. */
function toOwner(account: AccountRow | undefined, balance: Balance): Balance {
  if (account?.kind === 'guest') return balance;
  const { guestMessagesLeft: _, ...credits } = balance;
  return account?.is_local ? { ...credits, unlimited: true } : credits;
}
