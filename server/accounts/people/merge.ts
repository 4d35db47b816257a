import type { Merged } from '../../../shared/auth.ts';
import { moveConversations } from '../../conversations/store.ts';
import { takeOver } from '../../credits/journal/moves.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Tx } from '../../platform/db/database.ts';
import { moveRequests } from '../../requests/store.ts';
import { endSessions } from '../sessions/sessions.ts';
import { findCaller } from '../sessions/tokens.ts';

/** Above this number, one event says that any conversation may have changed. */
const MAX_TOLD = 20;

/** Moves what belongs to layers above the accounts. Injected by the composition root. */
export type MoveRuns = (tx: Tx, from: string, to: string) => Promise<void>;

/**
 * Merges a guest into an account: in one transaction its conversations, running answers and remaining allowance move,
 * and its sessions end. Of concurrent calls, with one account or with several, only one succeeds. Null if the token is
 * no guest's, or the guest's no more.
 */
export async function mergeGuest(
  tx: Tx,
  moveRuns: MoveRuns,
  { guestToken, accountId, at }: { guestToken: string; accountId: string; at: number },
): Promise<Merged | null> {
  const guest = await findCaller(tx, guestToken, at);
  if (guest?.accountKind !== 'guest') return null;
  const guestId = guest.accountId;
  const { numUpdatedRows } = await tx
    .updateTable('account')
    .set({ merged_into: accountId })
    .where('id', '=', guestId)
    .where('merged_into', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) return null;
  // Lock its wallet first: a run being admitted either has its hold, and its conversation moves, or gets none.
  const allowanceMicro = await takeOver(tx, { guestId, accountId, at });
  const moved = await moveConversations(tx, guestId, accountId);
  await moveRuns(tx, guestId, accountId);
  await moveRequests(tx, guestId, accountId);
  await endSessions(tx, guestId, at);
  changed(tx, accountId, 'balance', accountId);
  for (const id of moved.length > MAX_TOLD ? [''] : moved) changed(tx, accountId, 'conversation', id);
  return { conversations: moved.length, allowanceMicro };
}
