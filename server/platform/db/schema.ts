import type { Generated } from 'kysely';
import type {
  AccountTable,
  ApiKeyRow,
  AuthUserRow,
  DeviceGrantRow,
  GuestAdmissionRow,
  IdentityRow,
  OneTimeCodeRow,
  OperatorNoticeRow,
  PromotionRow,
  SessionRow,
  TokenRow,
} from './rows/accounts.ts';
import type {
  AttachmentRow,
  ConversationRow,
  MessageRow,
  PictureRow,
  RequestRow,
  RunEventRow,
  RunRow,
} from './rows/answers.ts';
import type {
  AppealPictureRow,
  AppealRow,
  DecisionRow,
  DeskActTable,
  ReviewerRow,
  RiskContextRow,
  RiskFlagRow,
  RiskSketchRow,
  RiskStandingRow,
} from './rows/cases.ts';
import type {
  BalanceRow,
  HoldRow,
  HouseUseRow,
  KeyMonthRow,
  LimitUseRow,
  LogEntryRow,
  PaymentEventRow,
  PaymentReversalRow,
  PaymentTable,
  PlanUseRow,
  ReferralRewardRow,
  ReferralTable,
  SubscriptionRow,
  TransferRow,
  WalletRow,
} from './rows/credits.ts';

export type * from './rows/accounts.ts';
export type * from './rows/answers.ts';
export { isAnswer } from './rows/answers.ts';
export type * from './rows/cases.ts';
export type * from './rows/credits.ts';

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
  house_use: HouseUseRow;
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
  /** The bytes of an attachment that is a picture. */
  picture: PictureRow;
  /** The input of an edit apart from its attachments: JSON. */
  edit_input: { message_id: string; content: string };
  /** Messages that the search index has yet to add, from `piece` on. */
  search_due: { message_id: string; piece: number };
  /** An indexed part of a message. Its grams are in `grams` on PostgreSQL, in `search_grams` on SQLite. */
  search_piece: { n: Generated<number>; message_id: string };
  run: RunRow;
  request: RequestRow;
  run_event: RunEventRow;
  auth_user: AuthUserRow;
  auth_session: { id: string; userId: string; expiresAt: string };
  auth_account: { id: string; userId: string; providerId: string; accountId: string };
  auth_verification: { id: string; expiresAt: string };
}
