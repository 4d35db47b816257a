import { sql } from 'kysely';

/**
 * Where the prompts of a conversation begin that have its messages up to `upTo`: at the summary that it uses, or at the
 * first message. An expression, for a query on messages.
 */
export const promptStart = (conversationId: string, upTo: number) =>
  sql<number>`coalesce((select s.seq from conversation c join message s on s.id = c.summary_id
    where c.id = ${conversationId} and s.superseded_at is null and s.seq <= ${upTo}), 0)`;

/** Whether a message belongs into prompts: it is no summary, or the one that its conversation uses. */
export const isInPrompt = (conversationId: string) =>
  sql<boolean>`(message.summary is null or message.id = (select summary_id from conversation where id = ${conversationId}))`;
