// The parts of a conversation that a prompt needs. Each message's size is stored beside it, so that a request for too
// much is refused before any text is read.
import { type SelectQueryBuilder, sql } from 'kysely';
import type { RunKind, RunState } from '../../shared/runs.ts';
import type { Reader, Tx } from '../platform/db/database.ts';
import { prepared } from '../platform/db/prepared.ts';
import type { MessageRow, Schema } from '../platform/db/schema.ts';
import { type MessageExtras, type PromptSize, readExtras } from './attachments.ts';
import { isInPrompt, promptStart } from './promptParts.ts';

/** A message without its text. */
export interface MessageHead {
  id: string;
  seq: number;
  role: 'user' | 'assistant';
  kind: RunKind;
  runId: string | null;
  state: RunState | null;
  cutShort: boolean;
  isSummary: boolean;
}

/** A message for the prompt. */
export interface HistoryMessage {
  role: 'user' | 'assistant';
  text: string;
  isSummary: boolean;
  extras: MessageExtras;
}

/** Keeps only live messages: those that no edit or retry has superseded. */
export function live<O>(query: SelectQueryBuilder<Schema, 'message', O>): SelectQueryBuilder<Schema, 'message', O> {
  return query.where('message.superseded_at', 'is', null);
}

/** One live message of a conversation: by its id, or the last one (of a role, or that prompts have) before a place. */
export async function findMessage(
  tx: Tx,
  conversationId: string,
  which: { id: string } | { role?: 'user'; before?: number; inPrompt?: true },
): Promise<MessageHead | undefined> {
  let query = live(tx.selectFrom('message'))
    .select(['id', 'seq', 'role', 'kind', 'run_id', 'state', 'cut_short', 'summary'])
    .where('conversation_id', '=', conversationId);
  if ('id' in which) query = query.where('id', '=', which.id);
  else {
    if (which.role) query = query.where('role', '=', which.role);
    if (which.inPrompt) query = query.where(isInPrompt(conversationId));
    if (which.before !== undefined) query = query.where('seq', '<', which.before);
  }
  const row = await query.orderBy('seq', 'desc').limit(1).executeTakeFirst();
  if (!row) return undefined;
  const { id, seq, role, kind, run_id, state, cut_short, summary } = row;
  return { id, seq, role, kind, runId: run_id, state, cutShort: cut_short !== null, isSummary: summary !== null };
}

/** The first live message of a conversation. */
export function findFirst(
  tx: Tx,
  conversationId: string,
): Promise<Pick<MessageRow, 'id' | 'kind' | 'text'> | undefined> {
  return live(tx.selectFrom('message'))
    .select(['id', 'kind', 'text'])
    .where('conversation_id', '=', conversationId)
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst();
}

/** Whether any live message belongs to this run. */
export async function hasMessageOf(tx: Tx, conversationId: string, runId: string): Promise<boolean> {
  const query = live(tx.selectFrom('message').select('id')).where('conversation_id', '=', conversationId);
  return (await query.where('run_id', '=', runId).limit(1).executeTakeFirst()) !== undefined;
}

/** The size of several messages in a prompt; `unmeasured` of them were stored before sizes were. */
export type HistorySize = PromptSize & { messages: number; unmeasured: number };

/** The size of the messages that a prompt up to a place has. */
export async function sizeOfHistory(
  tx: Tx,
  conversationId: string,
  upTo = Number.MAX_SAFE_INTEGER,
): Promise<HistorySize> {
  const row = await selectSize.first(tx, { conversationId, upTo });
  return {
    tokens: Number(row?.tokens ?? 0),
    bytes: Number(row?.bytes ?? 0),
    messages: Number(row?.messages ?? 0),
    unmeasured: Number(row?.unmeasured ?? 0),
  };
}

const selectSize = prepared((db, p: { conversationId: string; upTo: number }) =>
  live(db.selectFrom('message'))
    .select((eb) => [
      sql<number | string | null>`sum(tokens)`.as('tokens'),
      sql<number | string | null>`sum(bytes)`.as('bytes'),
      eb.fn.countAll<number | string>().as('messages'),
      sql<number | string>`count(case when tokens is null then 1 end)`.as('unmeasured'),
    ])
    .where('conversation_id', '=', p.conversationId)
    .where('seq', '<=', p.upTo)
    .where('seq', '>=', promptStart(p.conversationId, p.upTo))
    .where(isInPrompt(p.conversationId)),
);

