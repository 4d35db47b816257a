import type { Generated, Selectable } from 'kysely';

// The rows of accounts and of how people sign in, and what the operator tells them.

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
