import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';
import { API_VERSION } from '../../server/credits/payments/stripe.ts';

export const STRIPE_ENV = { STRIPE_SECRET_KEY: 'sk_test_double', STRIPE_WEBHOOK_SECRET: 'whsec_double' };

/** How a call can fail: before it has an effect, or after, when only the answer is lost. */
export type Failure = 'error' | 'rate-limit' | 'decline' | 'drop' | 'drop-when-done' | 'garbage';

// The parts of Stripe's objects that the server reads, in the SDK's own types.
type Session = Pick<
  Stripe.Checkout.Session,
  | 'id'
  | 'object'
  | 'created'
  | 'metadata'
  | 'client_reference_id'
  | 'mode'
  | 'payment_status'
  | 'amount_total'
  | 'currency'
  | 'url'
> & {
  customer: string | null;
  customer_creation: 'always' | 'if_required' | null;
  status: 'open' | 'complete' | 'expired';
  payment_intent: string | null;
  subscription: string | null;
  success_url: string;
  cancel_url: string;
};
type Intent = Pick<Stripe.PaymentIntent, 'id' | 'object' | 'amount' | 'currency' | 'metadata' | 'status'> & {
  charge: string;
  refunded: number;
};
type Invoice = Pick<
  Stripe.Invoice,
  'id' | 'object' | 'status' | 'subtotal' | 'total' | 'amount_paid' | 'currency' | 'hosted_invoice_url'
> & { subscription: string; intent: string | null };
type Subscription = Pick<
  Stripe.Subscription,
  'id' | 'object' | 'status' | 'metadata' | 'currency' | 'cancel_at_period_end' | 'cancel_at'
> & { customer: string; latest_invoice: string; amount: number; interval: 'month' | 'year'; from: number; to: number };

export interface StripeEvent {
  id: string;
  object: 'event';
  api_version: string;
  created: number;
  type: string;
  data: { object: Record<string, unknown> };
}

