import assert from 'node:assert/strict';
import { callRefusal, keySpent, openAiError } from '../../server/gateway/calls/errors.ts';
import { AppError } from '../../server/platform/errors.ts';
import { createApi } from '../../server/platform/http/api.ts';
import { onError } from '../../server/platform/http/problems.ts';
import { createLog } from '../../server/platform/log.ts';
import { PROBLEMS, type ProblemCode } from '../../shared/problems.ts';

const CODES = Object.keys(PROBLEMS) as ProblemCode[];
const KEY = `pgk_${'a1'.repeat(24)}x`;

/** Answers a call that fails by this error. */
function refuse(error: Error, path = '/v1/x', headers: Record<string, string> = {}) {
  const api = createApi();
  api.onError(onError(createLog('silent'), callRefusal));
  api.use((c, next) => {
    c.set('now', () => Date.now());
    return next();
  });
  api.get(path, () => {
    throw error;
  });
  return api.request(path, { headers });
}

const TOO_LONG = "The request exceeds this model's maximum context length. Reduce the length of the messages.";

describe('a refusal in OpenAI’s shape', () => {
  const CASES: [code: ProblemCode, status: number, type: string, said: string, param: string | null, retry: boolean][] =
    [
      ['invalid_json', 400, 'invalid_request_error', 'invalid_json', null, false],
      ['invalid_request', 400, 'invalid_request_error', 'invalid_request', null, false],
      ['unauthorized', 401, 'invalid_request_error', 'invalid_api_key', null, false],
      ['invalid_dpop_proof', 401, 'invalid_request_error', 'invalid_api_key', null, false],
      ['key_mistyped', 401, 'invalid_request_error', 'invalid_api_key', null, false],
      ['key_unknown', 401, 'invalid_request_error', 'invalid_api_key', null, false],
      ['key_revoked', 401, 'invalid_request_error', 'invalid_api_key', null, false],
      ['key_expired', 401, 'invalid_request_error', 'invalid_api_key', null, false],
      ['insufficient_credits', 402, 'insufficient_quota', 'insufficient_quota', null, false],
      ['key_spent', 402, 'insufficient_quota', 'insufficient_quota', null, false],
      ['suspended', 403, 'permission_error', 'suspended', null, false],
      ['account_closing', 403, 'permission_error', 'account_closing', null, false],
      ['terms_changed', 403, 'permission_error', 'terms_changed', null, false],
      ['not_found', 404, 'invalid_request_error', 'not_found', null, false],
      ['model_unknown', 404, 'invalid_request_error', 'model_not_found', 'model', false],
      ['method_not_allowed', 405, 'invalid_request_error', 'method_not_allowed', null, false],
      ['payload_too_large', 413, 'invalid_request_error', 'payload_too_large', null, false],
      ['context_too_long', 400, 'invalid_request_error', 'context_length_exceeded', 'messages', false],
      ['rate_limited', 429, 'rate_limit_error', 'rate_limit_exceeded', null, true],
      ['too_many_attempts', 429, 'rate_limit_error', 'rate_limit_exceeded', null, true],
      ['internal', 500, 'server_error', 'internal', null, true],
      ['upstream_failed', 502, 'server_error', 'upstream_failed', null, true],
      ['upstream_refused', 502, 'server_error', 'upstream_refused', null, false],
      ['upstream_busy', 503, 'server_error', 'upstream_busy', null, true],
      ['shutting_down', 503, 'server_error', 'shutting_down', null, true],
      ['unavailable', 503, 'server_error', 'unavailable', null, true],
      ['upstream_timeout', 504, 'server_error', 'upstream_timeout', null, true],
    ];
  for (const [code, status, type, said, param, retry] of CASES)
    it(`of ${code} is ${status} ${said}`, async () => {
      const answer = await refuse(new AppError(code, 'What to do.'));
      const isTooLong = code === 'context_too_long';
      const message = `${isTooLong ? `${TOO_LONG} ` : ''}What to do.`;
      const error = { message, type, code: said, param };
      assert.deepEqual([answer.status, await answer.json()], [status, { error }]);
      assert.equal(answer.headers.get('content-type'), 'application/json');
      assert.equal(answer.headers.get('x-should-retry'), retry ? null : 'false');
      assert.equal(answer.headers.has('www-authenticate'), status === 401);
      assert.equal(answer.headers.has('retry-after'), false);
    });

  it('of every other code has a status of its class, a type and a code', () => {
    for (const code of CODES) {
      const { status, body, isWorthRetry } = openAiError(new AppError(code, 'x'));
      assert.equal(Math.floor(status / 100), Math.floor(PROBLEMS[code].status / 100), code);
      assert.match(body.error.type, /^[a-z_]+$/);
      assert.match(body.error.code, /^[a-z_]+$/);
      assert.equal(isWorthRetry, status === 429 || (status >= 500 && code !== 'upstream_refused'), code);
    }
  });

  it('names the place that does not fit, and when to try again', async () => {
    const issues = [{ path: 'messages.0.role', message: 'x' }];
    const misfit = await refuse(new AppError('invalid_request', 'x', { issues }));
    assert.equal(((await misfit.json()) as { error: { param: string } }).error.param, 'messages.0.role');
    const whole = await refuse(new AppError('invalid_request', 'x', { issues: [{ path: '', message: 'x' }] }));
    assert.equal(((await whole.json()) as { error: { param: null } }).error.param, null);
    const busy = await refuse(
      new AppError('upstream_busy', 'x', { retryAt: new Date(Date.now() + 90_000).toISOString() }),
    );
    assert.match(busy.headers.get('retry-after')!, /^(89|90)$/);
    const own = await refuse(new AppError('rate_limited', 'x', {}, { headers: { 'retry-after': '7' } }));
    assert.equal(own.headers.get('retry-after'), '7');
  });

  it('of a fault of ours says nothing of it', async () => {
    const answer = await refuse(new Error('the secret cause'));
    const text = await answer.text();
    assert.equal(answer.status, 500);
    assert.ok(!text.includes('secret cause') && text.includes('"type":"server_error"'), text);
  });

  it('repeats no key, wherever the request had it', async () => {
    const issues = [{ path: KEY, message: `Unrecognized key: "${KEY}"` }];
    const text = await (await refuse(new AppError('invalid_request', `"${KEY}" is wrong.`, { issues }))).text();
    assert.ok(!text.includes(KEY.slice(0, 20)), text);
  });

  it('of a key that has spent its month says how much, what is left, and until when', () => {
    const of = { limitMicro: 20_000_000, usedMicro: 19_500_000, resetsAt: Date.UTC(2026, 11, 1) };
    const { detail, code } = keySpent('Nightly build', of);
    assert.equal(code, 'key_spent');
    assert.match(
      detail,
      /^The API key "Nightly build" may spend 20 credits a month\. It has 0\.5 credits left until 2026-12-01T/,
    );
    assert.match(keySpent('x', { ...of, usedMicro: 21_000_000 }).detail, /It has 0 credits left/);
  });
});

