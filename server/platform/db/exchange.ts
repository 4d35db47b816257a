import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { ConfigError } from '../config/settings.ts';
import type { Log } from '../log.ts';
import type { AddressedChange, Changes } from './changes.ts';
import { cut, Silent, within } from './postgres/connections.ts';
import { DatabaseClock } from './postgres/databaseClock.ts';

const CHANNEL = 'perigee';
/** NOTIFY takes less than 8,000 bytes. */
const MAX_NOTIFY = 7_500;
/** Changes that wait for the connection. Beyond, the other nodes fetch afresh. */
const MAX_WAITING = 10_000;
export const MEASURE_EVERY_MS = 5_000;
/** How long `stop` goes on telling. */
const STOP_MS = 2_000;
/**
 * Nothing is stored, so nobody waits for the disk. The setting is local to this statement: behind a pooler it would
 * stay with a connection that others use.
 */
const TELL = `
  with setting as materialized (select set_config('synchronous_commit', 'off', true) as now)
  select pg_notify($1, payload) from setting, unnest($2::text[]) as payload where setting.now is not null`;
/** No node can read it: each of them fetches afresh. */
const FETCH_AFRESH = '"fetch afresh"';

/**
 * Tells the other nodes what has changed and hears it from them, on one connection of its own. It keeps this connection
 * as long as it lives, which a pooler in transaction mode can't give, and asks on it for the database's time.
 *
 * It tells after the commit, not within the transaction: PostgreSQL holds a lock on the whole server from NOTIFY to the
 * end of the commit, so transactions that notify reach the disk one after the other. A node that dies in between tells
 * nothing. So a listener must not depend on it alone: it looks for itself now and then.
 */
export class Exchange {
  readonly clock = new DatabaseClock();
  readonly #node = randomUUID();
  #client: pg.Client | null = null;
  #waiting: AddressedChange[] = [];
  #isSending = false;
  /** Something was not told. */
  #hasMissed = false;
  #retry: NodeJS.Timeout | null = null;
  #measuring: NodeJS.Timeout | null = null;
  #stopped = false;
  #isProven = false;
  #heardTest: (text: string) => void = () => {};

  constructor(
    private readonly connect: () => Promise<pg.Client>,
    private readonly changes: Changes,
    private readonly log: Log,
    /** The database doesn't answer: other connections to it wait in vain, too. */
    private readonly onSilent: () => void,
    /** Longer without an answer, and the connection counts as dead: a machine that vanished closes none. */
    private readonly silentMs: number,
  ) {}

