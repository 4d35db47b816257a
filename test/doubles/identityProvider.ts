import { OAuth2Server } from 'oauth2-mock-server';
import type { ProviderConfig } from '../../server/platform/config/signInConfig.ts';

/** What the provider says of the next person who signs in. */
export interface Person {
  sub: string;
  email?: string;
  email_verified?: boolean | string;
  name?: string;
}

/** An OIDC provider at which each sign-in succeeds at once, as the person that the test has set. */
export class IdentityProvider {
  person: Person = { sub: 'nobody' };
  /** Changes the payload before it is signed, for tokens that the server must refuse. */
  forge: (payload: Record<string, unknown>) => void = () => {};
  /** The queries with which browsers arrived, newest last. */
  readonly asked: URLSearchParams[] = [];
  readonly #server = new OAuth2Server();

  static async start(): Promise<IdentityProvider> {
    const provider = new IdentityProvider();
    const server = provider.#server;
    await server.issuer.keys.generate('RS256');
    await server.start(0, '127.0.0.1');
    server.service.on('beforeTokenSigning', ({ payload }: { payload: Record<string, unknown> }) => {
      Object.assign(payload, provider.person);
      provider.forge(payload);
    });
    server.service.on('beforeUserinfo', (answer: { body: unknown }) => {
      answer.body = { ...provider.person };
    });
    server.service.on('beforeAuthorizeRedirect', (_uri: unknown, request: { url: string }) => {
      provider.asked.push(new URL(request.url, 'http://provider').searchParams);
    });
    return provider;
  }

  get issuer(): string {
    return this.#server.issuer.url!;
  }

  /** The configuration for this provider, with a name from the test. */
  config(id: string, name: string): ProviderConfig {
    const scopes = ['openid', 'email', 'profile'];
    return { kind: 'oidc', id, name, issuer: this.issuer, clientId: `client-${id}`, clientSecret: 'hush', scopes };
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}
