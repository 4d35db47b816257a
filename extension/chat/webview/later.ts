import { useEffect, useState } from 'preact/hooks';

/** What takes a while to find out, and need not stand in the first picture: undefined until that is painted. */
export function useLater<T>(find: () => T, of: readonly unknown[]): T | undefined {
  const [found, setFound] = useState<{ value: T }>();
  useEffect(() => {
    const timer = setTimeout(() => setFound({ value: find() }));
    return () => clearTimeout(timer);
  }, of);
  return found?.value;
}
