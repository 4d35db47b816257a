import type { Generated, Selectable } from 'kysely';

/**
 * Every table, as Kysely sees it. Times are integer milliseconds since 1970, amounts integer micro-credits, JSON is
 * text, booleans are 0 and 1: both engines store these alike.
 */
export interface Schema {
  account: AccountTable;
  identity: IdentityRow;
  bonus_claim: { key: string; at: number };
  session: SessionRow;
  token: TokenRow;
  api_key: ApiKeyRow;
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
  key_month: KeyMonthRow;
  plan_use: PlanUseRow;
  subscription: SubscriptionRow;
  limit_use: LimitUseRow;
  /** `revoked_at`: since then nobody joins by the link, and it earns nothing. */
  referral_link: { account_id: string; code: string; created_at: number; revoked_at: number | null };
  referral: ReferralTable;
  referral_reward: ReferralRewardRow;
  /** The price in force when a server last started, and the changes announced by then, as JSON. */
  price_in_force: { model: string; price: string; coming: string | null };
  /** The time from which a higher price may be charged. */
  price_announcement: { model: string; price_hash: string; announced_at: number; counts_from: number };
  /** A notice that was mailed, or that a node is about to mail (`sent_at` is null). */
  notice_mail: { account_id: string; notice_id: string; claimed_at: number; sent_at: number | null };
  /** The operator's notice to every account, shown until `until`. `by_mail` is 1 if it is mailed as well. */
  operator_notice: OperatorNoticeRow;
  promotion: PromotionRow;
  /** Model services that get no new request, by the operator's will. */
  drained_service: { id: string; at: number };
  /** The key of each period of 30 days, which ends with it. `key`: 32 random bytes in hex, and a mark of the secret. */
  risk_key: { period: number; key: string; starts_at: number; ends_at: number };
  risk_sketch: RiskSketchRow;
  /** Bits that accounts have set for a device. */
  risk_device: { period: number; device: number; accounts: number };
  /** When an account's use is judged next, and since when it shows several people without corroboration. */
  risk_standing: RiskStandingRow;
  risk_context: RiskContextRow;
  risk_flag: RiskFlagRow;
  /** The operator's switch that stops flagging. */
  risk_pause: { name: string; since: number; why: string };
  reviewer: ReviewerRow;
  /** A browser's session in which a reviewer has the desk open. `by_code` is 0: opened on the server's own machine. */
  desk_session: { session_id: string; account_id: string; opened_at: number; used_at: number; by_code: number };
  decision: DecisionRow;
  appeal: AppealRow;
  /** `is_sent` is 0 until the appeal that it belongs to is made. */
  appeal_picture: AppealPictureRow;
  /** How another reviewer judges a decided case without having seen the decision. */
  second_look: { flag_number: number; reviewer_id: string | null; kind: string; why: string; at: number };
  /** Who saw and did what at the desk. */
  desk_act: DeskActTable;
  payment: PaymentTable;
  payment_reversal: PaymentReversalRow;
  payment_event: PaymentEventRow;
  log_entry: LogEntryRow;
  conversation: ConversationRow;
  message: MessageRow;
  attachment: AttachmentRow;
  /** The input of an edit apart from its attachments: JSON. */
  edit_input: { message_id: string; content: string };
  /** Messages that the search index has yet to add, from `piece` on. */
  search_due: { message_id: string; piece: number };
  /** An indexed part of a message. Its grams are in `grams` on PostgreSQL, in `search_grams` on SQLite. */
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

/** Gives `amount` to each account, out of `budget`; `given` is spent so far. */
export interface PromotionRow {
  name: string;
  /** `signups` get it with their new account; `members` redeem its name as a code. */
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
  /** The account's tier of limits. Null: a guest's limits. */
  tier: number | null;
  /** The minimum tier that the operator has set, whatever the account buys. */
  given_tier: Generated<number>;
  /** The single user of a local server: metered, but without limits. */
  is_local: Generated<number>;
  /** Set while suspended. `suspended_until` null: until the operator restores the account. */
  suspended_at: number | null;
  suspended_until: number | null;
  suspended_why: string | null;
  /** The accepted version of the terms, and when. The owner confirmed their age with them. */
  terms_version: string | null;
  terms_at: number | null;
  /** 1: news may be mailed. */
  marketing: Generated<number>;
  /** Set while the account is closed by its owner. At `gone_at` it is deleted for good. */
  closed_at: number | null;
  gone_at: number | null;
  /** The account that this guest became part of. The guest owns nothing any more. */
  merged_into: string | null;
}
export type AccountRow = Selectable<AccountTable>;

/** One way to sign in to an account. Under the provider "email" the subject is a verified mailbox, normalised. */
export interface IdentityRow {
  provider: string;
  subject: string;
  account_id: string;
  /** As the provider sent it or the user typed it. */
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
  /** Thumbprint (RFC 7638) of the key that its tokens are bound to. Null: a token alone is enough (a bearer token). */
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

/** A key by which tools call `/v1`. */
export interface ApiKeyRow {
  id: string;
  account_id: string;
  name: string;
  /** SHA-256 of the key, hex. */
  secret_hash: string;
  /** The last characters of the key, to recognise it by. */
  hint: string;
  /** JSON of the ids of the only models that it may use. Null: all. */
  models: string | null;
  /** The most that it may spend in a calendar month (UTC). Null: no cap. */
  monthly_micro: number | null;
  expires_at: number | null;
  created_at: number;
  /** To the minute. */
  last_used_at: number | null;
  revoked_at: number | null;
}

export interface OneTimeCodeRow {
  /** SHA-256 of the code, hex. */
  hash: string;
  purpose: string;
  account_id: string | null;
  /** JSON of the data that the code redeems. */
  data: string;
  expires_at: number;
}

/** A device that waits for a user's approval in a browser (RFC 8628). */
export interface DeviceGrantRow {
  id: string;
  device_hash: string;
  /** A keyed hash, because a code that a person types is short. */
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

/**
 * A user in the middle of signing in, as better-auth stores it: one for each provider's subject, for at most an hour.
 */
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
  /** The API key that the call was made by, and its name then. Null: a session. */
  key_id: string | null;
  key_name: string | null;
}

/**
 * What a key's holds of a calendar month (UTC) hold or were charged. A hold counts in the month in which it was placed.
 * `to_at` is the first instant of the next month.
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
  /** The output limit that the remaining credits allowed, if it was below the usual one. */
  clamped_to: number | null;
  continues: string | null;
  device: string | null;
  created_at: number;
  /** Set when a later run replaced it; kept 30 days for undo. */
  superseded_at: number | null;
  superseded_by: string | null;
  /** Its size in a prompt, with attachments: an estimate in tokens, and an upper bound in bytes. Null: not measured. */
  tokens: number | null;
  bytes: number | null;
  /** A model's thoughts before or within the answer, and how long it thought, in ms. No prompt has them. */
  thinking: string | null;
  thinking_ms: number | null;
}

/** A text attached to a message. For an edit, the selection or a file that it concerns. */
export interface AttachmentRow {
  message_id: string;
  /** Order within the message, from 0. */
  place: number;
  /**
   * "visible": the lines that the editor showed, not a selection that the user made. "instructions": a file of them, or,
   * without a path, the user's own.
   */
  kind:
    | ('file' | 'selection' | 'visible' | 'problems' | 'diff' | 'instructions')
    | ('found' | 'folder' | 'symbol' | 'commit' | 'terminal' | 'pasted');
  path: string | null;
  language_id: string | null;
  first_line: number | null;
  last_line: number | null;
  /** Length of the text in UTF-16 units. */
  characters: number;
  /** As in `MessageRow`. */
  tokens: number | null;
  bytes: number | null;
  text: string;
}

/** One model call. A tool's call (`kind` "call") belongs to no conversation and keeps no text. */
export interface RunRow {
  id: string;
  conversation_id: string | null;
  account_id: string;
  user_message_id: string | null;
  message_id: string | null;
  kind: 'chat' | 'edit' | 'call';
  model: string;
  state: 'running' | 'complete' | 'stopped' | 'interrupted' | 'failed';
  device: string;
  /** SHA-256 of the whole request: the same id with a different request is refused. */
  request_hash: string;
  max_output_tokens: number;
  owner_node: string;
  lease_until: number;
  stop_requested: number;
  /** JSON of the usage counted so far: after a crash, the house pays this cost. */
  checkpoint: string;
  /** JSON of the price in force when the run began. */
  price: string;
  last_seq: number;
  created_at: number;
  ended_at: number | null;
  /** An edit's outcome, reported once: JSON of {applied, refused, refundedMicro, notRefunded?}. */
  outcome: string | null;
  /** The id of the edit run whose refused blocks this run repairs. */
  repairs: string | null;
  /** The output limit that the remaining credits allowed, if it was below the usual one. */
  clamped_to: number | null;
}

/** A run that answers in a conversation. */
export type AnswerRow = RunRow & { conversation_id: string; message_id: string; kind: 'chat' | 'edit' };

export const isAnswer = (run: RunRow): run is AnswerRow => run.kind !== 'call';

/** A batch of events: payload is JSON of `[type, data][]`, one for each number from first_seq to last_seq. */
export interface RunEventRow {
  run_id: string;
  first_seq: number;
  last_seq: number;
  payload: string;
}

export interface RiskSketchRow {
  account_id: string;
  period: number;
  /** As `risk/signals/codec.ts` encodes it. */
  state: Buffer;
  /** Counts its changes. */
  version: number;
  /** The number of the last flush of each node that changed it lately, as JSON. */
  flushed: string;
  /** When a request was last added to it. */
  seen_at: number;
}

export interface RiskStandingRow {
  account_id: string;
  /** When it was first seen in use. */
  since: number;
  judge_at: number;
  judged_at: number | null;
  persons_since: number | null;
  /** What its owner is told about a client that contradicts itself. */
  advice: string | null;
}

export interface RiskContextRow {
  account_id: string;
  own_gateway: number;
  several_machines: number;
  /** Ids of API keys, as JSON. */
  automation_keys: string;
  is_team: number;
}

export interface RiskFlagRow {
  number: number;
  account_id: string | null;
  kind: 'sharing' | 'not_enough' | 'referrals' | 'operator';
  dossier: string;
  opened_at: number;
  ended_at: number | null;
}

export interface ReviewerRow {
  account_id: string;
  added_at: number;
  /** The role has ended. */
  ended_at: number | null;
  /** Of the code by which a second factor may be set up, until `setup_until`. */
  setup_hash: string | null;
  setup_until: number | null;
  /** The secret of the second factor, encrypted by the server's secret; it counts from `factor_at` on. */
  factor: string | null;
  factor_at: number | null;
  /** The step of the last code that was used: no code opens the desk twice. */
  last_step: number | null;
}

export interface DecisionRow {
  id: string;
  flag_number: number;
  step: number;
  /** Null: the account was deleted, and `why` and `answer` with it. */
  account_id: string | null;
  kind: 'nothing' | 'ask' | 'warn' | 'reset' | 'referrals' | 'suspend' | 'close';
  why: string | null;
  rule: string;
  until_at: number | null;
  /** A closed account is deleted then, unless an appeal is open. */
  delete_at: number | null;
  taken_micro: number | null;
  /** Null: the operator, if `is_operators` is 1; else a reviewer whose account was deleted. */
  reviewer_id: string | null;
  is_operators: number;
  at: number;
  answer: string | null;
  answered_at: number | null;
}

export interface AppealRow {
  decision_id: string;
  account_id: string | null;
  at: number;
  /** Null, as `use_case`: the account was deleted. */
  time: string | null;
  use_case: string | null;
  numbers_may_be_used: number;
  outcome: 'upheld' | 'reversed' | null;
  decided_at: number | null;
  reviewer_id: string | null;
  is_operators: number;
  why: string | null;
}

export interface AppealPictureRow {
  id: string;
  decision_id: string;
  account_id: string;
  is_sent: number;
  width: number;
  height: number;
  /** WebP, encoded by this server. */
  bytes: Uint8Array;
  at: number;
}

export interface DeskActTable {
  id: Generated<number>;
  at: number;
  /** Who did it; with `is_operators` 1 the reviewer that the operator's act is about, if any. */
  reviewer_id: string | null;
  is_operators: number;
  act: string;
  flag_number: number | null;
  detail: string | null;
}
