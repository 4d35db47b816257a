import type { Generated, Selectable } from 'kysely';

// The rows of the ledger, of payments and of referrals.

/**
 * Maps an account to the random ids of its ledgers in the journal: its own, and those of the guests it took over.
 * Deleting an account removes only these rows.
 */
export interface WalletRow {
  ledger_id: string;
  account_id: string;
  /** The available amount just after the newest grant or purchase, minus later resets. */
  of_micro: number;
  /** 0: the ledger of a guest that this account took over. */
  is_own: Generated<number>;
}

export type FundKind = 'promotional' | 'purchased';

/** A cache of the journal: `posted` is the sum of the transfers, `pending` the sum of the open holds. */
export interface BalanceRow {
  ledger_id: string;
  kind: FundKind;
  posted: number;
  pending: number;
  /** For a guest that was taken over: the ledger that receives credits released here, or `house`. */
  heir: Generated<string | null>;
  /** Purchased credits that were spent before their payment was refunded, and are not repaid yet. */
  owed: Generated<number>;
}

/** The journal: append-only. `debit` and `credit` name `promotional:<ledger id>`, `house:revenue` and so on. */
export interface TransferRow {
  id: string;
  debit: string;
  credit: string;
  amount: number;
  kind:
    | 'grant'
    | 'charge'
    | 'absorbed'
    | 'house'
    | 'refund'
    | 'move'
    | 'purchase'
    | 'reversal'
    | 'return'
    | 'debt'
    | 'repayment'
    | 'forgiven'
    | 'reset';
  request_id: string;
  hold_id: string | null;
  at: number;
}

export interface HoldRow {
  id: string;
  ledger_id: string;
  /** The run it pays for; a run has one hold, ever. */
  run_id: string;
  state: 'pending' | 'posted' | 'voided' | 'expired';
  amount: number;
  /** The split by fund. The parts sum up to `amount`. */
  plan: number;
  promotional: number;
  purchased: number;
  /** The charged amount, once posted. */
  posted_amount: number;
  created_at: number;
  resolved_at: number | null;
  /**
   * The API key that the call was made by, and its name then; `editor:` and the ledger, without a name, for another
   * extension of the editor. Null: a session.
   */
  key_id: string | null;
  key_name: string | null;
}

/**
 * What a key's holds of a calendar month (UTC) hold or were charged; for extensions of the editor, of a day. A hold counts
 * in the period in which it was placed. `to_at` is the first instant of the next.
 */
export interface KeyMonthRow {
  key_id: string;
  from_at: number;
  to_at: number;
  ledger_id: string;
  micro: number;
}

/** A hold's use of a plan's windows, from the time of the hold. Released amounts are subtracted. */
export interface PlanUseRow {
  hold_id: string;
  ledger_id: string;
  amount: number;
  at: number;
}

/** A current or former plan of a ledger. At most one is active for each ledger. */
export interface SubscriptionRow {
  id: string;
  ledger_id: string;
  plan: string;
  /** JSON of the plan's windows at the start of the period: `[{name, hours, limitMicro}]`. */
  windows: string;
  interval: 'month' | 'year';
  state: 'active' | 'ended';
  period_start: number;
  /** The payment for the next period moves it. */
  period_end: number;
  /** 1: the plan ends with the paid period. */
  is_cancelled: number;
  /** The payment service's id for it. Null: the operator gave the plan. */
  payment_ref: string | null;
  created_at: number;
}

/** A run in the rate limits, from its start. Its tokens are an estimate until it ends. Kept for some minutes. */
export interface LimitUseRow {
  run_id: string;
  account_id: string;
  model: string;
  tokens: number;
  at: number;
}

/** A member who joined through another account's link. */
export interface ReferralTable {
  id: string;
  referred_id: string;
  referrer_id: string;
  joined_at: number;
  /** Keyed hash of the network they joined from, kept for a month: many from one network are likely fake accounts. */
  network: string | null;
  /** Why the referral earns nothing. Only an operator reads it. */
  refused: 'own_browser' | 'same_device' | 'same_person' | 'same_network' | null;
  /** The newest line of their token log that was checked. */
  seen_seq: Generated<number>;
}

