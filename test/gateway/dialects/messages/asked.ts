import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Json } from '../../../../server/gateway/dialects/chat/refused.ts';
import { type ChatCall, readChatCall } from '../../../../server/gateway/dialects/chat/request.ts';
import { readMessages } from '../../../../server/gateway/dialects/messages/request.ts';
import { TOKENS } from '../chat/asked.ts';

export const OPTIONS = { tokens: TOKENS, developerRole: true };

export type Read = ReturnType<typeof readMessages> & { call: ChatCall };

/** Reads a request that came as JSON, and its translation as the routes do it. */
export function read(given: unknown): Read {
  const told = readMessages(JSON.parse(JSON.stringify(given)));
  return { ...told, call: readChatCall(told.body, OPTIONS) };
}

/** The same, with a model, a limit and one message unless it says otherwise. */
export const asked = (fields: Json): Read =>
  read({ model: 'm', max_tokens: 100, messages: [user('Hello')], ...fields });

/** The messages that go to the service. */
export const sent = (messages: Json[], fields: Json = {}): Json[] =>
  asked({ messages, ...fields }).call.body.messages as Json[];

export const user = (content: unknown): Json => ({ role: 'user', content });
export const assistant = (...content: Json[]): Json => ({ role: 'assistant', content });
export const text = (said: string, more: Json = {}): Json => ({ type: 'text', text: said, ...more });
export const use = (id: string, input: unknown = {}, name = 'read'): Json => ({ type: 'tool_use', id, name, input });
export const result = (id: string, content: unknown = 'ok', more: Json = {}): Json => ({
  type: 'tool_result',
  tool_use_id: id,
  content,
  ...more,
});
export const thinking = (thought: string, signature = 'c2ln'): Json => ({
  type: 'thinking',
  thinking: thought,
  signature,
});
export const picture = (data = 'AAAA'): Json => ({
  type: 'image',
  source: { type: 'base64', media_type: 'image/png', data },
});
export const tool = (name = 'read', more: Json = {}): Json => ({
  name,
  description: `To ${name}.`,
  input_schema: { type: 'object', properties: { path: { type: 'string' } } },
  ...more,
});

/** As chat completions have them. */
export const shown = (data = 'AAAA'): Json => ({
  type: 'image_url',
  image_url: { url: `data:image/png;base64,${data}` },
});
export const called = (id: string, args = '{}', name = 'read'): Json => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});
export const calling = (...calls: Json[]): Json => ({ role: 'assistant', content: null, tool_calls: calls });
export const told = (id: string, content: unknown = 'ok'): Json => ({ role: 'tool', tool_call_id: id, content });

const CAPTURES = new URL('../../../../../shared/captures/', import.meta.url);

/** The requests of real clients over this dialect, by file; undefined if the folder is absent. */
export function captured(): [file: string, bodies: Json[]][] | undefined {
  if (!existsSync(CAPTURES)) return undefined;
  const files = readdirSync(CAPTURES).filter((name) => name.endsWith('.json'));
  return files.flatMap((file) => {
    const { exchanges } = JSON.parse(readFileSync(new URL(file, CAPTURES), 'utf8')) as { exchanges: Json[] };
    const bodies = exchanges
      .filter(({ dialect, body }) => dialect === 'messages' && typeof body === 'object')
      .map(({ body }) => body as Json);
    return bodies.length > 0 ? [[file, bodies] as [string, Json[]]] : [];
  });
}
