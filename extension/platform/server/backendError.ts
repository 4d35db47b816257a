import type { Problem } from '../../../shared/problems.ts';

/**
 * Why a call to the server failed. `refused`: the server said no, and `problem` is the server's. `offline`: the server
 * was not reached, or the connection broke, so a retry may work. `wrongServer`: the server there is not a Perigee, or
 * has another version. For the last two, `problem` is made here, so that all errors are shown the same way.
 */
export class BackendError extends Error {
  constructor(
    readonly kind: 'refused' | 'offline' | 'wrongServer',
    readonly problem: Problem,
    cause?: unknown,
  ) {
    super(`${problem.title}: ${problem.detail}`, { cause });
    this.name = 'BackendError';
  }

  static offline(detail: string, cause?: unknown): BackendError {
    return new BackendError('offline', localProblem('Perigee cannot be reached', detail), cause);
  }

  static wrongServer(detail: string, cause?: unknown): BackendError {
    return new BackendError('wrongServer', localProblem('Wrong server address', detail, 'wrong_host'), cause);
  }

  /** The server's address was changed between the choice of an account and the call. */
  static otherServer(): BackendError {
    const detail = 'The address of the server was changed meanwhile. Try again.';
    return new BackendError('refused', localProblem('Another server', detail, 'wrong_host'));
  }

  /** The error for an unsuccessful response. Never throws. */
  static async fromResponse(response: Response, url: string): Promise<BackendError> {
    const type = response.headers.get('content-type') ?? '';
    const body = await response.text().catch(() => '');
    if (type.startsWith('application/problem+json')) {
      const { ProblemSchema } = await import('../../../shared/problems.ts');
      const parsed = ProblemSchema.safeParse(parseLoosely(body));
      if (parsed.success) return new BackendError('refused', parsed.data);
    }
    // A proxy answers for a Perigee that is down.
    if ([502, 503, 504].includes(response.status)) {
      return BackendError.offline(
        `Something in front of ${url} answers ${response.status}: the server behind it is down.`,
      );
    }
    const what = type.startsWith('text/html') ? 'a web page' : (type.split(';')[0] ?? '') || 'nothing readable';
    return BackendError.wrongServer(`${url} is no Perigee server: it answers ${response.status} with ${what}.`);
  }

  /** Turns any thrown value into an error that can be shown. */
  static from(error: unknown): BackendError {
    if (error instanceof BackendError) return error;
    return new BackendError('offline', localProblem('Something went wrong in the editor', describeCause(error)), error);
  }
}

/** Whether the same call may work later without any action by the user. */
export function isRetryable(error: unknown): boolean {
  if (!(error instanceof BackendError)) return false;
  return error.kind === 'offline' || (error.kind === 'refused' && [429, 500, 503].includes(error.problem.status));
}

/** A problem made by the client. It has status 0. */
export function localProblem(title: string, detail: string, code: Problem['code'] = 'unavailable'): Problem {
  return { type: 'about:blank', title, status: 0, detail, code, requestId: '' };
}

/** The cause of a failed fetch in words, for people who must fix it. */
export function describeCause(error: unknown): string {
  const codes: string[] = [];
  let text = '';
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const code = (at as { code?: unknown }).code;
    if (typeof code === 'string') codes.push(code);
    // The innermost message is the useful one; the outer one is "fetch failed".
    text = at.message || text;
    if (at.name === 'TimeoutError') return 'no answer in time';
    if (at instanceof AggregateError && at.errors[0] instanceof Error) {
      codes.push(String((at.errors[0] as { code?: unknown }).code ?? ''));
      text ||= at.errors[0].message;
    }
  }
  const all = `${codes.join(' ')} ${text}`;
  for (const [pattern, words] of CAUSES) if (pattern.test(all)) return words;
  return text.replace(/[.\s]+$/, '') || 'unknown cause';
}

const CAUSES: [RegExp, string][] = [
  [/ECONNREFUSED|ERR_CONNECTION_REFUSED/, 'nothing listens there (connection refused)'],
  [/ENOTFOUND|EAI_AGAIN|ERR_NAME_NOT_RESOLVED/, 'the name is not known (DNS)'],
  [/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_SSL|EPROTO|ERR_TLS/i, 'its certificate is not trusted (TLS)'],
  [/ETIMEDOUT|ERR_TIMED_OUT|UND_ERR_CONNECT_TIMEOUT|ERR_CONNECTION_TIMED_OUT/, 'no answer in time'],
  [/ECONNRESET|ERR_CONNECTION_RESET|UND_ERR_SOCKET|EPIPE|terminated/, 'the connection was cut'],
  [/ENETUNREACH|EHOSTUNREACH|ERR_INTERNET_DISCONNECTED|ERR_ADDRESS_UNREACHABLE/, 'there is no way to it (network)'],
  [/ERR_PROXY|ERR_TUNNEL/, 'the proxy refuses'],
  [/Failed to fetch|fetch failed|NetworkError/, 'the network refuses'],
];

function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
