import type { Reader, Tx } from '../../platform/db/database.ts';

/** The ids of the model services that are draining, each since when (ms). */
export async function drained(db: Reader): Promise<Map<string, number>> {
  const rows = await db.selectFrom('drained_service').selectAll().execute();
  return new Map(rows.map(({ id, at }) => [id, Number(at)]));
}

/** Every node follows within seconds. Repeating it changes nothing. */
export async function drain(tx: Tx, id: string, at: number): Promise<void> {
  await tx
    .insertInto('drained_service')
    .values({ id, at })
    .onConflict((oc) => oc.column('id').doNothing())
    .execute();
}

export async function undrain(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('drained_service').where('id', '=', id).execute();
}
