// The rows of conversations, of runs and of the record of requests.

export interface ConversationRow {
  id: string;
  account_id: string;
  title: string;
  kind: 'chat' | 'edit';
  created_at: number;
  updated_at: number;
  /** Null: not pinned. */
  pinned_at: number | null;
  /** Who gave the title: a model, asked or answered, or the user. Null: the first message did. */
  titled: 'user' | 'asked' | 'model' | null;
  /** The message that prompts have in place of all before it, as long as it is not superseded. */
  summary_id: string | null;
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
  /** How hard the model was asked to think. Null: as it does by itself. */
  effort: string | null;
  /** 1: a summary of the messages before it. */
  summary: number | null;
}

export interface PictureRow {
  message_id: string;
  /** That of its attachment. */
  place: number;
  conversation_id: string;
  media_type: string;
  width: number;
  height: number;
  /** Of the bytes. */
  size: number;
  bytes: Uint8Array;
}

/** A text or picture attached to a message. For an edit, the selection or a file that it concerns. */
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
    | ('found' | 'folder' | 'symbol' | 'commit' | 'terminal' | 'pasted' | 'page' | 'image');
  path: string | null;
  /** Of a symbol. */
  name: string | null;
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
  /** The id of the request that began it; null in old runs, and if no request did. */
  request_id: string | null;
  /** How hard the model was asked to think. Null: as it does by itself. */
  effort: string | null;
  /** 1: it summarises its conversation. */
  compacts: number | null;
}

/** What is kept of a request. A run's is stored once the run has ended. */
export interface RequestRow {
  /** The `x-request-id` of its answer. */
  id: string;
  run_id: string | null;
  account_id: string;
  at: number;
  /** The route's pattern: no path with ids of a stranger. */
  route: string;
  tool: string;
  key_id: string | null;
  /** The model as the client named it, cut and cleaned. */
  asked: string | null;
  model: string | null;
  /** Of several model services, the last that was asked. Only the operator sees it. */
  service: string | null;
  attempts: number | null;
  first_ms: number | null;
  whole_ms: number;
  input_tokens: number | null;
  cached_input_tokens: number | null;
  output_tokens: number | null;
  thinking_tokens: number | null;
  estimated: number | null;
  outcome: 'answered' | 'stopped' | 'refused' | 'failed' | 'interrupted';
  code: string | null;
  status: number | null;
  /** What was charged, less what was refunded. */
  charged: number;
  /** Above 1: so many alike came within a minute, and only the first is kept. */
  times: number;
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
