import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { openWallet, placeHold, settleHold } from '../../server/credits/holds/store.ts';
import { checkPayment, type SaleDeps, startCheckout } from '../../server/credits/payments/checkout.ts';
import type { StripeService } from '../../server/credits/payments/stripe.ts';
import { applyEvent } from '../../server/credits/payments/stripeEvents.ts';
import type { Database, Tx } from '../../server/platform/db/database.ts';
import { createLog } from '../../server/platform/log.ts';
import { systemIds } from '../../server/platform/system.ts';
import type { StripeDouble, StripeEvent } from '../doubles/stripe.ts';

// What happens at the payment service and how it is told: late, twice, at once, out of order, in vain, or never.

export const START = 1_800_000_000_000;
const WINDOWS = [{ name: '5 hours', hours: 5, limitMicro: 1 }];
/** Prices at which parts are no whole credits. */
export const OFFERS = {
  currency: 'usd',
  packs: [
    { id: 'odd', name: 'Odd', cents: 7, creditsMicro: 50 },
    { id: 'even', name: 'Even', cents: 100, creditsMicro: 33 },
  ],
  plans: [{ id: 'plan', name: 'Plan', monthCents: 9, yearCents: 90, windows: WINDOWS }],
};

/** `at` is a checkout, counted round: the first from there to which it can happen, if to any. */
export type Deed =
  | { do: 'begin'; offer: 'odd' | 'even' | 'plan' }
  | { do: 'pay'; at: number; slowly: boolean; isLost: boolean }
  | { do: 'arrive'; at: number; fails: boolean; isLost: boolean }
  | { do: 'expire' | 'end'; at: number; isLost: boolean }
  | { do: 'renew'; at: number; fails: boolean; isLost: boolean }
  | { do: 'cancel'; at: number; isCancelled: boolean }
  | { do: 'refund'; at: number; cents: number }
  | { do: 'dispute'; at: number; cents: number }
  | { do: 'decide'; at: number; isWon: boolean }
  | { do: 'spend'; micro: number }
  /** Somebody comes back from the page. */
  | { do: 'look'; at: number }
  /** An event, of those there were, so many times at once; the server dies in the middle of it, or right after. */
  | { do: 'tell'; event: number; times: number; dies: 'never' | 'before' | 'after' };

const at = fc.nat(3);
const isLost = fc.constantFrom(false, false, false, true);
const is = <T extends string>(what: T) => fc.constant(what);
const weighed: [number, fc.Arbitrary<Deed>][] = [
  [6, fc.record({ do: is('begin'), offer: fc.constantFrom('odd', 'even', 'plan', 'plan') })],
  [8, fc.record({ do: is('pay'), at, slowly: fc.constantFrom(false, false, true), isLost })],
  [2, fc.record({ do: is('arrive'), at, fails: fc.boolean(), isLost })],
  [1, fc.record({ do: is('expire'), at, isLost })],
  [1, fc.record({ do: is('end'), at, isLost })],
  [2, fc.record({ do: is('renew'), at, fails: fc.constantFrom(false, false, true), isLost })],
  [2, fc.record({ do: is('cancel'), at, isCancelled: fc.boolean() })],
  [3, fc.record({ do: is('refund'), at, cents: fc.constantFrom(1, 3, 40, 100) })],
  [3, fc.record({ do: is('dispute'), at, cents: fc.constantFrom(3, 100) })],
  [3, fc.record({ do: is('decide'), at, isWon: fc.boolean() })],
  [5, fc.record({ do: is('spend'), micro: fc.integer({ min: 1, max: 40 }) })],
  [1, fc.record({ do: is('look'), at })],
  [
    10,
    fc.record({
      do: is('tell'),
      event: fc.nat(20),
      times: fc.constantFrom(1, 1, 2, 3),
      dies: fc.constantFrom('never', 'never', 'never', 'before', 'after'),
    }),
  ],
];
export const deeds: fc.Arbitrary<Deed[]> = fc.array(
  fc.oneof(...weighed.map(([weight, arbitrary]) => ({ weight, arbitrary }))),
  { minLength: 6, maxLength: 30, size: 'max' },
);

