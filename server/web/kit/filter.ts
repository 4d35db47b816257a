import { useEffect, useState } from 'preact/hooks';

/** A list's filter, which stands in the page's address: what was chosen there, and how another is chosen. */
export function useFilter<F>(filterOf: (hash: string) => F, addressOf: (filter: F) => string): [F, (next: F) => void] {
  const [filter, showFilter] = useState<F>(() => filterOf(location.hash));
  useEffect(() => {
    const moved = () => showFilter(() => filterOf(location.hash));
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  const setFilter = (next: F) => {
    // Replace the history entry: the back button should not step through filters.
    history.replaceState(null, '', addressOf(next));
    showFilter(() => next);
  };
  return [filter, setFilter];
}
