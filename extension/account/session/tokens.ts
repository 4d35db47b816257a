import type { SecretStorage } from 'vscode';
import { Disposable } from '../../platform/dispose.ts';
import { Emitter } from '../../platform/emitter.ts';
import type { ServerUrl } from '../../platform/server/serverUrl.ts';
import type { StoredKey } from './signingKey.ts';

export interface KeptGuest {
  kind: 'guest';
  /** The address of the server whose account this is. */
  server: string;
  token: string;
}

/** A member's token, with all that another window needs to continue with it. */
export interface KeptMember {
  kind: 'member';
  /** The address of the server whose account this is. */
  server: string;
  token: string;
  /** The key that the token is bound to. If two windows made keys at the same time, this is the one that signed in. */
  key: StoredKey;
  account: { id: string; label: string };
  /** When the token was issued and when it expires: ms since 1970, by this machine's clock. */
  since: number;
  until: number;
}

export type Kept = KeptGuest | KeptMember;

/**
 * The signed-in account of the current server, in the editor's secret storage, which all windows of a machine share.
 * Each server has its own entry, so that a changed address never sends a token to another server.
 */
export class Tokens extends Disposable {
  private readonly changed = this._register(new Emitter<void>());
  /** The current server's token was stored or deleted, perhaps by another window. */
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly secrets: SecretStorage,
    private readonly serverUrl: () => ServerUrl,
  ) {
    super();
    this._register(
      secrets.onDidChange((event) => {
        const server = this.serverUrl();
        if ('url' in server && event.key === keyOf(server.url)) this.changed.fire();
      }),
    );
  }

  async get(): Promise<Kept | undefined> {
    const server = this.serverUrl();
    return 'url' in server ? this.of(server.url) : undefined;
  }

  /**
   * Stores a new guest. If another window was faster, both use the guest of that window. Returns the stored guest.
   * Rejects when the editor cannot keep secrets.
   */
  async keepGuest(guest: KeptGuest): Promise<Kept> {
    const other = await this.of(guest.server);
    if (other) return other;
    await this.store(guest);
    return (await this.of(guest.server)) ?? guest;
  }

  /** Stores the member who signed in, and replaces the account before. */
  async keepMember(member: KeptMember): Promise<void> {
    await this.store(member);
  }

  /** Stores the token that replaces `old`, unless another window has stored its own meanwhile. */
  async renew(old: Kept, member: KeptMember): Promise<void> {
    if ((await this.of(old.server))?.token === old.token) await this.store(member);
  }

  /** Deletes the stored token of `server` if it still is `token`. */
  async drop({ server, token }: { server: string; token: string }): Promise<void> {
    if ((await this.of(server))?.token === token) await this.secrets.delete(keyOf(server));
  }

  private async of(server: string): Promise<Kept | undefined> {
    const text = await this.secrets.get(keyOf(server));
    if (!text) return undefined;
    // The entry's name tells the server; a guest is stored as the bare token, the format of older versions.
    return text.startsWith('{')
      ? { ...(JSON.parse(text) as KeptMember), server }
      : { kind: 'guest', server, token: text };
  }

  private async store(kept: Kept): Promise<void> {
    await this.secrets.store(keyOf(kept.server), kept.kind === 'guest' ? kept.token : JSON.stringify(kept));
  }
}

const keyOf = (server: string) => `token ${server}`;
