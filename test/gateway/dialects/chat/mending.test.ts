import assert from 'node:assert/strict';
import fc from 'fast-check';
import { addReasoning, REASONING_PLACEHOLDER } from '../../../../server/gateway/dialects/chat/messages.ts';
import type { Json } from '../../../../server/gateway/dialects/chat/refused.ts';
import type { CallOptions } from '../../../../server/gateway/dialects/chat/request.ts';
import { NO_RESULT } from '../../../../server/gateway/dialects/chat/results.ts';
import { asked, call, calling, picture, refusal, result, sent, text, tool, user } from './asked.ts';

const lost = (id: string) => result(id, NO_RESULT);
const orphan = (id: string, said = 'ok') =>
  user(`Result of the tool call ${id}, which is not in this conversation:\n${said}`);
const system = (content: unknown, role = 'system'): Json => ({ role, content });
const shown = (id: string, count = 'Picture', name = 'read') =>
  text(`${count} in the result of the tool call ${id} (${name}):`);

describe('messages that services refuse', () => {
  const MENDED: [title: string, given: Json[], right: Json[], options?: Partial<CallOptions>][] = [
    // Ids.
    [
      'keep the ids of Kimi',
      [calling(call('functions.read:0')), result('functions.read:0')],
      [calling(call('functions.read:0')), result('functions.read:0')],
    ],
    [
      'keep ids of any length and letters',
      [calling(call(`a|${'b'.repeat(100)}`)), result(`a|${'b'.repeat(100)}`)],
      [calling(call(`a|${'b'.repeat(100)}`)), result(`a|${'b'.repeat(100)}`)],
    ],
    // Arguments.
    ['get {} for empty arguments', [calling(call('a', '')), result('a')], [calling(call('a', '{}')), result('a')]],
    ['get {} for blank arguments', [calling(call('a', ' \n')), result('a')], [calling(call('a', '{}')), result('a')]],
    ['get {} for arguments of null', [calling(call('a', null)), result('a')], [calling(call('a', '{}')), result('a')]],
    [
      'get arguments as a text',
      [calling(call('a', { b: 1 })), result('a')],
      [calling(call('a', '{"b":1}')), result('a')],
    ],
    [
      'keep arguments as they were written',
      [calling(call('a', '{ "b" :1}')), result('a')],
      [calling(call('a', '{ "b" :1}')), result('a')],
    ],
    ...['{"b": ', '{}{}', 'ls -la', "{'b': 1}", '{"b": "\n'].map((args): (typeof MENDED)[number] => [
      `carry arguments that are no JSON in an object, such as ${JSON.stringify(args)}`,
      [calling(call('a', args)), result('a', 'Error: not JSON')],
      [calling(call('a', JSON.stringify({ INVALID_JSON: args }))), result('a', 'Error: not JSON')],
    ]),
    [
      'carry them in the old form as well',
      [{ role: 'assistant', content: null, function_call: { name: 'f', arguments: 'x' } }],
      [{ role: 'assistant', content: null, function_call: { name: 'f', arguments: '{"INVALID_JSON":"x"}' } }],
    ],
    [
      'get {} in the old form',
      [{ role: 'assistant', content: null, function_call: { name: 'f', arguments: '' } }],
      [{ role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } }],
    ],
    [
      'get the type of a call',
      [calling({ id: 'a', function: { name: 'f', arguments: '{}' } }), result('a')],
      [calling({ id: 'a', function: { name: 'f', arguments: '{}' }, type: 'function' }), result('a')],
    ],
    [
      'keep a custom call',
      [calling({ id: 'a', type: 'custom', custom: { name: 'f', input: 'x' } }), result('a')],
      [calling({ id: 'a', type: 'custom', custom: { name: 'f', input: 'x' } }), result('a')],
    ],
    // Calls and results.
    [
      'get a result for an interrupted call',
      [calling(call('a')), user('Go on')],
      [calling(call('a')), lost('a'), user('Go on')],
    ],
    ['get a result for the last call', [user('x'), calling(call('a'))], [user('x'), calling(call('a')), lost('a')]],
    [
      'get a result for one of two calls',
      [calling(call('a'), call('b')), result('b'), user('x')],
      [calling(call('a'), call('b')), result('b'), lost('a'), user('x')],
    ],
    [
      'get results for two turns',
      [calling(call('a')), calling(call('b')), result('b')],
      [calling(call('a')), lost('a'), calling(call('b')), result('b')],
    ],
    ['tell a result without a call as text', [user('x'), result('a')], [user('x'), orphan('a')]],
    ['tell a result of a summary as text', [result('a', 'found'), user('x')], [orphan('a', 'found'), user('x')]],
    [
      'tell a second result as text',
      [calling(call('a')), result('a'), result('a', 'again')],
      [calling(call('a')), result('a'), orphan('a', 'again')],
    ],
    [
      'tell a result of parts as text',
      [result('a', [text('b'), picture()])],
      [user([text('Result of the tool call a, which is not in this conversation:'), text('b'), picture()])],
    ],
    [
      'put results before what the user wrote in between',
      [calling(call('a'), call('b')), result('a'), user('x'), result('b')],
      [calling(call('a'), call('b')), result('a'), result('b'), user('x')],
    ],
    [
      'put results before an answer in between',
      [calling(call('a')), { role: 'assistant', content: 'x' }, result('a')],
      [calling(call('a')), result('a'), { role: 'assistant', content: 'x' }],
    ],
    [
      'keep results in the order in which they came',
      [calling(call('a'), call('b')), result('b'), result('a')],
      [calling(call('a'), call('b')), result('b'), result('a')],
    ],
    [
      'keep ids that are used again in a later turn',
      [calling(call('a')), result('a', '1'), calling(call('a')), result('a', '2')],
      [calling(call('a')), result('a', '1'), calling(call('a')), result('a', '2')],
    ],
    [
      'give a result to the last call of its id',
      [calling(call('a')), user('x'), calling(call('a')), result('a')],
      [calling(call('a')), lost('a'), user('x'), calling(call('a')), result('a')],
    ],
    [
      'pair two calls of one id in one turn',
      [calling(call('a'), call('a')), result('a', '1'), result('a', '2')],
      [calling(call('a'), call('a')), result('a', '1'), result('a', '2')],
    ],
    ['pair calls whose id is empty', [calling(call('')), result('')], [calling(call('')), result('')]],
    [
      'leave out an empty list of calls',
      [{ role: 'assistant', content: 'a', tool_calls: [] }, user('x')],
      [{ role: 'assistant', content: 'a' }, user('x')],
    ],
    [
      'keep what the openai package sends',
      [{ role: 'assistant', content: 'a', refusal: null, tool_calls: null, parsed: null }],
      [{ role: 'assistant', content: 'a', refusal: null, tool_calls: null, parsed: null }],
    ],
    [
      'get a text for an answer of nothing',
      [{ role: 'assistant', content: null }, { role: 'assistant' }],
      [
        { role: 'assistant', content: '' },
        { role: 'assistant', content: '' },
      ],
    ],
    [
      'keep a refusal',
      [{ role: 'assistant', content: null, refusal: 'no' }],
      [{ role: 'assistant', content: null, refusal: 'no' }],
    ],
    [
      'get a text for an answer without parts',
      [{ role: 'assistant', content: [] }],
      [{ role: 'assistant', content: '' }],
    ],
    // Empty results.
    ['keep an empty result', [calling(call('a')), result('a', '')], [calling(call('a')), result('a', '')]],
    ['get a text for a result of null', [calling(call('a')), result('a', null)], [calling(call('a')), result('a', '')]],
    [
      'get a text for a result of nothing',
      [calling(call('a')), { role: 'tool', tool_call_id: 'a' }],
      [calling(call('a')), { role: 'tool', tool_call_id: 'a', content: '' }],
    ],
    [
      'get a text for a result without parts',
      [calling(call('a')), result('a', [])],
      [calling(call('a')), result('a', '')],
    ],
    // Pictures.
    [
      'keep a result of texts',
      [calling(call('a')), result('a', [text('1'), text('2')])],
      [calling(call('a')), result('a', [text('1'), text('2')])],
    ],
    [
      'show the picture of a result',
      [calling(call('a')), result('a', [picture()])],
      [calling(call('a')), result('a', '(a picture: see below)'), user([shown('a'), picture()])],
    ],
    [
      'show the pictures of a result beside its text',
      [calling(call('a')), result('a', [text('1'), picture('u'), text('2'), picture('v')]), user('x')],
      [
        calling(call('a')),
        result('a', '1\n2\n(2 pictures: see below)'),
        user([shown('a', '2 pictures'), picture('u'), picture('v')]),
        user('x'),
      ],
    ],
    [
      'show the pictures of two results behind both',
      [calling(call('a'), call('b', '{}', 'look')), result('a', [picture('u')]), result('b', [picture('v')])],
      [
        calling(call('a'), call('b', '{}', 'look')),
        result('a', '(a picture: see below)'),
        result('b', '(a picture: see below)'),
        user([shown('a'), picture('u'), shown('b', 'Picture', 'look'), picture('v')]),
      ],
    ],
    [
      'show a picture behind the result that was lost',
      [calling(call('a'), call('b')), result('a', [picture('u')])],
      [
        calling(call('a'), call('b')),
        result('a', '(a picture: see below)'),
        lost('b'),
        user([shown('a'), picture('u')]),
      ],
    ],
    [
      'show the picture that MCP sent',
      [calling(call('a')), result('a', [{ type: 'image', data: 'AA', mimeType: 'image/gif' }])],
      [
        calling(call('a')),
        result('a', '(a picture: see below)'),
        user([shown('a'), picture('data:image/gif;base64,AA')]),
      ],
    ],
    [
      'show the picture that Anthropic would',
      [
        calling(call('a')),
        result('a', [{ type: 'image', source: { type: 'base64', media_type: 'image/webp', data: 'AA' } }]),
      ],
      [
        calling(call('a')),
        result('a', '(a picture: see below)'),
        user([shown('a'), picture('data:image/webp;base64,AA')]),
      ],
    ],
    [
      'show the picture that Responses would',
      [user([{ type: 'input_image', image_url: 'https://a.example/b.png', detail: 'low' }])],
      [user([picture('https://a.example/b.png', { detail: 'low' })])],
    ],
    [
      'show a picture by its address alone',
      [user([{ type: 'image_url', image_url: 'https://a.example/b.png' }])],
      [user([picture('https://a.example/b.png')])],
    ],
    [
      'keep a picture of the user',
      [user([text('a'), picture('u', { detail: 'low' })])],
      [user([text('a'), picture('u', { detail: 'low' })])],
    ],
    [
      'have the detail high for original',
      [user([picture('u', { detail: 'original' })])],
      [user([picture('u', { detail: 'high' })])],
    ],
    [
      'have the detail high for the original of Responses',
      [user([{ type: 'input_image', image_url: 'u', detail: 'original' }])],
      [user([picture('u', { detail: 'high' })])],
    ],
    [
      'take over the text of a document',
      [user([{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a' } }])],
      [user([text('a')])],
    ],
    ['take over a text of Responses', [user([{ type: 'input_text', text: 'a' }])], [user([text('a')])]],
    [
      'keep what a part has beside its text',
      [user([{ ...text('a'), cache_control: { type: 'ephemeral' } }])],
      [user([{ ...text('a'), cache_control: { type: 'ephemeral' } }])],
    ],
    // Roles.
    ['keep developer', [system('a', 'developer'), user('x')], [system('a', 'developer'), user('x')]],
    [
      'have system for developer',
      [system('a', 'developer'), user('x'), system('b', 'developer')],
      [system('a'), user('x'), system('b')],
      { developerRole: false },
    ],
    ['keep several system messages', [system('a'), system('b'), user('x')], [system('a'), system('b'), user('x')]],
    [
      'have one system message, first',
      [system('a', 'developer'), system('b'), user('x'), system('c'), user('y')],
      [system('a\n\nb'), user('x'), user('c'), user('y')],
      { developerRole: false, systemFirst: true },
    ],
    [
      'have one system message of parts',
      [system([text('a')]), system('b'), user('x')],
      [system([text('a'), text('b')]), user('x')],
      { systemFirst: true },
    ],
    ['keep the only system message', [system('a'), user('x')], [system('a'), user('x')], { systemFirst: true }],
    [
      'keep a system message out of a call and its result',
      [calling(call('a')), system('b'), result('a')],
      [calling(call('a')), result('a'), user('b')],
      { systemFirst: true },
    ],
  ];
  for (const [title, given, right, options] of MENDED)
    it(title, () => {
      const once = sent(given, options);
      assert.deepEqual(once, right);
      assert.deepEqual(sent(once, options), right);
    });

  const REFUSED: [title: string, messages: Json[], param: string][] = [
    [
      'a document by its bytes',
      [user([{ type: 'document', source: { type: 'base64', data: 'AA' } }])],
      'messages[0].content[0].source',
    ],
    [
      'a document by its address',
      [user([{ type: 'document', source: { type: 'url', url: 'u' } }])],
      'messages[0].content[0].source',
    ],
  ];
  for (const [title, messages, param] of REFUSED)
    it(`are not mended, but refused by name with ${title}`, () =>
      assert.equal(refusal(() => sent(messages)).param, param));

  it('go on with each result right behind its call, and with everything that was said, whatever came', () => {
    const id = fc.constantFrom('a', 'b', 'c', 'functions.read:0');
    const message = fc.oneof(
      fc.string().map((said) => user(said)),
      fc.string().map((said) => ({ role: 'assistant', content: said })),
      fc.array(id, { minLength: 1, maxLength: 3 }).map((ids) => calling(...ids.map((one) => call(one)))),
      fc.tuple(id, fc.string()).map(([one, said]) => result(one, said)),
      fc.tuple(id, fc.string()).map(([one, said]) => result(one, [text(said), picture()])),
    );
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 12 }), (given) => {
        const right = sent(given);
        const open: string[] = [];
        for (const { role, tool_call_id: answered, tool_calls: calls } of right) {
          if (role === 'tool')
            open.splice(open.indexOf(answered as string), open.includes(answered as string) ? 1 : 1e9);
          else assert.deepEqual(open, []);
          if (role === 'tool') continue;
          for (const one of (calls as Json[] | undefined) ?? []) open.push(one.id as string);
        }
        assert.deepEqual(open, []);
        const textsOf = (messages: Json[]) =>
          messages
            .flatMap(({ content }) => (Array.isArray(content) ? content.map((part) => part.text ?? '') : [content]))
            .join('\n');
        const told = textsOf(right);
        for (const { content } of given) {
          const said = Array.isArray(content) ? content[0].text : content;
          if (typeof said === 'string') assert.ok(told.includes(said));
        }
        const count = (messages: Json[]) => JSON.stringify(messages).split('"image_url":{').length;
        assert.equal(count(right), count(given));
        assert.deepEqual(sent(right), right);
      }),
    );
  });
});

