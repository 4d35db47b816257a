import { type SelectQueryBuilder, sql } from 'kysely';
import type { Message } from '../../shared/conversations.ts';
import type { AttachmentInput, EditInput, Reason, RunKind, RunState, Usage } from '../../shared/runs.ts';
import type { Reader, Tx } from '../platform/db/database.ts';
import type { ConversationRow, MessageRow, Schema } from '../platform/db/schema.ts';

/** An attachment as it is stored, with its text. */
export type StoredAttachment = Extract<AttachmentInput, { text: string }>;

/** What a user's message carries beside its text: a chat's attachments, or an edit's place. */
export type MessageExtras = { attachments: StoredAttachment[] } | { edit: EditInput };

/** A message as a prompt needs it. */
export interface HistoryMessage {
  id: string;
  seq: number;
  role: 'user' | 'assistant';
  kind: RunKind;
  text: string;
  extras: MessageExtras;
  runId: string | null;
  state: RunState | null;
  cutShort: boolean;
}

/** The conversation, if it is this account's; its row stays locked on PostgreSQL until the transaction ends. */
export async function claimConversation(tx: Tx, accountId: string, id: string, at: number) {
  return tx
    .updateTable('conversation')
    .set({ updated_at: at })
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .returningAll()
    .executeTakeFirst();
}

/** Makes a conversation. False if the id is taken, by whomever. */
export async function createConversation(tx: Tx, row: ConversationRow): Promise<boolean> {
  const made = await tx
    .insertInto('conversation')
    .values(row)
    .onConflict((oc) => oc.column('id').doNothing())
    .executeTakeFirst();
  return made.numInsertedOrUpdatedRows === 1n;
}

/** All messages that still count, in order. */
export async function readHistory(tx: Tx, conversationId: string): Promise<HistoryMessage[]> {
  const rows = await live(tx.selectFrom('message').selectAll())
    .where('conversation_id', '=', conversationId)
    .orderBy('seq')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    seq: row.seq,
    role: row.role,
    kind: row.kind,
    text: row.text,
    extras: toExtras(row.attachments),
    runId: row.run_id,
    state: row.state,
    cutShort: row.cut_short !== null,
  }));
}

/** An attachment of a message of this conversation, by its id; superseded messages included: an edited one keeps its own. */
export async function readAttachment(
  tx: Tx,
  conversationId: string,
  id: string,
): Promise<StoredAttachment | undefined> {
  const [messageId = '', place] = id.split('/');
  const row = await tx
    .selectFrom('message')
    .select('attachments')
    .where('id', '=', messageId)
    .where('conversation_id', '=', conversationId)
    .executeTakeFirst();
  return attached(toExtras(row?.attachments ?? null))[Number(place ?? Number.NaN)];
}

/** Supersedes a message and all after it; they are kept for a while, for undo. */
export async function supersedeFrom(tx: Tx, conversationId: string, seq: number, runId: string, at: number) {
  await tx
    .updateTable('message')
    .set({ superseded_at: at, superseded_by: runId })
    .where('conversation_id', '=', conversationId)
    .where('seq', '>=', seq)
    .where('superseded_at', 'is', null)
    .execute();
}

export type NewMessage = Pick<MessageRow, 'id' | 'role' | 'kind' | 'text'> & Partial<MessageRow>;

/** Appends messages in the order given. */
export async function appendMessages(tx: Tx, conversationId: string, messages: NewMessage[], at: number) {
  const { last } = await tx
    .selectFrom('message')
    .select((eb) => eb.fn.coalesce(eb.fn.max('seq'), sql<number>`0`).as('last'))
    .where('conversation_id', '=', conversationId)
    .executeTakeFirstOrThrow();
  await tx
    .insertInto('message')
    .values(
      messages.map((message, i) => ({
        ...NO_MESSAGE,
        ...message,
        conversation_id: conversationId,
        seq: Number(last) + 1 + i,
        created_at: at,
      })),
    )
    .execute();
}

