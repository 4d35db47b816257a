import type { SignInOptions } from '../../shared/auth.ts';
import type { Backend } from '../backend.ts';
import { Disposable } from '../platform/dispose.ts';
import { Emitter } from '../platform/emitter.ts';
import type { ServerUrl } from '../platform/server/serverUrl.ts';

/** How one can sign in on the current server, asked for when somebody wants to know. */
export class Offers extends Disposable {
  private readonly changed = this._register(new Emitter<void>());
  readonly onDidChange = this.changed.event;
  private known: { server: string; options: SignInOptions } | undefined;

  constructor(
    private readonly backend: Backend,
    private readonly serverUrl: () => ServerUrl,
  ) {
    super();
  }

  /** What is known of the current server; undefined before it was asked. */
  get options(): SignInOptions | undefined {
    return this.known?.server === this.address() ? this.known.options : undefined;
  }

  /** Asks. Rejects with a `BackendError`. */
  async load(): Promise<SignInOptions> {
    const server = this.address();
    const options = await this.backend.signInOptions();
    this.known = { server, options };
    this.changed.fire();
    return options;
  }

  private address(): string {
    const server = this.serverUrl();
    return 'url' in server ? server.url : '';
  }
}

/** Whether somebody can sign in there at all, in a browser. */
export function isOffered({ providers, email }: SignInOptions): boolean {
  return providers.length > 0 || email;
}
