import { type Kysely, type Migration, sql } from 'kysely';

/** The record of every request, without its text. */
export const requests: Migration = {
  async up(db: Kysely<unknown>) {
    const statements = [
      // By it, whoever ends the run of a node that died names its request.
      sql`alter table run add column request_id text`,
      sql`create table request (
        id text primary key, run_id text, account_id text not null references account(id) on delete cascade,
        at bigint not null, route text not null, tool text not null, key_id text, asked text, model text, service text,
        attempts integer, first_ms integer, whole_ms integer not null, input_tokens bigint, cached_input_tokens bigint,
        output_tokens bigint, thinking_tokens bigint, estimated integer,
        outcome text not null check (outcome in ('answered','stopped','refused','failed','interrupted')),
        code text, status integer, charged bigint not null, times integer not null)`,
      sql`create index request_of_account on request (account_id, at, id)`,
      sql`create index request_unanswered on request (account_id, at, id)
        where outcome in ('refused','failed','interrupted')`,
      sql`create index request_of_run on request (run_id) where run_id is not null`,
      sql`create index request_at on request (at)`,
    ];
    for (const statement of statements) await statement.execute(db);
  },
};
