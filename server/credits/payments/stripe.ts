import type { default as Stripe } from 'stripe';
import type { PaymentConfig } from '../../platform/config/paymentConfig.ts';
import type { ProxyConfig } from '../../platform/config/proxyConfig.ts';
import type { PaymentRow } from '../../platform/db/schema.ts';
import { AppError } from '../../platform/errors.ts';
import { routeTo } from '../../platform/outbound.ts';
import { instantOf } from '../../platform/values/numbers.ts';

/** The API version that the code below expects. An SDK of another major version uses another API version. */
export const API_VERSION = '2026-10-28.endive';
const TIMEOUT_MS = 10_000;
const RETRIES = 2;
/** The maximum age of an event, so that a signed body can't be replayed for ever. In seconds; the SDK's default. */
const TOLERANCE_S = 300;

/** A checkout's state at Stripe. */
export interface CheckoutFacts {
  sessionId: string;
  /** Our payment's id, which Stripe got when the checkout was created. */
  paymentId: string | null;
  mode: string;
  status: string | null;
  paymentStatus: string;
  amountCents: number | null;
  currency: string | null;
  paymentIntent: string | null;
  subscriptionRef: string | null;
  /** The customer who pays. If the page creates a new one, null until the page is completed. */
  customer: string | null;
  url: string | null;
  /** A delayed payment method has finally failed. */
  hasFailed: boolean;
}

/** A subscription's state at Stripe. */
export interface SubscriptionFacts {
  ref: string;
  paymentId: string | null;
  customer: string;
  status: string;
  isCancelled: boolean;
  amountCents: number | null;
  currency: string;
  interval: string | null;
  /** Start of the current period, in ms. */
  from: number;
  to: number;
  /** The invoice of the newest period. */
  invoice: { id: string; isPaid: boolean; subtotalCents: number; currency: string; url: string | null } | null;
}

/** What a payment intent paid: a checkout, or an invoice of a subscription. */
export interface IntentFacts {
  paymentId: string | null;
  subscriptionRef: string | null;
  invoiceId: string | null;
}

/** The calls to Stripe. Each throws `payment_service_failed` if Stripe gives no usable answer. */
export class StripeService {
  readonly #stripe: Stripe;
  readonly #errors: typeof Stripe.errors;
  readonly #webhookSecret: string;

  /** Loads the SDK only if something is sold, because it is large. */
  static async open(config: PaymentConfig, proxies: ProxyConfig | null = null): Promise<StripeService> {
    const sdk = await import('stripe');
    return new StripeService(sdk.default, config, proxies);
  }

