import assert from 'node:assert/strict';
import { withinLimit } from '../../../server/gateway/dialects/budgets.ts';
import { toCallRequest } from '../../../server/gateway/dialects/chatCompletions.ts';

const google = (thinking_config: object) => ({ extra_body: { google: { thinking_config } } });

describe('a budget of thoughts', () => {
  const rows: [title: string, given: Record<string, unknown>, sent: object][] = [
    [
      'Anthropic’s',
      { thinking: { type: 'enabled', budget_tokens: 9_000 } },
      { thinking: { type: 'enabled', budget_tokens: 100 } },
    ],
    [
      'OpenRouter’s',
      { reasoning: { max_tokens: 9_000, exclude: true } },
      { reasoning: { max_tokens: 100, exclude: true } },
    ],
    ['of reasoning alone', { reasoning: { max_output_tokens: 101 } }, { reasoning: { max_output_tokens: 100 } }],
    ['Qwen’s', { enable_thinking: true, thinking_budget: 81_920 }, { enable_thinking: true, thinking_budget: 100 }],
    [
      'of a template',
      { chat_template_kwargs: { thinking_budget: 1e9, x: 1 } },
      { chat_template_kwargs: { thinking_budget: 100, x: 1 } },
    ],
    ['Google’s', google({ thinking_budget: 24_576 }), google({ thinking_budget: 100 })],
    ['a least length', { min_tokens: 5_000 }, { min_tokens: 100 }],
  ];
  for (const [title, given, sent] of rows)
    it(`(${title}) is at most the output limit`, () => assert.deepEqual(withinLimit(given, 100), sent));

  it('within the limit, unlimited by its own word, or of another type goes on as the client wrote it', () => {
    for (const given of <Record<string, unknown>[]>[
      { thinking: { type: 'enabled', budget_tokens: 100 }, reasoning: { effort: 'high' } },
      { reasoning_budget: -1, thinking_budget: null },
      { thinking: 'on', reasoning: null, extra_body: { google: 'x' } },
      { thinking: { budget_tokens: '9000' } },
    ])
      assert.equal(withinLimit(given, 100), given);
  });

  it('is bounded in every chat-completions request, beside the one limit that is held', () => {
    const variant = { limit: 'max_tokens', streamOptions: true, cacheKey: false, developerRole: true } as const;
    const body = { thinking: { type: 'enabled', budget_tokens: 32_000 } };
    const request = { model: 'm', body, isStream: true, maxOutputTokens: 64 };
    const sent = toCallRequest(request, { ...variant, systemFirst: false, reasoning: false });
    assert.deepEqual([sent.max_tokens, sent.thinking], [64, { type: 'enabled', budget_tokens: 64 }]);
  });
});
