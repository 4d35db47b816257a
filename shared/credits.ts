import * as z from 'zod';
import { BalanceSchema, MicroSchema } from './account.ts';
import { ReasonSchema, UsageSchema } from './runs.ts';
import { textSchema } from './texts.ts';

/**
 * One line of the token log: a grant, a charge, an uncharged run and why, credits moved from a guest, a purchase, the
 * start or change of a plan, credits taken back with their payment (and returned if the dispute is won), or credits
 * that the operator reset, with the reason.
 */
export const LogEntrySchema = z
  .object({
    id: z.string(),
    kind: z.enum(['grant', 'charge', 'not_charged', 'refund', 'move', 'purchase', 'plan', 'reversal', 'reset']),
    amountMicro: MicroSchema.describe('what the balance changed by: charges are negative'),
    balanceMicro: MicroSchema.nullable().describe('posted balance just after; null where nothing moved'),
    reason: z.string().describe('a sentence'),
    reasonCode: ReasonSchema.optional(),
    model: z.string().optional(),
    tool: z.string().optional().describe('the device or tool that asked, as it named itself'),
    key: z
      .object({ id: z.uuid(), name: z.string() })
      .optional()
      .describe('the API key that the call was made by, with its name then; the name stays when the key is revoked'),
    runId: z.uuid().optional(),
    conversationId: z.uuid().optional(),
    usage: UsageSchema.optional(),
    at: z.iso.datetime(),
  })
  .meta({ id: 'LogEntry' });
export type LogEntry = z.infer<typeof LogEntrySchema>;

export const LogAnswerSchema = z
  .object({ entries: z.array(LogEntrySchema), before: z.string().nullable() })
  .meta({ id: 'LogAnswer' });
export type LogAnswer = z.infer<typeof LogAnswerSchema>;

/** Filters the token log. */
export const LogFilterSchema = z.object({
  kind: LogEntrySchema.shape.kind.optional(),
  model: textSchema(200).optional(),
  tool: textSchema(60).optional(),
  key: z.uuid().optional().describe('the id of an API key'),
  conversation: z.uuid().optional(),
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional().describe('not included'),
});

export const UsageBySchema = z.enum(['day', 'model', 'tool', 'key']);
export type UsageBy = z.infer<typeof UsageBySchema>;

const sums = {
  chargedMicro: MicroSchema.describe('charges less what was refunded of them'),
  runs: z.int(),
  inputTokens: z.int().describe('cached ones included'),
  cachedInputTokens: z.int(),
  outputTokens: z.int(),
};
export const UsageRowSchema = z.object({
  key: z.string().describe('a day (2027-01-31), a model, a tool, or the id of an API key; empty for runs without one'),
  name: z.string().optional().describe('of an API key: its name at its latest call'),
  ...sums,
});
export type UsageRow = z.infer<typeof UsageRowSchema>;

/**
 * `GET /api/credits/usage`: the cost and usage of runs. Days are complete and in order; other groups are ordered by
 * cost, highest first.
 */
export const UsageAnswerSchema = z
  .object({
    by: UsageBySchema,
    from: z.iso.datetime(),
    to: z.iso.datetime().describe('not included'),
    zone: z.string(),
    rows: z.array(UsageRowSchema),
    total: z.object(sums),
  })
  .meta({ id: 'UsageAnswer' });
export type UsageAnswer = z.infer<typeof UsageAnswerSchema>;

const CentsSchema = z
  .int()
  .describe('in the minor unit in which Stripe takes the currency: 500 is 5 usd, 500 jpy, 5 huf, 0.5 kwd');
export const IntervalSchema = z.enum(['month', 'year']);
export type Interval = z.infer<typeof IntervalSchema>;

export const PackSchema = z
  .object({ id: z.string(), name: z.string(), cents: CentsSchema, creditsMicro: MicroSchema })
  .meta({ id: 'Pack' });

export const PlanSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    monthCents: CentsSchema,
    yearCents: CentsSchema,
    windows: z.array(z.object({ name: z.string(), hours: z.int(), limitMicro: MicroSchema })),
  })
  .meta({ id: 'Plan' });

/** The account's plan. */
export const CurrentPlanSchema = z
  .object({
    plan: z.string(),
    name: z.string(),
    interval: IntervalSchema,
    until: z.iso.datetime().describe('the end of the period that is paid for'),
    renews: z.boolean().describe('false: cancelled, it ends then'),
    cents: CentsSchema.nullable().describe('of each period; null: given, not sold'),
    currency: z.string().nullable(),
    payUrl: z.string().optional().describe('a renewal could not be paid: where to pay it'),
  })
  .meta({ id: 'CurrentPlan' });
export type CurrentPlan = z.infer<typeof CurrentPlanSchema>;

/** `GET /api/credits/offers`: empty, with `sold` false, if nothing is sold. */
export const OffersAnswerSchema = z
  .object({
    sold: z.boolean(),
    currency: z.string().describe('three lower-case letters, such as usd'),
    packs: z.array(PackSchema),
    plans: z.array(PlanSchema),
    current: CurrentPlanSchema.nullable(),
    owedMicro: MicroSchema.describe(
      'spent, or held by a run, before its payment went back; bought credits that come in or get free pay it first',
    ),
  })
  .meta({ id: 'OffersAnswer' });