/** The Stripe calls that the server uses, over HTTP, with books of its own: the money taken and returned. */
export class StripeDouble {
  /** All events, oldest first. They are delivered only when the test does it. */
  readonly events: StripeEvent[] = [];
  /** The calls received, as "POST /v1/refunds". */
  readonly calls: string[] = [];
  readonly sessions = new Map<string, Session>();
  readonly subscriptions = new Map<string, Subscription>();
  readonly customers = new Set<string>();
  /** Customer portals that were opened, with the customer's invoices. */
  readonly portals: { customer: string; return_url: string | null; url: string }[] = [];
  readonly #intents = new Map<string, Intent>();
  readonly #invoices = new Map<string, Invoice>();
  readonly #refunds: { id: string; object: 'refund'; created: number; intent: Intent }[] = [];
  readonly #disputes = new Map<string, { id: string; created: number } & Record<string, unknown>>();
  readonly #answers = new Map<string, { asked: string; answer: [number, unknown] }>();
  readonly #failures: { call: RegExp; failure: Failure }[] = [];
  readonly #sdk = new Stripe(STRIPE_ENV.STRIPE_SECRET_KEY);
  readonly #server: Server;
  #next = 1;
  /** The time in ms; the test's server may have another clock. */
  now: () => number = Date.now;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<StripeDouble> {
    const double = new StripeDouble();
    double.#server.listen(0, '127.0.0.1');
    await once(double.#server, 'listening');
    return double;
  }

  get env(): Record<string, string> {
    return { ...STRIPE_ENV, STRIPE_API_BASE: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}` };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /**
   * Makes the next calls that match `call`, such as "POST /v1/refunds", fail one after the other. The server's job may
   * make calls at any time, and the SDK repeats some failed calls.
   */
  failNext(call: RegExp, ...failures: Failure[]): void {
    this.#failures.push(...failures.map((failure) => ({ call, failure })));
  }

  /** Clears unused failures of `failNext`, if fewer calls came. */
  forgetFailures(): void {
    this.#failures.length = 0;
  }

  /** The money paid and not returned, in cents. */
  get takenCents(): number {
    return [...this.#intents.values()].reduce(
      (sum, one) => sum + (one.status === 'succeeded' ? one.amount - one.refunded : 0),
      0,
    );
  }

  // Actions of a person on Stripe's page, or of Stripe itself. Each returns its events, in Stripe's order.

  /** Pays on the page. `slowly`: with a method that takes days. */
  pay(sessionId: string, { slowly = false } = {}): StripeEvent[] {
    const session = this.sessions.get(sessionId)!;
    if (session.status !== 'open') throw new Error(`the double: a page that is ${session.status} can't be paid`);
    session.status = 'complete';
    session.url = null;
    const isNew = session.mode === 'subscription' || session.customer_creation === 'always';
    if (session.customer === null && isNew) session.customer = this.#customer();
    const told: StripeEvent[] = [];
    if (session.mode === 'subscription') {
      const subscription = this.#subscribe(session, slowly);
      session.subscription = subscription.id;
      const invoice = this.#invoices.get(subscription.latest_invoice)!;
      if (!slowly) told.push(this.#tell('invoice.paid', this.#invoiceWire(invoice)));
      told.push(this.#tell('customer.subscription.updated', this.#subscriptionWire(subscription, false)));
    } else {
      session.payment_intent = this.#charge(session.amount_total!, this.#passedOn.get(session.id)!, slowly).id;
    }
    if (!slowly) session.payment_status = 'paid';
    return [...told, this.#tell('checkout.session.completed', { ...session })];
  }

  /** Completes a slow payment, or fails it. */
  arrive(sessionId: string, { fails = false } = {}): StripeEvent[] {
    const session = this.sessions.get(sessionId)!;
    const subscription = session.subscription === null ? undefined : this.subscriptions.get(session.subscription)!;
    const invoice = subscription && this.#invoices.get(subscription.latest_invoice)!;
    const intent = this.#intents.get(session.payment_intent ?? invoice!.intent!)!;
    intent.status = fails ? 'requires_payment_method' : 'succeeded';
    if (fails) {
      if (subscription) subscription.status = 'incomplete_expired';
      return [this.#tell('checkout.session.async_payment_failed', { ...session })];
    }
    session.payment_status = 'paid';
    if (subscription && invoice) {
      subscription.status = 'active';
      invoice.status = 'paid';
      invoice.amount_paid = invoice.total;
    }
    return [this.#tell('checkout.session.async_payment_succeeded', { ...session })];
  }

  expire(sessionId: string): StripeEvent[] {
    const session = this.sessions.get(sessionId)!;
    session.status = 'expired';
    session.url = null;
    return [this.#tell('checkout.session.expired', { ...session })];
  }

  /** Starts the next period, paid or not. */
  renew(ref: string, { fails = false } = {}): StripeEvent[] {
    const subscription = this.subscriptions.get(ref)!;
    subscription.from = subscription.to;
    subscription.to += subscription.interval === 'month' ? 30 * 86_400 : 365 * 86_400;
    const invoice = this.#invoice(subscription, fails ? 'open' : 'paid');
    subscription.status = fails ? 'past_due' : 'active';
    return [
      this.#tell('customer.subscription.updated', this.#subscriptionWire(subscription, false)),
      this.#tell(fails ? 'invoice.payment_failed' : 'invoice.paid', this.#invoiceWire(invoice)),
    ];
  }

  /** Ends a subscription at once, as the operator does, or Stripe after its last payment attempt. */
  endSubscription(ref: string): StripeEvent[] {
    const subscription = this.subscriptions.get(ref)!;
    subscription.status = 'canceled';
    return [this.#tell('customer.subscription.deleted', this.#subscriptionWire(subscription, false))];
  }

  /** Deletes a customer, as the operator does, which ends their subscriptions. */
  deleteCustomer(id: string): StripeEvent[] {
    this.customers.delete(id);
    const theirs = [...this.subscriptions.values()].filter((one) => one.customer === id && one.status !== 'canceled');
    return theirs.flatMap((one) => this.endSubscription(one.id));
  }

  /** The URL of a checkout's receipt, as Stripe's page shows it. */
  receiptOf(sessionId: string): string {
    return receiptUrl(this.#intentOf(sessionId));
  }

  invoiceOf(sessionId: string): string {
    const { latest_invoice } = this.subscriptions.get(this.sessions.get(sessionId)!.subscription!)!;
    return this.#invoices.get(latest_invoice)!.hosted_invoice_url!;
  }

  /** Refunds an amount of a checkout, as the operator does. */
  refund(sessionId: string, cents: number): StripeEvent[] {
    const intent = this.#intentOf(sessionId);
    intent.refunded += cents;
    this.#noteRefund(intent);
    return [this.#tell('charge.refunded', this.#chargeWire(intent))];
  }

  /** Opens a dispute: the payer's bank takes the money back until a decision. `status` is one of Stripe's. */
  dispute(sessionId: string, status: Stripe.Dispute.Status = 'needs_response', cents?: number): StripeEvent[] {
    const intent = this.#intentOf(sessionId);
    const dispute = { id: `dp_${sessionId}`, object: 'dispute', charge: intent.charge, payment_intent: intent.id };
    const isOver = status === 'won' || status === 'lost' || status === 'warning_closed';
    const type = isOver ? 'charge.dispute.closed' : 'charge.dispute.created';
    const whole = { ...dispute, amount: cents ?? intent.amount, currency: intent.currency, status };
    const created = this.#disputes.get(dispute.id)?.created ?? Math.floor(this.now() / 1000);
    this.#disputes.set(dispute.id, { ...whole, created });
    return [this.#tell(type, whole)];
  }

  /** Sends an event as Stripe does, or with the faults in `with`. Returns the status of the answer. */
  async deliver(
    url: string,
    event: StripeEvent,
    { secret = STRIPE_ENV.STRIPE_WEBHOOK_SECRET, at = this.now(), body = JSON.stringify(event), header = '' } = {},
  ): Promise<number> {
    const payload = JSON.stringify(event);
    const timestamp = Math.floor(at / 1000);
    const signature = header || this.#sdk.webhooks.generateTestHeaderString({ payload, secret, timestamp });
    // A connection of its own, because the server cuts off a body that is too large.
    const headers = { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature };
    const sent = request(`${url}/api/payments/stripe`, { method: 'POST', agent: false, headers });
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode!;
  }

  /** Makes up an event of any type about any object, which Stripe never sent. */
  invent(type: string, object: Record<string, unknown>): StripeEvent {
    return this.#tell(type, object);
  }

  #id(prefix: string): string {
    return `${prefix}_${this.#next++}${'x'.repeat(10)}`;
  }

  #tell(type: string, object: Record<string, unknown>): StripeEvent {
    const created = Math.floor(this.now() / 1000);
    const data = { object: structuredClone(object) };
    const event: StripeEvent = { id: this.#id('evt'), object: 'event', api_version: API_VERSION, created, type, data };
    this.events.push(event);
    return event;
  }

  #noteRefund(intent: Intent): void {
    this.#refunds.push({ id: this.#id('re'), object: 'refund', created: Math.floor(this.now() / 1000), intent });
  }

  #customer(): string {
    const id = this.#id('cus');
    this.customers.add(id);
    return id;
  }

  #charge(amount: number, metadata: Stripe.Metadata, slowly: boolean, currency = 'usd'): Intent {
    const status = slowly ? 'processing' : 'succeeded';
    const intent: Intent = {
      ...{ id: this.#id('pi'), object: 'payment_intent', amount, currency, metadata, status },
      ...{ charge: this.#id('ch'), refunded: 0 },
    };
    this.#intents.set(intent.id, intent);
    return intent;
  }

  #subscribe(session: Session, slowly: boolean): Subscription {
    const from = Math.floor(this.now() / 1000);
    const interval = this.#intervals.get(session.id)!;
    const subscription: Subscription = {
      ...{ id: this.#id('sub'), object: 'subscription', status: slowly ? 'incomplete' : 'active' },
      ...{
        metadata: this.#passedOn.get(session.id)!,
        currency: session.currency!,
        customer: session.customer!,
        cancel_at_period_end: false,
        cancel_at: null,
      },
      ...{ latest_invoice: '', amount: session.amount_total!, interval, from },
      to: from + (interval === 'month' ? 30 : 365) * 86_400,
    };
    this.subscriptions.set(subscription.id, subscription);
    this.#invoice(subscription, slowly ? 'open' : 'paid', slowly);
    return subscription;
  }

  readonly #intervals = new Map<string, 'month' | 'year'>();
  /** What a checkout gives to the intent or subscription that it makes. Its own metadata stays with it. */
  readonly #passedOn = new Map<string, Stripe.Metadata>();

  #invoice(subscription: Subscription, status: 'open' | 'paid', slowly = false): Invoice {
    const { amount, currency } = subscription;
    const intent = status === 'paid' || slowly ? this.#charge(amount, {}, slowly, currency) : null;
    const id = this.#id('in');
    const invoice: Invoice = {
      ...{ id, object: 'invoice', status, subtotal: amount, total: amount, currency },
      ...{ amount_paid: status === 'paid' ? amount : 0, hosted_invoice_url: `https://invoice.stripe.example/${id}` },
      ...{ subscription: subscription.id, intent: intent?.id ?? null },
    };
    this.#invoices.set(id, invoice);
    subscription.latest_invoice = id;
    return invoice;
  }

  #intentOf(sessionId: string): Intent {
    const session = this.sessions.get(sessionId)!;
    const subscription = session.subscription === null ? undefined : this.subscriptions.get(session.subscription)!;
    const invoice = subscription && this.#invoices.get(subscription.latest_invoice)!;
    return this.#intents.get(session.payment_intent ?? invoice!.intent!)!;
  }

  #chargeWire({ id, charge, amount, refunded, currency, metadata }: Intent) {
    const whole = { refunded: refunded >= amount, paid: true };
    return {
      id: charge,
      object: 'charge',
      amount,
      amount_refunded: refunded,
      currency,
      payment_intent: id,
      metadata,
      ...whole,
    };
  }

  #invoiceWire({ subscription, intent: _, ...invoice }: Invoice) {
    const details = { type: 'subscription_details', subscription_details: { subscription, metadata: {} } };
    return { ...invoice, parent: details };
  }

  #subscriptionWire(subscription: Subscription, isExpanded: boolean) {
    const { amount, interval, from, to, latest_invoice, ...plain } = subscription;
    const price = { id: 'price_1', object: 'price', unit_amount: amount, recurring: { interval, interval_count: 1 } };
    const item = { id: 'si_1', object: 'subscription_item', current_period_start: from, current_period_end: to, price };
    return {
      ...plain,
      items: { object: 'list', data: [item], has_more: false, url: '' },
      latest_invoice: isExpanded ? this.#invoiceWire(this.#invoices.get(latest_invoice)!) : latest_invoice,
    };
  }

  async #serve(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const bytes of asked) body += bytes;
    const url = new URL(asked.url!, 'http://stripe');
    const call = `${asked.method} ${url.pathname}`;
    this.calls.push(call);
    const at = this.#failures.findIndex((one) => one.call.test(call));
    const failure = at < 0 ? undefined : this.#failures.splice(at, 1)[0]!.failure;
    if (failure === 'drop') return void asked.socket.destroy();
    if (failure === 'garbage') return void response.writeHead(200).end('<html>');
    if (failure === 'error') return send(response, 500, stripeError('api_error', 'It broke.'));
    if (failure === 'rate-limit') return send(response, 429, stripeError('rate_limit_error', 'Too many.'));
    if (failure === 'decline') return send(response, 402, stripeError('card_error', 'Declined.', 'card_declined'));
    const [status, answer] = this.#once(asked, url, new URLSearchParams(body || url.search));
    if (failure === 'drop-when-done') return void asked.socket.destroy();
    send(response, status, answer);
  }

  /** The same idempotency key gets the same answer, without a second effect. */
  #once(asked: IncomingMessage, url: URL, form: URLSearchParams): [number, unknown] {
    const { authorization, 'stripe-version': version, 'idempotency-key': key } = asked.headers;
    if (authorization !== `Bearer ${STRIPE_ENV.STRIPE_SECRET_KEY}`)
      return [401, stripeError('invalid_request_error', 'Invalid API Key provided: sk_test_****')];
    if (version !== API_VERSION) return [400, stripeError('invalid_request_error', 'Another version.')];
    const isKeyed = typeof key === 'string' && asked.method === 'POST';
    const known = isKeyed ? this.#answers.get(key) : undefined;
    const said = `${url.pathname}?${form}`;
    if (known && known.asked !== said)
      return [400, stripeError('idempotency_error', 'Keys can only be used with the same parameters as before.')];
    if (known) return known.answer;
    const answer = this.#answer(asked.method!, url.pathname, form);
    // Stripe does not store the answer if validation fails.
    if (isKeyed && answer[0] < 400) this.#answers.set(key, { asked: said, answer: structuredClone(answer) });
    return answer;
  }

  #answer(method: string, path: string, form: URLSearchParams): [number, unknown] {
    const [, , kind = '', second = '', third = ''] = path.split('/');
    const missing: [number, unknown] = [
      404,
      stripeError('invalid_request_error', 'No such thing.', 'resource_missing'),
    ];
    if (method === 'POST' && path === '/v1/checkout/sessions') return this.#createSession(form);
    if (method === 'GET' && second === (kind === 'checkout' ? 'sessions' : '') && third === '') {
      const expands = (what: string) => form.getAll('expand[0]').includes(`data.${what}`);
      const intentOf = (id: string | null) => (id === null ? null : this.#intents.get(id)!);
      if (kind === 'checkout')
        return listOf(path, form, [...this.sessions.values()], (session) =>
          expands('payment_intent') ? { ...session, payment_intent: intentOf(session.payment_intent) } : session,
        );
      if (kind === 'refunds')
        return listOf(path, form, this.#refunds, ({ intent, ...refund }) => ({
          ...refund,
          charge: expands('charge') ? this.#chargeWire(intent) : intent.charge,
        }));
      if (kind === 'disputes') return listOf(path, form, [...this.#disputes.values()], (dispute) => dispute);
    }
    if (kind === 'checkout') {
      const session = this.sessions.get(third);
      if (!session) return missing;
      const intent = session.payment_intent === null ? null : this.#intents.get(session.payment_intent)!;
      return [
        200,
        {
          ...session,
          payment_intent: form.getAll('expand[0]').includes('payment_intent') ? intent : (intent?.id ?? null),
        },
      ];
    }
    if (kind === 'subscriptions') {
      const subscription = this.subscriptions.get(second);
      if (!subscription || (method !== 'GET' && subscription.status === 'canceled')) return missing;
      if (method === 'DELETE') this.endSubscription(second);
      const cancel = form.get('cancel_at_period_end');
      if (method === 'POST' && cancel !== null) {
        subscription.cancel_at_period_end = cancel === 'true';
        this.#tell('customer.subscription.updated', this.#subscriptionWire(subscription, false));
      }
      return [200, this.#subscriptionWire(subscription, form.get('expand[0]') === 'latest_invoice')];
    }
    if (kind === 'payment_intents') {
      const intent = this.#intents.get(second);
      if (!intent) return missing;
      const isExpanded = form.getAll('expand[0]').includes('latest_charge');
      const charge = { ...this.#chargeWire(intent), receipt_url: receiptUrl(intent) };
      return [200, { ...intent, latest_charge: isExpanded ? charge : intent.charge }];
    }
    if (kind === 'invoices') {
      const invoice = this.#invoices.get(second);
      return invoice ? [200, this.#invoiceWire(invoice)] : missing;
    }
    if (kind === 'invoice_payments') {
      const [invoice, intent] = [form.get('invoice'), form.get('payment[payment_intent]')];
      const found = [...this.#invoices.values()].filter(
        (one) =>
          one.intent !== null &&
          (invoice === null ? one.intent === intent : one.id === invoice && one.status === 'paid'),
      );
      const data = found.map((one) => ({
        ...{ id: `inpay_${one.id}`, object: 'invoice_payment', invoice: one.id, status: 'paid' },
        payment: { type: 'payment_intent', payment_intent: one.intent },
      }));
      return [200, { object: 'list', data, has_more: false, url: path }];
    }
    if (method === 'POST' && path === '/v1/billing_portal/sessions') return this.#openPortal(form);
    if (method === 'POST' && kind === 'refunds') {
      const intent = this.#intents.get(form.get('payment_intent') ?? '');
      if (!intent) return missing;
      if (intent.refunded >= intent.amount)
        return [400, stripeError('invalid_request_error', 'Refunded before.', 'charge_already_refunded')];
      intent.refunded = intent.amount;
      this.#noteRefund(intent);
      this.#tell('charge.refunded', this.#chargeWire(intent));
      return [200, { id: this.#id('re'), object: 'refund', amount: intent.amount, status: 'succeeded' }];
    }
    return [404, stripeError('invalid_request_error', `Unrecognized request URL (${method}: ${path}).`)];
  }

  #openPortal(form: URLSearchParams): [number, unknown] {
    const customer = form.get('customer') ?? '';
    if (!this.customers.has(customer)) return noCustomer(customer);
    const id = this.#id('bps');
    const return_url = form.get('return_url');
    const portal = { customer, return_url, url: `https://billing.stripe.example/p/session/${id}` };
    this.portals.push(portal);
    const created = Math.floor(this.now() / 1000);
    const rest = { configuration: 'bpc_1', flow: null, livemode: false, locale: null, on_behalf_of: null };
    return [200, { id, object: 'billing_portal.session', created, customer_account: null, ...rest, ...portal }];
  }

  #createSession(form: URLSearchParams): [number, unknown] {
    const price = 'line_items[0][price_data]';
    const amount = Number(form.get(`${price}[unit_amount]`));
    const mode = form.get('mode');
    const interval = form.get(`${price}[recurring][interval]`);
    const currency = form.get(`${price}[currency]`);
    const isWhole = Number.isInteger(amount) && amount > 0 && currency && form.get('line_items[0][quantity]') === '1';
    if (!isWhole || (mode === 'subscription') !== (interval !== null))
      return [400, stripeError('invalid_request_error', 'Not a price.')];
    const [customer, creation] = [form.get('customer'), form.get('customer_creation')];
    if (customer !== null && creation !== null)
      return [
        400,
        stripeError('invalid_request_error', 'You may only specify one of these: customer, customer_creation.'),
      ];
    if (creation !== null && mode === 'subscription')
      return [400, stripeError('invalid_request_error', '`customer_creation` can only be used in `payment` mode.')];
    if (customer !== null && !this.customers.has(customer)) return noCustomer(customer);
    const id = this.#id('cs_test');
    const session: Session = {
      ...{ id, object: 'checkout.session', created: Math.floor(this.now() / 1000), metadata: metadataOf(form) },
      ...{
        client_reference_id: form.get('client_reference_id'),
        customer,
        customer_creation: creation as Session['customer_creation'],
        mode: mode!,
        payment_status: 'unpaid',
        status: 'open',
      },
      ...{ amount_total: amount, currency, url: `https://checkout.stripe.example/c/${id}`, payment_intent: null },
      ...{ subscription: null, success_url: form.get('success_url')!, cancel_url: form.get('cancel_url')! },
    };
    const passing = mode === 'subscription' ? 'subscription_data' : 'payment_intent_data';
    this.#passedOn.set(id, metadataOf(form, `${passing}[metadata]`));
    if (interval !== null) this.#intervals.set(id, interval as 'month' | 'year');
    this.sessions.set(id, session);
    return [200, { ...session }];
  }
}

/** Stripe allows 50 keys of 40 characters, with values of 500 characters. */
function metadataOf(form: URLSearchParams, field = 'metadata'): Stripe.Metadata {
  const all = [...form].flatMap(([name, value]) =>
    name.startsWith(`${field}[`) ? [[name.slice(field.length + 1, -1), value] as const] : [],
  );
  for (const [key, value] of all)
    if (all.length > 50 || key.length > 40 || value.length > 500) throw new Error(`the double: metadata ${key}`);
  return Object.fromEntries(all);
}

/** A page of a list, newest first. */
function listOf<T extends { id: string; created: number }>(
  url: string,
  form: URLSearchParams,
  all: readonly T[],
  wire: (one: T) => unknown,
): [number, unknown] {
  const since = Number(form.get('created[gte]') ?? 0);
  const found = all.filter(({ created }) => created >= since).reverse();
  const from = form.has('starting_after') ? found.findIndex(({ id }) => id === form.get('starting_after')) + 1 : 0;
  const to = from + Number(form.get('limit') ?? 10);
  return [200, { object: 'list', data: found.slice(from, to).map(wire), has_more: to < found.length, url }];
}

const receiptUrl = ({ charge }: Intent) => `https://pay.stripe.example/receipts/${charge}`;

const noCustomer = (id: string): [number, unknown] => [
  400,
  stripeError('invalid_request_error', `No such customer: '${id}'`, 'resource_missing'),
];

function send(response: ServerResponse, status: number, answer: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_double' });
  response.end(JSON.stringify(answer));
}

const stripeError = (type: string, message: string, code?: string) => ({ error: { type, message, code } });
