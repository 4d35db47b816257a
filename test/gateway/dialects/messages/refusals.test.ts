import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CallRefused, type Json } from '../../../../server/gateway/dialects/chat/refused.ts';
import { readChatCall } from '../../../../server/gateway/dialects/chat/request.ts';
import { MAX_DEPTH, MAX_MESSAGES, MAX_VALUES } from '../../../../server/gateway/dialects/chat/size.ts';
import { readMessages } from '../../../../server/gateway/dialects/messages/request.ts';
import { refusal } from '../chat/asked.ts';
import { asked, assistant, OPTIONS, picture, read, result, text, thinking, tool, use, user } from './asked.ts';

const nested = (depth: number) => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`);
const image = (source: unknown): Json => user([{ type: 'image', source }]);
const said = (...messages: unknown[]): Json => ({ messages });

describe('a request of the Messages dialect that can’t be read', () => {
  const BODIES: [title: string, given: unknown, code: string, param: string | null][] = [
    ['a list', [], 'invalid_type', null],
    ['null', null, 'invalid_type', null],
    ['a text', 'Hello', 'invalid_type', null],
    ['nothing', {}, 'missing_required_parameter', 'messages'],
    ['no model', { messages: [user('a')] }, 'missing_required_parameter', 'model'],
    ['a model of 5', { model: 5, messages: [user('a')] }, 'invalid_type', 'model'],
    ['too deep a nesting', { model: 'm', messages: [user('a')], x: nested(MAX_DEPTH) }, 'invalid_value', null],
    ['too deep an input', { model: 'm', messages: [assistant(use('a', nested(MAX_DEPTH)))] }, 'invalid_value', null],
    [
      'too deep a nesting within an id',
      {
        model: 'm',
        messages: [assistant(use(`toolu_-a_x${'_007b_0022a_0022_003a'.repeat(99_999)}1${'_007d'.repeat(99_999)}`))],
      },
      'invalid_value',
      null,
    ],
    [
      'too many values',
      { model: 'm', messages: [user('a')], x: Array.from({ length: MAX_VALUES }, () => 0) },
      'array_above_max_length',
      null,
    ],
    [
      'too many messages',
      { model: 'm', messages: Array.from({ length: MAX_MESSAGES + 1 }, () => user('a')) },
      'array_above_max_length',
      'messages',
    ],
  ];
  for (const [title, given, code, param] of BODIES)
    it(`is refused as ${title}`, () => {
      const refused = refusal(() => read(given));
      assert.deepEqual([refused.code, refused.param], [code, param]);
    });

  const TYPE = 'invalid_type';
  const MISSING = 'missing_required_parameter';
  const VALUE = 'invalid_value';
  const UNSUPPORTED = 'unsupported_value';
  const tools = [tool()];
  const FIELDS: [fields: Json, code: string, param: string][] = [
    [{ max_tokens: '5' }, TYPE, 'max_tokens'],
    [{ max_tokens: 0 }, 'integer_below_min_value', 'max_tokens'],
    [{ stream: 'yes' }, TYPE, 'stream'],
    [{ temperature: 'hot' }, TYPE, 'temperature'],
    [{ top_p: [] }, TYPE, 'top_p'],
    [{ stop_sequences: 'END' }, TYPE, 'stop_sequences'],
    [{ stop_sequences: ['a', 5] }, TYPE, 'stop_sequences.1'],
    [{ stop_sequences: [''] }, VALUE, 'stop_sequences.0'],
    [{ metadata: 'u' }, TYPE, 'metadata'],
    [{ metadata: { user_id: 5 } }, TYPE, 'metadata.user_id'],
    [{ thinking: true }, TYPE, 'thinking'],
    [{ thinking: {} }, MISSING, 'thinking.type'],
    [{ thinking: { type: 5 } }, TYPE, 'thinking.type'],
    [{ output_config: 'high' }, TYPE, 'output_config'],
    [{ output_config: { format: 'json' } }, TYPE, 'output_config.format'],
    [{ output_config: { format: {} } }, MISSING, 'output_config.format.type'],
    [{ output_config: { format: { type: 'json_schema' } } }, MISSING, 'output_config.format.schema'],
    [{ output_format: { type: 'json_schema', schema: [] } }, TYPE, 'output_format.schema'],
    [{ output_format: { type: 'json_object' } }, UNSUPPORTED, 'output_format.type'],
    [{ n: 2 }, UNSUPPORTED, 'n'],
    [{ fallbacks: [{ model: 'b' }] }, 'unsupported_parameter', 'fallbacks'],

    [{ system: 5 }, TYPE, 'system'],
    [{ system: {} }, TYPE, 'system'],
    [{ system: ['a'] }, TYPE, 'system.0'],
    [{ system: [{ text: 'a' }] }, MISSING, 'system.0.type'],
    [{ system: [text('a'), { type: 'text' }] }, MISSING, 'system.1.text'],
    [{ system: [{ type: 'text', text: 5 }] }, TYPE, 'system.0.text'],
    [{ system: [picture()] }, UNSUPPORTED, 'system.0.type'],

    [{ tools: {} }, TYPE, 'tools'],
    [{ tools: ['read'] }, TYPE, 'tools.0'],
    [{ tools: [{ type: 5 }] }, TYPE, 'tools.0.type'],
    [{ tools: [{ type: 'function', function: { name: 'read' } }] }, UNSUPPORTED, 'tools.0.type'],
    [{ tools: [{ input_schema: {} }] }, MISSING, 'tools.0.name'],
    [{ tools: [tool(''), tool()] }, VALUE, 'tools.0.name'],
    [{ tools: [tool(), tool('a', { name: 5 })] }, TYPE, 'tools.1.name'],
    [{ tools: [tool('a', { description: 5 })] }, TYPE, 'tools.0.description'],
    [{ tools: [tool('a', { strict: 'yes' })] }, TYPE, 'tools.0.strict'],
    [{ tools: [{ name: 'a' }] }, MISSING, 'tools.0.input_schema'],
    [{ tools: [{ name: 'a', input_schema: '{}' }] }, TYPE, 'tools.0.input_schema'],
    [{ tools: Array.from({ length: 600 }, () => tool()) }, 'array_above_max_length', 'tools'],
    [{ tools, tool_choice: 'auto' }, TYPE, 'tool_choice'],
    [{ tools, tool_choice: {} }, MISSING, 'tool_choice.type'],
    [{ tools, tool_choice: { type: 'required' } }, VALUE, 'tool_choice.type'],
    [
      { tools, tool_choice: { type: 'auto', disable_parallel_tool_use: 1 } },
      TYPE,
      'tool_choice.disable_parallel_tool_use',
    ],
    [{ tools, tool_choice: { type: 'tool' } }, MISSING, 'tool_choice.name'],
    [{ tools, tool_choice: { type: 'tool', name: 'edit' } }, VALUE, 'tool_choice.name'],
    [{ tool_choice: { type: 'any' } }, VALUE, 'tool_choice'],
    [{ tools: [{ type: 'bash_20250124', name: 'bash' }], tool_choice: { type: 'any' } }, UNSUPPORTED, 'tool_choice'],
    [
      { tools: [...tools, { type: 'bash_20250124', name: 'bash' }], tool_choice: { type: 'tool', name: 'bash' } },
      UNSUPPORTED,
      'tool_choice.name',
    ],

    [{ messages: 'Hello' }, TYPE, 'messages'],
    [{ messages: [] }, 'empty_array', 'messages'],
    [said('Hello'), TYPE, 'messages.0'],
    [said({ content: 'a' }), MISSING, 'messages.0.role'],
    [said(user('a'), { role: 5, content: 'a' }), TYPE, 'messages.1.role'],
    [said({ role: 'tool', content: 'a' }), UNSUPPORTED, 'messages.0.role'],
    [said({ role: 'user' }), MISSING, 'messages.0.content'],
    [said(user(5)), TYPE, 'messages.0.content'],
    [said(user({ text: 'a' })), TYPE, 'messages.0.content'],
    [said(user([])), 'empty_array', 'messages.0.content'],
    [said(user(['a'])), TYPE, 'messages.0.content.0'],
    [said(user([{ text: 'a' }])), MISSING, 'messages.0.content.0.type'],
    [said(user([{ type: 5 }])), TYPE, 'messages.0.content.0.type'],
    [said(user([{ type: 'text', text: null }])), MISSING, 'messages.0.content.0.text'],
    [said(user([{ type: 'text', text: ['a'] }])), TYPE, 'messages.0.content.0.text'],
    [said(user([{ type: 'audio' }])), UNSUPPORTED, 'messages.0.content.0.type'],
    [said(user([{ type: 'container_upload', file_id: 'f' }])), UNSUPPORTED, 'messages.0.content.0.type'],
    [said(user([use('a')])), UNSUPPORTED, 'messages.0.content.0.type'],
    [said(user([thinking('a')])), UNSUPPORTED, 'messages.0.content.0.type'],
    [said(assistant(result('a'))), UNSUPPORTED, 'messages.0.content.0.type'],
    [said(assistant(text('a'), picture())), UNSUPPORTED, 'messages.0.content.1.type'],
    [said({ role: 'assistant' }), MISSING, 'messages.0.content'],
    [said({ role: 'system', content: [picture()] }), UNSUPPORTED, 'messages.0.content.0.type'],

    [said(image(undefined)), MISSING, 'messages.0.content.0.source'],
    [said(image('AAAA')), TYPE, 'messages.0.content.0.source'],
    [said(image({})), MISSING, 'messages.0.content.0.source.type'],
    [said(image({ type: 'file', file_id: 'f' })), UNSUPPORTED, 'messages.0.content.0.source'],
    [said(image({ type: 'base64', data: 'AAAA' })), MISSING, 'messages.0.content.0.source.media_type'],
    [said(image({ type: 'base64', media_type: 'image/png' })), MISSING, 'messages.0.content.0.source.data'],
    [said(image({ type: 'base64', media_type: 'image/png', data: 5 })), TYPE, 'messages.0.content.0.source.data'],
    [said(image({ type: 'base64', media_type: 'image/png', data: '' })), VALUE, 'messages.0.content.0.source.data'],
    [
      said(image({ type: 'base64', media_type: 'application/pdf', data: 'AAAA' })),
      UNSUPPORTED,
      'messages.0.content.0.source.media_type',
    ],
    [
      said(image({ type: 'base64', media_type: 'image/png;a', data: 'A' })),
      UNSUPPORTED,
      'messages.0.content.0.source.media_type',
    ],
    [said(image({ type: 'url', url: null })), MISSING, 'messages.0.content.0.source.url'],
    [said(image({ type: 'url' })), MISSING, 'messages.0.content.0.source.url'],
    [said(image({ type: 'url', url: '' })), VALUE, 'messages.0.content.0.source.url'],
    [said(image({ type: 'url', url: 'file:///etc/passwd' })), UNSUPPORTED, 'messages.0.content.0.source.url'],
    [said(image({ type: 'url', url: 'https://t.example/a.pdf' })), UNSUPPORTED, 'messages.0.content.0.source.url'],

    [said(assistant({ type: 'tool_use', name: 'read', input: {} })), MISSING, 'messages.0.content.0.id'],
    [said(assistant({ type: 'tool_use', id: 5, name: 'read', input: {} })), TYPE, 'messages.0.content.0.id'],
    [said(assistant({ type: 'tool_use', id: 'a', input: {} })), MISSING, 'messages.0.content.0.name'],
    [said(assistant(use('a', {}, ''))), VALUE, 'messages.0.content.0.name'],
    [said(assistant({ type: 'thinking' })), MISSING, 'messages.0.content.0.thinking'],
    [said(user([{ type: 'tool_result', content: 'a' }])), MISSING, 'messages.0.content.0.tool_use_id'],
    [said(user([result('a', 'ok', { is_error: 'yes' })])), TYPE, 'messages.0.content.0.is_error'],
    [said(user([result('a', 5)])), TYPE, 'messages.0.content.0.content'],
    [said(user([result('a', ['b'])])), TYPE, 'messages.0.content.0.content.0'],
    [said(user([result('a', [use('b')])])), UNSUPPORTED, 'messages.0.content.0.content.0.type'],
    [
      said(user([{ type: 'search_result', title: 'T', source: 's', content: [picture()] }])),
      UNSUPPORTED,
      'messages.0.content.0.content.0.type',
    ],
  ];
  for (const [fields, code, param] of FIELDS)
    it(`is refused by name at ${param}: ${JSON.stringify(fields).slice(0, 120)}`, () => {
      const refused = refusal(() => asked(fields));
      assert.deepEqual([refused.code, refused.param], [code, param]);
      const parent = param.replace(/\.\w+$/, '');
      assert.ok(refused.message.includes(parent), refused.message);
    });

  /** The fields that both dialects have, so that either may refuse them. */
  const SHARED = /^(model|messages|max_tokens|stream|temperature|top_p|tools)$/;
  const WHOLE: Json = {
    model: 'm',
    max_tokens: 100,
    stream: true,
    system: [text('A'), text('B')],
    messages: [
      user([text('C'), picture(), { type: 'document', title: 'T', source: { type: 'text', data: 'D' } }]),
      assistant(thinking('E'), text('F'), use('a', { path: 'G' }), use('b')),
      { role: 'system', content: 'H' },
      user([result('b', [text('I'), picture()], { is_error: true }), result('a'), text('J')]),
    ],
    tools: [tool(), tool('edit'), { type: 'bash_20250124', name: 'bash' }],
    tool_choice: { type: 'tool', name: 'read', disable_parallel_tool_use: true },
    thinking: { type: 'disabled' },
    output_config: { format: { type: 'json_schema', schema: {} }, effort: 'low' },
    stop_sequences: ['K'],
    metadata: { user_id: 'L' },
  };

  it('is refused by a name of its own or can be sent on, whichever value is replaced by whatever', () => {
    const odd = fc.oneof(
      fc.constantFrom(null, 0, -1, '', 'auto', [], {}, [[]], { type: 'text' }, { type: 'tool_use' }, true, 'a\ud800'),
      fc.jsonValue({ maxDepth: 2 }),
    );
    let refusals = 0;
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), odd), { minLength: 1, maxLength: 2 }), (changes) => {
        const given = structuredClone(WHOLE);
        for (const [at, value] of changes) replace(given, at, structuredClone(value));
        const body = tried(() => readMessages(given).body, /^[^[]*$/);
        if (body && tried(() => readChatCall(body, OPTIONS), SHARED)) accepted++;
        else refusals++;
      }),
      { numRuns: 3_000, seed: 5 },
    );
    assert.ok(refusals > 200 && accepted > 200, `${refusals} refused, ${accepted} accepted`);
  });
});

/** Undefined if it refuses, by a name that fits; throws if it fails in another way. */
function tried<T>(work: () => T, name: RegExp): T | undefined {
  try {
    return work();
  } catch (error) {
    assert.ok(error instanceof CallRefused, String(error));
    assert.match(error.param ?? 'model', name);
    return undefined;
  }
}

/** Replaces the value at one of the places of a JSON object. */
function replace(root: Json, at: number, value: unknown): void {
  const places: [holder: Json, key: string][] = [];
  const walk = (holder: Json) => {
    for (const key of Object.keys(holder)) {
      places.push([holder, key]);
      if (typeof holder[key] === 'object' && holder[key] !== null) walk(holder[key] as Json);
    }
  };
  walk(root);
  if (places.length === 0) return;
  const [holder, key] = places[at % places.length]!;
  holder[key] = value;
}
