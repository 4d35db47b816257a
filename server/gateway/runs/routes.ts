import { createRoute, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { ModelsAnswerSchema } from '../../../shared/models.ts';
import {
  MAX_REQUEST_BYTES,
  OutcomeAnswerSchema,
  OutcomeSchema,
  RunAnswerSchema,
  type RunEvent,
  RunRequestSchema,
  RunSchema,
  SpendingSchema,
} from '../../../shared/runs.ts';
import { balanceOf } from '../../accounts/people/store.ts';
import type { Attempts } from '../../accounts/sessions/attempts.ts';
import { readMessage, readTitles } from '../../conversations/reading.ts';
import { readCharge, sumCharges } from '../../credits/log/log.ts';
import { rateLimitFields } from '../../credits/rules/rateLimitFields.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import type { AnswerRow } from '../../platform/db/schema.ts';
import { detach } from '../../platform/detached.ts';
import { notFound } from '../../platform/errors.ts';
import { answers, rawAnswer } from '../../platform/http/api.ts';
import { beforeLargeBody, jsonBody, KB } from '../../platform/http/bodies.ts';
import type { Api, AppEnv } from '../../platform/http/env.ts';
import { eventStream } from '../../platform/http/streams.ts';
import { admitRun } from './admit.ts';
import { refuseEarly } from './early.ts';
import { type ObservedDeps, observeRun } from './observed.ts';
import { tellOutcome } from './outcome.ts';
import { deleteEventsOf, findOpenRun, findRun, type NumberedEvent, requestStop, toRun } from './runs.ts';
import { tailRun } from './tail.ts';
import { titleAfter } from './titles.ts';
import { runTurn, type TurnDeps } from './turn.ts';

const params = z.object({ id: z.uuid() });

const models = createRoute({
  method: 'get',
  path: '/api/models',
  summary: 'What may be asked for, with prices and context sizes',
  responses: answers(ModelsAnswerSchema),
});

const start = createRoute({
  method: 'post',
  path: '/api/runs',
  summary: 'Starts a run; the same request sent again starts nothing more',
  request: { body: jsonBody(RunRequestSchema, MAX_REQUEST_BYTES) },
  responses: answers(RunAnswerSchema, 202),
});

const spending = createRoute({
  method: 'get',
  path: '/api/runs/spending',
  summary: 'What was spent since a time, by conversation and by API key',
  request: { query: z.object({ since: z.iso.datetime() }) },
  responses: answers(SpendingSchema),
});

const get = createRoute({
  method: 'get',
  path: '/api/runs/{id}',
  summary: 'A run',
  request: { params },
  responses: answers(RunSchema),
});

const events = createRoute({
  method: 'get',
  path: '/api/runs/{id}/events',
  summary: 'A run from its first event, or from the one after Last-Event-ID or `after`, to its end (SSE)',
  request: {
    params,
    query: z.object({ after: z.coerce.number().int().nonnegative().optional() }),
    headers: z.object({ 'last-event-id': z.coerce.number().int().nonnegative().optional() }),
  },
  responses: rawAnswer('text/event-stream', 'events `thinking`, `text`, `usage`, and at last `done` or `error`'),
});

const stop = createRoute({
  method: 'post',
  path: '/api/runs/{id}/stop',
  summary: 'Stops a run; what was produced is charged. A run that has ended stays as it is',
  request: { params },
  responses: answers(RunSchema, 202),
});

const outcome = createRoute({
  method: 'post',
  path: '/api/runs/{id}/outcome',
  summary: 'What became of an edit, told once; one of which nothing could be applied is refunded, within limits',
  request: { params, body: jsonBody(OutcomeSchema, KB) },
  responses: answers(OutcomeAnswerSchema),
});

export interface RunRouteDeps extends TurnDeps, ObservedDeps {
  /** Aborts at the end of a shutdown, which ends the streams. */
  closing: AbortSignal;
  attempts: Attempts;
  /** The number of readers, and of runs being admitted. */
  open: { tails: number; admissions: number };
}

/** Before a conversation is deleted in `tx`: stops its running answers and deletes their stored events. */
export async function endRunsOf(tx: Tx, conversationId: string): Promise<void> {
  const run = await findOpenRun(tx, conversationId);
  if (run) await stopRun(tx, run.id);
  await deleteEventsOf(tx, conversationId);
}

async function stopRun(tx: Tx, id: string): Promise<void> {
  await requestStop(tx, id);
  changed(tx, `run:${id}`, 'stop', id);
}

export function runRoutes(api: Api, deps: RunRouteDeps): void {
  const { db, catalog } = deps;

  async function ownRun(accountId: string, id: string): Promise<AnswerRow> {
    const run = await findRun(db.read, id);
    if (run?.account_id !== accountId) throw notFound('run');
    return run;
  }

  api.openapi(models, async (c) => c.json({ models: await catalog.list(c.get('accountKind')), capsCalls: true }, 200));

  const early: MiddlewareHandler<AppEnv> = async (c, next) => {
    const { accountId } = c.var;
    let isLarge = false;
    beforeLargeBody(c, async (head) => {
      isLarge = true;
      await deps.attempts.check('misfit', accountId);
      await refuseEarly(deps, c.var, head);
    });
    await next();
    // A request that broke off is no mistake of the client.
    const isCutOff = c.env.incoming.destroyed && !c.env.incoming.complete;
    if (isLarge && c.res.status === 400 && !isCutOff) await deps.attempts.note('misfit', accountId);
  };
  api.openapi({ ...start, middleware: early }, async (c) => {
    deps.open.admissions++;
    try {
      const request = c.req.valid('json');
      if (request.model !== undefined) c.get('notes')?.asks(request.model);
      const { answer, turn, limits, isFirst } = await admitRun(deps, c.var, request);
      const { accountKind } = c.var;
      if (turn) {
        turn.notes?.admitted(turn.run.id);
        detach(
          async () => {
            await runTurn(deps, turn);
            await titleAfter(deps, turn.run, accountKind);
          },
          'run',
          deps,
        );
        observeRun(deps, c, request, isFirst);
      }
      return c.json(answer, 202, limits.length > 0 ? rateLimitFields(limits, deps.clock.now()) : {});
    } finally {
      deps.open.admissions--;
    }
  });

  api.openapi(spending, async (c) => {
    const { accountId } = c.var;
    const sums = await sumCharges(db, accountId, Date.parse(c.req.valid('query').since));
    const titles = await readTitles(
      db.read,
      accountId,
      sums.slice(0, 100).flatMap((s) => s.conversationId ?? []),
    );
    return c.json(
      {
        chargedMicro: sums.reduce((sum, row) => sum + row.chargedMicro, 0),
        runs: sums.reduce((sum, row) => sum + row.runs, 0),
        conversations: sums.flatMap(({ conversationId: id, chargedMicro, runs }) => {
          const title = id === null ? undefined : titles.get(id);
          return id === null || title === undefined ? [] : [{ id, title, chargedMicro, runs }];
        }),
        keys: sums.flatMap(({ key, chargedMicro, runs }) => (key ? [{ ...key, chargedMicro, runs }] : [])),
      },
      200,
    );
  });

  api.openapi(get, async (c) => c.json(toRun(await ownRun(c.get('accountId'), c.req.valid('param').id)), 200));

  api.openapi(events, async (c) => {
    const { id } = await ownRun(c.get('accountId'), c.req.valid('param').id);
    const after = c.req.valid('header')['last-event-id'] ?? c.req.valid('query').after ?? 0;
    const tail = {
      db,
      live: deps.live,
      closing: deps.closing,
      replay: (runId: string) => replay(db.read, deps, runId),
    };
    return eventStream(
      c,
      async (out, gone) => {
        deps.open.tails++;
        try {
          await tailRun(tail, id, after, out, gone);
        } finally {
          deps.open.tails--;
        }
      },
      deps.log,
    ) as never;
  });

  api.openapi(stop, async (c) => {
    const { accountId } = c.var;
    const { id } = c.req.valid('param');
    const run = await ownRun(accountId, id);
    if (run.state === 'running') await db.write((tx) => stopRun(tx, id));
    return c.json(toRun(run), 202);
  });

  api.openapi(outcome, async (c) => {
    const { id } = await ownRun(c.get('accountId'), c.req.valid('param').id);
    return c.json(await tellOutcome(deps, id, c.req.valid('json')), 200);
  });

  /** For a run whose events are deleted: rebuilds them from its message: its thoughts, its text and the end. */
  async function replay(reader: Reader, { policy, clock }: TurnDeps, runId: string): Promise<NumberedEvent[]> {
    const run = await findRun(reader, runId);
    const message = run ? await readMessage(reader, run.message_id) : null;
    if (!run) return [];
    const balance = await balanceOf(reader, policy, run.account_id, clock.now());
    // The message of a deleted conversation is gone, but its charge remains.
    const { chargedMicro, reason } = await readCharge(reader, runId);
    const { cutShort } = message ?? {};
    const end = message?.problem
      ? { type: 'error' as const, data: { ...message.problem, chargedMicro, balance } }
      : { type: 'done' as const, data: { state: run.state as 'complete', cutShort, chargedMicro, reason, balance } };
    const { thinking, text = '' } = message ?? {};
    const events: RunEvent[] = [
      ...(thinking ? [{ type: 'thinking' as const, data: { ...thinking, at: 0 } }] : []),
      // An answer without a text may have had two events only.
      ...(text !== '' || !thinking ? [{ type: 'text' as const, data: { text, at: 0 } }] : []),
      end,
    ];
    const firstSeq = run.last_seq + 1 - events.length;
    return events.map(({ type, data }, i) => ({ seq: firstSeq + i, type, json: JSON.stringify(data) }));
  }
}
