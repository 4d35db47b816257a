import type { Generated, Selectable } from 'kysely';

/**
 * Every table, as Kysely sees it. Times are integer milliseconds since 1970, amounts integer micro-credits, JSON is text,
 * booleans are 0 and 1: what both engines store alike.
 */
export interface Schema {
  account: AccountTable;
  identity: IdentityRow;
  bonus_claim: { key: string; at: number };
  session: SessionRow;
  token: TokenRow;
  one_time_code: OneTimeCodeRow;
  device_grant: DeviceGrantRow;
  mail_code: { hash: string; holder: string; tries: number; expires_at: number };
  attempt: { key: string; points: number; expire: number | null };
  guest_admission: GuestAdmissionRow;
  gate: { name: string };
  wallet: WalletRow;
  balance: BalanceRow;
  transfer: TransferRow;
  hold: HoldRow;
  plan_use: PlanUseRow;
  subscription: SubscriptionRow;
  limit_use: LimitUseRow;
  referral_link: { account_id: string; code: string; created_at: number };
  referral: ReferralTable;
  referral_reward: ReferralRewardRow;
  /** What counted when a server last started, and what was to come by then; JSON of a price and of announced changes. */
  price_in_force: { model: string; price: string; coming: string | null };
  /** From when a dearer price may be charged. */
  price_announcement: { model: string; price_hash: string; announced_at: number; counts_from: number };
  /** A notice that was mailed, or that a node is about to mail: then `sent_at` is null. */
  notice_mail: { account_id: string; notice_id: string; claimed_at: number; sent_at: number | null };
  /** What the operator tells everybody until `until`; `by_mail` is 1 if it is mailed as well. */
  operator_notice: OperatorNoticeRow;
  promotion: PromotionRow;
  payment: PaymentTable;
  payment_reversal: PaymentReversalRow;
  payment_event: PaymentEventRow;
  log_entry: LogEntryRow;
  conversation: ConversationRow;
  message: MessageRow;
  attachment: AttachmentRow;
  /** What an edit was asked beside the texts that are its attachments: JSON. */
  edit_input: { message_id: string; content: string };
  /** Messages that the search's index has yet to take in, from that piece on. */
  search_due: { message_id: string; piece: number };
  /** A part of a message that the index has; its grams stand in `grams` on PostgreSQL, in `search_grams` on SQLite. */
  search_piece: { n: Generated<number>; message_id: string };
  run: RunRow;
  run_event: RunEventRow;
  auth_user: AuthUserRow;
  auth_session: { id: string; userId: string; expiresAt: string };
  auth_account: { id: string; userId: string; providerId: string; accountId: string };
  auth_verification: { id: string; expiresAt: string };
}

export interface OperatorNoticeRow {
  id: string;
  text: string;
  at: number;
  until: number;
  by_mail: number;
}

/** `amount` for each, out of `budget`, of which `given` is gone. */
export interface PromotionRow {
  name: string;
  /** `signups` get it with their account; `members` ask for it by the name, which is the code. */
  audience: 'signups' | 'members';
  amount: number;
  budget: number;
  given: Generated<number>;
  why: string;
  starts_at: number;
  ends_at: number;
  created_at: number;
}

export interface AccountTable {
  id: string;
  kind: 'guest' | 'member';
  created_at: number;
  last_active_at: number;
  name: string | null;
  email: string | null;
  /** Which limits apply; null: a guest's. */
  tier: number | null;
  /** The least tier that it has whatever it buys, as a person decided. */
  given_tier: Generated<number>;
  /** The single user of this machine: metered, and limited by nothing. */
  is_local: Generated<number>;
  /** Set while suspended, with `suspended_until` null until somebody decides otherwise. */
  suspended_at: number | null;
  suspended_until: number | null;
  suspended_why: string | null;
  /** Which terms were accepted, and when; age was confirmed with them. */
  terms_version: string | null;
  terms_at: number | null;
  /** 1: news may be mailed. */
  marketing: Generated<number>;
  /** Set while its owner has closed it; at `gone_at` it is deleted for good. */
  closed_at: number | null;
  gone_at: number | null;
  /** A guest that became part of this account; it has nothing any more. */
  merged_into: string | null;
}
export type AccountRow = Selectable<AccountTable>;

/** One way to sign in to an account. Under the provider "email" the subject is a verified mailbox, normalised. */
export interface IdentityRow {
  provider: string;
  subject: string;
  account_id: string;
  /** As the provider told it, or as it was typed. */
  email: string | null;
  created_at: number;
  last_used_at: number;
}

export interface SessionRow {
  id: string;
  account_id: string;
  kind: 'guest' | 'device' | 'page' | 'local';
  name: string;
  tool: string;
  /** Thumbprint (RFC 7638) of the key that its tokens are bound to; null: whoever has the token has the session. */
  jkt: string | null;
  created_at: number;
  last_used_at: number;
  ended_at: number | null;
}

