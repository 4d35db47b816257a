import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CallRefused, type Json } from '../../../../server/gateway/dialects/chat/refused.ts';
import { readChatCall } from '../../../../server/gateway/dialects/chat/request.ts';
import { UnknownShape } from '../../../../server/gateway/dialects/content.ts';
import { encodeReasoning } from '../../../../server/gateway/dialects/responses/reasoning.ts';
import { readResponses } from '../../../../server/gateway/dialects/responses/request.ts';
import { captured, picture, TOKENS, text, user } from '../chat/asked.ts';
import { USAGE } from '../chat/heard.ts';
import { asked, askedWhole, custom, fn, message, namespace, reasoned, said, shown, written } from './asked.ts';
import { accumulated, callDelta, delta, events, eventsOf, read } from './heard.ts';

const TOOLS = [fn('read'), custom('patch'), namespace('agents', [fn('spawn'), custom('run')])];
/** The tools as a client names them, and as the service does. */
const KINDS = [
  { name: 'read', flat: 'read', isCustom: false },
  { name: 'patch', flat: 'patch', isCustom: true },
  { name: 'spawn', namespace: 'agents', flat: 'agents__spawn', isCustom: false },
  { name: 'run', namespace: 'agents', flat: 'agents__run', isCustom: true },
];

interface Call {
  kind: (typeof KINDS)[number];
  /** The input of a custom tool, or the one argument of a function. */
  input: string;
}

/** Short ones, because a long text is read in the same way. */
const WORDS = [
  'a',
  'Look:',
  ' ',
  '\n',
  '"q"',
  '\\',
  '{"a":[',
  '}]',
  'C:\\n\\u00e4',
  'ß',
  '😀',
  'a😀\u2028b',
  '\0',
  '\t\r',
];
const someWords = fc.constantFrom(...WORDS, WORDS.join(''));
const words = fc.constantFrom('', ...WORDS, WORDS.join(''));
const anyCall: fc.Arbitrary<Call> = fc.record({ kind: fc.constantFrom(...KINDS), input: words });
const argsOf = ({ kind, input }: Call) => JSON.stringify(kind.isCustom ? { input } : { path: input });

function itemOf({ kind, input }: Call, id: string): Json {
  const { name, namespace: within, isCustom } = kind;
  const head = { call_id: id, name, ...(within === undefined ? {} : { namespace: within }) };
  return isCustom
    ? { type: 'custom_tool_call', ...head, input }
    : { type: 'function_call', ...head, arguments: JSON.stringify({ path: input }) };
}

const outputType = ({ kind }: Call) => (kind.isCustom ? 'custom_tool_call_output' : 'function_call_output');

interface Turn {
  asked: string;
  isPictured: boolean;
  role: 'user' | 'developer';
  thought: string;
  isEncrypted: boolean;
  answered: string;
  calls: Call[];
  /** The results, each a text or a picture. */
  results: { text: string; isPicture: boolean }[];
  isReversed: boolean;
}

const anyTurn: fc.Arbitrary<Turn> = fc.record({
  asked: words,
  isPictured: fc.boolean(),
  role: fc.constantFrom('user', 'user', 'developer'),
  thought: words,
  isEncrypted: fc.boolean(),
  answered: words,
  calls: fc.array(anyCall, { maxLength: 3 }),
  results: fc.array(fc.record({ text: words, isPicture: fc.boolean() }), { minLength: 3, maxLength: 3 }),
  isReversed: fc.boolean(),
});

