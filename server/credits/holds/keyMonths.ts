import type { Reader, Tx } from '../../platform/db/database.ts';
import { prepared } from '../../platform/db/prepared.ts';
import type { HoldRow } from '../../platform/db/schema.ts';
import { type Month, monthOf } from '../rules/keyMonth.ts';

// What each API key has spent in a calendar month: what its holds of that month hold or were charged. A hold counts in
// the month in which it began, also if it is charged in the next one. The wallet's lock protects these sums.

/** The API key that a hold is placed by. Its name is for the token log. */
export interface HoldKey {
  id: string;
  name: string;
  /** The most that it may spend in a month; null: no cap. */
  monthlyMicro: number | null;
}

/** What a key may still spend in the month of `at`. Without a cap nothing is read. */
export async function readRoom(
  tx: Tx,
  key: HoldKey | null | undefined,
  at: number,
): Promise<{ leftMicro: number; usedMicro: number; limitMicro: number; month: Month }> {
  const month = monthOf(at);
  const limitMicro = key?.monthlyMicro ?? null;
  if (!key || limitMicro === null) return { leftMicro: Infinity, usedMicro: 0, limitMicro: Infinity, month };
  const usedMicro = (await selectMonth.first(tx, { keyId: key.id, from: month.from }))?.micro ?? 0;
  return { leftMicro: Math.max(0, limitMicro - usedMicro), usedMicro, limitMicro, month };
}

const selectMonth = prepared((db, p: { keyId: string; from: number }) =>
  db.selectFrom('key_month').select('micro').where('key_id', '=', p.keyId).where('from_at', '=', p.from),
);

/** Counts a hold in its key's month. */
export async function addToMonth(
  tx: Tx,
  added: { keyId: string; ledgerId: string; month: Month; amountMicro: number },
): Promise<void> {
  const { month, ...rest } = added;
  await upsertMonth.run(tx, { ...rest, ...month });
}

const upsertMonth = prepared((db, p: { keyId: string; ledgerId: string; amountMicro: number } & Month) =>
  db
    .insertInto('key_month')
    .values({ key_id: p.keyId, from_at: p.from, to_at: p.to, ledger_id: p.ledgerId, micro: p.amountMicro })
    .onConflict((conflict) =>
      conflict
        .columns(['key_id', 'from_at'])
        .doUpdateSet((eb) => ({ micro: eb('key_month.micro', '+', p.amountMicro) })),
    ),
);

/** Corrects a key's month once its hold has ended: the hold's amount becomes what was charged. */
export async function settleMonth(
  tx: Tx,
  hold: Pick<HoldRow, 'key_id' | 'created_at' | 'amount'>,
  chargedMicro: number,
): Promise<void> {
  if (hold.key_id === null || hold.amount === chargedMicro) return;
  const { from } = monthOf(hold.created_at);
  await updateMonth.run(tx, { keyId: hold.key_id, from, changeMicro: chargedMicro - hold.amount });
}

const updateMonth = prepared((db, p: { keyId: string; from: number; changeMicro: number }) =>
  db
    .updateTable('key_month')
    .set((eb) => ({ micro: eb('micro', '+', p.changeMicro) }))
    .where('key_id', '=', p.keyId)
    .where('from_at', '=', p.from),
);

/** What each of these keys has spent in the month of `at`, by its id; a key that spent nothing is missing. */
export async function spentInMonth(db: Reader, keyIds: readonly string[], at: number): Promise<Map<string, number>> {
  if (keyIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('key_month')
    .select(['key_id', 'micro'])
    .where('key_id', 'in', keyIds)
    .where('from_at', '=', monthOf(at).from)
    .execute();
  return new Map(rows.map((row) => [row.key_id, row.micro]));
}
