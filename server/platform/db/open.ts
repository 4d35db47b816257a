import { type Config, ConfigError } from '../config/config.ts';
import type { Log } from '../log.ts';
import { type Database, isUnavailable } from './database.ts';
import { DeletionList } from './deletions.ts';
import type { FileLock } from './fileLock.ts';

/**
 * Opens the configured database and brings its schema up to date. Throws `ConfigError` if it can't. `alongside`: for a
 * command that works briefly on a database that a server may have open; it never creates one. `lock`: of a restore that
 * has replaced an embedded database; closed with it, or where this throws.
 */
export async function openDatabase(
  config: Config['database'],
  log: Log,
  { alongside = false, lock }: { alongside?: boolean; lock?: FileLock | undefined } = {},
): Promise<Database> {
  const onLeftovers = (files: string[]) =>
    log.warn({ files }, 'a restore was killed before it replaced the database: what it left was removed');
  const deletions = new DeletionList(config.deletionsFile ?? null);
  try {
    const db =
      config.engine === 'sqlite'
        ? await (await import('./sqlite.ts')).openSqlite(config.file, deletions, { alongside, lock, onLeftovers })
        : await (await import('./postgres.ts')).openPostgres(config, log, deletions, alongside);
    for (const way of ['write', 'writeUnsynced', 'writeFirst', 'writeLeases'] as const) {
      const write = db[way].bind(db);
      db[way] = async (work) => {
        try {
          return await write(work);
        } catch (error) {
          if (isUnavailable(error)) db.failedWrites++;
          throw error;
        }
      };
    }
    return db;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const why = String((error as Error).message || (error as { code?: string }).code);
    throw new ConfigError(`DATABASE_URL: the database can't be opened: ${why}`);
  }
}
