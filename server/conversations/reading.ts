// Conversations as their owner reads them: lists, pages, whole messages.
import { type SelectQueryBuilder, sql } from 'kysely';
import {
  type Conversation,
  type ConversationSummary,
  type ConversationsAnswer,
  type Message,
  mendMessage,
} from '../../shared/conversations.ts';
import { iso } from '../platform/clock.ts';
import type { Database, Reader } from '../platform/db/database.ts';
import type { ConversationRow, MessageRow, Schema } from '../platform/db/schema.ts';
import { type AttachmentHead, type MessageExtras, readExtras, readHeads, toAttachment } from './attachments.ts';
import { live } from './history.ts';
import { passageOf } from './passage.ts';
import { type FoundConversation, findByText, type ListPage } from './search.ts';

/** A page of the list, newest first; `search` is matched against titles and texts. */
export async function listConversations(
  db: Database,
  accountId: string,
  page: ListPage & { search?: string },
): Promise<ConversationsAnswer> {
  const { search, kind, before, limit } = page;
  // One extra row tells whether another page follows.
  const asked = { kind, before, limit: limit + 1 };
  const rows: (ConversationRow & Partial<FoundConversation>)[] = search
    ? await findByText(db, accountId, search, asked)
    : await findNewest(db.read, accountId, asked);
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const summaries = await withRunning(db.read, shown);
  return {
    conversations: summaries.map((summary, i) => {
      const { around } = shown[i]!;
      return search && around ? { ...summary, passage: passageOf(around, search) } : summary;
    }),
    before: rows.length > limit && last ? cursorOf(last, !search) : null,
  };
}

const cursorOf = ({ pinned_at, updated_at, id }: ConversationRow, areApart: boolean) =>
  `${areApart && pinned_at !== null ? 'p' : ''}${updated_at}.${id}`;

/** The pinned ones, then the others. */
async function findNewest(db: Reader, accountId: string, page: ListPage): Promise<ConversationRow[]> {
  const { before, limit } = page;
  const pinned = !before || before.isPinned ? await findPart(db, accountId, page, true) : [];
  if (pinned.length === limit) return pinned;
  const rest = { ...page, before: before?.isPinned ? undefined : before, limit: limit - pinned.length };
  return [...pinned, ...(await findPart(db, accountId, rest, false))];
}

