import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Clock, iso } from '../../platform/clock.ts';
import type { Config } from '../../platform/config/config.ts';
import { writeBackup } from '../../platform/db/backup.ts';
import type { Database } from '../../platform/db/database.ts';
import type { FileLock } from '../../platform/db/fileLock.ts';
import { type Restored, restoreBackup } from '../../platform/db/restore.ts';
import { type BackupFacts, markBackup, newestIn, readRestoring } from '../../platform/db/restoring.ts';
import { fingerprint } from '../../platform/secrets.ts';
import type { AfterRestore, HowToFinish } from '../data/afterRestore.ts';
import { type CommandResult, misused, Refused, tellCommand } from './commandText.ts';

// The operator's commands for backups. They open the database exclusively, as a server does, or not at all.

export interface BackupDeps {
  database: Config['database'];
  /** Null: there is no SECRET yet, as on a new machine. */
  secret: string | null;
  /** Names of the settings that have a value. */
  settings: string[];
  clock: Clock;
  /**
   * Opens the database as a server does: throws `ConfigError` while a server runs on an embedded database. `lock`: of
   * the restore that has just replaced it; closed with it, or where this throws.
   */
  openAlone: (lock?: FileLock) => Promise<Database>;
  /** Prints a line at once, before the command has ended. */
  say: (line: string) => void;
  /** Does the steps after a restore, proves the books, and prints the result. */
  finish: (db: Database, how: HowToFinish) => Promise<AfterRestore | null>;
}

/** Whether a name is a setting: an environment variable of the server, which a new server needs again. */
export const isSetting = (name: string) =>
  /^(PUBLIC_URL|UPSTREAM_(URL|KEY|MODEL)|SECRET|PERIGEE_CONFIG|DELETIONS_FILE|TRUSTED_PROXIES|CORS_ORIGINS|METRICS_TOKEN)$/.test(
    name,
  ) || /^(MAIL_(URL|FROM)|STRIPE_[A-Z_]+|GOOGLE_[A-Z_]+|GITHUB_CLIENT_[A-Z]+|OIDC_[A-Z0-9_]+_SECRET)$/.test(name);

/**
 * Whether a command is about backups. `restore` once ended a suspension. It still does if its argument can only be an
 * account: an id, or an address that is no file's name.
 */
export function isBackupCommand([command, ...rest]: readonly string[]): boolean {
  if (command === 'backup' || command === 'restored') return true;
  if (command !== 'restore') return false;
  const [what] = rest.filter((arg) => !arg.startsWith('-'));
  const isAccount =
    what !== undefined && (/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(what) || /^[^/\\]+@/.test(what));
  return !isAccount || existsSync(what);
}

export const runBackupCommand = (deps: BackupDeps, args: readonly string[]) => tellCommand(args, () => run(deps, args));

async function run(deps: BackupDeps, args: readonly string[]): Promise<string[] | CommandResult> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      replace: { type: 'boolean' },
      'any-secret': { type: 'boolean' },
      'no-deletions': { type: 'boolean' },
      since: { type: 'string' },
    },
  });
  const [command, ...rest] = positionals;
  const only = (...allowed: string[]) => {
    const other = Object.keys(values).find((name) => !allowed.includes(name));
    if (other) throw misused(`${command} takes no --${other}.`);
  };
  const how = { acceptsLostDeletions: values['no-deletions'] === true };
  if (command === 'restored') {
    only('since', 'no-deletions');
    if (rest.length > 0) throw misused('restored takes no file: it finishes what was restored.');
    return restored(deps, values.since, how);
  }
  if (command === 'backup') only('replace');
  else only('any-secret', 'no-deletions');
  if (rest.length !== 1) throw misused(`${command} needs a file, and nothing else.`);
  if (command === 'backup') return backup(deps, rest[0]!, values.replace === true);
  return restore(deps, rest[0]!, values['any-secret'] === true, how);
}

async function backup(deps: BackupDeps, to: string, replace: boolean): Promise<string[]> {
  const { database, secret, settings, clock } = deps;
  if (database.engine !== 'sqlite')
    throw new Refused(
      1,
      'PostgreSQL is backed up by its own tool: pg_dump --format=custom --file=FILE "$DATABASE_URL"',
    );
  const facts = { takenAt: clock.now(), secret: secret === null ? null : fingerprint(secret), settings };
  const { deletionsFile = null } = database;
  const { path, bytes } = await writeBackup(database.file, to, facts, { replace, deletionsFile });
  return [
    `Wrote ${path}: ${(bytes / 1e6).toFixed(1)} MB, the database as it was at ${iso(facts.takenAt)}, checked.`,
    `It needs the same SECRET (fingerprint ${facts.secret ?? 'unknown'})${settings.includes('SECRET') ? '' : `, which stands in the file secret beside ${database.file}`}. Keep that elsewhere: it is not in the backup.`,
    `Keep the settings, too: ${settings.join(', ') || 'none is set'}${settings.includes('PERIGEE_CONFIG') ? ', and the file that PERIGEE_CONFIG names' : ''}.`,
    ...(database.deletionsFile
      ? [`Copy ${database.deletionsFile} often, also between backups: what is deleted later is deleted again by it.`]
      : []),
  ];
}

