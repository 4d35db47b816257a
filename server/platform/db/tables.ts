import type { Schema } from './schema.ts';

// What happens to each table's rows in an export, when a guest becomes part of an account, when an account is deleted,
// and when their retention ends. A table that is missing here has no type, and a test fails.

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The files of an export and their descriptions. */
export const EXPORT_FILES = {
  'profile.json': 'your account: name, address, how you sign in, your balance, the code of your link',
  'sessions.json': 'devices, tools and browsers that are signed in',
  'keys.json': 'your API keys, without their secrets; only if you have one',
  'referrals.json': 'who joined by your link, without a name, and what that earned; only if somebody did',
  'payments.json': 'what you paid, and what of it went back; amounts in the smallest unit; only if you did',
  'risk.json': 'what we see of how your account is used, in numbers; only if something was seen',
  'decisions.json': 'what people have decided about your account, why, and your appeals; only if somebody did',
  'appeals/*.webp': 'the pictures of your appeals',
  'token-log.json': 'every grant, charge and refund; amounts are micro-credits (1 credit = 1,000,000)',
  'token-log.csv': 'the same for a spreadsheet',
  'requests.json': 'each request of the last 90 days: when, by which tool, how it ended, how long it took; no text',
  'conversations/*.json':
    'each conversation whole: messages, what was attached, what the model thought, what later messages replaced',
  'pictures/*': 'the pictures in your conversations, each named by the id of its attachment',
  'conversations/*.md': 'the same to read, without what was replaced',
} as const;
export type ExportFile = keyof typeof EXPORT_FILES;

/** SQLite keeps the search index of conversations in a separate table that Kysely never sees. */
export type TableName = keyof Schema | 'search_grams';

/** The account that owns a row: by a column with the account's id, or through another table's key. */
export type Belonging = { account: string } | { to: TableName; by: string; key: string };

interface Rules {
  /** Null: no account owns the row, or the owner is unknown. */
  of: Belonging | null;
  /** The file of the account's export that contains the row, or the reason why none does. */
  exported: ExportFile | { not: string };
  /**
   * When a guest joins an account, the guest's row moves to the account, stays the guest's, or goes. `never`: guests
   * have none.
   */
  merged: 'moves' | 'stays' | 'goes' | 'never';
  /**
   * When the account is deleted: the row goes, stays in the books without a name (`nameless`), or expires soon
   * (`passes`).
   */
  deleted: 'goes' | 'nameless' | 'passes';
  /** How long it is kept: as long as its owner, for good, or until it ends. */
  kept: 'owner' | 'always' | 'passing';
  /** How long the row is kept after it ended, expired or was replaced, in milliseconds. */
  over?: number;
}

const OWN = { deleted: 'goes', kept: 'owner' } as const;
const BOOKS = { merged: 'moves', deleted: 'nameless', kept: 'always' } as const;
const ofLedger = { to: 'wallet', by: 'ledger_id', key: 'ledger_id' } as const;
const ofMessage = { to: 'message', by: 'message_id', key: 'id' } as const;
const ofReferral = { to: 'referral', by: 'referral_id', key: 'id' } as const;
const INDEX = { not: 'an index of what is exported' };
const IN_LOG = { not: 'the token log says the same, line by line' };
const NOBODYS = { of: null, merged: 'never', deleted: 'passes' } as const;
const SERVERS = { ...NOBODYS, exported: { not: 'of the server, not of a person' }, kept: 'always' } as const;
const SIGNING_IN = { ...NOBODYS, exported: { not: 'of a sign-in under way' }, kept: 'passing', over: HOUR } as const;
const OF_CASE = {
  of: { account: 'account_id' },
  merged: 'never',
  deleted: 'nameless',
  kept: 'passing',
  over: 180 * DAY,
} as const;

