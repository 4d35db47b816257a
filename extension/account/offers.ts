import type { SignInOptions } from '../../shared/auth.ts';
import type { Backend } from '../backend.ts';
import { Disposable } from '../platform/dispose.ts';
import { Emitter } from '../platform/emitter.ts';
import type { ServerUrl } from '../platform/server/serverUrl.ts';

/** The ways to sign in on the current server, fetched on demand. */
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

  /** The last answer of the current server; undefined before `load`. */
  get options(): SignInOptions | undefined {
    return this.known?.server === this.address() ? this.known.options : undefined;
  }

  /** Fetches the options. Rejects with a `BackendError`. */
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

/** Whether the server offers any sign-in in a browser. */
export function isOffered({ providers, email }: SignInOptions): boolean {
  return providers.length > 0 || email;
}
