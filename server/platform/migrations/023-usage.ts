import { type Kysely, type Migration, sql } from 'kysely';

/** Finds the lines of one API key in a long token log. Few lines have a key, so the index is small. */
export const usage: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`create index log_entry_key on log_entry (ledger_id, key_id, seq) where key_id is not null`.execute(db);
  },
};
