import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { CallRefused, Json } from '../../../../server/gateway/dialects/chat/refused.ts';
import { type CallOptions, type ChatCall, readChatCall } from '../../../../server/gateway/dialects/chat/request.ts';
import { boundTokens, estimateTokens, MESSAGE_OVERHEAD_TOKENS } from '../../../../server/gateway/prompt/tokens.ts';

export const TOKENS = { estimate: estimateTokens, bound: boundTokens, overhead: MESSAGE_OVERHEAD_TOKENS };

/** Reads a request that came as JSON, with a model and one message unless it says otherwise. */
export function asked(fields: Json, options: Partial<CallOptions> = {}): ChatCall {
  const given = { model: 'm', messages: [user('Hello')], ...fields };
  return readChatCall(JSON.parse(JSON.stringify(given)), { tokens: TOKENS, developerRole: true, ...options });
}

/** The messages that go to the service. */
export function sent(messages: Json[], options: Partial<CallOptions> = {}): Json[] {
  return asked({ messages }, options).body.messages as Json[];
}

/** The refusal's code and param; throws if the request is accepted. */
export function refusal(read: () => unknown): CallRefused {
  try {
    read();
  } catch (error) {
    if ((error as Error).name === 'CallRefused') return error as CallRefused;
    throw error;
  }
  throw new Error('The request was accepted.');
}

export const user = (content: unknown): Json => ({ role: 'user', content });
export const result = (id: string, content: unknown = 'ok'): Json => ({ role: 'tool', tool_call_id: id, content });
export const call = (id: string, args: unknown = '{}', name = 'read'): Json => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});
export const calling = (...calls: Json[]): Json => ({ role: 'assistant', content: null, tool_calls: calls });
export const picture = (url = 'data:image/png;base64,AAAA', more: Json = {}): Json => ({
  type: 'image_url',
  image_url: { url, ...more },
});
export const text = (said: string): Json => ({ type: 'text', text: said });
export const tool = (name = 'read'): Json => ({ type: 'function', function: { name, parameters: { type: 'object' } } });

const CAPTURES = new URL('../../../../../shared/captures/', import.meta.url);

export interface Exchange {
  dialect?: string;
  body: Json;
  fault?: string;
  events?: { data: unknown }[];
}

/** The exchanges of real clients over a dialect by file; undefined if the folder is absent. */
export function captured(dialect = 'chat'): [file: string, exchanges: Exchange[]][] | undefined {
  if (!existsSync(CAPTURES)) return undefined;
  const files = readdirSync(CAPTURES).filter((name) => name.endsWith('.json'));
  return files.flatMap((file) => {
    const { exchanges } = JSON.parse(readFileSync(new URL(file, CAPTURES), 'utf8')) as { exchanges: Exchange[] };
    const chats = exchanges.filter((one) => one.dialect === dialect && typeof one.body === 'object');
    return chats.length > 0 ? [[file, chats] as [string, Exchange[]]] : [];
  });
}
