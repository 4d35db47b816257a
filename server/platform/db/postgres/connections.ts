import type pg from 'pg';

/** Closes a connection without waiting for the other side, which may be gone. What waits on it fails at once. */
export function cut(client: pg.Client): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

/** There was no answer in time. The message is the driver's own for a broken connection. */
export class Silent extends Error {
  constructor() {
    super('Connection terminated: no answer');
  }
}

/** Rejects with `Silent` if there is no answer in time. */
export function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    // After a stall of this process, the answer may be there unread: it is read before `setImmediate`.
    timer = setTimeout(() => setImmediate(() => reject(new Silent())), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/**
 * Asks now and then, on a connection of its own, whether the database still answers. For pools that connect by another
 * way than the exchange, which notices that by itself.
 */
export class Pulse {
  #client: pg.Client | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(
    private readonly connect: () => Promise<pg.Client>,
    private readonly waits: { everyMs: number; silentMs: number },
    private readonly onSilent: () => void,
  ) {}

  /** Its connection is there when this resolves: one that is made later may lead to another machine. */
  async start(): Promise<void> {
    await this.#beat();
    if (!this.#stopped) this.#timer = setTimeout(() => this.start(), this.waits.everyMs).unref();
  }

  async #beat(): Promise<void> {
    try {
      this.#client ??= await this.connect();
      await within(this.waits.silentMs, this.#client.query('select 1'));
    } catch (error) {
      this.#leave();
      if (error instanceof Silent && !this.#stopped) this.onSilent();
    }
    if (this.#stopped) this.#leave();
  }

  #leave(): void {
    if (this.#client) cut(this.#client);
    this.#client = null;
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#leave();
  }
}
