import type { ServerResponse } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi';
import type { Context, ErrorHandler, NotFoundHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { PROBLEMS, ProblemSchema } from '../../shared/problems.ts';
import { type BodyLimit, limitOf, readsBody, takesBody } from './bodies.ts';
import { isUnavailable } from './db/database.ts';
import { AppError, toProblem } from './errors.ts';
import type { Log } from './log.ts';

/** What a request carries through the routes; all but `requestId` and `device` is there behind `authenticate`. */
export interface AppEnv {
  Bindings: HttpBindings;
  Variables: {
    requestId: string;
    device: string;
    accountId: string;
    accountKind: 'guest' | 'member';
    /** Which limits a member has. */
    tier: number;
    /** The single user of this machine: metered, limited by nothing. */
    isLocal: boolean;
    /** Why and until when (in ms; null: for an undecided time) nothing is answered to this account. */
    suspended: { why: string; until: number | null } | null;
    /** When the account is deleted, if its owner has closed it: nothing is answered to it. */
    goneAt: number | null;
    /** The version of the terms that have to be accepted before anything is answered, if any. */
    termsDue: string | null;
    sessionId: string;
    /** What body the route takes; unset: none, and none is read. */
    bodyLimit?: BodyLimit;
    /** Looks at the beginning of a large body before the rest is read; throws to refuse it. */
    beforeLargeBody?: (head: string) => Promise<void>;
    /** Calls `end` once the session has ended. Returns what stops that. */
    whenEnded: (end: () => void) => () => void;
  };
}

export type Api = OpenAPIHono<AppEnv>;
export type AppContext = Context<AppEnv>;

/**
 * A group of routes whose requests are checked against their contracts; a misfit is told place by place. A route whose
 * contract has a body says how large it may be (`jsonBody`), or the server does not start.
 */
export function createApi(): Api {
  const api = new OpenAPIHono<AppEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      const issues = result.error.issues.slice(0, 20).map((i) => ({ path: i.path.join('.'), message: i.message }));
      const first = issues[0]!;
      throw new AppError(
        'invalid_request',
        `${first.path ? `${first.path}: ` : ''}${first.message}. See /openapi.json for what is expected.`,
        { issues },
      );
    },
  });
  const bind = api.openapi as (route: RouteConfig, ...rest: unknown[]) => unknown;
  // What a route does of its own accord comes first: it may refuse before a body is read.
  const bounded: typeof bind = (route, ...rest) => {
    const limit = limitOf(route);
    if (!limit) return bind(route, ...rest);
    const own = route.middleware === undefined ? [] : [route.middleware].flat();
    return bind({ ...route, middleware: [takesBody(limit), ...own, readsBody] }, ...rest);
  };
  api.openapi = bounded as typeof api.openapi;
  return api;
}

const problemAnswer = {
  description: 'a refusal: its code says which',
  content: { 'application/problem+json': { schema: ProblemSchema } },
};

/** The `responses` of a route: one success and the named refusals. */
export function answers<S extends z.ZodType, N extends 200 | 201 | 202 = 200>(schema: S, status: N = 200 as N) {
  return {
    [status]: { description: 'done', content: { 'application/json': { schema } } },
    default: problemAnswer,
  } as { [K in N]: { description: string; content: { 'application/json': { schema: S } } } };
}

/** The `responses` of a route that answers with 204, or with something other than JSON. */
export const emptyAnswer = { 204: { description: 'done' }, default: problemAnswer } as { 204: { description: string } };
export function rawAnswer(contentType: string, description: string) {
  return {
    200: { description, content: { [contentType]: { schema: z.string() } } },
    default: problemAnswer,
  } as { 200: { description: string; content: Record<string, { schema: z.ZodString }> } };
}

/** One place turns everything thrown into a problem; the unknown becomes a 500 with fixed text and a logged cause. */
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

/** What a 401 asks for (RFC 6750, RFC 9449). */
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
  // PostgreSQL refuses what SQLite keeps: a text with NUL or half a pair that no contract has cleaned.
  if ((error as { code?: unknown }).code === '22021')
    return new AppError('invalid_request', 'A text has a character that can’t be stored, such as NUL.');
  if (isUnavailable(error))
    return new AppError(
      'unavailable',
      'Nothing was started and nothing was charged. Try again in a moment.',
      {},
      { cause: error },
    );
  return new AppError('internal', 'It was logged under this request id. Nothing was charged.', {}, { cause: error });
}

type Start = (out: ServerResponse, gone: AbortSignal) => Promise<void>;

/** Begins a server-sent event stream. */
export function eventStream(c: AppContext, start: Start, log: Log): Response {
  const headers = {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  };
  return rawStream(c, headers, start, log);
}

/**
 * Begins a stream on Node's own response: web streams cost a multiple of it at many streams. `start` is handed the response
 * and a signal that aborts when the reader is gone, or its session has ended; it ends the response when all is said.
 */
export function rawStream(c: AppContext, headers: Record<string, string>, start: Start, log: Log): Response {
  const out = c.env.outgoing as ServerResponse;
  if (c.req.method === 'HEAD') return c.body(null, 200, headers);
  const gone = new AbortController();
  out.on('close', () => gone.abort());
  if (out.closed || out.destroyed || c.env.incoming.socket.destroyed) gone.abort();
  c.res.headers.forEach((value, name) => {
    if (name !== 'content-type') out.setHeader(name, value);
  });
  out.writeHead(200, headers);
  out.flushHeaders();
  // Hono would merge the headers above into a copy that the adapter no longer knows as sent: so nothing is left to merge.
  c.res = undefined;
  c.res = RESPONSE_ALREADY_SENT;
  const forget = c.var.whenEnded(() => gone.abort());
  start(out, gone.signal)
    .catch((error) => log.error({ requestId: c.var.requestId, err: error }, 'a stream broke'))
    .finally(() => {
      forget();
      // A broken stream is cut, so that it doesn't look finished; a finished one has ended already.
      if (!out.writableEnded) out.destroy();
    });
  return c.res;
}

/** Writes one piece; resolves when the socket has room again, false when the reader is gone or too slow. */
export function writePiece(out: ServerResponse, piece: string, gone: AbortSignal, slowMs = 30_000): Promise<boolean> {
  if (gone.aborted) return Promise.resolve(false);
  if (out.write(piece)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const done = (ok: boolean) => {
      clearTimeout(timer);
      out.off('drain', drained);
      gone.removeEventListener('abort', left);
      resolve(ok);
    };
    const drained = () => done(true);
    const left = () => done(false);
    const timer = setTimeout(left, slowMs);
    out.once('drain', drained);
    gone.addEventListener('abort', left);
  });
}
