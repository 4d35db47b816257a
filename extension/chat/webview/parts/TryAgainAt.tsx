import { fullTime, until } from '../format.ts';
import { useNow } from '../model/now.ts';

/** When to try again: the time, and how long that is from now. */
export function TryAgainAt({ at }: { at: string }) {
  const now = useNow(at);
  if (Date.parse(at) <= now.getTime()) return <span>You can try again now. </span>;
  return (
    <span>
      Try again at <strong>{fullTime(at, now)}</strong>, {until(at, now)}.{' '}
    </span>
  );
}
