import { type Kysely, type Migration, sql } from 'kysely';

/** The bytes of the pictures attached to messages, apart from the attachments, which are listed with each message. */
export function pictures(engine: 'sqlite' | 'postgres'): Migration {
  return {
    async up(db: Kysely<unknown>) {
      const bytes = sql.raw(engine === 'postgres' ? 'bytea' : 'blob');
      const statements = [
        sql`create table picture (
          message_id text not null references message(id) on delete cascade, place bigint not null,
          conversation_id text not null references conversation(id) on delete cascade, media_type text not null,
          width bigint not null, height bigint not null, size bigint not null, bytes ${bytes} not null,
          primary key (message_id, place))`,
        sql`create index picture_of_conversation on picture (conversation_id)`,
      ];
      for (const statement of statements) await statement.execute(db);
    },
  };
}
