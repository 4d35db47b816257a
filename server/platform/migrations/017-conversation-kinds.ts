import { type Kysely, type Migration, sql } from 'kysely';

/** Answers a page of chats alone, however many edits there are between them. */
export const conversationKinds: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`create index conversation_kind on conversation (account_id, kind, updated_at, id)`.execute(db);
  },
};