async function restore(deps: BackupDeps, from: string, anySecret: boolean, how: HowToFinish): Promise<CommandResult> {
  const { database, secret, clock } = deps;
  if (database.engine !== 'sqlite')
    throw new Refused(
      1,
      'PostgreSQL is restored by its own tool, pg_restore; then "npm run admin -- restored --since WHEN" does the rest. docs/backups.md has the commands.',
    );
  const own = secret === null ? null : fingerprint(secret);
  const accept = (facts: BackupFacts | null) => {
    if (!facts?.secret || facts.secret === own || anySecret) return;
    throw new Refused(
      1,
      `${resolve(from)} was made with another SECRET (fingerprint ${facts.secret}; ${own === null ? 'here is none' : `here it is ${own}`}). Nothing was changed: set SECRET as it was, or put the old file secret beside ${database.file}. If it is lost, add --any-secret.`,
    );
  };
  const put = await restoreBackup(from, database.file, { accept, now: clock.now() });
  const db = await deps.openAlone(put.lock);
  try {
    const before = put.keptAs === null ? 'There was no database before.' : `The database before is kept: ${put.keptAs}`;
    return outcome([putLine(resolve(from), put), before], await deps.finish(db, how));
  } finally {
    await db.close();
  }
}

function putLine(path: string, { kind, facts: { takenAt } }: Restored): string {
  if (kind === 'backup') return `Restored ${path}, the database as it was at ${iso(takenAt)}.`;
  if (kind === 'unfinished')
    return `Restored ${path}: a database whose own restore was not finished. What is said below counts from ${iso(takenAt)}, when that backup was made.`;
  const newest =
    takenAt === 0
      ? 'Nothing is in it.'
      : `Its newest entry is of ${iso(takenAt)}: what is said below counts from then.`;
  return `Restored ${path}: a copy of a database, such as one that a restore kept, and no backup. ${newest}`;
}

/** What a restore did, and at its end whether something remains. */
function outcome(lines: string[], after: AfterRestore | null): CommandResult {
  const all = [...lines, ...(after?.lines ?? [])];
  if (!after || after.isDone) return { code: 0, lines: [...all, 'The restore is finished. Start the server.'] };
  return { code: 3, lines: [...all, 'The restore is not finished:', ...after.remains.map((remain) => `- ${remain}`)] };
}

async function restored(deps: BackupDeps, since: string | undefined, how: HowToFinish): Promise<CommandResult> {
  const { database, clock } = deps;
  const given = since === undefined ? null : readPast(since, clock.now());
  let hasWaited = false;
  const waits = () => {
    deps.say('Another process finishes the restore of this database. Waiting for it.');
    hasWaited = true;
    return true;
  };
  const db = await deps.openAlone();
  /** Under the lock: two such commands at once would otherwise begin anew what the other has done. */
  const prepare = async () => {
    if (hasWaited || (await readRestoring(db))) return;
    if (database.engine === 'sqlite')
      throw new Refused(1, 'There is nothing to finish: this database was not restored, or all of it was done.');
    if (given === null)
      throw new Refused(
        2,
        'restored needs --since: when the dump was made, such as 2027-01-31T12:00:00Z. It ends all sessions, and asks Stripe what was paid since.',
      );
    // Anything that the dump lacks is not older than its newest row.
    const takenAt = Math.min(given, (await newestIn(db.read)) || given);
    await db.write((tx) => markBackup(tx, { takenAt, secret: null, settings: [] }));
  };
  try {
    const after = await deps.finish(db, { ...how, prepare, waits });
    return outcome(after ? [] : ['The other process has done all of it.'], after);
  } finally {
    await db.close();
  }
}

function readPast(text: string, now: number): number {
  const at = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isFinite(at)) throw misused(`"${text}" is no time: write it as 2027-01-31T12:00:00Z.`);
  if (at > now) throw misused(`"${text}" is yet to come.`);
  return at;
}
