import type { Clock } from '../../platform/clock.ts';
import type { Database, Tx } from '../../platform/db/database.ts';
import type { Log } from '../../platform/log.ts';
import { recordEvent } from './payments.ts';
import type { StripeService } from './stripe.ts';

export interface CreditingDeps {
  db: Database;
  clock: Clock;
  log: Log;
  stripe: StripeService;
  policy: { tierCents: readonly number[]; currency: string };
  /** Sets the account's tier to what its purchases reach. Tiers belong to `accounts`, a floor above the credits. */
  followBought: (tx: Tx, accountId: string, tier: number) => Promise<void>;
}

/** The event of the payment service that caused this; each event is acted on once. */
export interface Told {
  id: string;
  type: string;
}

/** The outcome; `seen`: the event was acted on before. */
export type Outcome = 'done' | 'nothing' | 'seen' | 'misfit' | 'foreign' | 'unclaimed' | 'surplus';

/** Records an event that is not about our payments, or does not match one. Changes nothing else. */
export async function note(deps: CreditingDeps, told: Told | null, outcome: 'misfit' | 'foreign', why: string) {
  const { db, clock, log } = deps;
  if (told) await db.write((tx) => recordEvent(tx, { ...told, payment_id: null, outcome, at: clock.now() }));
  log[outcome === 'misfit' ? 'error' : 'info'](
    { eventId: told?.id, type: told?.type, why },
    'a payment was not credited',
  );
  return outcome;
}
