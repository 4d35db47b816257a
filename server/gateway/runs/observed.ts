import type { RunRequest } from '../../../shared/runs.ts';
import type { AppContext } from '../../platform/http/env.ts';
import { factsOfCall, factsOfRun, type TurnFacts } from '../../risk/observe/turn.ts';
import type { Observer } from '../../risk/observer.ts';

/** What sees admitted requests. It refuses, delays and charges nothing, so nothing awaits it. */
export interface ObservedDeps {
  observer: Pick<Observer, 'saw'>;
}

/** Shows an admitted call of a tool to the observer. `chat`: in the form of chat completions; `sent`: as it was sent. */
export function observeCall(deps: ObservedDeps, c: AppContext, chat: Record<string, unknown>, sent: unknown): void {
  later(deps, c, sent, () => factsOfCall(chat));
}

/** Shows an admitted run of the editor to the observer. */
export function observeRun(deps: ObservedDeps, c: AppContext, request: RunRequest, isFirst: boolean): void {
  later(deps, c, null, () => factsOfRun(request, isFirst));
}

/**
 * Guests have nothing to resell, and the single user of this machine has nobody to resell it to: they are not observed.
 * The bodies are read when the request has gone to the model service, and are held no longer.
 */
function later({ observer }: ObservedDeps, c: AppContext, body: unknown, turn: () => TurnFacts): void {
  const { accountId, accountKind, isLocal, sessionId, installKey, key } = c.var;
  if (accountKind === 'guest' || isLocal) return;
  const { incoming } = c.env;
  const credential = key?.id ?? sessionId;
  setImmediate(() => observer.saw({ accountId, credential, installKey, incoming, body, turn }));
}
