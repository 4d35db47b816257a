import type { Tx } from '../../platform/db/database.ts';
import { available, CREDITS, fundAccount, HOUSE } from '../rules/ledger.ts';
import { lockWallet, lockWalletOf, post, postedOf, readFunds, tryLockWallet, writeLog } from './journal.ts';

/** Used instead of an heir's ledger: freed credits go back to the house. */
const TO_HOUSE = 'house';

/**
 * Makes an account the heir of a guest. Its token log now includes the guest's, and the guest's free credits move to
 * it: now, and later what open runs return. An account inherits from one guest, ever; the credits of further guests go
 * back to the house. Returns what moved to the account now, in micro-credits. Returns 0 and changes nothing if the
 * guest was taken over before.
 */
export async function takeOver(
  tx: Tx,
  { guestId, accountId, at }: { guestId: string; accountId: string; at: number },
): Promise<number> {
  // Always lock the guest's wallet first: a deadlock would need an account that is a guest's guest.
  const from = await tryLockWallet(tx, guestId);
  if (from === null) return 0;
  const to = await lockWallet(tx, accountId);
  const before = await tx.selectFrom('balance').select('ledger_id').where('heir', '=', to).executeTakeFirst();
  const heir = before ? TO_HOUSE : to;
  await tx.updateTable('wallet').set({ account_id: accountId, is_own: 0 }).where('ledger_id', '=', from).execute();
  await tx.updateTable('balance').set({ heir }).where('ledger_id', '=', from).execute();
  const movedMicro = await passOn(tx, from, heir, `guest:${guestId}`, at);
  return heir === TO_HOUSE ? 0 : movedMicro;
}

/**
 * Moves a ledger's free credits to its heir. `cause` names the move and is unique. The caller has locked the ledger's
 * wallet. Returns how much moved.
 */
export async function passOn(tx: Tx, from: string, heir: string, cause: string, at: number): Promise<number> {
  const funds = await readFunds(tx, from);
  const movedMicro = available(funds);
  if (movedMicro === 0) return 0;
  const isHouse = heir === TO_HOUSE;
  // Lock the wallet before its balances, as everywhere.
  if (!isHouse) await lockWalletOf(tx, heir);
  for (const fund of CREDITS) {
    const amount = funds[fund].posted - funds[fund].pending;
    if (amount === 0) continue;
    if (isHouse && fund === 'purchased') throw new Error('credits: what was bought never goes to the house');
    await post(tx, {
      id: `move:${cause}:${fund}`,
      debit: fundAccount(fund, from),
      credit: isHouse ? HOUSE.grants : fundAccount(fund, heir),
      amount,
      kind: 'move',
      request_id: cause,
      hold_id: null,
      at,
    });
    const add = (ledgerId: string, micro: number) =>
      tx
        .updateTable('balance')
        .set((eb) => ({ posted: eb('posted', '+', micro) }))
        .where('ledger_id', '=', ledgerId)
        .where('kind', '=', fund)
        .execute();
    await add(from, -amount);
    if (!isHouse) await add(heir, amount);
  }
  await writeLog(tx, from, {
    id: `move:${cause}:out`,
    kind: 'move',
    amount: -movedMicro,
    balance: postedOf(await readFunds(tx, from)),
    reason: isHouse ? 'Free messages of another guest: an account gets those of one' : 'Moved to your account',
    at,
  });
  if (isHouse) return movedMicro;
  const after = await readFunds(tx, heir);
  await tx
    .updateTable('wallet')
    .set({ of_micro: available(after) })
    .where('ledger_id', '=', heir)
    .execute();
  await writeLog(tx, heir, {
    id: `move:${cause}:in`,
    kind: 'move',
    amount: movedMicro,
    balance: postedOf(after),
    reason: 'Left over from your time as a guest',
    at,
  });
  return movedMicro;
}
