import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Json } from '../../../../server/gateway/dialects/chat/refused.ts';
import { ChatStream } from '../../../../server/gateway/dialects/chat/stream.ts';
import { chunksOf, mendWhole, wholeOf } from '../../../../server/gateway/dialects/chat/whole.ts';
import { hear, USAGE } from './heard.ts';

const HEAD = { model: 'ours', id: 'chatcmpl-1', createdSeconds: 1_000 };
const answer = (message: unknown, finish_reason: unknown = 'stop', more: Json = {}): Json => ({
  id: 'theirs',
  object: 'chat.completion',
  created: 5,
  model: 'theirs',
  choices: [{ index: 0, message, finish_reason, logprobs: null }],
  usage: { prompt_tokens: 1, completion_tokens: 2, completion_tokens_details: { reasoning_tokens: 2 } },
  ...more,
});
const mended = (given: unknown) => mendWhole(JSON.parse(JSON.stringify(given)), HEAD, USAGE);
const call = (id: unknown, name: unknown, args: unknown) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});

describe('a whole answer', () => {
  it('keeps everything that is right, under our names and with our usage', () => {
    const message = { role: 'assistant', content: 'a', refusal: null, annotations: [{ type: 'url' }] };
    assert.deepEqual(mended(answer(message, 'stop', { system_fingerprint: 'f', citations: ['u'] })), {
      ...answer(message, 'stop', { system_fingerprint: 'f', citations: ['u'] }),
      id: 'chatcmpl-1',
      model: 'ours',
      created: 1_000,
      usage: {
        prompt_tokens: 100,
        completion_tokens: 20,
        total_tokens: 120,
        prompt_tokens_details: { cached_tokens: 60 },
        completion_tokens_details: { reasoning_tokens: 2 },
      },
    });
  });

  const MESSAGES: [title: string, message: Json, right: Json, reason?: [given: unknown, right: string]][] = [
    [
      'has reasoning under its name',
      { content: 'a', reasoning: 't' },
      { content: 'a', reasoning: 't', reasoning_content: 't' },
    ],
    [
      'has a text for parts',
      {
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      { content: 'ab' },
    ],
    ['has a text for nothing', { content: null }, { content: '' }],
    ['has a refusal without a text', { content: null, refusal: 'no' }, { content: null, refusal: 'no' }],
    [
      'has the ids, types and arguments of calls',
      {
        content: null,
        tool_calls: [{ function: { name: 'f', arguments: '' } }, { function: { name: 'f', arguments: { x: 1 } } }],
      },
      { content: null, tool_calls: [call('call_chatcmpl-1_0', 'f', '{}'), call('call_chatcmpl-1_1', 'f', '{"x":1}')] },
      ['stop', 'tool_calls'],
    ],
    [
      'has two calls without ids and arguments',
      {
        content: null,
        tool_calls: [{ function: { name: 'f', arguments: '' } }, { function: { name: 'f', arguments: '' } }],
      },
      { content: null, tool_calls: [call('call_chatcmpl-1_0', 'f', '{}'), call('call_chatcmpl-1_1', 'f', '{}')] },
      [null, 'tool_calls'],
    ],
    [
      'has its ids unchanged',
      { content: 'a', tool_calls: [call('functions.f:0', 'f', '{"x": 1}')] },
      { content: 'a', tool_calls: [call('functions.f:0', 'f', '{"x": 1}')] },
      ['tool_calls', 'tool_calls'],
    ],
    [
      'has two ids for one',
      { content: null, tool_calls: [call('a', 'f', '{"x":1}'), call('a', 'f', '{"x":2}')] },
      { content: null, tool_calls: [call('a', 'f', '{"x":1}'), call('call_chatcmpl-1_1', 'f', '{"x":2}')] },
      ['tool_calls', 'tool_calls'],
    ],
    ['has no calls for an empty list', { content: 'a', tool_calls: [] }, { content: 'a' }],
    ['has no calls for null', { content: 'a', tool_calls: null }, { content: 'a' }],
    ['was cut', { content: 'a' }, { content: 'a' }, ['MAX_TOKENS', 'length']],
    ['was filtered', { content: '' }, { content: '' }, ['refusal', 'content_filter']],
    ['has no reason', { content: 'a' }, { content: 'a' }, [undefined, 'stop']],
  ];
  for (const [title, message, right, [given, reason] = ['stop', 'stop']] of MESSAGES)
    it(title, () => {
      const [choice] = mended(answer(message, given))!.choices as Json[];
      assert.deepEqual(choice!.message, { role: 'assistant', refusal: null, ...right });
      assert.equal(choice!.finish_reason, reason);
    });

  it('is none without choices', () => {
    for (const given of [null, 'a', [], {}, { error: { message: 'm' } }, { choices: [] }, { choices: null }])
      assert.equal(mended(given), null);
  });

  it('has one choice', () => {
    const { choices } = answer({ content: 'a' }) as { choices: Json[] };
    const whole = mended(answer({}, 'stop', { choices: [...choices, { ...choices[0], index: 1 }] }));
    assert.equal((whole!.choices as Json[]).length, 1);
  });

  it('has all log probabilities of its chunks', () => {
    const delta = (content: string) => ({
      choices: [{ index: 0, delta: { content }, logprobs: { content: [{ token: content }], refusal: null } }],
    });
    const stream = new ChatStream({ ...HEAD, wantsUsage: true });
    const whole = wholeOf([...[delta('a'), delta('b')].flatMap((one) => stream.take(one)), ...stream.end(USAGE)]);
    assert.deepEqual((whole.choices as Json[])[0]!.logprobs, {
      content: [{ token: 'a' }, { token: 'b' }],
      refusal: null,
    });
  });
});

interface Said {
  text: string;
  thinking: string;
  calls: { id: string; name: string; args: string }[];
}

const args = fc.oneof(
  fc.constant('{}'),
  fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer()), { maxKeys: 4 }).map((value) => JSON.stringify(value)),
);
const said: fc.Arbitrary<Said> = fc.record({
  text: fc.string({ unit: 'binary', maxLength: 40 }),
  thinking: fc.string({ unit: 'binary', maxLength: 40 }),
  calls: fc.uniqueArray(fc.record({ id: fc.string({ minLength: 1 }), name: fc.constantFrom('f', 'g', 'h'), args }), {
    selector: ({ id }) => id,
    maxLength: 4,
  }),
});

