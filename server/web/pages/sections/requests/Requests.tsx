import { useState } from 'preact/hooks';
import { creditsSpent, inCredits } from '../../../../../shared/money/amounts.ts';
import { type RequestRecord, type RequestsAnswer, UNANSWERED } from '../../../../../shared/requests.ts';
import { call } from '../../../kit/api.ts';
import { useFilter } from '../../../kit/filter.ts';
import { count, counted, dayOf, timeOf } from '../../../kit/format.ts';
import { useResource } from '../../../kit/live.ts';
import { useMore } from '../../../kit/more.ts';
import { Failure, Loading } from '../../../kit/parts.tsx';
import { Names, useNames } from '../LogFilters.tsx';
import { OneRequest } from './OneRequest.tsx';
import { idIn, OUTCOMES, took, whyOf } from './words.ts';

const PAGE = 30;

/** The list, or one request: `#requests/<id>`. */
export function Requests({ id }: { id: string | undefined }) {
  return id ? <OneRequest key={id} id={id} /> : <List />;
}

/** Empty means any. */
interface Filter {
  /** Only what was not answered. */
  failed: boolean;
  tool: string;
  /** The id of an API key. */
  key: string;
}

const NO_FILTER: Filter = { failed: false, tool: '', key: '' };

/** Parses the filter in the page's address, `#requests?failed=1&tool=Codex`. */
function filterOf(hash: string): Filter {
  const query = new URLSearchParams(hash.split('?')[1] ?? '');
  return {
    failed: query.get('failed') === '1',
    tool: (query.get('tool') ?? '').slice(0, 60),
    key: idIn(query.get('key') ?? '') ?? '',
  };
}

function addressOf({ failed, tool, key }: Filter): string {
  const query = new URLSearchParams({ ...(failed && { failed: '1' }), ...(tool && { tool }), ...(key && { key }) });
  return `#requests${query.size > 0 ? `?${query}` : ''}`;
}

const queryOf = ({ failed, tool, key }: Filter) =>
  new URLSearchParams({ ...(failed && { outcome: UNANSWERED.join() }), ...(tool && { tool }), ...(key && { key }) });

function List() {
  const [filter, setFilter] = useFilter(filterOf, addressOf);
  const query = queryOf(filter);
  const filtered = query.toString();
  const path = (before?: string) =>
    `/api/requests?${new URLSearchParams({ ...Object.fromEntries(query), limit: String(PAGE), ...(before && { before }) })}`;
  const first = useResource<RequestsAnswer>(path(), ['balance']);
  const { list, before, failure, isLoading, loadMore } = useMore(first.value && pageOf(first.value), {
    of: filtered,
    keyOf: ({ id }) => id,
    load: async (next) => pageOf(await call<RequestsAnswer>('GET', path(next))),
  });
  return (
    <>
      <p class="soft">
        What your editor and tools asked in the last 90 days, and how each request ended. The texts are not kept here.
      </p>
      <Search />
      <Filters filter={filter} change={setFilter} list={list} />
      {(failure ?? first.failure) && <Failure failure={(failure ?? first.failure)!} again={first.reload} />}
      {!first.value && !first.failure && <Loading />}
      <p class="hidden" role="status">
        {first.value && filtered ? `${list.length}${before ? ' or more' : ''} requests` : ''}
      </p>
      {first.value && list.length === 0 && !filtered && (
        <p class="soft">There is no request yet. What your editor and tools ask appears here.</p>
      )}
      {first.value && list.length === 0 && filtered && (
        <div class="row">
          <span class="soft">No request is like this.</span>
          <button type="button" class="quiet" onClick={() => setFilter(NO_FILTER)}>
            Show all requests
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
          <a class="button quiet" href={`/api/requests.csv${filtered && `?${filtered}`}`} download>
            {filtered ? 'Download these requests (CSV)' : 'Download all requests (CSV)'}
          </a>
        )}
      </div>
    </>
  );
}

const pageOf = ({ requests, before }: RequestsAnswer) => ({ list: requests, before });

