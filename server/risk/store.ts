import type { Database, Reader, Tx } from '../platform/db/database.ts';
import { prepared } from '../platform/db/prepared.ts';
import { decode, encode } from './signals/codec.ts';
import type { Hash, Observation } from './signals/observation.ts';
import { emptySketch, fold, type Sketch } from './signals/sketch.ts';
import { seconds } from './signals/time.ts';

/** What one node adds to one account's sketch. */
export interface Flush {
  accountId: string;
  period: number;
  /** In the order in which they came. */
  observations: readonly Observation[];
  /** How many accounts have these devices, by their hashes in `observations`. */
  devices?: ReadonlyMap<Hash, number>;
  node: string;
  /** Of this node, and higher than that of the account's flush before it. A repeated flush has the same one. */
  number: number;
}

/** A sketch as it was read, and what it becomes. */
interface Change {
  flush: Flush;
  /** Null: there is no row yet. */
  version: number | null;
  state: Buffer;
  flushed: string;
  sketch: Sketch;
}

/** Sketches that a node keeps decoded. One takes some 50 KB there, and decoding it as long as folding a dozen requests. */
const MOST_DECODED = 500;
/** Tries against other nodes that change the same sketch. */
const MOST_TRIES = 8;
/** For how long a node may repeat a flush whose outcome it does not know. */
export const REPEAT_MS = 60_000;
/**
 * Times come from the clocks of nodes, and one may have been far ahead. An observation that is further ahead than this is
 * taken for one of now. A sketch that is would see nothing until the clock is there, so it is begun anew; by less, it soon
 * sees again.
 */
const MOST_AHEAD_MS = { observation: 3_600_000, sketch: 24 * 3_600_000 };
/** Nodes whose last flush a row names. More don't change one account within `REPEAT_MS`. */
const MOST_NODES = 16;

/**
 * Adds observations to the sketches in the database. Nodes may do so at once: each change counts only for the version
 * that it was made of, so none is lost, and a row names the last flush of each node, so none counts twice.
 */
export class SketchStore {
  /** Only as good as its version. The least recently used one first. */
  readonly #decoded = new Map<string, { version: number; sketch: Sketch }>();

  constructor(private readonly db: Database) {}

  /**
   * Adds each flush once, in one short transaction for all. Flushes for accounts that are gone or closed, or for a
   * period that has ended, add nothing. Rejects if the database is unavailable, or if other nodes were always faster;
   * then the same flushes may be added again.
   */
  async add(flushes: readonly Flush[], now: number): Promise<void> {
    let left = [...flushes].sort((a, b) => (a.accountId < b.accountId ? -1 : a.accountId > b.accountId ? 1 : 0));
    for (let tries = 0; left.length > 0; tries++) {
      if (tries === MOST_TRIES) throw new Error('other nodes change the same sketches all the time');
      const changes: Change[] = [];
      for (const flush of left) {
        const change = await this.#read(flush, now);
        if (change) changes.push(change);
      }
      left = [];
      if (changes.length === 0) return;
      const made = await this.db.writeUnsynced(async (tx) => {
        const done: Change[] = [];
        // In the order of the ids: two nodes never wait for each other.
        for (const change of changes) if (await write(tx, change, now)) done.push(change);
        return done;
      });
      for (const { flush, version, sketch } of made) this.#keep(flush, (version ?? 0) + 1, sketch);
      for (const change of changes)
        if (!made.includes(change) && (await mayHave(this.db.read, change.flush))) left.push(change.flush);
    }
  }

  /** Null: the flush was added before. */
  async #read(flush: Flush, now: number): Promise<Change | null> {
    const { accountId, period, observations, node, number } = flush;
    const name = nameOf(flush);
    const known = this.#decoded.get(name);
    // What is folded here is right only if it is stored.
    this.#decoded.delete(name);
    const row = await selectRow.first(this.db.read, { accountId, period, known: known?.version ?? -1 });
    const nodes = new Map<string, number>(Object.entries(row ? JSON.parse(row.flushed) : {}));
    if ((nodes.get(node) ?? -1) >= number) return null;
    // The one that came last stands last. No clock decides, because those of nodes differ.
    nodes.delete(node);
    nodes.set(node, number);
    if (nodes.size > MOST_NODES) nodes.delete(nodes.keys().next().value!);
    const stored = row === undefined ? emptySketch() : row.state === null ? known!.sketch : readable(row.state);
    const sketch = stored.lastS > seconds(now + MOST_AHEAD_MS.sketch) ? emptySketch() : stored;
    for (const one of observations) fold(sketch, one.at > now + MOST_AHEAD_MS.observation ? { ...one, at: now } : one);
    for (const device of sketch.identities.devices)
      device.accounts = flush.devices?.get(device.device) ?? device.accounts;
    const version = row ? Number(row.version) : null;
    return { flush, version, state: encode(sketch), flushed: JSON.stringify(Object.fromEntries(nodes)), sketch };
  }

  #keep(flush: Flush, version: number, sketch: Sketch): void {
    this.#decoded.set(nameOf(flush), { version, sketch });
    if (this.#decoded.size > MOST_DECODED) this.#decoded.delete(this.#decoded.keys().next().value!);
  }
}

const nameOf = ({ accountId, period }: Flush) => `${accountId}:${period}`;

