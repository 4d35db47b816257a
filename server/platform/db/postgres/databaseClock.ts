import type { Clock } from '../../clock.ts';

/**
 * The database's clock, as this node knows it. Leases, windows and sessions are compared between nodes, so the one clock
 * that all nodes share decides them; a node's own clock may be wrong by a day. Between measurements a timer runs that no
 * change of the machine's clock moves.
 */
export class DatabaseClock implements Clock {
  #ahead: number | null = null;

  /** `timer`: milliseconds from any start. */
  constructor(private readonly timer: () => number = () => performance.now()) {}

  now(): number {
    if (this.#ahead === null) throw new Error('the clock of the database was not measured yet');
    return Math.floor(this.timer() + this.#ahead);
  }

  /** Measures it. `ask` gets the time from the database, in milliseconds since 1970. */
  async measure(ask: () => Promise<number>): Promise<void> {
    const began = this.timer();
    const told = await ask();
    // The database read its clock at some time in between (Cristian's algorithm).
    const halfMs = (this.timer() - began) / 2;
    const ahead = told - (began + halfMs);
    // What is known fits this answer: a slow answer must not shake the clock.
    if (this.#ahead !== null && Math.abs(ahead - this.#ahead) <= halfMs) return;
    this.#ahead = ahead;
  }
}
