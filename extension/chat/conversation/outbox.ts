import type { FromHost } from '../protocol.ts';

type Outcome = Extract<FromHost, { type: 'sent' | 'notSent' }>;

/** Requests that are remembered: a page has at most one on its way, and asks again soon after it was made anew. */
const MOST = 50;

/** Requests of the view to send something. Each is carried out once, however often it is asked for; each asking is answered. */
export class Outbox {
  private readonly asked = new Map<string, Promise<Outcome>>();

  /** What becomes of a request that was asked for; undefined where it is not known (any more). */
  of(requestId: string): Promise<Outcome> | undefined {
    return this.asked.get(requestId);
  }

  /** Resolves to what became of the request. `carryOut` never rejects. */
  once(requestId: string, carryOut: () => Promise<Outcome>): Promise<Outcome> {
    let outcome = this.asked.get(requestId);
    if (!outcome) {
      outcome = carryOut();
      this.asked.set(requestId, outcome);
      const [oldest] = this.asked.keys();
      if (this.asked.size > MOST) this.asked.delete(oldest!);
    }
    return outcome;
  }
}
