import type { Balance } from '../../shared/account.ts';
import { readBalance } from '../credits/store.ts';
import type { Policy } from '../platform/config.ts';
import type { Reader } from '../platform/db/database.ts';
import type { AccountRow } from '../platform/db/schema.ts';

export function findAccount(db: Reader, id: string): Promise<AccountRow | undefined> {
  return db.selectFrom('account').selectAll().where('id', '=', id).executeTakeFirst();
}

/** An account's balance; a guest's is told in messages too. */
export async function balanceOf(db: Reader, policy: Policy, accountId: string): Promise<Balance> {
  const account = await findAccount(db, accountId);
  return readBalance(db, accountId, account?.kind === 'guest' ? policy.guests.runMicro : null);
}
