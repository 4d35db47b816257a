import { DESK_HOURS, DESK_IDLE_MINUTES } from '../../../shared/desk.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';

// The desk is open in one browser's session, for a short time.

const MINUTE_MS = 60_000;
const IDLE_MS = DESK_IDLE_MINUTES * MINUTE_MS;
const MOST_MS = DESK_HOURS * 60 * MINUTE_MS;
/** How often a use is stored. */
const TOUCH_EVERY_MS = MINUTE_MS;

export interface DeskSession {
  openedAt: number;
  usedAt: number;
  /** False: opened on the server's own machine, without a code. It is open there alone. */
  byCode: boolean;
}

export async function findDesk(db: Reader, sessionId: string, accountId: string): Promise<DeskSession | null> {
  const row = await db
    .selectFrom('desk_session')
    .selectAll()
    .where('session_id', '=', sessionId)
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  return row ? { openedAt: Number(row.opened_at), usedAt: Number(row.used_at), byCode: row.by_code === 1 } : null;
}

/** When an open desk closes if it is not used any more; null if it is closed at `now`. */
export function openUntil(desk: DeskSession | null, now: number, needsCode: boolean): number | null {
  if (!desk || (needsCode && !desk.byCode)) return null;
  const until = Math.min(desk.usedAt + IDLE_MS, desk.openedAt + MOST_MS);
  // Where the clock was set back it would be open for longer.
  return until > now && desk.usedAt <= now + TOUCH_EVERY_MS ? until : null;
}

/** Opens the desk anew in this session, also where it is open. */
export async function openDesk(
  tx: Tx,
  { sessionId, accountId, byCode, at }: { sessionId: string; accountId: string; byCode: boolean; at: number },
): Promise<void> {
  const columns = { account_id: accountId, opened_at: at, used_at: at, by_code: byCode ? 1 : 0 };
  await tx
    .insertInto('desk_session')
    .values({ session_id: sessionId, ...columns })
    .onConflict((oc) => oc.column('session_id').doUpdateSet(columns))
    .execute();
}

export const isTouchDue = (desk: DeskSession, now: number): boolean => now - desk.usedAt >= TOUCH_EVERY_MS;

/** Stores that an open desk is in use. One that was closed meanwhile stays closed. */
export async function touchDesk(tx: Tx, sessionId: string, at: number): Promise<void> {
  await tx
    .updateTable('desk_session')
    .set({ used_at: at })
    .where('session_id', '=', sessionId)
    .where('used_at', '<', at)
    .execute();
}

/** False if there is none. */
export async function closeDesk(tx: Tx, sessionId: string): Promise<boolean> {
  const { numDeletedRows } = await tx.deleteFrom('desk_session').where('session_id', '=', sessionId).executeTakeFirst();
  return numDeletedRows === 1n;
}

/** Deletes those that have closed by themselves, and those of sessions that have ended. */
export async function purgeDesks(tx: Tx, now: number): Promise<void> {
  await tx
    .deleteFrom('desk_session')
    .where((eb) =>
      eb.or([
        eb('used_at', '<=', now - IDLE_MS),
        eb('opened_at', '<=', now - MOST_MS),
        eb('session_id', 'in', eb.selectFrom('session').select('id').where('ended_at', 'is not', null)),
      ]),
    )
    .execute();
}
