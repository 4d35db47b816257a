import type { AppContext } from '../../platform/http/env.ts';
import type { TurnFacts } from '../../risk/observe/turn.ts';
import type { Observer } from '../../risk/observer.ts';

/** What sees admitted requests. It refuses, delays and charges nothing, so nothing awaits it. */
export interface ObservedDeps {
  observer: Pick<Observer, 'saw'>;
}

/**
 * Shows an admitted request to the observer. Guests have nothing to resell, and the single user of this machine has
 * nobody to resell it to: they are not observed.
 */
export function observe(
  { observer }: ObservedDeps,
  c: AppContext,
  { body, turn }: { body: unknown; turn: () => TurnFacts },
): void {
  const { accountId, accountKind, isLocal, sessionId, installKey, key } = c.var;
  if (accountKind === 'guest' || isLocal) return;
  observer.saw({ accountId, credential: key?.id ?? sessionId, installKey, incoming: c.env.incoming, body, turn });
}