/** How a service writes its stream. */
const habit = fc.record({
  /** Which index the calls have. */
  index: fc.constantFrom('from 0', 'from 1', 'always 0', 'none'),
  /** What stands in a call's later deltas. */
  later: fc.constantFrom('nothing', 'null', 'again', 'id alone'),
  thinking: fc.constantFrom('reasoning_content', 'reasoning', 'thinking', 'reasoning_text'),
  interleaved: fc.boolean(),
  reason: fc.constantFrom('stop', 'tool_calls', 'end_turn', null),
  reasonWithText: fc.boolean(),
  usage: fc.constantFrom('own chunk', 'every chunk', 'in the choice', 'none'),
  role: fc.boolean(),
});
type Habit = typeof habit extends fc.Arbitrary<infer T> ? T : never;

/** How long the pieces of a stream are, in UTF-16 units, over and over. */
const cuts = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 9 });

function pieces(text: string, sizes: readonly number[]): string[] {
  const found: string[] = [];
  for (let at = 0; at < text.length; at += found.at(-1)!.length)
    found.push(text.slice(at, at + sizes[found.length % sizes.length]!));
  return found;
}

function chunksFrom({ text, thinking, calls }: Said, how: Habit, cut: readonly number[]): Json[] {
  const deltas: Json[] = how.role ? [{ role: 'assistant', content: '' }] : [];
  deltas.push(...pieces(thinking, cut).map((piece) => ({ [how.thinking]: piece })));
  deltas.push(...pieces(text, cut).map((content) => ({ content })));
  const written = calls.map(({ id, name, args }, i) => {
    const at = { 'from 0': { index: i }, 'from 1': { index: i + 1 }, 'always 0': { index: 0 }, none: {} }[how.index];
    const [first = '', ...rest] = how.reasonWithText ? ['', ...pieces(args, cut)] : pieces(args, cut);
    const later = {
      nothing: [{}, {}],
      null: [{ id: null, type: null }, { name: null }],
      again: [{ id, type: 'function' }, { name }],
      'id alone': [{ id }, {}],
    }[how.later];
    return [
      { ...at, id, type: 'function', function: { name, arguments: first } },
      ...rest.map((piece) => ({ ...at, ...later[0], function: { ...later[1], arguments: piece } })),
    ];
  });
  // Only what names its call in each delta can be told apart.
  const isNamed = how.index === 'from 0' || how.index === 'from 1' || how.later === 'again' || how.later === 'id alone';
  if (how.interleaved && isNamed)
    for (let i = 0; written.some((one) => i < one.length); i++)
      deltas.push(...written.flatMap((one) => (i < one.length ? [{ tool_calls: [one[i]] }] : [])));
  else deltas.push(...written.flat().map((one) => ({ tool_calls: [one] })));
  const report = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
  const chunks = deltas.map(
    (delta) =>
      ({
        object: 'chat.completion.chunk',
        choices: [{ index: 0, delta, finish_reason: null as string | null }],
      }) as Json,
  );
  if (how.reason !== null && how.reasonWithText && chunks.length > 0)
    ((chunks.at(-1)!.choices as Json[])[0]!.finish_reason as unknown) = how.reason;
  else if (how.reason !== null) chunks.push({ choices: [{ index: 0, delta: {}, finish_reason: how.reason }] });
  if (how.usage === 'own chunk') chunks.push({ choices: [], usage: report });
  if (how.usage === 'every chunk') for (const chunk of chunks) chunk.usage = report;
  if (how.usage === 'in the choice' && chunks.length > 0) (chunks.at(-1)!.choices as Json[])[0]!.usage = report;
  return chunks;
}

