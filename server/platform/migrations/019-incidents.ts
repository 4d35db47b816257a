import { type Kysely, type Migration, sql } from 'kysely';

/** The operator's messages to all users, and the promotions that give credits. Their claims are in `bonus_claim`. */
export const incidents: Migration = {
  async up(db: Kysely<unknown>) {
    const statements = [
      sql`create table operator_notice (
        id text primary key, text text not null, at bigint not null, until bigint not null,
        by_mail integer not null check (by_mail in (0, 1)))`,
      sql`create table promotion (
        name text primary key, audience text not null check (audience in ('signups','members')),
        amount bigint not null check (amount > 0), budget bigint not null, given bigint not null default 0,
        why text not null, starts_at bigint not null, ends_at bigint not null, created_at bigint not null,
        check (given >= 0 and given <= budget))`,
    ];
    for (const statement of statements) await statement.execute(db);
  },
};
