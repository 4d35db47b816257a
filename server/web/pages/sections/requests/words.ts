import { PROBLEMS, type ProblemCode } from '../../../../../shared/problems.ts';
import type { RequestOutcome, RequestRecord } from '../../../../../shared/requests.ts';

export const OUTCOMES: Record<RequestOutcome, string> = {
  answered: 'Answered',
  stopped: 'Stopped',
  refused: 'Refused',
  failed: 'Failed',
  interrupted: 'Interrupted',
};

/** Why there was no answer, beside the codes of problems. */
const OTHERS: Record<string, string> = {
  empty_answer: 'The model service sent an empty answer',
  node_lost: 'The server broke down in the middle of the answer',
};

const AGAIN = 'Send it again in a moment.';
const SERVICE = 'Most often this passes: send it again. If it goes on, choose another model, or tell the operator.';
const MENDED = 'Start it again from the editor, as it is now.';

/** What to do about a request that was not answered, by its code. */
const ADVICE: Partial<Record<ProblemCode | 'empty_answer' | 'node_lost', string>> = {
  invalid_json: 'The tool sent something other than JSON in UTF-8. Update it, or look at what your program sends.',
  invalid_request:
    'The tool sent something that this server does not know. Its own error message names the field. Update the tool, or leave that field out.',
  request_refused:
    'The model service did not accept what the tool sent. Its own error message says why. The same request would be refused again: change it, or choose another model.',
  insufficient_credits: 'Add credits, send less, or choose a cheaper model. Balance shows what is left.',
  key_spent: 'Raise the key’s monthly cap under API keys, or use another key.',
  suspended: 'Read the decision, and how to appeal, under Decisions.',
  account_closing: 'To go on, keep the account under Your data.',
  terms_changed: 'Read and accept the terms: the notice at the top of this page has them.',
  unauthorized: 'Sign in again in the editor.',
  not_found: 'The address is not one of this server. “Connect a tool” has the right one for each tool.',
  method_not_allowed: 'The tool called a right address in a wrong way. Update it.',
  conversation_busy: 'An answer was still running in this conversation. Wait for it, or stop it, and send again.',
  run_id_reused: MENDED,
  nothing_to_continue: MENDED,
  nothing_to_repair: MENDED,
  already_repaired: MENDED,
  payload_too_large: 'Send less at once: fewer or smaller files and pictures.',
  context_too_long: 'Send less: begin a new conversation, or leave out files. Or choose a model that reads more.',
  unsupported_encoding: 'Set the tool to send its requests without compression.',
  model_unknown:
    'Choose a model that is offered here: Balance lists them, and a key may be allowed only some. A tool’s setting may still have the name of another service’s model.',
  effort_unknown: 'Choose in the menu of models how hard this model thinks: it knows other efforts, or none.',
  no_vision: 'Choose a model that reads pictures, or leave the picture out.',
  picture_unreadable: 'Send the picture as a PNG, JPEG, WebP or GIF that is not damaged, and not too large.',
  too_many_pictures:
    'Send fewer pictures, or go on in a new conversation: those of earlier messages are sent again with each question. The message says if pictures that are stored have to be deleted.',
  nothing_to_compact: 'Ask something first: there was no answer yet to summarise.',
  daily_cap_reached: 'Wait for the next day (UTC), or raise in the editor what other extensions may spend in a day.',
  too_many_attempts: 'Wait a few minutes. The tool has sent too many wrong requests one after the other.',
  rate_limited: 'Wait a minute. Tools that run at once share the limits of the account.',
  internal: 'This is a fault of the server. Send it again; if it fails again, give the operator the request id.',
  unavailable: AGAIN,
  shutting_down: `The server was being restarted. ${AGAIN}`,
  upstream_failed: SERVICE,
  upstream_malformed: SERVICE,
  upstream_unreachable: SERVICE,
  upstream_timeout: SERVICE,
  upstream_busy: 'The model service had too much to do. Send it again in some minutes, or choose another model.',
  upstream_refused:
    'The model service did not let this server in. Only the operator can mend that: give them the request id, or choose another model.',
  empty_answer: 'Send it again, or choose another model.',
  node_lost: 'What came so far is kept in the editor’s conversation; a tool starts anew. Send it again.',
};

const isProblem = (code: string): code is ProblemCode => Object.hasOwn(PROBLEMS, code);

/** In a few words; null for an answer. */
export function whyOf({ code }: Pick<RequestRecord, 'code'>): string | null {
  if (code === undefined) return null;
  return isProblem(code) ? PROBLEMS[code].title : (OTHERS[code] ?? code);
}

/** What happened, as a sentence. */
export function storyOf(record: RequestRecord): string {
  const { outcome, asked, model, status } = record;
  const by = model ?? asked;
  const named = by === undefined ? '' : ` of ${by}`;
  const why = whyOf(record);
  switch (outcome) {
    case 'answered':
      if (model === undefined) return 'The server answered.';
      return asked !== undefined && asked !== model
        ? `${model} answered to the end, in place of ${asked}, which failed.`
        : `${model} answered to the end.`;
    case 'stopped':
      return `The answer${named} was stopped: by you, or because the tool closed its connection.`;
    case 'refused':
      return `${why ?? 'The server refused the request'}. No answer was begun.`;
    case 'interrupted':
      return `${why ?? 'The server stopped'}: the answer${named} was cut off.`;
    case 'failed':
      return record.firstMs === undefined || status !== 200
        ? `${why ?? 'The request failed'}.`
        : `${why ?? 'The request failed'}, after a part of the answer${named} had come.`;
  }
}

/** What to do about it; null where nothing is to be done. */
export function adviceOf({ outcome, code = '' }: Pick<RequestRecord, 'outcome' | 'code'>): string | null {
  if (outcome === 'answered' || outcome === 'stopped') return null;
  return ADVICE[code as ProblemCode] ?? 'Send it again. If it fails again, give the operator the request id.';
}

/** "340 ms", "2.4 s", "3 min 20 s". */
export function took(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** The id in what somebody pasted: a header's line, an answer's id, or the id alone. Null: there is none. */
export const idIn = (text: string): string | null =>
  /[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/i.exec(text)?.[0].toLowerCase() ?? null;