const NO_MESSAGE = {
  attachments: null,
  run_id: null,
  state: null,
  model: null,
  usage: null,
  charged: null,
  reason: null,
  problem: null,
  cut_short: null,
  clamped_to: null,
  continues: null,
  device: null,
  superseded_at: null,
  superseded_by: null,
};

/** The end of an answer. No row when the conversation was deleted meanwhile: that is no error. */
export async function finishMessage(
  tx: Tx,
  id: string,
  end: Pick<Message, 'text' | 'cutShort' | 'reason' | 'problem'> & {
    state: RunState;
    usage: Usage;
    chargedMicro: number;
  },
): Promise<void> {
  await tx
    .updateTable('message')
    .set({
      text: end.text,
      state: end.state,
      usage: JSON.stringify(end.usage),
      charged: end.chargedMicro,
      reason: end.reason ?? null,
      problem: end.problem ? JSON.stringify(end.problem) : null,
      cut_short: end.cutShort ? 1 : null,
    })
    .where('id', '=', id)
    .execute();
}

/** An answer whose charge came back. No row when the conversation was deleted meanwhile: that is no error. */
export async function refundMessage(tx: Tx, id: string, reason: Reason): Promise<void> {
  await tx.updateTable('message').set({ charged: 0, reason }).where('id', '=', id).execute();
}

/** False if the conversation isn't this account's. */
export async function renameConversation(tx: Tx, accountId: string, id: string, title: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('conversation')
    .set({ title })
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Deletes a conversation with its messages, superseded ones too. False if it isn't this account's. */
export async function deleteConversation(tx: Tx, accountId: string, id: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('conversation')
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

/** Ids of an account's conversations that were begun no later than `at`, at most `limit`. */
export async function findConversations(
  db: Reader,
  accountId: string,
  { at, limit }: { at: number; limit: number },
): Promise<string[]> {
  const rows = await db
    .selectFrom('conversation')
    .select('id')
    .where('account_id', '=', accountId)
    .where('created_at', '<=', at)
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

/** All conversations of an account become another's. Returns their ids. */
export async function moveConversations(tx: Tx, from: string, to: string): Promise<string[]> {
  const rows = await tx
    .updateTable('conversation')
    .set({ account_id: to })
    .where('account_id', '=', from)
    .returning('id')
    .execute();
  return rows.map((row) => row.id);
}

/** What was superseded before `before` is really gone, at most `limit` messages. Returns how many. */
export async function purgeSuperseded(tx: Tx, before: number, limit: number): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('message')
    .where('id', 'in', (eb) => eb.selectFrom('message').select('id').where('superseded_at', '<', before).limit(limit))
    .executeTakeFirst();
  return Number(numDeletedRows);
}

/** How many messages were superseded before `before`. */
export async function countSuperseded(db: Reader, before: number): Promise<number> {
  const { count } = await db
    .selectFrom('message')
    .select((eb) => eb.fn.countAll<number | string>().as('count'))
    .where('superseded_at', '<', before)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Those that no edit or second try has replaced. */
export function live<O>(query: SelectQueryBuilder<Schema, 'message', O>): SelectQueryBuilder<Schema, 'message', O> {
  return query.where('message.superseded_at', 'is', null);
}

export function toExtras(json: string | null): MessageExtras {
  return json ? (JSON.parse(json) as MessageExtras) : { attachments: [] };
}

/** The name by which a message's attachment can be sent again: `<message id>/<place>`. */
export const attachmentId = (messageId: string, place: number) => `${messageId}/${place}`;

/** What a message has attached; of an edit, the lines or files that it is about. */
export function attached(extras: MessageExtras): StoredAttachment[] {
  if (!('edit' in extras)) return extras.attachments;
  const { edit } = extras;
  if ('repairs' in edit) return [];
  if ('files' in edit) return edit.files.map((file) => ({ kind: 'file', ...file }));
  const { path, languageId, selection } = edit;
  const { text, ...range } = selection;
  return [{ kind: 'selection', path, languageId, range, text }];
}