  private constructor(
    sdk: typeof Stripe,
    { secretKey, webhookSecret, apiBase }: PaymentConfig,
    proxies: ProxyConfig | null,
  ) {
    const base = new URL(apiBase ?? 'https://api.stripe.com');
    this.#webhookSecret = webhookSecret;
    this.#errors = sdk.errors;
    this.#stripe = new sdk(secretKey, {
      apiVersion: API_VERSION,
      timeout: TIMEOUT_MS,
      maxNetworkRetries: RETRIES,
      telemetry: false,
      host: base.hostname,
      port: base.port || (base.protocol === 'https:' ? 443 : 80),
      protocol: base.protocol === 'https:' ? 'https' : 'http',
      httpAgent: routeTo(base, proxies).agent,
    });
  }

  /**
   * Creates the checkout page for `payment`. A repeated call returns the same page, because the payment's id is the
   * idempotency key. Browsers come back to `home`. `note`: what a restored database would be missing.
   */
  createCheckout(payment: PaymentRow, home: string, note: Record<string, string>): Promise<CheckoutFacts> {
    const metadata = { perigee_payment: payment.id };
    const back = (what: string) => `${home}/account?checkout=${payment.id}&payment=${what}#credits`;
    const price = { currency: payment.currency, unit_amount: payment.amount_cents };
    const product_data = { name: payment.name };
    const make = (customer: string | null, idempotencyKey: string) =>
      this.#stripe.checkout.sessions.create(
        {
          client_reference_id: payment.id,
          metadata: { ...metadata, ...note },
          success_url: back('done'),
          cancel_url: back('left'),
          // Stripe must charge the exact amount and currency that we verify.
          adaptive_pricing: { enabled: false },
          ...(payment.interval === null
            ? {
                mode: 'payment',
                ...(customer === null && { customer_creation: 'always' }),
                line_items: [{ quantity: 1, price_data: { ...price, product_data } }],
                payment_intent_data: { metadata },
              }
            : {
                mode: 'subscription',
                line_items: [
                  { quantity: 1, price_data: { ...price, product_data, recurring: { interval: payment.interval } } },
                ],
                subscription_data: { metadata },
              }),
          ...(customer !== null && { customer }),
        },
        { idempotencyKey },
      );
    const key = `checkout:${payment.id}`;
    return this.#ask(async () => {
      try {
        return checkoutFacts(await make(payment.customer, key));
      } catch (error) {
        // The operator has deleted that customer at Stripe, so the page creates a new one.
        if (payment.customer === null || !isMissing(error)) throw error;
        return checkoutFacts(await make(null, `${key}:anew`));
      }
    });
  }

  /** A page, valid for minutes, with the customer's invoices and payment methods. Null: there is no such customer. */
  openPortal(customer: string, home: string): Promise<string | null> {
    return this.#ask(async () => {
      try {
        const session = await this.#stripe.billingPortal.sessions.create({
          customer,
          return_url: `${home}/account#credits`,
        });
        return session.url;
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    });
  }

  /** The address of a payment's receipt; for a plan, of its newest invoice. Null: there is none. */
  readReceipt({ payment_intent, subscription_ref }: PaymentRow): Promise<string | null> {
    return this.#ask(async () => {
      if (subscription_ref !== null) return (await this.#subscription(subscription_ref)).invoice?.url ?? null;
      if (payment_intent === null) return null;
      const intent = await this.#stripe.paymentIntents.retrieve(payment_intent, { expand: ['latest_charge'] });
      const charge = intent.latest_charge;
      return charge !== null && typeof charge === 'object' ? charge.receipt_url : null;
    });
  }

  readCheckout(sessionId: string): Promise<CheckoutFacts> {
    return this.#ask(async () =>
      checkoutFacts(await this.#stripe.checkout.sessions.retrieve(sessionId, { expand: ['payment_intent'] })),
    );
  }

  readSubscription(ref: string): Promise<SubscriptionFacts> {
    return this.#ask(() => this.#subscription(ref));
  }

  async #subscription(ref: string): Promise<SubscriptionFacts> {
    return subscriptionFacts(await this.#stripe.subscriptions.retrieve(ref, { expand: ['latest_invoice'] }));
  }

  /** Ends a subscription with its period, or lets it renew after all. */
  setCancelled(ref: string, isCancelled: boolean): Promise<SubscriptionFacts> {
    return this.#ask(async () =>
      subscriptionFacts(
        await this.#stripe.subscriptions.update(ref, {
          cancel_at_period_end: isCancelled,
          expand: ['latest_invoice'],
        }),
      ),
    );
  }

  /** Ends a subscription now, so that it charges nothing more. One that has ended stays so. */
  async endSubscription(ref: string): Promise<void> {
    await this.#ask(async () => {
      try {
        await this.#stripe.subscriptions.cancel(ref);
      } catch (error) {
        if (isMissing(error)) return;
        throw error;
      }
    });
  }

  /** Refunds an invoice, once even if called repeatedly. False: there is nothing to refund. */
  refundInvoice(invoiceId: string): Promise<boolean> {
    return this.#ask(async () => {
      const paid = await this.#stripe.invoicePayments.list({ invoice: invoiceId, status: 'paid', limit: 1 });
      const intent = idOf(paid.data[0]?.payment.payment_intent);
      if (intent === null) return false;
      try {
        await this.#stripe.refunds.create({ payment_intent: intent }, { idempotencyKey: `surplus:${invoiceId}` });
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'charge_already_refunded') throw error;
      }
      return true;
    });
  }

  /** What a payment intent paid for. */
  readIntent(paymentIntent: string): Promise<IntentFacts> {
    return this.#ask(async () => {
      const intent = await this.#stripe.paymentIntents.retrieve(paymentIntent);
      const paymentId = intent.metadata.perigee_payment ?? null;
      if (paymentId !== null) return { paymentId, subscriptionRef: null, invoiceId: null };
      const of = await this.#stripe.invoicePayments.list({
        payment: { type: 'payment_intent', payment_intent: paymentIntent },
        limit: 1,
      });
      const invoiceId = idOf(of.data[0]?.invoice);
      if (invoiceId === null) return { paymentId: null, subscriptionRef: null, invoiceId: null };
      const invoice = await this.#stripe.invoices.retrieve(invoiceId);
      return { paymentId: null, subscriptionRef: idOf(invoice.parent?.subscription_details?.subscription), invoiceId };
    });
  }

  /** Checkouts created since `since` (epoch ms), newest first, with their notes. */
  checkoutsSince(since: number): Promise<(CheckoutFacts & { note: Record<string, string>; createdAt: number })[]> {
    return this.#all(
      this.#stripe.checkout.sessions.list({ ...madeSince(since), expand: ['data.payment_intent'] }),
      (session) => ({ ...checkoutFacts(session), note: session.metadata ?? {}, createdAt: session.created * 1000 }),
    );
  }

  /** Charges with a refund since `since`, in the form that events have. */
  async refundedSince(since: number): Promise<Stripe.Charge[]> {
    const charges = await this.#all(
      this.#stripe.refunds.list({ ...madeSince(since), expand: ['data.charge'] }),
      ({ charge }) => charge,
    );
    const whole = charges.filter((charge) => charge !== null && typeof charge === 'object');
    return [...new Map(whole.map((charge) => [charge.id, charge])).values()];
  }

  /** Disputes opened since `since`, in the form that events have. */
  disputesSince(since: number): Promise<Stripe.Dispute[]> {
    return this.#all(this.#stripe.disputes.list(madeSince(since)), (dispute) => dispute);
  }

  #all<T, R>(list: AsyncIterable<T>, read: (one: T) => R): Promise<R[]> {
    return this.#ask(async () => {
      const all: R[] = [];
      for await (const one of list) all.push(read(one));
      return all;
    });
  }

  /**
   * Verifies Stripe's signature and returns the event; `now` (ms) is used to judge its age. Throws `wrong_signature`
   * before anything reads the body's contents.
   */
  verifyEvent(body: string, signature: string | undefined, now: number): { id: string; type: string; object: unknown } {
    let event: Stripe.Event;
    try {
      event = this.#stripe.webhooks.constructEvent(
        body,
        signature ?? '',
        this.#webhookSecret,
        TOLERANCE_S,
        undefined,
        now,
      );
    } catch (error) {
      if (!(error instanceof this.#errors.StripeSignatureVerificationError)) throw unreadable();
      throw new AppError(
        'wrong_signature',
        'This was not signed with STRIPE_WEBHOOK_SECRET in the last five minutes. Nothing was changed.',
      );
    }
    if (typeof event?.id !== 'string' || typeof event.type !== 'string' || !event.data) throw unreadable();
    return { id: event.id, type: event.type, object: event.data.object };
  }

  async #ask<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof this.#errors.StripeError)) throw error;
      // Log only fields that contain no person and no secret: a message can repeat a part of the key.
      const { type, code, statusCode, requestId } = error;
      throw new AppError(
        'payment_service_failed',
        'The payment service did not answer as expected. Nothing is lost: a payment is credited as soon as the service answers. Try again in a moment.',
        {},
        { cause: new Error(`stripe: ${type} ${code ?? ''} ${statusCode ?? ''} ${requestId ?? ''}`.trim()) },
      );
    }
  }
}

