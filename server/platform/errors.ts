import { PROBLEMS, type Problem, type ProblemCode } from '../../shared/problems.ts';
import { withoutApiKeys } from './values/apiKeys.ts';

/** Members of a problem that only some codes have. */
export type ProblemExtras = Partial<
  Pick<
    Problem,
    | 'retryAt'
    | 'limit'
    | 'until'
    | 'error'
    | 'runId'
    | 'availableMicro'
    | 'neededMicro'
    | 'limitTokens'
    | 'promptTokens'
    | 'drop'
    | 'compactable'
    | 'issues'
  >
>;

/**
 * A refusal that crosses a route. `detail` tells the user what was wrong and what to do. `cause`, if any, is logged and
 * never sent. `headers` are sent in addition to those of every problem. An API key in `detail` is cut out: some details
 * quote the request.
 */
export class AppError extends Error {
  readonly detail: string;
  readonly headers: Record<string, string>;

  constructor(
    readonly code: ProblemCode,
    detail: string,
    readonly extras: ProblemExtras = {},
    options: { cause?: unknown; headers?: Record<string, string> } = {},
  ) {
    super(`${code}: ${withoutApiKeys(detail)}`, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'AppError';
    this.detail = withoutApiKeys(detail);
    this.headers = options.headers ?? {};
  }
}

/** The refusal in the form of RFC 9457. */
export function toProblem(error: AppError, requestId: string): Problem {
  const { status, title } = PROBLEMS[error.code];
  return {
    type: `urn:perigee:problem:${error.code}`,
    title,
    status,
    detail: error.detail,
    code: error.code,
    requestId,
    ...error.extras,
  };
}

/** The same answer for ids that don't exist and for ids of other accounts, so that clients can't tell which exist. */
export function notFound(what: string): AppError {
  return new AppError('not_found', `There is no such ${what} in your account.`);
}