describe('a conversation that is too long', () => {
  // As the clients look for it; OpenAI's code alone is not enough for them.
  const CLIENTS: [name: string, looksFor: RegExp][] = [
    ['Kimi Code', /context[ _-]?length/],
    ['Continue', /maximum context length|reduce the length of the messages/],
    ['OpenCode', /maximum context length is \d+ tokens|reduce the length of the messages/],
  ];
  for (const [name, looksFor] of CLIENTS)
    for (const extras of [{}, { limitTokens: 128_000, promptTokens: 200_000 }])
      it(`is known to ${name} by its words, ${'limitTokens' in extras ? 'with' : 'without'} the limit`, () => {
        for (const dialect of ['chat', 'responses'] as const) {
          const { error } = openAiError(new AppError('context_too_long', 'Send less.', extras), dialect).body;
          assert.match(error.message.toLowerCase(), looksFor);
          assert.match(error.message, /Send less\.$/);
        }
      });
});

describe('spent credits', () => {
  const spent = new AppError('insufficient_credits', 'The credits of “Nightly” don’t last. Add some.');

  it('are told to Codex by the type and the header after which it stops at once and shows our message', async () => {
    for (const error of [spent, new AppError('key_spent', spent.detail)]) {
      const answer = await refuse(error, '/v1/responses');
      const { type, code, message } = ((await answer.json()) as { error: Record<string, string> }).error;
      assert.deepEqual([answer.status, type, code], [429, 'usage_limit_reached', 'insufficient_quota']);
      assert.equal(message, spent.detail);
      assert.equal(answer.headers.get('x-should-retry'), 'false');
      // Codex puts a comma after it, and headers carry ASCII alone.
      assert.equal(answer.headers.get('x-codex-promo-message'), "The credits of ?Nightly? don't last. Add some");
    }
  });

  it('have that header in no other dialect, and no other refusal has it', async () => {
    for (const path of ['/v1/chat/completions', '/v1/messages'])
      assert.equal((await refuse(spent, path)).headers.has('x-codex-promo-message'), false, path);
    for (const code of ['rate_limited', 'key_unknown', 'upstream_busy'] as const)
      assert.equal(
        (await refuse(new AppError(code, 'x'), '/v1/responses')).headers.has('x-codex-promo-message'),
        false,
      );
  });

  it('repeat no key in that header', async () => {
    const answer = await refuse(new AppError('insufficient_credits', `"${KEY}" is spent.`), '/v1/responses');
    assert.ok(!answer.headers.get('x-codex-promo-message')!.includes(KEY.slice(0, 20)));
  });

  it('fit into that header even if the message has several lines', async () => {
    const answer = await refuse(new AppError('insufficient_credits', 'One.\r\nx-other: 1'), '/v1/responses');
    assert.equal(answer.headers.get('x-codex-promo-message'), 'One.??x-other: 1');
  });
});

describe('a key or an account that is refused', () => {
  const CODEX = 'codex_exec/0.171.0 (Debian 12.0.0; x86_64) dumb (codex_exec; 0.171.0)';
  const rows: [code: 'key_unknown' | 'key_revoked' | 'suspended', path: string, agent: string, status: number][] = [
    ['key_unknown', '/v1/responses', CODEX, 400],
    ['key_revoked', '/v1/responses', 'codex_cli_rs/0.171.0', 400],
    ['suspended', '/v1/responses', CODEX, 400],
    ['key_unknown', '/v1/responses', 'OpenAI/JS 6.1.0', 401],
    ['suspended', '/v1/responses', '', 403],
    ['key_unknown', '/v1/chat/completions', CODEX, 401],
    ['key_unknown', '/v1/messages', CODEX, 401],
  ];
  for (const [code, path, agent, status] of rows)
    it(`(${code}) at ${path} is ${status} for ${agent === '' ? 'a client without a name' : agent.split(' ')[0]}`, async () => {
      const answer = await refuse(new AppError(code, 'Make another key.'), path, { 'user-agent': agent });
      assert.equal(answer.status, status);
      assert.equal(answer.headers.has('www-authenticate'), status === 401);
      assert.match(await answer.text(), /Make another key\./);
    });
});