export type OffersAnswer = z.infer<typeof OffersAnswerSchema>;

/** `POST /api/credits/checkout`. */
export const CheckoutRequestSchema = z
  .union([
    z.strictObject({ pack: z.string().max(40) }),
    z.strictObject({ plan: z.string().max(40), interval: IntervalSchema }),
  ])
  .meta({ id: 'CheckoutRequest' });
export type CheckoutRequest = z.infer<typeof CheckoutRequestSchema>;

export const CheckoutAnswerSchema = z
  .object({ checkoutId: z.uuid(), url: z.string().describe('where to pay, by the payment service') })
  .meta({ id: 'CheckoutAnswer' });
export type CheckoutAnswer = z.infer<typeof CheckoutAnswerSchema>;

/**
 * `POST /api/credits/checkout/:id/check`. `processing`: confirmed, with a payment method that takes days. `refunded`:
 * paid and fully refunded. `disputed`: withheld by the payer's bank. `unclaimed`: the account is gone, so no client
 * ever sees it.
 */
export const PaymentAnswerSchema = z
  .object({
    checkoutId: z.uuid(),
    state: z.enum(['open', 'processing', 'paid', 'failed', 'expired', 'refunded', 'disputed', 'unclaimed']),
    name: z.string().describe('what was sold'),
    creditsMicro: MicroSchema.describe('0 for a plan'),
    url: z.string().optional().describe('open: where to go on paying'),
    balance: BalanceSchema,
  })
  .meta({ id: 'PaymentAnswer' });
export type PaymentAnswer = z.infer<typeof PaymentAnswerSchema>;

/** `GET /api/credits/payments`: paid payments, newest first. */
export const PaymentsAnswerSchema = z
  .object({
    payments: z.array(
      z.object({
        id: z.uuid(),
        name: z.string().describe('what was sold'),
        cents: CentsSchema.describe('of a plan: of each period'),
        currency: z.string(),
        interval: IntervalSchema.nullable().describe('null: a pack'),
        state: PaymentAnswerSchema.shape.state,
        paidAt: z.iso.datetime().describe('of a plan: its first period'),
      }),
    ),
    portal: z.boolean().describe('whether the payment service has a page with invoices and the means of payment'),
  })
  .meta({ id: 'PaymentsAnswer' });
export type PaymentsAnswer = z.infer<typeof PaymentsAnswerSchema>;

/** `POST /api/credits/portal` and `/api/credits/payments/:id/receipt`: valid for minutes, only for this account. */
export const PaymentPageAnswerSchema = z
  .object({ url: z.string().describe('a page of the payment service: open it in a browser') })
  .meta({ id: 'PaymentPageAnswer' });
export type PaymentPageAnswer = z.infer<typeof PaymentPageAnswerSchema>;

/** `POST /api/credits/plan/cancel` and `/resume`. */
export const PlanAnswerSchema = z.object({ current: CurrentPlanSchema }).meta({ id: 'PlanAnswer' });
export type PlanAnswer = z.infer<typeof PlanAnswerSchema>;

/** Why a reward is due: the new account spent credits, paid first, or used tokens. */
export const RewardReasonSchema = z.enum(['spent', 'first_payment', 'used']);
export type RewardReason = z.infer<typeof RewardReasonSchema>;

/**
 * `pending` until the event happens, then `verified` until the reward is paid: a month pays a limited number of each
 * kind, and the rest wait.
 */
export const RewardSchema = z.object({
  reason: RewardReasonSchema,
  state: z.enum(['pending', 'verified', 'paid']),
  amountMicro: MicroSchema,
  paidAt: z.iso.datetime().nullable(),
});
export type Reward = z.infer<typeof RewardSchema>;

/** An account that joined by this account's link. Its identity is not revealed. */
export const ReferralSchema = z.object({
  id: z.uuid(),
  joinedAt: z.iso.datetime(),
  rewards: z.array(RewardSchema).describe('what the referrer gets'),
  refused: z.string().nullable().describe('a sentence: why it earns nothing'),
});
export type Referral = z.infer<typeof ReferralSchema>;

/** `GET /api/referrals`: the account's own link and its results. */
export const ReferralsAnswerSchema = z
  .object({
    link: z.string(),
    isRevoked: z
      .literal(true)
      .optional()
      .describe('a decision about the account: nobody joins by the link, and it earns nothing'),
    terms: z
      .object({
        spent: z.object({ spentMicro: MicroSchema, amountMicro: MicroSchema, perMonth: z.int() }),
        firstPayment: z.object({ amountMicro: MicroSchema.describe('0 also where nothing is sold') }),
        used: z.object({ tokens: z.int(), amountMicro: MicroSchema.describe('to both') }),
      })
      .describe('what can be earned here; an amount of 0 is a reward that there is not'),
    earnedMicro: MicroSchema,
    joined: z.int().describe('how many, ever'),
    referrals: z.array(ReferralSchema).describe('the newest first'),
    before: z.string().nullable().describe('send it for the page after this one; null on the last'),
    invited: z
      .object({ reward: RewardSchema, tokensUsed: z.int(), refused: z.string().nullable() })
      .nullable()
      .describe('if this account joined by a link itself: what it gets for that'),
  })
  .meta({ id: 'ReferralsAnswer' });
export type ReferralsAnswer = z.infer<typeof ReferralsAnswerSchema>;