/** A sketch that can't be read is begun anew: losing it harms nobody. */
function readable(state: Uint8Array): Sketch {
  try {
    return decode(Buffer.from(state));
  } catch (error) {
    if (error instanceof RangeError) return emptySketch();
    throw error;
  }
}

/** Without the state if its version is the one that is known. */
const selectRow = prepared((db, p: { accountId: string; period: number; known: number }) =>
  db
    .selectFrom('risk_sketch')
    .select(['version', 'flushed'])
    .select((eb) =>
      eb
        .case()
        .when('version', '=', p.known)
        .then(null)
        .else(eb.ref('state'))
        .end()
        .$castTo<Buffer | null>()
        .as('state'),
    )
    .where('account_id', '=', p.accountId)
    .where('period', '=', p.period),
);

interface Updated {
  accountId: string;
  period: number;
  version: number;
  next: number;
  state: Buffer;
  flushed: string;
  now: number;
}

/** False: another node was faster, or the account may have no sketch. */
async function write(tx: Tx, { flush, version, state, flushed }: Change, now: number): Promise<boolean> {
  const { accountId, period } = flush;
  if (!(await mayHave(tx, flush))) return false;
  if (version !== null)
    return (await updateSketch.run(tx, { accountId, period, version, next: version + 1, state, flushed, now })) > 0n;
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('risk_sketch')
    .values({ account_id: accountId, period, state, version: 1, flushed, seen_at: now })
    .onConflict((oc) => oc.columns(['account_id', 'period']).doNothing())
    .executeTakeFirst();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}

const updateSketch = prepared((db, p: Updated) =>
  db
    .updateTable('risk_sketch')
    .set({ state: p.state, flushed: p.flushed, seen_at: p.now, version: p.next })
    .where('account_id', '=', p.accountId)
    .where('period', '=', p.period)
    .where('version', '=', p.version),
);

/** Whether the account may have a sketch of this period: neither is gone, and the account is not closed. */
async function mayHave(db: Reader, { accountId, period }: Flush): Promise<boolean> {
  return (await selectOwner.first(db, { accountId, period })) !== undefined;
}

const selectOwner = prepared((db, p: { accountId: string; period: number }) =>
  db
    .selectFrom(['account', 'risk_key'])
    .select('account.id')
    .where('account.id', '=', p.accountId)
    .where('account.gone_at', 'is', null)
    .where('account.merged_into', 'is', null)
    .where('risk_key.period', '=', p.period),
);

/** Of an account with two, the one that has gone on for longer comes last. */
const selectSketches = (db: Reader, now: number) =>
  db
    .selectFrom('risk_sketch')
    .innerJoin('risk_key', 'risk_key.period', 'risk_sketch.period')
    .select(['risk_sketch.account_id', 'risk_sketch.state'])
    .where('risk_key.ends_at', '>', now)
    .orderBy('risk_sketch.period', 'desc');

/** What is known of how an account is used, by the period that has gone on for longest; null: nothing is. */
export async function findSketch(db: Reader, accountId: string, now: number): Promise<Sketch | null> {
  const rows = await selectSketches(db, now).where('risk_sketch.account_id', '=', accountId).execute();
  return rows.length > 0 ? readable(rows.at(-1)!.state) : null;
}

/** The same of several accounts; those that are closed or of which nothing is known are left out. */
export async function findSketches(
  db: Reader,
  accountIds: readonly string[],
  now: number,
): Promise<Map<string, Sketch>> {
  const rows = await selectSketches(db, now)
    .innerJoin('account', 'account.id', 'risk_sketch.account_id')
    .where('risk_sketch.account_id', 'in', accountIds)
    .where('account.gone_at', 'is', null)
    .execute();
  const states = new Map(rows.map(({ account_id, state }) => [account_id, state]));
  return new Map([...states].map(([accountId, state]) => [accountId, readable(state)]));
}

/** Rows that one transaction deletes. */
const AT_ONCE = 200;

/**
 * Deletes the keys of periods that have ended, and with that the meaning of all that was hashed by them; then the
 * sketches of these periods, in pieces.
 */
export async function shred(db: Database, now: number): Promise<void> {
  await db.write((tx) => tx.deleteFrom('risk_key').where('ends_at', '<=', now).execute());
  const first = await db.read
    .selectFrom('risk_key')
    .select((eb) => eb.fn.min<number | string | null>('period').as('period'))
    .executeTakeFirst();
  // Periods begin and end in the order of their numbers.
  const before = Number(first?.period ?? Number.MAX_SAFE_INTEGER);
  for (let last = AT_ONCE; last === AT_ONCE; ) {
    const rows = await db.read
      .selectFrom('risk_device')
      .select(['period', 'device'])
      .where('period', '<', before)
      .limit(AT_ONCE)
      .execute();
    last = rows.length;
    await db.write(async (tx) => {
      for (const { period, device } of rows)
        await tx.deleteFrom('risk_device').where('period', '=', period).where('device', '=', device).execute();
    });
  }
  for (;;) {
    const rows = await db.read
      .selectFrom('risk_sketch')
      .select(['account_id', 'period'])
      .where('period', '<', before)
      .limit(AT_ONCE)
      .execute();
    if (rows.length === 0) return;
    await db.write(async (tx) => {
      for (const { account_id, period } of rows)
        await tx.deleteFrom('risk_sketch').where('account_id', '=', account_id).where('period', '=', period).execute();
    });
  }
}
