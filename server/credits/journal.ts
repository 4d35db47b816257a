import type { Selectable } from 'kysely';
import type { Tx } from '../platform/db/database.ts';
import type { LogEntryRow, TransferRow } from '../platform/db/schema.ts';
import { FUNDS, type Fund, type Funds } from './ledger.ts';

// What every movement of credits is made of.

/**
 * The ledger id of the account's own wallet, its row locked: whoever wants to hold or grant waits here. A no-op update,
 * because it means the same on both engines. Null for a guest that was taken over.
 */
export async function tryLockWallet(tx: Tx, accountId: string): Promise<string | null> {
  const row = await tx
    .updateTable('wallet')
    .set((eb) => ({ of_micro: eb.ref('of_micro') }))
    .where('account_id', '=', accountId)
    .where('is_own', '=', 1)
    .returning('ledger_id')
    .executeTakeFirst();
  return row?.ledger_id ?? null;
}

export async function lockWallet(tx: Tx, accountId: string): Promise<string> {
  const ledgerId = await tryLockWallet(tx, accountId);
  if (ledgerId === null) throw new Error('credits: the account has no wallet');
  return ledgerId;
}

export async function readFunds(tx: Tx, ledgerId: string): Promise<Funds> {
  return toFunds(await tx.selectFrom('balance').selectAll().where('ledger_id', '=', ledgerId).execute());
}

/** Of one ledger, or of all that an account has. */
export function toFunds(rows: readonly { kind: Fund; posted: number; pending: number }[]): Funds {
  const of = (fund: Fund) => {
    const sum = { posted: 0, pending: 0 };
    for (const row of rows.filter((r) => r.kind === fund)) {
      sum.posted += row.posted;
      sum.pending += row.pending;
    }
    return sum;
  };
  return { promotional: of('promotional'), purchased: of('purchased') };
}

/** What the funds hold, open holds included. */
export const postedOf = (funds: Funds) => FUNDS.reduce((sum, fund) => sum + funds[fund].posted, 0);

/** One transfer; its id is its place in the journal, taken once. */
export async function post(tx: Tx, transfer: TransferRow): Promise<void> {
  await tx.insertInto('transfer').values(transfer).execute();
}

type LogRow = Selectable<LogEntryRow>;
type LogColumns = Pick<LogRow, 'id' | 'kind' | 'amount' | 'balance' | 'reason' | 'at'> & Partial<Omit<LogRow, 'seq'>>;

/** One line of the token log. */
export async function writeLog(tx: Tx, ledgerId: string, entry: LogColumns): Promise<void> {
  await tx
    .insertInto('log_entry')
    .values({ absorbed: 0, ...entry, ledger_id: ledgerId })
    .execute();
}

/** Assertions stay on in production. */
export function assertOne(rows: bigint, what: string): void {
  if (rows !== 1n) throw new Error(`credits: ${what}`);
}
