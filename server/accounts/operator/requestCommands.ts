import { inCredits } from '../../../shared/money/amounts.ts';
import { UNANSWERED } from '../../../shared/requests.ts';
import { type Clock, iso } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import { type FoundRequest, findRequest, findRequests } from '../../requests/store.ts';
import { columns, misused, Refused } from './commandText.ts';

/** Nobody reads more of them in a terminal. */
const MAX_REQUESTS = 200;

export interface RequestQuery {
  /** Null: of every account. */
  accountId: string | null;
  failed: boolean;
  since: string | undefined;
}

/** A table of requests, the newest first. */
export async function requestTable(
  { db, clock }: { db: Database; clock: Clock },
  { accountId, failed, since }: RequestQuery,
): Promise<string[]> {
  const found = await findRequests(db.read, {
    ...(accountId === null ? {} : { accountId }),
    ...(failed ? { outcomes: UNANSWERED } : {}),
    ...(since === undefined ? {} : { from: readSince(since, clock.now()) }),
    limit: MAX_REQUESTS + 1,
  });
  if (found.length === 0) return ['There is none.'];
  const rows = found
    .slice(0, MAX_REQUESTS)
    .map((row) => [
      iso(row.at),
      row.id,
      ...(accountId === null ? [row.account_id] : []),
      row.tool,
      modelOf(row),
      row.service ?? '',
      endOf(row),
      latencyOf(row),
      tokensOf(row),
      inCredits(row.charged),
    ]);
  const head = [
    ...['at', 'request', ...(accountId === null ? ['account'] : []), 'tool', 'model', 'service'],
    ...['outcome', 'first/whole ms', 'tokens in/out', 'charged'],
  ];
  const more = found.length > MAX_REQUESTS ? [`These are the newest ${MAX_REQUESTS}. See others by --since.`] : [];
  return [...columns([head, ...rows]), ...more];
}

/** One request, by its id or its run's: a line for each known fact. */
export async function requestLines({ db }: { db: Database }, id: string): Promise<string[]> {
  const row = await findRequest(db.read, id.trim().toLowerCase());
  if (!row)
    throw new Refused(
      1,
      `There is no request "${id}". Requests are kept for 90 days, and of a flood of refused ones only some are.`,
    );
  const facts: [string, string | number | null][] = [
    ['request', row.id],
    ['run', row.run_id],
    ['account', row.account_id],
    ['at', iso(row.at)],
    ['call', row.route],
    ['tool', row.tool],
    ['API key', row.key_id === null ? null : [row.key_id, row.key_name].filter(Boolean).join(', ')],
    ['asked for', row.asked],
    ['model', row.model],
    ['service', row.service],
    ['attempts', row.attempts],
    ['outcome', endOf(row)],
    ['status', row.status],
    ['first/whole ms', latencyOf(row)],
    ['tokens in', row.input_tokens],
    ['of it cached', row.cached_input_tokens],
    ['tokens out', row.output_tokens],
    ['of it thoughts', row.thinking_tokens],
    ['tokens are', row.estimated === 1 ? 'estimated' : null],
    ['charged', inCredits(row.charged)],
    ['alike', row.times > 1 ? row.times : null],
  ];
  return columns(facts.flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]])));
}

const modelOf = ({ asked, model }: FoundRequest) =>
  model !== null && asked !== null && asked !== model ? `${model} for ${asked}` : (model ?? asked ?? '');

const endOf = ({ outcome, code, times }: FoundRequest) =>
  `${outcome}${code === null ? '' : `: ${code}`}${times > 1 ? ` (${times} times)` : ''}`;

const latencyOf = ({ first_ms, whole_ms }: FoundRequest) => `${first_ms ?? '–'}/${whole_ms}`;

const tokensOf = ({ input_tokens, output_tokens }: FoundRequest) =>
  input_tokens === null ? '' : `${input_tokens}/${output_tokens ?? 0}`;

/** A day, a time, or a number of hours or days before now. */
function readSince(text: string, now: number): number {
  const [, count, unit] = /^(\d{1,4})([hd])$/.exec(text) ?? [];
  const at = count ? now - Number(count) * (unit === 'h' ? 3_600_000 : 86_400_000) : Date.parse(text);
  if ((!count && !/^\d{4}-\d{2}-\d{2}(T|$)/.test(text)) || !Number.isFinite(at))
    throw misused(`"${text}" is no time: write a day (2027-01-31), a time (2027-01-31T12:00:00Z), 12h or 7d.`);
  if (at > now) throw misused(`"${text}" is yet to come.`);
  return at;
}