/** A turn as the client sends it, and as the service has to get it. */
function bothOf(turn: Turn, at: number): { items: Json[]; messages: Json[] } {
  const ids = turn.calls.map((_, i) => `call_${at}_${i}`);
  const order = turn.isReversed ? ids.map((_, i) => ids.length - 1 - i) : ids.map((_, i) => i);
  const thought = turn.isEncrypted
    ? { type: 'reasoning', id: 'rs', summary: [], encrypted_content: encodeReasoning(turn.thought) }
    : reasoned(turn.thought);
  const results = order.map((i) => {
    const { text: told, isPicture } = turn.results[i]!;
    return { id: ids[i]!, call: turn.calls[i]!, told, isPicture };
  });
  const items = [
    message(turn.role, turn.isPictured ? [written(turn.asked), shown()] : [written(turn.asked)]),
    thought,
    said(turn.answered),
    ...turn.calls.map((call, i) => itemOf(call, ids[i]!)),
    ...results.map(({ id, call, told, isPicture }) => ({
      type: outputType(call),
      call_id: id,
      output: isPicture ? [written(told), shown()] : told,
    })),
  ];
  const pictures = results.filter(({ isPicture }) => isPicture);
  const messages: Json[] = [
    { role: turn.role, content: turn.isPictured ? [text(turn.asked), picture()] : turn.asked },
    {
      role: 'assistant',
      content: turn.answered,
      ...(turn.thought === '' ? {} : { reasoning_content: turn.thought }),
      ...(ids.length === 0
        ? {}
        : {
            tool_calls: turn.calls.map((call, i) => ({
              id: ids[i],
              type: 'function',
              function: { name: call.kind.flat, arguments: argsOf(call) },
            })),
          }),
    },
    ...results.map(({ id, told, isPicture }) => ({
      role: 'tool',
      tool_call_id: id,
      content: isPicture ? [told, '(a picture: see below)'].filter((one) => one !== '').join('\n') : told,
    })),
    ...(pictures.length === 0
      ? []
      : [
          user(
            pictures.flatMap(({ id, call }) => [
              text(`Picture in the result of the tool call ${id} (${call.kind.flat}):`),
              picture(),
            ]),
          ),
        ]),
  ];
  return { items, messages };
}

/** An answer of a service: what it says, in which order, and into how many pieces each is cut. */
interface Answer {
  said: ({ kind: 'thought' | 'text'; text: string } | { kind: 'call'; call: Call })[];
  sizes: number[];
  isCut: boolean;
}

const anyAnswer: fc.Arbitrary<Answer> = fc.record({
  said: fc.array(
    fc.oneof(
      fc.record({ kind: fc.constantFrom('thought' as const, 'text' as const), text: someWords }),
      fc.record({ kind: fc.constant('call' as const), call: anyCall }),
    ),
    { maxLength: 5 },
  ),
  sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
  isCut: fc.boolean(),
});

function chunksOf({ said: things, sizes, isCut }: Answer): Json[] {
  let at = 0;
  const cut = (whole: string): string[] => {
    const pieces: string[] = [];
    for (let i = 0; i < whole.length; ) {
      const size = sizes[at++ % sizes.length]!;
      pieces.push(whole.slice(i, i + size));
      i += size;
    }
    return pieces;
  };
  let calls = 0;
  const chunks = things.flatMap((thing) => {
    if (thing.kind !== 'call') {
      const field = thing.kind === 'text' ? 'content' : 'reasoning_content';
      return cut(thing.text).map((piece) => delta({ [field]: piece }));
    }
    const index = calls++;
    const begins = callDelta(index, '', { id: `call_${index}`, name: thing.call.kind.flat });
    return [begins, ...cut(argsOf(thing.call)).map((piece) => callDelta(index, piece))];
  });
  return [...chunks, delta({}, isCut ? 'length' : 'stop')];
}

