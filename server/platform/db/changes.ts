import type { Transaction } from 'kysely';
import type { Schema } from './schema.ts';

/** Something changed; listeners fetch it afresh. */
export interface Change {
  topic: string;
  id: string;
}

/** A change and its key: an account's id, `run:<id>`, or `EVERYONE`. */
export interface AddressedChange extends Change {
  key: string;
}

/** Spelled out, because `Tx` is in database.ts, which imports this file. */
type Tx = Transaction<Schema>;

/** The key that reaches every account. */
export const EVERYONE = 'everyone';

export const RESYNC: Change = { topic: 'resync', id: '' };

const pending = new WeakMap<Tx, AddressedChange[]>();

/** Publishes a change on every node once the transaction has committed; never after a rollback. */
export function changed(tx: Tx, key: string, topic: string, id: string): void {
  const list = pending.get(tx);
  if (!list) throw new Error('changed() needs a transaction of Database.write');
  if (!list.some((c) => c.key === key && c.topic === topic && c.id === id)) list.push({ key, topic, id });
}

/** For the engines: starts to collect the changes of a transaction. */
export function collectChanges(tx: Tx): AddressedChange[] {
  const list: AddressedChange[] = [];
  pending.set(tx, list);
  return list;
}

/** The listeners on this node, by key. */
export class Changes {
  readonly #listeners = new Map<string, Set<(change: Change) => void>>();

  /** Calls `listener` for each change under `key`, and with `RESYNC` when it may have missed some. */
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

  /** The connection for other nodes' changes was lost for a while: every listener fetches afresh. */
  resync(): void {
    for (const set of [...this.#listeners.values()]) for (const listener of [...set]) listener(RESYNC);
  }

  get size(): number {
    return this.#listeners.size;
  }
}
