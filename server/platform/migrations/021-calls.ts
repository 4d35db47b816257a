import { type Kysely, type Migration, sql } from 'kysely';

/** A run may be the call of a tool: it belongs to no conversation and has no message. */
export function calls(engine: 'sqlite' | 'postgres'): Migration {
  return {
    async up(db: Kysely<unknown>) {
      const columns = ['conversation_id', 'message_id'];
      if (engine === 'postgres') {
        for (const column of columns) await sql.raw(`alter table run alter column ${column} drop not null`).execute(db);
        return;
      }
      // SQLite can't take the condition from a column, so each moves to a new one. Rebuilding the table instead would
      // delete the stored events, which refer to it.
      const statements = [
        'drop index run_open',
        'drop index run_conversation',
        ...columns.flatMap((column) => [
          `alter table run add column ${column}_ text`,
          `update run set ${column}_ = ${column}`,
          `alter table run drop column ${column}`,
          `alter table run rename column ${column}_ to ${column}`,
        ]),
        `create unique index run_open on run (conversation_id) where state = 'running'`,
        'create index run_conversation on run (conversation_id)',
      ];
      for (const statement of statements) await sql.raw(statement).execute(db);
    },
  };
}
