import { createRoute, z } from '@hono/zod-openapi';
import { LogAnswerSchema } from '../../shared/credits.ts';
import type { Database } from '../platform/db/database.ts';
import { AppError } from '../platform/errors.ts';
import { type Api, answers } from '../platform/http.ts';
import { listLog } from './log.ts';

const log = createRoute({
  method: 'get',
  path: '/api/credits/log',
  summary: 'The token log: every grant and charge, and what was not charged and why',
  request: {
    query: z.object({
      before: z.string().max(40).optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
  },
  responses: answers(LogAnswerSchema),
});

export function creditRoutes(api: Api, { db }: { db: Database }): void {
  api.openapi(log, async (c) => {
    const { before, limit } = c.req.valid('query');
    if (before !== undefined && !/^\d{1,15}$/.test(before))
      throw new AppError('invalid_request', 'before must be what the page before this one gave as before.');
    const page = { before: before === undefined ? undefined : Number(before), limit };
    return c.json(await listLog(db.read, c.var.accountId, page), 200);
  });
}
