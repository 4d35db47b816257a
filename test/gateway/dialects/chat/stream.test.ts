import assert from 'node:assert/strict';
import type { Json } from '../../../../server/gateway/dialects/chat/refused.ts';
import { ChatStream } from '../../../../server/gateway/dialects/chat/stream.ts';
import { wholeOf } from '../../../../server/gateway/dialects/chat/whole.ts';
import { captured } from './asked.ts';
import { type Heard, hear, USAGE } from './heard.ts';

const HEAD = { model: 'ours', id: 'chatcmpl-1', createdSeconds: 1_000 };
const chunk = (delta: unknown, more: Json = {}, top: Json = {}): Json => ({
  id: 'theirs',
  object: 'chat.completion.chunk',
  created: 5,
  model: 'theirs',
  choices: [{ index: 0, delta, finish_reason: null, ...more }],
  ...top,
});
const said = (content: string) => chunk({ content });
const calls = (...tool_calls: unknown[]) => chunk({ tool_calls });
const finish = (finish_reason: unknown, top: Json = {}) => chunk({}, { finish_reason }, top);
const role = chunk({ role: 'assistant', content: '' });
const fn = (name?: unknown, args?: unknown) => ({ name, arguments: args });
const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value));

/** All chunks that a client gets for these of a service, as JSON. */
function stream(chunks: unknown[], wantsUsage = false): { sent: Json[]; stream: ChatStream } {
  const one = new ChatStream({ ...HEAD, wantsUsage });
  const sent = [...chunks.flatMap((given) => one.take(copy(given))), ...one.end(USAGE)];
  return { sent: copy(sent), stream: one };
}

const heard = (chunks: unknown[]): Heard => hear(stream(chunks).sent);