/** A checkout, and what of its money went back. */
export interface Sale {
  paymentId: string;
  session: string;
  pack: (typeof OFFERS)['packs'][number] | null;
  cents: number;
  refundedCents: number;
  dispute: { cents: number; state: 'open' | 'won' | 'lost' } | null;
  hasFailed: boolean;
  /** Of a plan: how many periods were paid, and until when the newest reaches, in ms. */
  periods: number;
  paidTo: number;
  /** Of a plan: the money of the period that counts went back. */
  isPeriodBack: boolean;
}

/** In these a subscription goes on. */
export const LIVE: ReadonlySet<string> = new Set(['active', 'past_due']);

class Crash extends Error {}

/** One account, its checkouts at the payment service, and what is told of them. */
export class SalesWorld {
  readonly accountId = randomUUID();
  readonly ledgerId = randomUUID();
  readonly sales: Sale[] = [];
  spentMicro = 0;
  /** What tells of it, oldest first. */
  readonly events: StripeEvent[] = [];

  private constructor(
    readonly db: Database,
    readonly stripe: StripeDouble,
    readonly service: StripeService,
    /** Ids of events that never reach the server: those alone of which the payment service can be asked afresh. */
    readonly lost: Set<string>,
  ) {}

  static async open(db: Database, stripe: StripeDouble, service: StripeService, lost: Set<string>) {
    const world = new SalesWorld(db, stripe, service, lost);
    await db.write((tx) => openWallet(tx, world.accountId, world.ledgerId));
    return world;
  }

  async do(deed: Deed): Promise<void> {
    if (deed.do === 'begin') return this.#begin(deed.offer);
    if (deed.do === 'spend') return this.#spend(deed.micro);
    if (deed.do === 'tell') return this.#tell(deed);
    for (let i = 0; i < this.sales.length; i++) {
      const told = await this.#happen(this.sales[(deed.at + i) % this.sales.length]!, deed);
      if (!told) continue;
      this.events.push(...told);
      if ('isLost' in deed && deed.isLost) for (const { id } of told) this.lost.add(id);
      return;
    }
  }

