import type { Reader, Tx } from '../platform/db/database.ts';
import { live } from './history.ts';

/** The answers after which a conversation goes on. */
const ANSWERS = 2;

/** Whether no title was asked for yet, and the user has given none. */
export async function isUntitled(db: Reader, id: string): Promise<boolean> {
  const query = db.selectFrom('conversation').select('id').where('id', '=', id).where('titled', 'is', null);
  return (await query.executeTakeFirst()) !== undefined;
}

/**
 * Claims the one title that a model gives a conversation. False if it is too young, if it has one already, or if its
 * title is not `given`, the one of its first message. Of several nodes, one gets it.
 */
export async function claimTitle(tx: Tx, id: string, given: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('conversation')
    .set({ titled: 'asked' })
    .where('id', '=', id)
    .where('kind', '=', 'chat')
    .where('titled', 'is', null)
    .where('title', '=', given)
    .where(
      (eb) =>
        live(eb.selectFrom('message'))
          .select(eb.fn.countAll<number>().as('count'))
          .where('conversation_id', '=', id)
          .where('role', '=', 'assistant')
          .where('state', '=', 'complete')
          .where('summary', 'is', null)
          // Answers that cost nothing would get titles for nothing.
          .where('text', '<>', '')
          .where((answer) => answer.or([answer('reason', 'is', null), answer('reason', '=', 'beyond_hold')])),
      '>=',
      ANSWERS,
    )
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Gives a conversation the title that was claimed, unless the user has named it meanwhile. Returns its account. */
export async function giveTitle(tx: Tx, id: string, title: string): Promise<string | null> {
  const row = await tx
    .updateTable('conversation')
    .set({ title, titled: 'model' })
    .where('id', '=', id)
    .where('titled', '=', 'asked')
    .returning('account_id')
    .executeTakeFirst();
  return row?.account_id ?? null;
}

/** The first messages of a conversation: what its title is about. */
export function readOpening(db: Reader, id: string) {
  return live(db.selectFrom('message').select(['role', 'text']))
    .where('conversation_id', '=', id)
    .where('text', '<>', '')
    .orderBy('seq')
    .limit(2 * ANSWERS)
    .execute();
}
