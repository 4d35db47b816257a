import { type SqlBool, sql } from 'kysely';
import type { Database, Reader, Tx } from '../../platform/db/database.ts';

// An owner chooses the names of devices and API keys, so they may name a person. They are in the books for the owner's
// token log alone, and go with the account.

/** Removes every such name from the books of an account. */
export async function dropNames(tx: Tx, accountId: string): Promise<void> {
  const ledgers = ledgersOf(tx, accountId);
  await tx
    .updateTable('hold')
    .set({ key_name: null })
    .where('ledger_id', 'in', ledgers)
    .where('key_name', 'is not', null)
    .execute();
  await tx.updateTable('log_entry').set(NO_NAMES).where('ledger_id', 'in', ledgers).where(hasName).execute();
}

/** How many lines one transaction clears, so that other writes never wait for long. */
const LINES_AT_ONCE = 1_000;

/** Clears the token log in many small writes, so that `dropNames` changes few lines at once. */
export async function dropLogNames(db: Database, accountId: string): Promise<void> {
  for (const { ledger_id } of await ledgersOf(db.read, accountId).execute())
    for (let seq: number | undefined = 0; seq !== undefined; ) {
      const after: number = seq;
      seq = await db.write(async (tx) => {
        const lines = tx.selectFrom('log_entry').where('ledger_id', '=', ledger_id).where('seq', '>', after);
        const page = await lines.select('seq').orderBy('seq').limit(LINES_AT_ONCE).execute();
        const last = page.at(-1)?.seq;
        if (last === undefined) return undefined;
        await tx
          .updateTable('log_entry')
          .set(NO_NAMES)
          .where('ledger_id', '=', ledger_id)
          .where('seq', '>', after)
          .where('seq', '<=', last)
          .where(hasName)
          .execute();
        return last;
      });
    }
}

const NO_NAMES = { tool: null, key_name: null };
const hasName = sql<SqlBool>`(tool is not null or key_name is not null)`;

const ledgersOf = (db: Reader, accountId: string) =>
  db.selectFrom('wallet').select('ledger_id').where('account_id', '=', accountId);
