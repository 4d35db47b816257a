import assert from 'node:assert/strict';
import { MessageStream } from '@anthropic-ai/sdk/lib/MessageStream';
import fc from 'fast-check';
import type { Json } from '../../../../server/gateway/dialects/chat/refused.ts';
import { ChatStream } from '../../../../server/gateway/dialects/chat/stream.ts';
import { clientId } from '../../../../server/gateway/dialects/messages/ids.ts';
import { hear as hearChat, USAGE } from '../chat/heard.ts';
import { picture, read, result, text, thinking, tool, use, user } from './asked.ts';
import { chunk, eventsOf, finish, hear, wholeOf } from './heard.ts';

/** Words that can be found again, in several scripts; `n` makes each different. */
const word = (n: number) => `${['alpha', 'Größe', '文字', 'مرحبا', '🙂', 'a\n\nb'][n % 6]}#${n}#`;

type Block =
  | { kind: 'text' | 'thinking' | 'picture' }
  | { kind: 'call'; id: number; isAnswered: boolean; isError: boolean; hasPicture: boolean; size: number };
type Turn = { role: 'user' | 'assistant' | 'system'; isPlain: boolean; blocks: Block[] };

const call = fc.record({
  kind: fc.constant('call' as const),
  id: fc.nat(3),
  isAnswered: fc.boolean(),
  isError: fc.boolean(),
  hasPicture: fc.boolean(),
  size: fc.nat(3),
});
const said = fc.record({ kind: fc.constantFrom('text' as const, 'thinking' as const, 'picture' as const) });
const turns = fc.array(
  fc.record({
    role: fc.constantFrom('user' as const, 'assistant' as const, 'assistant' as const, 'system' as const),
    isPlain: fc.boolean(),
    blocks: fc.array(fc.oneof(said, call), { minLength: 1, maxLength: 5 }),
  }),
  { minLength: 1, maxLength: 5 },
);

const IDS = [
  (n: number) => clientId(`functions.read:${n}`),
  (n: number) => `toolu_${n}`,
  (n: number) => `x|${n}`,
  (n: number) => 'y'.repeat(80) + n,
];

interface Made {
  messages: Json[];
  /** What has to reach the service, in this order. */
  said: string[];
  pictures: string[];
  calls: { name: string; input: Json; result: string | null; isError: boolean }[];
}

/** A conversation, with what is in it. Results come in the message of the user after their calls, in another order. */
function conversation(given: readonly Turn[]): Made {
  const made: Made = { messages: [], said: [], pictures: [], calls: [] };
  let n = 0;
  let open: { id: string; call: Made['calls'][number]; result: Json; pictures: string[] }[] = [];
  const close = () => {
    if (open.length === 0) return;
    const told = open.filter(({ call: { result } }) => result !== null).reverse();
    if (told.length > 0) made.messages.push(user(told.map((one) => one.result)));
    for (const one of told) made.pictures.push(...one.pictures);
    open = [];
  };
  for (const { role, isPlain, blocks } of given) {
    close();
    const content: Json[] = [];
    for (const block of blocks) {
      n++;
      if (block.kind === 'text') {
        content.push(text(word(n)));
        made.said.push(word(n));
      } else if (block.kind === 'thinking' && role === 'assistant') content.push(thinking(word(n)));
      else if (block.kind === 'picture' && role === 'user') {
        content.push(picture(`P${n}`));
        made.pictures.push(`P${n}`);
      } else if (block.kind === 'call' && role === 'assistant') {
        const id = IDS[block.id]!(n);
        const input = Object.fromEntries(Array.from({ length: block.size }, (_, i) => [`k${i}`, [word(n + i), i]]));
        const shown = block.hasPicture ? [`R${n}`] : [];
        const parts = [text(word(n)), ...shown.map(picture)];
        const one = { name: `tool_${n}`, input, result: block.isAnswered ? word(n) : null, isError: block.isError };
        content.push(use(id, input, one.name));
        made.calls.push(one);
        open.push({ id, call: one, result: result(id, parts, { is_error: block.isError }), pictures: shown });
      }
    }
    if (content.length === 0) continue;
    const isText = content.length === 1 && content[0]!.type === 'text';
    made.messages.push({ role, content: isPlain && isText ? content[0]!.text : content });
  }
  close();
  if (made.messages.length === 0) made.messages.push(user('alone'));
  return made;
}

/** Each text, in the order in which the service reads it. The results are looked at with their calls. */
function textsOf(messages: readonly Json[]): string {
  return messages
    .filter(({ role }) => role !== 'tool')
    .map(({ content }) =>
      Array.isArray(content) ? content.map((part: Json) => part.text ?? '').join('\n') : (content ?? ''),
    )
    .join('\n');
}

