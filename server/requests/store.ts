import { type Selectable, type SqlBool, sql } from 'kysely';
import { type RequestOutcome, type RequestRecord, type RequestsAnswer, UNANSWERED } from '../../shared/requests.ts';
import { iso } from '../platform/clock.ts';
import { type Database, type Reader, TookTooLong, type Tx } from '../platform/db/database.ts';
import { prepared } from '../platform/db/prepared.ts';
import type { RequestRow } from '../platform/db/schema.ts';
import { AppError } from '../platform/errors.ts';
import { csvLine } from '../platform/values/csv.ts';

/**
 * Stores rows. What is known by its id already stays as it is, but for a count that has grown; what belongs to a deleted
 * account is left out.
 */
export async function storeRequests(tx: Tx, rows: readonly RequestRow[], engine: Database['engine']): Promise<void> {
  const ownerOf = await lockOwners(tx, rows, engine);
  const refundOf = await lockRefunds(tx, rows, engine);
  for (const row of rows) {
    const account_id = ownerOf.get(row.account_id);
    const charged = row.charged - (refundOf.get(row.run_id) ?? 0);
    if (account_id !== undefined) await insertRequest.run(tx, { ...row, account_id, charged });
  }
}

/** The accounts that rows belong to now: a guest may have joined one while they waited, and none joins until the commit. */
async function lockOwners(tx: Tx, rows: readonly RequestRow[], engine: Database['engine']) {
  const ids = [...new Set(rows.map((row) => row.account_id))].sort();
  const accounts = await tx
    .selectFrom('account')
    .select(['id', 'merged_into'])
    .where('id', 'in', ids)
    .$if(engine === 'postgres', (query) => query.orderBy('id').forShare())
    .execute();
  return new Map(accounts.map(({ id, merged_into }) => [id, merged_into ?? id]));
}

/**
 * What edits among the rows were given back, by their run. Another node may have made a refund while its row waited here;
 * one that comes later finds the row.
 */
async function lockRefunds(tx: Tx, rows: readonly RequestRow[], engine: Database['engine']) {
  const ids = rows.flatMap(({ run_id, charged }) => (run_id !== null && charged > 0 ? [run_id] : []));
  if (ids.length === 0) return new Map<string | null, number>();
  const edits = await tx
    .selectFrom('run')
    .select(['id', 'outcome'])
    .where('id', 'in', ids)
    .where('kind', '=', 'edit')
    .$if(engine === 'postgres', (query) => query.orderBy('id').forShare())
    .execute();
  const refundOf = (outcome: string | null) =>
    outcome === null ? 0 : ((JSON.parse(outcome) as { refundedMicro?: number }).refundedMicro ?? 0);
  return new Map<string | null, number>(edits.map(({ id, outcome }) => [id, refundOf(outcome)]));
}

const insertRequest = prepared((db, p: RequestRow) =>
  db
    .insertInto('request')
    .values({
      id: p.id,
      run_id: p.run_id,
      account_id: p.account_id,
      at: p.at,
      route: p.route,
      tool: p.tool,
      key_id: p.key_id,
      asked: p.asked,
      model: p.model,
      service: p.service,
      attempts: p.attempts,
      first_ms: p.first_ms,
      whole_ms: p.whole_ms,
      input_tokens: p.input_tokens,
      cached_input_tokens: p.cached_input_tokens,
      output_tokens: p.output_tokens,
      thinking_tokens: p.thinking_tokens,
      estimated: p.estimated,
      outcome: p.outcome,
      code: p.code,
      status: p.status,
      charged: p.charged,
      times: p.times,
    })
    .onConflict((oc) =>
      oc
        .column('id')
        .doUpdateSet({ times: (eb) => eb.ref('excluded.times') })
        .whereRef('request.times', '<', 'excluded.times'),
    ),
);

/** Filters the record. Times are epoch milliseconds; `to` is exclusive. */
export interface RequestFilter {
  accountId?: string;
  outcomes?: readonly RequestOutcome[];
  tool?: string;
  /** The id of an API key. */
  key?: string;
  from?: number;
  to?: number;
}

