import { createRoute, z } from '@hono/zod-openapi';
import { sql } from 'kysely';
import type { Config } from './config.ts';
import type { Database } from './db/database.ts';
import { AppError } from './errors.ts';
import { type Api, type AppContext, answers, rawAnswer } from './http.ts';
import type { Metrics } from './metrics.ts';
import { same } from './secrets.ts';

const health = createRoute({
  method: 'get',
  path: '/healthz',
  summary: 'The process lives',
  responses: answers(z.object({ status: z.literal('ok') })),
});

const ready = createRoute({
  method: 'get',
  path: '/readyz',
  summary: 'The server takes requests: its database answers, and it is not shutting down',
  responses: answers(z.object({ status: z.literal('ready'), name: z.literal('perigee') })),
});

const metricsRoute = createRoute({
  method: 'get',
  path: '/metrics',
  summary: 'Metrics for Prometheus; from this machine, or with METRICS_TOKEN as a bearer token',
  responses: rawAnswer('text/plain', 'the text format of Prometheus'),
});

export function operationRoutes(
  api: Api,
  deps: {
    config: Config;
    db: Database;
    metrics: Metrics;
    draining: AbortSignal;
    /** Null for this very machine. */
    addressOf: (c: AppContext) => string | null;
  },
): void {
  const { config, db, metrics, draining } = deps;

  api.openapi(health, (c) => c.json({ status: 'ok' as const }, 200));

  api.openapi(ready, async (c) => {
    if (draining.aborted) throw new AppError('shutting_down', 'The server is restarting.');
    await sql`select 1`.execute(db.read);
    return c.json({ status: 'ready' as const, name: 'perigee' as const }, 200);
  });

  api.openapi(metricsRoute, async (c) => {
    const given = /^Bearer (.+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? '';
    if (deps.addressOf(c) !== null && !(config.metricsToken && same(given, config.metricsToken)))
      throw new AppError(
        'unauthorized',
        'Metrics are for this machine alone, or with METRICS_TOKEN as a bearer token.',
      );
    return c.body(await metrics.registry.metrics(), 200, { 'content-type': metrics.registry.contentType });
  });

  api.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Perigee', version: '0.1.0', description: 'What the editor and other clients speak.' },
  });
}
