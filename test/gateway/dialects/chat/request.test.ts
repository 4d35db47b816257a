import assert from 'node:assert/strict';
import type { Json } from '../../../../server/gateway/dialects/chat/refused.ts';
import { readChatCall } from '../../../../server/gateway/dialects/chat/request.ts';
import { MAX_DEPTH, MAX_MESSAGES, MAX_VALUES, PICTURE_TOKENS } from '../../../../server/gateway/dialects/chat/size.ts';
import { asked, call, calling, captured, picture, refusal, result, sent, TOKENS, text, tool, user } from './asked.ts';

const read = (given: unknown) => readChatCall(given, { tokens: TOKENS, developerRole: true });
const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth));

describe('a chat-completions request', () => {
  it('goes on as it came, without what is written anew', () => {
    const { body, ...rest } = asked({
      messages: [user('Hello')],
      temperature: 0.2,
      stream: true,
      unknown_field: { of: ['a', null, 1] },
      stream_options: { include_usage: true },
      max_tokens: 100,
      prompt_cache_key: 'k',
      thinking: { type: 'enabled', keep: 'all' },
      reasoning_effort: 'high',
      response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {}, strict: true } },
      logprobs: true,
      top_logprobs: 5,
      logit_bias: { 50256: -100 },
      stop: ['\n'],
      seed: 1,
      user: 'u',
      metadata: { a: 'b' },
      store: false,
    });
    assert.deepEqual(Object.keys(body), [
      ...['messages', 'temperature', 'unknown_field', 'prompt_cache_key', 'thinking', 'reasoning_effort'],
      ...['response_format', 'logprobs', 'top_logprobs', 'logit_bias', 'stop', 'seed', 'user', 'metadata', 'store'],
    ]);
    assert.deepEqual(body.unknown_field, { of: ['a', null, 1] });
    assert.equal(rest.model, 'm');
    assert.equal(rest.stream, true);
    assert.equal(rest.wantsUsage, true);
    assert.equal(rest.limitTokens, 100);
    assert.deepEqual(rest.leftOut, []);
  });

  it('keeps the very messages and tools if they are right', () => {
    const messages = [user('a'), calling(call('functions.read:0', '{"a": 1}')), result('functions.read:0', '')];
    const tools = [tool()];
    const { body } = read({ model: 'm', messages, tools, tool_choice: 'auto' });
    assert.equal(body.messages, messages);
    assert.equal(body.tools, tools);
    assert.equal(JSON.stringify(body), JSON.stringify({ messages, tools, tool_choice: 'auto' }));
  });

  const LIMITS: [fields: Json, limit: number | null][] = [
    [{}, null],
    [{ max_tokens: null, max_completion_tokens: null }, null],
    [{ max_tokens: 1 }, 1],
    [{ max_tokens: 10, max_completion_tokens: 20 }, 20],
    [{ max_tokens: 10, max_completion_tokens: null }, 10],
    [{ max_completion_tokens: 262_144 }, 262_144],
    [{ max_tokens: 1e300 }, 100_000_000],
    [{ max_tokens: 99.9 }, 99],
    // Other names of the limit would undo the one that is held for.
    [{ n_predict: 5 }, 5],
    [{ max_tokens: 10, n_predict: 500 }, 10],
    [{ max_output_tokens: 7 }, 7],
  ];
  for (const [fields, limit] of LIMITS)
    it(`has the limit ${limit} by ${JSON.stringify(fields)}, and none in its body`, () => {
      const given = asked(fields);
      assert.equal(given.limitTokens, limit);
      assert.deepEqual(Object.keys(given.body), ['messages']);
    });

  const BASICS: [title: string, given: unknown, code: string, param: string | null][] = [
    ['a list', [], 'invalid_type', null],
    ['null', null, 'invalid_type', null],
    ['a text', 'model', 'invalid_type', null],
    ['a number', 5, 'invalid_type', null],
    ['nothing', {}, 'missing_required_parameter', 'model'],
    ['a model in the prototype', JSON.parse('{"__proto__": {"model": "m"}}'), 'missing_required_parameter', 'model'],
    ['a model that is no text', { model: 5, messages: [user('a')] }, 'invalid_type', 'model'],
    ['an empty model', { model: '', messages: [user('a')] }, 'invalid_value', 'model'],
    ['an endless model', { model: 'm'.repeat(1_000), messages: [user('a')] }, 'string_above_max_length', 'model'],
    ['no messages', { model: 'm' }, 'missing_required_parameter', 'messages'],
    ['messages of a text', { model: 'm', messages: 'Hello' }, 'invalid_type', 'messages'],
    ['messages as an object', { model: 'm', messages: { 0: user('a') } }, 'invalid_type', 'messages'],
    ['an empty list of messages', { model: 'm', messages: [] }, 'empty_array', 'messages'],
  ];
  for (const [title, given, code, param] of BASICS)
    it(`is refused as ${title}`, () => {
      const refused = refusal(() => read(given));
      assert.deepEqual([refused.code, refused.param], [code, param]);
    });

  const FIELDS: [fields: Json, code: string, param: string][] = [
    [{ stream: 'true' }, 'invalid_type', 'stream'],
    [{ stream: 1 }, 'invalid_type', 'stream'],
    [{ stream_options: true }, 'invalid_type', 'stream_options'],
    [{ stream_options: { include_usage: 'yes' } }, 'invalid_type', 'stream_options.include_usage'],
    [{ max_tokens: 0 }, 'integer_below_min_value', 'max_tokens'],
    [{ max_tokens: -1 }, 'integer_below_min_value', 'max_tokens'],
    [{ max_tokens: 0.5 }, 'integer_below_min_value', 'max_tokens'],
    [{ max_tokens: '100' }, 'invalid_type', 'max_tokens'],
    [{ max_tokens: [100] }, 'invalid_type', 'max_tokens'],
    [{ max_tokens: 10, max_completion_tokens: -5 }, 'integer_below_min_value', 'max_completion_tokens'],
    [{ max_completion_tokens: {} }, 'invalid_type', 'max_completion_tokens'],
    [{ n_predict: -1 }, 'integer_below_min_value', 'n_predict'],
    [{ temperature: 'hot' }, 'invalid_type', 'temperature'],
    [{ top_p: {} }, 'invalid_type', 'top_p'],
    [{ stop: 5 }, 'invalid_type', 'stop'],
    [{ logit_bias: [] }, 'invalid_type', 'logit_bias'],
    [{ response_format: 'json' }, 'invalid_type', 'response_format'],
    [{ parallel_tool_calls: 'no' }, 'invalid_type', 'parallel_tool_calls'],
    [{ tools: {} }, 'invalid_type', 'tools'],
    [{ tools: 'read' }, 'invalid_type', 'tools'],
    [{ functions: 'read' }, 'invalid_type', 'functions'],
  ];
  for (const [fields, code, param] of FIELDS)
    it(`is refused by name with ${JSON.stringify(fields)}`, () => {
      const refused = refusal(() => asked(fields));
      assert.deepEqual([refused.code, refused.param], [code, param]);
      assert.match(refused.message, new RegExp(`^${param.split('.')[0]}`));
    });

  const MESSAGES: [title: string, messages: unknown[], code: string, param: string][] = [
    ['that is a text', ['Hello'], 'invalid_type', 'messages[0]'],
    ['that is null', [user('a'), null], 'invalid_type', 'messages[1]'],
    ['that is a list', [[]], 'invalid_type', 'messages[0]'],
    ['without a role', [{ content: 'a' }], 'missing_required_parameter', 'messages[0].role'],
    ['with a role of 5', [{ role: 5, content: 'a' }], 'invalid_type', 'messages[0].role'],
    ['without content', [{ role: 'user' }], 'missing_required_parameter', 'messages[0].content'],
    ['with content of null', [user(null)], 'missing_required_parameter', 'messages[0].content'],
    ['with content of 5', [user(5)], 'invalid_type', 'messages[0].content'],
    ['with content of true', [{ role: 'assistant', content: true }], 'invalid_type', 'messages[0].content'],
    ['with content that is an object', [user({ text: 'a' })], 'invalid_type', 'messages[0].content'],
    ['with no parts', [user([])], 'empty_array', 'messages[0].content'],
    ['with a part that is a text', [user(['a'])], 'invalid_type', 'messages[0].content[0]'],
    [
      'with a part without a type',
      [user([{ text: 'a' }])],
      'missing_required_parameter',
      'messages[0].content[0].type',
    ],
    ['with a part of type 5', [user([{ type: 5 }])], 'invalid_type', 'messages[0].content[0].type'],
    [
      'with a text part of 5',
      [user([text('a'), { type: 'text', text: 5 }])],
      'invalid_type',
      'messages[0].content[1].text',
    ],
    [
      'with an empty text part',
      [user([{ type: 'text' }])],
      'missing_required_parameter',
      'messages[0].content[0].text',
    ],
    [
      'with a picture without a url',
      [user([{ type: 'image_url', image_url: {} }])],
      'missing_required_parameter',
      'messages[0].content[0].image_url.url',
    ],
    [
      'with a picture of 5',
      [user([{ type: 'image_url', image_url: 5 }])],
      'invalid_type',
      'messages[0].content[0].image_url',
    ],
    [
      'with a picture that is a document',
      [user([picture('data:application/pdf;base64,AAAA')])],
      'unsupported_value',
      'messages[0].content[0].image_url.url',
    ],
    [
      'with a part of an unknown type',
      [user([{ type: 'constructor', constructor: {} }])],
      'unsupported_value',
      'messages[0].content[0].type',
    ],
    ['with calls of a text', [{ role: 'assistant', tool_calls: 'read' }], 'invalid_type', 'messages[0].tool_calls'],
    ['with a call of null', [{ role: 'assistant', tool_calls: [null] }], 'invalid_type', 'messages[0].tool_calls[0]'],
    [
      'with a call without an id',
      [calling({ type: 'function', function: { name: 'a' } })],
      'missing_required_parameter',
      'messages[0].tool_calls[0].id',
    ],
    ['with a call by the id 5', [calling({ ...call('a'), id: 5 })], 'invalid_type', 'messages[0].tool_calls[0].id'],
    [
      'with a call of nothing',
      [calling({ id: 'a', type: 'function' })],
      'missing_required_parameter',
      'messages[0].tool_calls[0].function',
    ],
    [
      'with a call without a name',
      [calling({ id: 'a', type: 'function', function: {} })],
      'missing_required_parameter',
      'messages[0].tool_calls[0].function.name',
    ],
    ['with arguments of 5', [calling(call('a', 5))], 'invalid_type', 'messages[0].tool_calls[0].function.arguments'],
    [
      'with a result without an id',
      [{ role: 'tool', content: 'ok' }],
      'missing_required_parameter',
      'messages[0].tool_call_id',
    ],
    ['with a result of the id 5', [{ ...result('a'), tool_call_id: 5 }], 'invalid_type', 'messages[0].tool_call_id'],
    [
      'with the sound of an answer',
      [{ role: 'assistant', audio: { id: 'a' } }],
      'unsupported_parameter',
      'messages[0].audio',
    ],
    ['that names a cache', [{ role: 'cache', content: 'tag=a' }], 'unsupported_value', 'messages[0].role'],
  ];
  for (const [title, messages, code, param] of MESSAGES)
    it(`is refused by name with a message ${title}`, () => {
      const refused = refusal(() => asked({ messages }));
      assert.deepEqual([refused.code, refused.param], [code, param]);
    });

  it('has no hint to a cache beyond its usual time, which would have another price, and says so', () => {
    const hinted = (ttl?: string) => ({ cache_control: { type: 'ephemeral', ...(ttl ? { ttl } : {}) } });
    const request = (ttl?: string) => ({
      ...hinted(ttl),
      messages: [{ ...user([{ ...text('a'), ...hinted(ttl) }]), ...hinted(ttl) }],
      tools: [{ ...tool(), ...hinted(ttl) }],
    });
    const { body, leftOut } = asked(request('1h'));
    const right = asked(request());
    assert.deepEqual(body, right.body);
    assert.deepEqual([leftOut, right.leftOut], [['cache_control.ttl'], []]);
    assert.deepEqual(asked(request('5m')).leftOut, []);
  });

  it('repeats no value in a refusal', () => {
    const secret = 'sk-SECRET';
    const wrong: Json[] = [
      { [secret]: nested(200) },
      { messages: [{ role: secret, content: 5 }] },
      { messages: [user([{ type: secret }])] },
      { messages: [user([picture(`data:${secret}`)])] },
      { tools: [tool()], tool_choice: secret },
      { tools: [tool()], tool_choice: { type: secret } },
      { tools: [tool()], tool_choice: { type: 'function', function: { name: secret } } },
      { service_tier: secret },
      { modalities: [secret] },
      { api_key: secret },
      { max_tokens: secret },
      { stream: secret },
    ];
    for (const fields of wrong) {
      const { message, param } = refusal(() => asked(fields));
      assert.doesNotMatch(`${message} ${param}`, /SECRET/);
    }
  });

  it('is mended where a text was cut in the middle of an emoji', () => {
    const { body } = asked({
      messages: [user('a\uD83D'), calling(call('a')), result('a', [text('\uDE00b')])],
      user: 'ok',
    });
    assert.deepEqual(body, {
      messages: [user('a\uFFFD'), calling(call('a')), result('a', [text('\uFFFDb')])],
      user: 'ok',
    });
    const whole = [user('a\u{1F600}b\0')];
    assert.deepEqual(sent(whole), whole);
  });

  it('keeps fields that are called like members of every object', () => {
    const given = JSON.parse(
      '{"model": "m", "messages": [{"role": "user", "content": "a"}], "constructor": 1, "toString": {}, "__proto__": {"n": 5}, "max_tokens": 5}',
    );
    const { body } = read(given);
    assert.equal(
      JSON.stringify(body),
      '{"messages":[{"role":"user","content":"a"}],"constructor":1,"toString":{},"__proto__":{"n":5}}',
    );
    assert.equal(Object.getPrototypeOf(body), Object.prototype);
    const message = JSON.parse(
      '{"role": "tool", "tool_call_id": "a", "content": "a", "__proto__": {}, "calls": [], "results": []}',
    );
    assert.equal(JSON.stringify(read({ model: 'm', messages: [message] }).body.messages).includes('not in this'), true);
  });
});

