import { useMemo } from 'preact/hooks';
import type { LogEntry, UsageAnswer, UsageBy } from '../../../../shared/credits.ts';
import { useResource } from '../../kit/live.ts';

export const KINDS: Record<LogEntry['kind'], string> = {
  charge: 'Charged',
  not_charged: 'Not charged',
  refund: 'Refunded',
  grant: 'Given',
  purchase: 'Bought',
  plan: 'Plan',
  move: 'Moved',
  reversal: 'Taken back',
  reset: 'Reset',
};

/** Empty means any. Days are in the reader's time zone, such as 2027-01-31, both inclusive. */
export interface Filter {
  kind: string;
  model: string;
  tool: string;
  /** The id of an API key. */
  key: string;
  from: string;
  to: string;
}

export const NO_FILTER: Filter = { kind: '', model: '', tool: '', key: '', from: '', to: '' };

/** Parses the filter in the page's address, `#log?kind=charge&from=2027-01-31`. Invalid values are ignored. */
export function filterOf(hash: string): Filter {
  const query = new URLSearchParams(hash.split('?')[1] ?? '');
  const of = (name: keyof Filter, isOne: (value: string) => boolean) => {
    const value = query.get(name) ?? '';
    return isOne(value) ? value : '';
  };
  const isName = (value: string) => value.length <= 200;
  const isDay = (value: string) => /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value));
  return {
    kind: of('kind', (value) => Object.hasOwn(KINDS, value)),
    model: of('model', isName),
    tool: of('tool', isName),
    key: of('key', (value) => value === '' || /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(value)),
    from: of('from', isDay),
    to: of('to', isDay),
  };
}

/** The token log's address with a filter, so that it can be bookmarked, shared and reloaded. */
export function addressOf(filter: Filter): string {
  const query = new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== '')).toString();
  return `#log${query && `?${query}`}`;
}

/** The filter as the API takes it: days as instants, the end exclusive. */
export function queryOf({ kind, model, tool, key, from, to }: Filter): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ kind, model, tool, key })) if (value) query.set(name, value);
  if (from) query.set('from', midnight(from, 0));
  if (to) query.set('to', midnight(to, 1));
  return query;
}

/** The beginning of a day, or of the day `later` days after it. */
function midnight(day: string, later: number): string {
  const [year, month, date] = day.split('-').map(Number) as [number, number, number];
  return new Date(year, month - 1, date + later).toISOString();
}

const YEAR_DAYS = 365;

/** A filter's value, and what the reader knows it by. */
type Named = readonly [value: string, name: string];

/** The names used within a year, to choose from. */
export function useNames(by: UsageBy): Named[] {
  const path = useMemo(() => {
    const from = new Date(Date.now() - YEAR_DAYS * 24 * 3_600_000).toISOString();
    return `/api/credits/usage?${new URLSearchParams({ by, from })}`;
  }, [by]);
  return useResource<UsageAnswer>(path, []).value?.rows.map(({ key, name = key }) => [key, name] as const) ?? [];
}

/** `entries` are the visible ones: they may have names that no charge of the last year has. */
export function Filters(props: { filter: Filter; change: (filter: Filter) => void; entries: readonly LogEntry[] }) {
  const { filter, change, entries } = props;
  const models = useNames('model');
  const tools = useNames('tool');
  const keys = [...useNames('key'), ...entries.map(({ key }) => [key?.id ?? '', key?.name ?? ''] as const)];
  const set = (part: Partial<Filter>) => change({ ...filter, ...part });
  const isSet = Object.values(filter).some((value) => value !== '');
  return (
    <fieldset class="filters">
      <legend class="hidden">Which lines</legend>
      <label>
        Kind
        <select value={filter.kind} onChange={(event) => set({ kind: event.currentTarget.value })}>
          <option value="">All</option>
          {Object.entries(KINDS).map(([kind, label]) => (
            <option key={kind} value={kind}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <Names
        label="Model"
        value={filter.model}
        names={[...models, ...entries.map(({ model = '' }) => [model, model] as const)]}
        choose={(model) => set({ model })}
      />
      <Names
        label="Tool"
        value={filter.tool}
        names={[...tools, ...entries.map(({ tool = '' }) => [tool, tool] as const)]}
        choose={(tool) => set({ tool })}
      />
      {(filter.key || keys.some(([id]) => id)) && (
        <Names label="API key" value={filter.key} names={keys} choose={(key) => set({ key })} />
      )}
      <label>
        From
        <input type="date" value={filter.from} onInput={(event) => set({ from: event.currentTarget.value })} />
      </label>
      <label>
        To
        <input type="date" value={filter.to} onInput={(event) => set({ to: event.currentTarget.value })} />
      </label>
      {isSet && (
        <button type="button" class="quiet" onClick={() => change(NO_FILTER)}>
          Clear
        </button>
      )}
    </fieldset>
  );
}

export function Names(props: {
  label: string;
  value: string;
  names: readonly Named[];
  choose: (name: string) => void;
}) {
  // The newest name of a value comes first in the list, so it is set last.
  const names = new Map<string, string>([[props.value, props.value], ...props.names.toReversed()]);
  names.delete('');
  const sorted = [...names].toSorted(([, a], [, b]) => (a < b ? -1 : 1));
  return (
    <label>
      {props.label}
      <select value={props.value} onChange={(event) => props.choose(event.currentTarget.value)}>
        <option value="">All</option>
        {sorted.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
