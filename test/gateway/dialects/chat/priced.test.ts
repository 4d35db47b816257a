import assert from 'node:assert/strict';
import { PRICED_FIELDS, PRICED_PARTS } from '../../../../server/gateway/dialects/chat/priced.ts';
import type { Json } from '../../../../server/gateway/dialects/chat/refused.ts';
import { asked, refusal, text, tool, user } from './asked.ts';

type Outcome = 'harmless' | 'left out' | 'refused';

const FIELDS: [field: string, value: unknown, outcome: Outcome][] = [
  ['n', 1, 'harmless'],
  ['n', null, 'harmless'],
  ['n', 2, 'refused'],
  ['n', 0, 'refused'],
  ['n', '1', 'refused'],
  ['n', [1], 'refused'],
  ['best_of', 1, 'harmless'],
  ['best_of', 20, 'refused'],
  ['candidate_count', 8, 'refused'],
  ['candidateCount', 8, 'refused'],
  ['num_generations', 5, 'refused'],
  ['num_return_sequences', 5, 'refused'],
  ['use_beam_search', false, 'harmless'],
  ['use_beam_search', true, 'refused'],
  ['service_tier', null, 'harmless'],
  ['service_tier', 'auto', 'harmless'],
  ['service_tier', 'default', 'harmless'],
  ['service_tier', 'standard_only', 'harmless'],
  ['service_tier', 'flex', 'refused'],
  ['service_tier', 'scale', 'refused'],
  ['service_tier', 'priority', 'refused'],
  ['service_tier', 'Priority', 'refused'],
  ['service_tier', {}, 'refused'],
  ['speed', 'standard', 'harmless'],
  ['speed', 'fast', 'refused'],
  ['inference_geo', 'global', 'harmless'],
  ['inference_geo', 'us', 'refused'],
  ['prediction', null, 'harmless'],
  ['prediction', { type: 'content', content: 'a' }, 'left out'],
  ['modalities', ['text'], 'harmless'],
  ['modalities', null, 'harmless'],
  ['modalities', ['text', 'audio'], 'refused'],
  ['modalities', 'audio', 'refused'],
  ['output_modalities', ['image', 'text'], 'refused'],
  ['audio', null, 'harmless'],
  ['audio', { voice: 'alloy', format: 'wav' }, 'refused'],
  ['web_search_options', {}, 'left out'],
  ['web_search_options', { search_context_size: 'high' }, 'left out'],
  ['web_search', true, 'left out'],
  ['web_search', false, 'harmless'],
  ['enable_search', true, 'left out'],
  ['enable_search', false, 'harmless'],
  ['search_options', { search_strategy: 'pro' }, 'left out'],
  ['search_options', { forced_search: true }, 'refused'],
  ['search_parameters', { mode: 'off' }, 'harmless'],
  ['search_parameters', { mode: 'auto' }, 'left out'],
  ['search_parameters', { mode: 'on' }, 'refused'],
  ['mcp_servers', [], 'harmless'],
  ['mcp_servers', [{ url: 'u' }], 'left out'],
  ['container', 'c', 'left out'],
  ['plugins', [], 'harmless'],
  ['plugins', [{ id: 'web' }], 'refused'],
  ['models', [], 'harmless'],
  ['models', ['a', 'b'], 'refused'],
  ['fallbacks', ['a'], 'refused'],
  ['context_window_fallbacks', [{ a: ['b'] }], 'refused'],
  ['content_policy_fallbacks', [{ a: ['b'] }], 'refused'],
  ['model_list', [{ model_name: 'a' }], 'refused'],
  ['preset', 'p', 'refused'],
  ['provider', { order: ['a'] }, 'left out'],
  ['provider', {}, 'harmless'],
  ['providerOptions', { gateway: { models: ['a'] } }, 'left out'],
  ['provider_options', { a: 1 }, 'left out'],
  ['route', 'fallback', 'left out'],
  ['api_key', 'k', 'refused'],
  ['api_base', 'u', 'refused'],
  ['base_url', 'u', 'refused'],
  ['custom_llm_provider', 'p', 'refused'],
  ['extra_headers', { a: 'b' }, 'refused'],
  ['user_config', { model_list: [] }, 'refused'],
  ['mock_response', 'a', 'refused'],
  ['chat_template_kwargs', { chat_template: '{{ messages * 1000 }}' }, 'refused'],
  ['chat_template_kwargs', { tokenize: false }, 'refused'],
  ['previous_response_id', 'r', 'refused'],
  ['previous_response_id', null, 'harmless'],
  ['conversation', { id: 'c' }, 'refused'],
  ['cached_content', 'c', 'refused'],
  ['cachedContent', 'c', 'refused'],
  ['session_params', {}, 'refused'],
  ['prompt', { id: 'p' }, 'refused'],
  ['prompt', 'a', 'harmless'],
  ['chat_template', '{{ messages * 1000 }}', 'refused'],
  ['mm_processor_kwargs', { max_pixels: 1e9 }, 'refused'],
  ['lora_path', 'p', 'refused'],
  ['extra_body', { google: { thinking_config: { thinking_budget: 5 } } }, 'harmless'],
  ['extra_body', { google: { cached_content: 'c' } }, 'refused'],
  ['extra_body', { n: 5 }, 'refused'],
  ['extra_body', 'n', 'refused'],
  // Not in the table.
  ['logit_bias', { 1: 5 }, 'harmless'],
  ['logprobs', true, 'harmless'],
  ['prompt_cache_retention', '24h', 'harmless'],
  ['chat_template_kwargs', { enable_thinking: true }, 'harmless'],
  ['constructor', { n: 5 }, 'harmless'],
];