describe('conversations through the Responses dialect', () => {
  it('reach the service with every text, call, result and picture in its place', () => {
    fc.assert(
      fc.property(fc.array(anyTurn, { minLength: 1, maxLength: 2 }), (turns) => {
        const both = turns.map(bothOf);
        const read = asked({ tools: TOOLS, input: both.flatMap(({ items }) => items) });
        assert.deepEqual(
          read.messages,
          both.flatMap(({ messages }) => messages),
        );
        assert.deepEqual(read.leftOut, []);
      }),
      { numRuns: 3_500, seed: 1 },
    );
  });

  const REQUEST = { tools: TOOLS, include: ['reasoning.encrypted_content'] };
  const { context } = asked(REQUEST);
  /** What a service said, as one message of the next request. */
  const messageOf = ({ said: things }: Answer) => {
    const joined = (kind: string) =>
      things.map((thing) => (thing.kind === kind ? (thing as { text: string }).text : '')).join('');
    const calls = things.flatMap((thing) => (thing.kind === 'call' ? [thing.call] : []));
    return { text: joined('text'), thought: joined('thought'), calls };
  };

  it('come back in events that a strict client reads, and the items are the same turn in the next request', () => {
    fc.assert(
      fc.property(anyAnswer, (answer) => {
        const { events: told, stream } = eventsOf(chunksOf(answer), context);
        assert.deepEqual(read(told), stream.response);
        const { text: whole, thought, calls } = messageOf(answer);
        const items = stream.response.output as Json[];
        const results = calls.map((call, i) => ({ type: outputType(call), call_id: `call_${i}`, output: 'ok' }));
        if (whole === '' && calls.length === 0) return;
        const [turn] = asked({ ...REQUEST, input: [...items, ...results] }).messages as [Json];
        assert.equal(turn.content ?? '', whole);
        assert.equal(turn.reasoning_content ?? '', thought);
        assert.deepEqual(
          ((turn.tool_calls ?? []) as Json[]).map(({ id, function: named }) => [id, named]),
          calls.map((call, i) => [`call_${i}`, { name: call.kind.flat, arguments: argsOf(call) }]),
        );
      }),
      { numRuns: 3_500, seed: 2 },
    );
  });

  it('come back to the SDK with the same text, tools and usage', async () => {
    await fc.assert(
      fc.asyncProperty(anyAnswer, async (answer) => {
        const { events: told } = eventsOf(chunksOf(answer), context);
        const heard = await accumulated(told);
        const { text: whole, thought, calls } = messageOf(answer);
        assert.equal(heard.output_text, whole);
        assert.equal(heard.status, answer.isCut ? 'incomplete' : 'completed');
        assert.deepEqual(
          [heard.usage?.input_tokens, heard.usage?.input_tokens_details.cached_tokens, heard.usage?.output_tokens],
          [USAGE.inputTokens, USAGE.cachedInputTokens, USAGE.outputTokens],
        );
        let thoughts = '';
        const heardCalls: unknown[] = [];
        for (const item of heard.output) {
          if (item.type === 'reasoning') thoughts += item.summary.map((part) => part.text).join('');
          if (item.type === 'function_call')
            heardCalls.push([item.call_id, item.namespace, item.name, JSON.parse(item.arguments).path]);
          if (item.type === 'custom_tool_call') heardCalls.push([item.call_id, item.namespace, item.name, item.input]);
        }
        assert.equal(thoughts, thought);
        assert.deepEqual(
          heardCalls,
          calls.map(({ kind, input }, i) => [`call_${i}`, kind.namespace, kind.name, input]),
        );
      }),
      { numRuns: 500, seed: 3 },
    );
  });
});

/** Puts a value into the place of another one; `at` chooses which. */
function replaced(value: unknown, at: number, by: unknown): unknown {
  let left = at;
  const walk = (inner: unknown): unknown => {
    if (left-- === 0) return by;
    if (Array.isArray(inner)) return inner.map(walk);
    if (typeof inner !== 'object' || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, one]) => [key, walk(one)]));
  };
  return walk(value);
}

function sizeOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, one) => sum + sizeOf(one), 1);
}

const junk = fc.constantFrom<unknown>(
  ...[null, true, 0, -1, 1e300, '', 'x', '\ud83d', [], [[]], [null], {}, { type: 'x' }, { type: null, text: 5 }],
  ...['message', 'function_call', 'custom_tool_call_output', { role: 'user' }, 'x'.repeat(300)],
);

