import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import { messagesError } from '../../../../server/gateway/dialects/messages/errors.ts';
import { PROBLEMS, type ProblemCode } from '../../../../shared/problems.ts';

const error = (code: ProblemCode, more: { limitTokens?: number } = {}, promptTokens?: number) =>
  messagesError({ code, detail: 'What to do.', requestId: 'r1', ...more }, promptTokens);

describe('a refusal in the Messages dialect', () => {
  const ROWS: [code: ProblemCode, status: number, type: string, isWorthRetry: boolean][] = [
    ['invalid_json', 400, 'invalid_request_error', false],
    ['invalid_request', 400, 'invalid_request_error', false],
    ['request_refused', 400, 'invalid_request_error', false],
    ['key_unknown', 401, 'authentication_error', false],
    ['key_expired', 401, 'authentication_error', false],
    ['insufficient_credits', 402, 'billing_error', false],
    ['key_spent', 402, 'billing_error', false],
    ['suspended', 403, 'permission_error', false],
    ['not_found', 404, 'not_found_error', false],
    ['model_unknown', 404, 'not_found_error', false],
    ['method_not_allowed', 405, 'invalid_request_error', false],
    ['conversation_busy', 409, 'conflict_error', false],
    ['payload_too_large', 413, 'request_too_large', false],
    ['unsupported_encoding', 415, 'invalid_request_error', false],
    ['context_too_long', 400, 'invalid_request_error', false],
    ['rate_limited', 429, 'rate_limit_error', true],
    ['too_many_attempts', 429, 'rate_limit_error', true],
    ['internal', 500, 'api_error', true],
    ['upstream_failed', 502, 'api_error', true],
    ['upstream_refused', 502, 'api_error', false],
    ['unavailable', 503, 'api_error', true],
    ['upstream_busy', 529, 'overloaded_error', true],
    ['shutting_down', 529, 'overloaded_error', true],
    ['upstream_timeout', 504, 'timeout_error', true],
  ];
  for (const [code, status, type, isWorthRetry] of ROWS)
    it(`of ${code} is a ${status} ${type}`, () => {
      const told = error(code);
      assert.deepEqual([told.status, told.body.error.type, told.isWorthRetry], [status, type, isWorthRetry]);
      assert.match(told.body.error.message, /What to do\.$/);
      assert.deepEqual([told.body.type, told.body.request_id], ['error', 'r1']);
    });

  it('exists for every problem', () => {
    for (const code of Object.keys(PROBLEMS) as ProblemCode[]) assert.match(error(code).body.error.type, /^[a-z_]+$/);
  });

  it('row 51: of a conversation that is too long has the words that clients make a summary for', () => {
    const message = (...args: Parameters<typeof error>) => error(...args).body.error.message;
    assert.equal(
      message('context_too_long', { limitTokens: 1_000 }, 1_500),
      'prompt is too long: 1500 tokens > 1000 maximum. What to do.',
    );
    // Prompt and answer together are too long: the prompt alone is not.
    for (const told of [
      message('context_too_long'),
      message('context_too_long', { limitTokens: 1_000 }),
      message('context_too_long', { limitTokens: 1_000 }, 900),
    ])
      assert.equal(told, 'prompt is too long. What to do.');
  });

  it('row 35: is an event in the middle of a stream, which the SDK throws with its type', async () => {
    const body = JSON.stringify(error('upstream_failed').body);
    const client = new Anthropic({
      apiKey: 'k',
      maxRetries: 0,
      fetch: async () =>
        new Response(`event: error\ndata: ${body}\n\n`, { headers: { 'content-type': 'text/event-stream' } }),
    });
    const asking = client.messages.create({ model: 'm', max_tokens: 1, messages: [], stream: true });
    await assert.rejects(
      async () => {
        for await (const event of await asking) assert.fail(event.type);
      },
      (thrown: unknown) => thrown instanceof Anthropic.APIError && thrown.type === 'api_error',
    );
  });

  it('row 52: is thrown by the SDK as what it is, after one try if it is not worth another', async () => {
    for (const [code, kind, tries] of [
      ['key_unknown', Anthropic.AuthenticationError, 1],
      ['insufficient_credits', Anthropic.APIError, 1],
      ['context_too_long', Anthropic.BadRequestError, 1],
      ['rate_limited', Anthropic.RateLimitError, 2],
      ['upstream_busy', Anthropic.APIError, 2],
    ] as const) {
      let count = 0;
      const { status, isWorthRetry, body } = error(code);
      const client = new Anthropic({
        apiKey: 'k',
        maxRetries: 1,
        fetch: async () => {
          count++;
          const headers: Record<string, string> = { 'content-type': 'application/json', 'retry-after-ms': '1' };
          if (!isWorthRetry) headers['x-should-retry'] = 'false';
          return new Response(JSON.stringify(body), { status, headers });
        },
      });
      await assert.rejects(
        () => client.messages.create({ model: 'm', max_tokens: 1, messages: [] }),
        (thrown: unknown) =>
          thrown instanceof kind && thrown.status === status && thrown.type === body.error.type && count === tries,
        code,
      );
    }
  });
});
