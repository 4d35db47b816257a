import type { Policy } from '../../server/platform/config/config.ts';
import { GithubDouble } from '../doubles/github.ts';
import { IdentityProvider } from '../doubles/identityProvider.ts';
import { onBothEngines } from './engines.ts';
import type { Engine, TestServerOptions } from './server.ts';
import { SignInWorld } from './signInWorld.ts';

export { SignInWorld, somebody } from './signInWorld.ts';

/** Runs a suite on both engines, with a server that offers sign-in. */
export function onBothEnginesWithSignIn(
  title: string,
  suite: (world: () => SignInWorld, engine: Engine) => void,
  options: TestServerOptions = {},
): void {
  describe(title, () => {
    let idp: IdentityProvider;
    let github: GithubDouble;
    before(async () => {
      idp = await IdentityProvider.start();
      github = await GithubDouble.start();
    });
    after(async () => {
      await idp.stop();
      await github.stop();
    });
    let policy: Policy;
    const config: TestServerOptions['config'] = (settings) => {
      policy = settings.policy;
      settings.signIn = {
        providers: [idp.config('google', 'Google'), github.config(), idp.config('acme', 'Acme')],
        mail: { url: 'console:', from: 'mail@perigee.example' },
        local: false,
      };
      settings.policy.accounts.terms.url = 'https://perigee.example/terms';
      options.config?.(settings);
    };
    onBothEngines(
      title,
      (server, engine) => {
        suite(() => new SignInWorld(server, idp, github, policy), engine);
      },
      { ...options, config },
    );
  });
}
