import { sql } from 'kysely';
import type { Database, Tx } from '../platform/db/database.ts';
import { TookTooLong } from '../platform/db/database.ts';
import type { ConversationRow } from '../platform/db/schema.ts';
import { AppError } from '../platform/errors.ts';
import { gramOfAccount, gramsFor, gramsOf, OVERLAP, PIECE } from './grams.ts';

export interface ListPage {
  /** The kind of the conversation's first message. Without it, all kinds. */
  kind?: ConversationRow['kind'] | undefined;
  before?: Cursor | undefined;
  limit: number;
}

/** The last conversation of a page. */
export interface Cursor {
  /** It was pinned; more of them may follow. A search has all in one order. */
  isPinned: boolean;
  updatedAt: number;
  id: string;
}

/** `around`: the text around the match in the newest matching message; null if only the title matches. */
export type FoundConversation = ConversationRow & { around: string | null };

/**
 * Finds an account's conversations with `part` in their title or in a live message, case-insensitively, newest first.
 * The index narrows the messages; messages not yet indexed are scanned. Runs off this thread.
 */
export async function findByText(
  db: Database,
  accountId: string,
  part: string,
  { kind, before, limit }: ListPage,
): Promise<FoundConversation[]> {
  const wanted = part.toLowerCase();
  const holds = (column: string) => {
    const text = sql.ref(column);
    return db.engine === 'sqlite' ? sql`holds(${text}, ${wanted}) = 1` : sql`strpos(lower(${text}), ${wanted}) > 0`;
  };
  const around =
    db.engine === 'sqlite'
      ? sql`around(message.text, ${wanted}, ${AROUND})`
      : sql`substr(message.text, greatest(1, strpos(lower(message.text), ${wanted}) - ${sql.lit(AROUND)}),
          length(${wanted}::text) + 2 * ${sql.lit(AROUND)})`;
  const grams = gramsFor(part);
  const cursor = before
    ? sql`and (conversation.updated_at < ${before.updatedAt}
        or (conversation.updated_at = ${before.updatedAt} and conversation.id < ${before.id}))`
    : sql``;
  const ofKind = kind ? sql`and conversation.kind = ${kind}` : sql``;
  const saysIt = sql`message.superseded_at is null
    and (message.id in (select message_id from candidate)
      or exists (select 1 from search_due where search_due.message_id = message.id))
    and ${holds('message.text')}`;
  const query = sql<FoundConversation>`
    with candidate as materialized (${candidates(db.engine, [gramOfAccount(accountId), ...grams])}),
    found as materialized (
      select conversation.* from conversation
      where conversation.account_id = ${accountId} ${ofKind} ${cursor} and (${holds('conversation.title')} or exists (
        select 1 from message where message.conversation_id = conversation.id and ${saysIt}))
      order by conversation.updated_at desc, conversation.id desc
      limit ${limit})
    select found.*, (
      select ${around} from message where message.conversation_id = found.id and ${saysIt}
      order by message.seq desc limit 1) as around
    from found order by found.updated_at desc, found.id desc`.compile(db.read);
  try {
    return await db.readBounded(query);
  } catch (error) {
    if (!(error instanceof TookTooLong)) throw error;
    throw new AppError(
      'search_too_slow',
      'The search took too long. Search for more words, or try again in a minute: old messages may still be waiting for the index.',
    );
  }
}

/** Enough characters on each side for a passage, even if some are invisible. */
const AROUND = 300;

/** The messages that have all of these grams. */
function candidates(engine: Database['engine'], grams: readonly number[]) {
  if (engine === 'sqlite')
    return sql`select search_piece.message_id from search_grams
      join search_piece on search_piece.n = search_grams.rowid
      where search_grams match ${grams.map(tokenOf).join(' AND ')}`;
  return sql`select message_id from search_piece where grams @> ${sql.raw(`array[${grams.join(',')}]::integer[]`)}`;
}

/** A gram as a word of digits and letters, which FTS5 leaves unchanged. */
const tokenOf = (gram: number) => `x${(gram >>> 0).toString(36)}`;

/**
 * Indexes the next piece of a message; false if none is due. Claims the entry before reading the text, so that a change
 * of the text or of its owner makes it due again.
 */
export function indexNext(db: Database): Promise<boolean> {
  const skip = db.engine === 'postgres' ? sql`for update skip locked` : sql``;
  return db.write(async (tx) => {
    const [claimed] = (
      await sql<{ message_id: string; piece: number }>`
        delete from search_due where message_id = (select message_id from search_due order by message_id limit 1 ${skip})
        returning message_id, piece`.execute(tx)
    ).rows;
    if (!claimed) return false;
    const { message_id, piece } = claimed;
    const [said] = (
      await sql<{ account_id: string; text: string; more: number | boolean }>`
        select account_id, substr(text, cast(${piece * PIECE + 1} as integer), ${PIECE + OVERLAP}) as text,
          length(text) > ${(piece + 1) * PIECE} as more
        from message join conversation on conversation.id = message.conversation_id
        where message.id = ${message_id}`.execute(tx)
    ).rows;
    if (!said) return true;
    const grams = [...gramsOf(said.text).add(gramOfAccount(said.account_id))];
    await insertPiece(tx, db.engine, message_id, grams);
    if (said.more)
      await tx
        .insertInto('search_due')
        .values({ message_id, piece: piece + 1 })
        .execute();
    return true;
  });
}

/** Indexes everything that is due, one piece per transaction, so that others wait for one piece at most. */
export async function indexDue(db: Database, closing: AbortSignal): Promise<void> {
  while (!closing.aborted && (await indexNext(db))) await new Promise((resolve) => setImmediate(resolve));
}

async function insertPiece(tx: Tx, engine: Database['engine'], messageId: string, grams: readonly number[]) {
  if (engine === 'postgres') {
    await sql`insert into search_piece (message_id, grams) values (${messageId}, ${grams})`.execute(tx);
    return;
  }
  const { rows } = await sql<{ n: number }>`
    insert into search_piece (message_id) values (${messageId}) returning n`.execute(tx);
  await sql`insert into search_grams (rowid, grams) values (${rows[0]!.n}, ${grams.map(tokenOf).join(' ')})`.execute(
    tx,
  );
}
