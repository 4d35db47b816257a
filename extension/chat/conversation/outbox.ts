import type { FromHost } from '../protocol.ts';

type Outcome = Extract<FromHost, { type: 'sent' | 'notSent' }>;

/** How many requests are remembered. A page has at most one pending, and repeats it soon after a reload. */
const MOST = 50;

/** The view's requests to send a message. Each is carried out once; each repeat by the view gets the answer. */
export class Outbox {
  private readonly asked = new Map<string, Promise<Outcome>>();

  /** The outcome of an earlier request; undefined if it is not remembered. */
  of(requestId: string): Promise<Outcome> | undefined {
    return this.asked.get(requestId);
  }

  /** Resolves to the request's outcome. `carryOut` never rejects. */
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
