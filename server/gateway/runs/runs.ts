import { sql } from 'kysely';
import type { Thinking } from '../../../shared/conversations.ts';
import type { Price } from '../../../shared/models.ts';
import { mendEnd, type Run, type RunEvent, type RunState, type Usage } from '../../../shared/runs.ts';
import { iso } from '../../platform/clock.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Database, Reader, Tx } from '../../platform/db/database.ts';
import { fixed, forEachEngine, prepared } from '../../platform/db/prepared.ts';
import { type AnswerRow, isAnswer, type RunRow } from '../../platform/db/schema.ts';
import { usageOf } from '../prompt/received.ts';

/** An event with its number in the run, ready for the wire. */
export interface NumberedEvent {
  seq: number;
  type: RunEvent['type'];
  /** The event's data as JSON. */
  json: string;
}

/**
 * A dead node may have sent events to readers that it had not stored. Recovery numbers its events beyond them, so that
 * no reader mistakes them for events that it already has.
 */
const RECOVERY_GAP = 1_000_000;

/** False if the id is taken. */
export async function insertRun(tx: Tx, row: RunRow): Promise<boolean> {
  return (await insertRow.run(tx, row)) === 1n;
}

const insertRow = prepared((db, p: RunRow) =>
  db
    .insertInto('run')
    .values({
      id: p.id,
      conversation_id: p.conversation_id,
      account_id: p.account_id,
      user_message_id: p.user_message_id,
      message_id: p.message_id,
      kind: p.kind,
      model: p.model,
      state: p.state,
      device: p.device,
      request_hash: p.request_hash,
      max_output_tokens: p.max_output_tokens,
      owner_node: p.owner_node,
      lease_until: p.lease_until,
      stop_requested: p.stop_requested,
      checkpoint: p.checkpoint,
      price: p.price,
      last_seq: p.last_seq,
      created_at: p.created_at,
      ended_at: p.ended_at,
      outcome: p.outcome,
      repairs: p.repairs,
      clamped_to: p.clamped_to,
      request_id: p.request_id,
      effort: p.effort,
      compacts: p.compacts,
    })
    .onConflict((oc) => oc.column('id').doNothing()),
);

/** The run of a conversation with that id. */
export async function findRun(db: Reader, id: string): Promise<AnswerRow | undefined> {
  const run = await selectRun.first(db, { id });
  return run && isAnswer(run) ? run : undefined;
}

const selectRun = prepared((db, p: { id: string }) => db.selectFrom('run').selectAll().where('id', '=', p.id));

export function findOpenRun(db: Reader, conversationId: string): Promise<AnswerRow | undefined> {
  return selectOpen.first(db, { conversationId }) as Promise<AnswerRow | undefined>;
}

const selectOpen = prepared((db, p: { conversationId: string }) =>
  db
    .selectFrom('run')
    .selectAll()
    .where('conversation_id', '=', p.conversationId)
    .where('state', '=', fixed('running')),
);

/** Open runs whose lease has expired; with `all`, every open run. */
export async function findAbandonedRuns(db: Reader, now: number, all: boolean): Promise<RunRow[]> {
  const query = db.selectFrom('run').selectAll().where('state', '=', 'running');
  return (all ? query : query.where('lease_until', '<', now)).execute();
}

/** How far a running answer is. */
export interface Progress {
  id: string;
  usage: Usage;
  lastSeq: number;
}

/**
 * Renews the leases of runs and stores their progress, all in one statement: each would be a round trip to the database.
 * Returns those that this node still owns, and of each whether a stop was requested.
 */
export async function renewRuns(
  tx: Tx,
  engine: Database['engine'],
  { runs, node, leaseUntil }: { runs: readonly Progress[]; node: string; leaseUntil: number },
): Promise<Map<string, { stopRequested: boolean }>> {
  if (runs.length === 0) return new Map();
  const list = runs.map(({ id, usage, lastSeq }) => ({ id, checkpoint: JSON.stringify(usage), seq: lastSeq }));
  const rows = await updateLeases[engine].all(tx, { list: JSON.stringify(list), node, leaseUntil });
  return new Map(rows.map((row) => [row.id, { stopRequested: row.stop_requested === 1 }]));
}