describe('a hostile chat-completions request', () => {
  it('is read with as many messages as any session has, and refused with more', () => {
    const messages = (count: number) => Array.from({ length: count }, () => user('a'));
    assert.equal(sent(messages(MAX_MESSAGES)).length, MAX_MESSAGES);
    const { code, param } = refusal(() => asked({ messages: messages(MAX_MESSAGES + 1) }));
    assert.deepEqual([code, param], ['array_above_max_length', 'messages']);
  });

  it('is refused if it is nested without end, anywhere', () => {
    const deep = nested(100_000);
    for (const fields of [
      { x: deep },
      { messages: deep },
      { messages: [user(deep)] },
      { tools: [{ function: deep }] },
    ]) {
      const refused = refusal(() => read({ model: 'm', messages: [user('a')], ...fields }));
      assert.deepEqual([refused.code, refused.param], ['invalid_value', null]);
      assert.match(refused.message, /levels deep/);
    }
    assert.ok(asked({ tools: [{ type: 'function', function: { name: 'a', parameters: nested(MAX_DEPTH - 5) } }] }));
  });

  it('is refused with tools without end', () => {
    const refused = refusal(() => asked({ tools: new Array(1_000).fill({ type: 'web_search' }) }));
    assert.deepEqual([refused.code, refused.param], ['array_above_max_length', 'tools']);
  });

  it('is refused if it has values without end', () => {
    const refused = refusal(() => read({ model: 'm', messages: [user('a')], x: new Array(MAX_VALUES).fill(0) }));
    assert.equal(refused.code, 'array_above_max_length');
  });

  it('takes time in proportion to its length', () => {
    const cpu = (run: () => void) => {
      const from = process.cpuUsage();
      run();
      const { user: used } = process.cpuUsage(from);
      return used;
    };
    const body = (turns: number) => ({
      model: 'm',
      // Ids that are used again, orphans, and results far from their calls.
      messages: Array.from({ length: turns }, (_, i) => [
        calling(call('same'), call(`id${i}`)),
        user('x'.repeat(100)),
        result(`id${i % 7}`, [picture()]),
        result('same'),
      ]).flat(),
    });
    cpu(() => read(body(300)));
    // Long enough for a machine that counts processor time in steps of 10 ms.
    const [small, large] = [600, 2_400].map((turns) => Math.min(...[1, 2, 3].map(() => cpu(() => read(body(turns))))));
    assert.ok(large! < 9 * small! + 100_000, `${small} µs, four times as long: ${large} µs`);
  });

  it('is read with 10 MB in one text', () => {
    for (const unit of ['a', '\u0000', '世', '\uD83D', '"', '{']) {
      const { size } = read({ model: 'm', messages: [user(unit.repeat(10_000_000 / unit.length))] });
      assert.ok(size.bound >= 10_000_000);
    }
    const { size } = read({ model: 'm', messages: [calling(call('a', '{'.repeat(10_000_000)))] });
    assert.ok(size.bound >= 10_000_000);
  });
});

