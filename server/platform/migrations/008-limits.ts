import { type Kysely, type Migration, sql } from 'kysely';

/**
 * Limits per minute, counted in the database for all nodes; answers shortened because little credit was left; the tool
 * that caused a line of the token log.
 */
export const limits: Migration = {
  async up(db: Kysely<unknown>) {
    const statements = [
      sql`create table limit_use (
        run_id text primary key, account_id text not null, model text not null,
        tokens bigint not null check (tokens >= 0), at bigint not null)`,
      sql`create index limit_use_window on limit_use (account_id, at)`,
      sql`create index limit_use_at on limit_use (at)`,
      // The output limit that the remaining credit paid for, if it was below the usual one.
      sql`alter table run add column clamped_to bigint`,
      sql`alter table message add column clamped_to bigint`,
      sql`alter table log_entry add column tool text`,
      // Grants and refunds are few among many charges. This index finds them without reading the charges.
      sql`create index log_entry_rare on log_entry (ledger_id, seq) where kind <> 'charge'`,
    ];
    for (const statement of statements) await statement.execute(db);
  },
};
