import { inCredits } from '../../../shared/money/amounts.ts';
import { PROBLEMS, type Problem, type ProblemCode } from '../../../shared/problems.ts';
import { iso } from '../../platform/clock.ts';
import { AppError, toProblem } from '../../platform/errors.ts';
import { toolOf } from '../../platform/http/clients.ts';
import type { AppContext } from '../../platform/http/env.ts';
import { challengeOf, retryAfterOf } from '../../platform/http/problems.ts';
import { withoutApiKeys } from '../../platform/values/apiKeys.ts';
import { CallRefused } from '../dialects/chat/refused.ts';
import { messagesError } from '../dialects/messages/errors.ts';

/** A refusal as clients of OpenAI's API read it. */
interface Row {
  /** If it differs from the problem's own. */
  status?: number;
  /** OpenAI's `error.type`. */
  type?: string;
  /** OpenAI's `error.code`, if it has one for this; else the problem's own code. */
  code?: string;
  /** The member of the request that was wrong. */
  param?: string;
  /** Whether the same request can succeed soon. */
  isWorthRetry?: boolean;
}

const SPENT: Row = { status: 402, type: 'insufficient_quota', code: 'insufficient_quota' };
const UNKNOWN_KEY: Row = { type: 'invalid_request_error', code: 'invalid_api_key' };
const RATE: Row = { type: 'rate_limit_error', code: 'rate_limit_exceeded', isWorthRetry: true };

/**
 * How a refusal differs from what `usual` makes of its status. Spent credits are 402 on chat completions: every client
 * of that dialect gives up at once and shows the message, but several send a 429 again. Codex, which speaks only
 * `/v1/responses`, needs 429 for the same.
 */
const OPENAI: Partial<Record<ProblemCode, Row>> = {
  unauthorized: UNKNOWN_KEY,
  invalid_dpop_proof: UNKNOWN_KEY,
  key_mistyped: UNKNOWN_KEY,
  key_unknown: UNKNOWN_KEY,
  key_revoked: UNKNOWN_KEY,
  key_expired: UNKNOWN_KEY,
  insufficient_credits: SPENT,
  key_spent: SPENT,
  daily_cap_reached: SPENT,
  rate_limited: RATE,
  too_many_attempts: RATE,
  model_unknown: { status: 404, code: 'model_not_found', param: 'model' },
  context_too_long: { status: 400, code: 'context_length_exceeded', param: 'messages' },
  upstream_refused: { isWorthRetry: false },
};

function usual(status: number): Required<Pick<Row, 'type' | 'isWorthRetry'>> {
  if (status >= 500) return { type: 'server_error', isWorthRetry: true };
  if (status === 403) return { type: 'permission_error', isWorthRetry: false };
  if (status === 429) return { type: 'rate_limit_error', isWorthRetry: true };
  return { type: 'invalid_request_error', isWorthRetry: false };
}

/**
 * Spent credits on `/v1/responses`. Codex sends a 402 six times more. After a 429 of this type it stops at once, and
 * shows the message of the header `x-codex-promo-message`; of every other 429 it shows words of its own.
 */
const SPENT_FOR_CODEX: Row = { ...SPENT, status: 429, type: 'usage_limit_reached', isWorthRetry: false };

/** Where `/v1/responses` differs. */
const RESPONSES: Partial<Record<ProblemCode, Row>> = {
  insufficient_credits: SPENT_FOR_CODEX,
  key_spent: SPENT_FOR_CODEX,
  daily_cap_reached: SPENT_FOR_CODEX,
  context_too_long: { ...OPENAI.context_too_long, param: 'input' },
};

/** The refusal of a call, in OpenAI's shape. */
export function openAiError(
  error: AppError,
  dialect: 'chat' | 'responses' = 'chat',
): {
  status: number;
  isWorthRetry: boolean;
  body: { error: { message: string; type: string; code: string; param: string | null } };
} {
  // A request that was refused by name has OpenAI's own code for it.
  const named: Row =
    error.cause instanceof CallRefused ? { code: error.cause.code, param: error.cause.param ?? '' } : {};
  const row = { ...OPENAI[error.code], ...(dialect === 'responses' ? RESPONSES[error.code] : {}), ...named };
  const status = row.status ?? PROBLEMS[error.code].status;
  const { type, isWorthRetry } = { ...usual(status), ...row };
  const param = row.param ?? error.extras.issues?.[0]?.path ?? null;
  return {
    status,
    isWorthRetry,
    body: { error: { message: messageOf(error), type, code: row.code ?? error.code, param: param || null } },
  };
}

