import type { ErrorHandler, NotFoundHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { PROBLEMS, type Problem } from '../../../shared/problems.ts';
import { isUnavailable } from '../db/database.ts';
import { AppError, toProblem } from '../errors.ts';
import type { Log } from '../log.ts';
import { withoutApiKeys } from '../values/apiKeys.ts';
import type { AppContext, AppEnv } from './env.ts';

/** Writes a refusal in the form that this request's client reads. */
export type Respond = (c: AppContext, refusal: AppError) => Response;

/** Answers every thrown error. An unknown error becomes a 500 with fixed text and a logged cause. */
export function onError(log: Log, respond: Respond): ErrorHandler<AppEnv> {
  return (error, c) => {
    const refusal = toAppError(error);
    if (PROBLEMS[refusal.code].status >= 500)
      log.error({ requestId: c.get('requestId'), code: refusal.code, err: refusal.cause ?? error }, 'a request failed');
    return respond(c, refusal);
  };
}

export const onNotFound =
  (respond: Respond): NotFoundHandler<AppEnv> =>
  (c) =>
    respond(c, new AppError('not_found', `There is nothing at ${c.req.method} ${c.req.path}.`));

/** The WWW-Authenticate challenges of a 401 (RFC 6750, RFC 9449). */
const CHALLENGES: { [code: string]: string } = {
  invalid_dpop_proof: 'DPoP error="invalid_dpop_proof", algs="ES256"',
};

export const challengeOf = ({ code }: AppError): string => CHALLENGES[code] ?? 'Bearer, DPoP algs="ES256"';

/** The Retry-After of a problem, in seconds; null if it says no time. */
export const retryAfterOf = ({ retryAt }: Problem, now: number): string | null =>
  retryAt ? String(Math.max(1, Math.ceil((Date.parse(retryAt) - now) / 1000))) : null;

/** Whether a request names problems among the types that it accepts. */
export const wantsProblems = (c: AppContext): boolean =>
  (c.req.header('accept') ?? '').includes('application/problem+json');

/** A refusal as an RFC 9457 problem. */
export function problemResponse(c: AppContext, error: AppError): Response {
  const problem = toProblem(error, c.get('requestId') ?? '');
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' };
  const retryAfter = retryAfterOf(problem, c.get('now')());
  if (retryAfter !== null) headers['retry-after'] = retryAfter;
  if (problem.status === 401) headers['www-authenticate'] = challengeOf(error);
  return c.body(withoutApiKeys(JSON.stringify(problem)), problem.status as 400, { ...headers, ...error.headers });
}

export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof HTTPException) {
    if (error.status === 400 && /JSON/i.test(error.message))
      return new AppError('invalid_json', 'The body is not valid JSON. Send application/json in UTF-8.');
    if (error.status === 413) return new AppError('payload_too_large', 'The request is too large.');
    if (error.status < 500) return new AppError('invalid_request', error.message || 'The request is malformed.');
  }
  // PostgreSQL refuses text that SQLite stores: a NUL or a lone surrogate that no contract has removed.
  if ((error as { code?: unknown }).code === '22021')
    return new AppError('invalid_request', 'A text has a character that can’t be stored, such as NUL.');
  if (isUnavailable(error))
    return new AppError(
      'unavailable',
      'Nothing was started and nothing was charged. Try again in a moment.',
      {},
      { cause: error, headers: { 'retry-after': '5' } },
    );
  return new AppError(
    'internal',
    'The operator finds it in the log under this request id. Nothing was charged.',
    {},
    { cause: error },
  );
}