function checkoutFacts(session: Stripe.Checkout.Session): CheckoutFacts {
  const intent = session.payment_intent;
  const hasFailed =
    session.status === 'complete' &&
    session.payment_status === 'unpaid' &&
    intent !== null &&
    typeof intent === 'object' &&
    (intent.status === 'canceled' || intent.status === 'requires_payment_method');
  return {
    sessionId: session.id,
    paymentId: session.metadata?.perigee_payment ?? null,
    mode: session.mode,
    status: session.status,
    paymentStatus: session.payment_status,
    amountCents: session.amount_total,
    currency: session.currency,
    paymentIntent: idOf(intent),
    subscriptionRef: idOf(session.subscription),
    customer: idOf(session.customer),
    url: session.url,
    hasFailed,
  };
}

function subscriptionFacts(subscription: Stripe.Subscription): SubscriptionFacts {
  const item = subscription.items.data[0];
  if (!item) throw new Error('stripe: a subscription to nothing');
  const from = instantOf(item.current_period_start);
  const to = instantOf(item.current_period_end);
  if (from === undefined || to === undefined) throw new Error('stripe: a period without dates');
  const invoice = typeof subscription.latest_invoice === 'object' ? subscription.latest_invoice : null;
  return {
    ref: subscription.id,
    paymentId: subscription.metadata.perigee_payment ?? null,
    customer: idOf(subscription.customer)!,
    status: subscription.status,
    isCancelled: subscription.cancel_at_period_end || subscription.cancel_at !== null,
    amountCents: item.price.unit_amount,
    currency: subscription.currency,
    interval: item.price.recurring?.interval ?? null,
    from,
    to,
    invoice: invoice && {
      id: invoice.id,
      isPaid: invoice.status === 'paid',
      subtotalCents: invoice.subtotal,
      currency: invoice.currency,
      url: invoice.hosted_invoice_url ?? null,
    },
  };
}

/** For lists: Stripe's times are in seconds, and 100 is its largest page. */
const madeSince = (ms: number) => ({ created: { gte: Math.floor(ms / 1000) }, limit: 100 });

/** The id of a referenced object, which Stripe sends as an id or expanded. */
function idOf(ref: string | { id: string } | null | undefined): string | null {
  if (ref === null || ref === undefined) return null;
  return typeof ref === 'string' ? ref : ref.id;
}

const isMissing = (error: unknown) => (error as { code?: unknown }).code === 'resource_missing';

export const unreadable = () =>
  new AppError('invalid_request', 'This event does not have the form of its type. Nothing was changed.');
