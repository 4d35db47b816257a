import { useEffect, useState } from 'preact/hooks';

/**
 * Computes a slow value that the first paint does not need. It is undefined until after that paint, and while `find` is
 * null. Each value is computed in a task of its own.
 */
export function useLater<T>(find: (() => T) | null, of: readonly unknown[]): T | undefined {
  const [found, setFound] = useState<{ value: T; of: readonly unknown[] }>();
  useEffect(() => {
    if (!find) return;
    const timer = setTimeout(() => setFound({ value: find(), of }));
    return () => clearTimeout(timer);
  }, [find === null, ...of]);
  const isOfThese = find !== null && found?.of.every((each, i) => Object.is(each, of[i]));
  return isOfThese ? found?.value : undefined;
}