/** The place in the record after which the next page begins. */
export interface RequestCursor {
  at: number;
  id: string;
}

export type FoundRequest = Selectable<RequestRow> & { key_name: string | null };

export type RequestPage = RequestFilter & { before?: RequestCursor; limit: number };
export type FindRequests = (page: RequestPage) => Promise<FoundRequest[]>;

/** The newest requests first. A filter that finds few of many takes long. */
export const findRequests = (db: Reader, page: RequestPage): Promise<FoundRequest[]> => pageQuery(db, page).execute();

/** The same, for a request that waits for it. Throws `requests_too_slow`. */
export async function findRequestsInTime(db: Database, page: RequestPage): Promise<FoundRequest[]> {
  const query = pageQuery(db.read, page);
  // Lets the time limit end a long search on SQLite. Checked at every 64th row, because it takes time.
  const inTime = sql<SqlBool>`(request.rowid % 64 <> 0 or in_time() = 1)`;
  try {
    return await db.readBounded((db.engine === 'sqlite' ? query.where(inTime) : query).compile());
  } catch (error) {
    if (!(error instanceof TookTooLong)) throw error;
    throw new AppError('requests_too_slow', 'There are too many requests to search at once. Choose a shorter time.');
  }
}

function pageQuery(db: Reader, { accountId, outcomes, tool, key, from, to, before, limit }: RequestPage) {
  let query = withKeys(db);
  if (accountId !== undefined) query = query.where('request.account_id', '=', accountId);
  if (outcomes) query = query.where('request.outcome', 'in', outcomes);
  // Must be word for word the condition of the partial index.
  if (outcomes?.every((one) => (UNANSWERED as readonly string[]).includes(one)))
    query = query.where(sql<SqlBool>`request.outcome in ('refused','failed','interrupted')`);
  if (tool !== undefined) query = query.where('request.tool', '=', tool);
  if (key !== undefined) query = query.where('request.key_id', '=', key);
  if (from !== undefined) query = query.where('request.at', '>=', from);
  if (to !== undefined) query = query.where('request.at', '<', to);
  if (before) query = query.where(sql<SqlBool>`(request.at, request.id) < (${before.at}, ${before.id})`);
  return query.orderBy('request.at', 'desc').orderBy('request.id', 'desc').limit(limit);
}

/** A request by its id, or by the id of its run: of an account, or of any. */
export async function findRequest(db: Reader, id: string, accountId?: string): Promise<FoundRequest | undefined> {
  const all = accountId === undefined ? withKeys(db) : withKeys(db).where('request.account_id', '=', accountId);
  const own = await all.where('request.id', '=', id).executeTakeFirst();
  return own ?? (await all.where('request.run_id', '=', id).executeTakeFirst());
}

const withKeys = (db: Reader) =>
  db
    .selectFrom('request')
    .leftJoin('api_key', 'api_key.id', 'request.key_id')
    .selectAll('request')
    .select('api_key.name as key_name');

/** A page of an account's requests; `before` is the `before` of the previous page. */
export async function listRequests(find: FindRequests, accountId: string, page: RequestPage): Promise<RequestsAnswer> {
  const rows = await find({ ...page, accountId, limit: page.limit + 1 });
  const shown = rows.slice(0, page.limit);
  const last = rows.length > page.limit ? shown.at(-1) : undefined;
  return { requests: shown.map(toRecord), before: last ? `${last.at}-${last.id}` : null };
}

const CURSOR = /^(\d{1,15})-([\da-f-]{36})$/;

/** Null: it is none. */
export function cursorOf(before: string): RequestCursor | null {
  const [, at, id] = CURSOR.exec(before) ?? [];
  return at === undefined || id === undefined ? null : { at: Number(at), id };
}

const AT_ONCE = 500;

