import type { Clock, Ids } from '../../platform/clock.ts';
import type { SignInConfig } from '../../platform/config/signInConfig.ts';
import type { Database } from '../../platform/db/database.ts';
import type { AppContext } from '../../platform/http/env.ts';
import type { Origins } from '../../platform/http/origins.ts';
import type { Attempts } from '../sessions/attempts.ts';
import type { Proofs } from '../sessions/dpop.ts';
import type { KnownBrowsers } from '../sessions/knownBrowsers.ts';
import { network } from './guests.ts';
import type { SignUpDeps } from './identities.ts';
import type { MoveRuns } from './merge.ts';

export interface GrantDeps extends SignUpDeps {
  db: Database;
  clock: Clock;
  ids: Ids;
  sessionMs: number;
  moveRuns: MoveRuns;
}

export interface AuthDeps extends GrantDeps {
  origins: Origins;
  proofs: Proofs;
  attempts: Attempts;
  browsers: KnownBrowsers;
  signIn: SignInConfig;
  /** Whether anything is on sale here. */
  isSelling: boolean;
  addressOf: (c: AppContext) => string | null;
  /** Puts the next local token where only this machine's user can read it; null without local mode. */
  publishLocalToken: ((token: string) => Promise<void>) | null;
}

/** A key to count attempts by network. */
export function networkOf(deps: Pick<AuthDeps, 'addressOf' | 'secret'>, c: AppContext): string {
  return network(deps.addressOf(c) ?? 'this machine', deps.secret);
}
