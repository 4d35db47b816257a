import { useEffect, useState } from 'preact/hooks';

/**
 * What takes a while to find out, and need not stand in the first picture: undefined until that is painted, and while there
 * is nothing to find. Each is found in a task of its own.
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