describe('a field that changes the price', () => {
  for (const [field, value, outcome] of FIELDS)
    it(`${field} of ${JSON.stringify(value)} is ${outcome}`, () => {
      const fields = { [field]: value };
      if (outcome === 'refused') {
        const { code, param, message } = refusal(() => asked(fields));
        assert.match(code, /^unsupported_(value|parameter)$/);
        assert.equal(param, field);
        assert.match(message, new RegExp(`^${field} is not supported.*[.] .+[.]$`));
        return;
      }
      const { body, leftOut } = asked(fields);
      assert.deepEqual(leftOut, outcome === 'left out' ? [field] : []);
      assert.deepEqual(body, { messages: [user('Hello')], ...(outcome === 'left out' ? {} : fields) });
    });

  it('is in this table, whatever it is', () => {
    const tried = new Set(FIELDS.map(([field]) => field));
    assert.deepEqual(
      PRICED_FIELDS.flatMap(({ fields }) => fields).filter((field) => !tried.has(field)),
      [],
    );
  });
});

describe('a part that changes the price', () => {
  const REFUSED = ['input_audio', 'audio_url', 'audio', 'video_url', 'input_video', 'video', 'file', 'input_file'];
  for (const type of [...REFUSED, 'file_url', 'image_file', 'container_upload'])
    it(`of type ${type} is refused by name, with what to do`, () => {
      for (const role of ['user', 'assistant', 'system', 'tool']) {
        const message = { role, tool_call_id: 'a', content: [text('a'), { type, [type]: { url: 'u' } }] };
        const refused = refusal(() => asked({ messages: [message] }));
        assert.deepEqual([refused.code, refused.param], ['unsupported_value', 'messages[0].content[1].type']);
        assert.match(refused.message, /not priced: send/);
      }
    });

  for (const type of ['unknown', 'tool_use', 'tool_result', 'search_result', 'Text'])
    it(`is any of an unknown type, such as ${type}`, () => {
      const refused = refusal(() => asked({ messages: [user([{ type, text: 'a' }])] }));
      assert.match(refused.message, /"text" and "image_url"/);
    });

  for (const type of ['refusal', 'thinking', 'redacted_thinking', 'reasoning'])
    it(`is none of type ${type}`, () => {
      const messages = [{ role: 'assistant', content: [{ type, [type]: 'a' }] }];
      assert.deepEqual(asked({ messages }).body.messages, messages);
    });

  it('is in the table', () => assert.ok(REFUSED.every((type) => typeof PRICED_PARTS.get(type) === 'object')));
});

