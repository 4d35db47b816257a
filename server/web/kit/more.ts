import { useState } from 'preact/hooks';
import { asFailure, type CallFailed } from './api.ts';

/** A page of a list; `before` asks for the next one, null if there is none. */
export interface ListPage<T, B> {
  list: readonly T[];
  before: B | null;
}

interface More<T, B> extends ListPage<T, B> {
  failure: CallFailed | undefined;
  isLoading: boolean;
  loadMore: () => Promise<void>;
  /** Takes what was deleted out of the later pages; the newest one is read afresh. */
  remove: (isGone: (one: T) => boolean) => void;
}

/**
 * A list with the pages after its newest one that were asked for. The newest page is read afresh when something changes;
 * what has moved on from it is listed once. `of` says what is listed: of something else, none was asked for yet.
 */
export function useMore<T, B>(
  newest: ListPage<T, B> | undefined,
  { of = '', keyOf, load }: { of?: string; keyOf: (one: T) => unknown; load: (before: B) => Promise<ListPage<T, B>> },
): More<T, B> {
  const [more, setMore] = useState<ListPage<T, B> & { of: string }>();
  const [failure, setFailure] = useState<CallFailed>();
  const [isLoading, setLoading] = useState(false);
  const later = more?.of === of ? more : undefined;
  const known = new Set(newest?.list.map(keyOf));
  const list = [...(newest?.list ?? []), ...(later?.list.filter((one) => !known.has(keyOf(one))) ?? [])];
  const before = later ? later.before : (newest?.before ?? null);
  const loadMore = async () => {
    if (before === null) return;
    setLoading(true);
    setFailure(undefined);
    await load(before).then(
      (page) => setMore({ of, list: [...(later?.list ?? []), ...page.list], before: page.before }),
      (error) => setFailure(asFailure(error)),
    );
    setLoading(false);
  };
  const remove = (isGone: (one: T) => boolean) =>
    setMore((old) => old && { ...old, list: old.list.filter((one) => !isGone(one)) });
  return { list, before, failure, isLoading, loadMore, remove };
}
