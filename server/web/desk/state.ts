import { useEffect, useRef, useState } from 'preact/hooks';
import type { DeskState } from '../../../shared/desk.ts';
import { type CallFailed, watchCalls } from '../kit/api.ts';
import { useResource } from '../kit/live.ts';

/** What the desk's calls answer once it is closed, its reviewer's role has ended, or the sign-in is over. */
const ENDINGS: readonly CallFailed['code'][] = ['second_factor_required', 'unauthorized', 'not_found'];

export interface DeskAccess {
  state: DeskState | undefined;
  failure: CallFailed | undefined;
  reload: () => void;
}

/**
 * Whether the desk is open, read afresh after each of its calls: every use of it moves its end. It is also read when its
 * time is over, and when the page is looked at again.
 */
export function useDeskState(): DeskAccess {
  const { value, failure, reload } = useResource<DeskState>('/api/desk', []);
  const look = useRef(reload);
  look.current = reload;
  useEffect(
    () =>
      watchCalls((path, failure) => {
        if (path.startsWith('/api/desk/') && (!failure || ENDINGS.includes(failure.code))) look.current();
      }),
    [],
  );
  useEffect(() => {
    const seen = () => document.visibilityState === 'visible' && look.current();
    document.addEventListener('visibilitychange', seen);
    return () => document.removeEventListener('visibilitychange', seen);
  }, []);
  const openUntil = value?.openUntil;
  useEffect(() => {
    if (!openUntil) return;
    const timer = setTimeout(() => look.current(), Math.max(0, Date.parse(openUntil) - Date.now()) + 500);
    return () => clearTimeout(timer);
  }, [openUntil]);
  return { state: value, failure, reload };
}

/** Milliseconds until then, read every few seconds. */
export function useTimeLeft(until: string): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 5_000);
    return () => clearInterval(timer);
  }, [until]);
  return Date.parse(until) - now;
}

/** Where the address leads: a list, with a case of it if one is open, or another part of the desk. */
export interface Place {
  part: string;
  case: number | undefined;
}

function placeNow(): Place {
  const [part = '', number] = location.hash.slice(1).split('/');
  return { part: part || 'open', case: number && /^\d{1,15}$/.test(number) ? Number(number) : undefined };
}

export function usePlace(): Place {
  const [place, setPlace] = useState(placeNow);
  useEffect(() => {
    const moved = () => setPlace(placeNow());
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  return place;
}