  async start(): Promise<void> {
    const client = await this.connect();
    try {
      client.on('notification', ({ payload }) => this.#hear(payload ?? ''));
      client.on('error', () => this.#lost(client));
      client.on('end', () => this.#lost(client));
      await within(this.silentMs, client.query(`listen ${CHANNEL}`));
      await this.#requireHearing();
      await this.#measure(client);
      if (this.#stopped) throw new Error('stopped');
    } catch (error) {
      cut(client);
      throw error;
    }
    this.#client = client;
    this.#measureSoon(client);
    this.#send();
  }

  /**
   * A pooler in transaction mode takes LISTEN, but passes nothing on. Tried from a second connection, because a server's
   * connection tells itself within the answer, which a pooler does pass on.
   */
  async #requireHearing(): Promise<void> {
    if (this.#isProven) return;
    const test = JSON.stringify(`hears ${randomUUID()}`);
    const heard = new Promise<void>((resolve) => {
      this.#heardTest = (text) => {
        if (text === test) resolve();
      };
    });
    const other = await this.connect();
    try {
      await within(this.silentMs, other.query(TELL, [CHANNEL, [test]]));
      await within(this.silentMs, heard).catch(() => {
        throw new ConfigError(
          'DATABASE_SESSION_URL: LISTEN hears nothing through a pooler in transaction mode. Set DATABASE_SESSION_URL to the address of PostgreSQL itself',
        );
      });
    } finally {
      cut(other);
    }
    this.#isProven = true;
  }

  #measure(client: pg.Client): Promise<void> {
    return this.clock.measure(async () => {
      const asked = client.query('select extract(epoch from clock_timestamp()) * 1000 as now');
      return Number((await within(this.silentMs, asked)).rows[0].now);
    });
  }

  #measureSoon(client: pg.Client): void {
    this.#measuring = setTimeout(() => {
      this.#measure(client).then(
        () => this.#client === client && !this.#stopped && this.#measureSoon(client),
        (error) => {
          if (error instanceof Silent && this.#client === client && !this.#stopped) this.onSilent();
          this.#lost(client);
        },
      );
    }, MEASURE_EVERY_MS);
    this.#measuring.unref();
  }

  /** Tells the other nodes soon. Never fails, and never waits. */
  tell(changes: readonly AddressedChange[]): void {
    if (this.#waiting.length + changes.length > MAX_WAITING) {
      this.#waiting = [];
      this.#hasMissed = true;
    } else this.#waiting.push(...changes);
    this.#send();
  }

  /** What gathered while the last ones were sent goes together. */
  #send(): void {
    const client = this.#client;
    if (this.#isSending || !client || !this.#has()) return;
    const payloads = this.#hasMissed ? [FETCH_AFRESH] : [...payloadsOf(this.#node, this.#waiting)];
    this.#hasMissed = false;
    this.#waiting = [];
    this.#isSending = true;
    client.query(TELL, [CHANNEL, payloads], (error) => {
      this.#isSending = false;
      if (!error) return this.#send();
      this.#hasMissed = true;
      this.#lost(client);
    });
  }

  #has = () => this.#hasMissed || this.#waiting.length > 0;

  #hear(payload: string): void {
    let message: unknown;
    try {
      message = JSON.parse(payload);
    } catch {
      message = null;
    }
    // A test message, of this node or another.
    if (typeof message === 'string' && message.startsWith('hears ')) {
      this.#heardTest(payload);
      return;
    }
    // Another version of Perigee may use another format: then all listeners fetch afresh.
    if (!isMessage(message)) {
      this.changes.resync();
      return;
    }
    const [node, batch] = message;
    if (node !== this.#node) this.changes.deliver(batch.map(([key, topic, id]) => ({ key, topic, id })));
  }

  #lost(client: pg.Client): void {
    if (this.#stopped || this.#client !== client) return;
    this.#client = null;
    this.log.warn('lost the connection that tells of changes; reconnecting');
    cut(client);
    this.#reconnect(250);
  }

  #reconnect(delayMs: number): void {
    this.#retry = setTimeout(() => {
      this.start().then(
        () => this.changes.resync(),
        () => !this.#stopped && this.#reconnect(Math.min(delayMs * 2, 5_000)),
      );
    }, delayMs);
  }

  /** Tells what still waits, and leaves. A database that doesn't answer is left without a word. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of [this.#retry, this.#measuring]) if (timer) clearTimeout(timer);
    const client = this.#client;
    if (!client) return;
    await within(STOP_MS, this.#tellRest(client)).catch(() => cut(client));
  }

  async #tellRest(client: pg.Client): Promise<void> {
    // A connection runs its queries in their order: this one ends after what is being told.
    for (; this.#isSending || this.#has(); this.#send()) await client.query('select 1');
    await client.end();
  }
}

/** The changes as NOTIFY payloads: almost always one payload. */
function* payloadsOf(node: string, changes: readonly AddressedChange[]): Generator<string> {
  let batch: string[][] = [];
  let size = 0;
  for (const { key, topic, id } of changes) {
    const item = [key, topic, id];
    const bytes = Buffer.byteLength(JSON.stringify(item)) + 1;
    if (size + bytes > MAX_NOTIFY && batch.length > 0) {
      yield JSON.stringify([node, batch]);
      batch = [];
      size = 0;
    }
    batch.push(item);
    size += bytes;
  }
  if (batch.length > 0) yield JSON.stringify([node, batch]);
}

type Message = [node: string, changes: [key: string, topic: string, id: string][]];

function isMessage(value: unknown): value is Message {
  if (!Array.isArray(value) || typeof value[0] !== 'string' || !Array.isArray(value[1])) return false;
  return value[1].every((item) => Array.isArray(item) && item.length === 3 && item.every((x) => typeof x === 'string'));
}