/** Leads to the request whose id was pasted. */
function Search() {
  const [typed, setTyped] = useState('');
  const [isWrong, setWrong] = useState(false);
  const open = (event: Event) => {
    event.preventDefault();
    const id = idIn(typed);
    setWrong(id === null);
    if (id !== null) location.hash = `#requests/${id}`;
  };
  return (
    <form class="row find" onSubmit={open}>
      <label class="grow">
        Find a request by its x-request-id
        <input
          type="search"
          class="code"
          value={typed}
          maxLength={200}
          spellcheck={false}
          autocomplete="off"
          aria-invalid={isWrong}
          aria-describedby={isWrong ? 'find-wrong' : undefined}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            setWrong(false);
          }}
        />
      </label>
      <button type="submit" class="quiet">
        Find
      </button>
      {isWrong && (
        <p id="find-wrong" class="problem-text" role="alert">
          That is no request id. It looks like 01a22501-dc65-727c-aec4-3746e810fbb3: tools show it with an error, and
          each answer has it as x-request-id.
        </p>
      )}
    </form>
  );
}

function Filters(props: { filter: Filter; change: (filter: Filter) => void; list: readonly RequestRecord[] }) {
  const { filter, change, list } = props;
  const tools = useNames('tool');
  const keys = [...useNames('key'), ...list.map(({ key }) => [key?.id ?? '', key?.name ?? key?.id ?? ''] as const)];
  const isSet = filter.failed || filter.tool !== '' || filter.key !== '';
  return (
    <fieldset class="filters">
      <legend class="hidden">Which requests</legend>
      <label class="check">
        <input
          type="checkbox"
          checked={filter.failed}
          onChange={(event) => change({ ...filter, failed: event.currentTarget.checked })}
        />
        Only what was not answered
      </label>
      <Names
        label="Tool"
        value={filter.tool}
        names={[...tools, ...list.map(({ tool }) => [tool, tool] as const)]}
        choose={(tool) => change({ ...filter, tool })}
      />
      {(filter.key || keys.some(([id]) => id)) && (
        <Names label="API key" value={filter.key} names={keys} choose={(key) => change({ ...filter, key })} />
      )}
      {isSet && (
        <button type="button" class="quiet" onClick={() => change(NO_FILTER)}>
          Clear
        </button>
      )}
    </fieldset>
  );
}

function Table({ list }: { list: readonly RequestRecord[] }) {
  return (
    <table class="log requests">
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">How it ended</th>
          <th scope="col">Tool, model, key</th>
          <th scope="col">Tokens</th>
          <th scope="col">First word, whole</th>
          <th scope="col">Credits</th>
        </tr>
      </thead>
      <tbody>
        {list.map((record) => (
          <Line key={record.id} record={record} />
        ))}
      </tbody>
    </table>
  );
}

function Line({ record }: { record: RequestRecord }) {
  const { id, at, outcome, tool, key, usage, chargedMicro, firstMs, wholeMs, times } = record;
  const model = record.model ?? record.asked;
  const why = whyOf(record);
  return (
    <tr>
      <td class="soft when">
        <span>{dayOf(at)}</span> <span>{timeOf(at)}</span>
      </td>
      <td class="what">
        <span class="kind">{OUTCOMES[outcome]}</span>{' '}
        <a href={`#requests/${id}`}>{why ?? (model ? `By ${model}` : record.route)}</a>
        {times > 1 && <span class="soft"> {counted(times, 'time')}</span>}
      </td>
      <td class="soft few">
        <span>{tool}</span>
        {model && why && <span>{model}</span>}
        {key && <span>Key: {key.name ?? 'deleted'}</span>}
      </td>
      <td class="soft few tokens">
        {usage && (
          <>
            <span class="number">{count(usage.inputTokens)} in</span>
            {usage.cachedInputTokens > 0 && <span class="number">{count(usage.cachedInputTokens)} cached</span>}
            <span class="number">{count(usage.outputTokens)} out</span>
          </>
        )}
      </td>
      <td class="soft took number">
        {firstMs !== undefined && <span>{took(firstMs)}</span>} <span>{took(wholeMs)}</span>
      </td>
      <td class="amount number" title={inCredits(chargedMicro)}>
        {chargedMicro === 0 ? '0' : creditsSpent(chargedMicro)}
      </td>
    </tr>
  );
}
