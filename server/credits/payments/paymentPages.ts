import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { PaymentPageAnswer, PaymentsAnswer } from '../../../shared/credits.ts';
import { type Clock, iso } from '../../platform/clock.ts';
import type { Database, Reader } from '../../platform/db/database.ts';
import { AppError, notFound } from '../../platform/errors.ts';
import { stateOf } from './checkout.ts';
import { findCustomer, findOwnPayment, paidBy } from './payments.ts';
import type { StripeService } from './stripe.ts';

/** How many of an account's payments are listed; the payment service lists all. */
const LISTED = 50;
/** Pages that an account may open in a minute, per node. The payment service creates each, and limits their number. */
const A_MINUTE = 12;

/** The account's paid payments, and whether the payment service has a page for it. */
export async function readPayments(db: Reader, accountId: string): Promise<PaymentsAnswer> {
  const rows = await paidBy(db, accountId, LISTED);
  const payments = rows.map(async (row) => ({
    id: row.id,
    name: row.name,
    cents: row.amount_cents,
    currency: row.currency,
    interval: row.interval,
    state: await stateOf(db, row),
    paidAt: iso(row.paid_at!),
  }));
  return { payments: await Promise.all(payments), portal: (await findCustomer(db, accountId)) !== null };
}

/** Opens the payment service's pages about the account's own payments. */
export class PaymentPages {
  readonly #counts = new RateLimiterMemory({ points: A_MINUTE, duration: 60 });

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** The page with the account's invoices and payment methods. */
  async portal(stripe: StripeService, accountId: string, home: string): Promise<PaymentPageAnswer> {
    const customer = await findCustomer(this.db.read, accountId);
    if (customer === null) throw notFound('customer');
    await this.#count(accountId);
    const url = await stripe.openPortal(customer, home);
    if (url === null) throw notFound('customer');
    return { url };
  }

  async receipt(stripe: StripeService, accountId: string, paymentId: string): Promise<PaymentPageAnswer> {
    const payment = await findOwnPayment(this.db.read, accountId, paymentId);
    if (!payment || payment.paid_at === null) throw notFound('payment');
    await this.#count(accountId);
    const url = await stripe.readReceipt(payment);
    if (url === null) throw notFound('receipt');
    return { url };
  }

  async #count(accountId: string): Promise<void> {
    await this.#counts.consume(accountId).catch((refusal) => {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      const seconds = Math.max(1, Math.ceil(refusal.msBeforeNext / 1000));
      throw new AppError(
        'rate_limited',
        `You have opened ${A_MINUTE} pages of the payment service in a minute. Try again in ${seconds} s.`,
        { retryAt: iso(this.clock.now() + refusal.msBeforeNext) },
        { headers: { 'retry-after': String(seconds) } },
      );
    });
  }
}
