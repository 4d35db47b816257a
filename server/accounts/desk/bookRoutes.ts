import { createRoute, z } from '@hono/zod-openapi';
import { FairUseSchema, NumbersSchema, TrailSchema } from '../../../shared/desk.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import { AppError } from '../../platform/errors.ts';
import { answers } from '../../platform/http/api.ts';
import type { Api } from '../../platform/http/env.ts';
import { readTrail } from '../reviewers/acts.ts';
import { countReviewers } from '../reviewers/store.ts';
import { findSeconds } from './lists.ts';
import { PublicNumbers, readNumbers } from './numbers.ts';

export interface BookDeps {
  db: Database;
  clock: Clock;
}

const trail = createRoute({
  method: 'get',
  path: '/api/desk/trail',
  summary: 'Who saw and did what at the desk, the newest first',
  request: {
    query: z.object({ before: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional() }),
  },
  responses: answers(TrailSchema),
});

const numbers = createRoute({
  method: 'get',
  path: '/api/desk/numbers',
  summary: 'How the flags and decisions of the last days turned out',
  request: { query: z.object({ days: z.coerce.number().int().min(1).max(180).default(90) }) },
  responses: answers(NumbersSchema),
});

const fairUse = createRoute({
  method: 'get',
  path: '/api/fair-use',
  summary: 'The numbers of the last 90 days, if the operator shows them to everybody',
  responses: answers(FairUseSchema),
});

/** What the desk knows about itself. `deskGuard` stands before these routes. */
export function deskBookRoutes(api: Api, { db, clock }: BookDeps): void {
  api.openapi(trail, async (c) => {
    const { before } = c.req.valid('query');
    const reviewerId = c.get('reviewer').id;
    const at = clock.now();
    const looks = { reviewerId, reviewers: await countReviewers(db.read, at), at };
    const isSecret = (flags: number[]) => findSeconds(db.read, looks, flags);
    return c.json(await readTrail(db.read, { reader: reviewerId, before: before ?? null, isSecret }), 200);
  });

  api.openapi(numbers, async (c) => c.json(await readNumbers(db, c.req.valid('query').days, clock.now()), 200));
}

/** Open to everybody, without a token. */
export function fairUseRoutes(api: Api, { db, clock, isShown }: BookDeps & { isShown: boolean }): void {
  const shown = new PublicNumbers(db);
  api.openapi(fairUse, async (c) => {
    if (!isShown) throw new AppError('not_offered', 'The operator of this server shows no numbers of its reviews.');
    return c.json(await shown.read(clock.now()), 200);
  });
}
