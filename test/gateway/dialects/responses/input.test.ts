import assert from 'node:assert/strict';
import type { Json } from '../../../../server/gateway/dialects/chat/refused.ts';
import { NO_RESULT } from '../../../../server/gateway/dialects/chat/results.ts';
import { encodeReasoning } from '../../../../server/gateway/dialects/responses/reasoning.ts';
import { call, picture, refusal, result, text, user } from '../chat/asked.ts';
import { asked, called, message, output, reasoned, said, sent, shown, written } from './asked.ts';

const system = (content: unknown, role = 'system'): Json => ({ role, content });
const answer = (content: string | null, more: Json = {}): Json => ({ role: 'assistant', content, ...more });
const calling = (content: string | null, ...calls: Json[]): Json => answer(content, { tool_calls: calls });
const orphan = (id: string, told: string) =>
  user(`Result of the tool call ${id}, which is not in this conversation:\n${told}`);
const file = (data: string, more: Json = {}): Json => ({ type: 'input_file', file_data: data, ...more });
const base64 = (data: string | Buffer) => Buffer.from(data).toString('base64');

describe('the input of a Responses request', () => {
  const CARRIED: [title: string, fields: Json, messages: Json[], leftOut?: string[]][] = [
    ['a text', { input: 'Hi' }, [user('Hi')]],
    ['an empty text', { input: '' }, [user('')]],
    ['a message without a type', { input: [{ role: 'user', content: 'Hi' }] }, [user('Hi')]],
    ['one part as a text', { input: [message('user', [written('Hi')])] }, [user('Hi')]],
    [
      'several parts as parts, without what belongs to this dialect alone',
      {
        input: [message('user', [{ ...written('a'), prompt_cache_breakpoint: { mode: 'explicit' } }, written('b')])],
      },
      [user([text('a'), text('b')])],
    ],
    ['instructions before everything', { instructions: 'Be brief.', input: 'Hi' }, [system('Be brief.'), user('Hi')]],
    ['no empty instructions', { instructions: '', input: 'Hi' }, [user('Hi')]],
    ['no instructions of null', { instructions: null, input: 'Hi' }, [user('Hi')]],
    [
      'row 44: developer and system messages in their places',
      { input: [message('developer', [written('a')]), message('user', 'b'), message('system', 'c')] },
      [system('a', 'developer'), user('b'), system('c')],
    ],
    ['an answer as text', { input: [said('a'), message('user', 'b')] }, [answer('a'), user('b')]],
    [
      'an answer of many parts as one text',
      { input: [message('assistant', [written('a'), { type: 'refusal', refusal: 'b' }]), message('user', 'c')] },
      [answer('ab'), user('c')],
    ],
    ['an answer without content', { input: [message('assistant', []), message('user', 'c')] }, [answer(''), user('c')]],
    ['two answers in a row as two', { input: [said('a'), said('b')] }, [answer('a'), answer('b')]],

    // Calls and results.
    [
      'row 1: the ids of Kimi',
      { input: [called('functions.read:0'), output('functions.read:0')] },
      [calling(null, call('functions.read:0')), result('functions.read:0')],
    ],
    [
      'row 3: an id with a bar',
      { input: [called('call_1|fc_2'), output('call_1|fc_2')] },
      [calling(null, call('call_1|fc_2')), result('call_1|fc_2')],
    ],
    [
      'row 11: empty arguments as an empty object',
      { input: [called('a', ''), output('a')] },
      [calling(null, call('a', '{}')), result('a')],
    ],
    [
      'row 11: arguments as they were written',
      { input: [called('a', '{ "b":1 }'), output('a')] },
      [calling(null, call('a', '{ "b":1 }')), result('a')],
    ],
    [
      'parallel calls in one message, with their results in the order in which they came',
      { input: [called('a'), called('b'), output('b', '2'), output('a', '1')] },
      [calling(null, call('a'), call('b')), result('b', '2'), result('a', '1')],
    ],
    [
      'two calls with one id, each with its result',
      { input: [called('a', '{"n":1}'), output('a', '1'), called('a', '{"n":2}'), output('a', '2')] },
      [calling(null, call('a', '{"n":1}')), result('a', '1'), calling(null, call('a', '{"n":2}')), result('a', '2')],
    ],
    [
      'row 16: a text between a call and its result in the message with the call',
      { input: [called('a'), said('Wait.'), output('a')] },
      [calling('Wait.', call('a')), result('a')],
    ],
    [
      'a text before a call in the message with the call',
      { input: [said('Look:'), called('a'), said(' and'), called('b'), output('a'), output('b')] },
      [calling('Look: and', call('a'), call('b')), result('a'), result('b')],
    ],
    [
      'row 16: a message of the user behind the result',
      { input: [called('a'), message('user', 'Stop!'), output('a')] },
      [calling(null, call('a')), result('a'), user('Stop!')],
    ],
    [
      'row 18: a call without a result',
      { input: [called('a'), message('user', 'Go on')] },
      [calling(null, call('a')), result('a', NO_RESULT), user('Go on')],
    ],
    ['row 18: a result without a call', { input: [output('a', 'x')] }, [orphan('a', 'x')]],
    ['row 19: an empty result', { input: [called('a'), output('a', '')] }, [calling(null, call('a')), result('a', '')]],
    [
      'row 19: a result of null and one without parts',
      { input: [called('a'), called('b'), output('a', null), output('b', [])] },
      [calling(null, call('a'), call('b')), result('a', ''), result('b', '')],
    ],
    [
      'a result in parts as one text',
      { input: [called('a'), output('a', [written('x'), { type: 'output_text', text: 'y' }])] },
      [calling(null, call('a')), result('a', 'x\ny')],
    ],
    [
      'row 20: a picture in a result in a message behind it, which names the call',
      { input: [called('a'), output('a', [written('x'), shown()])] },
      [
        calling(null, call('a')),
        result('a', 'x\n(a picture: see below)'),
        user([text('Picture in the result of the tool call a (read):'), picture()]),
      ],
    ],
    [
      'row 21: the detail of Codex as the highest that others know',
      { input: [message('user', [shown('https://a.example/b.png', { detail: 'original' })])] },
      [user([picture('https://a.example/b.png', { detail: 'high' })])],
    ],
    [
      'a picture with its detail',
      { input: [message('user', [shown('data:image/png;base64,AA', { detail: 'low', file_id: null })])] },
      [user([picture('data:image/png;base64,AA', { detail: 'low' })])],
    ],
    [
      'row 11: arguments that are no JSON in an object',
      { input: [called('a', '{"b'), output('a', 'failed to parse function arguments')] },
      [calling(null, call('a', '{"INVALID_JSON":"{\\"b"}')), result('a', 'failed to parse function arguments')],
    ],
    [
      'row 24: calls of a custom tool, and their outputs',
      {
        input: [
          { type: 'custom_tool_call', call_id: 'a', name: 'apply_patch', input: '*** "x"\n' },
          { type: 'custom_tool_call_output', call_id: 'a', output: 'Done' },
        ],
      },
      [calling(null, call('a', '{"input":"*** \\"x\\"\\n"}', 'apply_patch')), result('a', 'Done')],
    ],
    [
      'row 25: calls of tools in namespaces under their one name',
      { input: [called('a', '{}', 'spawn', { namespace: 'agents' }), output('a')] },
      [calling(null, call('a', '{}', 'agents__spawn')), result('a')],
    ],
    [
      'calls of the tools that OpenAI has clients run',
      {
        input: [
          { type: 'local_shell_call', id: 'a', call_id: null, action: { type: 'exec', command: ['ls'] } },
          { type: 'local_shell_call_output', id: 'a', output: 'x' },
          { type: 'shell_call', call_id: 'b', action: { commands: ['ls'] } },
          { type: 'shell_call_output', call_id: 'b', output: [{ stdout: 'x' }] },
          { type: 'apply_patch_call', call_id: 'c', operation: { type: 'delete_file', path: 'x' } },
          { type: 'apply_patch_call_output', call_id: 'c', status: 'completed' },
        ],
      },
      [
        calling(null, call('a', '{"type":"exec","command":["ls"]}', 'local_shell')),
        result('a', 'x'),
        calling(null, call('b', '{"commands":["ls"]}', 'shell')),
        result('b', '[{"stdout":"x"}]'),
        calling(null, call('c', '{"type":"delete_file","path":"x"}', 'apply_patch')),
        result('c', 'completed'),
      ],
    ],
    [
      'a call that was cut off is left out, and said',
      { input: [called('a', '{"b', 'read', { status: 'incomplete' }), message('user', 'Go on')] },
      [user('Go on')],
      ['input[0] (a call that was cut off)'],
    ],

    // Reasoning.
    [
      'row 27: our own reasoning with the next answer',
      {
        input: [
          reasoned('', { summary: [], encrypted_content: encodeReasoning('Hm 😀') }),
          said('Yes'),
          message('user', 'So?'),
        ],
      },
      [answer('Yes', { reasoning_content: 'Hm 😀' }), user('So?')],
    ],
    [
      'row 26: reasoning with the next call',
      { input: [reasoned('Hm', { content: null, encrypted_content: null }), called('a'), output('a')] },
      [{ ...calling(null, call('a')), reasoning_content: 'Hm' }, result('a')],
    ],
    [
      'row 27: another provider’s reasoning as far as it can be read',
      {
        input: [reasoned('Hm', { encrypted_content: 'gAAAA' }), said('Yes'), reasoned('', { summary: [] }), said('!')],
      },
      [answer('Yes!', { reasoning_content: 'Hm' })],
      ['input[0].encrypted_content'],
    ],
    [
      'row 27: reasoning in the form of open models',
      { input: [reasoned('short', { content: [{ type: 'reasoning_text', text: 'Long' }] }), said('Yes')] },
      [answer('Yes', { reasoning_content: 'Long' })],
    ],
    [
      'row 27: reasoning that was cut or changed is not ours',
      { input: [reasoned('', { summary: [], encrypted_content: 'perigee.1.!!' }), said('Yes')] },
      [answer('Yes')],
      ['input[0].encrypted_content'],
    ],
    [
      'row 29: several reasonings of one turn in their order',
      { input: [reasoned('a'), called('x'), reasoned('b'), called('y'), output('x'), output('y')] },
      [{ ...calling(null, call('x'), call('y')), reasoning_content: 'ab' }, result('x'), result('y')],
    ],
    [
      'reasoning without an answer is left out, and said',
      { input: [reasoned('Hm'), message('user', 'So?')] },
      [user('So?')],
      ['input[0] (reasoning without an answer)'],
    ],

    // Documents.
    [
      'row 22: a text file as its text, with its name',
      { input: [message('user', [file(`data:text/plain;base64,${base64('Grüße')}`, { filename: 'a.txt' })])] },
      [user('File a.txt:\nGrüße')],
    ],
    [
      'row 22: a text file in plain letters, in a result',
      { input: [called('a'), output('a', [file('data:application/json;charset=utf-8,%7B%7D')])] },
      [calling(null, call('a')), result('a', '{}')],
    ],

    // What others' servers did.
    [
      'items of tools that other servers ran are left out, and said once for each kind',
      {
        input: [
          { type: 'web_search_call', id: 'ws_1', status: 'completed' },
          { type: 'web_search_call', id: 'ws_2', status: 'completed' },
          { type: 'mcp_call', id: 'mcp_1', name: 'x', arguments: '{}' },
          message('user', 'Hi'),
        ],
      },
      [user('Hi')],
      ['input[0] (web_search_call) and 1 more', 'input[2] (mcp_call)'],
    ],
  ];
  for (const [title, fields, messages, leftOut = []] of CARRIED)
    it(`carries ${title}`, () => {
      const read = asked(fields);
      assert.deepEqual(read.messages, messages);
      assert.deepEqual(read.leftOut, leftOut);
    });

  it('row 44: a service that knows no developers gets system messages', () => {
    assert.deepEqual(asked({ input: [message('developer', 'a'), message('user', 'b')] }, false).messages, [
      system('a'),
      user('b'),
    ]);
  });

  it('row 3: an id over 64 characters is the same shorter one in call and result, on every turn, and no two are one', () => {
    const ids = Array.from({ length: 200 }, (_, i) => `call_${'x'.repeat(200)}|${i}`);
    const items = ids.flatMap((id) => [called(id), output(id, id)]);
    const messages = sent(...items);
    const seen = messages.filter(({ role }) => role === 'tool').map(({ tool_call_id: id }) => id as string);
    assert.equal(new Set(seen).size, ids.length);
    for (const [i, id] of seen.entries()) {
      assert.match(id, /^[A-Za-z0-9_-]{1,64}$/);
      const [before, own] = messages.slice(2 * i);
      assert.equal((before!.tool_calls as Json[])[0]?.id, id);
      assert.equal(own?.content, ids[i]);
    }
    assert.deepEqual(sent(...items, message('user', 'On')).slice(0, -1), messages);
    assert.equal(sent(called('x'.repeat(64)), output('x'.repeat(64)))[1]?.tool_call_id, 'x'.repeat(64));
  });

  const REFUSED: [title: string, fields: Json, param: string | null, code: string, told?: RegExp][] = [
    ['no input', { input: null }, 'input', 'missing_required_parameter'],
    ['an empty input', { input: [] }, 'input', 'empty_array'],
    ['an input of a wrong type', { input: 5 }, 'input', 'invalid_type'],
    ['an input of nothing that can be carried', { input: [reasoned('Hm')] }, 'input', 'invalid_value'],
    ['instructions of a wrong type', { instructions: ['a'] }, 'instructions', 'invalid_type'],
    ['a text for an item', { input: ['Hi'] }, 'input[0]', 'invalid_type'],
    ['an item of an unknown type', { input: [{ type: 'telepathy' }] }, 'input[0].type', 'unsupported_value'],
    ['an item with a number for a type', { input: [{ type: 5 }] }, 'input[0].type', 'invalid_type'],
    ['an item without anything', { input: [{}] }, 'input[0].type', 'missing_required_parameter'],
    [
      'an item in other letters',
      { input: [{ ...output('a'), Output: 'x' }] },
      'input[0].output',
      'unsupported_parameter',
    ],
    [
      'a message without a role',
      { input: [{ type: 'message', content: 'a' }] },
      'input[0].role',
      'missing_required_parameter',
    ],
    ['a role of another dialect', { input: [message('tool', 'a')] }, 'input[0].role', 'invalid_value'],
    ['a message without content', { input: [{ role: 'user' }] }, 'input[0].content', 'missing_required_parameter'],
    ['a message without parts', { input: [message('user', [])] }, 'input[0].content', 'empty_array'],
    ['content of a wrong type', { input: [message('assistant', 5)] }, 'input[0].content', 'invalid_type'],
    [
      'a part without a type',
      { input: [message('user', [{ text: 'a' }])] },
      'input[0].content[0].type',
      'missing_required_parameter',
    ],
    [
      'a part without a text',
      { input: [message('user', [{ type: 'input_text' }])] },
      'input[0].content[0].text',
      'missing_required_parameter',
    ],
    [
      'a part with a number for a text',
      { input: [message('user', [{ type: 'input_text', text: 1 }])] },
      'input[0].content[0].text',
      'invalid_type',
    ],
    [
      'sound',
      { input: [message('user', [{ type: 'input_audio', input_audio: {} }])] },
      'input[0].content[0].type',
      'unsupported_value',
      /Sound/,
    ],
    [
      'a picture in an answer',
      { input: [message('assistant', [written('a'), shown()])] },
      'input[0].content[1].type',
      'unsupported_value',
    ],
    [
      'a picture without an address',
      { input: [message('user', [{ type: 'input_image' }])] },
      'input[0].content[0].image_url',
      'missing_required_parameter',
    ],
    [
      'a picture with a number for an address',
      { input: [message('user', [{ type: 'input_image', image_url: 5 }])] },
      'input[0].content[0].image_url',
      'invalid_type',
    ],
    [
      'a document as a picture',
      { input: [called('a'), output('a', [shown('data:application/pdf;base64,AA')])] },
      'input[1].output[0].image_url',
      'unsupported_value',
    ],
    [
      'a stored picture',
      { input: [message('user', [{ type: 'input_image', file_id: 'f' }])] },
      'input[0].content[0].file_id',
      'unsupported_value',
    ],
    [
      'row 22: a stored file',
      { input: [message('user', [{ type: 'input_file', file_id: 'f' }])] },
      'input[0].content[0].file_id',
      'unsupported_value',
    ],
    [
      'row 22: the address of a file',
      { input: [message('user', [{ type: 'input_file', file_url: 'https://a.example/b.pdf' }])] },
      'input[0].content[0].file_url',
      'unsupported_value',
    ],
    [
      'row 22: a PDF',
      { input: [message('user', [file(`data:application/pdf;base64,${base64('%PDF')}`)])] },
      'input[0].content[0].file_data',
      'unsupported_value',
      /pictures of its pages/,
    ],
    [
      'row 22: a text file that is not UTF-8',
      { input: [message('user', [file(`data:text/plain;base64,${base64(Buffer.from([0xff, 0xfe]))}`)])] },
      'input[0].content[0].file_data',
      'unsupported_value',
    ],
    [
      'row 22: a text file that is not base64',
      { input: [message('user', [file('data:text/plain;base64,{"a"}')])] },
      'input[0].content[0].file_data',
      'unsupported_value',
    ],
    [
      'row 22: a data: URL with a head of megabytes',
      { input: [message('user', [file(`data:text/plain${';'.repeat(10_000_000)}`)])] },
      'input[0].content[0].file_data',
      'unsupported_value',
    ],
    [
      'row 22: a file that is no data: URL',
      { input: [message('user', [file('JVBERi0')])] },
      'input[0].content[0].file_data',
      'unsupported_value',
    ],
    [
      'row 22: an empty file part',
      { input: [message('user', [{ type: 'input_file' }])] },
      'input[0].content[0].file_data',
      'missing_required_parameter',
    ],
    [
      'a call without an id',
      { input: [{ type: 'function_call', id: 'fc_1', name: 'read', arguments: '{}' }] },
      'input[0].call_id',
      'missing_required_parameter',
    ],
    ['a call with a number for an id', { input: [{ ...called('a'), call_id: 5 }] }, 'input[0].call_id', 'invalid_type'],
    [
      'a call without a name',
      { input: [{ ...called('a'), name: null }] },
      'input[0].name',
      'missing_required_parameter',
    ],
    [
      'a call with a list for a namespace',
      { input: [called('a', '{}', 'x', { namespace: [] })] },
      'input[0].namespace',
      'invalid_type',
    ],
    [
      'a custom call without an input',
      { input: [{ type: 'custom_tool_call', call_id: 'a', name: 'x' }] },
      'input[0].input',
      'missing_required_parameter',
    ],
    [
      'an output without an id',
      { input: [{ type: 'function_call_output', output: 'a' }] },
      'input[0].call_id',
      'missing_required_parameter',
    ],
    [
      'an output without an output',
      { input: [{ type: 'function_call_output', call_id: 'a' }] },
      'input[0].output',
      'missing_required_parameter',
    ],
    ['an output of a wrong type', { input: [output('a', { ok: true })] }, 'input[0].output', 'invalid_type'],
    ['reasoning of a wrong type', { input: [reasoned('', { summary: 'Hm' })] }, 'input[0].summary', 'invalid_type'],
    [
      'reasoning with a text for a part',
      { input: [reasoned('', { summary: ['Hm'] })] },
      'input[0].summary[0]',
      'invalid_type',
    ],
    [
      'row 49: a stored item',
      { input: [{ type: 'item_reference', id: 'msg_1' }] },
      'input[0].id',
      'previous_response_not_found',
    ],
    [
      'row 49: a stored item without a type',
      { input: [{ id: 'msg_1' }] },
      'input[0].id',
      'previous_response_not_found',
    ],
    [
      'row 50: a compaction',
      { input: [{ type: 'compaction', encrypted_content: 'x' }, message('user', 'a')] },
      'input[0].type',
      'unsupported_value',
      /summary/,
    ],
    [
      'row 50: the wish for a compaction',
      { input: [message('user', 'a'), { type: 'compaction_trigger' }] },
      'input[1].type',
      'unsupported_value',
    ],
    [
      'too many items',
      { input: Array.from({ length: 10_001 }, () => message('user', 'a')) },
      'input',
      'array_above_max_length',
    ],
    [
      'too many items beside instructions',
      { instructions: 'a', input: Array.from({ length: 10_000 }, () => message('user', 'a')) },
      'input',
      'array_above_max_length',
    ],
  ];
  for (const [title, fields, param, code, told = /\.$/] of REFUSED)
    it(`refuses ${title}`, () => {
      const refused = refusal(() => asked(fields));
      assert.deepEqual([refused.param, refused.code], [param, code]);
      assert.match(refused.message, told);
    });
});