  async #begin(offer: 'odd' | 'even' | 'plan'): Promise<void> {
    const pack = OFFERS.packs.find(({ id }) => id === offer) ?? null;
    const request = pack ? { pack: pack.id } : { plan: 'plan', interval: 'month' as const };
    const begun = await startCheckout(deps(this.db, this.service, START), this.accountId, request, 'http://here').catch(
      (error: { code?: string }) => {
        assert.equal(error.code, 'plan_active');
      },
    );
    if (!begun) return;
    const session = /cs_\w+/.exec(begun.url)![0];
    const cents = pack?.cents ?? OFFERS.plans[0]!.monthCents;
    const nothing = { refundedCents: 0, dispute: null, hasFailed: false, periods: 0, paidTo: 0, isPeriodBack: false };
    this.sales.push({ paymentId: begun.checkoutId, session, pack, cents, ...nothing });
  }

  /** What tells of it; undefined: it can't happen to this one now. */
  async #happen(
    sale: Sale,
    deed: Exclude<Deed, { do: 'begin' | 'spend' | 'tell' }>,
  ): Promise<StripeEvent[] | undefined> {
    const session = this.stripe.sessions.get(sale.session)!;
    const ref = session.subscription;
    const subscription = ref === null ? undefined : this.stripe.subscriptions.get(ref);
    const isPaid = session.payment_status === 'paid';
    switch (deed.do) {
      case 'pay': {
        if (session.status !== 'open') return undefined;
        const told = this.stripe.pay(sale.session, { slowly: deed.slowly });
        if (!deed.slowly) this.#paid(sale);
        return told;
      }
      case 'arrive': {
        if (session.status !== 'complete' || isPaid || sale.hasFailed) return undefined;
        const told = this.stripe.arrive(sale.session, { fails: deed.fails });
        if (deed.fails) sale.hasFailed = true;
        else this.#paid(sale);
        return told;
      }
      case 'expire':
        return session.status === 'open' ? this.stripe.expire(sale.session) : undefined;
      case 'look': {
        const late = deps(this.db, this.service, START + 60_000);
        await checkPayment(late, this.accountId, sale.paymentId, 'http://here');
        return [];
      }
      case 'cancel':
        if (subscription?.status !== 'active') return undefined;
        await this.service.setCancelled(ref!, deed.isCancelled);
        return [this.stripe.events.findLast(({ data }) => data.object.id === ref)!];
      case 'end':
        return subscription && LIVE.has(subscription.status) ? this.stripe.endSubscription(ref!) : undefined;
      case 'renew': {
        // A month goes by until then, in which what was given back was told.
        if (subscription?.status !== 'active' || sale.isPeriodBack || !(await this.#isKnown(sale))) return undefined;
        const told = this.stripe.renew(ref!, { fails: deed.fails });
        if (!deed.fails) this.#paid(sale);
        return told;
      }
      case 'refund': {
        if (!isPaid) return undefined;
        if (sale.pack === null) {
          const isTime = sale.periods === 1 || (await this.#isKnown(sale));
          if (subscription?.status !== 'active' || sale.isPeriodBack || !isTime) return undefined;
          sale.isPeriodBack = true;
          sale.refundedCents += sale.cents;
          return this.stripe.refund(sale.session, sale.cents);
        }
        const cents = Math.min(deed.cents, sale.cents - sale.refundedCents);
        if (cents === 0) return undefined;
        sale.refundedCents += cents;
        return this.stripe.refund(sale.session, cents);
      }
      case 'dispute': {
        if (!isPaid || sale.pack === null || sale.dispute) return undefined;
        sale.dispute = { cents: Math.min(deed.cents, sale.cents), state: 'open' };
        return this.stripe.dispute(sale.session, 'needs_response', sale.dispute.cents);
      }
      case 'decide': {
        if (sale.dispute?.state !== 'open') return undefined;
        sale.dispute.state = deed.isWon ? 'won' : 'lost';
        return this.stripe.dispute(sale.session, sale.dispute.state, sale.dispute.cents);
      }
    }
  }

  /** Of what comes long after a period was paid for: by then it was told, or asked about. */
  async #isKnown({ paymentId, paidTo }: Sale): Promise<boolean> {
    const plans = this.db.read.selectFrom('subscription').select('period_end');
    const plan = await plans.where('id', '=', paymentId).where('state', '=', 'active').executeTakeFirst();
    return plan?.period_end === paidTo;
  }

  #paid(sale: Sale): void {
    const { subscription } = this.stripe.sessions.get(sale.session)!;
    if (subscription === null) return;
    sale.periods++;
    sale.paidTo = this.stripe.subscriptions.get(subscription)!.to * 1000;
    sale.isPeriodBack = false;
  }

  async #spend(micro: number): Promise<void> {
    const id = randomUUID();
    const charged = await this.db.write(async (tx) => {
      const hold = { id, accountId: this.accountId, runId: id, amountMicro: micro, at: START };
      if ((await placeHold(tx, hold)).kind !== 'held') return 0;
      const usage = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, estimated: false };
      await settleHold(tx, { runId: id, conversationId: id, model: 'm', tool: 't', usage }, micro, START);
      const held = await tx.selectFrom('hold').select('purchased').where('id', '=', id).executeTakeFirstOrThrow();
      return held.purchased;
    });
    this.spentMicro += charged;
  }

  async #tell({ event: nth, times, dies }: Extract<Deed, { do: 'tell' }>): Promise<void> {
    const event = this.events[nth % this.events.length];
    if (!event || this.lost.has(event.id)) return;
    const on = deps(dying(this.db, dies), this.service, START);
    await Promise.all(
      Array.from({ length: times }, () =>
        deliver(on, event).catch((error) => {
          if (!(error instanceof Crash)) throw error;
        }),
      ),
    );
  }
}

/** As the route does it, once the signature held. */
export const deliver = (on: SaleDeps, { id, type, data }: StripeEvent) =>
  applyEvent(on, { id, type, object: data.object });

/** What the routes and the job have at hand, at `now`. */
export function deps(db: Database, stripe: StripeService, now: number): SaleDeps {
  const policy = { ...OFFERS, tierCents: [] };
  const base = { db, clock: { now: () => now }, ids: systemIds, log, policy, followBought: async () => {} };
  return { ...base, installation: 'this one', stripe };
}
const log = createLog('silent');

/** A database whose server dies before a transaction is committed, or right after. */
function dying(db: Database, when: 'never' | 'before' | 'after'): Database {
  if (when === 'never') return db;
  async function write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    if (when === 'after') await db.write(work);
    else
      await db.write(async (tx) => {
        await work(tx);
        throw new Crash();
      });
    throw new Crash();
  }
  return { ...db, write };
}
