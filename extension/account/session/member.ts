import type { TokenAnswer } from '../../../shared/auth.ts';
import type { Credential } from '../../platform/server/wire.ts';
import { accountLabel } from './label.ts';
import { bearer, proven, type ServerClock, SigningKey } from './signingKey.ts';
import type { Kept, KeptMember } from './tokens.ts';

/** The member to store, from the answer of `server`. */
export function memberOf(server: string, answer: TokenAnswer, key: SigningKey, now: number): KeptMember {
  const { access_token: token, expires_in, account } = answer;
  return {
    kind: 'member',
    server,
    token,
    key: key.stored,
    account: { id: account.id, label: accountLabel(account) },
    since: now,
    until: now + expires_in * 1000,
  };
}

/** Whether less than half of a token's lifetime is left. A guest's token does not expire. */
export function isHalfSpent(kept: Kept, now: number): boolean {
  return kept.kind === 'member' && now > kept.since + (kept.until - kept.since) / 2;
}

/** Makes credentials from the stored account. Caches the last one, so that each request need not import the key. */
export class Credentials {
  private last: Credential | undefined;

  constructor(private readonly clock: ServerClock) {}

  of(kept: Kept): Credential {
    if (this.last?.token !== kept.token || this.last.server !== kept.server) this.last = this.make(kept);
    return this.last!;
  }

  private make(kept: Kept): Credential {
    if (kept.kind === 'guest') return bearer(kept.server, kept.token);
    const key = SigningKey.import(kept.key);
    // The caller that awaits the key reports its failure.
    key.catch(() => {});
    return proven(kept.server, key, kept.token, this.clock);
  }
}
