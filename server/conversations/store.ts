import { type SelectQueryBuilder, sql } from 'kysely';
import type {
  Attachment,
  Conversation,
  ConversationSummary,
  ConversationsAnswer,
  Message,
} from '../../shared/conversations.ts';
import type { Problem } from '../../shared/problems.ts';
import type { AttachmentInput, EditInput, Reason, RunKind, RunState, Usage } from '../../shared/runs.ts';
import { iso } from '../platform/clock.ts';
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

/** A page of the list, newest first; `search` looks into titles and texts. */
export async function listConversations(
  db: Reader,
  accountId: string,
  page: { search?: string; before?: { updatedAt: number; id: string }; limit: number },
): Promise<ConversationsAnswer> {
  let query = db.selectFrom('conversation').selectAll().where('account_id', '=', accountId);
  const { search, before } = page;
  if (search) {
    const pattern = `%${search.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
    query = query.where((eb) =>
      eb.or([
        sql<boolean>`lower(title) like ${pattern} escape '\\'`,
        eb.exists(
          eb
            .selectFrom('message')
            .select('message.id')
            .whereRef('message.conversation_id', '=', 'conversation.id')
            .where('message.superseded_at', 'is', null)
            .where(sql<boolean>`lower(message.text) like ${pattern} escape '\\'`),
        ),
      ]),
    );
  }
  if (before)
    query = query.where((eb) =>
      eb.or([
        eb('updated_at', '<', before.updatedAt),
        eb.and([eb('updated_at', '=', before.updatedAt), eb('id', '<', before.id)]),
      ]),
    );
  const rows = await query
    .orderBy('updated_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
    .execute();
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  return {
    conversations: await withRunning(db, shown),
    before: rows.length > page.limit && last ? `${last.updated_at}.${last.id}` : null,
  };
}

/** Titles of some of the account's conversations, by id. */
export async function readTitles(db: Reader, accountId: string, ids: string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('conversation')
    .select(['id', 'title'])
    .where('account_id', '=', accountId)
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.id, row.title]));
}

/** The newest messages, or those before the message `before`; null if the conversation isn't this account's. */
export async function readConversation(
  db: Reader,
  accountId: string,
  id: string,
  page: { before?: string; limit: number },
): Promise<Conversation | null> {
  const row = await db
    .selectFrom('conversation')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  if (!row) return null;
  let query = live(db.selectFrom('message').selectAll()).where('conversation_id', '=', id);
  if (page.before !== undefined) {
    const edge = await db
      .selectFrom('message')
      .select('seq')
      .where('conversation_id', '=', id)
      .where('id', '=', page.before)
      .executeTakeFirst();
    if (!edge) return null;
    query = query.where('seq', '<', edge.seq);
  }
  const rows = await query
    .orderBy('seq', 'desc')
    .limit(page.limit + 1)
    .execute();
  const shown = rows.slice(0, page.limit).reverse();
  const [summary] = await withRunning(db, [row]);
  return {
    ...summary!,
    messages: shown.map(toMessage),
    before: rows.length > page.limit ? shown[0]!.id : null,
  };
}

/** Some conversations of an account in the order of their ids, after the id `after`. */
export function pageConversations(
  db: Reader,
  accountId: string,
  { after, limit }: { after: string; limit: number },
): Promise<ConversationRow[]> {
  return db
    .selectFrom('conversation')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** A message with all that is kept of it: what is attached with its text, and whether another one has replaced it. */
export interface WholeMessage {
  seq: number;
  message: Message;
  extras: MessageExtras;
  supersededAt: string | null;
}

/** Messages of a conversation in reading order, after the place `after`, superseded ones included. */
export async function pageMessages(
  db: Reader,
  conversationId: string,
  { after, limit }: { after: number; limit: number },
): Promise<WholeMessage[]> {
  const rows = await db
    .selectFrom('message')
    .selectAll()
    .where('conversation_id', '=', conversationId)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    seq: row.seq,
    message: toMessage(row),
    extras: toExtras(row.attachments),
    supersededAt: row.superseded_at === null ? null : iso(row.superseded_at),
  }));
}

/** One message, whoever it belongs to: the caller has asked for its run. */
export async function readMessage(db: Reader, id: string): Promise<Message | null> {
  const row = await db.selectFrom('message').selectAll().where('id', '=', id).executeTakeFirst();
  return row ? toMessage(row) : null;
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

function live<O>(query: SelectQueryBuilder<Schema, 'message', O>): SelectQueryBuilder<Schema, 'message', O> {
  return query.where('message.superseded_at', 'is', null);
}

async function withRunning(db: Reader, rows: ConversationRow[]): Promise<ConversationSummary[]> {
  if (rows.length === 0) return [];
  const running = await db
    .selectFrom('message')
    .select(['conversation_id', 'run_id', 'device'])
    .where('state', '=', 'running')
    .where(
      'conversation_id',
      'in',
      rows.map((row) => row.id),
    )
    .execute();
  return rows.map((row) => {
    const run = running.find((r) => r.conversation_id === row.id);
    return {
      id: row.id,
      title: row.title,
      kind: row.kind,
      updatedAt: iso(row.updated_at),
      ...(run?.run_id ? { running: { runId: run.run_id, device: run.device ?? '' } } : {}),
    };
  });
}

function toExtras(json: string | null): MessageExtras {
  return json ? (JSON.parse(json) as MessageExtras) : { attachments: [] };
}

/** The name by which a message's attachment can be sent again: `<message id>/<place>`. */
export const attachmentId = (messageId: string, place: number) => `${messageId}/${place}`;

function toMessage(row: MessageRow): Message {
  const optional = <T>(value: T | null): T | undefined => value ?? undefined;
  const extras = toExtras(row.attachments);
  return {
    id: row.id,
    role: row.role,
    kind: row.kind,
    text: row.text,
    attachments: toAttachments(row.id, extras),
    runId: optional(row.run_id),
    state: optional(row.state),
    model: optional(row.model),
    usage: row.usage ? (JSON.parse(row.usage) as Usage) : undefined,
    chargedMicro: optional(row.charged),
    reason: optional(row.reason as Reason | null),
    problem: row.problem ? (JSON.parse(row.problem) as Problem) : undefined,
    cutShort: row.cut_short !== null || undefined,
    clampedTo: optional(row.clamped_to),
    continues: optional(row.continues),
    device: optional(row.device),
    createdAt: iso(row.created_at),
  };
}

/** What a message has attached; of an edit, the lines or files that it is about. */
function attached(extras: MessageExtras): StoredAttachment[] {
  if (!('edit' in extras)) return extras.attachments;
  const { edit } = extras;
  if ('repairs' in edit) return [];
  if ('files' in edit) return edit.files.map((file) => ({ kind: 'file', ...file }));
  const { path, languageId, selection } = edit;
  const { text, ...range } = selection;
  return [{ kind: 'selection', path, languageId, range, text }];
}

function toAttachments(messageId: string, extras: MessageExtras): Attachment[] | undefined {
  const shown = attached(extras).map(({ text, ...attachment }, i) => ({
    id: attachmentId(messageId, i),
    ...attachment,
    characters: text.length,
  }));
  return shown.length > 0 ? shown : undefined;
}
