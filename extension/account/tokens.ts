import type { SecretStorage } from 'vscode';
import { Disposable } from '../platform/dispose.ts';
import { Emitter } from '../platform/emitter.ts';
import type { ServerUrl } from '../platform/serverUrl.ts';

/**
 * The token of the current server, in the editor's secret storage, which all windows of a machine share. Each server has
 * its own, so that a changed address never hands a token to a stranger.
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
        if (event.key === this.key()) this.changed.fire();
      }),
    );
  }

  async get(): Promise<string | undefined> {
    const key = this.key();
    return key === undefined ? undefined : this.secrets.get(key);
  }

  /**
   * Stores a token that was just made, unless another window was faster: then that one counts for both. Returns the one
   * that is stored. Rejects when the editor cannot keep secrets.
   */
  async keep(token: string): Promise<string> {
    const key = this.key();
    if (key === undefined) return token;
    const other = await this.secrets.get(key);
    if (other) return other;
    await this.secrets.store(key, token);
    return (await this.secrets.get(key)) ?? token;
  }

  /** Deletes `token` if it is still the stored one. */
  async drop(token: string): Promise<void> {
    const key = this.key();
    if (key !== undefined && (await this.secrets.get(key)) === token) await this.secrets.delete(key);
  }

  private key(): string | undefined {
    const server = this.serverUrl();
    return 'url' in server ? `token ${server.url}` : undefined;
  }
}