export interface ReferralRewardRow {
  referral_id: string;
  reason: 'spent' | 'first_payment' | 'used';
  side: 'referrer' | 'referred';
  /** `verified`: due, and waits for its turn. */
  state: 'pending' | 'verified' | 'paid';
  amount: number;
  paid_at: number | null;
}

/** One checkout of a pack or a plan, with the offer as it was when the checkout began. */
export interface PaymentTable {
  /** Created here, before the request to the payment service. */
  id: string;
  ledger_id: string;
  pack: string | null;
  plan: string | null;
  interval: 'month' | 'year' | null;
  name: string;
  /** For a plan: JSON as in `subscription`. */
  windows: string | null;
  /** In the minor unit of `shared/money/money.ts`. For a plan, the amount of each period. */
  amount_cents: number;
  currency: string;
  /** 0 for a plan. */
  credits_micro: number;
  /**
   * `processing`: confirmed by a payment method that takes days. `unclaimed`: paid after the account was deleted.
   * `surplus`: a second plan was paid for; its state becomes `returned` once the refund is on its way.
   */
  state: 'open' | 'processing' | 'paid' | 'failed' | 'expired' | 'unclaimed' | 'surplus' | 'returned';
  session_id: string | null;
  payment_intent: string | null;
  subscription_ref: string | null;
  /** The customer's id at the payment service. */
  customer: string | null;
  /** 1: the payment service will charge the next period by itself. */
  is_live: Generated<number>;
  /** The URL for paying: the checkout's page, or the page of a renewal that failed. */
  url: string | null;
  /** Credits of this payment that are currently taken back. */
  reversed_micro: Generated<number>;
  /** Counts the updates of a plan, so that an older one never overwrites a newer one. */
  version: Generated<number>;
  created_at: number;
  /** When the payment service was last asked about it. */
  asked_at: number;
  paid_at: number | null;
}

export type PaymentRow = Selectable<PaymentTable>;

/** A refund by the payment service, or a dispute. `returned`: a dispute that was won. */
export interface PaymentReversalRow {
  /** `refund:<payment>:<cents so far>`, or the dispute's id. */
  id: string;
  payment_id: string;
  kind: 'refund' | 'dispute';
  cents: number;
  state: 'taken' | 'returned';
  at: number;
}

/** An event of the payment service that was processed, or that concerns nothing of ours. */
export interface PaymentEventRow {
  id: string;
  type: string;
  payment_id: string | null;
  outcome: string;
  at: number;
}

/** What the house asked a model for itself. No account is charged, and none is named. */
export interface HouseUseRow {
  id: string;
  purpose: 'title';
  model: string;
  input_tokens: number;
  cached_input_tokens: number;
  output_tokens: number;
  estimated: number;
  cost: number;
  at: number;
}

/** The token log. It holds the one usage row of each run, too. */
export interface LogEntryRow {
  /** The database assigns it, ascending. Pages are cut by it. */
  seq: Generated<number>;
  id: string;
  ledger_id: string;
  kind: 'grant' | 'charge' | 'not_charged' | 'refund' | 'move' | 'purchase' | 'plan' | 'reversal' | 'reset';
  amount: number;
  balance: number | null;
  /** The cost that the house absorbed: of a failed run, or above a hold. */
  absorbed: number;
  reason: string;
  reason_code: string | null;
  run_id: string | null;
  conversation_id: string | null;
  model: string | null;
  input_tokens: number | null;
  cached_input_tokens: number | null;
  output_tokens: number | null;
  estimated: number | null;
  /**
   * The device or tool that made the request, by its own name. Null if no request caused the line, and in old lines.
   */
  tool: string | null;
  /** The API key that the call was made by, and its name then. Null: a session, or no call. */
  key_id: string | null;
  key_name: string | null;
  at: number;
}