/**
 * The refusal's own detail. Of a conversation that is too long, clients look for OpenAI's words and not for its code
 * (Kimi Code, Continue), before they make a summary of it.
 */
function messageOf({ code, detail, extras: { limitTokens } }: AppError): string {
  if (code !== 'context_too_long') return detail;
  const words =
    limitTokens === undefined
      ? "The request exceeds this model's maximum context length. Reduce the length of the messages."
      : `This model's maximum context length is ${limitTokens} tokens.`;
  return `${words} ${detail}`;
}

/** The refusal that a failed answer is told as. One that may be charged is not to be sent again without a person. */
export const refusalOf = ({ code, detail, retryAt }: Problem, mayBeCharged = false): AppError =>
  new AppError(
    code,
    detail,
    retryAt ? { retryAt } : {},
    mayBeCharged ? { headers: { 'x-should-retry': 'false' } } : {},
  );

/** A request that no service could read, or that has no price. */
export const refusedCall = (refused: CallRefused): AppError =>
  new AppError('invalid_request', `${refused.message} Nothing was started.`, {}, { cause: refused });

/** Anthropic's clients send this header with every request. */
export const isAnthropic = (c: AppContext) => c.req.header('anthropic-version') !== undefined;

/** The dialect of a request: by its path, or by its client where the path is none of a dialect, as `/v1/models`. */
function dialectOf(c: AppContext): 'chat' | 'responses' | 'messages' {
  const [, name] = /^\/v1\/(chat|responses|messages)(?:\/|$)/.exec(c.req.path) ?? [];
  return (name as 'chat' | undefined) ?? (isAnthropic(c) ? 'messages' : 'chat');
}

/** Codex sends what is refused by 401 or 403 six times more, and reads no `x-should-retry`. After a 400 it stops. */
const isCodex = (c: AppContext) => toolOf(c.req.header('user-agent')) === 'Codex';

/** Answers every refusal under `/v1`. */
export function callRefusal(c: AppContext, error: AppError): Response {
  const problem = toProblem(error, c.get('requestId'));
  const dialect = dialectOf(c);
  const isMessages = dialect === 'messages';
  const { status, isWorthRetry, body } = isMessages
    ? messagesError(problem, error.extras.promptTokens)
    : openAiError(error, dialect);
  const isForCodex = dialect === 'responses' && (status === 401 || status === 403) && isCodex(c);
  const sent = isForCodex ? 400 : status;
  const retryAfter = retryAfterOf(problem, c.get('now')());
  const isSpentForCodex = 'code' in body.error && body.error.type === SPENT_FOR_CODEX.type;
  return c.body(withoutApiKeys(JSON.stringify(body)), sent as 400, {
    'content-type': 'application/json',
    ...(retryAfter === null ? {} : { 'retry-after': retryAfter }),
    ...(isWorthRetry ? {} : { 'x-should-retry': 'false' }),
    ...(isMessages && status === 429 && !isWorthRetry ? { 'anthropic-ratelimit-unified-status': 'rejected' } : {}),
    ...(isSpentForCodex ? { 'x-codex-promo-message': inSentence(error.detail) } : {}),
    ...(sent === 401 ? { 'www-authenticate': challengeOf(error) } : {}),
    ...error.headers,
  });
}

/** As a header can carry it, without the last point: Codex goes on with ", or try again later.". */
const inSentence = (text: string) =>
  withoutApiKeys(text)
    .replaceAll('’', "'")
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/\.$/, '')
    .slice(0, 500);

/** The refusal of a call whose key may not spend that much more in this month. */
export function keySpent(
  name: string,
  { limitMicro, usedMicro, resetsAt }: { limitMicro: number; usedMicro: number; resetsAt: number },
): AppError {
  const left = inCredits(Math.max(0, limitMicro - usedMicro));
  return new AppError(
    'key_spent',
    `The API key "${name}" may spend ${inCredits(limitMicro)} a month. It has ${left} left until ${iso(resetsAt)}, which does not cover this request. Raise its cap on the account page, or use another key.`,
  );
}
