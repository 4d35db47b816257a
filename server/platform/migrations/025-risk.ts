import { type Kysely, type Migration, sql } from 'kysely';

/** What is known of how an account is used, in keyed hashes, and the keys, which end with their period. */
export function risk(engine: 'sqlite' | 'postgres'): Migration {
  return {
    async up(db: Kysely<unknown>) {
      const bytes = sql.raw(engine === 'postgres' ? 'bytea' : 'blob');
      const statements = [
        sql`create table risk_key (
          period bigint primary key, key text not null, starts_at bigint not null, ends_at bigint not null)`,
        // Its period is no foreign key: a key is deleted at once, and the rows that it makes useless in pieces.
        sql`create table risk_sketch (
          account_id text not null references account(id) on delete cascade, period bigint not null,
          state ${bytes} not null, version bigint not null, flushed text not null, seen_at bigint not null,
          primary key (account_id, period))`,
        sql`create table risk_device (
          period bigint not null, device bigint not null, accounts bigint not null, primary key (period, device))`,
        sql`create index risk_sketch_period on risk_sketch (period)`,
      ];
      for (const statement of statements) await statement.execute(db);
    },
  };
}
