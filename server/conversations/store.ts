import type { Message } from '../../shared/conversations.ts';
import type { Reason, RunState, Usage } from '../../shared/runs.ts';
import type { Reader, Tx } from '../platform/db/database.ts';
import { deleted } from '../platform/db/deletions.ts';
import { prepared } from '../platform/db/prepared.ts';
import type { ConversationRow, MessageRow } from '../platform/db/schema.ts';
import { insertExtras, type MessageExtras, type PromptSize } from './attachments.ts';

/** The conversation, if it is this account's. On PostgreSQL its row stays locked until the transaction ends. */
export const claimConversation = (tx: Tx, accountId: string, id: string, at: number) =>
  updateClaimed.first(tx, { accountId, id, at });

const updateClaimed = prepared((db, p: { accountId: string; id: string; at: number }) =>
  db
    .updateTable('conversation')
    .set({ updated_at: p.at })
    .where('id', '=', p.id)
    .where('account_id', '=', p.accountId)
    .returningAll(),
);

/** Creates a conversation. False if any account already uses the id. */
export async function createConversation(tx: Tx, row: NewConversation): Promise<boolean> {
  return (await insertConversation.run(tx, row)) === 1n;
}

type NewConversation = Omit<ConversationRow, 'pinned_at' | 'titled' | 'summary_id'>;

const insertConversation = prepared((db, p: NewConversation) =>
  db
    .insertInto('conversation')
    .values({
      id: p.id,
      account_id: p.account_id,
      title: p.title,
      kind: p.kind,
      created_at: p.created_at,
      updated_at: p.updated_at,
    })
    .onConflict((oc) => oc.column('id').doNothing()),
);

/** Supersedes a message and all later ones. They are kept for a while, for undo. */
export async function supersedeFrom(tx: Tx, conversationId: string, seq: number, runId: string, at: number) {
  await tx
    .updateTable('message')
    .set({ superseded_at: at, superseded_by: runId })
    .where('conversation_id', '=', conversationId)
    .where('seq', '>=', seq)
    .where('superseded_at', 'is', null)
    .execute();
}

export interface NewMessage {
  row: Pick<MessageRow, 'id' | 'role' | 'kind' | 'text'> & Partial<MessageRow>;
  /** The message's extras, and the size of each attachment in a prompt. */
  extras?: { content: MessageExtras; sizes: readonly PromptSize[] };
}

/** Appends messages in the order given. */
export async function appendMessages(tx: Tx, conversationId: string, messages: NewMessage[], at: number) {
  const last = Number((await selectLast.first(tx, { conversationId }))?.last ?? 0);
  for (const [i, { row }] of messages.entries())
    await insertMessage.run(tx, {
      ...NO_MESSAGE,
      ...row,
      conversation_id: conversationId,
      seq: last + 1 + i,
      created_at: at,
    });
  for (const { row, extras } of messages)
    if (extras) await insertExtras(tx, { conversationId, messageId: row.id }, extras.content, extras.sizes);
}

const selectLast = prepared((db, p: { conversationId: string }) =>
  db
    .selectFrom('message')
    .select((eb) => eb.fn.max('seq').as('last'))
    .where('conversation_id', '=', p.conversationId),
);

const insertMessage = prepared((db, p: MessageRow) =>
  db.insertInto('message').values({
    id: p.id,
    conversation_id: p.conversation_id,
    seq: p.seq,
    role: p.role,
    kind: p.kind,
    text: p.text,
    run_id: p.run_id,
    state: p.state,
    model: p.model,
    usage: p.usage,
    charged: p.charged,
    reason: p.reason,
    problem: p.problem,
    cut_short: p.cut_short,
    clamped_to: p.clamped_to,
    continues: p.continues,
    device: p.device,
    created_at: p.created_at,
    superseded_at: p.superseded_at,
    superseded_by: p.superseded_by,
    tokens: p.tokens,
    bytes: p.bytes,
    thinking: p.thinking,
    thinking_ms: p.thinking_ms,
    effort: p.effort,
    summary: p.summary,
  }),
);

const NO_MESSAGE = {
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
  tokens: null,
  bytes: null,
  thinking: null,
  thinking_ms: null,
  effort: null,
  summary: null,
};

/** Stores the end of an answer. No row is left if the conversation was deleted meanwhile; that is no error. */
export async function finishMessage(
  tx: Tx,
  { id, conversationId }: { id: string; conversationId: string },
  end: Pick<Message, 'text' | 'thinking' | 'cutShort' | 'reason' | 'problem'> & {
    state: RunState;
    usage: Usage;
    chargedMicro: number;
    /** The size of the text in a later prompt. */
    size: PromptSize;
  },
): Promise<void> {
  await updateFinished.run(tx, {
    id,
    conversation_id: conversationId,
    text: end.text,
    state: end.state,
    usage: JSON.stringify(end.usage),
    charged: end.chargedMicro,
    reason: end.reason ?? null,
    problem: end.problem ? JSON.stringify(end.problem) : null,
    cut_short: end.cutShort ? 1 : null,
    tokens: end.size.tokens,
    bytes: end.size.bytes,
    thinking: end.thinking?.text ?? null,
    thinking_ms: end.thinking?.ms ?? null,
  });
}

type Finished = Pick<
  MessageRow,
  | 'id'
  | 'conversation_id'
  | 'text'
  | 'state'
  | 'usage'
  | 'charged'
  | 'reason'
  | 'problem'
  | 'cut_short'
  | 'tokens'
  | 'bytes'
  | 'thinking'
  | 'thinking_ms'
>;

const updateFinished = prepared((db, p: Finished) =>
  db
    .updateTable('message')
    .set({
      text: p.text,
      state: p.state,
      usage: p.usage,
      charged: p.charged,
      reason: p.reason,
      problem: p.problem,
      cut_short: p.cut_short,
      tokens: p.tokens,
      bytes: p.bytes,
      thinking: p.thinking,
      thinking_ms: p.thinking_ms,
    })
    .where('id', '=', p.id)
    .where('conversation_id', '=', p.conversation_id),
);

/** Marks an answer as refunded. No row is left if the conversation was deleted meanwhile; that is no error. */
export async function refundMessage(tx: Tx, id: string, reason: Reason): Promise<void> {
  await tx.updateTable('message').set({ charged: 0, reason }).where('id', '=', id).execute();
}

/** False if the conversation isn't this account's. */
export async function changeConversation(
  tx: Tx,
  accountId: string,
  id: string,
  change: Partial<Pick<ConversationRow, 'title' | 'titled' | 'pinned_at' | 'summary_id'>>,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('conversation')
    .set(change)
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
  if (numDeletedRows !== 1n) return false;
  deleted(tx, { what: 'conversation', id });
  return true;
}

/** Ids of an account's conversations that were started no later than `at`, at most `limit`. */
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

/** Moves all conversations of one account to another. Returns their ids. */
export async function moveConversations(tx: Tx, from: string, to: string): Promise<string[]> {
  const rows = await tx
    .updateTable('conversation')
    .set({ account_id: to })
    .where('account_id', '=', from)
    .returning('id')
    .execute();
  return rows.map((row) => row.id);
}

/** Deletes at most `limit` messages that were superseded before `before`. Returns how many. */
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
