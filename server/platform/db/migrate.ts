import { type Kysely, Migrator } from 'kysely';
import { ConfigError } from '../config/config.ts';
import { migrations } from '../migrations/index.ts';
import type { Schema } from './schema.ts';

/** For commands: books that were made this moment would hold, and say nothing of those that were meant. */
export function noPerigee(where: string): ConfigError {
  return new ConfigError(
    `DATABASE_URL: ${where}. Set it as for the server, which makes its database when it first starts`,
  );
}

/** Brings the schema up to date. `alongside`: changes nothing, for a server may be at work. Throws where it is not up to date. */
export async function migrate(db: Kysely<Schema>, engine: 'sqlite' | 'postgres', alongside: boolean): Promise<void> {
  if (alongside && !(await db.introspection.getTables()).some(({ name }) => name === 'transfer'))
    throw noPerigee('no server has used this database yet');
  const migrator = new Migrator({ db, provider: migrations(engine) });
  if (alongside && (await migrator.getMigrations()).some(({ executedAt }) => !executedAt))
    throw new ConfigError(
      'this command is newer than the database: start the server of this version once, then try again',
    );
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}
