import { parsePayments } from '../../server/platform/config/paymentConfig.ts';
import type { Log } from '../../server/platform/log.ts';
import { StripeDouble } from '../doubles/stripe.ts';
import type { TestServerOptions } from './server.ts';
import { Shop } from './shopWorld.ts';
import { onBothEnginesWithSignIn, type SignInWorld } from './signIn.ts';

export { Shop } from './shopWorld.ts';

/** The same suite on both engines, at a server at which members buy. */
export function onBothEnginesWithShop(
  title: string,
  suite: (shop: () => Shop) => void,
  options: TestServerOptions = {},
): void {
  describe(title, () => {
    let stripe: StripeDouble;
    let shop: Shop;
    let world: () => SignInWorld;
    before(async () => {
      stripe = await StripeDouble.start();
      stripe.now = () => world().server().clock.now();
    });
    after(() => stripe.stop());
    // The suite's server is made later than this; its log is the shop's.
    const log = Object.fromEntries(
      ['debug', 'info', 'warn', 'error', 'fatal'].map((level) => [
        level,
        (...what: unknown[]) =>
          (shop?.log as unknown as Record<string, (...all: unknown[]) => void>)?.[level]?.(...what),
      ]),
    ) as unknown as Log;
    onBothEnginesWithSignIn(
      title,
      (of) => {
        beforeEach(() => {
          world = of;
          shop = new Shop(world, stripe);
          stripe.calls.length = 0;
        });
        suite(() => shop);
      },
      {
        ...options,
        log,
        config(config) {
          config.payments = parsePayments(stripe.env, '127.0.0.1', null);
          options.config?.(config);
        },
      },
    );
  });
}