describe('a tool choice', () => {
  const read = { type: 'function', function: { name: 'read' } };
  const RIGHT: [given: unknown, right: unknown][] = [
    ['auto', 'auto'],
    ['none', 'none'],
    ['required', 'required'],
    [read, read],
    [null, null],
    ['any', 'required'],
    [{ type: 'any' }, 'required'],
    [{ type: 'auto' }, 'auto'],
    [{ type: 'none' }, 'none'],
    [{ type: 'tool', name: 'read' }, read],
    [{ type: 'function', name: 'read' }, read],
    [
      { type: 'custom', custom: { name: 'patch' } },
      { type: 'custom', custom: { name: 'patch' } },
    ],
    [
      { type: 'custom', name: 'patch' },
      { type: 'custom', custom: { name: 'patch' } },
    ],
    [
      { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [read] } },
      { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [read] } },
    ],
    [
      { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [read, { type: 'web_search' }] } },
      { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [read] } },
    ],
    [{ type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [{ type: 'web_search' }] } }, 'none'],
  ];
  const tools = [tool(), { type: 'custom', custom: { name: 'patch' } }];
  for (const [given, right] of RIGHT)
    it(`of ${JSON.stringify(given)} is ${JSON.stringify(right)}`, () =>
      assert.deepEqual(asked({ tools, tool_choice: given }).body.tool_choice, right));

  const WRONG: [given: unknown, code: string][] = [
    [5, 'invalid_type'],
    [[], 'invalid_type'],
    ['read', 'invalid_value'],
    ['', 'invalid_value'],
    ['__proto__', 'invalid_value'],
    [{}, 'missing_required_parameter'],
    [{ type: 5 }, 'invalid_type'],
    [{ type: 'function' }, 'missing_required_parameter'],
    [{ type: 'function', function: { name: 5 } }, 'invalid_type'],
    [{ type: 'function', function: { name: 'other' } }, 'invalid_value'],
    [{ type: 'web_search' }, 'unsupported_value'],
    [{ type: 'builtin_function', function: { name: '$web_search' } }, 'unsupported_value'],
    [{ type: 'allowed_tools' }, 'invalid_type'],
    [{ type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [{ type: 'web_search' }] } }, 'invalid_value'],
  ];
  for (const [given, code] of WRONG)
    it(`of ${JSON.stringify(given)} is refused as ${code}`, () => {
      const refused = refusal(() => asked({ tools, tool_choice: given }));
      assert.equal(refused.code, code);
      assert.match(refused.param!, /^tool_choice/);
    });

  const FLAGS: [title: string, fields: Json, right: Json][] = [
    ['alone keeps the flag beside tools', { tools, parallel_tool_calls: false }, { tools, parallel_tool_calls: false }],
    [
      'of none loses the flag',
      { tools, tool_choice: 'none', parallel_tool_calls: true },
      { tools, tool_choice: 'none' },
    ],
    [
      'of required keeps the flag',
      { tools, tool_choice: 'required', parallel_tool_calls: false },
      { tools, tool_choice: 'required', parallel_tool_calls: false },
    ],
    [
      'of one call at a time becomes the flag',
      { tools, tool_choice: { type: 'any', disable_parallel_tool_use: true } },
      { tools, tool_choice: 'required', parallel_tool_calls: false },
    ],
    ['is left out with the flag if there are no tools', { tool_choice: 'auto', parallel_tool_calls: true }, {}],
    ['is left out with an empty list of tools', { tools: [], tool_choice: 'none' }, {}],
    ['may stand beside tools of null', { tools: null }, { tools: null }],
  ];
  for (const [title, fields, right] of FLAGS)
    it(title, () => assert.deepEqual(asked(fields).body, { messages: [user('Hello')], ...right }));

  it('that forces a call is refused if there are no tools', () => {
    for (const fields of [{ tool_choice: 'required' }, { tools: [], tool_choice: 'any' }, { tool_choice: read }])
      assert.match(refusal(() => asked(fields)).param!, /^tool_choice/);
  });

  it('that forces a call is refused by name while a model thinks that can do only one of them', () => {
    const options = { thinkingForbidsForced: true };
    for (const tool_choice of ['required', 'any', read, { type: 'tool', name: 'read' }])
      for (const thinking of [{}, { thinking: { type: 'enabled' } }]) {
        const fields = { tools, tool_choice, ...thinking };
        const refused = refusal(() => asked(fields, options));
        assert.deepEqual([refused.code, refused.param], ['unsupported_value', 'tool_choice']);
        assert.match(refused.message, /"auto".*"disabled"/);
        assert.ok(asked(fields));
      }
    const off: Json[] = [
      { thinking: { type: 'disabled' } },
      { enable_thinking: false },
      { chat_template_kwargs: { thinking: false } },
      { reasoning_effort: 'none' },
      { reasoning: { enabled: false } },
    ];
    for (const fields of off) assert.ok(asked({ tools, tool_choice: 'required', ...fields }, options));
    assert.ok(asked({ tools, tool_choice: 'auto' }, options));
  });
});

