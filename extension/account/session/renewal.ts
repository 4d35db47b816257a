import type { Backend } from '../../backend.ts';
import { Disposable } from '../../platform/dispose.ts';
import type { Credential } from '../../platform/server/wire.ts';
import { type Credentials, isHalfSpent, memberOf } from './member.ts';
import { SigningKey } from './signingKey.ts';
import type { Kept, Tokens } from './tokens.ts';

/** How often to check. A timer for the exact moment would miss it while the machine sleeps. */
const LOOK_MS = 3_600_000;

/** Renews a member's token before it expires. Every window of a machine tries; one success is enough. */
export class Renewal extends Disposable {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private renewing: Promise<void> | undefined;

  constructor(
    private readonly backend: Backend,
    private readonly tokens: Tokens,
    private readonly credentials: Credentials,
    private readonly failed: (error: unknown, who: Credential) => Promise<void>,
  ) {
    super();
    this._register({ dispose: () => clearTimeout(this.timer) });
  }

  /** Checks now and then whether the token is due for renewal. */
  watch(kept: Kept | undefined): void {
    clearTimeout(this.timer);
    if (kept?.kind !== 'member' || this.isDisposed) return;
    this.timer = setTimeout(() => {
      this.look(kept);
      this.watch(kept);
    }, LOOK_MS);
  }

  /** Renews in the background if the token is due. */
  look(kept: Kept): void {
    if (!isHalfSpent(kept, Date.now())) return;
    this.renewing ??= this.renew(kept).finally(() => {
      this.renewing = undefined;
    });
  }

  private async renew(kept: Kept): Promise<void> {
    if (kept.kind !== 'member' || (await this.tokens.get())?.token !== kept.token) return;
    const who = this.credentials.of(kept);
    try {
      const answer = await this.backend.refresh(who);
      await this.tokens.renew(kept, memberOf(kept.server, answer, await SigningKey.import(kept.key), Date.now()));
    } catch (error) {
      // The next call tries again; the current token stays valid until it expires.
      await this.failed(error, who);
    }
  }
}
