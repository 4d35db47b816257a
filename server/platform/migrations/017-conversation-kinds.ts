import { type Kysely, type Migration, sql } from 'kysely';

/** Finds a page of chats without reading the edits between them. */
export const conversationKinds: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`create index conversation_kind on conversation (account_id, kind, updated_at, id)`.execute(db);
  },
};
