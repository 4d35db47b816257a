import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Config, ConfigError } from './config/config.ts';
import { closeToOthers, makePrivateFolder } from './private.ts';
import { systemIds } from './system.ts';

/** The secret beside an embedded database. Created at the first start, readable only by this user. */
export function ownSecret(config: Config): string {
  if (config.database.engine !== 'sqlite') throw new ConfigError('SECRET is required on PostgreSQL');
  const file = join(dirname(config.database.file), 'secret');
  if (!existsSync(file)) {
    makePrivateFolder(dirname(file));
    writeFileSync(file, systemIds.secret(), { mode: 0o600, flag: 'wx' });
  }
  closeToOthers(file);
  return readFileSync(file, 'utf8').trim();
}

/** The existing secret of this server; null if there is none yet. Creates none, because a backup may bring its own. */
export function knownSecret(config: Config): string | null {
  if (config.secret !== null || config.database.engine !== 'sqlite') return config.secret;
  const file = join(dirname(config.database.file), 'secret');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
}
