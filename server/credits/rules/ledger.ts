/**
 * The ledger's arithmetic: no I/O, no clock. Amounts are integer micro-credits. Every function either refuses by name or
 * returns numbers that must succeed.
 */

/** The credits that an account owns; each has a balance. */
export const CREDITS = ['promotional', 'purchased'] as const;
export type Credit = (typeof CREDITS)[number];

/**
 * The funds that pay for a run, in spending order; refunds go in reverse. A plan is a limit without a balance: the
 * house pays, as long as the plan's windows have room.
 */
export const FUNDS = ['plan', ...CREDITS] as const;
export type Fund = (typeof FUNDS)[number];
export type Split = Record<Fund, number>;
export const NOTHING: Readonly<Split> = { plan: 0, promotional: 0, purchased: 0 };

/** The posted and pending amount of each kind of credit. */
export type Funds = Record<Credit, { posted: number; pending: number }>;

/** The free credits, without the plan. */
export function available(funds: Funds): number {
  return CREDITS.reduce((sum, credit) => sum + funds[credit].posted - funds[credit].pending, 0);
}

export type HoldDecision = { kind: 'split'; split: Split } | { kind: 'insufficient'; availableMicro: number };

/** How a hold of `amountMicro` is split over the funds, or that it is not covered; `planMicro` is the plan's room. */
export function splitHold(funds: Funds, planMicro: number, amountMicro: number): HoldDecision {
  assertAmount(amountMicro);
  assertAmount(planMicro);
  const availableMicro = planMicro + available(funds);
  if (availableMicro < amountMicro) return { kind: 'insufficient', availableMicro };
  const left = (fund: Fund) => (fund === 'plan' ? planMicro : funds[fund].posted - funds[fund].pending);
  return { kind: 'split', split: takeInOrder(amountMicro, left) };
}

export interface Settlement {
  /** What is charged, by fund. */
  charged: Split;
  chargedMicro: number;
  /** The part of the cost above the hold; never charged from the hold. */
  beyondMicro: number;
}

/** What a cost charges of a hold: at most the hold. The last funds in spending order are returned first. */
export function settle(held: Split, costMicro: number): Settlement {
  assertAmount(costMicro);
  const heldMicro = FUNDS.reduce((sum, fund) => sum + held[fund], 0);
  const chargedMicro = Math.min(costMicro, heldMicro);
  return {
    charged: takeInOrder(chargedMicro, (fund) => held[fund]),
    chargedMicro,
    beyondMicro: costMicro - chargedMicro,
  };
}

export type Refund =
  | { kind: 'refund'; split: Split; refundedMicro: number }
  | { kind: 'nothing_charged' }
  | { kind: 'refunded_before'; refundedMicro: number };

/** A refund returns the whole charge, to the funds it came from, once. */
export function refund(charged: Split, refunded: Split): Refund {
  const chargedMicro = total(charged);
  const refundedMicro = total(refunded);
  if (chargedMicro === 0) return { kind: 'nothing_charged' };
  if (refundedMicro > 0) return { kind: 'refunded_before', refundedMicro };
  return { kind: 'refund', split: { ...charged }, refundedMicro: chargedMicro };
}

/** The sum of a split. */
export function total(split: Split): number {
  for (const fund of FUNDS) assertAmount(split[fund]);
  return FUNDS.reduce((sum, fund) => sum + split[fund], 0);
}

function takeInOrder(amountMicro: number, has: (fund: Fund) => number): Split {
  const split: Split = { ...NOTHING };
  let rest = amountMicro;
  for (const fund of FUNDS) {
    split[fund] = Math.min(rest, has(fund));
    rest -= split[fund];
  }
  if (rest !== 0) throw new Error('ledger: a split does not add up');
  return split;
}

/** Assertions stay on in production: a wrong amount stops the request, not the books. */
export function assertAmount(micro: number): void {
  if (!Number.isSafeInteger(micro) || micro < 0) throw new RangeError(`ledger: not an amount: ${micro}`);
}

export const HOUSE = {
  /** Pays the plan use of all accounts; the hold says which account's. */
  plan: 'house:plan',
  revenue: 'house:revenue',
  grants: 'house:grants',
  payments: 'house:payments',
  absorbed: 'house:absorbed',
  refunds: 'house:refunds',
} as const;

/** A fund's account in the journal: the user's own, or the house's for a plan. */
export const fundAccount = (fund: Fund, ledgerId: string) => (fund === 'plan' ? HOUSE.plan : `${fund}:${ledgerId}`);

/** A ledger's debt from reversed payments. Its debits are never less than its credits. */
export const debtAccount = (ledgerId: string) => `debt:${ledgerId}`;
