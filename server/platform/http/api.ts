import { OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi';
import { ProblemSchema } from '../../../shared/problems.ts';
import { AppError } from '../errors.ts';
import { limitOf, readsBody, takesBody } from './bodies.ts';
import type { Api, AppEnv } from './env.ts';

/**
 * A group of routes whose requests are validated against their contracts; a refusal names each invalid place. A route
 * whose contract has a body must declare its maximum size (`jsonBody`), or the server does not start.
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
  // The route's own middleware runs first: it may refuse the request before the body is read.
  const bounded: typeof bind = (route, ...rest) => {
    const limit = limitOf(route);
    if (!limit) return bind(route, ...rest);
    const own = route.middleware === undefined ? [] : [route.middleware].flat();
    const read = limit.type === 'bytes' ? [] : [readsBody];
    return bind({ ...route, middleware: [takesBody(limit), ...own, ...read] }, ...rest);
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