export const TABLES = {
  account: { of: { account: 'id' }, exported: 'profile.json', merged: 'stays', ...OWN },
  identity: { of: { account: 'account_id' }, exported: 'profile.json', merged: 'never', ...OWN },
  session: { of: { account: 'account_id' }, exported: 'sessions.json', merged: 'stays', ...OWN, over: 30 * DAY },
  token: {
    ...{ of: { to: 'session', by: 'session_id', key: 'id' }, exported: { not: 'it would open the account' } },
    ...{ merged: 'goes', deleted: 'goes', kept: 'passing', over: 0 },
  },
  api_key: { of: { account: 'account_id' }, exported: 'keys.json', merged: 'never', ...OWN, over: 90 * DAY },
  one_time_code: {
    ...{ of: { account: 'account_id' }, exported: { not: 'it would open the account' }, merged: 'never' },
    ...{ deleted: 'goes', kept: 'passing', over: 0 },
  },
  device_grant: {
    ...{ of: { account: 'account_id' }, exported: { not: 'it becomes a session, or nothing' }, merged: 'never' },
    ...{ deleted: 'goes', kept: 'passing', over: HOUR / 4 },
  },
  mail_code: { ...SIGNING_IN, over: 0 },
  attempt: { ...NOBODYS, exported: { not: 'a keyed hash, for some hours' }, kept: 'passing', over: 0 },
  guest_admission: { ...NOBODYS, exported: { not: 'a keyed hash, for a day' }, kept: 'passing', over: DAY },
  bonus_claim: { ...NOBODYS, exported: { not: 'a keyed hash that names nobody' }, kept: 'always' },
  gate: SERVERS,

  wallet: { of: { account: 'account_id' }, exported: 'profile.json', merged: 'moves', ...OWN },
  balance: { of: ofLedger, exported: 'profile.json', ...BOOKS },
  transfer: { of: null, exported: IN_LOG, ...BOOKS },
  hold: { of: ofLedger, exported: IN_LOG, ...BOOKS },
  log_entry: { of: ofLedger, exported: 'token-log.json', ...BOOKS },
  key_month: { of: ofLedger, exported: IN_LOG, merged: 'never', ...OWN },
  plan_use: { of: ofLedger, exported: IN_LOG, ...BOOKS, merged: 'never' },
  subscription: { of: ofLedger, exported: 'profile.json', ...BOOKS, merged: 'never' },
  payment: { of: ofLedger, exported: 'payments.json', ...BOOKS, merged: 'never' },
  payment_reversal: {
    ...{ of: { to: 'payment', by: 'payment_id', key: 'id' }, exported: 'payments.json', ...BOOKS, merged: 'never' },
  },
  payment_event: {
    ...{ of: { to: 'payment', by: 'payment_id', key: 'id' }, exported: { not: 'what a payment went by is in it' } },
    ...{ merged: 'never', deleted: 'nameless', kept: 'passing', over: 90 * DAY },
  },
  limit_use: {
    ...{ of: { account: 'account_id' }, exported: { not: 'for an hour; the token log has the same' }, merged: 'stays' },
    ...{ deleted: 'passes', kept: 'passing', over: HOUR },
  },
  price_in_force: SERVERS,
  price_announcement: SERVERS,

  referral_link: { of: { account: 'account_id' }, exported: 'profile.json', merged: 'never', ...OWN },
  referral: { of: { account: 'referrer_id' }, exported: 'referrals.json', merged: 'never', ...OWN },
  referral_reward: { of: ofReferral, exported: 'referrals.json', merged: 'never', ...OWN },
  notice_mail: {
    ...{ of: { account: 'account_id' }, exported: { not: 'that a notice was mailed; the mail says all' } },
    ...{ merged: 'never', ...OWN },
  },

  // Guests are not observed: they have nothing to resell.
  risk_key: { ...NOBODYS, exported: { not: 'a key of this server' }, kept: 'passing', over: 0 },
  risk_sketch: {
    ...{ of: { account: 'account_id' }, exported: 'risk.json', merged: 'never', deleted: 'goes', kept: 'passing' },
    over: 0,
  },
  risk_device: { ...NOBODYS, exported: { not: 'bits that name nobody' }, kept: 'passing', over: 0 },
  risk_standing: {
    ...{
      of: { account: 'account_id' },
      exported: { not: 'what is judged of its use, for a person to look at' },
      merged: 'never',
    },
    ...OWN,
  },
  risk_context: { of: { account: 'account_id' }, exported: 'profile.json', merged: 'never', ...OWN },
  risk_flag: {
    ...{ of: { account: 'account_id' }, exported: { not: 'its reasons are told with what a person decides' } },
    ...{ merged: 'never', deleted: 'nameless', kept: 'passing', over: 180 * DAY },
  },
  risk_pause: SERVERS,
  reviewer: { of: { account: 'account_id' }, exported: 'profile.json', merged: 'never', ...OWN },
  desk_session: {
    ...{ of: { account: 'account_id' }, exported: { not: 'that the desk is open, for some hours' } },
    ...{ merged: 'never', deleted: 'goes', kept: 'passing', over: 0 },
  },
  // With its flag, whose retention begins anew when a case or its appeal is decided.
  decision: { ...OF_CASE, exported: 'decisions.json' },
  appeal: { ...OF_CASE, exported: 'decisions.json' },
  appeal_picture: { ...OF_CASE, exported: 'appeals/*.webp', deleted: 'goes' },
  second_look: {
    ...{ of: null, exported: { not: 'a test of the reviewers, from which nothing follows' }, merged: 'never' },
    ...{ deleted: 'nameless', kept: 'passing', over: 180 * DAY },
  },
  desk_act: {
    ...{ of: { account: 'reviewer_id' }, exported: { not: 'what a reviewer did at work, without the owner’s data' } },
    ...{ merged: 'never', deleted: 'nameless', kept: 'passing', over: 365 * DAY },
  },

  operator_notice: SERVERS,
  promotion: SERVERS,
  drained_service: SERVERS,
  house_use: SERVERS,

  conversation: { of: { account: 'account_id' }, exported: 'conversations/*.json', merged: 'moves', ...OWN },
  message: {
    ...{ of: { to: 'conversation', by: 'conversation_id', key: 'id' }, exported: 'conversations/*.json' },
    ...{ merged: 'moves', ...OWN, over: 30 * DAY },
  },
  attachment: { of: ofMessage, exported: 'conversations/*.json', merged: 'moves', ...OWN },
  picture: { of: ofMessage, exported: 'pictures/*', merged: 'moves', ...OWN },
  edit_input: { of: ofMessage, exported: 'conversations/*.json', merged: 'moves', ...OWN },
  search_due: { of: ofMessage, exported: INDEX, merged: 'moves', ...OWN },
  search_piece: { of: ofMessage, exported: INDEX, merged: 'goes', ...OWN },
  search_grams: {
    ...{ of: { to: 'search_piece', by: 'rowid', key: 'n' }, exported: INDEX, merged: 'goes', ...OWN },
  },
  run: {
    ...{ of: { account: 'account_id' }, exported: IN_LOG, merged: 'moves', deleted: 'goes', kept: 'passing' },
    over: 90 * DAY,
  },
  request: {
    ...{ of: { account: 'account_id' }, exported: 'requests.json', merged: 'moves', deleted: 'goes', kept: 'passing' },
    over: 90 * DAY,
  },
  run_event: {
    ...{ of: { to: 'run', by: 'run_id', key: 'id' }, exported: { not: 'the message has the text' }, merged: 'moves' },
    ...{ deleted: 'goes', kept: 'passing', over: HOUR },
  },

  auth_user: SIGNING_IN,
  auth_session: SIGNING_IN,
  auth_account: SIGNING_IN,
  auth_verification: SIGNING_IN,
} as const satisfies Record<TableName, Rules>;

/**
 * The tables that every answer reads or writes, and for each the column by whose value its rows would be spread over
 * several databases. Each query of an answer names it, but for those that docs/scaling.md lists.
 */
export const HOT_TABLES = {
  token: 'token_hash',
  session: 'id',
  api_key: 'id',
  account: 'id',
  wallet: 'account_id',
  balance: 'ledger_id',
  hold: 'ledger_id',
  subscription: 'ledger_id',
  plan_use: 'ledger_id',
  log_entry: 'ledger_id',
  key_month: 'key_id',
  limit_use: 'account_id',
  run: 'id',
  run_event: 'run_id',
  request: 'account_id',
  conversation: 'account_id',
  message: 'conversation_id',
  attachment: 'message_id',
  picture: 'message_id',
  edit_input: 'message_id',
} as const satisfies { [T in keyof Schema]?: keyof Schema[T] & string };
