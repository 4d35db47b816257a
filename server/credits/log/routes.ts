import { createRoute, z } from '@hono/zod-openapi';
import { LogAnswerSchema, LogFilterSchema, UsageAnswerSchema, UsageBySchema } from '../../../shared/credits.ts';
import { type Clock, iso } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import { AppError } from '../../platform/errors.ts';
import { answers, rawAnswer } from '../../platform/http/api.ts';
import type { Api } from '../../platform/http/env.ts';
import { rawStream, writePiece } from '../../platform/http/streams.ts';
import type { Log } from '../../platform/log.ts';
import { type LogFilter, listLog, logCsv } from './log.ts';
import { dayFormat, sumUsage, usageCsv } from './usage.ts';

const DAY_MS = 24 * 3_600_000;
/** The days of a leap year. */
const MAX_DAYS = 366;
const USUAL_DAYS = 30;

const log = createRoute({
  method: 'get',
  path: '/api/credits/log',
  summary: 'The token log: every grant and charge, and what was not charged and why',
  request: {
    query: LogFilterSchema.extend({
      before: z.string().max(40).optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
  },
  responses: answers(LogAnswerSchema),
});

const csv = createRoute({
  method: 'get',
  path: '/api/credits/log.csv',
  summary: 'The same as a file for a spreadsheet, whole',
  request: { query: LogFilterSchema },
  responses: rawAnswer(
    'text/csv',
    'amounts are micro-credits; a text that could be a formula begins with an apostrophe',
  ),
});

const UsageRequestSchema = z.object({
  from: z.iso.datetime().optional().describe('30 days before `to`, unless given'),
  to: z.iso.datetime().optional().describe('not included; now, unless given'),
  by: UsageBySchema.default('day'),
  zone: z.string().max(60).default('UTC').describe('IANA name of the time zone that days are of'),
});

const usage = createRoute({
  method: 'get',
  path: '/api/credits/usage',
  summary: 'What runs cost and used, by day, model, tool or API key',
  request: { query: UsageRequestSchema },
  responses: answers(UsageAnswerSchema),
});

const usageFile = createRoute({
  method: 'get',
  path: '/api/credits/usage.csv',
  summary: 'The same rows as a file for a spreadsheet',
  request: { query: UsageRequestSchema },
  responses: rawAnswer(
    'text/csv',
    'amounts are micro-credits; a text that could be a formula begins with an apostrophe',
  ),
});

export function creditRoutes(api: Api, deps: { db: Database; clock: Clock; log: Log }): void {
  const { db, clock } = deps;

  api.openapi(log, async (c) => {
    const { before, limit, ...filter } = c.req.valid('query');
    if (before !== undefined && !/^\d{1,15}$/.test(before))
      throw new AppError('invalid_request', 'before must be what the page before this one gave as before.');
    const page = { ...filterOf(filter), before: before === undefined ? undefined : Number(before), limit };
    return c.json(await listLog(db.read, c.get('accountId'), page), 200);
  });

  api.openapi(csv, (c) => {
    const filter = filterOf(c.req.valid('query'));
    const { accountId } = c.var;
    const headers = csvHeaders(`perigee-token-log-${iso(clock.now()).slice(0, 10)}`);
    return rawStream(
      c,
      headers,
      async (out, gone) => {
        for await (const piece of logCsv(db.read, accountId, filter)) if (!(await writePiece(out, piece, gone))) return;
        out.end();
      },
      deps.log,
    ) as never;
  });

  const sum = (accountId: string, { by, zone, ...given }: z.infer<typeof UsageRequestSchema>) => {
    const to = given.to === undefined ? clock.now() : Date.parse(given.to);
    const from = given.from === undefined ? to - USUAL_DAYS * DAY_MS : Date.parse(given.from);
    inOrder(from, to);
    if (to - from > MAX_DAYS * DAY_MS)
      throw new AppError('invalid_request', `from and to may be ${MAX_DAYS} days apart at most. Ask for a part of it.`);
    return sumUsage(db, accountId, { from, to, by, zone: knownZone(zone) });
  };

  api.openapi(usage, async (c) => c.json(await sum(c.get('accountId'), c.req.valid('query')), 200));

  api.openapi(usageFile, async (c) => {
    const answer = await sum(c.get('accountId'), c.req.valid('query'));
    const first = dayFormat(answer.zone).format(Date.parse(answer.from));
    const last = dayFormat(answer.zone).format(Date.parse(answer.to) - 1);
    return c.body(usageCsv(answer), 200, csvHeaders(`perigee-usage-by-${answer.by}-${first}-${last}`)) as never;
  });
}

const csvHeaders = (name: string) => ({
  'content-type': 'text/csv; charset=utf-8',
  'content-disposition': `attachment; filename="${name}.csv"`,
  'cache-control': 'no-store',
});

function filterOf({ from, to, ...filter }: z.infer<typeof LogFilterSchema>): LogFilter {
  const times = {
    from: from === undefined ? undefined : Date.parse(from),
    to: to === undefined ? undefined : Date.parse(to),
  };
  if (times.from !== undefined && times.to !== undefined) inOrder(times.from, times.to);
  return { ...filter, ...times };
}

function inOrder(from: number, to: number): void {
  if (from >= to) throw new AppError('invalid_request', 'from must be before to.');
}

function knownZone(zone: string): string {
  try {
    dayFormat(zone);
    return zone;
  } catch {
    throw new AppError('invalid_request', 'There is no such zone: send an IANA name, such as Europe/Rome or UTC.');
  }
}