describe('the tool calls of a stream', () => {
  const CALLS: [title: string, chunks: unknown[], calls: [id: string, name: string, args: string][]][] = [
    [
      'are told apart by their index',
      [
        calls({ index: 0, id: 'a', type: 'function', function: fn('f', '') }),
        calls({ index: 1, id: 'b', type: 'function', function: fn('g', '{') }),
        calls({ index: 0, function: fn(undefined, '{"x"') }),
        calls({ index: 1, function: fn(undefined, '}') }, { index: 0, function: fn(undefined, ':1}') }),
      ],
      [
        ['a', 'f', '{"x":1}'],
        ['b', 'g', '{}'],
      ],
    ],
    [
      'are told apart by their ids if both have the index 0',
      [
        calls({ index: 0, id: 'a', function: fn('f', '{"x"') }),
        calls({ index: 0, function: fn(undefined, ':1}') }),
        calls({ index: 0, id: 'b', function: fn('f', '{"x"') }),
        calls({ index: 0, function: fn(undefined, ':2}') }),
      ],
      [
        ['a', 'f', '{"x":1}'],
        ['b', 'f', '{"x":2}'],
      ],
    ],
    [
      'are told apart by their ids if both stand in one chunk with the index 0',
      [calls({ index: 0, id: 'a', function: fn('f', '{"x":1}') }, { index: 0, id: 'b', function: fn('g', '{"x":2}') })],
      [
        ['a', 'f', '{"x":1}'],
        ['b', 'g', '{"x":2}'],
      ],
    ],
    [
      'are told apart by their ids, back and forth, without an index',
      [
        calls({ id: 'a', function: fn('f', '{"x"') }),
        calls({ id: 'b', function: fn('g', '{"x"') }),
        calls({ id: 'a', function: fn('f', ':1}') }),
        calls({ id: 'b', function: fn(null, ':2}') }),
      ],
      [
        ['a', 'f', '{"x":1}'],
        ['b', 'g', '{"x":2}'],
      ],
    ],
    [
      'continue the current one without an id and an index',
      [
        calls({ id: 'a', function: fn('f', '') }),
        calls({ function: { arguments: '{"x"' } }),
        calls({ function: { arguments: ':1}' } }),
        calls({ id: 'b', function: fn('g') }),
        calls({ function: { arguments: '{"x":2}' } }),
      ],
      [
        ['a', 'f', '{"x":1}'],
        ['b', 'g', '{"x":2}'],
      ],
    ],
    [
      'get ids if there are none',
      [
        calls({ function: fn('f', '{"x":1}') }),
        calls({ function: fn('f', '{"x":2}') }),
        calls({ function: fn('g', '{') }),
      ],
      [
        ['call_chatcmpl-1_0', 'f', '{"x":1}'],
        ['call_chatcmpl-1_1', 'f', '{"x":2}'],
        ['call_chatcmpl-1_2', 'g', '{'],
      ],
    ],
    [
      'get ids for empty ones, by their index',
      [
        calls({ index: 0, id: '', function: fn('f', '') }),
        calls({ index: 1, id: '', function: fn('f', '') }),
        calls({ index: 0, id: '', function: fn('', '{"x":1}') }),
        calls({ index: 1, id: '', function: fn('', '{"x":2}') }),
      ],
      [
        ['call_chatcmpl-1_0', 'f', '{"x":1}'],
        ['call_chatcmpl-1_1', 'f', '{"x":2}'],
      ],
    ],
    [
      'are counted from 0 if the service counts from 1',
      [
        calls({ index: 1, id: 'a', function: fn('f', '') }),
        calls({ index: 1, function: fn(undefined, '{}') }),
        calls({ index: 3, id: 'b', function: fn('g', '{"x":1}') }),
      ],
      [
        ['a', 'f', '{}'],
        ['b', 'g', '{"x":1}'],
      ],
    ],
    [
      'are one with the id and the name of null behind the first delta',
      [
        calls({ index: 0, id: 'a', type: 'function', function: fn('f', '') }),
        calls({ index: 0, id: null, type: null, function: fn(null, '{"x"') }),
        calls({ index: 0, id: null, function: fn(null, ':1}') }),
      ],
      [['a', 'f', '{"x":1}']],
    ],
    [
      'are one with the id and the name in each delta',
      [
        calls({ index: 0, id: 'a', type: 'function', function: fn('f', '') }),
        calls({ index: 0, id: 'a', type: 'function', function: fn('f', '{"x"') }),
        calls({ index: 0, id: 'a', type: 'function', function: fn('f', ':1}') }),
      ],
      [['a', 'f', '{"x":1}']],
    ],
    [
      'are one with the id alone in each delta',
      [
        calls({ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }),
        calls({ index: 0, id: 'a', function: { arguments: '{"x"' } }),
        calls({ index: 0, id: null, function: { arguments: ':1}' } }),
      ],
      [['a', 'f', '{"x":1}']],
    ],
    [
      'are one with the name in each delta, without an id',
      [calls({ index: 0, function: fn('f', '{"x"') }), calls({ index: 0, function: fn('f', ':1}') })],
      [['call_chatcmpl-1_0', 'f', '{"x":1}']],
    ],
    [
      'are one with a new id in each delta',
      [
        calls({ index: 0, id: 'a1', function: fn('f', '') }),
        calls({ index: 0, id: 'a2', function: fn(null, '{"x"') }),
        calls({ index: 0, id: 'a3', function: fn(null, ':1}') }),
      ],
      [['a1', 'f', '{"x":1}']],
    ],
    [
      'are one with its id on another index than its arguments',
      [
        calls({ index: 1, id: 'a', function: fn('f', '') }),
        calls({ index: 0, function: fn(undefined, '{"x"') }),
        calls({ index: 0, function: fn(undefined, ':1}') }),
      ],
      [['a', 'f', '{"x":1}']],
    ],
    [
      'are one with an id that comes after the name',
      [calls({ index: 0, function: fn('f', '') }), calls({ index: 0, id: 'a', function: fn('f', '{"x":1}') })],
      [['call_chatcmpl-1_0', 'f', '{"x":1}']],
    ],
    [
      'wait for a name that comes after the id',
      [
        calls({ index: 0, id: 'a', extra_content: { google: { thought_signature: 's' } } }),
        calls({ index: 0, function: fn(undefined, '{"x"') }),
        calls({ index: 0, function: fn('f', ':1') }),
        calls({ index: 0, function: fn(undefined, '}') }),
      ],
      [['a', 'f', '{"x":1}']],
    ],
    ['are none if they never get a name', [calls({ index: 0, id: 'a', function: fn(undefined, '{}') })], []],
    [
      'are told apart by their names, at one index without an id',
      [calls({ index: 0, function: fn('f', '{"x":1}') }), calls({ index: 0, function: fn('g', '{"x":2}') })],
      [
        ['call_chatcmpl-1_0', 'f', '{"x":1}'],
        ['call_chatcmpl-1_1', 'g', '{"x":2}'],
      ],
    ],
    [
      'have different ids if the service gives the same one twice',
      [
        calls({ index: 0, id: 'a', function: fn('f', '{"x":1}') }),
        calls({ index: 1, id: 'a', function: fn('f', '{"x":2}') }),
      ],
      [
        ['a', 'f', '{"x":1}'],
        ['call_chatcmpl-1_1', 'f', '{"x":2}'],
      ],
    ],
    [
      'are told once if the service repeats the whole call at its end',
      [
        calls({ index: 0, id: 'a', function: fn('f', '{"x"') }),
        calls({ index: 0, id: 'a', function: fn('f', ':1}') }),
        calls({ index: 0, id: 'a', function: fn('f', '{"x":1}') }),
      ],
      [['a', 'f', '{"x":1}']],
    ],
    [
      'get {} for arguments that never came',
      [calls({ index: 0, id: 'a', function: fn('f', '') }), calls({ index: 1, id: 'b', function: fn('g') })],
      [
        ['a', 'f', '{}'],
        ['b', 'g', '{}'],
      ],
    ],
    ['get {} for arguments of null', [calls({ index: 0, id: 'a', function: fn('f', null) })], [['a', 'f', '{}']]],
    ['keep {}', [calls({ index: 0, id: 'a', function: fn('f', '{}') })], [['a', 'f', '{}']]],
    [
      'lose the {} that a service begins each call with',
      [calls({ index: 0, id: 'a', function: fn('f', '{}') }), calls({ index: 0, function: fn(undefined, '{"x":1}') })],
      [['a', 'f', '{"x":1}']],
    ],
    ['get arguments as a text', [calls({ function: fn('f', { x: 1 }) })], [['call_chatcmpl-1_0', 'f', '{"x":1}']]],
    [
      'keep arguments that are no JSON',
      [calls({ index: 0, id: 'a', function: fn('f', '{"x": ') })],
      [['a', 'f', '{"x": ']],
    ],
    [
      'keep braces and quotes in texts',
      [calls({ id: 'a', function: fn('f', '{"x":"}\\"}{') }), calls({ id: 'a', function: fn('f', '\\\\"}') })],
      [['a', 'f', '{"x":"}\\"}{\\\\"}']],
    ],
    ['may come as one object', [chunk({ tool_calls: { id: 'a', function: fn('f', '{}') } })], [['a', 'f', '{}']]],
    ['are none of what is no object', [calls(null, 5, 'f', [])], []],
    [
      'keep the ids of Kimi',
      [calls({ index: 0, id: 'functions.read:0', function: fn('read', '{}') })],
      [['functions.read:0', 'read', '{}']],
    ],
  ];
  for (const [title, chunks, right] of CALLS)
    for (const first of [[role], []])
      it(`${title}${first.length > 0 ? '' : ', without a chunk before them'}`, () => {
        const { toolCalls, finish: reason } = heard([...first, ...chunks, finish('stop')]);
        assert.deepEqual(toolCalls, right);
        assert.equal(reason, right.length > 0 ? 'tool_calls' : 'stop');
      });

  it('keep what Google adds, with the first delta', () => {
    const extra_content = { google: { thought_signature: 's' } };
    const { sent } = stream([
      role,
      calls({ index: 0, id: 'a', type: 'function', function: fn('f', '{'), extra_content }),
    ]);
    assert.deepEqual(sent[1]!.choices, [
      {
        index: 0,
        delta: { tool_calls: [{ extra_content, index: 0, id: 'a', type: 'function', function: fn('f', '{') }] },
        finish_reason: null,
      },
    ]);
  });

  it('of custom tools keep their input', () => {
    const { sent, stream: one } = stream([
      calls({ index: 1, id: 'a', type: 'custom', custom: { name: 'patch', input: '' } }),
      calls({ index: 1, custom: { input: '*** Begin' } }),
      finish('stop'),
    ]);
    const [whole] = wholeOf(sent).choices as Json[];
    assert.deepEqual((whole!.message as Json).tool_calls, [
      { id: 'a', type: 'custom', custom: { name: 'patch', input: '*** Begin' } },
    ]);
    assert.equal(one.toolText, 'patch*** Begin'.length);
  });

  it('are measured by their names and arguments', () => {
    const { stream: one } = stream([
      calls({ index: 0, id: 'a', function: fn('read', '{"x"') }),
      calls({ index: 0, id: 'a', function: fn('read', ':1}') }),
      calls({ index: 1, id: 'b', function: fn('look') }),
    ]);
    assert.equal(one.toolText, 'read{"x":1}look'.length);
    assert.ok(one.hasToolCalls);
    assert.equal(stream([said('a')]).stream.hasToolCalls, false);
  });

  it('of the old form pass', () => {
    const { sent, stream: one } = stream([
      chunk({ role: 'assistant', function_call: { name: 'f', arguments: '' } }),
      chunk({ function_call: { arguments: '{}' } }),
      finish('stop'),
    ]);
    assert.deepEqual((sent.at(-1)!.choices as Json[])[0]!.finish_reason, 'function_call');
    assert.equal(one.toolText, 3);
  });
});

