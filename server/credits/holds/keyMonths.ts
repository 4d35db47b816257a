import type { Reader, Tx } from '../../platform/db/database.ts';
import { prepared } from '../../platform/db/prepared.ts';
import type { HoldRow } from '../../platform/db/schema.ts';
import { dayOf, monthOf, type Period } from '../rules/keyMonth.ts';

// What each API key has spent in a calendar month, and what extensions of the editor have spent of an account in a day:
// what the holds of that period hold or were charged. A hold counts in the period in which it began, also if it is charged
// in the next one. The wallet's lock protects these sums.

/** The API key that a hold is placed by. Its name is for the token log. */
export interface HoldKey {
  id: string;
  name: string;
  /** The most that it may spend in a month; null: no cap. */
  monthlyMicro: number | null;
}

/** Other extensions of the editor, which ask by the session of this one. All of them share one cap. */
export interface EditorUse {
  /** The most that they may spend in a day. */
  dailyMicro: number;
}

/** Whose calls a hold is counted with. */
export interface Spender {
  id: string;
  /** Of an API key. */
  name: string | null;
  /** In a period; null: no cap. */
  capMicro: number | null;
}

/** Before the id of a ledger: the other extensions of its owner's editors. An API key's id is a UUID. */
const EDITOR = 'editor:';

/** Null: a call that nothing is counted for. */
export function spenderOf(ledgerId: string, by: { key?: HoldKey | null; editor?: EditorUse | null }): Spender | null {
  if (by.editor) return { id: EDITOR + ledgerId, name: null, capMicro: by.editor.dailyMicro };
  return by.key ? { id: by.key.id, name: by.key.name, capMicro: by.key.monthlyMicro } : null;
}

/** The id of the API key that a hold was placed by; null if it was placed for a session. */
export const keyOf = ({ key_id }: Pick<HoldRow, 'key_id'>): string | null =>
  key_id?.startsWith(EDITOR) ? null : key_id;

const periodOf = (id: string, at: number): Period => (id.startsWith(EDITOR) ? dayOf(at) : monthOf(at));

/** What a spender may still spend in the period of `at`. Without a cap nothing is read. */
export async function readRoom(
  tx: Tx,
  spender: Spender | null,
  at: number,
): Promise<{ leftMicro: number; usedMicro: number; limitMicro: number; period: Period }> {
  const period = periodOf(spender?.id ?? '', at);
  const limitMicro = spender?.capMicro ?? null;
  if (!spender || limitMicro === null) return { leftMicro: Infinity, usedMicro: 0, limitMicro: Infinity, period };
  const usedMicro = (await selectMonth.first(tx, { keyId: spender.id, from: period.from }))?.micro ?? 0;
  return { leftMicro: Math.max(0, limitMicro - usedMicro), usedMicro, limitMicro, period };
}

const selectMonth = prepared((db, p: { keyId: string; from: number }) =>
  db.selectFrom('key_month').select('micro').where('key_id', '=', p.keyId).where('from_at', '=', p.from),
);

/** Counts a hold in its spender's period. */
export async function addToMonth(
  tx: Tx,
  added: { keyId: string; ledgerId: string; period: Period; amountMicro: number },
): Promise<void> {
  const { period, ...rest } = added;
  await upsertMonth.run(tx, { ...rest, ...period });
}

const upsertMonth = prepared((db, p: { keyId: string; ledgerId: string; amountMicro: number } & Period) =>
  db
    .insertInto('key_month')
    .values({ key_id: p.keyId, from_at: p.from, to_at: p.to, ledger_id: p.ledgerId, micro: p.amountMicro })
    .onConflict((conflict) =>
      conflict
        .columns(['key_id', 'from_at'])
        .doUpdateSet((eb) => ({ micro: eb('key_month.micro', '+', p.amountMicro) })),
    ),
);

/** Corrects a spender's period once its hold has ended: the hold's amount becomes what was charged. */
export async function settleMonth(
  tx: Tx,
  hold: Pick<HoldRow, 'key_id' | 'created_at' | 'amount'>,
  chargedMicro: number,
): Promise<void> {
  if (hold.key_id === null || hold.amount === chargedMicro) return;
  const { from } = periodOf(hold.key_id, hold.created_at);
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
