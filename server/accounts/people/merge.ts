import type { Merged } from '../../../shared/auth.ts';
import { moveConversations } from '../../conversations/store.ts';
import { takeOver } from '../../credits/journal/moves.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Tx } from '../../platform/db/database.ts';
import { endSessions } from '../sessions/sessions.ts';
import { findCaller } from '../sessions/tokens.ts';

/** Beyond so many, one word says that any conversation may have changed. */
const MAX_TOLD = 20;

/** What lives above the accounts and moves with them; handed in by the assembly. */
export type MoveRuns = (tx: Tx, from: string, to: string) => Promise<void>;

/**
 * Makes a guest part of an account: its conversations, running answers, and what is left of its allowance move in this one
 * transaction, and its sessions end. Of any number who do that at once, with one account or with several, one does. Null if
 * the token is no guest's, or the guest's no more.
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
  // Its wallet first: a run that is being admitted either has its hold, and its conversation moves, or gets none.
  const allowanceMicro = await takeOver(tx, { guestId, accountId, at });
  const moved = await moveConversations(tx, guestId, accountId);
  await moveRuns(tx, guestId, accountId);
  await endSessions(tx, guestId, at);
  changed(tx, accountId, 'balance', accountId);
  for (const id of moved.length > MAX_TOLD ? [''] : moved) changed(tx, accountId, 'conversation', id);
  return { conversations: moved.length, allowanceMicro };
}