export interface TokenRow {
  /** SHA-256 of the token, hex. */
  token_hash: string;
  session_id: string;
  created_at: number;
  expires_at: number | null;
}

export interface OneTimeCodeRow {
  /** SHA-256 of the code, hex. */
  hash: string;
  purpose: string;
  account_id: string | null;
  /** JSON of what the code stands for. */
  data: string;
  expires_at: number;
}

/** A device that waits for somebody to approve it in a browser (RFC 8628). */
export interface DeviceGrantRow {
  id: string;
  device_hash: string;
  /** Keyed: what a person types is short. */
  user_hash: string;
  name: string;
  tool: string;
  jkt: string;
  state: 'pending' | 'approved' | 'denied';
  account_id: string | null;
  interval_ms: number;
  polled_at: number | null;
  expires_at: number;
}

/** Somebody in the middle of signing in, as better-auth keeps it: one for each provider's subject, for an hour at most. */
export interface AuthUserRow {
  id: string;
  name: string;
  email: string;
  address: string | null;
  /** 0 and 1 on SQLite. */
  addressVerified: boolean | number | null;
  createdAt: string;
}

/** One admitted guest, by the keyed hash of its network (/24 or /48). */
export interface GuestAdmissionRow {
  id: string;
  network: string;
  at: number;
}

/**
 * Maps an account to the random ids by which the journal knows it: its own, and those of the guests it took over. Deleting
 * a person deletes these rows alone.
 */
export interface WalletRow {
  ledger_id: string;
  account_id: string;
  /** What was available just after the newest grant or purchase, less what was reset since. */
  of_micro: number;
  /** 0: of a guest that this account took over. */
  is_own: Generated<number>;
}

export type FundKind = 'promotional' | 'purchased';

/** A cache of the journal: `posted` is the sum of its transfers, `pending` that of the open holds. */
export interface BalanceRow {
  ledger_id: string;
  kind: FundKind;
  posted: number;
  pending: number;
  /** Of a guest that was taken over: the ledger where everything goes that gets free here, or `house`. */
  heir: Generated<string | null>;
  /** Of purchased credits: what was spent of them before its payment went back, and is not paid yet. */
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
  /** The split by fund; they sum up to `amount`. */
  plan: number;
  promotional: number;
  purchased: number;
  /** What was charged, once posted. */
  posted_amount: number;
  created_at: number;
  resolved_at: number | null;
}

/** What a hold takes of a plan's windows, from the hold's instant on; what comes back is taken off. */
export interface PlanUseRow {
  hold_id: string;
  ledger_id: string;
  amount: number;
  at: number;
}

/** A plan that somebody has, or had. One is active for each ledger. */
export interface SubscriptionRow {
  id: string;
  ledger_id: string;
  plan: string;
  /** JSON of the plan's windows, as they were when the period began: `[{name, hours, limitMicro}]`. */
  windows: string;
  interval: 'month' | 'year';
  state: 'active' | 'ended';
  period_start: number;
  /** Renewed by what pays for the next one. */
  period_end: number;
  /** 1: it ends with the period that is paid for. */
  is_cancelled: number;
  /** By what the payment service knows it; null: given by the operator. */
  payment_ref: string | null;
  created_at: number;
}

/** A run as the limits count it, from its start; its tokens are an estimate until its end. Kept for some minutes. */
export interface LimitUseRow {
  run_id: string;
  account_id: string;
  model: string;
  tokens: number;
  at: number;
}

/** Somebody who joined by another account's link. */
export interface ReferralTable {
  id: string;
  referred_id: string;
  referrer_id: string;
  joined_at: number;
  /** Keyed hash of where they came from, for a month: many from one place are no people. */
  network: string | null;
  /** Why it earns nothing: what an operator reads. */
  refused: 'own_browser' | 'same_device' | 'same_person' | 'same_network' | null;
  /** The newest line of their token log that was looked at. */
  seen_seq: Generated<number>;
}

export interface ReferralRewardRow {
  referral_id: string;
  reason: 'spent' | 'first_payment' | 'used';
  side: 'referrer' | 'referred';
  /** `verified`: it is due, and waits for its turn. */
  state: 'pending' | 'verified' | 'paid';
  amount: number;
  paid_at: number | null;
}

