import assert from 'node:assert/strict';
import type { Json } from '../../../../server/gateway/dialects/chat/refused.ts';
import { readChatCall } from '../../../../server/gateway/dialects/chat/request.ts';
import { readResponses } from '../../../../server/gateway/dialects/responses/request.ts';
import { refusal, TOKENS, user } from '../chat/asked.ts';
import { asked, custom, fn, namespace } from './asked.ts';

const SCHEMA = { type: 'object', properties: { a: { not: {} } }, required: ['a'], additionalProperties: false };
const tool = (name: string, more: Json = {}): Json => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: {} }, ...more },
});
const choice = (name: string): Json => ({ type: 'function', function: { name } });
const freeform = (name: string, description: string): Json => ({
  type: 'function',
  function: {
    name,
    description,
    parameters: {
      type: 'object',
      properties: { input: { type: 'string' } },
      required: ['input'],
      additionalProperties: false,
    },
  },
});
const IS_TEXT = 'The argument "input" is the whole input of this tool, as plain text.';

describe('the fields of a Responses request', () => {
  const CARRIED: [title: string, fields: Json, body: Json, leftOut?: string[]][] = [
    ['nothing but the input', {}, {}],
    [
      'the fields that both dialects have',
      { temperature: 0.5, top_p: 0.9, prompt_cache_key: 'k', safety_identifier: 's', user: 'u', seed: 5 },
      { temperature: 0.5, top_p: 0.9, prompt_cache_key: 'k', safety_identifier: 's', user: 'u', seed: 5 },
    ],
    ['fields that are not known', { thinking: { type: 'disabled' } }, { thinking: { type: 'disabled' } }],
    ['the effort of reasoning', { reasoning: { effort: 'high', summary: 'auto' } }, { reasoning_effort: 'high' }],
    ['reasoning without an effort', { reasoning: { effort: null, summary: 'auto' } }, {}],
    ['the verbosity', { text: { verbosity: 'low' } }, { verbosity: 'low' }],
    ['row 46: a plain text', { text: { format: { type: 'text' } } }, {}],
    ['row 46: JSON', { text: { format: { type: 'json_object' } } }, { response_format: { type: 'json_object' } }],
    [
      'row 46: a schema, even one that no JSON fits',
      { text: { format: { type: 'json_schema', name: 'n', schema: SCHEMA, strict: true, description: null } } },
      { response_format: { type: 'json_schema', json_schema: { name: 'n', schema: SCHEMA, strict: true } } },
    ],
    [
      'log probabilities',
      { include: ['message.output_text.logprobs'], top_logprobs: 3 },
      { logprobs: true, top_logprobs: 3 },
    ],
    [
      'what asks for nothing',
      {
        ...{ store: false, background: false, truncation: 'disabled', include: [], metadata: { a: 'b' }, tools: [] },
        ...{ client_metadata: { x: 'y' }, stream_options: { include_obfuscation: false }, context_management: [] },
        ...{ previous_response_id: null, conversation: null, prompt: null, instructions: null, tool_choice: 'auto' },
        ...{ parallel_tool_calls: true, service_tier: 'auto', reasoning: null, text: null, max_output_tokens: null },
      },
      { service_tier: 'auto' },
    ],
    [
      'row 45: what is left out and said',
      {
        ...{ truncation: 'auto', max_tool_calls: 5, context_management: [{ type: 'compaction' }], moderation: {} },
        ...{ reasoning: { effort: 'low', context: 'all' }, text: { tone: 'dry' } },
      },
      { reasoning_effort: 'low' },
      ['truncation', 'max_tool_calls', 'context_management', 'moderation', 'reasoning.context', 'text.tone'],
    ],
  ];
  for (const [title, fields, body, leftOut = []] of CARRIED)
    it(`carry ${title}`, () => {
      const read = asked(fields);
      assert.deepEqual(read.body, { messages: [user('Hello')], ...body });
      assert.deepEqual(read.leftOut.sort(), leftOut.sort());
    });

  it('row 47: max_output_tokens is the limit that is held and paid for', () => {
    assert.equal(asked({ max_output_tokens: 50 }).chat.limitTokens, 50);
    assert.equal(asked({}).chat.limitTokens, null);
    assert.equal(readResponses({ model: 'm', input: 'a', max_output_tokens: 50 }).body.max_completion_tokens, 50);
  });

  it('row 40: the usage is always asked for, because the last event has it', () => {
    const { chat } = asked({ stream: true });
    assert.deepEqual([chat.stream, chat.wantsUsage, asked({}).chat.stream], [true, true, false]);
  });

  it('row 49: the wish to store is answered with store: false', () => {
    assert.equal(asked({ store: true }).context.echo.store, false);
  });

  const REFUSED: [title: string, fields: Json, param: string | null, code: string][] = [
    ['no model', { model: null }, 'model', 'missing_required_parameter'],
    ['a model in other letters', { Model: 'dear' }, 'model', 'unsupported_parameter'],
    ['an input in other letters', { INPUT: 'x' }, 'input', 'unsupported_parameter'],
    [
      'row 49: an earlier answer',
      { previous_response_id: 'resp_1' },
      'previous_response_id',
      'previous_response_not_found',
    ],
    ['a stored conversation', { conversation: 'conv_1' }, 'conversation', 'unsupported_parameter'],
    ['a stored prompt', { prompt: { id: 'p' } }, 'prompt', 'unsupported_parameter'],
    ['an answer in the background', { background: true }, 'background', 'unsupported_parameter'],
    ['row 48: another price', { service_tier: 'priority' }, 'service_tier', 'unsupported_value'],
    ['messages', { messages: [] }, 'messages', 'unsupported_parameter'],
    [
      'the format of chat completions',
      { response_format: { type: 'json_object' } },
      'response_format',
      'unsupported_parameter',
    ],
    ['a limit below 1', { max_output_tokens: 0 }, 'max_output_tokens', 'integer_below_min_value'],
    ['a limit that is no number', { max_output_tokens: '50' }, 'max_output_tokens', 'invalid_type'],
    ['a stream that is no flag', { stream: 'yes' }, 'stream', 'invalid_type'],
    ['a flag that is none', { store: 'yes' }, 'store', 'invalid_type'],
    ['metadata that is no object', { metadata: 'a' }, 'metadata', 'invalid_type'],
    ['an include that is no list', { include: 'reasoning.encrypted_content' }, 'include', 'invalid_type'],
    ['a temperature that is no number', { temperature: 'hot' }, 'temperature', 'invalid_type'],
    ['reasoning that is no object', { reasoning: 'high' }, 'reasoning', 'invalid_type'],
    ['an effort that is no text', { reasoning: { effort: 5 } }, 'reasoning.effort', 'invalid_type'],
    ['text that is no object', { text: 'json' }, 'text', 'invalid_type'],
    ['row 46: a format that is no object', { text: { format: 'json' } }, 'text.format', 'invalid_type'],
    ['row 46: a format without a type', { text: { format: {} } }, 'text.format.type', 'missing_required_parameter'],
    ['row 46: an unknown format', { text: { format: { type: 'grammar' } } }, 'text.format.type', 'unsupported_value'],
    [
      'row 46: a schema in the form of chat completions',
      { text: { format: { type: 'json_schema', json_schema: {} } } },
      'text.format.name',
      'missing_required_parameter',
    ],
    [
      'row 46: a schema that is no object',
      { text: { format: { type: 'json_schema', name: 'n', schema: 'x' } } },
      'text.format.schema',
      'invalid_type',
    ],
    ['a verbosity that is no text', { text: { verbosity: 5 } }, 'text.verbosity', 'invalid_type'],
  ];
  for (const [title, fields, param, code] of REFUSED)
    it(`refuse ${title}`, () => {
      const refused = refusal(() => asked(fields));
      assert.deepEqual([refused.param, refused.code], [param, code]);
    });

  it('refuse a body that is no object, one that is too deep, and halves of pairs are mended', () => {
    for (const body of [null, 5, 'x', [], undefined]) assert.equal(refusal(() => readResponses(body)).param, null);
    let deep: unknown = 'x';
    for (let i = 0; i < 5000; i++) deep = { a: deep };
    const isDeep = refusal(() =>
      readResponses({ model: 'm', input: [{ type: 'function_call', call_id: 'a', name: 'x', arguments: deep }] }),
    );
    assert.match(isDeep.message, /nested/);
    assert.deepEqual(asked({ input: 'a\ud83d' }).messages, [user('a\ufffd')]);
  });
});

