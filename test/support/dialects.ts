import assert from 'node:assert/strict';
import { clientId } from '../../server/gateway/dialects/messages/ids.ts';

// The dialects of tools, as their clients speak them.

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const SCHEMA = { type: 'object', properties: { path: { type: 'string' } } };
const ID = 'functions.read:0';

/** Any object of JSON. */
export type Json = Record<string, ReturnType<typeof JSON.parse>>;

export interface Shape {
  path: string;
  /** A request with one text of the user. */
  ask(content: string): Json;
  /** System, text, picture, tool call and result. */
  conversation: Json;
  /** The text, the calls and the count of tokens of an answer in one piece. */
  read(answer: Json): [text: string, calls: [id: string, name: string, args: unknown][], input: number, output: number];
  /** What only a whole stream has. */
  whole: RegExp;
  /** The last event of one that failed. */
  failed: RegExp;
  /** The message of a refusal, from a body that has the whole shape. */
  refusal(body: Json): string;
}

const openAiRefusal = ({ error, ...more }: Json): string => {
  assert.deepEqual([Object.keys(error).sort(), more], [['code', 'message', 'param', 'type'], {}]);
  return error.message;
};

export const CHAT: Shape = {
  path: '/v1/chat/completions',
  ask: (content) => ({ model: 'double', messages: [{ role: 'user', content }] }),
  conversation: {
    ...{ model: 'double', max_completion_tokens: 500, temperature: 0.5, tool_choice: 'auto' },
    tools: [{ type: 'function', function: { name: 'read', description: 'reads', parameters: SCHEMA, strict: false } }],
    messages: [
      { role: 'system', content: 'Be kind.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look.' },
          { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
        ],
      },
      {
        role: 'assistant',
        content: 'So.',
        tool_calls: [{ id: ID, type: 'function', function: { name: 'read', arguments: '{"path":"a.ts"}' } }],
      },
      { role: 'tool', tool_call_id: ID, content: 'text of a.ts' },
      { role: 'user', content: 'Go on.' },
    ],
  },
  read: ({ choices: [{ message }], usage }) => [
    message.content,
    message.tool_calls.map((call: Json) => [call.id, call.function.name, JSON.parse(call.function.arguments)]),
    usage.prompt_tokens,
    usage.completion_tokens,
  ],
  whole: /\[DONE\]|"finish_reason":"/,
  failed: /^data: \{"error":\{"message":"[^"]{20,}/,
  refusal: openAiRefusal,
};

export const MESSAGES: Shape = {
  path: '/v1/messages',
  ask: (content) => ({ model: 'double', max_tokens: 4_000, messages: [{ role: 'user', content }] }),
  conversation: {
    ...{ model: 'double', max_tokens: 500, temperature: 0.5, tool_choice: { type: 'auto' }, system: 'Be kind.' },
    tools: [{ name: 'read', description: 'reads', input_schema: SCHEMA, strict: false }],
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look.' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'So.' },
          { type: 'tool_use', id: clientId(ID), name: 'read', input: { path: 'a.ts' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: clientId(ID), content: 'text of a.ts' },
          { type: 'text', text: 'Go on.' },
        ],
      },
    ],
  },
  read: ({ content, usage }) => [
    content.find((block: Json) => block.type === 'text').text,
    content.filter((block: Json) => block.type === 'tool_use').map(({ id, name, input }: Json) => [id, name, input]),
    usage.input_tokens + usage.cache_read_input_tokens,
    usage.output_tokens,
  ],
  whole: /message_stop|"stop_reason":"/,
  failed: /^event: error\ndata: \{"type":"error","error":\{"type":"api_error","message":"[^"]{20,}/,
  refusal({ type, error, request_id: id, ...more }) {
    assert.deepEqual([type, Object.keys(error).sort(), more], ['error', ['message', 'type'], {}]);
    assert.match(id, /^[0-9a-f-]{36}$/);
    return error.message;
  },
};

export const RESPONSES: Shape = {
  path: '/v1/responses',
  ask: (input) => ({ model: 'double', input }),
  conversation: {
    ...{ model: 'double', max_output_tokens: 500, temperature: 0.5, tool_choice: 'auto', instructions: 'Be kind.' },
    tools: [{ type: 'function', name: 'read', description: 'reads', parameters: SCHEMA, strict: false }],
    input: [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'Look.' },
          { type: 'input_image', image_url: `data:image/png;base64,${PIXEL}` },
        ],
      },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'So.' }] },
      { type: 'function_call', call_id: ID, name: 'read', arguments: '{"path":"a.ts"}' },
      { type: 'function_call_output', call_id: ID, output: 'text of a.ts' },
      { role: 'user', content: [{ type: 'input_text', text: 'Go on.' }] },
    ],
  },
  read: ({ output, usage }) => [
    output.find((item: Json) => item.type === 'message').content[0].text,
    output
      .filter((item: Json) => item.type === 'function_call')
      .map((item: Json) => [item.call_id, item.name, JSON.parse(item.arguments)]),
    usage.input_tokens,
    usage.output_tokens,
  ],
  whole: /response\.(completed|incomplete)/,
  failed: /^event: response\.failed\ndata: \{.*"status":"failed","error":\{"code":"[a-z_]+","message":"[^"]{20,}/,
  refusal: openAiRefusal,
};
