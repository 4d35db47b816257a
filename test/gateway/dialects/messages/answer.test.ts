import assert from 'node:assert/strict';
import type { Json } from '../../../../server/gateway/dialects/chat/refused.ts';
import { MessagesStream, PING } from '../../../../server/gateway/dialects/messages/answer.ts';
import { clientId } from '../../../../server/gateway/dialects/messages/ids.ts';
import { USAGE } from '../chat/heard.ts';
import { call, chunk, eventsOf, finish, HEAD, hear, said, thought, wholeOf } from './heard.ts';

const text = (content: string): Json => ({ type: 'text', text: content });
const thinking = (content: string): Json => ({ type: 'thinking', thinking: content, signature: '' });
const use = (id: string, json: string, name = 'read'): Json => ({
  type: 'tool_use',
  id: `toolu_${id}`,
  name,
  input: {},
  partial_json: json,
});

describe('an answer in the Messages dialect', () => {
  it('has the events in the order that Anthropic’s clients check', () => {
    assert.deepEqual(eventsOf([said('Hel'), said('lo'), finish('stop')]), [
      {
        type: 'message_start',
        message: {
          ...{ id: 'msg_01', type: 'message', role: 'assistant', model: 'ours', content: [] },
          ...{ stop_reason: null, stop_sequence: null },
          usage: { input_tokens: 77, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 },
        },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hel' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'lo' } },
      { type: 'content_block_stop', index: 0 },
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null, stop_details: null },
        usage: { input_tokens: 40, cache_creation_input_tokens: 0, cache_read_input_tokens: 60, output_tokens: 20 },
      },
      { type: 'message_stop' },
    ]);
  });

  const ANSWERS: [title: string, chunks: Json[], content: Json[], reason: string][] = [
    ['without anything is empty', [finish('stop')], [], 'end_turn'],
    [
      'row 1: has the ids of Kimi in letters that its clients accept',
      [call(0, '{}', 'functions.read:0', 'read'), finish('tool_calls')],
      [use('-functions_002eread_003a0', '{}')],
      'tool_use',
    ],
    [
      'row 2: has the whole id of the service',
      [call(0, '{"a":1}', 'call_00_abc-DEF', 'read'), finish('tool_calls')],
      [use('call_00_abc-DEF', '{"a":1}')],
      'tool_use',
    ],
    [
      'row 4: keeps two calls apart that both have the index 0',
      [call(0, '{"a":1}', 'a', 'read'), call(0, '{"b":', 'b', 'edit'), call(0, '2}'), finish('tool_calls')],
      [use('a', '{"a":1}'), use('b', '{"b":2}', 'edit')],
      'tool_use',
    ],
    [
      'row 4: keeps two calls without an index apart',
      [
        call(undefined, '{"a":', 'a', 'read'),
        call(undefined, '1}'),
        call(undefined, '{}', 'b', 'edit'),
        finish('stop'),
      ],
      [use('a', '{"a":1}'), use('b', '{}', 'edit')],
      'tool_use',
    ],
    [
      'row 5: has no phantom call if the first index is 1',
      [call(1, '{"a":1}', 'a', 'read'), finish('tool_calls')],
      [use('a', '{"a":1}')],
      'tool_use',
    ],
    [
      'row 6: takes deltas whose id and name are null',
      [
        call(0, '{"a"', 'a', 'read'),
        chunk({ tool_calls: [{ index: 0, id: null, type: null, function: { name: null, arguments: ':1}' } }] }),
        finish('tool_calls'),
      ],
      [use('a', '{"a":1}')],
      'tool_use',
    ],
    [
      'row 7: has a block for each of two parallel calls',
      [
        call(0, '', 'a', 'read'),
        call(0, '{"a":1}'),
        call(1, '', 'b', 'edit'),
        call(1, '{"b"'),
        call(1, ':2}'),
        finish('tool_calls'),
      ],
      [use('a', '{"a":1}'), use('b', '{"b":2}', 'edit')],
      'tool_use',
    ],
    [
      'row 7: has one block after the other if the arguments come in turns',
      [
        chunk({
          tool_calls: [
            { index: 0, id: 'a', function: { name: 'read', arguments: '{"a"' } },
            { index: 1, id: 'b', function: { name: 'edit', arguments: '{"b"' } },
          ],
        }),
        call(0, ':'),
        call(1, ':2'),
        call(0, '1}'),
        call(1, '}'),
        finish('tool_calls'),
      ],
      [use('a', '{"a":1}'), use('b', '{"b":2}', 'edit')],
      'tool_use',
    ],
    [
      'row 8: has text after a call in a block of its own',
      [said('A'), call(0, '{}', 'a', 'read'), said('\n'), said('B'), finish('tool_calls')],
      [text('A'), use('a', '{}'), text('\nB')],
      'tool_use',
    ],
    [
      'row 8: has text within a call behind it',
      [call(0, '{"a"', 'a', 'read'), said('Well'), call(0, ':1}'), said('.'), finish('tool_calls')],
      [use('a', '{"a":1}'), text('Well.')],
      'tool_use',
    ],
    [
      'row 9: begins with thinking, and loses none of it',
      [
        chunk({ role: 'assistant', content: '', reasoning_content: '' }),
        thought('I '),
        thought('look.'),
        said('A'),
        finish('stop'),
      ],
      [thinking('I look.'), text('A')],
      'end_turn',
    ],
    [
      'row 9: takes thinking and text in one delta',
      [chunk({ reasoning_content: 'I look.', content: 'A' }), finish('stop')],
      [thinking('I look.'), text('A')],
      'end_turn',
    ],
    [
      'row 9: knows thinking by its other names, and as parts',
      [
        chunk({ reasoning: 'I ' }),
        chunk({
          content: [
            { type: 'thinking', thinking: 'look.' },
            { type: 'text', text: 'A' },
          ],
        }),
        finish('stop'),
      ],
      [thinking('I look.'), text('A')],
      'end_turn',
    ],
    [
      'row 10: with a call ends for the call even if the service says stop',
      [call(0, '{"a":1}', 'a', 'read'), finish('stop')],
      [use('a', '{"a":1}')],
      'tool_use',
    ],
    [
      'row 10: with a call that the limit cut ends for the limit',
      [said('A'), call(0, '{"a":', 'a', 'read'), finish('length')],
      [text('A'), use('a', '{"a":')],
      'max_tokens',
    ],
    [
      'row 11: has an empty object for arguments that are empty',
      [call(0, '', 'a', 'read'), call(1, '{"b":2}', 'b', 'edit'), finish('tool_calls')],
      [use('a', '{}'), use('b', '{"b":2}', 'edit')],
      'tool_use',
    ],
    [
      'row 28: has thinking without a signature, in as many blocks as there are',
      [thought('1'), said('A'), thought('2'), call(0, '{}', 'a', 'read'), finish('tool_calls')],
      [thinking('1'), text('A'), thinking('2'), use('a', '{}')],
      'tool_use',
    ],
    ['row 41: that the limit cut', [said('A'), finish('length')], [text('A')], 'max_tokens'],
    [
      'row 41: that the context window cut',
      [said('A'), finish('model_context_window_exceeded')],
      [text('A')],
      'max_tokens',
    ],
    ['row 41: that a filter withheld', [said('A'), finish('content_filter')], [text('A')], 'refusal'],
    [
      'row 41: that the model refuses',
      [chunk({ refusal: 'No' }), chunk({ refusal: '.' }), finish('stop')],
      [text('No.')],
      'refusal',
    ],
    [
      'in the oldest form of a call',
      [
        chunk({ function_call: { name: 'read', arguments: '{"a"' } }),
        chunk({ function_call: { arguments: ':1}' } }),
        finish('function_call'),
      ],
      [use('call_01', '{"a":1}')],
      'tool_use',
    ],
    [
      'with two calls by one id has two ids',
      [
        chunk({
          tool_calls: [
            { index: 0, id: 'a', function: { name: 'read', arguments: '{}' } },
            { index: 1, id: 'a', function: { name: 'edit', arguments: '{"b":2}' } },
          ],
        }),
        finish('tool_calls'),
      ],
      [use('a', '{}'), use('call_chatcmpl-01_1', '{"b":2}', 'edit')],
      'tool_use',
    ],
    [
      'with a call whose arguments are no JSON passes them as they are',
      [call(0, '{path: a', 'a', 'read'), said('B'), finish('tool_calls')],
      [use('a', '{path: a'), text('B')],
      'tool_use',
    ],
  ];
  for (const [title, chunks, content, reason] of ANSWERS)
    it(title, () => {
      const heard = hear(eventsOf(chunks));
      assert.deepEqual(heard.content, content);
      assert.deepEqual([heard.stopReason, heard.stopSequence], [reason, null]);
      assert.equal((heard.stopDetails as Json | null)?.type, reason === 'refusal' ? 'refusal' : undefined);
      // The same answer without a stream.
      const whole = wholeOf(eventsOf(chunks));
      assert.equal(whole.stop_reason, reason);
      assert.deepEqual(
        (whole.content as Json[]).map((block) => (block.type === 'tool_use' ? { ...block, input: {} } : block)),
        content.map(({ partial_json, ...block }) => block),
      );
    });

  it('row 41: tells what the model says about its refusal', () => {
    const { stopDetails } = hear(eventsOf([chunk({ refusal: 'No.' }), finish('stop')]));
    assert.deepEqual(stopDetails, { type: 'refusal', category: null, explanation: 'No.' });
  });

  const STOPS: [title: string, more: Json, sequence: string | null][] = [
    ['of vLLM', { stop_reason: 'END' }, 'END'],
    ['of SGLang', { matched_stop: 'END' }, 'END'],
    ['of vLLM, by a token of the model', { stop_reason: 151645 }, null],
    ['of SGLang, by a token of the model', { matched_stop: 2 }, null],
    ['that the client did not ask for', { stop_reason: 'OTHER' }, null],
    ['that nobody tells', {}, null],
  ];
  for (const [title, more, sequence] of STOPS)
    it(`row 42: names the stop sequence ${title}`, () => {
      const heard = hear(eventsOf([said('A'), finish('stop', more)], ['\n', 'END']));
      assert.deepEqual(
        [heard.stopReason, heard.stopSequence],
        [sequence === null ? 'end_turn' : 'stop_sequence', sequence],
      );
    });

  it('row 42: a call or the limit comes before a stop sequence', () => {
    const more = { stop_reason: 'END' };
    for (const [chunks, reason] of [
      [[call(0, '{}', 'a', 'read'), finish('stop', more)], 'tool_use'],
      [[said('A'), finish('length', more)], 'max_tokens'],
    ] as const) {
      const heard = hear(eventsOf(chunks, ['END']));
      assert.deepEqual([heard.stopReason, heard.stopSequence], [reason, null]);
    }
  });

  it('row 37: estimates the input at the start, and has the service’s count at the end', () => {
    const events = eventsOf([said('A'), finish('stop')]);
    assert.equal(((events[0]!.message as Json).usage as Json).input_tokens, 77);
    assert.equal(hear(events).usage.input_tokens, 40);
    assert.deepEqual(wholeOf(events).usage, hear(events).usage);
  });

  const USAGES: [title: string, usage: Partial<typeof USAGE>, right: [input: number, read: number, output: number]][] =
    [
      ['without a cache', { cachedInputTokens: 0 }, [100, 0, 20]],
      ['with a part from the cache', {}, [40, 60, 20]],
      ['with all of it from the cache', { cachedInputTokens: 100 }, [0, 100, 20]],
      ['of nothing', { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 }, [0, 0, 0]],
    ];
  for (const [title, usage, [input, cachedInput, output]] of USAGES)
    it(`row 38: counts an input ${title} once`, () => {
      const heard = hear(eventsOf([said('A'), finish('stop')], [], { ...USAGE, ...usage }));
      assert.deepEqual(heard.usage, {
        input_tokens: input,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: cachedInput,
        output_tokens: output,
      });
    });

  it('tells how much of the output was thinking', () => {
    const usage = { prompt_tokens: 9, completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 3 } };
    const { usage: heard } = hear(eventsOf([said('A'), { ...finish('stop'), usage }]));
    assert.deepEqual(heard.output_tokens_details, { thinking_tokens: 3 });
  });

  it('row 34: never ends by itself, so that half an answer is not taken for a whole one', () => {
    const stream = new MessagesStream(HEAD, { stopSequences: [], cacheKey: null });
    const events = [said('A'), call(0, '{"a":', 'a', 'read'), finish('stop')].flatMap((one) => stream.take(one));
    assert.deepEqual(
      events.map(({ type }) => type),
      [
        ...['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop'],
        ...['content_block_start', 'content_block_delta'],
      ],
    );
  });

  it('ends once, and takes nothing after the end', () => {
    const stream = new MessagesStream(HEAD, { stopSequences: [], cacheKey: null });
    hear([...stream.take(said('A')), ...stream.end()]);
    assert.deepEqual([stream.end(), stream.take(said('B')), stream.begin()], [[], [], []]);
  });

  it('row 56: may begin before the first chunk, so that pings can follow', () => {
    const stream = new MessagesStream(HEAD, { stopSequences: [], cacheKey: null });
    const [start, ...others] = [...stream.begin(), ...stream.begin()];
    assert.deepEqual([start!.type, others], ['message_start', []]);
    assert.deepEqual(hear([start!, ...stream.take(said('A')), ...stream.end()]).content, [text('A')]);
    assert.deepEqual(PING, { type: 'ping' });
  });

  it('takes chunks of any form', () => {
    const odd: unknown[] = [
      ...[{}, { choices: null }, { choices: [] }, { choices: [null] }, { choices: [{}] }, { choices: 'a' }],
      ...[{ choices: [{ delta: null }] }, { choices: [{ delta: [] }] }, { choices: [{ delta: { content: 5 } }] }],
      ...[{ choices: [{ delta: { tool_calls: [null, 5, {}, { index: 'a' }, { index: 0, id: 5, function: 5 }] } }] }],
      ...[{ choices: [{ delta: { tool_calls: {} } }] }, { choices: [{ delta: { function_call: {} } }] }],
      ...[{ usage: { prompt_tokens: -1, completion_tokens: 'x', prompt_tokens_details: 5 } }, { usage: [] }],
    ];
    const stream = new MessagesStream(HEAD, { stopSequences: [], cacheKey: null });
    const heard = hear([...odd.flatMap((one) => stream.take(one as Json)), ...stream.end()]);
    assert.deepEqual([heard.content, heard.stopReason], [[], 'end_turn']);
  });

  it('row 11: has as its input without a stream what is an object, and never an empty one for what is not', () => {
    const inputs = ['{"a":1}', '', '{"a":', '[1]', '"a"', '5', 'null', '{path: a}'].map((json, i) => {
      const events = eventsOf([call(0, json, `a${i}`, 'read'), finish('length')]);
      return (wholeOf(events).content as Json[])[0]!.input;
    });
    assert.deepEqual(inputs, [
      { a: 1 },
      // The limit cut the call before its arguments.
      ...['', '{"a":', '[1]', '"a"', '5', 'null', '{path: a}'].map((json) => ({ INVALID_JSON: json })),
    ]);
  });

  it('row 1: what Gemini signs a call with is in its id', () => {
    const extra = { google: { thought_signature: 'Ab+/=' } };
    const signed = chunk({
      tool_calls: [{ index: 0, id: 'f', extra_content: extra, function: { name: 'read', arguments: '{}' } }],
    });
    assert.equal(hear(eventsOf([signed, finish('stop')])).content[0]!.id, clientId('f', extra));
  });

  it('row 2: every id has its own form that Anthropic’s clients accept', () => {
    const ids = [
      'a',
      '-a',
      '_a',
      'a.b',
      'a:b',
      'a_002eb',
      '-a_002eb',
      'a|b',
      'é',
      '\ud800',
      'a b',
      '',
      'toolu_a',
      'x'.repeat(200),
    ];
    const forms = ids.map(clientId);
    assert.equal(new Set(forms).size, ids.length);
    for (const form of forms) assert.match(form, /^toolu_[a-zA-Z0-9_-]+$/);
  });
});
