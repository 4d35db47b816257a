import assert from 'node:assert/strict';
import { followBought } from '../../server/accounts/people/tiers.ts';
import { askAboutPayments, type SaleDeps } from '../../server/credits/payments/checkout.ts';
import { StripeService } from '../../server/credits/payments/stripe.ts';
import { parseConfig } from '../../server/platform/config/config.ts';
import { parsePayments } from '../../server/platform/config/paymentConfig.ts';
import type { Log } from '../../server/platform/log.ts';
import { fingerprint } from '../../server/platform/secrets.ts';
import { systemIds } from '../../server/platform/system.ts';
import type { CheckoutAnswer, CheckoutRequest, OffersAnswer, PaymentAnswer } from '../../shared/credits.ts';
import type { StripeDouble, StripeEvent } from '../doubles/stripe.ts';
import type { Client } from './client.ts';
import { SECRET } from './server.ts';
import { type SignInWorld, somebody } from './signInWorld.ts';

/** A server that sells credits, with a double of Stripe. */
export class Shop {
  /** Lines of the server's log. */
  readonly logged: string[] = [];

  constructor(
    readonly world: () => SignInWorld,
    readonly stripe: StripeDouble,
  ) {}

  get server() {
    return this.world().server();
  }

  async member(): Promise<Client> {
    return (await this.world().signIn(somebody())).member;
  }

  /** Starts a checkout. */
  async begin(member: Client, request: CheckoutRequest = { pack: 'pack-5' }): Promise<{ id: string; session: string }> {
    const { status, body } = await member.request<CheckoutAnswer>('POST', '/api/credits/checkout', request);
    assert.equal(status, 200, JSON.stringify(body));
    return { id: body.checkoutId, session: /cs_\w+/.exec(body.url)![0] };
  }

  /** Buys, and lets Stripe send the events. */
  async buy(member: Client, request?: CheckoutRequest): Promise<{ id: string; session: string }> {
    const bought = await this.begin(member, request);
    await this.tell(this.stripe.pay(bought.session));
    return bought;
  }

  async tell(events: readonly StripeEvent[], url = this.server.url): Promise<void> {
    for (const event of events) assert.equal(await this.stripe.deliver(url, event), 204, event.type);
  }

  async check(member: Client, id: string) {
    const { status, body } = await member.request<PaymentAnswer>('POST', `/api/credits/checkout/${id}/check`);
    return { ...body, status };
  }

  async offers(member: Client): Promise<OffersAnswer> {
    return (await member.request<OffersAnswer>('GET', '/api/credits/offers')).body;
  }

  /** The free purchased credits and the debt, in credits. */
  async has(member: Client): Promise<{ purchased: number; owed: number }> {
    const { balance } = (await member.account()).body;
    return { purchased: balance.purchasedMicro / 1e6, owed: (await this.offers(member)).owedMicro / 1e6 };
  }

  /** How many transfers there are: a count that stays the same where nothing moved. */
  journal() {
    return this.server.db.read
      .selectFrom('transfer')
      .select((eb) => eb.fn.countAll<number | string>().as('count'))
      .executeTakeFirstOrThrow();
  }

  /** Runs the job, which each node runs every 15 seconds, until it has nothing left to ask. */
  async ask(): Promise<void> {
    const deps = await this.deps();
    while ((await askAboutPayments(deps)) > 0);
  }

  /** The dependencies of the routes and the job. */
  async deps(): Promise<SaleDeps> {
    const { db, clock } = this.server;
    const { policy } = parseConfig({}, () => '{}');
    const stripe = await StripeService.open(parsePayments(this.stripe.env, '127.0.0.1', null)!);
    const installation = fingerprint(SECRET);
    return { db, clock, ids: systemIds, log: this.log, policy, followBought, installation, stripe };
  }

  readonly log: Log = Object.fromEntries(
    ['debug', 'info', 'warn', 'error', 'fatal'].map((level) => [
      level,
      (...what: unknown[]) => void this.logged.push(`${level} ${what.map(text).join(' ')}`),
    ]),
  ) as unknown as Log;
}

/** Includes error details, as the real log does. */
const text = (what: unknown) =>
  JSON.stringify(what, (_, value) =>
    value instanceof Error ? { message: value.message, stack: value.stack, cause: value.cause } : value,
  );
