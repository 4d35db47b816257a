import type { LogAnswer, LogEntry } from '../../../../shared/credits.ts';
import { creditsChanged, creditsLeft, inCredits } from '../../../../shared/money/amounts.ts';
import { call } from '../../kit/api.ts';
import { useFilter } from '../../kit/filter.ts';
import { count, dayOf, timeOf } from '../../kit/format.ts';
import { useResource } from '../../kit/live.ts';
import { useMore } from '../../kit/more.ts';
import { Failure, Loading } from '../../kit/parts.tsx';
import { addressOf, Filters, filterOf, KINDS, NO_FILTER, queryOf } from './LogFilters.tsx';

const PAGE = 30;
const REQUESTS_MS = 90 * 24 * 3_600_000;

export function TokenLog() {
  const [filter, setFilter] = useFilter(filterOf, addressOf);
  const query = queryOf(filter);
  const filtered = query.toString();
  const path = (before?: string) => {
    const all = new URLSearchParams({ ...Object.fromEntries(query), limit: String(PAGE), ...(before && { before }) });
    return `/api/credits/log?${all}`;
  };
  const isReversed = filter.from !== '' && filter.to !== '' && filter.from > filter.to;
  const first = useResource<LogAnswer>(isReversed ? null : path(), ['balance']);
  const { list, before, failure, isLoading, loadMore } = useMore(first.value && pageOf(first.value), {
    of: filtered,
    keyOf: ({ id }) => id,
    load: async (next) => pageOf(await call<LogAnswer>('GET', path(next))),
  });
  const clear = () => setFilter(NO_FILTER);
  return (
    <>
      <p class="soft">Everything that was given or spent, why, and what was left after it.</p>
      <Filters filter={filter} change={setFilter} entries={list} />
      {isReversed && (
        <p class="problem-text" role="alert">
          The first day is after the last one.
        </p>
      )}
      {(failure ?? first.failure) && <Failure failure={(failure ?? first.failure)!} again={first.reload} />}
      {!first.value && !first.failure && <Loading />}
      <p class="hidden" role="status">
        {first.value && filtered ? `${list.length}${before ? ' or more' : ''} lines` : ''}
      </p>
      {first.value && list.length === 0 && !filtered && <p class="soft">Nothing was given or spent yet.</p>}
      {first.value && list.length === 0 && filtered && (
        <div class="row">
          <span class="soft">No line is like this.</span>
          <button type="button" class="quiet" onClick={clear}>
            Show all lines
          </button>
        </div>
      )}
      {list.length > 0 && <Table list={list} />}
      <div class="row">
        {before && (
          <button type="button" class="quiet" disabled={isLoading} onClick={() => void loadMore()}>
            Show more
          </button>
        )}
        {list.length > 0 && (
          <a class="button quiet" href={`/api/credits/log.csv${filtered && `?${filtered}`}`} download>
            {filtered ? 'Download these lines (CSV)' : 'Download all lines (CSV)'}
          </a>
        )}
      </div>
    </>
  );
}

const pageOf = ({ entries, before }: LogAnswer) => ({ list: entries, before });

function Table({ list }: { list: readonly LogEntry[] }) {
  return (
    <table class="log">
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">What</th>
          <th scope="col">Model, tool, key</th>
          <th scope="col">Tokens</th>
          <th scope="col">Credits</th>
          <th scope="col">Left after</th>
        </tr>
      </thead>
      <tbody>
        {list.map((entry) => (
          <Line key={entry.id} entry={entry} />
        ))}
      </tbody>
    </table>
  );
}

/** The record of a run's request is kept for 90 days. */
const isRecorded = ({ runId, kind, at }: LogEntry) =>
  runId !== undefined && kind !== 'grant' && Date.now() - Date.parse(at) < REQUESTS_MS;

function Line({ entry }: { entry: LogEntry }) {
  const { at, kind, reason, model, tool, key, usage, amountMicro, balanceMicro, runId } = entry;
  return (
    <tr>
      <td class="soft when">
        <span>{dayOf(at)}</span> <span>{timeOf(at)}</span>
      </td>
      <td class="what">
        <span class="kind">{KINDS[kind]}</span>{' '}
        {isRecorded(entry) ? <a href={`#requests/${runId}`}>{reason}</a> : reason}
      </td>
      <td class="soft few">
        {model && <span>{model}</span>}
        {tool && <span>{tool}</span>}
        {key && <span>Key: {key.name}</span>}
      </td>
      <td class="soft few tokens">
        {usage && (
          <>
            <span class="number">{count(usage.inputTokens)} in</span>
            {usage.cachedInputTokens > 0 && <span class="number">{count(usage.cachedInputTokens)} cached</span>}
            <span class="number">{count(usage.outputTokens)} out</span>
            {usage.estimated && <span>estimated</span>}
          </>
        )}
      </td>
      <td class="amount number" title={inCredits(amountMicro)}>
        {creditsChanged(amountMicro)}
      </td>
      <td class="after number" title={balanceMicro === null ? undefined : inCredits(balanceMicro)}>
        {balanceMicro === null ? <span class="hidden">unchanged</span> : creditsLeft(balanceMicro)}
      </td>
    </tr>
  );
}
