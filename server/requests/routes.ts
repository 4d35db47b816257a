import { createRoute, z } from '@hono/zod-openapi';
import {
  RequestFilterSchema,
  type RequestOutcome,
  RequestRecordSchema,
  RequestsAnswerSchema,
} from '../../shared/requests.ts';
import { type Clock, iso } from '../platform/clock.ts';
import { BOUNDED_MS, type Database } from '../platform/db/database.ts';
import { AppError, notFound } from '../platform/errors.ts';
import { answers, rawAnswer } from '../platform/http/api.ts';
import type { Api } from '../platform/http/env.ts';
import { rawStream, writePiece } from '../platform/http/streams.ts';
import type { Log } from '../platform/log.ts';
import type { RequestRecorder } from './recorder.ts';
import {
  cursorOf,
  type FindRequests,
  findRequest,
  findRequestsInTime,
  listRequests,
  type RequestFilter,
  requestsCsv,
  toRecord,
} from './store.ts';

/** What costs the database no longer than this is not counted. */
const EFFORT_MS = 100;

const list = createRoute({
  method: 'get',
  path: '/api/requests',
  summary: 'The requests of the last 90 days, newest first: how each ended, and how long it took',
  request: {
    query: RequestFilterSchema.extend({
      before: z.string().max(60).optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
  },
  responses: answers(RequestsAnswerSchema),
});

const csv = createRoute({
  method: 'get',
  path: '/api/requests.csv',
  summary: 'The same as a file for a spreadsheet, whole',
  request: { query: RequestFilterSchema },
  responses: rawAnswer(
    'text/csv',
    'amounts are micro-credits; a text that could be a formula begins with an apostrophe',
  ),
});

const one = createRoute({
  method: 'get',
  path: '/api/requests/{id}',
  summary: 'One request by its x-request-id, or by the id of its run',
  request: { params: z.object({ id: z.uuid() }) },
  responses: answers(RequestRecordSchema),
});

export interface RequestRouteDeps {
  db: Database;
  clock: Clock;
  log: Log;
  recorder: RequestRecorder;
  /** Limits how long one account's searches may keep the database busy, in pieces of 100 ms. */
  effort: { check(accountId: string): Promise<void>; note(accountId: string, pieces: number): Promise<void> };
}

export function requestRoutes(api: Api, { db, clock, log, recorder, effort }: RequestRouteDeps): void {
  /** Searches, and counts how long it took, also if it found nothing in time. */
  const find =
    (accountId: string): FindRequests =>
    async (page) => {
      const began = clock.now();
      try {
        return await findRequestsInTime(db, page);
      } finally {
        const pieces = Math.floor(Math.min(clock.now() - began, BOUNDED_MS) / EFFORT_MS);
        if (pieces > 0) await effort.note(accountId, pieces);
      }
    };

  api.openapi(list, async (c) => {
    const { before, limit, ...given } = c.req.valid('query');
    const cursor = before === undefined ? null : cursorOf(before);
    if (before !== undefined && !cursor)
      throw new AppError('invalid_request', 'before must be what the page before this one gave as before.');
    const filter = filterOf(given);
    const { accountId } = c.var;
    await effort.check(accountId);
    // What this node has just answered is there at once.
    await recorder.flush();
    const page = { ...filter, ...(cursor ? { before: cursor } : {}), limit };
    return c.json(await listRequests(find(accountId), accountId, page), 200);
  });

  api.openapi(csv, async (c) => {
    const filter = filterOf(c.req.valid('query'));
    const { accountId } = c.var;
    await effort.check(accountId);
    await recorder.flush();
    const pieces = requestsCsv(find(accountId), accountId, filter);
    // Before the headers, so that a search that takes too long is refused by name.
    const first = await pieces.next();
    const headers = {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="perigee-requests-${iso(clock.now()).slice(0, 10)}.csv"`,
      'cache-control': 'no-store',
    };
    return rawStream(
      c,
      headers,
      async (out, gone) => {
        for (let { value, done } = first; !done; { value, done } = await pieces.next())
          if (!(await writePiece(out, value, gone))) return;
        out.end();
      },
      log,
    ) as never;
  });

  api.openapi(one, async (c) => {
    await recorder.flush();
    const found = await findRequest(db.read, c.req.valid('param').id, c.get('accountId'));
    if (!found) throw notFound('request');
    return c.json(toRecord(found), 200);
  });
}

function filterOf({ outcome, from, to, ...filter }: z.infer<typeof RequestFilterSchema>): RequestFilter {
  const times = {
    ...(from === undefined ? {} : { from: Date.parse(from) }),
    ...(to === undefined ? {} : { to: Date.parse(to) }),
  };
  if (times.from !== undefined && times.to !== undefined && times.from >= times.to)
    throw new AppError('invalid_request', 'from must be before to.');
  return { ...filter, ...times, ...(outcome ? { outcomes: outcome.split(',') as RequestOutcome[] } : {}) };
}
