import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Config, ConfigError } from './config/config.ts';
import { closeToOthers, makePrivateFolder } from './private.ts';
import { systemIds } from './system.ts';

/** The secret beside an embedded database. Created at the first start, readable only by this user. */
export function ownSecret(config: Config): string {
  if (config.database.engine !== 'sqlite') throw new ConfigError('SECRET is required on PostgreSQL');
  const file = fileOf(config.database.file);
  if (!existsSync(file)) {
    makePrivateFolder(dirname(file));
    writeFileSync(file, systemIds.secret(), { mode: 0o600, flag: 'wx' });
  }
  closeToOthers(file);
  return read(file);
}

/**
 * The existing secret of this server; null if there is none yet. Creates none: a backup may bring its own, and a command
 * must not make another one than the server's.
 */
export function knownSecret(config: Config): string | null {
  if (config.secret !== null || config.database.engine !== 'sqlite') return config.secret;
  const file = fileOf(config.database.file);
  return existsSync(file) ? read(file) : null;
}

const fileOf = (database: string) => join(dirname(database), 'secret');

/** A full disk, or a copy that was cut off, leaves a secret that anybody could guess. */
function read(file: string): string {
  const secret = readFileSync(file, 'utf8').trim();
  if (secret.length >= 32) return secret;
  throw new ConfigError(
    `SECRET: the file ${file} is ${secret === '' ? 'empty' : 'cut off'}. Put the one from your backup there; if no server has run with it, delete it`,
  );
}
