import { type Kysely, type Migration, sql } from 'kysely';

/** The first schema. `engine` decides only how triggers and sequences are written; other SQL is the same for both. */
export function main(engine: 'sqlite' | 'postgres'): Migration {
  return {
    async up(db: Kysely<unknown>) {
      const at = (column: string) => sql.raw(`${column} bigint not null`);
      const statements = [
        sql`create table account (
          id text primary key, kind text not null check (kind in ('guest','member')),
          ${at('created_at')}, ${at('last_active_at')})`,
        sql`create table token (
          id text primary key, account_id text not null references account(id) on delete cascade,
          token_hash text not null unique, ${at('created_at')}, ${at('last_used_at')}, revoked_at bigint)`,
        sql`create index token_account on token (account_id)`,
        sql`create table guest_admission (id text primary key, network text not null, ${at('at')})`,
        sql`create index guest_admission_network on guest_admission (network, at)`,
        sql`create index guest_admission_at on guest_admission (at)`,

        // A row to lock: whoever counts guests locks it first, so that two nodes never count at once.
        sql`create table gate (name text primary key)`,
        sql`insert into gate (name) values ('guests')`,

        sql`create table wallet (
          account_id text primary key, ledger_id text not null unique, of_micro bigint not null check (of_micro >= 0))`,
        sql`create table balance (
          ledger_id text not null, kind text not null check (kind in ('promotional','purchased')),
          posted bigint not null, pending bigint not null,
          primary key (ledger_id, kind), check (pending >= 0 and posted - pending >= 0))`,
        sql`create table transfer (
          id text primary key, debit text not null, credit text not null, amount bigint not null check (amount > 0),
          kind text not null, request_id text not null, hold_id text, ${at('at')}, check (debit <> credit))`,
        sql`create index transfer_debit on transfer (debit)`,
        sql`create index transfer_credit on transfer (credit)`,
        sql`create index transfer_hold on transfer (hold_id)`,
        sql`create table hold (
          id text primary key, ledger_id text not null, run_id text not null unique,
          state text not null check (state in ('pending','posted','voided','expired')),
          amount bigint not null check (amount >= 0), promotional bigint not null check (promotional >= 0),
          purchased bigint not null check (purchased >= 0), posted_amount bigint not null default 0,
          ${at('created_at')}, resolved_at bigint,
          check (promotional + purchased = amount), check (posted_amount >= 0 and posted_amount <= amount),
          check (state = 'posted' or posted_amount = 0), check ((state = 'pending') = (resolved_at is null)))`,
        sql`create index hold_open on hold (ledger_id) where state = 'pending'`,
        sql`create table log_entry (
          seq ${sequence(engine)}, id text not null unique, ledger_id text not null, kind text not null, amount bigint not null,
          balance bigint, absorbed bigint not null default 0 check (absorbed >= 0), reason text not null,
          reason_code text, run_id text, conversation_id text, model text, input_tokens bigint,
          cached_input_tokens bigint, output_tokens bigint, estimated bigint, ${at('at')})`,
        sql`create index log_entry_page on log_entry (ledger_id, seq)`,
        sql`create unique index log_entry_run on log_entry (run_id) where kind in ('charge','not_charged')`,
        sql`create index log_entry_at on log_entry (ledger_id, at)`,

        sql`create table conversation (
          id text primary key, account_id text not null references account(id) on delete cascade,
          title text not null, kind text not null, ${at('created_at')}, ${at('updated_at')})`,
        sql`create index conversation_list on conversation (account_id, updated_at, id)`,
        sql`create table message (
          id text primary key, conversation_id text not null references conversation(id) on delete cascade,
          seq bigint not null, role text not null, kind text not null, text text not null, attachments text,
          run_id text, state text, model text, usage text, charged bigint, reason text, problem text, continues text,
          device text, ${at('created_at')}, superseded_at bigint, superseded_by text,
          unique (conversation_id, seq))`,
        sql`create index message_running on message (conversation_id) where state = 'running'`,
        sql`create index message_superseded on message (superseded_at) where superseded_at is not null`,

        sql`create table run (
          id text primary key, conversation_id text not null, account_id text not null, user_message_id text,
          message_id text not null, kind text not null, model text not null, state text not null, device text not null,
          request_hash text not null, max_output_tokens bigint not null, owner_node text not null, ${at('lease_until')},
          stop_requested bigint not null default 0, checkpoint text not null, price text not null,
          last_seq bigint not null default 0, ${at('created_at')}, ended_at bigint, outcome text)`,
        // One running run per conversation, across all clients and nodes.
        sql`create unique index run_open on run (conversation_id) where state = 'running'`,
        sql`create index run_conversation on run (conversation_id)`,
        sql`create index run_lease on run (lease_until) where state = 'running'`,
        sql`create index run_ended on run (ended_at) where ended_at is not null`,
        sql`create table run_event (
          run_id text not null references run(id) on delete cascade, first_seq bigint not null, last_seq bigint not null,
          payload text not null, primary key (run_id, first_seq))`,
      ];
      for (const statement of statements) await statement.execute(db);
      for (const statement of appendOnly(engine)) await statement.execute(db);
    },
  };
}

/** A key that the database increments. */
function sequence(engine: 'sqlite' | 'postgres') {
  return sql.raw(
    engine === 'sqlite' ? 'integer primary key autoincrement' : 'bigint generated always as identity primary key',
  );
}

/** The journal is append-only: triggers refuse updates and deletions. */
function appendOnly(engine: 'sqlite' | 'postgres') {
  if (engine === 'sqlite')
    return ['update', 'delete'].map((verb) =>
      sql.raw(
        `create trigger transfer_no_${verb} before ${verb} on transfer begin select raise(abort, 'the journal is append-only'); end`,
      ),
    );
  return [
    sql.raw(`create function transfer_append_only() returns trigger language plpgsql as
      $$ begin raise exception 'the journal is append-only'; end $$`),
    sql.raw(`create trigger transfer_append_only before update or delete or truncate on transfer
      for each statement execute function transfer_append_only()`),
  ];
}
