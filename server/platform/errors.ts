import { PROBLEMS, type Problem, type ProblemCode } from '../../shared/problems.ts';

/** Members of a problem that only some codes have. */
export type ProblemExtras = Partial<
  Pick<
    Problem,
    'retryAt' | 'until' | 'error' | 'runId' | 'availableMicro' | 'neededMicro' | 'limitTokens' | 'drop' | 'issues'
  >
>;

/**
 * A refusal that crosses a route. `detail` is for the user: what was wrong here and what to do. A cause, if any, is
 * logged and never sent.
 */
export class AppError extends Error {
  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    readonly extras: ProblemExtras = {},
    options?: { cause?: unknown },
  ) {
    super(`${code}: ${detail}`, options);
    this.name = 'AppError';
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
