import { createRoute, z } from '@hono/zod-openapi';
import { sql } from 'kysely';
import type { Config } from '../config/config.ts';
import { type Database, probe } from '../db/database.ts';
import { AppError } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import { measureStorage } from '../storageMetrics.ts';
import { answers, rawAnswer } from './api.ts';
import type { Api, AppContext } from './env.ts';
import { hasMetricsToken } from './requests.ts';

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

/** How long a successful write check is trusted. */
const BELIEVED_MS = 1_000;

/** Whether the database can be read and written. Checks again after a while, and after a failed write. */
class Readiness {
  #known: { at: number; failedWrites: number } | null = null;
  #asking: Promise<void> | null = null;

  constructor(
    private readonly db: Database,
    private readonly now: () => number,
  ) {}

  /** Throws the cause if the database can't be used. */
  async check(): Promise<void> {
    const { db } = this;
    const known = this.#known;
    if (known && known.failedWrites === db.failedWrites && Math.abs(this.now() - known.at) < BELIEVED_MS) return;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    await this.#asking;
  }

  async #ask(): Promise<void> {
    const { db } = this;
    const asked = { at: this.now(), failedWrites: db.failedWrites };
    await sql`select 1`.execute(db.read);
    await probe(db);
    this.#known = asked;
  }
}

export function operationRoutes(
  api: Api,
  deps: {
    config: Config;
    db: Database;
    metrics: Metrics;
    draining: AbortSignal;
    now: () => number;
    /** Null for this machine itself. */
    addressOf: (c: AppContext) => string | null;
  },
): void {
  const { config, db, metrics, draining } = deps;

  measureStorage(metrics.registry, config.database, db);
  const readiness = new Readiness(db, () => deps.now());

  api.openapi(health, (c) => c.json({ status: 'ok' as const }, 200));

  api.openapi(ready, async (c) => {
    if (draining.aborted) throw new AppError('shutting_down', 'The server is restarting.');
    await readiness.check();
    return c.json({ status: 'ready' as const, name: 'perigee' as const }, 200);
  });

  api.openapi(metricsRoute, async (c) => {
    if (deps.addressOf(c) !== null && !hasMetricsToken(config, c))
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
