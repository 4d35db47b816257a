import type { Json } from '../../../../server/gateway/dialects/chat/refused.ts';
import { type ChatCall, readChatCall } from '../../../../server/gateway/dialects/chat/request.ts';
import { type ResponsesContext, readResponses } from '../../../../server/gateway/dialects/responses/request.ts';
import { TOKENS } from '../chat/asked.ts';

export interface Asked {
  chat: ChatCall;
  /** What goes to the service. */
  body: Json;
  messages: Json[];
  context: ResponsesContext;
  leftOut: string[];
}

/** Reads a request with a model and an input, unless it says otherwise, all the way to the service. */
export function asked(fields: Json, developerRole = true): Asked {
  return askedWhole({ model: 'm', input: 'Hello', ...fields }, developerRole);
}

export function askedWhole(given: unknown, developerRole = true): Asked {
  const { body, context, leftOut } = readResponses(given);
  const chat = readChatCall(body, { tokens: TOKENS, developerRole });
  return {
    chat,
    body: chat.body,
    messages: chat.body.messages as Json[],
    context,
    leftOut: [...leftOut, ...chat.leftOut],
  };
}

/** The messages that go to the service. */
export const sent = (...input: unknown[]): Json[] => asked({ input }).messages;

export const message = (role: string, content: unknown): Json => ({ type: 'message', role, content });
export const said = (text: string): Json => message('assistant', [{ type: 'output_text', text, annotations: [] }]);
export const called = (id: string, args: unknown = '{}', name = 'read', more: Json = {}): Json => ({
  type: 'function_call',
  call_id: id,
  name,
  arguments: args,
  ...more,
});
export const output = (id: string, told: unknown = 'ok'): Json => ({
  type: 'function_call_output',
  call_id: id,
  output: told,
});
export const reasoned = (text: string, more: Json = {}): Json => ({
  type: 'reasoning',
  id: 'rs_1',
  summary: [{ type: 'summary_text', text }],
  ...more,
});
export const shown = (url = 'data:image/png;base64,AAAA', more: Json = {}): Json => ({
  type: 'input_image',
  image_url: url,
  ...more,
});
export const written = (text: string): Json => ({ type: 'input_text', text });
export const fn = (name = 'read', more: Json = {}): Json => ({
  type: 'function',
  name,
  parameters: { type: 'object', properties: {} },
  ...more,
});
export const custom = (name = 'apply_patch', more: Json = {}): Json => ({
  type: 'custom',
  name,
  description: 'Edits files.',
  ...more,
});
export const namespace = (name: string, tools: Json[], description?: string): Json => ({
  type: 'namespace',
  name,
  ...(description === undefined ? {} : { description }),
  tools,
});