describe('generated conversations and answers', () => {
  it('reach the service whole: every text, call, argument, result and picture in its order', () => {
    fc.assert(
      fc.property(turns, (given) => {
        const made = conversation(given);
        const { call: asked } = read({ model: 'm', max_tokens: 9, messages: made.messages, tools: [tool()] });
        const messages = asked.body.messages as Json[];
        let at = 0;
        const all = textsOf(messages);
        for (const one of made.said) {
          const found = all.indexOf(one, at);
          assert.ok(found >= 0, `${one} is lost or elsewhere in ${all}`);
          at = found + one.length;
        }
        const pictures = messages.flatMap(({ content }) =>
          Array.isArray(content) ? content.filter(({ type }) => type === 'image_url') : [],
        );
        assert.deepEqual(
          pictures.map((part: Json) => (part.image_url as Json).url),
          made.pictures.map((data) => `data:image/png;base64,${data}`),
        );
        checkCalls(messages, made.calls);
        assert.equal(thoughtsOf(messages), thoughtsOf(made.messages));
      }),
      { numRuns: 4_500, seed: 7 },
    );
  });

  it('reach the real client whole: text, thinking, tools and usage, however the service cuts and mixes them', async () => {
    await fc.assert(
      fc.asyncProperty(answers, async ({ pieces, cuts, finish: why, usage, areMixed }) => {
        const want = wanted(pieces);
        const events = eventsOf([...chunksOf(pieces, cuts, areMixed), finish(why)], [], {
          inputTokens: usage[0] + usage[1],
          cachedInputTokens: usage[1],
          outputTokens: usage[2],
          estimated: false,
        });
        hear(events);
        const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('');
        const message = await MessageStream.fromReadableStream(
          new Blob([lines]).stream() as ReadableStream,
        ).finalMessage();
        const heard = JSON.parse(JSON.stringify(message));
        assert.deepEqual(heard.content, want);
        const hasCall = want.some(({ type }) => type === 'tool_use');
        assert.equal(heard.stop_reason, why === 'length' ? 'max_tokens' : hasCall ? 'tool_use' : 'end_turn');
        assert.deepEqual(
          [heard.usage.input_tokens, heard.usage.cache_read_input_tokens, heard.usage.output_tokens],
          usage,
        );
        const whole = wholeOf(events);
        assert.deepEqual([whole.content, whole.usage], [want, heard.usage]);
      }),
      { numRuns: 800, seed: 11 },
    );
  });

  it('reach a strict client in order and with the same calls as in the other dialect, whatever the service sends', () => {
    fc.assert(
      fc.property(fc.array(oddDelta, { maxLength: 10 }), fc.constantFrom('stop', 'length', null), (deltas, why) => {
        const chunks = [...deltas.map((delta) => chunk(delta)), ...(why === null ? [] : [finish(why)])];
        const chat = new ChatStream({ id: 'chatcmpl-01', model: 'ours', createdSeconds: 1, wantsUsage: true });
        const sent = [...structuredClone(chunks).flatMap((one) => chat.take(one)), ...chat.end(USAGE)];
        const other = hearChat(sent);
        const { content, stopReason } = hear(eventsOf(chunks));
        const of = (type: string) => content.filter((block) => block.type === type);
        const refused = deltas.map((delta) => ('refusal' in delta ? delta.refusal : '')).join('');
        const all = of('text')
          .map(({ text: one }) => one)
          .join('');
        assert.equal(all.replaceAll('No', ''), other.text);
        assert.equal(all.length, other.text.length + refused.length);
        assert.equal(
          of('thinking')
            .map(({ thinking: one }) => one)
            .join(''),
          other.thinking,
        );
        const calls = of('tool_use');
        assert.deepEqual(
          calls.map(({ id, name }) => [id, name]),
          other.toolCalls.map(([id, name]) => [clientId(id), name]),
        );
        // What follows complete arguments is left out: it belongs to no JSON object.
        for (const [i, { partial_json: args }] of calls.entries())
          assert.ok(other.toolCalls[i]![2].startsWith(args as string));
        const hasCalls = calls.length > 0;
        const right = why === 'length' ? 'max_tokens' : hasCalls ? 'tool_use' : refused === '' ? 'end_turn' : 'refusal';
        if (chat.finish === why) assert.equal(stopReason, right);
      }),
      { numRuns: 2_000, seed: 13 },
    );
  });
});

function checkCalls(messages: readonly Json[], calls: Made['calls']): void {
  const found = messages.flatMap(({ tool_calls }) => (tool_calls as Json[] | undefined) ?? []);
  assert.equal(found.length, calls.length);
  found.forEach(({ id, function: named }, i) => {
    const { name, input, result: said, isError } = calls[i]!;
    assert.deepEqual([(named as Json).name, JSON.parse((named as Json).arguments as string)], [name, input]);
    const told = messages.filter(({ role, tool_call_id }) => role === 'tool' && tool_call_id === id);
    assert.equal(told.length, 1);
    const content = told[0]!.content as string;
    assert.equal(content.startsWith('The tool reported an error:\n'), isError && said !== null);
    assert.ok(content.includes(said ?? 'interrupted'), content);
  });
}