/** One checkout: a pack or a plan, as it was offered when somebody set out to pay for it. */
export interface PaymentTable {
  /** Made here, before the payment service hears of it. */
  id: string;
  ledger_id: string;
  pack: string | null;
  plan: string | null;
  interval: 'month' | 'year' | null;
  name: string;
  /** Of a plan: JSON as in `subscription`. */
  windows: string | null;
  /** In the minor unit of `shared/money/money.ts`; of a plan, for each period. */
  amount_cents: number;
  currency: string;
  /** 0 for a plan. */
  credits_micro: number;
  /**
   * `processing`: confirmed by a method that takes days. `unclaimed`: paid when the account was gone. `surplus`: a plan paid
   * for beside another, until its money is on its way back: then `returned`.
   */
  state: 'open' | 'processing' | 'paid' | 'failed' | 'expired' | 'unclaimed' | 'surplus' | 'returned';
  session_id: string | null;
  payment_intent: string | null;
  subscription_ref: string | null;
  /** Who pays, by the payment service's id. */
  customer: string | null;
  /** 1: the payment service will ask for the next period by itself. */
  is_live: Generated<number>;
  /** Where to pay: the checkout's page, or that of a renewal that failed. */
  url: string | null;
  /** Credits of it that are taken back now. */
  reversed_micro: Generated<number>;
  /** Counts what was learnt of a plan, so that nothing older is written over it. */
  version: Generated<number>;
  created_at: number;
  /** When the payment service was last asked about it. */
  asked_at: number;
  paid_at: number | null;
}
export type PaymentRow = Selectable<PaymentTable>;

/** A refund by the payment service, or a dispute. `returned`: a dispute that was won. */
export interface PaymentReversalRow {
  /** `refund:<payment>:<cents so far>`, or the dispute's. */
  id: string;
  payment_id: string;
  kind: 'refund' | 'dispute';
  cents: number;
  state: 'taken' | 'returned';
  at: number;
}

/** An event of the payment service that was acted on, or that was about nothing of ours. */
export interface PaymentEventRow {
  id: string;
  type: string;
  payment_id: string | null;
  outcome: string;
  at: number;
}

/** The token log, and for runs their one usage row. */
export interface LogEntryRow {
  /** Made by the database, growing; pages are cut by it. */
  seq: Generated<number>;
  id: string;
  ledger_id: string;
  kind: 'grant' | 'charge' | 'not_charged' | 'refund' | 'move' | 'purchase' | 'plan' | 'reversal' | 'reset';
  amount: number;
  balance: number | null;
  /** What the house took over: a failed run's cost, or what lay beyond a hold. */
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
  /** The device or tool that asked, as it named itself; null where nobody asked, and in old lines. */
  tool: string | null;
  at: number;
}

export interface ConversationRow {
  id: string;
  account_id: string;
  title: string;
  kind: 'chat' | 'edit';
  created_at: number;
  updated_at: number;
}

export interface MessageRow {
  id: string;
  conversation_id: string;
  /** Order within the conversation. */
  seq: number;
  role: 'user' | 'assistant';
  kind: 'chat' | 'edit';
  text: string;
  run_id: string | null;
  state: 'running' | 'complete' | 'stopped' | 'interrupted' | 'failed' | null;
  model: string | null;
  usage: string | null;
  charged: number | null;
  reason: string | null;
  problem: string | null;
  /** 1: the answer ended at its length limit; null for all others. */
  cut_short: number | null;
  /** The output limit that what was left bought, where it was less than the usual one. */
  clamped_to: number | null;
  continues: string | null;
  device: string | null;
  created_at: number;
  /** Set when a later run replaced it; kept 30 days for undo. */
  superseded_at: number | null;
  superseded_by: string | null;
  /** What it takes of a prompt, attachments included: an estimate in tokens, and at most so many bytes. Null: not measured. */
  tokens: number | null;
  bytes: number | null;
}

/** A text that a message has attached; of an edit, the selection or a file that it is about. */
export interface AttachmentRow {
  message_id: string;
  /** Order within the message, from 0. */
  place: number;
  /** "visible": a selection that nobody made, but the editor by what it showed. */
  kind: 'file' | 'selection' | 'visible' | 'problems' | 'diff';
  path: string | null;
  language_id: string | null;
  first_line: number | null;
  last_line: number | null;
  /** Of the text, in UTF-16 units. */
  characters: number;
  /** As in `MessageRow`. */
  tokens: number | null;
  bytes: number | null;
  text: string;
}

export interface RunRow {
  id: string;
  conversation_id: string;
  account_id: string;
  user_message_id: string | null;
  message_id: string;
  kind: 'chat' | 'edit';
  model: string;
  state: 'running' | 'complete' | 'stopped' | 'interrupted' | 'failed';
  device: string;
  /** SHA-256 of the whole request: the same id with another request is a refusal of its own. */
  request_hash: string;
  max_output_tokens: number;
  owner_node: string;
  lease_until: number;
  stop_requested: number;
  /** JSON of the usage so far, counted here: what a crash costs the house. */
  checkpoint: string;
  /** JSON of the price in force when the run began. */
  price: string;
  last_seq: number;
  created_at: number;
  ended_at: number | null;
  /** An edit's outcome, told once: JSON of {applied, refused, refundedMicro, notRefunded?}. */
  outcome: string | null;
  /** The run, an edit of files, whose refused blocks this one writes anew. */
  repairs: string | null;
  /** The output limit that what was left bought, where it was less than the usual one. */
  clamped_to: number | null;
}

/** A batch of events: payload is JSON of `[type, data][]`, one for each number from first_seq to last_seq. */
export interface RunEventRow {
  run_id: string;
  first_seq: number;
  last_seq: number;
  payload: string;
}