describe('a tool that the service runs', () => {
  const HOSTED: [tool: Json, name: string][] = [
    [{ type: 'web_search' }, 'tools[1] (web_search)'],
    [{ type: 'web_search_20250305', name: 'web_search' }, 'tools[1] (web_search_20250305)'],
    [{ type: 'web_search_preview' }, 'tools[1] (web_search_preview)'],
    [{ type: 'image_generation' }, 'tools[1] (image_generation)'],
    [{ type: 'code_interpreter', container: { type: 'auto' } }, 'tools[1] (code_interpreter)'],
    [{ type: 'file_search', vector_store_ids: [] }, 'tools[1] (file_search)'],
    [{ type: 'mcp', server_url: 'u' }, 'tools[1] (mcp)'],
    [{ type: 'builtin_function', function: { name: '$web_search' } }, 'tools[1] (builtin_function)'],
    [{ type: 'retrieval', retrieval: {} }, 'tools[1] (retrieval)'],
    [{ google_search: {} }, 'tools[1]'],
    [{ type: 'A secret.' }, 'tools[1]'],
  ];
  for (const [hosted, name] of HOSTED)
    it(`is left out and named: ${JSON.stringify(hosted)}`, () => {
      const { body, leftOut } = asked({ tools: [tool('a'), hosted, tool('b')], tool_choice: 'auto' });
      assert.deepEqual(body.tools, [tool('a'), tool('b')]);
      assert.deepEqual(leftOut, [name]);
      assert.deepEqual(asked({ tools: [hosted], tool_choice: 'auto' }).body, { messages: [user('Hello')] });
    });

  it('is refused if the answer has to use it', () => {
    const tools = [{ type: 'web_search' }];
    for (const fields of [
      { tools, tool_choice: 'required' },
      { tools, tool_choice: { type: 'web_search' } },
      { tools: [tool(), ...tools], tool_choice: { type: 'web_search' } },
      { tools: [tool(), ...tools], tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools } } },
    ]) {
      const refused = refusal(() => asked(fields));
      assert.deepEqual([refused.code, refused.param], ['unsupported_value', 'tool_choice']);
      assert.match(refused.message, /Offer a function/);
    }
    assert.ok(asked({ tools: [tool(), ...tools], tool_choice: 'required' }));
  });

  const WRONG: [tool: unknown, code: string, param: string][] = [
    [null, 'invalid_type', 'tools[0]'],
    ['read', 'invalid_type', 'tools[0]'],
    [{ type: 5 }, 'invalid_type', 'tools[0].type'],
    [{ type: 'function' }, 'missing_required_parameter', 'tools[0].function'],
    [{ type: 'function', name: 'read', parameters: {} }, 'missing_required_parameter', 'tools[0].function'],
    [{ name: 'read', input_schema: {} }, 'missing_required_parameter', 'tools[0].function'],
    [{ type: 'function', function: 'read' }, 'invalid_type', 'tools[0].function'],
    [{ type: 'function', function: {} }, 'missing_required_parameter', 'tools[0].function.name'],
    [{ type: 'function', function: { name: 5 } }, 'invalid_type', 'tools[0].function.name'],
    [{ type: 'function', function: { name: '' } }, 'invalid_value', 'tools[0].function.name'],
    [{ type: 'custom' }, 'missing_required_parameter', 'tools[0].custom'],
  ];
  for (const [given, code, param] of WRONG)
    it(`is not ${JSON.stringify(given)}, which is refused`, () => {
      const refused = refusal(() => asked({ tools: [given] }));
      assert.deepEqual([refused.code, refused.param], [code, param]);
    });

  it('is no function without a type', () =>
    assert.deepEqual(asked({ tools: [{ function: { name: 'a' } }] }).body.tools, [
      { function: { name: 'a' }, type: 'function' },
    ]));
});