describe('junk', () => {
  const VALID: Json = {
    model: 'm',
    instructions: 'a',
    tools: [...TOOLS, { type: 'web_search' }],
    tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'read' }] },
    parallel_tool_calls: true,
    max_output_tokens: 5,
    reasoning: { effort: 'low' },
    text: { format: { type: 'json_schema', name: 'n', schema: {}, strict: true }, verbosity: 'low' },
    include: ['reasoning.encrypted_content'],
    input: [
      message('user', [written('a'), shown(), { type: 'input_file', file_data: 'data:text/plain,a', filename: 'b' }]),
      reasoned('b', { encrypted_content: 'c' }),
      said('d'),
      itemOf({ kind: KINDS[2]!, input: 'e' }, 'x'),
      itemOf({ kind: KINDS[3]!, input: 'f' }, 'y'),
      { type: 'function_call_output', call_id: 'x', output: [written('g'), shown()] },
      { type: 'custom_tool_call_output', call_id: 'y', output: '' },
      { type: 'additional_tools', tools: [fn('h')] },
      { type: 'shell_call', call_id: 'z', action: { commands: ['ls'] } },
    ],
  };

  it('in a request is carried, or refused with a path of this dialect', () => {
    const places = sizeOf(VALID);
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(places - 1), junk), { minLength: 1, maxLength: 2 }), (changes) => {
        const given = changes.reduce((body: unknown, [at, by]) => replaced(body, at, by), VALID);
        try {
          const { body } = readResponses(given);
          readChatCall(body, { tokens: TOKENS, developerRole: true });
          accepted++;
        } catch (error) {
          if (!(error instanceof CallRefused)) throw error;
          if (error.param !== null)
            assert.doesNotMatch(error.param, /^messages|\.function\b|^response_format|^max_comp/);
        }
      }),
      { numRuns: 1_500, seed: 4 },
    );
    assert.ok(accepted > 100);
  });

  it('in an answer still makes events that a strict client reads', () => {
    const valid = [
      delta({ reasoning_content: 'a', content: 'b' }),
      callDelta(0, '{"input":"', { id: 'x', name: 'patch' }),
      callDelta(1, '{"a":', { id: 'y', name: 'read' }),
      callDelta(0, 'c"}'),
      delta({ content: 'd', refusal: 'e' }),
      { ...delta({}, 'tool_calls'), usage: { prompt_tokens: 1, completion_tokens: 1 } },
    ];
    const places = sizeOf(valid);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(places - 1), junk), { minLength: 1, maxLength: 3 }), (changes) => {
        const given = changes.reduce((body: unknown, [at, by]) => replaced(body, at, by), valid);
        if (!Array.isArray(given)) return;
        try {
          const { events: told, stream } = events(structuredClone(given) as Json[], { tools: TOOLS });
          assert.deepEqual(read(told), stream.response);
        } catch (error) {
          // The core's own word for an answer that nobody can read.
          if (!(error instanceof UnknownShape)) throw error;
        }
      }),
      { numRuns: 1_000, seed: 5 },
    );
  });
});

