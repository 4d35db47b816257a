import type { ErrorHandler, NotFoundHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { PROBLEMS } from '../../../shared/problems.ts';
import { isUnavailable } from '../db/database.ts';
import { AppError, toProblem } from '../errors.ts';
import type { Log } from '../log.ts';
import type { AppContext, AppEnv } from './env.ts';

/** Turns every thrown error into a problem. An unknown error becomes a 500 with fixed text and a logged cause. */
export function onError(log: Log): ErrorHandler<AppEnv> {
  return (error, c) => {
    const refusal = toAppError(error);
    if (PROBLEMS[refusal.code].status >= 500)
      log.error({ requestId: c.var.requestId, code: refusal.code, err: refusal.cause ?? error }, 'a request failed');
    return problemResponse(c, refusal);
  };
}

export const onNotFound: NotFoundHandler<AppEnv> = (c) =>
  problemResponse(c, new AppError('not_found', `There is nothing at ${c.req.method} ${c.req.path}.`));

/** The WWW-Authenticate challenges of a 401 (RFC 6750, RFC 9449). */
const CHALLENGES: { [code: string]: string } = {
  invalid_dpop_proof: 'DPoP error="invalid_dpop_proof", algs="ES256"',
};

export function problemResponse(c: AppContext, error: AppError): Response {
  const problem = toProblem(error, c.var.requestId ?? '');
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' };
  if (problem.retryAt)
    headers['retry-after'] = String(Math.max(1, Math.ceil((Date.parse(problem.retryAt) - Date.now()) / 1000)));
  if (problem.status === 401) headers['www-authenticate'] = CHALLENGES[error.code] ?? 'Bearer, DPoP algs="ES256"';
  return c.body(JSON.stringify(problem), problem.status as 400, { ...headers, ...error.headers });
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
      { cause: error },
    );
  return new AppError(
    'internal',
    'The operator finds it in the log under this request id. Nothing was charged.',
    {},
    { cause: error },
  );
}
