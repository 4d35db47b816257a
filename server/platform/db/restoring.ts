import { type Kysely, sql } from 'kysely';
import type { Database, Tx } from './database.ts';
import type { Schema } from './schema.ts';

// A table that a backup has and a database in use has not: when the backup was made and what it needs. Where it is there,
// somebody has put a backup into use, and what is still to be done about that is done: whichever way the file came here.
// It goes when all is done, and so it is no part of the schema.

export const BACKUP_TABLE = 'perigee_backup';

/** Why no backup was made or restored, in one line that says what to do. Nothing was changed. */
export class BackupRefused extends Error {}

/** What a backup says of itself. */
export interface BackupFacts {
  /** Epoch ms, before the first row was read. */
  takenAt: number;
  /** Of SECRET, a keyed hash: 16 hex digits. Null: not known. */
  secret: string | null;
  /** Names of the settings that the server had, without their values. */
  settings: string[];
}

/** What has been done since a backup was put into use; each value is JSON. Absent: not done yet. */
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

/** Says of a database that it is a backup. Of one that is one already only `facts` counts. */
export async function markBackup(db: Kysely<Schema>, facts: BackupFacts): Promise<void> {
  await sql`drop table if exists ${sql.table(BACKUP_TABLE)}`.execute(db);
  await sql`create table ${sql.table(BACKUP_TABLE)} (name text primary key, value text not null)`.execute(db);
  for (const [name, value] of Object.entries(facts))
    await sql`insert into ${sql.table(BACKUP_TABLE)} (name, value) values (${name}, ${JSON.stringify(value)})`.execute(
      db,
    );
}

/** Writes down that a step is done, in the transaction that does the last of it. */
export async function markDone(tx: Tx, step: RestoreStep, result: unknown): Promise<void> {
  await sql`insert into ${sql.table(BACKUP_TABLE)} (name, value) values (${step}, ${JSON.stringify(result)})
    on conflict (name) do update set value = excluded.value`.execute(tx);
}

/** All is done: the database is as any other from now on. */
export async function endRestoring(tx: Tx): Promise<void> {
  await sql`drop table if exists ${sql.table(BACKUP_TABLE)}`.execute(tx);
}

/** Epoch ms of the newest thing that a database knows: whatever it doesn't know is not older. 0 for an empty one. */
export async function newestIn(db: Kysely<Schema>): Promise<number> {
  const { rows } = await sql<{ newest: number | null }>`select max(at) as newest from (
    select max(at) as at from transfer union all select max(at) from payment_event
    union all select max(created_at) from payment union all select max(created_at) from run
    union all select max(created_at) from session) t`.execute(db);
  return Number(rows[0]?.newest ?? 0);
}