describe('the end of a stream', () => {
  const CALL = calls({ index: 0, id: 'a', function: fn('f', '') });
  const ENDS: [title: string, chunks: unknown[], reason: string, args?: string][] = [
    ['keeps stop', [said('a'), finish('stop')], 'stop'],
    ['keeps length', [said('a'), finish('length')], 'length'],
    ['keeps content_filter', [said('a'), finish('content_filter')], 'content_filter'],
    ['keeps tool_calls', [CALL, finish('tool_calls')], 'tool_calls', '{}'],
    ['is tool_calls for a call that ends with stop', [CALL, finish('stop')], 'tool_calls', '{}'],
    ['is tool_calls for a call that ends with end_turn', [CALL, finish('end_turn')], 'tool_calls', '{}'],
    ['is tool_calls for a call without a reason', [CALL], 'tool_calls', '{}'],
    ['stays length for a call that was cut', [CALL, finish('length')], 'length', ''],
    ['stays content_filter for a call', [CALL, finish('content_filter')], 'content_filter', '{}'],
    ['is stop for tool_calls without a call', [said('a'), finish('tool_calls')], 'stop'],
    ['is stop without a reason', [said('a')], 'stop'],
    ['is stop for eos', [said('a'), finish('eos')], 'stop'],
    ['is length for max_tokens', [said('a'), finish('MAX_TOKENS')], 'length'],
    ['is length for a full window', [said('a'), finish('model_context_window_exceeded')], 'length'],
    ['is content_filter for a refusal', [said('a'), finish('refusal')], 'content_filter'],
    [
      'is content_filter, even with stop behind it',
      [said('a'), finish('content_filter'), finish('stop')],
      'content_filter',
    ],
    ['is stop if only text followed the reason', [said('a'), finish('length'), said('b')], 'stop'],
    ['is the last reason', [said('a'), finish('stop'), said('b'), finish('length')], 'length'],
    ['is no word that a service writes all the time', [chunk({ content: 'a' }, { finish_reason: 'null' })], 'stop'],
    ['comes with text in the same chunk', [chunk({ content: 'a' }, { finish_reason: 'length' })], 'length'],
    [
      'comes with a call in the same chunk',
      [chunk({ tool_calls: [{ index: 0, id: 'a', function: fn('f', '{"x":1}') }] }, { finish_reason: 'stop' })],
      'tool_calls',
      '{"x":1}',
    ],
  ];
  for (const [title, chunks, reason, args] of ENDS)
    it(title, () => {
      const { sent } = stream(chunks);
      const reasons = sent.flatMap(({ choices }) => (choices as Json[]).map((one) => one.finish_reason));
      assert.deepEqual(
        reasons.filter((one) => one !== null),
        [reason],
      );
      assert.equal(reasons.at(-1), reason);
      assert.equal(hear(sent).toolCalls[0]?.[2], args);
    });

  it('comes only when the answer is settled, with what the service said beside it', () => {
    const one = new ChatStream({ ...HEAD, wantsUsage: true });
    assert.equal(one.take(copy(said('a'))).length, 1);
    assert.deepEqual(one.take(copy(finish('stop', { timings: { ms: 5 } }))), []);
    assert.equal(one.finish, 'stop');
    assert.deepEqual(one.take(copy({ ...chunk({}), choices: [], usage: { prompt_tokens: 1 } })), []);
    assert.deepEqual(copy(one.end(USAGE)), [
      {
        id: 'chatcmpl-1',
        object: 'chat.completion.chunk',
        created: 1_000,
        model: 'ours',
        choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
        timings: { ms: 5 },
      },
      {
        id: 'chatcmpl-1',
        object: 'chat.completion.chunk',
        created: 1_000,
        model: 'ours',
        choices: [],
        usage: {
          prompt_tokens: 100,
          completion_tokens: 20,
          total_tokens: 120,
          prompt_tokens_details: { cached_tokens: 60 },
        },
      },
    ]);
    assert.deepEqual(one.end(USAGE), []);
  });

  it('tells that the service broke off, and sends no reason for it', () => {
    const one = new ChatStream({ ...HEAD, wantsUsage: true });
    const sent = one.take(
      copy(chunk({ role: 'assistant', content: 'a' }, { finish_reason: 'insufficient_system_resource' })),
    );
    assert.equal(one.finish, 'failed');
    assert.deepEqual(
      sent.map(({ choices }) => choices),
      [[{ index: 0, delta: { role: 'assistant', content: 'a' }, finish_reason: null }]],
    );
  });

  it('comes with a role if nothing came before it', () => {
    const [only] = stream([]).sent;
    assert.deepEqual(only!.choices, [{ delta: { role: 'assistant', content: '' }, finish_reason: 'stop', index: 0 }]);
  });
});

