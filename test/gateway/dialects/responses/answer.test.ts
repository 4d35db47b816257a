import assert from 'node:assert/strict';
import type { Json } from '../../../../server/gateway/dialects/chat/refused.ts';
import { ResponsesStream } from '../../../../server/gateway/dialects/responses/answer.ts';
import { decodeReasoning } from '../../../../server/gateway/dialects/responses/reasoning.ts';
import { asked, called, custom, fn, namespace, output, sent } from './asked.ts';
import { accumulated, callDelta, delta, events, HEAD, read } from './heard.ts';

const types = (told: readonly Json[]) => told.map(({ type }) => (type as string).replace('response.', ''));
const deltas = (told: readonly Json[], type: string) =>
  told.filter((event) => event.type === `response.${type}.delta`).map((event) => event.delta);
const outputOf = (chunks: readonly Json[], request: Json = {}) => {
  const { events: told, stream } = events(chunks, request);
  assert.deepEqual(read(told), stream.response);
  return stream.response.output as Json[];
};

describe('an answer in the Responses dialect', () => {
  it('row 30: a text has all its events in order, from response.created on', () => {
    const { events: told } = events([delta({ content: 'Hel' }), delta({ content: 'lo' }), delta({}, 'stop')]);
    assert.deepEqual(types(told), [
      ...['created', 'in_progress', 'output_item.added', 'content_part.added'],
      ...['output_text.delta', 'output_text.delta'],
      ...['output_text.done', 'content_part.done', 'output_item.done', 'completed'],
    ]);
    read(told);
  });

  it('rows 9, 30: reasoning is a summary with its own events, before the text', () => {
    const { events: told } = events([
      delta({ reasoning_content: 'Well' }),
      delta({ reasoning_content: ' …' }),
      delta({ content: 'Yes' }, 'stop'),
    ]);
    assert.deepEqual(types(told).slice(2), [
      ...['output_item.added', 'reasoning_summary_part.added'],
      ...['reasoning_summary_text.delta', 'reasoning_summary_text.delta'],
      ...['reasoning_summary_text.done', 'reasoning_summary_part.done', 'output_item.done'],
      ...['output_item.added', 'content_part.added', 'output_text.delta'],
      ...['output_text.done', 'content_part.done', 'output_item.done', 'completed'],
    ]);
    read(told);
  });

  it('rows 31, 38: the last event has the items that were done, the id, the model and the usage with both details', () => {
    const { events: told } = events([
      delta({ content: 'Hello' }),
      {
        ...delta({}, 'stop'),
        usage: { prompt_tokens: 1, completion_tokens: 1, completion_tokens_details: { reasoning_tokens: 7 } },
      },
    ]);
    const response = read(told);
    assert.deepEqual(
      response.output,
      told.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item),
    );
    assert.deepEqual([response.id, response.model, response.created_at], ['resp_r1', 'm', HEAD.createdSeconds]);
    assert.deepEqual(response.usage, {
      input_tokens: 100,
      input_tokens_details: { cached_tokens: 60, cache_write_tokens: 0 },
      output_tokens: 20,
      output_tokens_details: { reasoning_tokens: 7 },
      total_tokens: 120,
    });
  });

  it('row 31: an answer without any text is complete with an empty message', () => {
    const [item] = outputOf([delta({}, 'stop')]);
    assert.deepEqual(item?.content, [{ type: 'output_text', text: '', annotations: [], logprobs: [] }]);
  });

  it('row 32: the numbers count over all events, and the parts of each item from 0', () => {
    const { events: told } = events([
      delta({ content: 'I can' }),
      delta({ refusal: 'not' }),
      callDelta(0, '{}', { id: 'a', name: 'read' }),
      delta({ content: '.' }, 'stop'),
    ]);
    const response = read(told);
    const added = told.filter(({ type }) => type === 'response.content_part.added');
    assert.deepEqual(
      added.map(({ output_index: item, content_index: part }) => [item, part]),
      [
        [0, 0],
        [0, 1],
        [2, 0],
      ],
    );
    assert.deepEqual(
      (response.output as Json[]).map(({ type }) => type),
      ['message', 'function_call', 'message'],
    );
  });

  it('rows 33, 35: a failure ends the same response', async () => {
    const failure = { code: 'server_error', message: 'The model service broke off.' };
    const { events: told, stream } = events(
      [delta({ content: 'Hel' }), callDelta(0, '{"a":', { id: 'a', name: 'read' })],
      {},
      failure,
    );
    const response = read(told);
    assert.equal(told.at(-1)?.type, 'response.failed');
    assert.deepEqual([response.status, response.error], ['failed', failure]);
    assert.deepEqual(
      (response.output as Json[]).map(({ type }) => type),
      ['message'],
      'half a call is no item',
    );
    assert.deepEqual(stream.take(delta({ content: 'more' })), []);
    assert.deepEqual([stream.end(), stream.fail(failure)], [[], []]);
    const heard = await accumulated(told);
    assert.deepEqual([heard.id, heard.status, heard.error], ['resp_r1', 'failed', failure]);
  });

  it('row 33: a failure before the first chunk begins the response and ends it', () => {
    const { events: told } = events([], {}, { code: 'server_error', message: 'No answer.' });
    assert.deepEqual(types(told), ['created', 'in_progress', 'failed']);
  });

  it('row 1: the ids of calls are those of the service', () => {
    const [item] = outputOf([callDelta(0, '{"a":1}', { id: 'functions.read:0', name: 'read' })]);
    const { id, ...call } = item!;
    assert.deepEqual(call, {
      type: 'function_call',
      status: 'completed',
      call_id: 'functions.read:0',
      name: 'read',
      arguments: '{"a":1}',
    });
    assert.equal(id, 'fc_r1_0');
  });

  it('row 4: two calls by one index are two items', () => {
    const items = outputOf([
      callDelta(0, '{"a":1}', { id: 'a', name: 'read' }),
      callDelta(0, '{"a":2}', { id: 'b', name: 'read' }),
    ]);
    assert.deepEqual(
      items.map(({ call_id: id, arguments: args }) => [id, args]),
      [
        ['a', '{"a":1}'],
        ['b', '{"a":2}'],
      ],
    );
  });

  it('row 5: a service that counts its calls from 1 has no call more', () => {
    const items = outputOf([
      callDelta(1, '{"a":1}', { id: 'a', name: 'read' }),
      callDelta(2, '{}', { id: 'b', name: 'x' }),
    ]);
    assert.deepEqual(
      items.map(({ call_id: id, arguments: args }) => [id, args]),
      [
        ['a', '{"a":1}'],
        ['b', '{}'],
      ],
    );
  });

  it('row 8: text after a call is an item of its own', () => {
    const items = outputOf([
      delta({ content: 'a' }),
      callDelta(0, '{}', { id: 'a', name: 'read' }),
      delta({ content: '\n' }),
      callDelta(1, '{}', { id: 'b', name: 'read' }),
    ]);
    assert.deepEqual(
      items.map(({ type }) => type),
      ['message', 'function_call', 'message', 'function_call'],
    );
  });

  it('calls that a service writes in turn are told one after the other', () => {
    const { events: told, stream } = events([
      callDelta(0, '{"a"', { id: 'a', name: 'read' }),
      callDelta(1, '{"b"', { id: 'b', name: 'read' }),
      callDelta(0, ':1}'),
      delta({ content: 'Both.' }),
      callDelta(1, ':2}'),
      delta({}, 'tool_calls'),
    ]);
    read(told);
    assert.deepEqual(
      (stream.response.output as Json[]).map(({ type, arguments: args }) => [type, args]),
      [
        ['function_call', '{"a":1}'],
        ['function_call', '{"b":2}'],
        ['message', undefined],
      ],
    );
    const done = told.findIndex(({ type }) => type === 'response.output_item.done');
    assert.equal(told[done + 1]?.type, 'response.output_item.added');
  });

  it('row 10: a call that ends with "stop" is a whole call, and all items are closed at any reason', () => {
    for (const reason of ['stop', 'tool_calls', 'length', 'content_filter']) {
      const items = outputOf([
        delta({ content: 'Look:' }),
        callDelta(0, '{"a":1}', { id: 'a', name: 'read' }),
        delta({}, reason),
      ]);
      assert.deepEqual(
        items.map(({ status }) => status),
        ['completed', 'completed'],
        reason,
      );
    }
  });

  const HALVES: [title: string, chunks: Json[], expected: Json][] = [
    ['before its arguments', [callDelta(0, '', { id: 'a', name: 'read' })], { arguments: '' }],
    ['in its arguments', [callDelta(0, '{"a":"b', { id: 'a', name: 'read' })], { arguments: '{"a":"b' }],
    [
      'in the input of a custom tool',
      [callDelta(0, '{"input":"DELETE FROM t', { id: 'a', name: 'apply_patch' })],
      { input: 'DELETE FROM t' },
    ],
  ];
  for (const [title, chunks, expected] of HALVES)
    it(`rows 10, 34: a call that is cut ${title} is incomplete, and not done: clients run what is done`, async () => {
      const { events: told } = events([delta({ content: 'So:' }), ...chunks, delta({}, 'length')], {
        tools: [fn(), custom()],
      });
      const response = read(told);
      assert.deepEqual([response.status, response.incomplete_details], ['incomplete', { reason: 'max_output_tokens' }]);
      const done = told.filter(({ type }) => type === 'response.output_item.done');
      assert.deepEqual(
        done.map(({ item }) => (item as Json).type),
        ['message'],
      );
      const half = (response.output as Json[])[1]!;
      assert.deepEqual({ ...half, ...expected, status: 'incomplete' }, half);
      assert.equal((await accumulated(told)).status, 'incomplete');
    });

  it('rows 10, 34: what a service wrote behind half a call is told nevertheless', async () => {
    const { events: told } = events([
      callDelta(0, '{"a"', { id: 'a', name: 'read' }),
      callDelta(1, '{"b":1}', { id: 'b', name: 'read' }),
      delta({ content: 'Text' }, 'length'),
    ]);
    read(told);
    const heard = await accumulated(told);
    assert.equal(heard.output_text, 'Text');
    assert.deepEqual(
      heard.output.map((item) => 'status' in item && item.status),
      ['incomplete', 'completed', 'incomplete'],
    );
  });

  it('row 11: a call without arguments has an empty object', () => {
    const [item] = outputOf([callDelta(0, '', { id: 'a', name: 'read' }), delta({}, 'tool_calls')]);
    assert.equal(item?.arguments, '{}');
  });

  it('row 41: a refusal by the service is incomplete, with the reason', () => {
    const response = read(events([delta({ content: 'Well' }), delta({}, 'content_filter')]).events);
    assert.deepEqual([response.status, response.incomplete_details], ['incomplete', { reason: 'content_filter' }]);
    assert.equal((response.output as Json[])[0]?.status, 'incomplete');
  });

  it('row 41: a full context window is the limit', () => {
    const response = read(events([delta({ content: 'Well' }), delta({}, 'model_context_window_exceeded')]).events);
    assert.deepEqual(response.incomplete_details, { reason: 'max_output_tokens' });
  });

  it('row 24: a custom tool is called in its own form, and its input arrives decoded piece by piece', () => {
    const pieces = ['{"in', 'put"', ' : "*** Begin', '\\', 'nline \\u00', 'e4\\ud83d', '\\ude00', ' \\"q\\"', '"', '}'];
    const chunks = pieces.map((piece, i) =>
      callDelta(0, piece, i === 0 ? { id: 'a', name: 'apply_patch' } : undefined),
    );
    const { events: told } = events(chunks, { tools: [custom()] });
    read(told);
    assert.deepEqual(deltas(told, 'custom_tool_call_input'), ['*** Begin', '\nline ', 'ä', '😀', ' "q"']);
    const { id, ...item } = (told.at(-1)!.response as { output: Json[] }).output[0]!;
    assert.deepEqual(item, {
      type: 'custom_tool_call',
      status: 'completed',
      call_id: 'a',
      name: 'apply_patch',
      input: '*** Begin\nline ä😀 "q"',
    });
    assert.equal(id, 'ctc_r1_0');
  });

  const INPUTS: [title: string, args: string, input: string][] = [
    ['the object', '{"input":"a\\tb\\/c\\\\d\\b\\f\\r"}', 'a\tb/c\\d\b\f\r'],
    ['an empty text', '{"input":""}', ''],
    ['no arguments', '', ''],
    ['an empty object', '{}', ''],
    ['other members before it', '{"a":{"input":"no","b":["]}",{}]},"c":"\\"","d":1 , "input":"yes"}', 'yes'],
    ['other members behind it', '{"input":"yes","a":"input"}', 'yes'],
    ['the member twice', '{"input":"first","input":"second"}', 'first'],
    ['a raw line end', '{"input":"a\nb"}', 'a\nb'],
    ['an escape that JSON does not have', '{"input":"\\d+\\u12"}', '\\d+\\u12'],
    ['a JSON string', '"*** Begin\\nEnd"', '*** Begin\nEnd'],
    ['the text itself', '*** Begin Patch\n"x"', '*** Begin Patch\n"x"'],
    ['an object without it', '{"patch":"x"}', '{"patch":"x"}'],
    ['an object with a number', '{"input":5}', '{"input":5}'],
    ['an object with a list', '{"input":["a"]}', '{"input":["a"]}'],
    ['half an object', '{"input":"abc', 'abc'],
    ['another kind', '[1,{"input":"a"}]', '[1,{"input":"a"}]'],
    ['halves of a pair', '{"input":"a\\ud83d!"}', 'a\ufffd!'],
    ['half a pair at the end', '{"input":"a\\ud83d"}', 'a\ufffd'],
  ];
  for (const [title, args, input] of INPUTS)
    it(`row 24: the input of a custom tool is read from ${title}`, () => {
      for (const size of [1, 3, args.length + 1]) {
        const chunks = [callDelta(0, '', { id: 'a', name: 'apply_patch' })];
        for (let i = 0; i < args.length; i += size) chunks.push(callDelta(0, args.slice(i, i + size)));
        const [item] = outputOf(chunks, { tools: [custom()] });
        assert.equal(item?.input, input, `in pieces of ${size}`);
      }
    });

  it('row 25: a call of a tool in a namespace has both its names', () => {
    const tools = [fn('spawn'), namespace('agents', [fn('spawn'), custom('run')])];
    const items = outputOf(
      [
        callDelta(0, '{}', { id: 'a', name: 'agents__spawn' }),
        callDelta(1, '{"input":"x"}', { id: 'b', name: 'agents__run' }),
        callDelta(2, '{}', { id: 'c', name: 'spawn' }),
        callDelta(3, '{}', { id: 'd', name: 'agents__other' }),
      ],
      { tools },
    );
    assert.deepEqual(
      items.map(({ type, namespace: within, name }) => [type, within, name]),
      [
        ['function_call', 'agents', 'spawn'],
        ['custom_tool_call', 'agents', 'run'],
        ['function_call', undefined, 'spawn'],
        ['function_call', undefined, 'agents__other'],
      ],
    );
  });

  it('row 27: reasoning has our own form in encrypted_content if the client asks for it', () => {
    const chunks = [delta({ reasoning_content: 'Hm, 😀 ä' }), delta({ content: 'Yes' }, 'stop')];
    const [plain] = outputOf(chunks);
    assert.equal('encrypted_content' in plain!, false);
    const [whole] = outputOf(chunks, { include: ['reasoning.encrypted_content'] });
    assert.equal(decodeReasoning(whole?.encrypted_content as string), 'Hm, 😀 ä');
    assert.deepEqual(whole?.summary, [{ type: 'summary_text', text: 'Hm, 😀 ä' }]);
  });

  it('rows 33, 49: every event with the response has the same one, with the fields of the request and store: false', () => {
    const request = {
      instructions: 'Be brief.',
      tools: [fn(), { type: 'web_search' }],
      tool_choice: 'auto',
      store: true,
      metadata: { a: 'b' },
      temperature: 0.5,
      max_output_tokens: 50,
      reasoning: { effort: 'low', summary: 'auto' },
      text: { format: { type: 'json_object' }, verbosity: 'low' },
    };
    const { events: told } = events([delta({ content: '{}' })], request);
    const responses = told.filter(({ response }) => response).map(({ response }) => response as Json);
    assert.equal(responses.length, 3);
    for (const response of responses) {
      const { tools, ...echo } = request;
      assert.deepEqual(response.tools, [fn()]);
      for (const [field, value] of Object.entries({ ...echo, store: false })) assert.deepEqual(response[field], value);
      assert.deepEqual([response.id, response.previous_response_id], ['resp_r1', null]);
    }
    assert.deepEqual(
      responses.map(({ status, output: items }) => [status, (items as Json[]).length]),
      [
        ['in_progress', 0],
        ['in_progress', 0],
        ['completed', 1],
      ],
    );
  });

  it('log probabilities come with their texts, if the client asks for them', () => {
    const logprobs = (token: string) => ({ content: [{ token, logprob: -1, top_logprobs: [] }] });
    const chunks = [
      delta({ content: 'a' }, null, { logprobs: logprobs('a') }),
      delta({ content: 'b' }, 'stop', { logprobs: logprobs('b') }),
    ];
    const [whole] = outputOf(chunks, { include: ['message.output_text.logprobs'] });
    assert.deepEqual(
      (whole!.content as { logprobs: Json[] }[])[0]!.logprobs.map(({ token }) => token),
      ['a', 'b'],
    );
    const [plain] = outputOf(chunks);
    assert.deepEqual((plain!.content as Json[])[0]?.logprobs, []);
  });

  it('a call in the form before tool calls is a call', () => {
    const items = outputOf([
      delta({ function_call: { name: 'read', arguments: '{"a"' } }),
      delta({ function_call: { arguments: ':1}' } }, 'function_call'),
    ]);
    assert.deepEqual([items.length, items[0]?.name, items[0]?.arguments], [1, 'read', '{"a":1}']);
  });

  it('half of a surrogate pair waits for its other half', () => {
    const { events: told } = events([delta({ content: 'a\ud83d' }), delta({ content: '\ude00b' })]);
    read(told);
    assert.deepEqual(deltas(told, 'output_text'), ['a', '😀b']);
  });

  it('a hundred thousand pieces of a call that has to wait are told', () => {
    const stream = new ResponsesStream(HEAD, asked({}).context);
    stream.take(callDelta(0, '{"a"', { id: 'a', name: 'read' }));
    stream.take(callDelta(1, '', { id: 'b', name: 'read' }));
    const piece = callDelta(1, '1');
    for (let i = 0; i < 130_000; i++) stream.take(piece);
    assert.ok(stream.end().length > 130_000);
    assert.equal(((stream.response.output as Json[])[1]!.arguments as string).length, 130_000);
  });

  it('an answer is read by the SDK, and comes back as the same turn', async () => {
    const { events: told } = events(
      [
        delta({ reasoning_content: 'Hm.' }),
        delta({ content: 'Look: ' }),
        callDelta(0, '{"a":1}', { id: 'a', name: 'read' }),
        delta({ content: 'and' }),
        callDelta(1, '', { id: 'b', name: 'read' }),
        delta({}, 'tool_calls'),
      ],
      { include: ['reasoning.encrypted_content'] },
    );
    const { output: items, output_text: text, usage } = await accumulated(told);
    assert.deepEqual([text, usage?.total_tokens], ['Look: and', 120]);
    assert.deepEqual(sent(...items, output('a'), output('b'))[0], {
      role: 'assistant',
      content: 'Look: and',
      reasoning_content: 'Hm.',
      tool_calls: [called('a', '{"a":1}'), called('b')].map(({ call_id: id, name, arguments: args }) => ({
        id,
        type: 'function',
        function: { name, arguments: args },
      })),
    });
  });
});