const updateLeases = forEachEngine((given) =>
  prepared((db, p: { list: string; node: string; leaseUntil: number }) =>
    db
      .updateTable('run')
      .from(
        given<{ id: string; checkpoint: string; seq: number }>(p.list, {
          id: 'text',
          checkpoint: 'text',
          seq: 'bigint',
        }),
      )
      .set((eb) => ({
        lease_until: p.leaseUntil,
        checkpoint: eb.ref('given.checkpoint'),
        last_seq: eb.ref('given.seq'),
      }))
      .whereRef('run.id', '=', 'given.id')
      .where('run.state', '=', fixed('running'))
      .where('run.owner_node', '=', p.node)
      .returning(['run.id', 'run.stop_requested']),
  ),
);

/**
 * Renews the leases of runs whose ends are being stored. Passes over those whose transaction has begun: it may wait for
 * a wallet, and all other leases would wait for it.
 */
export async function renewEnding(
  tx: Tx,
  engine: Database['engine'],
  { ids, node, leaseUntil }: { ids: string[]; node: string; leaseUntil: number },
): Promise<void> {
  const open = tx
    .selectFrom('run')
    .select('id')
    .where('id', 'in', ids)
    .where('state', '=', 'running')
    .where('owner_node', '=', node);
  const free = engine === 'postgres' ? open.forUpdate().skipLocked() : open;
  await tx.updateTable('run').set({ lease_until: leaseUntil }).where('id', 'in', free).execute();
}

/**
 * Ends a run that `node` owns. Returns its current account, because a guest may have joined an account meanwhile. Null
 * if the run isn't running or belongs to another node.
 */
export async function closeRun(
  tx: Tx,
  run: { id: string; node: string; state: RunState; usage: Usage; lastSeq: number; at: number },
): Promise<string | null> {
  const row = await updateEnd.first(tx, { ...run, checkpoint: JSON.stringify(run.usage) });
  return row?.account_id ?? null;
}

const updateEnd = prepared(
  (db, p: { id: string; node: string; state: RunState; checkpoint: string; lastSeq: number; at: number }) =>
    db
      .updateTable('run')
      .set({ state: p.state, ended_at: p.at, checkpoint: p.checkpoint, last_seq: p.lastSeq })
      .where('id', '=', p.id)
      .where('state', '=', fixed('running'))
      .where('owner_node', '=', p.node)
      .returning('account_id'),
);

/** Whether `node` itself has ended a run so. A node that takes over a run becomes its owner. */
export async function isEndedAs(tx: Tx, id: string, node: string, state: RunState): Promise<boolean> {
  const query = tx.selectFrom('run').select('id').where('id', '=', id);
  return (await query.where('owner_node', '=', node).where('state', '=', state).executeTakeFirst()) !== undefined;
}

/** When conversations move to another account, moves their runs too, including running ones. */
export async function moveRuns(tx: Tx, from: string, to: string): Promise<void> {
  await tx
    .updateTable('run')
    .set({ account_id: to })
    .where('account_id', '=', from)
    .where('conversation_id', 'in', (eb) => eb.selectFrom('conversation').select('id').where('account_id', '=', to))
    .execute();
}

/** Requests a stop of every run of an account. Returns how many are still open. */
export async function stopRunsOf(tx: Tx, accountId: string): Promise<number> {
  const open = await tx
    .updateTable('run')
    .set({ stop_requested: 1 })
    .where('account_id', '=', accountId)
    .where('state', '=', 'running')
    .returning('id')
    .execute();
  for (const { id } of open) changed(tx, `run:${id}`, 'stop', id);
  return open.length;
}

/** Deletes at most `limit` runs that ended before `before`, of one account or of all. Returns how many. */
export async function deleteEndedRuns(
  tx: Tx,
  { accountId, before, limit }: { accountId?: string; before: number; limit: number },
): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('run')
    .where('id', 'in', (eb) => {
      const ended = eb.selectFrom('run').select('id').where('ended_at', '<', before).limit(limit);
      return accountId === undefined ? ended : ended.where('account_id', '=', accountId);
    })
    .executeTakeFirst();
  return Number(numDeletedRows);
}

