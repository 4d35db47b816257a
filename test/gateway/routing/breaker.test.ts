import assert from 'node:assert/strict';
import { Breaker } from '../../../server/gateway/routing/breaker.ts';
import { UpstreamError, type UpstreamFailure } from '../../../server/gateway/stream.ts';

const error = (code: UpstreamFailure, options: UpstreamError['options'] = {}) => new UpstreamError(code, 'x', options);
const BROKEN = error('upstream_failed');

describe('what is known of a service’s health', () => {
  it('is good until it fails three times in a row', () => {
    const breaker = new Breaker();
    for (const then of ['failed', 'failed', 'succeeded', 'failed', 'failed'] as const)
      then === 'failed' ? breaker.failed(BROKEN, 0) : breaker.succeeded();
    assert.equal(breaker.condition(0), 'well');
    assert.equal(breaker.failed(BROKEN, 0), true, 'told once');
    assert.deepEqual([breaker.condition(0), breaker.condition(4_999)], ['out', 'out']);
    assert.equal(breaker.condition(5_000), 'well', 'for one request, which tries it');
  });

  it('is tried by one request at a time when it may be back, and is good again with its first answer', () => {
    const breaker = new Breaker();
    for (let i = 0; i < 3; i++) breaker.failed(BROKEN, 0);
    const end = breaker.begin();
    assert.equal(breaker.condition(5_000), 'probing');
    end();
    assert.equal(breaker.condition(5_000), 'well');
    breaker.begin();
    breaker.succeeded();
    assert.equal(breaker.condition(5_000), 'well');
  });

  it('is doubted for longer after each failed try, up to two minutes, and never for ever', () => {
    const breaker = new Breaker();
    for (let i = 0; i < 3; i++) breaker.failed(BROKEN, 0);
    let now = 0;
    const waits: number[] = [];
    for (let i = 0; i < 7; i++) {
      waits.push(breaker.backAt - now);
      now = breaker.backAt;
      breaker.failed(BROKEN, now);
    }
    assert.deepEqual(waits, [5_000, 10_000, 20_000, 40_000, 80_000, 120_000, 120_000]);
    breaker.succeeded();
    assert.equal(breaker.condition(now), 'well');
  });

  it('counts requests that were on their way when it went out as one failure', () => {
    const breaker = new Breaker();
    for (let i = 0; i < 50; i++) breaker.failed(BROKEN, 0);
    assert.equal(breaker.backAt, 5_000);
  });

  const CASES: [what: string, error: UpstreamError, condition: string, backAt: number][] = [
    ['one timeout, because each costs its user a minute', error('upstream_timeout'), 'out', 5_000],
    ['one refused key or empty account, for a minute', error('upstream_refused'), 'out', 60_000],
    ['a pause that it asked for', error('upstream_busy', { retryAfterMs: 3_000 }), 'resting', 3_000],
    [
      'a pause of an hour, of which two minutes',
      error('upstream_busy', { retryAfterMs: 3_600_000 }),
      'resting',
      120_000,
    ],
    ['one failure', BROKEN, 'well', 0],
    ['being busy once, without a pause', error('upstream_busy'), 'well', 0],
    ['a request that was wrong', error('upstream_refused', { isRequests: true }), 'well', 0],
    ['a prompt that was too long', error('context_too_long'), 'well', 0],
  ];
  for (const [what, failure, condition, backAt] of CASES)
    it(`after ${what} is: ${condition}`, () => {
      const breaker = new Breaker();
      breaker.failed(failure, 0);
      assert.deepEqual([breaker.condition(0), breaker.backAt], [condition, backAt]);
    });
});