const oddDelta = fc.oneof(
  fc.record({ content: fc.constantFrom('A', '\n', '', ' B ') }),
  fc.record({ reasoning_content: fc.constantFrom('C', '', '\n') }),
  fc.record({ refusal: fc.constantFrom('No', '') }),
  fc.record({ content: fc.constant('D'), reasoning_content: fc.constant('E') }),
  fc.record({
    tool_calls: fc.array(
      fc.record(
        {
          index: fc.constantFrom(0, 1, 2, -1),
          id: fc.constantFrom('a', 'b', 'functions.read:0', '', null),
          function: fc.record(
            {
              name: fc.constantFrom('read', 'edit', '', null),
              arguments: fc.constantFrom('', '{', '}', '{}', '{"a":1}', '"', 'x', '[1]', ' ', null),
            },
            { requiredKeys: [] },
          ),
        },
        { requiredKeys: ['function'] },
      ),
      { maxLength: 3 },
    ),
  }),
);

/** Thinking, in both dialects. */
function thoughtsOf(messages: readonly Json[]): string {
  return messages
    .flatMap(({ content, reasoning_content: kept }) => [
      ...(typeof kept === 'string' ? [kept] : []),
      ...(Array.isArray(content)
        ? content.filter(({ type }) => type === 'thinking').map(({ thinking: one }) => one)
        : []),
    ])
    .join('\n\n');
}

type Piece = { kind: 'text' | 'thinking'; said: string } | { kind: 'call'; input: Json };

const answers = fc.record({
  pieces: fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constantFrom('text' as const, 'thinking' as const),
        said: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
      }),
      fc.record({
        kind: fc.constant('call' as const),
        input: fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 }),
      }),
    ),
    { maxLength: 5 },
  ),
  cuts: fc.array(fc.integer({ min: 1, max: 16 }), { minLength: 1, maxLength: 4 }),
  finish: fc.constantFrom('stop', 'tool_calls', 'length'),
  usage: fc.tuple(fc.nat(9_999), fc.nat(9_999), fc.nat(9_999)),
  areMixed: fc.boolean(),
});

const idOf = (index: number) => (index % 2 === 0 ? `functions.read:${index}` : `call_${index}`);

/** The content that a client has to have. Pieces of one kind in a row are one block. */
function wanted(pieces: readonly Piece[]): Json[] {
  const content: Json[] = [];
  let index = 0;
  for (const piece of pieces) {
    if (piece.kind === 'call') {
      const input = JSON.parse(JSON.stringify(piece.input));
      content.push({ type: 'tool_use', id: clientId(idOf(index)), name: `tool_${index}`, input });
      index++;
      continue;
    }
    const last = content.at(-1);
    if (last?.type === piece.kind) last[piece.kind] += piece.said;
    else
      content.push({
        type: piece.kind,
        [piece.kind]: piece.said,
        ...(piece.kind === 'thinking' ? { signature: '' } : {}),
      });
  }
  return content;
}

/** The chunks of a service: texts cut anywhere, and the arguments of calls in a row in turns if they are `areMixed`. */
function chunksOf(pieces: readonly Piece[], cuts: readonly number[], areMixed: boolean): Json[] {
  const chunks: Json[] = [];
  let turn = 0;
  const cut = (said: string): string[] => {
    const parts: string[] = [];
    for (let at = 0; at < said.length; ) {
      const size = cuts[turn++ % cuts.length]!;
      parts.push(said.slice(at, at + size));
      at += size;
    }
    return parts;
  };
  let calls: Json[][] = [];
  const flush = () => {
    for (; calls.some((deltas) => deltas.length > 0); )
      for (const deltas of calls) {
        const [first, ...rest] = deltas.splice(0, areMixed ? 1 : deltas.length);
        for (const delta of first ? [first, ...rest] : []) chunks.push(chunk({ tool_calls: [delta] }));
      }
    calls = [];
  };
  let index = 0;
  for (const piece of pieces) {
    if (piece.kind === 'call') {
      const head = { index, id: idOf(index), type: 'function', function: { name: `tool_${index}`, arguments: '' } };
      const at = index++;
      calls.push([
        head,
        ...cut(JSON.stringify(piece.input)).map((args) => ({ index: at, function: { arguments: args } })),
      ]);
      continue;
    }
    flush();
    for (const part of cut(piece.said))
      chunks.push(chunk(piece.kind === 'text' ? { content: part } : { reasoning_content: part }));
  }
  flush();
  return chunks;
}
