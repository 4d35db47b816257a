import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ProviderConfig } from '../../server/platform/config/signInConfig.ts';

/** The GitHub calls of a sign-in, with PKCE checked. Each sign-in succeeds at once, as the person that is set. */
export class GithubDouble {
  user = { id: 1, login: 'nobody', name: null as string | null };
  emails: { email: string; primary: boolean; verified: boolean }[] = [];
  readonly #codes = new Map<string, { challenge: string; redirect: string }>();
  readonly #tokens = new Set<string>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const url = new URL(request.url!, 'http://github');
      let body = '';
      for await (const bytes of request) body += bytes;
      const [status, answer, location] = this.#answer(url, new URLSearchParams(body), request.headers.authorization);
      response.writeHead(status, { 'content-type': 'application/json', ...(location ? { location } : {}) });
      response.end(JSON.stringify(answer));
    });
  }

  static async start(): Promise<GithubDouble> {
    const double = new GithubDouble();
    double.#server.listen(0, '127.0.0.1');
    await once(double.#server, 'listening');
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  config(): ProviderConfig {
    const { url } = this;
    const client = { clientId: 'client-github', clientSecret: 'hush' };
    return { kind: 'github', id: 'github', name: 'GitHub', url, apiUrl: `${url}/api/v3`, ...client };
  }

  #answer(url: URL, form: URLSearchParams, authorization = ''): [status: number, body: unknown, location?: string] {
    switch (url.pathname) {
      case '/login/oauth/authorize': {
        const code = randomUUID();
        const query = url.searchParams;
        const redirect = query.get('redirect_uri')!;
        if (query.get('code_challenge_method') !== 'S256') return [400, { error: 'no PKCE' }];
        this.#codes.set(code, { challenge: query.get('code_challenge')!, redirect });
        return [302, {}, `${redirect}?${new URLSearchParams({ code, state: query.get('state')! })}`];
      }
      case '/login/oauth/access_token': {
        const code = this.#codes.get(form.get('code') ?? '');
        this.#codes.delete(form.get('code') ?? '');
        const challenge = createHash('sha256')
          .update(form.get('code_verifier') ?? '')
          .digest('base64url');
        const fits = code?.challenge === challenge && code.redirect === form.get('redirect_uri');
        if (!fits || form.get('client_secret') !== 'hush') return [200, { error: 'bad_verification_code' }];
        const token = `gho_${randomUUID()}`;
        this.#tokens.add(token);
        return [200, { access_token: token, token_type: 'bearer', scope: 'read:user,user:email' }];
      }
    }
    if (!this.#tokens.has(authorization.replace('Bearer ', ''))) return [401, { message: 'Bad credentials' }];
    if (url.pathname === '/api/v3/user') return [200, this.user];
    if (url.pathname === '/api/v3/user/emails') return [200, this.emails];
    return [404, { message: 'Not Found' }];
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