describe('any answer of any service', () => {
  it('reaches the client with its text, thinking and tool calls, streamed and whole', () => {
    fc.assert(
      fc.property(said, habit, cuts, fc.boolean(), (given, how, cut, wantsUsage) => {
        const stream = new ChatStream({ ...HEAD, wantsUsage });
        const service = chunksFrom(given, how, cut);
        const sent = [...service.flatMap((one) => stream.take(one)), ...stream.end(USAGE)];
        const wire = JSON.parse(JSON.stringify(sent)) as Json[];
        const right = given.calls.map(({ id, name, args }) => [id, name, args]);
        assert.deepEqual(hear(wire), {
          text: given.text,
          thinking: given.thinking,
          toolCalls: right,
          finish: right.length > 0 ? 'tool_calls' : 'stop',
        });
        const usages = wire.filter((one) => 'usage' in one);
        assert.deepEqual([usages.length, usages[0]], wantsUsage ? [1, wire.at(-1)] : [0, undefined]);
        // Empty arguments count nothing if they came in one piece.
        const units = right.reduce((sum, [, name, args]) => sum + name!.length + args!.length, 0);
        assert.ok(stream.toolText <= units && stream.toolText >= units - 2 * right.length);

        const whole = wholeOf(wire);
        const [{ message }] = whole.choices as [{ message: Json }];
        const toolCalls = ((message.tool_calls as Json[] | undefined) ?? []).map((one) => {
          const { name, arguments: args } = one.function as Json;
          return [one.id, name, args];
        });
        assert.deepEqual(
          [message.content ?? '', message.reasoning_content ?? '', toolCalls],
          [given.text, given.thinking, right],
        );
        const again = chunksOf(whole, { ...HEAD, wantsUsage }, USAGE)!;
        assert.deepEqual(hear(again), hear(wire));
      }),
      { numRuns: 150 },
    );
  });

  it('of any objects at all throws nothing but an unknown form', () => {
    const key = fc.constantFrom(
      'choices',
      'delta',
      'message',
      'tool_calls',
      'function',
      'content',
      'index',
      'id',
      'name',
      'arguments',
      'usage',
      'finish_reason',
      'reasoning',
      'reasoning_content',
      '__proto__',
      'error',
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 6, depthSize: 'medium' },
        fc.constantFrom(null, true, 0, 1, -1, 1.5, '', 'a', 'stop', '{}'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(fc.array(value, { maxLength: 6 }), fc.boolean(), (chunks, wantsUsage) => {
        const stream = new ChatStream({ ...HEAD, wantsUsage });
        const sent: Json[] = [];
        try {
          for (const chunk of chunks) sent.push(...stream.take({ choices: [{ delta: chunk }] }), ...stream.take(chunk));
        } catch (error) {
          assert.equal((error as Error).constructor.name, 'UnknownShape');
          return;
        }
        sent.push(...stream.end(USAGE));
        hear(JSON.parse(JSON.stringify(sent)));
        wholeOf(sent);
      }),
      { numRuns: 500 },
    );
  });
});
