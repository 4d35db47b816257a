import assert from 'node:assert/strict';
import type { Json } from '../../../../server/gateway/dialects/chat/refused.ts';
import { NO_RESULT } from '../../../../server/gateway/dialects/chat/results.ts';
import { PICTURE_TOKENS } from '../../../../server/gateway/dialects/chat/size.ts';
import { clientId } from '../../../../server/gateway/dialects/messages/ids.ts';
import { sizeOf } from '../../../../server/gateway/dialects/messages/request.ts';
import { refusal } from '../chat/asked.ts';
import {
  asked,
  assistant,
  called,
  calling,
  captured,
  OPTIONS,
  picture,
  read,
  result,
  sent,
  shown,
  text,
  thinking,
  told,
  tool,
  use,
  user,
} from './asked.ts';

const system = (content: unknown): Json => ({ role: 'system', content });
const hello = user('Hello');
const cached = { cache_control: { type: 'ephemeral' } };
const pdf = { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' } };

describe('a request of the Messages dialect', () => {
  it('becomes a chat-completions body in the same order', () => {
    const { body, call, context, leftOut } = asked({
      system: 'Be brief.',
      stream: true,
      temperature: 0.2,
      top_p: 0.9,
      stop_sequences: ['\n\n', 'END'],
      tools: [tool('read'), tool('edit', { strict: true })],
      tool_choice: { type: 'auto' },
    });
    assert.deepEqual(body, {
      model: 'm',
      max_tokens: 100,
      stream: true,
      temperature: 0.2,
      top_p: 0.9,
      messages: [system('Be brief.'), hello],
      tools: ['read', 'edit'].map((name) => ({
        type: 'function',
        function: {
          name,
          description: `To ${name}.`,
          parameters: { type: 'object', properties: { path: { type: 'string' } } },
          ...(name === 'edit' ? { strict: true } : {}),
        },
      })),
      tool_choice: 'auto',
      stop: ['\n\n', 'END'],
    });
    assert.deepEqual([call.model, call.stream, call.limitTokens], ['m', true, 100]);
    assert.deepEqual(context, { stopSequences: ['\n\n', 'END'], cacheKey: null });
    assert.deepEqual(leftOut, []);
  });

  const SYSTEMS: [title: string, given: unknown, right: Json[]][] = [
    ['none', undefined, [hello]],
    ['null', null, [hello]],
    ['an empty text', '', [hello]],
    ['an empty list', [], [hello]],
    ['a text', 'Be brief.', [system('Be brief.'), hello]],
    ['blocks', [text('Be brief.'), text('Be kind.', cached)], [system('Be brief.\n\nBe kind.'), hello]],
    ['a block without text', [text(''), text('Be kind.')], [system('Be kind.'), hello]],
  ];
  for (const [title, given, right] of SYSTEMS)
    it(`takes a system prompt of ${title}`, () => assert.deepEqual(sent([hello], { system: given }), right));

  const MENDED: [title: string, given: Json[], right: Json[]][] = [
    [
      'row 1: the ids of Kimi come back in its own letters',
      [assistant(use(clientId('functions.read:0'))), user([result(clientId('functions.read:0'))])],
      [calling(called('functions.read:0')), told('functions.read:0')],
    ],
    [
      'row 1: the ids of Kimi come back from a history of another client',
      [assistant(use('functions.read:0')), user([result('functions.read:0')])],
      [calling(called('functions.read:0')), told('functions.read:0')],
    ],
    [
      'row 11: an input that is empty, null, absent or blank is an empty object',
      [
        assistant(use('a', {}), use('b', null), { type: 'tool_use', id: 'c', name: 'read' }, use('d', ' ')),
        user(['a', 'b', 'c', 'd'].map((id) => result(id))),
      ],
      [calling(...['a', 'b', 'c', 'd'].map((id) => called(id))), ...['a', 'b', 'c', 'd'].map((id) => told(id))],
    ],
    [
      'row 11: an input that came as its text stays as it was written',
      [assistant(use('a', '{ "b": 1 }')), user([result('a')])],
      [calling(called('a', '{ "b": 1 }')), told('a')],
    ],
    [
      'row 11: an input that is no object, because its model wrote none, is carried in one',
      [
        assistant(use('a', '{"path": "a'), use('b', [1]), use('c', 5), use('d', '"path"')),
        user(['a', 'b', 'c', 'd'].map((id) => result(id))),
      ],
      [
        calling(
          ...[
            ['a', '{"path": "a'],
            ['b', '[1]'],
            ['c', '5'],
            ['d', '"path"'],
          ].map(([id, text]) => called(id!, JSON.stringify({ INVALID_JSON: text }))),
        ),
        ...['a', 'b', 'c', 'd'].map((id) => told(id)),
      ],
    ],
    [
      'row 15: text before and between results stands behind them',
      [
        assistant(text('I read.'), use('a'), use('b')),
        user([text('Wait.'), result('a', '1'), text('Now.'), result('b', '2')]),
      ],
      [
        { role: 'assistant', content: 'I read.', tool_calls: [called('a'), called('b')] },
        told('a', '1'),
        told('b', '2'),
        user('Wait.\n\nNow.'),
      ],
    ],
    [
      'row 15: results in the order in which the calls ended keep it',
      [assistant(use('a'), use('b')), user([result('b', '2'), result('a', '1')])],
      [calling(called('a'), called('b')), told('b', '2'), told('a', '1')],
    ],
    [
      'row 18: a call without a result gets one that blames nobody',
      [hello, assistant(use('a'), use('b')), user([result('b'), text('Go on.')])],
      [hello, calling(called('a'), called('b')), told('b'), told('a', NO_RESULT), user('Go on.')],
    ],
    [
      'row 18: a result without a call is told as text',
      [user([result('a', 'found')])],
      [user('Result of the tool call a, which is not in this conversation:\nfound')],
    ],
    [
      'row 18: two calls by one id get their results in order',
      [assistant(use('a', { n: 1 }), use('a', { n: 2 })), user([result('a', '1'), result('a', '2')])],
      [calling(called('a', '{"n":1}'), called('a', '{"n":2}')), told('a', '1'), told('a', '2')],
    ],
    [
      'row 18: a result after a system message in between stands behind its call',
      [assistant(use('a')), system('Time is up.'), user([result('a')])],
      [calling(called('a')), told('a'), system('Time is up.')],
    ],
    [
      'row 19: an empty result is a result',
      [
        assistant(use('a'), use('b'), use('c'), use('d')),
        user([result('a', ''), result('b', []), result('c', null), { type: 'tool_result', tool_use_id: 'd' }]),
      ],
      [calling(...['a', 'b', 'c', 'd'].map((id) => called(id))), ...['a', 'b', 'c', 'd'].map((id) => told(id, ''))],
    ],
    [
      'row 20: a picture in a result is shown behind all results, with the name of its call',
      [assistant(use('a'), use('b')), user([result('a', [text('Look:'), picture()]), result('b'), text('Well?')])],
      [
        calling(called('a'), called('b')),
        told('a', 'Look:\n(a picture: see below)'),
        told('b'),
        user([{ type: 'text', text: 'Picture in the result of the tool call a (read):' }, shown()]),
        user('Well?'),
      ],
    ],
    [
      'row 20: a failed call with a picture says that it failed',
      [assistant(use('a')), user([result('a', [picture()], { is_error: true })])],
      [
        calling(called('a')),
        told('a', 'The tool reported an error:\n(a picture: see below)'),
        user([{ type: 'text', text: 'Picture in the result of the tool call a (read):' }, shown()]),
      ],
    ],
    [
      'a failed call says that it failed',
      [
        assistant(use('a'), use('b')),
        user([result('a', 'No file.', { is_error: true }), result('b', 'ok', { is_error: false })]),
      ],
      [calling(called('a'), called('b')), told('a', 'The tool reported an error:\nNo file.'), told('b')],
    ],
    [
      'row 22: a document of text stands in the prompt as text',
      [
        user([
          text('Read:'),
          {
            type: 'document',
            title: 'a.txt',
            context: 'old',
            source: { type: 'text', media_type: 'text/plain', data: 'A' },
          },
          { type: 'document', source: { type: 'content', content: 'B' } },
          { type: 'document', source: { type: 'content', content: [text('C')] }, citations: { enabled: true } },
        ]),
      ],
      [user('Read:\n\nDocument: a.txt\n\nold\n\nA\n\nB\n\nC')],
    ],
    [
      'row 22: a document of text in a result stands there',
      [
        assistant(use('a')),
        user([
          result('a', [
            { type: 'document', source: { type: 'text', data: 'A' } },
            { type: 'tool_reference', tool_name: 'edit' },
          ]),
        ]),
      ],
      [calling(called('a')), told('a', 'A\n\nTool: edit')],
    ],
    [
      'a found page stands in the prompt as text',
      [user([{ type: 'search_result', title: 'T', source: 'https://t.example', content: [text('found')] }])],
      [user('T\nhttps://t.example\n\nfound')],
    ],
    [
      'pictures keep their place among texts',
      [
        user([
          text('A'),
          picture('QQ=='),
          text('B'),
          { type: 'image', source: { type: 'url', url: 'https://t.example/b.png' } },
        ]),
      ],
      [
        user([
          { type: 'text', text: 'A' },
          shown('QQ=='),
          { type: 'text', text: 'B' },
          { type: 'image_url', image_url: { url: 'https://t.example/b.png' } },
        ]),
      ],
    ],
    [
      'row 26: thinking before a call returns as the reasoning of its turn',
      [assistant(thinking('I look.'), text('Let me.'), use('a')), user([result('a')])],
      [{ role: 'assistant', content: 'Let me.', reasoning_content: 'I look.', tool_calls: [called('a')] }, told('a')],
    ],
    [
      'row 28: thinking without a signature returns as well',
      [assistant(thinking('I look.', ''), { type: 'thinking', thinking: 'Then.' }, text('Here.')), hello],
      [{ role: 'assistant', content: 'Here.', reasoning_content: 'I look.\n\nThen.' }, hello],
    ],
    [
      'row 29: several blocks of thinking keep their order, and those that nobody can read are left out',
      [
        assistant(
          thinking('1'),
          { type: 'redacted_thinking', data: 'AAAA' },
          thinking('', 'c2ln'),
          thinking('2'),
          text('A'),
        ),
        hello,
      ],
      [{ role: 'assistant', content: 'A', reasoning_content: '1\n\n2' }, hello],
    ],
    [
      'row 44: a system message within the conversation keeps its place',
      [hello, system('Time is up.'), assistant(text('A')), system([text('B'), text('C', cached)]), hello],
      [hello, system('Time is up.'), { role: 'assistant', content: 'A' }, system('B\n\nC'), hello],
    ],
    [
      'an answer that says nothing is no message',
      [hello, assistant(), { role: 'assistant', content: '' }, assistant(text('')), hello],
      [hello, hello],
    ],
    [
      'a summary by Anthropic’s service stays readable',
      [assistant({ type: 'compaction', content: 'So far: A.' }), hello],
      [{ role: 'assistant', content: 'So far: A.' }, hello],
    ],
  ];
  for (const [title, given, right] of MENDED) it(title, () => assert.deepEqual(sent(given), right));

  it('row 1: what Gemini signs a call with comes back with the call, and by no other name', () => {
    const extra = { google: { thought_signature: 'Ab+/=é'.repeat(200) } };
    const id = clientId('function-call-1', extra);
    assert.match(id, /^toolu_[a-zA-Z0-9_-]+$/);
    assert.deepEqual(sent([assistant(use(id)), user([result(id)])]), [
      calling({ ...called('function-call-1'), extra_content: extra }),
      told('function-call-1'),
    ]);
    for (const odd of ['toolu_-a_x', 'toolu_-a_x1', 'toolu_-a_x_005b_005d', 'toolu_-a:b', 'toolu_-a_x_007b_007d_x'])
      assert.deepEqual(sent([assistant(use(odd))])[0]!.tool_calls, [called(odd)]);
  });

  it('row 2: two ids that differ in the prefix alone stay two', () => {
    const [{ tool_calls: calls }, first, second] = sent([
      assistant(use('toolu_a'), use('a')),
      user([result('a', '2'), result('toolu_a', '1')]),
    ]) as [Json, Json, Json];
    const [one, other] = (calls as Json[]).map(({ id }) => id);
    assert.equal(one, 'a');
    assert.notEqual(other, one);
    assert.deepEqual([first, second], [told(other as string, '2'), told('a', '1')]);
  });

  it('row 3: an id that services refuse is hashed, in the call and its result alike', () => {
    const odd = [`call_${'b'.repeat(200)}`, 'call_a|fc_b', 'é', '', clientId('x'.repeat(200)), 'call_a'];
    const messages = sent([assistant(...odd.map((id) => use(id))), user(odd.map((id) => result(id, id)))]);
    const calls = messages[0]!.tool_calls as Json[];
    assert.deepEqual(
      messages.slice(1).map(({ tool_call_id }) => tool_call_id),
      calls.map(({ id }) => id),
    );
    assert.equal(new Set(calls.map(({ id }) => id)).size, odd.length);
    for (const { id } of calls) assert.match(id as string, /^[\w-]{1,40}$/);
    assert.equal(calls.at(-1)!.id, 'call_a');
    // The next turn has the same ones.
    const later = sent([hello, assistant(...odd.map((id) => use(id))), user(odd.map((id) => result(id, id))), hello]);
    assert.deepEqual(later[1], messages[0]);
  });

  const CHOICES: [title: string, choice: Json | undefined, right: Json][] = [
    ['none', undefined, {}],
    ['auto', { type: 'auto' }, { tool_choice: 'auto' }],
    ['any', { type: 'any' }, { tool_choice: 'required' }],
    ['none of them', { type: 'none' }, { tool_choice: 'none' }],
    ['a named tool', { type: 'tool', name: 'read' }, { tool_choice: { type: 'function', function: { name: 'read' } } }],
    ['a flag that is off', { type: 'auto', disable_parallel_tool_use: false }, { tool_choice: 'auto' }],
    [
      'auto, one at a time',
      { type: 'auto', disable_parallel_tool_use: true },
      { tool_choice: 'auto', parallel_tool_calls: false },
    ],
    [
      'any, one at a time',
      { type: 'any', disable_parallel_tool_use: true },
      { tool_choice: 'required', parallel_tool_calls: false },
    ],
    [
      'a named tool, once',
      { type: 'tool', name: 'read', disable_parallel_tool_use: true },
      { tool_choice: { type: 'function', function: { name: 'read' } }, parallel_tool_calls: false },
    ],
    ['no tool and the flag', { type: 'none', disable_parallel_tool_use: true }, { tool_choice: 'none' }],
  ];
  for (const [title, choice, right] of CHOICES)
    it(`row 12: a tool choice of ${title} is the same to the service`, () => {
      const { tools, messages, ...rest } = asked({ tools: [tool()], tool_choice: choice }).call.body;
      assert.deepEqual(rest, right);
    });

  it('row 12: a choice without tools is no choice, and no tools are none', () => {
    for (const fields of [
      { tool_choice: { type: 'auto' } },
      { tools: [] },
      { tools: [], tool_choice: { type: 'none' } },
    ])
      assert.deepEqual(Object.keys(asked(fields).call.body), ['messages']);
  });

  for (const type of ['enabled', 'adaptive'])
    it(`row 13: a forced call is refused by name with thinking that is ${type}, and goes on without it`, () => {
      for (const choice of [{ type: 'any' }, { type: 'tool', name: 'read' }]) {
        const fields = { tools: [tool()], tool_choice: choice };
        const refused = refusal(() => asked({ ...fields, thinking: { type, budget_tokens: 1024 } }));
        assert.deepEqual([refused.code, refused.param], ['unsupported_value', 'tool_choice']);
        assert.ok(asked({ ...fields, thinking: { type: 'disabled' } }).call.body.tool_choice);
      }
      assert.equal(
        asked({ tools: [tool()], tool_choice: { type: 'auto' }, thinking: { type } }).call.body.tool_choice,
        'auto',
      );
    });

  it('row 23: a tool that only Anthropic’s service has is left out and told, also from the history', () => {
    const hosted = [
      { type: 'web_search_20250305', name: 'web_search', max_uses: 5 },
      { type: 'bash_20250124', name: 'bash' },
      { type: 'Odd Type!', name: 'x' },
    ];
    const { call, leftOut } = asked({ tools: [...hosted, tool()], tool_choice: { type: 'any' } });
    assert.deepEqual(
      (call.body.tools as Json[]).map((one) => (one.function as Json).name),
      ['read'],
    );
    assert.equal(call.body.tool_choice, 'required');
    assert.deepEqual(leftOut, ['tools.0 (web_search_20250305)', 'tools.1 (bash_20250124)', 'tools.2']);
    const history = asked({
      tools: [hosted[0]],
      tool_choice: { type: 'auto' },
      messages: [
        assistant(
          { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'a' } },
          { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] },
          text('Found.', { citations: [] }),
        ),
        hello,
      ],
    });
    assert.deepEqual(history.call.body, { messages: [{ role: 'assistant', content: 'Found.' }, hello] });
    assert.deepEqual(history.leftOut, [
      ...['server_tool_use', 'web_search_tool_result', 'citations', 'tools.0 (web_search_20250305)'],
    ]);
  });

  it('row 43: the changing line to Anthropic’s billing is not in the prompt, so the prompt is the same each time', () => {
    const prompt = (line: string, as: (line: string) => unknown) => sent([hello], { system: as(line) })[0];
    const blocks = (line: string) => [text(line), text('You are a tool.', cached), text('Be brief.', cached)];
    const right = system('You are a tool.\n\nBe brief.');
    for (const line of ['x-anthropic-billing-header: cc_version=1; cch=a1;', 'X-Anthropic-Billing-Header: cch=b2;\n']) {
      assert.deepEqual(prompt(line, blocks), right);
      assert.deepEqual(
        prompt(line, (one) => `${one.trimEnd()}\nYou are a tool.\n\nBe brief.`),
        right,
      );
    }
    const { leftOut, context } = asked({
      system: blocks('x-anthropic-billing-header: a'),
      metadata: { user_id: 'u_s1' },
    });
    assert.deepEqual(leftOut, ['metadata', 'cache_control', 'x-anthropic-billing-header']);
    assert.match(context.cacheKey!, /^[\da-f]{32}$/);
    assert.equal(asked({ metadata: { user_id: 'u_s1' } }).context.cacheKey, context.cacheKey);
    assert.notEqual(asked({ metadata: { user_id: 'u_s2' } }).context.cacheKey, context.cacheKey);
    assert.equal(asked({ metadata: {} }).context.cacheKey, null);
  });

  it('row 45: hints and betas are accepted, and told as left out', () => {
    const { call, leftOut } = asked({
      cache_control: { type: 'ephemeral' },
      context_management: { edits: [{ type: 'clear_thinking_20251015' }] },
      output_config: { effort: 'high', task_budget: { type: 'tokens', total: 5 } },
      thinking: { type: 'adaptive', display: 'omitted' },
      betas: ['a'],
      top_k: 5,
      diagnostics: null,
      mcp_servers: [{ type: 'url', url: 'https://t.example', name: 't' }],
      'Odd Field!': 1,
      tools: [tool('read', { eager_input_streaming: true, defer_loading: false, input_examples: [{}], ...cached })],
    });
    assert.deepEqual(Object.keys(call.body), ['messages', 'tools']);
    assert.deepEqual(leftOut, [
      ...['mcp_servers', 'cache_control', 'context_management', 'thinking', 'betas', 'top_k', 'an unknown field'],
      ...['eager_input_streaming', 'input_examples', 'output_config.effort', 'output_config.task_budget'],
    ]);
  });

  it('row 46: a format by its new and its old name is the service’s response_format', () => {
    // No JSON fits this one; it passes as it is.
    const schema = { allOf: [{ type: 'string' }, { type: 'object' }], not: {} };
    const format = { type: 'json_schema', schema };
    const right = { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } };
    for (const fields of [{ output_config: { format } }, { output_format: format }])
      assert.deepEqual(asked(fields).call.body.response_format, right);
    assert.equal(asked({ output_config: { format: null } }).call.body.response_format, undefined);
    const refused = refusal(() => asked({ output_config: { format: { type: 'grammar', syntax: 'lark' } } }));
    assert.deepEqual([refused.code, refused.param], ['unsupported_value', 'output_config.format.type']);
  });

  it('row 47: max_tokens is the limit of the answer, and may be absent', () => {
    assert.equal(asked({ max_tokens: 128_000 }).call.limitTokens, 128_000);
    assert.equal(asked({ max_tokens: undefined }).call.limitTokens, null);
  });

  it('row 48: a tier, a speed or a region with a price of its own is refused by name, and the base ones are not sent', () => {
    for (const [field, value] of [
      ['service_tier', 'priority'],
      ['speed', 'fast'],
      ['inference_geo', 'us'],
    ] as const)
      assert.equal(refusal(() => asked({ [field]: value })).param, field);
    const base = asked({ service_tier: 'auto', speed: 'standard', inference_geo: null, container: null });
    assert.deepEqual([Object.keys(base.call.body), base.leftOut], [['messages'], []]);
  });

  it('row 55: count_tokens counts every block', () => {
    const count = (fields: Json) => sizeOf({ model: 'm', messages: [hello], ...fields }, OPTIONS).estimate;
    const long = 'one two three four five six seven eight nine ten '.repeat(20);
    const plain = count({});
    const MORE: [title: string, fields: Json, atLeast: number][] = [
      ['system', { system: [text(long)] }, 180],
      ['tools', { tools: [tool('read', { description: long })] }, 180],
      ['a picture', { messages: [user([text('Hello'), picture()])] }, PICTURE_TOKENS.estimate],
      ['a call', { messages: [hello, assistant(use('a', { path: long })), user([result('a')])] }, 180],
      ['a result', { messages: [hello, assistant(use('a')), user([result('a', long)])] }, 180],
      [
        'a picture in a result',
        { messages: [hello, assistant(use('a')), user([result('a', [picture()])])] },
        PICTURE_TOKENS.estimate,
      ],
      ['thinking', { messages: [hello, assistant(thinking(long), text('A')), hello] }, 180],
      ['a document', { messages: [hello, user([{ type: 'document', source: { type: 'text', data: long } }])] }, 180],
      ['a format', { output_config: { format: { type: 'json_schema', schema: { description: long } } } }, 180],
    ];
    for (const [title, fields, atLeast] of MORE) assert.ok(count(fields) - plain >= atLeast, title);
  });

  it('tells that an answer which the client began is not gone on with', () => {
    assert.deepEqual(asked({ messages: [hello, { role: 'assistant', content: '{"a":' }] }).leftOut, ['prefill']);
    assert.deepEqual(asked({ messages: [hello, assistant(use('a'))] }).leftOut, []);
    assert.deepEqual(asked({ messages: [hello, assistant()] }).leftOut, []);
  });

  it('is well formed if a text was cut within an emoji', () => {
    assert.deepEqual(sent([user('a\ud83d')]), [user('a\ufffd')]);
  });

  it('takes what Claude Code sends, with 500 tools', () => {
    const { call, leftOut } = read({
      model: 'claude-x',
      max_tokens: 32_000,
      stream: true,
      system: [text('x-anthropic-billing-header: cch=1;'), text('You are a tool.', cached), text('Be brief.', cached)],
      messages: [
        user([text('<system-reminder>a</system-reminder>'), text('Change it.', cached)]),
        system('The date is today.'),
        assistant(thinking('', 'c2ln'), text('I read.'), use('toolu_1', { path: 'a' }), use('toolu_2', { path: 'b' })),
        user([result('toolu_2', 'B'), result('toolu_1', [text('A')], cached)]),
      ],
      tools: Array.from({ length: 500 }, (_, i) => tool(`t${i}`)),
      metadata: { user_id: '{"session_id":"s"}' },
      thinking: { type: 'adaptive', display: 'omitted' },
      context_management: { edits: [] },
      output_config: { effort: 'medium' },
    });
    assert.deepEqual(call.body.messages, [
      system('You are a tool.\n\nBe brief.'),
      user('<system-reminder>a</system-reminder>\n\nChange it.'),
      system('The date is today.'),
      { role: 'assistant', content: 'I read.', tool_calls: [called('1', '{"path":"a"}'), called('2', '{"path":"b"}')] },
      told('2', 'B'),
      told('1', 'A'),
    ]);
    assert.equal((call.body.tools as Json[]).length, 500);
    assert.equal(call.limitTokens, 32_000);
    assert.deepEqual(leftOut, [
      ...['metadata', 'thinking', 'context_management', 'cache_control', 'x-anthropic-billing-header'],
      'output_config.effort',
    ]);
  });

  it('takes as many blocks as fit into a body', () => {
    const many = Array.from({ length: 150_000 }, () => text('a'));
    const document = { type: 'document', source: { type: 'content', content: many } };
    assert.equal((sent([user([document])])[0]!.content as string).length, 150_000 * 3 - 2);
    assert.equal((sent([user(many)])[0]!.content as string).length, 150_000 * 3 - 2);
  });

  it('takes every request that real clients were seen to send', function () {
    const files = captured();
    if (!files) return this.skip();
    let count = 0;
    for (const [file, bodies] of files)
      for (const body of bodies) {
        const { call } = read(body);
        count++;
        const calls = (call.body.messages as Json[]).flatMap(({ tool_calls }) => (tool_calls as Json[]) ?? []);
        const uses = JSON.stringify(body.messages).split('"type":"tool_use"').length - 1;
        assert.equal(calls.length, uses, file);
        assert.equal(call.model, body.model);
      }
    assert.ok(count > 20);
  });

  it('row 22: a document that is no text is refused by name', () => {
    const DOCUMENTS: [content: Json[], param: string][] = [
      [[user([text('a'), pdf])], 'messages.0.content.1.source'],
      [
        [user([{ type: 'document', source: { type: 'url', url: 'https://t.example/a.pdf' } }])],
        'messages.0.content.0.source',
      ],
      [[user([{ type: 'document', source: { type: 'file', file_id: 'f' } }])], 'messages.0.content.0.source'],
      [[assistant(use('a')), user([result('a', [pdf])])], 'messages.1.content.0.content.0.source'],
    ];
    for (const [messages, param] of DOCUMENTS) {
      const refused = refusal(() => sent(messages));
      assert.deepEqual([refused.code, refused.param], ['unsupported_value', param]);
      assert.match(refused.message, /Send its text, or pictures of its pages/);
    }
  });
});