describe('reasoning that a service demands before tool calls', () => {
  const turn = (more: Json): Json => ({ ...calling(call('a')), ...more });
  const added = (message: Json) => (addReasoning({ messages: [message] }).messages as Json[])[0]!.reasoning_content;

  const CASES: [title: string, more: Json, reasoning: unknown][] = [
    ['is carried', { reasoning_content: 'I look.' }, 'I look.'],
    ['is carried from the name reasoning', { reasoning: 'I look.' }, 'I look.'],
    ['is carried from details', { reasoning_details: [{ type: 'reasoning.text', text: 'I look.' }] }, 'I look.'],
    ['is carried beside an empty one', { reasoning_content: '', reasoning: 'I look.' }, 'I look.'],
    ['gets a placeholder if it is missing', {}, REASONING_PLACEHOLDER],
    ['gets a placeholder if it is null', { reasoning_content: null }, REASONING_PLACEHOLDER],
    ['gets a placeholder if it is empty', { reasoning_content: '' }, REASONING_PLACEHOLDER],
    ['gets a placeholder if it is blank', { reasoning_content: ' \n' }, REASONING_PLACEHOLDER],
    ['gets a placeholder if it is no text', { reasoning_content: 5, reasoning: {} }, REASONING_PLACEHOLDER],
    ['is not demanded of an answer without calls', { tool_calls: undefined }, undefined],
    ['is not demanded of an empty list of calls', { tool_calls: [] }, undefined],
  ];
  for (const [title, more, reasoning] of CASES) it(title, () => assert.equal(added(turn(more)), reasoning));

  it('leaves a conversation alone that has it', () => {
    const body = { messages: [user('x'), turn({ reasoning_content: 'I look.' }), result('a')], temperature: 1 };
    assert.equal(addReasoning(body), body);
  });
});
