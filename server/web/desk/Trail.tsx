import type { Trail as Page } from '../../../shared/desk.ts';
import { call } from '../kit/api.ts';
import { useResource } from '../kit/live.ts';
import { useMore } from '../kit/more.ts';
import { When } from '../kit/now.tsx';
import { Failure, Loading } from '../kit/parts.tsx';
import { ACT_WORDS, DECISION_WORDS } from './words.ts';

/** Who saw and did what at the desk, newest first. */
export function Trail() {
  const first = useResource<Page>('/api/desk/trail', []);
  const { list, before, failure, isLoading, loadMore } = useMore(first.value && pageOf(first.value), {
    keyOf: ({ id }) => id,
    load: async (next) => pageOf(await call<Page>('GET', `/api/desk/trail?before=${next}`)),
  });
  if (!first.value) return first.failure ? <Failure failure={first.failure} again={first.reload} /> : <Loading />;
  return (
    <>
      <p class="soft">Everybody at the desk can read this, and nobody can change it.</p>
      {list.length === 0 && <p class="empty">Nothing has happened yet.</p>}
      <ul class="list trail">
        {list.map(({ id, at, who, act, case: number, detail }) => (
          <li key={id}>
            <div class="grow">
              <strong>{who}</strong> {ACT_WORDS[act]}
              {number !== null && (
                <>
                  {' · '}
                  <a href={`#decided/${number}`}>case {number}</a>
                </>
              )}
              {detail && <div class="soft">{wordsOf(detail)}</div>}
            </div>
            <span class="soft when">
              <When at={at} />
            </span>
          </li>
        ))}
      </ul>
      {failure && <Failure failure={failure} />}
      {before !== null && (
        <button type="button" class="quiet" disabled={isLoading} onClick={() => void loadMore()}>
          Show more
        </button>
      )}
    </>
  );
}

const pageOf = ({ acts, next }: Page) => ({ list: acts, before: next });

/** A detail that is only the kind of a decision, by its name. */
const wordsOf = (detail: string) =>
  Object.hasOwn(DECISION_WORDS, detail)
    ? DECISION_WORDS[detail as keyof typeof DECISION_WORDS].name.replace(' until …', '')
    : detail;
