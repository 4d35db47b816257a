import { PROBLEMS, type Problem, type ProblemCode } from '../../../../shared/problems.ts';

/** A refusal as clients of Anthropic's API read it. */
interface Row {
  /** If it differs from the problem's own. */
  status?: number;
  /** Anthropic's `error.type`. */
  type?: string;
  /** Whether the same request can succeed soon. */
  isWorthRetry?: boolean;
}

const OVERLOADED: Row = { status: 529, type: 'overloaded_error' };

/**
 * How a refusal differs from what `usual` makes of its status. Spent credits are 402: Claude Code gives up at once, and
 * shows the message.
 */
const ANTHROPIC: Partial<Record<ProblemCode, Row>> = {
  model_unknown: { status: 404, type: 'not_found_error' },
  // Of a conversation that is too long, Anthropic's clients expect 400, and make a summary of it.
  context_too_long: { status: 400, type: 'invalid_request_error' },
  upstream_busy: OVERLOADED,
  shutting_down: OVERLOADED,
  upstream_refused: { isWorthRetry: false },
};

/** Anthropic's types by status, from its documentation of errors. */
const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
};

function usual(status: number): Required<Pick<Row, 'type' | 'isWorthRetry'>> {
  const type = TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
  return { type, isWorthRetry: status >= 500 || status === 429 };
}

export interface MessagesError {
  status: number;
  /** If not, the answer says `x-should-retry: false`: Claude Code asks seven times with an unknown key otherwise. */
  isWorthRetry: boolean;
  /** The body of a refusal, and the data of the event `error` in the middle of a stream. */
  body: { type: 'error'; error: { type: string; message: string }; request_id: string };
}

/** A refusal, or a failure in the middle of an answer, in Anthropic's shape. `promptTokens`: the prompt's size. */
export function messagesError(
  { code, detail, requestId, limitTokens }: Pick<Problem, 'code' | 'detail' | 'requestId' | 'limitTokens'>,
  promptTokens?: number,
): MessagesError {
  const row = ANTHROPIC[code] ?? {};
  const status = row.status ?? PROBLEMS[code].status;
  const { type, isWorthRetry } = { ...usual(status), ...row };
  const message = code === 'context_too_long' ? tooLong(detail, limitTokens, promptTokens) : detail;
  return { status, isWorthRetry, body: { type: 'error', error: { type, message }, request_id: requestId } };
}

/** Clients look for these words, and for the numbers, before they make a summary of the conversation. */
function tooLong(detail: string, limit: number | undefined, prompt: number | undefined): string {
  const isKnown = limit !== undefined && prompt !== undefined && prompt > limit;
  return `prompt is too long${isKnown ? `: ${prompt} tokens > ${limit} maximum.` : '.'} ${detail}`;
}
