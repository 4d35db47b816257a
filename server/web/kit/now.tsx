import { useEffect, useState } from 'preact/hooks';
import { Waking, wordsChangeAt } from '../../../shared/waking.ts';
import { instant, when } from './format.ts';

/** For each shown instant: when its words change next. */
const shown = new Map<() => void, number>();
const waking = new Waking(() => {
  for (const look of [...shown.keys()]) look();
});
const watch = () => waking.watch([...shown.values()].filter(Number.isFinite));

/** An instant in words, updated while the page is open. */
export function When({ at }: { at: string }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const look = () => setNow(Date.now());
    shown.set(look, wordsChangeAt(Date.parse(at), now));
    watch();
    return () => {
      shown.delete(look);
      watch();
    };
  }, [at, now]);
  return (
    <time dateTime={at} title={instant(at)}>
      {when(at, now)}
    </time>
  );
}
