import { closeSync, createReadStream, existsSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Transaction } from 'kysely';
import { ConfigError } from '../config/settings.ts';
import { fsyncPath, makePrivateFile, makePrivateFolder } from '../private.ts';
import type { Schema } from './schema.ts';

/** Spelled out, because `Tx` is in database.ts, which imports this file. */
type Tx = Transaction<Schema>;

// A list of deletions in a file outside the database. A backup is older than some deletions, so a restore repeats them.
// Ids and times only. A line: `2027-01-31T12:00:00.000Z conversation <id>`. The first line, `… list begins`, says when
// the list was begun: a list that is newer than the backup lacks the deletions in between.

/** `closing`: the owner closed the account, to be deleted at `goneAt` (epoch ms). `kept`: the owner reopened it. */
export type Deletion =
  | { what: 'account' | 'conversation' | 'kept'; id: string }
  | { what: 'closing'; id: string; goneAt: number };

const pending = new WeakMap<Tx, Deletion[]>();

/**
 * Adds a deletion to the list just before its transaction commits. A crash between the two leaves a line for data that
 * still exists, but that its owner wanted deleted. The reverse order could lose a deletion.
 */
export function deleted(tx: Tx, deletion: Deletion): void {
  const list = pending.get(tx);
  if (!list) throw new Error('deleted() needs a transaction of Database.write');
  list.push(deletion);
}

/** For the engines: starts to collect the deletions of a transaction. */
export function collectDeletions(tx: Tx): Deletion[] {
  const list: Deletion[] = [];
  pending.set(tx, list);
  return list;
}

/** The combined lines of a list: the newest line about an account wins. */
export interface Deletions {
  accounts: Map<string, { what: 'account' } | { what: 'kept' } | { what: 'closing'; goneAt: number }>;
  /** When each was last deleted, in epoch ms. The client chooses the ids, and may use one again. */
  conversations: Map<string, number>;
  /** Epoch ms of the oldest line. Null: the list is empty, or its first line was cut off with other old lines. */
  since: number | null;
  isEmpty: boolean;
  /** Malformed lines, such as one that a full disk cut off. */
  unreadable: number;
}

/** Error code: nothing was deleted. A retry can succeed once the list is writable. */
export const DELETIONS_UNWRITTEN = 'DELETIONS_UNWRITTEN';

/** The list in `file`. Null: no list, as on PostgreSQL without DELETIONS_FILE. */
export class DeletionList {
  constructor(readonly file: string | null) {}

  /**
   * Creates the file with its first line, which makes a lost list detectable. Throws `ConfigError` if it can't write
   * it.
   */
  prepare(): void {
    if (this.file === null) return;
    try {
      makePrivateFolder(dirname(this.file));
      makePrivateFile(this.file);
      const list = openSync(this.file, 'a');
      try {
        const { size, mtime } = fstatSync(list);
        if (size === 0) writeSync(list, `${mtime.toISOString()} list begins\n`);
        fsyncSync(list);
      } finally {
        closeSync(list);
      }
      fsyncPath(dirname(this.file));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new ConfigError(`DELETIONS_FILE: ${this.file} can't be written (${code}). Name a file that can`);
    }
  }

  /**
   * Returns once the lines are on the disk. Throws `DELETIONS_UNWRITTEN` if it can't write: then nothing may be
   * deleted. `at`: by the clock that dates what is stored, as a restore compares the two.
   */
  append(deletions: readonly Deletion[], at: number): void {
    if (this.file === null || deletions.length === 0) return;
    const time = new Date(at).toISOString();
    const lines = deletions.map((one) => {
      const more = one.what === 'closing' ? ` ${new Date(one.goneAt).toISOString()}` : '';
      return `${time} ${one.what} ${one.id}${more}\n`;
    });
    try {
      this.#write(this.file, lines.join(''));
    } catch (error) {
      const unwritten = new Error(`the list of deletions at ${this.file} can't be written`, { cause: error });
      throw Object.assign(unwritten, { code: DELETIONS_UNWRITTEN });
    }
  }

  #write(file: string, lines: string): void {
    const list = openSync(file, 'a+', 0o600);
    try {
      // A full disk or a crash may have cut off the previous line.
      const { size } = fstatSync(list);
      const last = Buffer.alloc(1);
      const isCut = size > 0 && readSync(list, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a;
      const bytes = Buffer.from((isCut ? '\n' : '') + lines);
      for (let written = 0; written < bytes.length; ) written += writeSync(list, bytes, written);
      fsyncSync(list);
    } finally {
      closeSync(list);
    }
  }

  /** Null if there is no such file. The file may hold the lists of several nodes, one after the other. */
  async read(): Promise<Deletions | null> {
    if (this.file === null || !existsSync(this.file)) return null;
    const read: Deletions = {
      accounts: new Map(),
      conversations: new Map(),
      since: null,
      isEmpty: true,
      unreadable: 0,
    };
    const newest = new Map<string, number>();
    let oldest = Number.POSITIVE_INFINITY;
    let begins = false;
    for await (const line of createInterface({ input: createReadStream(this.file, 'utf8') })) {
      if (line === '') continue;
      const [, time = '', what, id, gone] = LINE.exec(line) ?? [];
      const [at, goneAt] = [Date.parse(time), Date.parse(gone ?? '')];
      if (Number.isNaN(at) || !what || !id || (what === 'closing') === Number.isNaN(goneAt)) {
        read.unreadable++;
        continue;
      }
      read.isEmpty = false;
      oldest = Math.min(oldest, at);
      if (what === 'list') begins = true;
      else if (what === 'conversation') read.conversations.set(id, Math.max(at, read.conversations.get(id) ?? at));
      // An account that was deleted never comes back.
      else if (what === 'account') read.accounts.set(id, { what });
      else if (read.accounts.get(id)?.what !== 'account' && at >= (newest.get(id) ?? 0)) {
        newest.set(id, at);
        read.accounts.set(id, what === 'closing' ? { what, goneAt } : { what: 'kept' });
      }
    }
    return { ...read, since: begins ? oldest : null };
  }
}

const TIME = String.raw`\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z`;
const LINE = new RegExp(`^(${TIME}) (account|conversation|kept|closing|list) ([\\w-]{1,100})(?: (${TIME}))?$`);