/** How many runs ended before `before`. */
export async function countEndedRuns(db: Reader, before: number): Promise<number> {
  const { count } = await db
    .selectFrom('run')
    .select((eb) => eb.fn.countAll<number | string>().as('count'))
    .where('ended_at', '<', before)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** The queries that deleting an account needs. They are injected because accounts stand below runs. */
export const RUNS_OF_ACCOUNTS = { stopRunsOf, deleteEndedRuns, countEndedRuns };

/** Takes over an abandoned run, if its lease hasn't changed since it was found. */
export async function takeOverRun(tx: Tx, run: RunRow, node: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('run')
    .set({ owner_node: node })
    .where('id', '=', run.id)
    .where('state', '=', 'running')
    .where('owner_node', '=', run.owner_node)
    .where('lease_until', '=', run.lease_until)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function requestStop(tx: Tx, id: string): Promise<void> {
  await tx.updateTable('run').set({ stop_requested: 1 }).where('id', '=', id).where('state', '=', 'running').execute();
}

/** Locks the row of an existing run; concurrent outcome reports wait. A no-op update, as for wallets. */
export function lockRun(tx: Tx, id: string): Promise<AnswerRow> {
  return tx
    .updateTable('run')
    .set((eb) => ({ outcome: eb.ref('outcome') }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow() as Promise<AnswerRow>;
}

/** Stores an edit's outcome. The run's row must be locked and have none. */
export async function storeOutcome(tx: Tx, id: string, outcome: string): Promise<void> {
  await tx.updateTable('run').set({ outcome }).where('id', '=', id).where('outcome', 'is', null).execute();
}

/** Whether an edit has used its one repair: a repair that is running or that ended in a way that counts. */
export async function isRepaired(db: Reader, id: string): Promise<boolean> {
  const repair = await db
    .selectFrom('run')
    .select('id')
    .where('repairs', '=', id)
    .where('state', 'in', ['running', 'complete', 'stopped'])
    .executeTakeFirst();
  return repair !== undefined;
}

/** About the most characters in a row, so that a reader need not take in more at once. */
const MAX_BATCH = 64 * 1024;

/** Stores consecutive events of runs: of each as one row, unless they are large. All in one statement. */
export async function insertEvents(
  tx: Tx,
  engine: Database['engine'],
  runs: readonly { id: string; events: readonly NumberedEvent[] }[],
): Promise<void> {
  const list: { id: string; first: number; last: number; payload: string }[] = [];
  for (const { id, events } of runs)
    for (let from = 0; from < events.length; ) {
      const batch = firstOf(events.slice(from), MAX_BATCH);
      const payload = `[${batch.map((e) => `["${e.type}",${e.json}]`).join(',')}]`;
      list.push({ id, first: batch[0]!.seq, last: batch.at(-1)!.seq, payload });
      from += batch.length;
    }
  if (list.length > 0) await insertBatches[engine].run(tx, { list: JSON.stringify(list) });
}

/** As many of the first events as have `size` characters together; at least one. */
export function firstOf(events: readonly NumberedEvent[], size: number): NumberedEvent[] {
  let left = size;
  const end = events.findIndex(({ json }, i) => {
    left -= json.length;
    return left < 0 && i > 0;
  });
  return end === -1 ? [...events] : events.slice(0, end);
}

const insertBatches = forEachEngine((given) =>
  prepared((db, p: { list: string }) =>
    db
      .insertInto('run_event')
      .columns(['run_id', 'first_seq', 'last_seq', 'payload'])
      .expression(
        db
          .selectFrom(
            given<{ id: string; first: number; last: number; payload: string }>(p.list, {
              ...{ id: 'text', first: 'bigint', last: 'bigint', payload: 'text' },
            }),
          )
          .select(['given.id', 'given.first', 'given.last', 'given.payload'])
          // SQLite would take "on conflict" for a join's condition.
          .where(sql<boolean>`true`),
      )
      // A commit whose confirmation was lost: the same events come again, perhaps with more behind them.
      .onConflict((oc) =>
        oc.columns(['run_id', 'first_seq']).doUpdateSet((eb) => ({
          last_seq: eb.ref('excluded.last_seq'),
          payload: eb.ref('excluded.payload'),
        })),
      ),
  ),
);

/** Stored events after number `after`, in order, from at most `limit` batches. */
export async function readEvents(db: Reader, runId: string, after: number, limit = 50): Promise<NumberedEvent[]> {
  const rows = await selectEvents.all(db, { runId, after, limit });
  return rows
    .flatMap((row) =>
      (JSON.parse(row.payload) as [RunEvent['type'], unknown][]).map(([type, data], i) => ({
        seq: row.first_seq + i,
        type,
        json: JSON.stringify(mendEnd(type, data)),
      })),
    )
    .filter((event) => event.seq > after);
}

const selectEvents = prepared((db, p: { runId: string; after: number; limit: number }) =>
  db
    .selectFrom('run_event')
    .selectAll()
    .where('run_id', '=', p.runId)
    .where('last_seq', '>', p.after)
    .orderBy('first_seq')
    .limit(p.limit),
);

/** An answer's stored text and thoughts, and the number of recovery's first event. */
export async function readStoredText(
  db: Reader,
  runId: string,
): Promise<{ text: string; thinking?: Thinking; nextSeq: number }> {
  const events = await readEvents(db, runId, 0, Number.MAX_SAFE_INTEGER);
  let text = '';
  let thinking: Thinking | undefined;
  for (const { type, json } of events) {
    if (type === 'text') text = grown(text, JSON.parse(json));
    else if (type === 'thinking') {
      const piece = JSON.parse(json) as Extract<RunEvent, { type: 'thinking' }>['data'];
      thinking = { text: grown(thinking?.text ?? '', piece), ms: piece.ms };
    }
  }
  return { text, thinking, nextSeq: (events.at(-1)?.seq ?? 0) + RECOVERY_GAP };
}

const grown = (before: string, { text, at }: { text: string; at: number }) =>
  at < before.length ? before.slice(0, at) + text : before + text;

/** Deletes the events of runs that ended before `before`; the message keeps the text. Returns the number of rows. */
export async function purgeEvents(tx: Tx, before: number): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('run_event')
    .where('run_id', 'in', (eb) => eb.selectFrom('run').select('id').where('ended_at', '<', before))
    .executeTakeFirst();
  return Number(numDeletedRows);
}

/** Deletes the events of a conversation that is being deleted. */
export async function deleteEventsOf(tx: Tx, conversationId: string): Promise<void> {
  await tx
    .deleteFrom('run_event')
    .where('run_id', 'in', (eb) => eb.selectFrom('run').select('id').where('conversation_id', '=', conversationId))
    .execute();
}

export async function deleteEvents(tx: Tx, runId: string): Promise<void> {
  await tx.deleteFrom('run_event').where('run_id', '=', runId).execute();
}

export const NOTHING_USED: Usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, estimated: true };

export const priceOf = (row: RunRow) => JSON.parse(row.price) as Price;

/** A run's usage when it was last stored; zero if the stored value is no usage. */
export function checkpointOf(row: RunRow): Usage {
  return usageOf(JSON.parse(row.checkpoint)) ?? NOTHING_USED;
}

export function toRun(row: AnswerRow): Run {
  return {
    id: row.id,
    conversationId: row.conversation_id,
    userMessageId: row.user_message_id,
    messageId: row.message_id,
    kind: row.kind,
    model: row.model,
    state: row.state,
    device: row.device,
    maxOutputTokens: row.max_output_tokens,
    ...(row.clamped_to === null ? {} : { clampedTo: row.clamped_to }),
    ...(row.effort === null ? {} : { effort: row.effort }),
    createdAt: iso(row.created_at),
  };
}