describe('the tools of a Responses request', () => {
  const CARRIED: [title: string, fields: Json, body: Json, leftOut?: string[]][] = [
    ['functions', { tools: [fn('a', { description: 'A.' })] }, { tools: [tool('a', { description: 'A.' })] }],
    [
      'row 14: strictness only as far as it was asked for',
      { tools: [fn('a'), fn('b', { strict: false }), fn('c', { strict: true }), fn('d', { strict: null })] },
      { tools: [tool('a'), tool('b', { strict: false }), tool('c', { strict: true }), tool('d')] },
    ],
    [
      'functions without parameters, with a schema that no JSON fits, and that are found later',
      { tools: [fn('a', { parameters: null }), fn('b', { parameters: SCHEMA, defer_loading: true })] },
      { tools: [{ type: 'function', function: { name: 'a' } }, tool('b', { parameters: SCHEMA })] },
    ],
    [
      'row 24: custom tools with their grammars',
      {
        tools: [
          custom('a'),
          custom('b', { format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' } }),
          { type: 'custom', name: 'c', format: { type: 'grammar', syntax: 'regex', definition: 'x+' } },
          { type: 'custom', name: 'd', format: { type: 'text' } },
        ],
      },
      {
        tools: [
          freeform('a', `Edits files.\n\n${IS_TEXT}`),
          freeform('b', `Edits files.\n\n${IS_TEXT}\n\nIt must match this Lark grammar:\nstart: "x"`),
          freeform('c', `${IS_TEXT}\n\nIt must match this regular expression:\nx+`),
          freeform('d', IS_TEXT),
        ],
      },
    ],
    [
      'row 25: namespaces as names, with what is said of all their tools',
      { tools: [fn('a'), namespace('n', [fn('a', { description: 'A.' }), custom('b')], 'All of n.')] },
      {
        tools: [
          tool('a'),
          tool('n__a', { description: 'A.\n\nAbout all tools of "n": All of n.' }),
          freeform('n__b', `Edits files.\n\n${IS_TEXT}`),
        ],
      },
    ],
    [
      'row 23: tools that the service would run are left out, and said',
      { tools: [{ type: 'web_search' }, fn('a'), { type: 'tool_search' }, namespace('n', [{ type: 'X!' }, fn('b')])] },
      { tools: [tool('a'), tool('n__b')] },
      ['tools[0] (web_search)', 'tools[2] (tool_search)', 'tools[3].tools[0]'],
    ],
    [
      'fields of tools that can’t be carried are said once',
      { tools: [fn('a', { output_schema: {} }), fn('b', { output_schema: {} })] },
      { tools: [tool('a'), tool('b')] },
      ['tools[0] (output_schema) and 1 more'],
    ],
    [
      'tools that items bring, and that may be offered already',
      {
        tools: [fn('a')],
        input: [
          { type: 'additional_tools', role: 'developer', tools: [fn('b')] },
          { type: 'tool_search_output', call_id: 's', tools: [fn('a'), namespace('n', [fn('c')])] },
          { role: 'user', content: 'Hello' },
        ],
      },
      { tools: [tool('a'), tool('b'), tool('n__c')] },
      ['input[1] (tool_search_output)'],
    ],
    [
      'row 12: none of them',
      { tools: [fn('a')], tool_choice: 'none', parallel_tool_calls: false },
      { tools: [tool('a')], tool_choice: 'none' },
    ],
    [
      'row 12: some of them',
      { tools: [fn('a')], tool_choice: 'required', parallel_tool_calls: false },
      { tools: [tool('a')], tool_choice: 'required', parallel_tool_calls: false },
    ],
    [
      'row 12: one of them',
      { tools: [fn('a')], tool_choice: { type: 'function', name: 'a' } },
      { tools: [tool('a')], tool_choice: choice('a') },
    ],
    [
      'rows 12, 24: a custom one of them',
      { tools: [custom('a')], tool_choice: { type: 'custom', name: 'a' } },
      { tools: [freeform('a', `Edits files.\n\n${IS_TEXT}`)], tool_choice: choice('a') },
    ],
    [
      'rows 12, 25: one of a namespace',
      { tools: [namespace('n', [fn('a')])], tool_choice: { type: 'function', name: 'a', namespace: 'n' } },
      { tools: [tool('n__a')], tool_choice: choice('n__a') },
    ],
    [
      'row 12: those that are allowed, and no others',
      {
        tools: [fn('a'), fn('b'), namespace('n', [fn('c')]), { type: 'web_search' }],
        tool_choice: {
          type: 'allowed_tools',
          mode: 'required',
          tools: [{ type: 'function', name: 'b' }, { type: 'namespace', name: 'n' }, { type: 'web_search' }],
        },
      },
      { tools: [tool('b'), tool('n__c')], tool_choice: 'required' },
      ['tools[3] (web_search)', 'tool_choice.tools[2] (web_search)'],
    ],
    [
      'row 12: no tool if no allowed one is left',
      {
        tools: [fn('a'), { type: 'mcp' }],
        tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'mcp' }] },
      },
      { tools: [tool('a')], tool_choice: 'none' },
      ['tools[1] (mcp)', 'tool_choice.tools[0] (mcp)'],
    ],
    [
      'no choice without tools',
      { tools: [{ type: 'web_search' }], tool_choice: 'auto' },
      {},
      ['tools[0] (web_search)'],
    ],
  ];
  for (const [title, fields, body, leftOut = []] of CARRIED)
    it(`carry ${title}`, () => {
      const read = asked(fields);
      const { messages, ...more } = read.body;
      assert.deepEqual(more, body);
      assert.deepEqual(read.leftOut, leftOut);
    });

  const REFUSED: [title: string, fields: Json, param: string, code: string, told?: RegExp][] = [
    ['tools that are no list', { tools: {} }, 'tools', 'invalid_type'],
    ['a tool that is no object', { tools: ['a'] }, 'tools[0]', 'invalid_type'],
    ['a tool without a type', { tools: [{ name: 'a' }] }, 'tools[0].type', 'missing_required_parameter'],
    ['a tool without a name', { tools: [{ type: 'function' }] }, 'tools[0].name', 'missing_required_parameter'],
    ['a tool with an empty name', { tools: [fn('')] }, 'tools[0].name', 'invalid_value'],
    ['a tool in the form of chat completions', { tools: [tool('a')] }, 'tools[0].function', 'unsupported_parameter'],
    ['parameters that are no object', { tools: [fn('a', { parameters: 'x' })] }, 'tools[0].parameters', 'invalid_type'],
    ['a description that is no text', { tools: [fn('a', { description: 5 })] }, 'tools[0].description', 'invalid_type'],
    ['strictness that is no flag', { tools: [fn('a', { strict: 'yes' })] }, 'tools[0].strict', 'invalid_type'],
    ['two tools with one name', { tools: [fn('a'), custom('a')] }, 'tools[1].name', 'invalid_value'],
    [
      'row 25: a namespace that makes two names one',
      { tools: [fn('n__a'), namespace('n', [fn('a')])] },
      'tools[1].tools[0].name',
      'invalid_value',
      /namespace/,
    ],
    [
      'row 25: two namespaces that make two names one',
      { tools: [namespace('a', [fn('b__c')]), namespace('a__b', [fn('c')])] },
      'tools[1].tools[0].name',
      'invalid_value',
    ],
    [
      'row 25: a namespace without tools',
      { tools: [{ type: 'namespace', name: 'n' }] },
      'tools[0].tools',
      'missing_required_parameter',
    ],
    [
      'row 25: a namespace without a name',
      { tools: [{ type: 'namespace', tools: [] }] },
      'tools[0].name',
      'missing_required_parameter',
    ],
    [
      'row 24: an unknown format',
      { tools: [custom('a', { format: { type: 'xml' } })] },
      'tools[0].format.type',
      'unsupported_value',
    ],
    [
      'row 24: an unknown syntax',
      { tools: [custom('a', { format: { type: 'grammar', syntax: 'abnf', definition: 'x' } })] },
      'tools[0].format.syntax',
      'unsupported_value',
    ],
    [
      'row 24: a grammar without text',
      { tools: [custom('a', { format: { type: 'grammar', syntax: 'lark' } })] },
      'tools[0].format.definition',
      'missing_required_parameter',
    ],
    [
      'too many tools',
      { tools: Array.from({ length: 513 }, (_, i) => fn(`f${i}`)) },
      'tools',
      'array_above_max_length',
    ],
    [
      'too many tools in namespaces',
      {
        tools: [0, 1].map((n) =>
          namespace(
            `n${n}`,
            Array.from({ length: 300 }, (_, i) => fn(`f${i}`)),
          ),
        ),
      },
      'tools',
      'array_above_max_length',
    ],
    [
      'row 23: a forced tool of the service',
      { tools: [{ type: 'web_search' }], tool_choice: { type: 'web_search' } },
      'tool_choice',
      'unsupported_value',
      /would run/,
    ],
    [
      'row 23: a forced call if only the service’s tools are offered',
      { tools: [{ type: 'web_search' }], tool_choice: 'required' },
      'tool_choice',
      'unsupported_value',
      /would run/,
    ],
    ['a forced call without tools', { tool_choice: 'required' }, 'tool_choice', 'invalid_value', /offers none/],
    [
      'a choice of a tool that is not offered',
      { tools: [fn('a')], tool_choice: { type: 'function', name: 'b' } },
      'tool_choice.name',
      'invalid_value',
    ],
    [
      'a choice without a name',
      { tools: [fn('a')], tool_choice: { type: 'function' } },
      'tool_choice.name',
      'missing_required_parameter',
    ],
    ['an unknown word', { tools: [fn('a')], tool_choice: 'any' }, 'tool_choice', 'invalid_value'],
    ['a choice that is a number', { tools: [fn('a')], tool_choice: 5 }, 'tool_choice', 'invalid_type'],
    [
      'a choice without a type',
      { tools: [fn('a')], tool_choice: {} },
      'tool_choice.type',
      'missing_required_parameter',
    ],
    [
      'allowed tools that are no list',
      { tools: [fn('a')], tool_choice: { type: 'allowed_tools' } },
      'tool_choice.tools',
      'invalid_type',
    ],
    [
      'an allowed tool that is not offered',
      { tools: [fn('a')], tool_choice: { type: 'allowed_tools', tools: [{ type: 'function', name: 'b' }] } },
      'tool_choice.tools[0].name',
      'invalid_value',
    ],
    [
      'an unknown mode',
      { tools: [fn('a')], tool_choice: { type: 'allowed_tools', mode: 'any', tools: [] } },
      'tool_choice.mode',
      'invalid_value',
    ],
    [
      'tools of an item that are no list',
      { input: [{ type: 'additional_tools', tools: {} }] },
      'input[0].tools',
      'invalid_type',
    ],
  ];
  for (const [title, fields, param, code, told = /\.$/] of REFUSED)
    it(`refuse ${title}`, () => {
      const refused = refusal(() => asked(fields));
      assert.deepEqual([refused.param, refused.code], [param, code]);
      assert.match(refused.message, told);
    });

  it('row 13: a forced call is refused by name for a model that thinks', () => {
    const force = (fields: Json) => {
      const { body } = readResponses({ model: 'm', input: 'a', tools: [fn('a')], ...fields });
      return readChatCall(body, { tokens: TOKENS, developerRole: true, thinkingForbidsForced: true });
    };
    const choice = { type: 'function', name: 'a' };
    assert.equal(refusal(() => force({ tool_choice: choice })).param, 'tool_choice');
    assert.ok(force({ tool_choice: choice, reasoning: { effort: 'none' } }));
  });

  it('500 of them are carried', () => {
    const tools = Array.from({ length: 500 }, (_, i) => (i % 3 === 0 ? namespace(`n${i}`, [fn('f')]) : fn(`f${i}`)));
    assert.equal((asked({ tools }).body.tools as Json[]).length, 500);
  });

  it('row 25: names of namespaces that no service takes are told apart nevertheless', () => {
    const long = 'mcp__a_server_with_a_very_long_name_indeed_it_has';
    const tools = [
      namespace(long, [fn('do_this_long_named_thing_1'), fn('do_this_long_named_thing_2')]),
      namespace('ä.b', [fn('c')]),
    ];
    const read = asked({ tools });
    const names = (read.body.tools as { function: { name: string } }[]).map((one) => one.function.name);
    for (const name of names) assert.match(name, /^[A-Za-z0-9_-]{1,64}$/);
    assert.deepEqual(
      names.map((name) => read.context.tools.get(name)),
      [
        { kind: 'function', name: 'do_this_long_named_thing_1', namespace: long },
        { kind: 'function', name: 'do_this_long_named_thing_2', namespace: long },
        { kind: 'function', name: 'c', namespace: 'ä.b' },
      ],
    );
  });
});
