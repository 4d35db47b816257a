import { type Kysely, type Migration, sql } from 'kysely';

/** Codes by mail. Several can be valid at once: each belongs to the browser or the account that asked for it. */
export const mailCodes: Migration = {
  async up(db: Kysely<unknown>) {
    const statements = [
      sql`create table mail_code (
        hash text primary key, holder text not null, tries bigint not null, expires_at bigint not null)`,
      sql`create index mail_code_holder on mail_code (holder)`,
      sql`create index mail_code_expires on mail_code (expires_at)`,
      // Codes of unfinished address changes are dropped; their users have to ask again.
      sql`delete from one_time_code where purpose = 'email'`,
    ];
    for (const statement of statements) await statement.execute(db);
  },
};
