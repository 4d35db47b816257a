import { createRoute, z } from '@hono/zod-openapi';
import {
  CheckoutAnswerSchema,
  CheckoutRequestSchema,
  OffersAnswerSchema,
  PaymentAnswerSchema,
  PaymentPageAnswerSchema,
  PaymentsAnswerSchema,
  PlanAnswerSchema,
} from '../../../shared/credits.ts';
import { AppError } from '../../platform/errors.ts';
import { answers, emptyAnswer } from '../../platform/http/api.ts';
import { jsonBody, KB, MB, textBody } from '../../platform/http/bodies.ts';
import type { Api, AppContext } from '../../platform/http/env.ts';
import type { Origins } from '../../platform/http/origins.ts';
import { requireStanding } from '../../platform/http/standing.ts';
import { checkPayment, readOffers, type SaleDeps, setPlanCancelled, startCheckout } from './checkout.ts';
import { PaymentPages, readPayments } from './paymentPages.ts';
import type { StripeService } from './stripe.ts';
import { applyEvent } from './stripeEvents.ts';

const offers = createRoute({
  method: 'get',
  path: '/api/credits/offers',
  summary: 'Packs and plans that are sold here, and the plan that the account has',
  responses: answers(OffersAnswerSchema),
});

/** Far more than any event needs. */
const MAX_EVENT_BYTES = MB;

const checkout = createRoute({
  method: 'post',
  path: '/api/credits/checkout',
  summary: 'Begins a payment: open its url in a browser',
  request: { body: jsonBody(CheckoutRequestSchema, 4 * KB) },
  responses: answers(CheckoutAnswerSchema),
});

const check = createRoute({
  method: 'post',
  path: '/api/credits/checkout/{id}/check',
  summary: 'What became of a payment; on return from its page, credits it at once',
  request: { params: z.object({ id: z.uuid() }) },
  responses: answers(PaymentAnswerSchema),
});

const payments = createRoute({
  method: 'get',
  path: '/api/credits/payments',
  summary: 'What the account has paid for',
  responses: answers(PaymentsAnswerSchema),
});

const portal = createRoute({
  method: 'post',
  path: '/api/credits/portal',
  summary: 'A page of the payment service with the account’s invoices and its means of payment',
  responses: answers(PaymentPageAnswerSchema),
});

const receipt = createRoute({
  method: 'post',
  path: '/api/credits/payments/{id}/receipt',
  summary: 'Where the receipt of a payment is',
  request: { params: z.object({ id: z.uuid() }) },
  responses: answers(PaymentPageAnswerSchema),
});

const planChange = (path: string, summary: string) =>
  createRoute({ method: 'post', path, summary, responses: answers(PlanAnswerSchema) });
const cancel = planChange('/api/credits/plan/cancel', 'Lets the plan end with the period that is paid for');
const resume = planChange('/api/credits/plan/resume', 'Lets a cancelled plan go on after all');

const webhook = createRoute({
  method: 'post',
  path: '/api/payments/stripe',
  summary: 'Events of Stripe, signed by it',
  request: { body: textBody('an event', MAX_EVENT_BYTES) },
  responses: emptyAnswer,
});

export interface PaymentRouteDeps extends Omit<SaleDeps, 'stripe'> {
  /** Null if nothing is sold. */
  stripe: StripeService | null;
  origins: Origins;
}

/** `POST /api/payments/stripe`, the only route here without a token: Stripe's signature authenticates it. */
export function webhookRoutes(api: Api, deps: PaymentRouteDeps): void {
  api.openapi(webhook, async (c) => {
    const sale = selling(deps);
    // The signature covers the raw bytes, so verify before parsing.
    const event = sale.stripe.verifyEvent(await c.req.text(), c.req.header('stripe-signature'), deps.clock.now());
    const outcome = await applyEvent(sale, event);
    deps.log.info({ eventId: event.id, type: event.type, outcome }, 'an event of the payment service');
    return c.body(null, 204);
  });
}

export function paymentRoutes(api: Api, deps: PaymentRouteDeps): void {
  api.openapi(offers, async (c) =>
    c.json(
      await readOffers(deps.db.read, deps.policy, deps.stripe !== null, c.get('accountId'), deps.clock.now()),
      200,
    ),
  );

  api.openapi(checkout, async (c) => {
    const sale = selling(deps);
    requireMember(c);
    const home = deps.origins.home(c);
    return c.json(await startCheckout(sale, c.get('accountId'), c.req.valid('json'), home), 200);
  });

  api.openapi(check, async (c) =>
    c.json(await checkPayment(selling(deps), c.get('accountId'), c.req.valid('param').id, deps.origins.home(c)), 200),
  );

  const pages = new PaymentPages(deps.db, deps.clock);
  api.openapi(payments, async (c) => c.json(await readPayments(deps.db.read, c.get('accountId')), 200));

  api.openapi(portal, async (c) =>
    c.json(await pages.portal(selling(deps).stripe, c.get('accountId'), deps.origins.home(c)), 200),
  );

  api.openapi(receipt, async (c) =>
    c.json(await pages.receipt(selling(deps).stripe, c.get('accountId'), c.req.valid('param').id), 200),
  );

  api.openapi(cancel, async (c) =>
    c.json({ current: await setPlanCancelled(selling(deps), c.get('accountId'), true) }, 200),
  );

  api.openapi(resume, async (c) => {
    const sale = selling(deps);
    requireMember(c);
    return c.json({ current: await setPlanCancelled(sale, c.get('accountId'), false) }, 200);
  });
}

function requireMember(c: AppContext): void {
  if (c.get('accountKind') === 'guest')
    throw new AppError(
      'members_only',
      'Guests can not buy. Sign in first: then your credits are yours on every device.',
    );
  requireStanding(c.var);
}

function selling(deps: PaymentRouteDeps): SaleDeps & { stripe: StripeService } {
  const { stripe } = deps;
  if (stripe === null)
    throw new AppError('not_for_sale', 'This server sells nothing. Its operator can give you credits or a plan.');
  return { ...deps, stripe };
}
