// Conversations as their owner reads them: lists, pages, whole messages.
import { sql } from 'kysely';
import {
  type Attachment,
  type Conversation,
  type ConversationSummary,
  type ConversationsAnswer,
  type Message,
  mendMessage,
} from '../../shared/conversations.ts';
import { iso } from '../platform/clock.ts';
import type { Reader } from '../platform/db/database.ts';
import type { ConversationRow, MessageRow } from '../platform/db/schema.ts';
import { attached, attachmentId, live, type MessageExtras, toExtras } from './store.ts';

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

function toMessage(row: MessageRow): Message {
  const optional = <T>(value: T | null): T | undefined => value ?? undefined;
  const extras = toExtras(row.attachments);
  return mendMessage({
    id: row.id,
    role: row.role,
    kind: row.kind,
    text: row.text,
    attachments: toAttachments(row.id, extras),
    runId: optional(row.run_id),
    state: optional(row.state),
    model: optional(row.model),
    usage: row.usage ? parsed(row.usage) : undefined,
    chargedMicro: optional(row.charged),
    reason: optional(row.reason),
    problem: row.problem ? parsed(row.problem) : undefined,
    cutShort: row.cut_short !== null || undefined,
    clampedTo: optional(row.clamped_to),
    continues: optional(row.continues),
    device: optional(row.device),
    createdAt: iso(row.created_at),
  });
}

/** An object without members for what is no JSON: that something was stored is known. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return {};
  }
}

function toAttachments(messageId: string, extras: MessageExtras): Attachment[] | undefined {
  const shown = attached(extras).map(({ text, ...attachment }, i) => ({
    id: attachmentId(messageId, i),
    ...attachment,
    characters: text.length,
  }));
  return shown.length > 0 ? shown : undefined;
}
