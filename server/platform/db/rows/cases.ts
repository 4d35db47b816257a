import type { Generated } from 'kysely';

// The rows of what is seen of shared accounts, and of what people decide about them.

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
