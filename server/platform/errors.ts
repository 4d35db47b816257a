import { PROBLEMS, type Problem, type ProblemCode } from '../../shared/problems.ts';

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
    | 'drop'
    | 'issues'
  >
>;

/**
 * A refusal that crosses a route. `detail` is for the user: what was wrong here and what to do. A cause, if any, is
 * logged and never sent; `headers` are sent beside what every problem has.
 */
export class AppError extends Error {
  readonly headers: Record<string, string>;

  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    readonly extras: ProblemExtras = {},
    options: { cause?: unknown; headers?: Record<string, string> } = {},
  ) {
    super(`${code}: ${detail}`, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'AppError';
    this.headers = options.headers ?? {};
  }
}

/** RFC 9457 form of a refusal. */
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

/** For ids that don't exist and for those of others alike: nobody learns which. */
export function notFound(what: string): AppError {
  return new AppError('not_found', `There is no such ${what} in your account.`);
}