describe('a session of Codex', () => {
  const CODEX = {
    model: 'm',
    stream: true,
    store: false,
    tool_choice: 'auto',
    parallel_tool_calls: true,
    reasoning: { effort: 'medium', summary: 'auto' },
    include: ['reasoning.encrypted_content'],
    prompt_cache_key: 'session',
    client_metadata: { 'x-codex-installation-id': 'x' },
    text: { verbosity: 'low' },
    tools: [
      fn('exec_command', { strict: false, description: 'Runs a command.' }),
      namespace('multi_agent_v1', [fn('spawn_agent', { strict: false })], 'Sub-agents.'),
      { type: 'web_search', external_web_access: true },
      custom('apply_patch', { format: { type: 'grammar', syntax: 'lark', definition: 'start: begin_patch' } }),
      { type: 'tool_search', execution: 'client', description: 'Finds tools.', parameters: {} },
    ],
  };
  const BEGIN = [
    message('developer', [written('You are Codex.'), written('Sandbox: none.')]),
    message('user', [written('<environment_context/>')]),
    message('user', [written('Change red to blue.')]),
  ];
  /** What Codex keeps of an item: neither its status nor the ids of calls' items. */
  const kept = ({ status, ...item }: Json): Json =>
    item.type === 'reasoning'
      ? { ...item, content: null }
      : Object.fromEntries(Object.entries(item).filter(([key]) => key !== 'id'));

  it('goes on over two turns, with its patch in its own form', () => {
    const first = asked({ ...CODEX, input: BEGIN });
    assert.deepEqual(first.leftOut, ['tools[2] (web_search)', 'tools[4] (tool_search)']);
    assert.deepEqual(Object.keys(first.body).sort(), [
      ...[
        'messages',
        'parallel_tool_calls',
        'prompt_cache_key',
        'reasoning_effort',
        'tool_choice',
        'tools',
        'verbosity',
      ],
    ]);
    const patch = '*** Begin Patch\n-red\n+blue\n*** End Patch';
    const { events: told, stream } = eventsOf(
      [
        delta({ reasoning_content: 'A small edit.' }),
        callDelta(0, JSON.stringify({ input: patch }), { id: 'apply_patch:0', name: 'apply_patch' }),
        callDelta(1, '{"task":"test"}', { id: 'spawn:1', name: 'multi_agent_v1__spawn_agent' }),
        delta({}, 'tool_calls'),
      ],
      first.context,
    );
    read(told);
    const items = stream.response.output as Json[];
    assert.deepEqual(
      items.map(({ type, namespace: within, name, input }) => [type, within, name, input]),
      [
        ['reasoning', undefined, undefined, undefined],
        ['custom_tool_call', undefined, 'apply_patch', patch],
        ['function_call', 'multi_agent_v1', 'spawn_agent', undefined],
      ],
    );
    const second = asked({
      ...CODEX,
      input: [
        ...BEGIN,
        ...items.map(kept),
        { type: 'custom_tool_call_output', call_id: 'apply_patch:0', output: 'Done' },
        {
          type: 'function_call_output',
          call_id: 'spawn:1',
          output: [shown('data:image/png;base64,AAAA', { detail: 'original' })],
        },
      ],
    });
    assert.deepEqual(second.messages.slice(0, first.messages.length), first.messages);
    assert.deepEqual(second.messages.slice(first.messages.length), [
      {
        role: 'assistant',
        content: null,
        reasoning_content: 'A small edit.',
        tool_calls: [
          {
            id: 'apply_patch:0',
            type: 'function',
            function: { name: 'apply_patch', arguments: JSON.stringify({ input: patch }) },
          },
          {
            id: 'spawn:1',
            type: 'function',
            function: { name: 'multi_agent_v1__spawn_agent', arguments: '{"task":"test"}' },
          },
        ],
      },
      { role: 'tool', tool_call_id: 'apply_patch:0', content: 'Done' },
      { role: 'tool', tool_call_id: 'spawn:1', content: '(a picture: see below)' },
      user([
        text('Picture in the result of the tool call spawn:1 (multi_agent_v1__spawn_agent):'),
        picture('data:image/png;base64,AAAA', { detail: 'high' }),
      ]),
    ]);
  });
});

describe('requests of real clients', () => {
  const files = captured('responses');
  it('are carried whole, with each call behind an answer and each result behind its call', function () {
    if (!files) return this.skip();
    assert.ok(files.length > 0);
    for (const [file, exchanges] of files)
      for (const { body } of exchanges) {
        const { messages, leftOut, chat } = askedWhole(body);
        const input = body.input as Json[];
        const count = (type: string) => input.filter((item) => item.type === type).length;
        const calls = messages.flatMap(({ tool_calls: list }) => (list ?? []) as Json[]);
        assert.equal(calls.length, count('function_call') + count('custom_tool_call'), file);
        assert.equal(messages.filter(({ role }) => role === 'tool').length, calls.length, file);
        assert.ok(chat.size.bound > 0);
        for (const name of leftOut) assert.match(name, /encrypted_content|\((web_search|tool_search)\)/, file);
      }
  });

  it('get answers that the captured ones are like', async function () {
    if (!files) return this.skip();
    const [, exchanges] = files.find(([file]) => /openai-responses-none/.test(file))!;
    for (const { events: captured = [] } of exchanges) {
      const given = captured.map(({ data }) => data as Json);
      const chunks = given.flatMap((event): Json[] => {
        const { type, delta: piece, item, output_index: at } = event;
        if (type === 'response.output_text.delta') return [delta({ content: piece })];
        if (type === 'response.reasoning_summary_text.delta') return [delta({ reasoning_content: piece })];
        if (type === 'response.function_call_arguments.delta') return [callDelta(at as number, piece as string)];
        if (type !== 'response.output_item.added' || (item as Json).type !== 'function_call') return [];
        const { call_id: id, name } = item as { call_id: string; name: string };
        return [callDelta(at as number, '', { id, name })];
      });
      const { events: told } = events(chunks);
      assert.deepEqual(
        told.map(({ type, output_index: at }) => [type, at]),
        given.map(({ type, output_index: at }) => [type, at]),
      );
      read(told);
    }
  });
});
