import { DEFAULT_MIGRATION_TABLE, type Kysely, Migrator, sql } from 'kysely';
import { ConfigError } from '../config/config.ts';
import { migrations } from '../migrations/index.ts';
import type { Schema } from './schema.ts';

/** For commands: a newly created database has consistent books, which would say nothing about the intended one. */
export function noPerigee(where: string): ConfigError {
  return new ConfigError(
    `DATABASE_URL: ${where}. Set it as for the server, which makes its database when it first starts`,
  );
}

/** Brings the schema up to date. `alongside`: changes nothing, as a server may be running; throws if it is outdated. */
export async function migrate(db: Kysely<Schema>, engine: 'sqlite' | 'postgres', alongside: boolean): Promise<void> {
  if (alongside && !(await db.introspection.getTables()).some(({ name }) => name === 'transfer'))
    throw noPerigee('no server has used this database yet');
  const migrator = new Migrator({ db, provider: migrations(engine) });
  if (alongside && (await migrator.getMigrations()).some(({ executedAt }) => !executedAt))
    throw new ConfigError(
      'this command is newer than the database: start the server of this version once, then try again',
    );
  const newer = await newerMigrations(db, engine);
  if (newer.length > 0)
    throw new ConfigError(
      `DATABASE_URL: a newer version of Perigee has used this database (${newer.at(-1)}). Nothing was changed: start that version, or a newer one`,
    );
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}

/** The database's migrations that this version doesn't know, in order. */
export async function newerMigrations(db: Kysely<Schema>, engine: 'sqlite' | 'postgres'): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === DEFAULT_MIGRATION_TABLE)) return [];
  const known = await migrations(engine).getMigrations();
  const { rows } = await sql<{
    name: string;
  }>`select name from ${sql.table(DEFAULT_MIGRATION_TABLE)} order by name`.execute(db);
  return rows.map(({ name }) => name).filter((name) => !(name in known));
}
