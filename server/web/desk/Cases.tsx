import { useEffect, useRef, useState } from 'preact/hooks';
import {
  CASE_KINDS,
  type CaseKind,
  type CaseLine,
  type DeskState,
  type List,
  type Cases as Page,
} from '../../../shared/desk.ts';
import { call } from '../kit/api.ts';
import { useResource } from '../kit/live.ts';
import { useMore } from '../kit/more.ts';
import { When } from '../kit/now.tsx';
import { Failure, Loading } from '../kit/parts.tsx';
import { useKeys } from './keys.tsx';
import { DECISION_WORDS, KIND_NAMES, KIND_TITLES, NOTHING } from './words.ts';

const pathOf = (list: List, kind: CaseKind | '', before?: number) => {
  const query = new URLSearchParams({
    list,
    ...(kind && { kind }),
    ...(before !== undefined && { before: `${before}` }),
  });
  return `/api/desk/cases?${query}`;
};

/** One list of cases. Whose they are is said when they are opened. */
export function Cases({ list, isShown, counts }: { list: List; isShown: boolean; counts: DeskState['counts'] }) {
  const [kind, setKind] = useState<CaseKind | ''>('');
  const first = useResource<Page>(pathOf(list, kind), []);
  // Something was added or decided, here or by somebody else, or the list is looked at again.
  const told = JSON.stringify(counts);
  const isFirst = useRef(true);
  useEffect(() => {
    if (isShown && !isFirst.current) first.reload();
    isFirst.current = false;
  }, [told, isShown]);
  return (
    <>
      <label class="field filter">
        Kind
        <select value={kind} onChange={(event) => setKind(event.currentTarget.value as CaseKind | '')}>
          <option value="">All kinds</option>
          {CASE_KINDS.map((one) => (
            <option key={one} value={one}>
              {KIND_NAMES[one]}
            </option>
          ))}
        </select>
      </label>
      {first.failure && <Failure failure={first.failure} again={first.reload} />}
      {!first.value && !first.failure && <Loading />}
      {first.value &&
        (first.value.cases.length === 0 ? (
          <p class="empty">{kind ? `No case of this kind is here. Others may be.` : NOTHING[list]}</p>
        ) : (
          <Lines key={`${list} ${kind}`} list={list} kind={kind} newest={first.value} isShown={isShown} />
        ))}
    </>
  );
}

function Lines({ list, kind, newest, isShown }: { list: List; kind: CaseKind | ''; newest: Page; isShown: boolean }) {
  const box = useRef<HTMLUListElement>(null);
  const more = useMore(pageOf(newest), {
    keyOf: ({ number }) => number,
    load: async (before) => pageOf(await call<Page>('GET', pathOf(list, kind, before))),
  });
  const step = (by: number) => {
    if (!isShown) return;
    const links = [...(box.current?.querySelectorAll('a') ?? [])];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    links[at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.max(0, Math.min(links.length - 1, at + by))]?.focus();
  };
  const [forth, back] = [() => step(1), () => step(-1)];
  useKeys(isShown ? { j: forth, ArrowDown: forth, k: back, ArrowUp: back } : {});
  // Back from a case, its line has the focus.
  const left = useRef<number | undefined>(undefined);
  useEffect(() => {
    if (isShown && left.current !== undefined)
      box.current?.querySelector<HTMLElement>(`a[data-number="${left.current}"]`)?.focus();
  }, [isShown]);
  return (
    <>
      <ul class="list cases" ref={box}>
        {more.list.map((line) => (
          <li key={line.number}>
            <a
              href={`#${list}/${line.number}`}
              data-number={line.number}
              onClick={() => {
                left.current = line.number;
              }}
            >
              <Line line={line} list={list} />
            </a>
          </li>
        ))}
      </ul>
      {more.failure && <Failure failure={more.failure} />}
      {more.before !== null && (
        <button type="button" class="quiet" disabled={more.isLoading} onClick={() => void more.loadMore()}>
          Show more
        </button>
      )}
    </>
  );
}

const pageOf = ({ cases, next }: Page) => ({ list: cases, before: next });

const SINCE: Record<List, string> = {
  open: 'opened',
  asked: 'asked',
  appeals: 'appealed',
  seconds: 'decided',
  decided: 'decided',
};

function Line({ line, list }: { line: CaseLine; list: List }) {
  const { number, kind, since, probability, summary, decision, isReversed, isAnswered, isOwn } = line;
  return (
    <>
      <span class="case-head">
        <span class="number">{number}</span>
        <strong>{KIND_TITLES[kind]}</strong>
        {isAnswered && <span class="tag mark">answered</span>}
        {decision && list !== 'asked' && <span class="tag">{DECISION_WORDS[decision].done}</span>}
        {isReversed && <span class="tag mark">reversed by an appeal</span>}
        {isOwn && <span class="tag">your decision: for somebody else</span>}
      </span>
      <span class="case-summary">{summary}</span>
      <span class="case-foot soft">
        {SINCE[list]} <When at={since} />
        {line.for + line.against > 0 && ` · ${line.for} for, ${line.against} against`}
        {probability !== null && ` · in the simulation ${Math.round(probability * 1000) / 10} %`}
      </span>
    </>
  );
}
