import { z } from 'zod';
import { MICRO_PER_CREDIT } from '../../../shared/constants.ts';
import { inCredits } from '../../../shared/money/amounts.ts';
import { chargeStep, moneyText } from '../../../shared/money/money.ts';
import { ConfigError, isLoopback, originUrl } from './settings.ts';

const id = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, { error: 'lower-case letters, digits and hyphens, please' });
const name = z.string().trim().min(1).max(60);
/** In the minor unit of `shared/money/money.ts`. Payment services accept at most eight digits. */
const cents = z.int().min(1).max(99_999_999);
/** Less than a billion credits, so that sums stay far below the largest safe integer. */
const micro = z
  .int()
  .min(1)
  .max(1e9 * MICRO_PER_CREDIT);

const isUnique = (list: readonly { id: string }[]) => new Set(list.map((one) => one.id)).size === list.length;

const PackSchema = z.strictObject({ id, name, cents, creditsMicro: micro });
export type Pack = z.infer<typeof PackSchema>;

const PlanWindowSchema = z.strictObject({ name, hours: z.int().min(1).max(8_784), limitMicro: micro });
const PlanSchema = z.strictObject({
  id,
  name,
  monthCents: cents,
  yearCents: cents,
  windows: z
    .array(PlanWindowSchema)
    .min(1)
    .max(4)
    .refine((windows) => windows.every((window, i) => i === 0 || window.hours > windows[i - 1]!.hours), {
      error: 'each window is longer than the one before it',
    }),
});
export type Plan = z.infer<typeof PlanSchema>;

const pack = (dollars: number): Pack => ({
  id: `pack-${dollars}`,
  name: inCredits(dollars * 100 * MICRO_PER_CREDIT),
  cents: dollars * 100,
  creditsMicro: dollars * 100 * MICRO_PER_CREDIT,
});

/**
 * What is sold. By default a credit of a pack costs 1 cent. The plan costs 12 dollars a month. Used in full, it gives
 * 1,714 credits in 30 days; used by 70 %, a credit costs the same as in a pack.
 */
export const paymentPolicy = {
  currency: z
    .string()
    .regex(/^[a-z]{3}$/, { error: 'three lower-case letters, such as usd' })
    .refine(isCurrency, { error: 'there is no such currency' })
    .default('usd'),
  packs: z
    .array(PackSchema)
    .refine(isUnique, { error: 'a pack is listed twice' })
    .default([pack(5), pack(10), pack(50)]),
  plans: z
    .array(PlanSchema)
    .refine(isUnique, { error: 'a plan is listed twice' })
    .default([
      {
        id: 'plus',
        name: 'Plus',
        monthCents: 1_200,
        yearCents: 12_000,
        windows: [
          { name: '5 hours', hours: 5, limitMicro: 50 * MICRO_PER_CREDIT },
          { name: '7 days', hours: 168, limitMicro: 400 * MICRO_PER_CREDIT },
        ],
      },
    ]),
  /** Tier 1, 2 and so on are reached when the packs paid for reach these amounts, in cents. */
  tierCents: z
    .array(cents)
    .refine((list) => list.every((one, i) => i === 0 || one > list[i - 1]!), {
      error: 'each is more than the one before it',
    })
    .default([1_000, 5_000, 25_000, 100_000]),
};

interface Prices {
  currency: string;
  packs: readonly Pack[];
  plans: readonly Plan[];
}

/** Adds an issue for each price that Stripe would refuse at the checkout, so that the operator learns of it first. */
export function checkPrices({ currency, packs, plans }: Prices, context: z.RefinementCtx): void {
  const step = chargeStep(currency);
  const prices = [
    ...packs.map(({ cents }, i) => ({ path: ['packs', i, 'cents'], amount: cents })),
    ...plans.map(({ monthCents }, i) => ({ path: ['plans', i, 'monthCents'], amount: monthCents })),
    ...plans.map(({ yearCents }, i) => ({ path: ['plans', i, 'yearCents'], amount: yearCents })),
  ];
  for (const { path, amount } of prices) {
    if (amount % step === 0) continue;
    const near = Math.ceil(amount / step) * step;
    const message = `${amount} is ${moneyText(amount, currency)}, which Stripe refuses: an amount in ${currency} must be a multiple of ${step}, such as ${near}`;
    context.addIssue({ code: 'custom', path, message });
  }
}

function isCurrency(code: string): boolean {
  return Intl.supportedValuesOf('currency').includes(code.toUpperCase());
}

/** How to reach Stripe. */
export interface PaymentConfig {
  secretKey: string;
  webhookSecret: string;
  /** Replaces Stripe's address. Null: Stripe's own address. */
  apiBase: string | null;
}

type Env = Record<string, string | undefined>;

/** Null if nothing is sold. No error message repeats a key. */
export function parsePayments(env: Env, host: string, publicUrl: string | null): PaymentConfig | null {
  const secretKey = env.STRIPE_SECRET_KEY;
  const webhookSecret = env.STRIPE_WEBHOOK_SECRET;
  const apiBase = env.STRIPE_API_BASE ? stripeBase(env.STRIPE_API_BASE) : null;
  if (!secretKey && !webhookSecret) return null;
  if (!secretKey || !webhookSecret)
    throw new ConfigError(
      `${secretKey ? 'STRIPE_WEBHOOK_SECRET' : 'STRIPE_SECRET_KEY'} is missing: STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET go together`,
    );
  if (!/^(sk|rk)_\S+$/.test(secretKey)) throw new ConfigError('STRIPE_SECRET_KEY must begin with sk_ or rk_');
  if (!/^whsec_\S+$/.test(webhookSecret)) throw new ConfigError('STRIPE_WEBHOOK_SECRET must begin with whsec_');
  if (publicUrl === null && !isLoopback(host))
    throw new ConfigError('PUBLIC_URL is required for payments: browsers return to it after paying');
  return { secretKey, webhookSecret, apiBase };
}

/** Requires https, except on loopback: the server at this address tells us what was paid. */
function stripeBase(value: string): string {
  const url = originUrl('STRIPE_API_BASE', value);
  if (url.protocol !== 'https:' && !isLoopback(url.hostname))
    throw new ConfigError('STRIPE_API_BASE must be https unless it is a loopback address');
  return url.origin;
}
