import { type ExpressionBuilder, sql } from 'kysely';
import type { Account, Balance } from '../../../shared/account.ts';
import { selectBalances, toBalance } from '../../credits/holds/balance.ts';
import { iso } from '../../platform/clock.ts';
import type { Policy } from '../../platform/config/config.ts';
import type { Reader } from '../../platform/db/database.ts';
import { prepared } from '../../platform/db/prepared.ts';
import type { AccountRow, Schema } from '../../platform/db/schema.ts';
import { AppError } from '../../platform/errors.ts';
import { hashSecret } from '../../platform/secrets.ts';
import { type Caller, OF_ACCOUNT, OF_CALL, suspensionOf, toCaller } from '../sessions/tokens.ts';

export function findAccount(db: Reader, id: string): Promise<AccountRow | undefined> {
  return selectAccount.first(db, { id });
}

const selectAccount = prepared((db, p: { id: string }) => db.selectFrom('account').selectAll().where('id', '=', p.id));

/** The account's ways to sign in: the providers' ids, separated by blanks. */
const providersOf = (account: ExpressionBuilder<Schema, 'account'>) =>
  account
    .selectFrom('identity')
    .select((eb) => sql<string | null>`string_agg(${eb.ref('identity.provider')}, ' ')`.as('providers'))
    .whereRef('identity.account_id', '=', 'account.id')
    .as('providers');

/** What an account's owner sees of it, besides `OF_ACCOUNT`. */
const SEEN = ['account.created_at', 'account.name', 'account.email', 'account.marketing', 'account.closed_at'] as const;

const selectSeen = prepared((db, p: { id: string }) =>
  db.selectFrom('account').select(OF_ACCOUNT).select(SEEN).select(providersOf).where('account.id', '=', p.id),
);

/** An account as its owner sees it. Throws `unauthorized` if it no longer exists. */
export async function describeAccount(db: Reader, id: string, now: number): Promise<Account> {
  const row = await selectSeen.first(db, { id });
  if (!row) throw new AppError('unauthorized', 'This account has ended.');
  return described(row, now);
}

/** The caller, with all that an account's owner sees. */
export interface Owner extends Caller {
  account: Account;
  /** Queries the database only for a plan's usage, if there is a plan. */
  readBalance(): Promise<Balance>;
}

/** `findCaller` and the account's data in one statement, because clients ask for them after every change. */
export async function findOwner(db: Reader, policy: Policy, token: string, now: number): Promise<Owner | null> {
  const rows = await selectOwner.all(db, { tokenHash: hashSecret(token) });
  const caller = toCaller(rows[0], now);
  if (!caller) return null;
  return {
    ...caller,
    account: described(rows[0]!, now),
    readBalance: async () => toOwner(rows[0], await toBalance(db, rows, policy.guests.runMicro, now)),
  };
}

const selectOwner = prepared((db, p: { tokenHash: string }) =>
  selectBalances(db)
    .innerJoin('account', 'account.id', 'wallet.account_id')
    .innerJoin('session', 'session.account_id', 'account.id')
    .innerJoin('token', 'token.session_id', 'session.id')
    .select(OF_CALL)
    .select(OF_ACCOUNT)
    .select(SEEN)
    .select(providersOf)
    .where('token.token_hash', '=', p.tokenHash)
    .where('session.ended_at', 'is', null),
);

type SeenRow = NonNullable<Awaited<ReturnType<typeof selectSeen.first>>>;

function described(row: SeenRow, now: number): Account {
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
          providers: [...new Set(row.providers?.split(' '))].sort(),
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

/** An account's balance at `now`; for a guest also in messages. */
export async function balanceOf(db: Reader, policy: Policy, accountId: string, now: number): Promise<Balance> {
  const rows = await selectOwnBalance.all(db, { accountId });
  return toOwner(rows[0], await toBalance(db, rows, policy.guests.runMicro, now));
}

const selectOwnBalance = prepared((db, p: { accountId: string }) =>
  selectBalances(db)
    .innerJoin('account', 'account.id', 'wallet.account_id')
    .select(['account.kind', 'account.is_local'])
    .where('account.id', '=', p.accountId),
);

/** Only guests get a count of messages. The local account pays nothing, so its credits are unlimited. */
function toOwner(account: Pick<AccountRow, 'kind' | 'is_local'> | undefined, balance: Balance): Balance {
  if (account?.kind === 'guest') return balance;
  const { guestMessagesLeft: _, ...credits } = balance;
  return account?.is_local ? { ...credits, unlimited: true } : credits;
}
