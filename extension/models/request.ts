import * as vscode from 'vscode';
import { estimateTokens } from '../../shared/money/tokens.ts';
import { toBase64 } from '../platform/base64.ts';

// An extension's request in the dialect of chat completions. The server puts results of tools right behind their calls.

type Json = Record<string, unknown>;

/** Options of a model that change no price; the server refuses those that do. Others are left out. */
const PASSED_ON = ['temperature', 'top_p', 'max_tokens', 'stop', 'seed', 'presence_penalty', 'frequency_penalty'];

/** As the server estimates a picture under `/v1`, of whatever size. It is not encoded to be counted. */
const PICTURE_TOKENS = 1_600;

/** A part that can't be sent. The message is a sentence for the user. */
export class PartRefused extends Error {}

/** The body of a call. Throws `PartRefused`. */
export function requestOf(
  model: string,
  messages: readonly vscode.LanguageModelChatRequestMessage[],
  { modelOptions = {}, tools = [], toolMode }: Partial<vscode.ProvideLanguageModelChatResponseOptions>,
): Json {
  const options = Object.entries(modelOptions).filter(([name, value]) => PASSED_ON.includes(name) && value != null);
  const isRequired = toolMode === vscode.LanguageModelChatToolMode.Required;
  return {
    ...Object.fromEntries(options),
    model,
    messages: messages.flatMap(messagesOf),
    ...(tools.length > 0 ? { tools: tools.map(toolOf), ...(isRequired ? { tool_choice: 'required' } : {}) } : {}),
    stream: true,
    stream_options: { include_usage: true },
  };
}

const toolOf = ({ name, description, inputSchema }: vscode.LanguageModelChatTool) => ({
  type: 'function',
  function: { name, description, parameters: inputSchema ?? { type: 'object', properties: {} } },
});

/** Estimates the tokens of a text or a message, as the server does. */
export function tokensOf(given: string | vscode.LanguageModelChatRequestMessage): number {
  if (typeof given === 'string') return estimateTokens(given);
  const count = (part: Part): number => {
    if (part.kind === 'picture') return PICTURE_TOKENS;
    if (part.kind === 'result') return part.parts.reduce((sum, one) => sum + count(one), 0);
    return estimateTokens(part.kind === 'call' ? JSON.stringify(part.call) : part.text);
  };
  return given.content.flatMap(read).reduce((sum, part) => sum + count(part), 0);
}

type Part =
  | { kind: 'text' | 'thought'; text: string }
  | { kind: 'picture'; mimeType: string; data: Uint8Array }
  | { kind: 'call'; call: Json }
  | { kind: 'result'; id: string; parts: Part[] };

/** One message of the editor may be several here: each result of a tool is a message of its own. */
function messagesOf({ role, content, name }: vscode.LanguageModelChatRequestMessage): Json[] {
  const parts = content.flatMap(read);
  const results = parts.flatMap((part) =>
    part.kind === 'result' ? [{ role: 'tool', tool_call_id: part.id, content: contentOf(part.parts) }] : [],
  );
  const rest = parts.filter(({ kind }) => kind !== 'result');
  if (rest.length === 0 && results.length > 0) return results;
  if (role !== vscode.LanguageModelChatMessageRole.Assistant) {
    const isUser = role === vscode.LanguageModelChatMessageRole.User;
    const said = { role: isUser ? 'user' : 'system', content: contentOf(rest) };
    return [...results, name === undefined ? said : { ...said, name }];
  }
  const calls = rest.flatMap((part) => (part.kind === 'call' ? [part.call] : []));
  const thoughts = textOf(rest, 'thought');
  return [
    ...results,
    {
      role: 'assistant',
      content: textOf(rest, 'text'),
      ...(thoughts === '' ? {} : { reasoning_content: thoughts }),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    },
  ];
}

const textOf = (parts: readonly Part[], kind: 'text' | 'thought') =>
  parts.map((part) => (part.kind === kind ? part.text : '')).join('');

/** A plain text, as every service reads it, unless there are pictures. */
function contentOf(parts: readonly Part[]): string | Json[] {
  if (!parts.some(({ kind }) => kind === 'picture')) return textOf(parts, 'text');
  return parts.flatMap((part): Json[] => {
    if (part.kind === 'text') return [{ type: 'text', text: part.text }];
    if (part.kind !== 'picture') return [];
    return [{ type: 'image_url', image_url: { url: `data:${part.mimeType};base64,${toBase64(part.data)}` } }];
  });
}

/** The editor's class for thoughts. It is not stable, so a version of the editor may lack it. */
export const { LanguageModelThinkingPart: ThinkingPart } = vscode as {
  LanguageModelThinkingPart?: new (value: string) => vscode.LanguageModelTextPart & { value: string | string[] };
};

/** Nothing for a mark that the editor's own chat leaves for its own services. Throws `PartRefused`. */
function read(part: unknown): Part[] {
  if (part instanceof vscode.LanguageModelTextPart) return [{ kind: 'text', text: part.value }];
  if (part instanceof vscode.LanguageModelToolCallPart) {
    const { callId: id, name, input } = part;
    return [{ kind: 'call', call: { id, type: 'function', function: { name, arguments: JSON.stringify(input) } } }];
  }
  if (part instanceof vscode.LanguageModelToolResultPart)
    return [{ kind: 'result', id: part.callId, parts: part.content.flatMap(read) }];
  if (part instanceof vscode.LanguageModelPromptTsxPart) return [{ kind: 'text', text: JSON.stringify(part.value) }];
  if (ThinkingPart && part instanceof ThinkingPart)
    return [{ kind: 'thought', text: ([part.value] as (string | string[])[]).flat().join('') }];
  // Stable since 1.106: told by its members, because an older editor lacks the class.
  const { mimeType, data } = (part ?? {}) as { mimeType?: unknown; data?: unknown };
  if (typeof mimeType === 'string' && data instanceof Uint8Array) return readData(mimeType, data);
  throw new PartRefused('The request has a part of a kind that Perigee does not know. Nothing was sent.');
}

function readData(mimeType: string, data: Uint8Array): Part[] {
  if (/^image\/(png|jpeg|gif|webp)$/.test(mimeType)) return [{ kind: 'picture', mimeType, data }];
  if (/^text\/|^application\/([\w.-]{1,60}\+)?json$/.test(mimeType))
    return [{ kind: 'text', text: new TextDecoder().decode(data) }];
  // Such as `cache_control`.
  if (!mimeType.includes('/')) return [];
  throw new PartRefused(
    `The request has data of the type ${mimeType.slice(0, 60)}, which no model here reads. Nothing was sent.`,
  );
}