/** The size of the given messages. */
export async function sizeOfMessages(tx: Tx, ids: readonly string[]): Promise<HistorySize> {
  const rows = await tx.selectFrom('message').select(['tokens', 'bytes']).where('id', 'in', ids).execute();
  const sum = (of: (row: (typeof rows)[number]) => number | null) => rows.reduce((all, row) => all + (of(row) ?? 0), 0);
  const unmeasured = rows.filter(({ tokens }) => tokens === null).length;
  return { tokens: sum((row) => row.tokens), bytes: sum((row) => row.bytes), messages: rows.length, unmeasured };
}

/** The newest message of a conversation without a stored size. */
export async function findUnmeasured(db: Reader, conversationId: string): Promise<string | undefined> {
  const row = await live(db.selectFrom('message').select('id'))
    .where('conversation_id', '=', conversationId)
    .where('tokens', 'is', null)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.id;
}

/** Keeps a size that was stored meanwhile: a running answer may have been measured before its text was complete. */
export async function storeSize(tx: Tx, id: string, { tokens, bytes }: PromptSize): Promise<void> {
  await tx.updateTable('message').set({ tokens, bytes }).where('id', '=', id).where('tokens', 'is', null).execute();
}

/** Clears all sizes, so that they are measured again: another version of the server measured differently. */
export async function forgetSizes(tx: Tx, conversationId: string): Promise<void> {
  const size = { tokens: null, bytes: null };
  await tx.updateTable('message').set(size).where('conversation_id', '=', conversationId).execute();
  const ids = tx.selectFrom('message').select('id').where('conversation_id', '=', conversationId);
  await tx.updateTable('attachment').set(size).where('message_id', 'in', ids).execute();
}

/** The messages that a prompt up to a place has, in order. The caller has checked that a prompt has room for all of them. */
export async function readHistory(
  tx: Tx,
  conversationId: string,
  upTo = Number.MAX_SAFE_INTEGER,
  { withPictures }: { withPictures?: ReadonlySet<string> } = {},
): Promise<HistoryMessage[]> {
  return withExtras(tx, await selectHistory.all(tx, { conversationId, upTo }), withPictures);
}

const selectHistory = prepared((db, p: { conversationId: string; upTo: number }) =>
  live(db.selectFrom('message').select(['id', 'role', 'text', 'summary']))
    .where('conversation_id', '=', p.conversationId)
    .where('seq', '<=', p.upTo)
    .where('seq', '>=', promptStart(p.conversationId, p.upTo))
    .where(isInPrompt(p.conversationId))
    .orderBy('seq'),
);

/** The given messages with their extras, in the order of `ids`. */
export async function readMessages(db: Reader, ids: readonly string[]): Promise<HistoryMessage[]> {
  const rows = await db
    .selectFrom('message')
    .select(['id', 'role', 'text', 'summary'])
    .where('id', 'in', ids)
    .execute();
  return withExtras(
    db,
    ids.flatMap((id) => rows.find((row) => row.id === id) ?? []),
  );
}

/** Ids per query, because engines limit the number of parameters. */
const AT_ONCE = 1000;

async function withExtras(
  db: Reader,
  rows: Pick<MessageRow, 'id' | 'role' | 'text' | 'summary'>[],
  withPictures?: ReadonlySet<string>,
): Promise<HistoryMessage[]> {
  const asked = rows.filter(({ role }) => role === 'user').map(({ id }) => id);
  const extras = new Map<string, MessageExtras>();
  for (let at = 0; at < asked.length; at += AT_ONCE)
    for (const [id, one] of await readExtras(db, asked.slice(at, at + AT_ONCE), withPictures)) extras.set(id, one);
  const of = (id: string) => extras.get(id) ?? { attachments: [] };
  return rows.map(({ id, role, text, summary }) => ({ role, text, isSummary: summary !== null, extras: of(id) }));
}
