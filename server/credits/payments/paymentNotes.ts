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
  /** Tiers are the accounts', above the credits: what a member has bought reaches this one now. */
  followBought: (tx: Tx, accountId: string, tier: number) => Promise<void>;
}

/** What told it: an event of the payment service, acted on once. */
export interface Told {
  id: string;
  type: string;
}

/** What became of it; `seen`: it was acted on before. */
export type Outcome = 'done' | 'nothing' | 'seen' | 'misfit' | 'foreign' | 'unclaimed' | 'surplus';

/** Writes down what is not about anything of ours, or does not fit it: nothing else is changed. */
export async function note(deps: CreditingDeps, told: Told | null, outcome: 'misfit' | 'foreign', why: string) {
  const { db, clock, log } = deps;
  if (told) await db.write((tx) => recordEvent(tx, { ...told, payment_id: null, outcome, at: clock.now() }));
  log[outcome === 'misfit' ? 'error' : 'info'](
    { eventId: told?.id, type: told?.type, why },
    'a payment was not credited',
  );
  return outcome;
}
