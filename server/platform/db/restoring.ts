import { type Kysely, sql } from 'kysely';
import type { Database, Tx } from './database.ts';
import type { Schema } from './schema.ts';

// A table that only a backup has: when the backup was made and what it needs. If a server finds it, an operator has
// restored a backup, by a command or by copying the file, and the server does the remaining steps. The last step drops
// the table, so it is no part of the schema.

export const BACKUP_TABLE = 'perigee_backup';

/** Why no backup was made or restored, in one line that tells the operator what to do. Nothing was changed. */
export class BackupRefused extends Error {}

/** The facts that a backup stores about itself. */
export interface BackupFacts {
  /** Epoch ms, before the first row was read. */
  takenAt: number;
  /** A keyed hash of SECRET: 16 hex digits. Null: unknown. */
  secret: string | null;
  /** Names of the server's settings, without their values. */
  settings: string[];
}

/** The steps after a restore; the value of each is JSON. Absent: not done yet. */
export type RestoreStep = 'sessions' | 'runs' | 'deletions' | 'payments';

export interface Restoring {
  facts: BackupFacts;
  done: Partial<Record<RestoreStep, unknown>>;
}

/** Null: this database is in ordinary use. */
export async function readRestoring(db: Pick<Database, 'engine' | 'read'>): Promise<Restoring | null> {
  const { rows: found } = await (db.engine === 'sqlite'
    ? sql`select 1 from sqlite_master where type = 'table' and name = ${BACKUP_TABLE}`
    : sql`select 1 from pg_tables where schemaname = current_schema() and tablename = ${BACKUP_TABLE}`
  ).execute(db.read);
  if (found.length === 0) return null;
  const { rows } = await sql<Row>`select name, value from ${sql.table(BACKUP_TABLE)}`.execute(db.read);
  return parse(rows);
}

export interface Row {
  name: string;
  value: string;
}

export function parse(rows: readonly Row[]): Restoring {
  const all = new Map(rows.map(({ name, value }) => [name, JSON.parse(value) as unknown]));
  const facts: BackupFacts = {
    takenAt: Number(all.get('takenAt') ?? 0),
    secret: (all.get('secret') as string | null) ?? null,
    settings: (all.get('settings') as string[]) ?? [],
  };
  const steps: RestoreStep[] = ['sessions', 'runs', 'deletions', 'payments'];
  return {
    facts,
    done: Object.fromEntries(steps.filter((step) => all.has(step)).map((step) => [step, all.get(step)])),
  };
}

/** Marks a database as a backup. An earlier mark, with its finished steps, is replaced. */
export async function markBackup(db: Kysely<Schema>, facts: BackupFacts): Promise<void> {
  await sql`drop table if exists ${sql.table(BACKUP_TABLE)}`.execute(db);
  await sql`create table ${sql.table(BACKUP_TABLE)} (name text primary key, value text not null)`.execute(db);
  for (const [name, value] of Object.entries(facts))
    await sql`insert into ${sql.table(BACKUP_TABLE)} (name, value) values (${name}, ${JSON.stringify(value)})`.execute(
      db,
    );
}

/** Records that a step is done, in the transaction that completes it. */
export async function markDone(tx: Tx, step: RestoreStep, result: unknown): Promise<void> {
  await sql`insert into ${sql.table(BACKUP_TABLE)} (name, value) values (${step}, ${JSON.stringify(result)})
    on conflict (name) do update set value = excluded.value`.execute(tx);
}

/** All steps are done: from now on this is an ordinary database. */
export async function endRestoring(tx: Tx): Promise<void> {
  await sql`drop table if exists ${sql.table(BACKUP_TABLE)}`.execute(tx);
}

/** Epoch ms of the newest row in a database. Anything that it lacks is not older. 0 for an empty one. */
export async function newestIn(db: Kysely<Schema>): Promise<number> {
  const { rows } = await sql<{ newest: number | null }>`select max(at) as newest from (
    select max(at) as at from transfer union all select max(at) from payment_event
    union all select max(created_at) from payment union all select max(created_at) from run
    union all select max(created_at) from session) t`.execute(db);
  return Number(rows[0]?.newest ?? 0);
}
