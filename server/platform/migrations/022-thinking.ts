import { type Kysely, type Migration, sql } from 'kysely';

/** A message keeps what the model thought, beside its text, so that neither prompts nor the search read it. */
export const thinking: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`alter table message add column thinking text`.execute(db);
    await sql`alter table message add column thinking_ms bigint`.execute(db);
  },
};
