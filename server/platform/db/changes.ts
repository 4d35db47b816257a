import type { Transaction } from 'kysely';
import type { Schema } from './schema.ts';

/** Something changed; listeners fetch it afresh. */
export interface Change {
  topic: string;
  id: string;
}

/** A change and who is told of it: an account's id, `run:<id>`, or `EVERYONE`. */
export interface AddressedChange extends Change {
  key: string;
}

/** Spelled out: `Tx` stands where the database does, which imports this file. */
type Tx = Transaction<Schema>;

/** The key under which every account is told. */
export const EVERYONE = 'everyone';

export const RESYNC: Change = { topic: 'resync', id: '' };

const pending = new WeakMap<Tx, AddressedChange[]>();

/** Tells of a change once the transaction has been committed, on every node; never if it is rolled back. */
export function changed(tx: Tx, key: string, topic: string, id: string): void {
  const list = pending.get(tx);
  if (!list) throw new Error('changed() needs a transaction of Database.write');
  if (!list.some((c) => c.key === key && c.topic === topic && c.id === id)) list.push({ key, topic, id });
}

/** For the engines: begins to collect the changes of a transaction. */
export function collectChanges(tx: Tx): AddressedChange[] {
  const list: AddressedChange[] = [];
  pending.set(tx, list);
  return list;
}

/** Who listens on this node, by key. */
export class Changes {
  readonly #listeners = new Map<string, Set<(change: Change) => void>>();

  /** Calls `listener` for each change under `key`, and with `RESYNC` when some may have been missed. */
  subscribe(key: string, listener: (change: Change) => void): () => void {
    const set = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, set.add(listener));
    return () => {
      set.delete(listener);
      if (set.size === 0 && this.#listeners.get(key) === set) this.#listeners.delete(key);
    };
  }

  deliver(changes: readonly AddressedChange[]): void {
    for (const { key, topic, id } of changes)
      for (const listener of [...(this.#listeners.get(key) ?? [])]) listener({ topic, id });
  }

  /** The connection that carries other nodes' changes was lost for a while: everybody looks again. */
  resync(): void {
    for (const set of [...this.#listeners.values()]) for (const listener of [...set]) listener(RESYNC);
  }

  get size(): number {
    return this.#listeners.size;
  }
}
