import type { TokenAnswer, TokenRequest } from '../../../shared/auth.ts';
import type { Backend } from '../../backend.ts';
import type { Log } from '../../platform/log.ts';
import { BackendError } from '../../platform/server/backendError.ts';
import type { ServerUrl } from '../../platform/server/serverUrl.ts';
import type { InstallKey } from './installKey.ts';
import { memberOf } from './member.ts';
import { proven, type ServerClock } from './signingKey.ts';
import type { Kept, Tokens } from './tokens.ts';

/** What a sign-in exchanges for a token. `Entry` adds the current guest's token. */
export type Grant = TokenRequest extends infer T ? (T extends T ? Omit<T, 'guest_token'> : never) : never;

export interface EntryDeps {
  backend: Backend;
  tokens: Tokens;
  installKey: InstallKey;
  clock: ServerClock;
  serverUrl: () => ServerUrl;
  log: Log;
  /** The grant of this machine's single user, without a question; null if there is no local sign-in. */
  localGrant(): Promise<Grant | null>;
}

/** The ways to sign in. Each stores the server's token for all windows and continues the session with it. */
export class Entry {
  private exchanging: Promise<unknown> | undefined;

  constructor(private readonly deps: EntryDeps) {}

  /** Resolves when no exchange is under way: until then, the current guest may still become a member. */
  async settled(): Promise<void> {
    await this.exchanging?.catch(() => {});
  }

  /** Exchanges a grant for a token bound to this machine's key, and merges the current guest into the account. */
  async signIn(grant: Grant): Promise<TokenAnswer> {
    const exchanging = this.exchange(grant);
    this.exchanging = exchanging;
    try {
      return await exchanging;
    } finally {
      if (this.exchanging === exchanging) this.exchanging = undefined;
    }
  }

  private async exchange(grant: Grant): Promise<TokenAnswer> {
    const { backend, tokens, installKey, clock } = this.deps;
    const server = this.address();
    const [key, kept] = await Promise.all([installKey.get(), tokens.get()]);
    const guest = kept?.kind === 'guest' ? { guest_token: kept.token } : {};
    const answer = await backend.exchange(proven(server, key, null, clock), { ...grant, ...guest });
    this.mustStillBe(server);
    await tokens.keepMember(memberOf(server, answer, key, Date.now()));
    return answer;
  }

  /** Signs in the single user of this machine, if the server was started here. Resolves to whether it worked. */
  async enterLocally(): Promise<boolean> {
    const { tokens, log, localGrant } = this.deps;
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        const grant = await localGrant();
        if (!grant) return false;
        await this.signIn(grant);
        return true;
      } catch (error) {
        // Each local token works once. If another window was faster, use its token, or try the next local token.
        if ((await tokens.get())?.kind === 'member') return true;
        const failure = BackendError.from(error);
        log.warn(`Not signed in locally: ${failure.message}`);
        if (failure.problem.code !== 'invalid_grant') return false;
      }
    }
    return false;
  }

  /** Makes a guest, or uses the one that another window made. Rejects with a `BackendError`. */
  async enterAsGuest(): Promise<Kept> {
    const server = this.address();
    const { token } = await this.deps.backend.guest();
    this.mustStillBe(server);
    return this.deps.tokens.keepGuest({ kind: 'guest', server, token });
  }

  private mustStillBe(server: string): void {
    if (server !== this.address()) throw BackendError.otherServer();
  }

  private address(): string {
    const server = this.deps.serverUrl();
    return 'url' in server ? server.url : '';
  }
}