function findPart(
  db: Reader,
  accountId: string,
  { kind, before, limit }: ListPage,
  isPinned: boolean,
): Promise<ConversationRow[]> {
  let query = db
    .selectFrom('conversation')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('pinned_at', isPinned ? 'is not' : 'is', null);
  if (kind) query = query.where('kind', '=', kind);
  if (before)
    query = query.where((eb) =>
      eb.or([
        eb('updated_at', '<', before.updatedAt),
        eb.and([eb('updated_at', '=', before.updatedAt), eb('id', '<', before.id)]),
      ]),
    );
  return query.orderBy('updated_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
}

/** Titles of the given conversations of the account, by id. */
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

/** Null if the conversation isn't this account's. */
export async function findConversation(db: Reader, accountId: string, id: string): Promise<ConversationRow | null> {
  const query = db.selectFrom('conversation').selectAll().where('id', '=', id).where('account_id', '=', accountId);
  return (await query.executeTakeFirst()) ?? null;
}

/** The newest messages, or those before the message `before`; null if the conversation isn't this account's. */
export async function readConversation(
  db: Reader,
  accountId: string,
  id: string,
  page: { before?: string; limit: number },
): Promise<Conversation | null> {
  const row = await findConversation(db, accountId, id);
  if (!row) return null;
  let query = live(db.selectFrom('message')).where('conversation_id', '=', id);
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
  const sizes = await query
    .select(['id', 'seq', shownBytes.as('bytes')])
    .orderBy('seq', 'desc')
    .limit(page.limit + 1)
    .execute();
  const ids = fitting(sizes.slice(0, page.limit)).map((row) => row.id);
  const [summary] = await withRunning(db, [row]);
  return {
    ...summary!,
    messages: await messagesOf(db, ids.reverse()),
    before: sizes.length > ids.length ? ids[0]! : null,
  };
}

/** The maximum text of a page, except for a page of one longer message. */
const PAGE_BYTES = 1_000_000;

/** The size of a message on a page. Both engines give a text's length in bytes without reading it. */
const shownBytes = sql<number | string>`octet_length(text) + coalesce(octet_length(thinking), 0) + coalesce(
  (select sum(200 + octet_length(coalesce(path, ''))) from attachment where message_id = message.id), 0)`;

/** The first rows that fit into a page; at least one. */
function fitting<T extends { bytes: number | string }>(rows: readonly T[]): T[] {
  let bytes = 0;
  const end = rows.findIndex((row, i) => {
    bytes += Number(row.bytes);
    return i > 0 && bytes > PAGE_BYTES;
  });
  return end === -1 ? [...rows] : rows.slice(0, end);
}

async function messagesOf(db: Reader, ids: readonly string[]): Promise<Message[]> {
  if (ids.length === 0) return [];
  const heads = await readHeads(db, ids);
  return (await rowsOf(db, ids)).map((row) => toMessage(row, heads.get(row.id)));
}

/** Conversations of an account in the order of their ids, starting after the id `after`. */
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

/** A message with everything stored about it: attachments with their texts, and whether it was superseded. */
export interface WholeMessage {
  message: Message;
  extras: MessageExtras;
  supersededAt: string | null;
}

/** All messages of a conversation with their extras, in reading order, superseded ones included. In pieces. */
export async function* wholeMessages(db: Reader, conversationId: string): AsyncGenerator<WholeMessage> {
  for (let after = 0; ; ) {
    const query = db.selectFrom('message').select(['id', wholeBytes.as('bytes')]);
    const ids = await nextIds(query.where('conversation_id', '=', conversationId), after);
    if (ids.length === 0) return;
    const extras = await readExtras(db, ids);
    for (const row of await rowsOf(db, ids)) {
      yield {
        message: toMessage(row, undefined),
        extras: extras.get(row.id) ?? { attachments: [] },
        supersededAt: row.superseded_at === null ? null : iso(row.superseded_at),
      };
      after = row.seq;
    }
  }
}

/** The live messages as they are shown, in reading order. In pieces. */
export async function* shownMessages(db: Reader, conversationId: string): AsyncGenerator<Message> {
  for (let after = 0; ; ) {
    const query = live(db.selectFrom('message')).select(['id', shownBytes.as('bytes')]);
    const ids = await nextIds(query.where('conversation_id', '=', conversationId), after);
    if (ids.length === 0) return;
    const heads = await readHeads(db, ids);
    for (const row of await rowsOf(db, ids)) {
      yield toMessage(row, heads.get(row.id));
      after = row.seq;
    }
  }
}

type ReadRow = MessageRow & { is_used: number | boolean | null };

/** `is_used`: the conversation's prompts begin with it. */
const rowsOf = (db: Reader, ids: readonly string[]): Promise<ReadRow[]> =>
  db
    .selectFrom('message')
    .selectAll()
    .select(
      sql<
        number | boolean | null
      >`(select c.summary_id = message.id from conversation c where c.id = message.conversation_id)`.as('is_used'),
    )
    .where('id', 'in', ids)
    .orderBy('seq')
    .execute();

async function nextIds(
  query: SelectQueryBuilder<Schema, 'message', { id: string; bytes: number | string }>,
  after: number,
): Promise<string[]> {
  const rows = await query.where('seq', '>', after).orderBy('seq').limit(MESSAGES_AT_ONCE).execute();
  return fitting(rows).map(({ id }) => id);
}

const MESSAGES_AT_ONCE = 20;

const wholeBytes = sql<number | string>`octet_length(text) + coalesce(octet_length(thinking), 0)
  + coalesce((select sum(octet_length(attachment.text)) from attachment where message_id = message.id), 0)
  + coalesce((select octet_length(content) from edit_input where message_id = message.id), 0)`;

/** One message of any account: the caller has checked who owns its run. */
export async function readMessage(db: Reader, id: string): Promise<Message | null> {
  const [message] = await messagesOf(db, [id]);
  return message ?? null;
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
      ...(row.pinned_at === null ? {} : { pinned: true as const }),
      ...(run?.run_id ? { running: { runId: run.run_id, device: run.device ?? '' } } : {}),
    };
  });
}

function toMessage(row: ReadRow, heads: readonly AttachmentHead[] | undefined): Message {
  const optional = <T>(value: T | null): T | undefined => value ?? undefined;
  return mendMessage({
    id: row.id,
    role: row.role,
    kind: row.kind,
    text: row.text,
    thinking: row.thinking === null ? undefined : { text: row.thinking, ms: row.thinking_ms ?? 0 },
    attachments: heads?.map(toAttachment),
    runId: optional(row.run_id),
    state: optional(row.state),
    model: optional(row.model),
    usage: row.usage ? parsed(row.usage) : undefined,
    chargedMicro: optional(row.charged),
    reason: optional(row.reason),
    problem: row.problem ? parsed(row.problem) : undefined,
    cutShort: row.cut_short !== null || undefined,
    clampedTo: optional(row.clamped_to),
    effort: optional(row.effort),
    summary: row.summary === null ? undefined : row.is_used ? 'used' : 'unused',
    continues: optional(row.continues),
    device: optional(row.device),
    createdAt: iso(row.created_at),
  });
}

/** An empty object for invalid JSON: the row shows that something was stored. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return {};
  }
}
