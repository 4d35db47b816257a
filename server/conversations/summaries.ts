// Summaries of a conversation: later prompts have one in place of all messages before it.
import type { Tx } from '../platform/db/database.ts';
import { prepared } from '../platform/db/prepared.ts';
import { live } from './history.ts';
import { promptStart } from './promptParts.ts';

/** How many answers a summary would have to tell of that no summary tells of yet. */
export async function countUntold(tx: Tx, conversationId: string): Promise<number> {
  const row = await live(tx.selectFrom('message'))
    .select((eb) => eb.fn.countAll<number | string>().as('count'))
    .where('conversation_id', '=', conversationId)
    .where('role', '=', 'assistant')
    .where('summary', 'is', null)
    .where('text', '<>', '')
    .where('seq', '>=', promptStart(conversationId, Number.MAX_SAFE_INTEGER))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** From now on prompts have this summary in place of all messages before it; null: they have all messages. */
export const useSummary = prepared((db, p: { id: string; summaryId: string | null }) =>
  db.updateTable('conversation').set({ summary_id: p.summaryId }).where('id', '=', p.id),
);

/** Whether a live message is a whole summary of this conversation. */
export async function isSummary(tx: Tx, conversationId: string, id: string): Promise<boolean> {
  const row = await live(tx.selectFrom('message').select('id'))
    .where('id', '=', id)
    .where('conversation_id', '=', conversationId)
    .where('summary', '=', 1)
    .where('state', '=', 'complete')
    .where('cut_short', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}