describe('the size of a chat-completions request', () => {
  const bound = (fields: Json) => asked(fields).size.bound;
  const base = bound({ messages: [user('')] });

  const PARTS: [title: string, fields: Json, atLeast: number, atMost: number][] = [
    ['a text', { messages: [user('x'.repeat(1_000))] }, 1_000, 1_000],
    ['a text by its UTF-8 bytes', { messages: [user('世'.repeat(1_000))] }, 3_000, 3_000],
    ['a text in parts', { messages: [user([text('x'.repeat(500)), text('x'.repeat(500))])] }, 1_000, 1_000],
    ['reasoning', { messages: [{ ...user(''), reasoning_content: 'x'.repeat(1_000) }] }, 1_000, 1_000],
    ['a field that nobody knows', { messages: [{ ...user(''), other: ['x'.repeat(1_000)] }] }, 1_000, 1_010],
    ['a field at the top', { documents: [{ text: 'x'.repeat(1_000) }], messages: [user('')] }, 1_000, 1_030],
    ['tools', { tools: [tool('x'.repeat(1_000))], messages: [user('')] }, 1_050, 1_200],
    [
      'a schema',
      {
        response_format: { type: 'json_schema', json_schema: { schema: { a: 'x'.repeat(1_000) } } },
        messages: [user('')],
      },
      1_000,
      1_100,
    ],
    [
      'a picture',
      { messages: [user([picture(`data:image/png;base64,${'A'.repeat(1_000_000)}`)])] },
      PICTURE_TOKENS.bound,
      PICTURE_TOKENS.bound,
    ],
    [
      'a text beside a picture',
      { messages: [user([{ ...picture(), text: 'x'.repeat(1_000) }])] },
      PICTURE_TOKENS.bound + 1_000,
      PICTURE_TOKENS.bound + 1_000,
    ],
    [
      'a picture that is none',
      { response_format: picture('x'.repeat(100_000)), messages: [user('')] },
      100_000,
      100_200,
    ],
    [
      'control characters in a tool, which are six characters in JSON',
      { tools: [tool('\u0001'.repeat(1_000))], messages: [user('')] },
      6_000,
      7_200,
    ],
  ];
  for (const [title, fields, atLeast, atMost] of PARTS)
    it(`counts ${title}`, () => {
      const counted = bound(fields) - base;
      assert.ok(counted >= atLeast && counted <= atMost, `${counted}`);
    });

  it('counts calls and their results', () => {
    const messages = [
      user(''),
      calling(call('a', JSON.stringify({ a: 'x'.repeat(1_000) }))),
      result('a', 'x'.repeat(1_000)),
    ];
    assert.ok(bound({ messages }) > 2_000);
    assert.ok(bound({ messages: [...messages, ...messages, ...messages] }) > 6_000);
  });

  it('is estimated far below the bound, and never above it', () => {
    const { size } = asked({
      messages: [user('The quick brown fox jumps over the lazy dog. '.repeat(100)), user([text('Look:'), picture()])],
      tools: [tool()],
    });
    assert.ok(size.estimate > 1_000 + PICTURE_TOKENS.estimate && size.estimate < 1_250 + PICTURE_TOKENS.estimate);
    assert.ok(size.estimate < size.bound);
    assert.equal(size.estimate, size.estimate);
  });
});

