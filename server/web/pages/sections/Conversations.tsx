import { useEffect, useState } from 'preact/hooks';
import type { ConversationSummary, ConversationsAnswer } from '../../../../shared/conversations.ts';
import { call } from '../../kit/api.ts';
import { useResource } from '../../kit/live.ts';
import { useMore } from '../../kit/more.ts';
import { When } from '../../kit/now.tsx';
import { Confirm, Failure, Loading } from '../../kit/parts.tsx';
import { Reader } from './Reader.tsx';

/** How long a search waits for the next letter. */
const PAUSE_MS = 200;
const PAGE = 30;

/** The list, or one conversation: `#conversations/<id>`. */
export function Conversations({ id }: { id: string | undefined }) {
  return id ? <Reader key={id} id={id} /> : <List />;
}

function List() {
  const [typed, setTyped] = useState('');
  const [search, setSearch] = useState('');
  const [asks, setAsks] = useState<ConversationSummary | 'all'>();
  useEffect(() => {
    const timer = setTimeout(() => setSearch(typed.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const query = (before?: string) =>
    `/api/conversations?${new URLSearchParams({ limit: String(PAGE), ...(search && { search }), ...(before && { before }) })}`;
  const first = useResource<ConversationsAnswer>(query(), ['conversation']);
  const { list, before, failure, isLoading, loadMore, remove } = useMore(first.value && pageOf(first.value), {
    of: search,
    keyOf: ({ id }) => id,
    load: async (next) => pageOf(await call<ConversationsAnswer>('GET', query(next))),
  });
  return (
    <>
      <label class="field">
        Search titles and texts
        <input type="search" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} maxLength={500} />
      </label>
      {(failure ?? first.failure) && <Failure failure={(failure ?? first.failure)!} again={first.reload} />}
      {!first.value && !first.failure && <Loading />}
      <p class="hidden" role="status">
        {first.value && search ? `${list.length}${before ? ' or more' : ''} found` : ''}
      </p>
      {first.value && list.length === 0 && (
        <p class="soft">
          {search
            ? `Nothing was found for “${search}”.`
            : 'There is no conversation yet. Your questions in the editor appear here.'}
        </p>
      )}
      <ul class="list">
        {list.map((one) => (
          <li key={one.id}>
            <a class="grow" href={`#conversations/${one.id}`}>
              <span class="title">{one.title}</span>
              <span class="soft">
                {one.running ? `answering on ${one.running.device}` : <When at={one.updatedAt} />}
              </span>
            </a>
            <button type="button" class="quiet" aria-label={`Delete ${one.title}`} onClick={() => setAsks(one)}>
              Delete
            </button>
          </li>
        ))}
      </ul>
      <div class="row">
        {before && (
          <button type="button" class="quiet" disabled={isLoading} onClick={() => void loadMore()}>
            Show more
          </button>
        )}
        {list.length > 0 && !search && (
          <button type="button" class="quiet" onClick={() => setAsks('all')}>
            Delete all
          </button>
        )}
      </div>
      {asks && (
        <Confirm
          title={asks === 'all' ? 'Delete all conversations?' : 'Delete this conversation?'}
          yes={asks === 'all' ? 'Delete all' : 'Delete'}
          isDanger
          onYes={async () => {
            await call('DELETE', asks === 'all' ? '/api/conversations' : `/api/conversations/${asks.id}`);
            remove(({ id }) => asks === 'all' || id === asks.id);
            first.reload();
          }}
          onClose={() => setAsks(undefined)}
        >
          {asks === 'all' ? (
            <p>They are deleted on every device, for good. Their costs stay in the token log.</p>
          ) : (
            <p>“{asks.title}” is deleted on every device, and can’t be had back.</p>
          )}
          <p>
            <a href={asks === 'all' ? '/api/account/export' : `/api/conversations/${asks.id}/export`} download>
              {asks === 'all' ? 'Export your data first' : 'Save it as Markdown first'}
            </a>
          </p>
        </Confirm>
      )}
    </>
  );
}

const pageOf = ({ conversations, before }: ConversationsAnswer) => ({ list: conversations, before });
