import assert from 'node:assert/strict';
import { ConfigError, parseConfig } from '../../server/platform/config/config.ts';

const parse = (env: Record<string, string>, file: unknown = {}) =>
  parseConfig({ PERIGEE_CONFIG: 'a.json', ...env }, () => JSON.stringify(file));
const KEYS = { STRIPE_SECRET_KEY: 'sk_test_hush', STRIPE_WEBHOOK_SECRET: 'whsec_hush' };

const PACK = { id: 'small', name: 'Small', cents: 500, creditsMicro: 1 };
const WINDOW = { name: '5 hours', hours: 5, limitMicro: 1 };
const PLAN = { id: 'plus', name: 'Plus', monthCents: 100, yearCents: 1000, windows: [WINDOW] };

describe('the settings of payments', () => {
  it('sell nothing without keys, and have packs and a plan to offer with them', () => {
    assert.equal(parse({}).payments, null);
    const { payments, policy } = parse(KEYS);
    assert.deepEqual(payments, { secretKey: 'sk_test_hush', webhookSecret: 'whsec_hush', apiBase: null });
    assert.deepEqual(
      [policy.currency, policy.packs.map(({ cents }) => cents), policy.plans.map(({ id }) => id), policy.tierCents],
      ['usd', [500, 1000, 5000], ['plus'], [1_000, 5_000, 25_000, 100_000]],
    );
  });

  it('take what an operator sells instead', () => {
    const { policy } = parse(KEYS, { currency: 'eur', packs: [PACK], plans: [], tierCents: [] });
    assert.deepEqual([policy.currency, policy.packs, policy.plans, policy.tierCents], ['eur', [PACK], [], []]);
  });

  it('reach a double of Stripe on this machine', () =>
    assert.equal(
      parse({ ...KEYS, STRIPE_API_BASE: 'http://127.0.0.1:12111' }).payments?.apiBase,
      'http://127.0.0.1:12111',
    ));

  const WRONG_ENV: [what: string, env: Record<string, string>, told: RegExp][] = [
    ['a key without the webhook’s secret', { STRIPE_SECRET_KEY: 'sk_hush' }, /^STRIPE_WEBHOOK_SECRET is missing/],
    ['a webhook’s secret without a key', { STRIPE_WEBHOOK_SECRET: 'whsec_hush' }, /^STRIPE_SECRET_KEY is missing/],
    ['what is no key', { ...KEYS, STRIPE_SECRET_KEY: 'pk_hush' }, /^STRIPE_SECRET_KEY must begin with/],
    ['what is no secret', { ...KEYS, STRIPE_WEBHOOK_SECRET: 'hush' }, /^STRIPE_WEBHOOK_SECRET must begin with/],
    ['a key with a line break', { ...KEYS, STRIPE_SECRET_KEY: 'sk_hush\n' }, /^STRIPE_SECRET_KEY must begin with/],
    ['Stripe by http', { ...KEYS, STRIPE_API_BASE: 'http://stripe.example' }, /^STRIPE_API_BASE must be https/],
    ['Stripe under a path', { ...KEYS, STRIPE_API_BASE: 'https://stripe.example/v1' }, /without a path/],
    ['Stripe by a query', { ...KEYS, STRIPE_API_BASE: 'https://stripe.example?a=b' }, /without a query/],
    ['Stripe as somebody', { ...KEYS, STRIPE_API_BASE: 'https://a:hush@stripe.example' }, /without a user name/],
    ['what is no address', { ...KEYS, STRIPE_API_BASE: 'stripe' }, /^STRIPE_API_BASE is not a URL/],
    ['nowhere to come back to', { ...KEYS, HOST: '0.0.0.0', DEMO: '1' }, /^PUBLIC_URL is required for payments/],
  ];
  for (const [what, env, told] of WRONG_ENV)
    it(`refuse ${what}, and repeat no secret`, () =>
      assert.throws(
        () => parse(env),
        (error) => error instanceof ConfigError && told.test(error.message) && !error.message.includes('hush'),
      ));

  const WRONG_FILES: [what: string, file: unknown, told: RegExp][] = [
    ['a pack for nothing', { packs: [{ ...PACK, cents: 0 }] }, /packs\[0\]\.cents/],
    ['a pack that pays', { packs: [{ ...PACK, cents: -5 }] }, /packs\[0\]\.cents/],
    ['a fraction of a cent', { packs: [{ ...PACK, cents: 0.5 }] }, /packs\[0\]\.cents/],
    ['more money than Stripe takes', { packs: [{ ...PACK, cents: 100_000_000 }] }, /packs\[0\]\.cents/],
    ['a pack of nothing', { packs: [{ ...PACK, creditsMicro: 0 }] }, /packs\[0\]\.creditsMicro/],
    ['more credits than add up', { packs: [{ ...PACK, creditsMicro: 2 ** 52 }] }, /packs\[0\]\.creditsMicro/],
    ['a pack twice', { packs: [PACK, PACK] }, /a pack is listed twice/],
    ['a pack by a strange id', { packs: [{ ...PACK, id: 'A pack' }] }, /packs\[0\]\.id/],
    ['a plan twice', { plans: [PLAN, PLAN] }, /a plan is listed twice/],
    ['a plan without windows', { plans: [{ ...PLAN, windows: [] }] }, /plans\[0\]\.windows/],
    ['windows that do not grow', { plans: [{ ...PLAN, windows: [WINDOW, WINDOW] }] }, /longer than the one before/],
    ['a window of no time', { plans: [{ ...PLAN, windows: [{ ...WINDOW, hours: 0 }] }] }, /windows\[0\]\.hours/],
    ['a plan without a price', { plans: [{ ...PLAN, yearCents: undefined }] }, /yearCents/],
    ['a currency that is none', { currency: 'xyz' }, /no such currency/],
    ['a currency in capitals', { currency: 'USD' }, /three lower-case letters/],
    ['tiers that do not rise', { tierCents: [1_000, 1_000] }, /more than the one before/],
    ['a price under another name', { packs: [{ ...PACK, price: 5 }] }, /price/],
  ];
  for (const [what, file, told] of WRONG_FILES)
    it(`refuse ${what}, and say where`, () => assert.throws(() => parse({}, file), told));
});
