import { type Kysely, type Migration, sql } from 'kysely';

/**
 * How hard a model thinks; conversations that are pinned, titled by a model, and compacted; and what the house asks
 * models for itself.
 */
export const efforts: Migration = {
  async up(db: Kysely<unknown>) {
    const statements = [
      sql`alter table run add column effort text`,
      sql`alter table message add column effort text`,
      sql`alter table conversation add column pinned_at bigint`,
      sql`alter table conversation add column titled text check (titled in ('user','asked','model'))`,
      sql`create index conversation_pinned on conversation (account_id, updated_at, id) where pinned_at is not null`,
      sql`create table house_use (
        id text primary key, purpose text not null check (purpose in ('title')), model text not null,
        input_tokens bigint not null, cached_input_tokens bigint not null, output_tokens bigint not null,
        estimated integer not null, cost bigint not null check (cost >= 0), at bigint not null)`,
      sql`create index house_use_at on house_use (at)`,
      sql`alter table run add column compacts integer`,
      sql`alter table message add column summary integer`,
      sql`alter table conversation add column summary_id text`,
    ];
    for (const statement of statements) await statement.execute(db);
  },
};
