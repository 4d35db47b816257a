import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sql } from 'kysely';
import { Gauge, type Registry } from 'prom-client';
import type { Config } from './config/config.ts';
import type { Database } from './db/database.ts';

/**
 * Adds the database's size to `/metrics`, and for an embedded database the free space of its disk. For PostgreSQL, its
 * own exporter reports the disk. A value that can't be read is left out.
 */
export function measureStorage(registry: Registry, config: Config['database'], db: Pick<Database, 'read'>): void {
  const gauge = (name: string, help: string, read: () => Promise<number>) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.remove();
        const value = await read().catch(() => null);
        if (value !== null) this.set(value);
      },
    });
  const size = config.engine === 'sqlite' ? () => sizeOfFiles(config.file) : () => sizeOfPostgres(db);
  gauge('perigee_database_bytes', 'Size of the database, with its write-ahead log where it is embedded', size);
  if (config.engine !== 'sqlite') return;
  const disk = () => statfs(dirname(config.file));
  gauge('perigee_disk_free_bytes', 'Room left for the embedded database on its disk', async () => {
    // Not `bfree`: it includes the blocks that are reserved for root.
    const { bavail, bsize } = await disk();
    return bavail * bsize;
  });
  gauge('perigee_disk_bytes', 'Size of the disk on which the embedded database stands', async () => {
    const { blocks, bsize } = await disk();
    return blocks * bsize;
  });
}

async function sizeOfFiles(file: string): Promise<number> {
  const { size } = await stat(file);
  const log = await stat(`${file}-wal`).catch(() => null);
  return size + (log?.size ?? 0);
}

async function sizeOfPostgres({ read }: Pick<Database, 'read'>): Promise<number> {
  const { rows } = await sql<{ size: number | string }>`select pg_database_size(current_database()) as size`.execute(
    read,
  );
  return Number(rows[0]!.size);
}
