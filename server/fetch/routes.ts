import { createRoute } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { FetchedPageSchema, FetchRequestSchema } from '../../shared/fetch.ts';
import type { Clock } from '../platform/clock.ts';
import type { Policy } from '../platform/config/config.ts';
import { AppError } from '../platform/errors.ts';
import { answers } from '../platform/http/api.ts';
import { jsonBody, KB } from '../platform/http/bodies.ts';
import type { Api, AppEnv } from '../platform/http/env.ts';
import { requireStanding } from '../platform/http/standing.ts';
import type { Network } from './network.ts';
import { inTime, LIMIT_MS, readPage } from './reading.ts';
import { judgeUrl } from './target.ts';
import { Turns } from './turns.ts';

/**
 * Reading web pages for members. Guests have none of it: anybody can become one, and would browse in this server's name.
 * `count` counts a page against the account's limit, or refuses.
 */
export function fetchRoutes(
  api: Api,
  deps: { policy: Policy; network: Network; clock: Clock; count: (accountId: string) => Promise<void> },
): void {
  const offered: MiddlewareHandler<AppEnv> = async (c, next) => {
    if (!deps.policy.fetch.enabled)
      throw new AppError('not_offered', 'This server reads no web pages. Paste the text into the message instead.');
    if (c.get('accountKind') === 'guest')
      throw new AppError('members_only', 'Web pages are read for members only. Sign in, or paste the text instead.');
    requireStanding(c.var);
    await next();
  };
  const turns = new Turns();
  const read = createRoute({
    method: 'post',
    path: '/api/fetch',
    summary: 'Reads a page of the public internet as text, for an attachment',
    middleware: offered,
    request: { body: jsonBody(FetchRequestSchema, 16 * KB) },
    responses: answers(FetchedPageSchema),
  });
  api.openapi(read, async (c) => {
    const url = judgeUrl(c.req.valid('json').url);
    const { accountId } = c.var;
    const page = await inTime(LIMIT_MS, (signal) =>
      turns.take(accountId, signal, async () => {
        // A page that had no turn counts as none.
        await deps.count(accountId);
        return readPage(url, deps, signal);
      }),
    );
    return c.json(page, 200);
  });
}
