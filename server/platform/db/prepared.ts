import type { Compilable, CompiledQuery } from 'kysely';
import type { Reader } from './database.ts';

/** A query that was written once; `P` are its parameters, `O` its rows. */
export interface Prepared<P, O> {
  all(db: Reader, parameters: P): Promise<O[]>;
  first(db: Reader, parameters: P): Promise<O | undefined>;
  /** Runs it and gives the number of rows that it changed. */
  run(db: Reader, parameters: P): Promise<bigint>;
}

/** Stands for a parameter while the query is built. */
class Slot {
  constructor(readonly name: string) {}
}

/**
 * A query whose text Kysely makes once, not each time: making it costs five times as much as running it on SQLite (10 of
 * 12 µs for an update). For queries on the hot path. `build` sees stand-ins in place of the parameters, so it must not look
 * at them, and the query's shape can't depend on them: no lists, nothing left out.
 */
export function prepared<P extends object, O>(build: (db: Reader, parameters: P) => Compilable<O>): Prepared<P, O> {
  // An engine has its own text, and each database its own adapter, which transactions share.
  const compiled = new WeakMap<object, CompiledQuery<O>>();
  const slots = new Proxy({} as P, { get: (_, name) => new Slot(String(name)) });
  function fill(db: Reader, parameters: P): CompiledQuery<O> {
    const { adapter } = db.getExecutor();
    let query = compiled.get(adapter);
    if (!query) {
      query = build(db, slots).compile();
      compiled.set(adapter, query);
    }
    const values = parameters as Record<string, unknown>;
    return { ...query, parameters: query.parameters.map((p) => (p instanceof Slot ? values[p.name] : p)) };
  }
  const execute = (db: Reader, parameters: P) => db.executeQuery(fill(db, parameters));
  return {
    all: async (db, parameters) => (await execute(db, parameters)).rows,
    first: async (db, parameters) => (await execute(db, parameters)).rows[0],
    run: async (db, parameters) => (await execute(db, parameters)).numAffectedRows ?? 0n,
  };
}