describe('the usage of a stream', () => {
  const reported = {
    prompt_tokens: 7,
    completion_tokens: 8,
    total_tokens: 15,
    completion_tokens_details: { reasoning_tokens: 3 },
  };
  const PLACES: [title: string, chunks: Json[]][] = [
    ['in a chunk without choices', [said('a'), finish('stop'), { ...chunk({}), choices: [], usage: reported }]],
    ['in a chunk with choices of null', [said('a'), finish('stop'), { ...chunk({}), choices: null, usage: reported }]],
    ['in a chunk that has nothing else', [said('a'), finish('stop'), { usage: reported }]],
    ['in a chunk with an empty choice', [said('a'), finish('stop'), chunk(null, {}, { usage: reported })]],
    ['in the chunk with the reason', [said('a'), finish('stop', { usage: reported })]],
    ['in the first choice, as Kimi does', [said('a'), chunk({}, { finish_reason: 'stop', usage: reported })]],
    ['in the choice with text', [role, chunk({ content: 'a' }, { usage: reported }), finish('stop')]],
    ['in every chunk', [chunk({ content: 'a' }, {}, { usage: reported }), finish('stop', { usage: reported })]],
    [
      'of null in every chunk',
      [chunk({ content: 'a' }, {}, { usage: null }), finish('stop', { usage: null }), { usage: reported }],
    ],
  ];
  for (const [title, chunks] of PLACES)
    it(`comes once, last, and only to a client that asked, if the service sends it ${title}`, () => {
      const asked = stream(chunks, true).sent;
      const last = asked.pop()!;
      assert.deepEqual(last.choices, []);
      assert.deepEqual(last.usage, {
        prompt_tokens: 100,
        completion_tokens: 20,
        total_tokens: 120,
        prompt_tokens_details: { cached_tokens: 60 },
        completion_tokens_details: { reasoning_tokens: 3 },
      });
      const notAsked = stream(chunks).sent;
      assert.ok([...asked, ...notAsked].every((one) => !JSON.stringify(one).includes('prompt_tokens')));
      assert.ok([...asked, ...notAsked].every(({ choices }) => (choices as Json[]).length === 1));
      assert.ok(notAsked.every((one) => !('usage' in one)));
      assert.equal(hear(asked).text, 'a');
    });

  it('has no more reasoning than output', () => {
    const { sent } = stream([{ usage: { completion_tokens_details: { reasoning_tokens: 500 } } }], true);
    assert.deepEqual((sent.at(-1)!.usage as Json).completion_tokens_details, { reasoning_tokens: 20 });
  });
});