/** All requests that a filter finds, at most a page of them in memory. */
export async function* allRequests(find: FindRequests, accountId: string, filter: RequestFilter = {}) {
  let before: string | null = '';
  while (before !== null) {
    const cursor = cursorOf(before);
    const page: RequestsAnswer = await listRequests(find, accountId, {
      ...filter,
      ...(cursor ? { before: cursor } : {}),
      limit: AT_ONCE,
    });
    yield page.requests;
    before = page.before;
  }
}

/** The record as a CSV file, in pieces: the first has been searched for already. Amounts are micro-credits. */
export async function* requestsCsv(
  find: FindRequests,
  accountId: string,
  filter: RequestFilter,
): AsyncGenerator<string> {
  let head = CSV_HEAD;
  for await (const requests of allRequests(find, accountId, filter)) {
    yield head + requests.map(csvLineOf).join('');
    head = '';
  }
}

const CSV_HEAD = csvLine([
  ...['at', 'id', 'run', 'call', 'tool', 'key', 'key_id', 'asked', 'model', 'attempts', 'first_ms', 'whole_ms'],
  ...['input_tokens', 'cached_input_tokens', 'output_tokens', 'thinking_tokens', 'estimated'],
  ...['outcome', 'code', 'status', 'charged_micro', 'times'],
]);

const csvLineOf = ({ usage, key, ...one }: RequestRecord) =>
  csvLine([
    ...[one.at, one.id, one.runId, one.route, one.tool, key?.name, key?.id, one.asked, one.model, one.attempts],
    ...[one.firstMs, one.wholeMs, usage?.inputTokens, usage?.cachedInputTokens, usage?.outputTokens],
    ...[usage?.thinkingTokens, usage?.estimated, one.outcome, one.code, one.status, one.chargedMicro, one.times],
  ]);

/** When a guest joins an account. */
export async function moveRequests(tx: Tx, from: string, to: string): Promise<void> {
  await tx.updateTable('request').set({ account_id: to }).where('account_id', '=', from).execute();
}

/** What an edit cost was given back. */
export async function refundRequest(
  tx: Tx,
  { accountId, runId }: { accountId: string; runId: string },
  refundedMicro: number,
): Promise<void> {
  await tx
    .updateTable('request')
    .set((eb) => ({ charged: eb('charged', '-', refundedMicro) }))
    .where('account_id', '=', accountId)
    .where('run_id', '=', runId)
    .execute();
}

/** Deletes at most `limit` requests that came before `before`, of one account or of all. Returns how many. */
export async function deleteRequests(
  tx: Tx,
  { accountId, before, limit }: { accountId?: string; before: number; limit: number },
): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('request')
    .where('id', 'in', (eb) => {
      const old = eb.selectFrom('request').select('id').where('at', '<', before).limit(limit);
      return accountId === undefined ? old : old.where('account_id', '=', accountId);
    })
    .executeTakeFirst();
  return Number(numDeletedRows);
}

export async function countRequests(db: Reader, before: number): Promise<number> {
  const { count } = await db
    .selectFrom('request')
    .select((eb) => eb.fn.countAll<number | string>().as('count'))
    .where('at', '<', before)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export function toRecord(row: FoundRequest): RequestRecord {
  return {
    id: row.id,
    runId: row.run_id ?? undefined,
    at: iso(row.at),
    route: row.route,
    tool: row.tool,
    key: row.key_id === null ? undefined : { id: row.key_id, name: row.key_name },
    asked: row.asked ?? undefined,
    model: row.model ?? undefined,
    attempts: row.attempts ?? undefined,
    firstMs: row.first_ms ?? undefined,
    wholeMs: row.whole_ms,
    usage:
      row.input_tokens === null
        ? undefined
        : {
            inputTokens: row.input_tokens,
            cachedInputTokens: row.cached_input_tokens ?? 0,
            outputTokens: row.output_tokens ?? 0,
            thinkingTokens: row.thinking_tokens ?? 0,
            estimated: row.estimated === 1,
          },
    outcome: row.outcome,
    code: row.code ?? undefined,
    status: row.status ?? undefined,
    chargedMicro: row.charged,
    times: row.times,
  };
}
