import { parsePayments } from '../../server/platform/config/paymentConfig.ts';
import type { Log } from '../../server/platform/log.ts';
import { StripeDouble } from '../doubles/stripe.ts';
import type { TestServerOptions } from './server.ts';
import { Shop } from './shopWorld.ts';
import { onBothEnginesWithSignIn, type SignInWorld } from './signIn.ts';

export { Shop } from './shopWorld.ts';

/** Runs a suite on both engines, with a server that sells credits. */
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
    // The suite's server is made later; the shop logs its lines.
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