describe('the requests of real clients', () => {
  it('are accepted, and reach the service unchanged', function () {
    const files = captured();
    if (!files) this.skip();
    const elided: string[] = [];
    let count = 0;
    for (const [file, exchanges] of files)
      for (const { body } of exchanges) {
        const given = JSON.stringify(body);
        let call: ReturnType<typeof read>;
        try {
          call = read(JSON.parse(given));
        } catch (error) {
          // Long arguments of a call were cut when the exchange was kept.
          if (!(error instanceof Error) || !/not valid JSON/.test(error.message)) throw error;
          elided.push(file);
          continue;
        }
        const { model, stream, stream_options, max_tokens, max_completion_tokens, ...rest } = JSON.parse(given);
        assert.equal(JSON.stringify(call.body), JSON.stringify(rest), file);
        assert.deepEqual(call.leftOut, []);
        assert.deepEqual(
          [call.model, call.stream, call.wantsUsage, call.limitTokens],
          [model, stream, stream_options?.include_usage === true, max_completion_tokens ?? max_tokens ?? null],
        );
        if (file === 'opencode-none.json') assert.ok(call.size.estimate > 0 && call.size.estimate < call.size.bound);
        count++;
      }
    assert.ok(count > 100, `${count} requests were read`);
    assert.deepEqual(elided, []);
  });
});