describe('a stream', () => {
  it('passes each chunk that is right as the same object, with our names', () => {
    const one = new ChatStream({ ...HEAD, wantsUsage: false });
    const first = chunk(
      { role: 'assistant', content: '' },
      { logprobs: null },
      { system_fingerprint: 'f', other: [1] },
    );
    assert.deepEqual(one.take(first), [first]);
    assert.deepEqual(copy(first), {
      ...chunk({ role: 'assistant', content: '' }, { logprobs: null }, { system_fingerprint: 'f', other: [1] }),
      id: 'chatcmpl-1',
      model: 'ours',
      created: 1_000,
    });
    for (const given of [
      said('a'),
      chunk({ reasoning_content: 'a' }),
      chunk({ content: null }),
      chunk({ refusal: 'no' }),
      calls({ index: 0, id: 'a', type: 'function', function: fn('f', '{') }),
    ])
      one.take(given);
    const more = calls({ index: 0, function: { arguments: '1' } });
    for (const given of [said('b'), chunk({ reasoning_content: 'a', reasoning: 'a' }), more]) {
      const [got] = one.take(given);
      assert.equal(got, given);
    }
  });

  const NOTHING: [title: string, given: unknown][] = [
    ['an error', { error: { message: 'm' } }],
    ['an error beside choices', { ...said('a'), error: { message: 'm' } }],
    ['an error as text', { error: 'm' }],
    ['an error in a choice', chunk({ content: 'a' }, { error: { code: 502, message: 'm' } })],
    ['a ping', { type: 'ping' }],
    ['null', null],
    ['a text', 'a'],
    ['a list', [said('a')]],
    ['choices that are no list', { choices: { 0: {} } }],
    ['no choice', { ...chunk({}), choices: [] }],
    ['a choice of null', { ...chunk({}), choices: [null] }],
  ];
  for (const [title, given] of NOTHING)
    it(`sends nothing for ${title}`, () =>
      assert.deepEqual(new ChatStream({ ...HEAD, wantsUsage: true }).take(given), []));

  it('passes an empty error beside text', () =>
    assert.equal(
      heard([
        { ...said('a'), error: null },
        { ...said('b'), error: {} },
      ]).text,
      'ab',
    ));

  it('passes what a chunk without choices says', () => {
    const [filter] = new ChatStream({ ...HEAD, wantsUsage: false }).take({ choices: [], prompt_filter_results: [1] });
    assert.deepEqual(filter!.prompt_filter_results, [1]);
    assert.deepEqual(filter!.choices, []);
  });

  const THOUGHTS: [title: string, delta: Json, thinking: string, text?: string][] = [
    ['reasoning_content', { reasoning_content: 't' }, 't'],
    ['reasoning', { reasoning: 't' }, 't'],
    ['reasoning beside null', { reasoning_content: null, reasoning: 't' }, 't'],
    ['reasoning beside nothing', { reasoning_content: '', reasoning: 't' }, 't'],
    ['both', { reasoning_content: 't', reasoning: 't' }, 't'],
    ['thinking', { thinking: 't' }, 't'],
    ['reasoning_text', { reasoning_text: 't' }, 't'],
    ['reasoning_details', { reasoning_details: [{ type: 'reasoning.text', text: 't' }] }, 't'],
    ['thinking_blocks', { thinking_blocks: [{ type: 'thinking', thinking: 't' }] }, 't'],
    ['reasoning_content of parts', { reasoning_content: [{ type: 'text', text: 't' }] }, 't'],
    [
      'parts',
      {
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 't' }] },
          { type: 'text', text: 'a' },
        ],
      },
      't',
      'a',
    ],
    ['a member beside text', { content: 'a', reasoning: 't' }, 't', 'a'],
    ['null', { content: 'a', reasoning: null, thinking: null }, '', 'a'],
  ];
  for (const [title, delta, thinking, text = ''] of THOUGHTS)
    it(`sends reasoning under its own name if it came as ${title}`, () => {
      const { sent } = stream([role, chunk(delta), finish('stop')]);
      assert.deepEqual([hear(sent).thinking, hear(sent).text], [thinking, text]);
      const got = (sent[1]!.choices as Json[])[0]!.delta as Json;
      for (const [name, value] of Object.entries(delta))
        if (name !== 'content' && name !== 'reasoning_content') assert.deepEqual(got[name], value);
    });

  const SHAPES: [title: string, chunks: unknown[], text: string][] = [
    ['without a role', [said('a'), said('b')], 'ab'],
    ['with a role of null', [chunk({ role: null, content: 'a' })], 'a'],
    [
      'with a role in each chunk',
      [chunk({ role: 'assistant', content: 'a' }), chunk({ role: 'assistant', content: 'b' })],
      'ab',
    ],
    ['without ids and dates', [{ choices: [{ delta: { content: 'a' } }] }], 'a'],
    ['with a delta of null', [said('a'), chunk(null), said('b')], 'ab'],
    [
      'with several choices',
      [
        {
          ...chunk({}),
          choices: [
            { index: 1, delta: { content: 'b' } },
            { index: 0, delta: { content: 'a' } },
          ],
        },
      ],
      'a',
    ],
    ['with a choice by another index', [chunk({ content: 'a' }, { index: 1 })], 'a'],
    ['with the text of the old form', [{ choices: [{ text: 'a' }] }, { choices: [{ text: 'b' }] }], 'ab'],
    [
      'with messages for deltas',
      [chunk(undefined, { message: { content: 'a' } }), chunk(undefined, { message: { content: 'b' } })],
      'ab',
    ],
    [
      'that repeats the whole answer at its end',
      [
        said('a'),
        said('b'),
        { object: 'chat.completion', choices: [{ message: { content: 'ab' }, finish_reason: 'stop' }] },
      ],
      'ab',
    ],
    [
      'that is a whole answer',
      [
        {
          object: 'chat.completion',
          choices: [{ message: { role: 'assistant', content: 'ab' }, finish_reason: 'stop' }],
        },
      ],
      'ab',
    ],
    [
      'that begins with a role and is a whole answer then',
      [role, { object: 'chat.completion', choices: [{ message: { content: 'ab' } }] }],
      'ab',
    ],
  ];
  for (const [title, chunks, text] of SHAPES)
    it(`is one of chunks ${title}`, () => {
      const { sent } = stream(chunks);
      assert.equal(hear(sent).text, text);
      for (const one of sent) {
        assert.deepEqual([one.id, one.model, one.object], ['chatcmpl-1', 'ours', 'chat.completion.chunk']);
        assert.equal(typeof one.created, 'number');
        assert.deepEqual(
          (one.choices as Json[]).map(({ index }) => index),
          [0],
        );
        assert.ok(
          (one.choices as Json[]).every((choice) => 'delta' in choice && !('message' in choice) && !('text' in choice)),
        );
      }
      const roles = sent.map(({ choices }) => ((choices as Json[])[0]!.delta as Json).role);
      assert.equal(roles[0], 'assistant');
    });

  it('of a real service comes out as it went in', function () {
    const files = captured();
    if (!files) this.skip();
    let count = 0;
    for (const [file, exchanges] of files)
      for (const { events, body } of exchanges) {
        const chunks = (events ?? []).map(({ data }) => data).filter((data) => typeof data === 'object');
        if (chunks.length === 0) continue;
        const wantsUsage = (body.stream_options as Json | undefined)?.include_usage === true;
        const { sent } = stream(chunks, wantsUsage);
        const right = hear(chunks as Json[]);
        const { finish: reason, ...got } = hear(sent);
        // An exchange that was cut has no end; the caller does not ask for one then.
        const isWhole = right.finish !== undefined;
        if (isWhole) assert.equal(reason, right.finish, file);
        const { finish: _, ...whole } = right;
        if (isWhole) assert.deepEqual(got, whole, file);
        else assert.deepEqual([got.text, got.thinking], [whole.text, whole.thinking], file);
        assert.equal(sent.filter((one) => one.usage).length, wantsUsage ? 1 : 0);
        assert.ok(sent.every((one) => !('error' in one)));
        count++;
      }
    assert.ok(count > 50, `${count} streams were read`);
  });
});
