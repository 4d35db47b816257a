import { useState } from 'preact/hooks';
import type { Trail as Page } from '../../../shared/desk.ts';
import { asFailure, type CallFailed, call } from '../kit/api.ts';
import { useResource } from '../kit/live.ts';
import { When } from '../kit/now.tsx';
import { Failure, Loading } from '../kit/parts.tsx';
import { ACT_WORDS, DECISION_WORDS } from './words.ts';

/** Who saw and did what at the desk, newest first. */
export function Trail() {
  const first = useResource<Page>('/api/desk/trail', []);
  const [more, setMore] = useState<Page>();
  const [failure, setFailure] = useState<CallFailed>();
  if (!first.value) return first.failure ? <Failure failure={first.failure} again={first.reload} /> : <Loading />;
  const acts = [...first.value.acts, ...(more?.acts ?? [])];
  const next = more ? more.next : first.value.next;
  const loadMore = () =>
    call<Page>('GET', `/api/desk/trail?before=${next}`).then(
      (page) => {
        setMore({ acts: [...(more?.acts ?? []), ...page.acts], next: page.next });
        setFailure(undefined);
      },
      (error) => setFailure(asFailure(error)),
    );
  return (
    <>
      <p class="soft">Everybody at the desk can read this, and nobody can change it.</p>
      {acts.length === 0 && <p class="empty">Nothing has happened yet.</p>}
      <ul class="list trail">
        {acts.map(({ id, at, who, act, case: number, detail }) => (
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
      {next !== null && (
        <button type="button" class="quiet" onClick={() => void loadMore()}>
          Show more
        </button>
      )}
    </>
  );
}

/** A detail that is only the kind of a decision, by its name. */
const wordsOf = (detail: string) =>
  Object.hasOwn(DECISION_WORDS, detail) ? DECISION_WORDS[detail as keyof typeof DECISION_WORDS].name : detail;
