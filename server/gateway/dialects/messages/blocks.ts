import { checkPicture } from '../chat/parts.ts';
import { PRICED_PARTS } from '../chat/priced.ts';
import { CallRefused, isObject, isUnset, type Json, missing, wrongType } from '../chat/refused.ts';

/**
 * Blocks of tools that Anthropic ran itself, and marks of its own. They stand in the history of a session that began at
 * Anthropic; no other service can read them.
 */
const HOSTED = /^(server_tool_use|mcp_tool_use|fallback|[a-z0-9_]+_tool_result)$/;

/** Hints to Anthropic's service which other services don't have: they change neither the text nor its order. */
const HINTS = ['cache_control', 'citations', 'transformations'];

/** A content block, or the source of one. */
export type Block = Json & { type: string };

/** The blocks of a message's content. Throws `CallRefused`. */
export function blocksOf(content: unknown, path: string): unknown[] {
  if (isUnset(content)) throw missing(path);
  if (!Array.isArray(content)) throw wrongType(path, 'a string or a list of content blocks');
  return content;
}

/** One block, checked as far as every kind of block is alike. */
export function readBlock(given: unknown, path: string, leftOut: Set<string>): Block {
  if (!isObject(given)) throw wrongType(path, 'an object with a "type"');
  if (isUnset(given.type)) throw missing(`${path}.type`);
  if (typeof given.type !== 'string') throw wrongType(`${path}.type`, 'a string');
  for (const hint of HINTS) if (!isUnset(given[hint])) leftOut.add(hint);
  return given as Block;
}

/** The parts of chat completions that a block of text, of a picture or of a document becomes. Throws `CallRefused`. */
export function readParts(block: Block, path: string, leftOut: Set<string>): Json[] {
  const { type } = block;
  if (type === 'text') return [text(stringOf(block.text, `${path}.text`))];
  if (type === 'image') return [readPicture(block.source, path)];
  if (type === 'document') return readDocument(block, path, leftOut);
  if (type === 'search_result') return readSearchResult(block, path, leftOut);
  if (type === 'tool_reference') return [text(`Tool: ${stringOf(block.tool_name, `${path}.tool_name`)}`)];
  // The summary that stands for the conversation before it.
  if (type === 'compaction') return isUnset(block.content) ? [] : [text(stringOf(block.content, `${path}.content`))];
  if (type.length <= 64 && HOSTED.test(type)) {
    leftOut.add(type);
    return [];
  }
  throw notHere(type, path);
}

/** The refusal of a block that is unknown, or that doesn't belong where it stands. */
export function notHere(type: string, path: string): CallRefused {
  const kind = PRICED_PARTS.get(type);
  const advice = typeof kind === 'object' ? kind.advice : 'Send blocks of the types "text" and "image".';
  const belongs = PLACES.get(type);
  const message = belongs
    ? `${path} is a ${type} block, which belongs into ${belongs}.`
    : `${path} has a type that is not supported. ${advice}`;
  return new CallRefused('unsupported_value', `${path}.type`, message);
}

const PLACES = new Map([
  ['tool_use', 'a message of the role "assistant"'],
  ['thinking', 'a message of the role "assistant"'],
  ['redacted_thinking', 'a message of the role "assistant"'],
  ['tool_result', 'a message of the role "user"'],
  ['image', 'a message of the role "user"'],
  ['document', 'a message of the role "user"'],
  ['search_result', 'a message of the role "user"'],
  ['tool_reference', 'a tool_result block'],
]);

/** Parts as the content of a message: one text if there is no picture, because some services take nothing else. */
export function contentOf(parts: readonly Json[]): string | Json[] {
  return parts.every((part) => part.type === 'text') ? textOf(parts) : parts.filter((part) => part.text !== '');
}

/** Parts of text as one. */
export function textOf(parts: readonly Json[]): string {
  return parts.flatMap((part) => (part.text === '' ? [] : [part.text])).join('\n\n');
}

export const text = (said: string): Json => ({ type: 'text', text: said });

export function stringOf(value: unknown, path: string): string {
  if (isUnset(value)) throw missing(path);
  if (typeof value !== 'string') throw wrongType(path, 'a string');
  return value;
}

function sourceOf(source: unknown, path: string): Block {
  if (isUnset(source)) throw missing(`${path}.source`);
  if (!isObject(source)) throw wrongType(`${path}.source`, 'an object with a "type"');
  stringOf(source.type, `${path}.source.type`);
  return source as Block;
}

function readPicture(given: unknown, path: string): Json {
  const source = sourceOf(given, path);
  const at = `${path}.source`;
  return { type: 'image_url', image_url: { url: addressOf(source, at) } };
}

function addressOf(source: Block, at: string): string {
  if (source.type === 'url') {
    const url = stringOf(source.url, `${at}.url`);
    checkPicture(url, at, `${at}.url`);
    return url;
  }
  if (source.type !== 'base64') {
    const advice = 'No files are kept here. Send the picture as base64, or its url.';
    throw new CallRefused('unsupported_value', at, `${at} has a type that is not supported. ${advice}`);
  }
  const type = stringOf(source.media_type, `${at}.media_type`);
  if (!/^image\/[\w.+-]+$/i.test(type)) {
    const message = `${at}.media_type is not the type of a picture, such as "image/png".`;
    throw new CallRefused('unsupported_value', `${at}.media_type`, message);
  }
  const data = stringOf(source.data, `${at}.data`);
  if (data === '') throw new CallRefused('invalid_value', `${at}.data`, `${at}.data is empty. Send the picture.`);
  return `data:${type};base64,${data}`;
}

/** A document that is text stands in the prompt as text. Other sources need a reader that chat services don't have. */
function readDocument(block: Json, path: string, leftOut: Set<string>): Json[] {
  const at = `${path}.source`;
  const source = sourceOf(block.source, path);
  const { title, context } = block;
  const head: Json[] = [];
  if (!isUnset(title)) head.push(text(`Document: ${stringOf(title, `${path}.title`)}`));
  if (!isUnset(context)) head.push(text(stringOf(context, `${path}.context`)));
  if (source.type === 'text') return [...head, text(stringOf(source.data, `${at}.data`))];
  if (source.type === 'content') return [...head, ...partsIn(source.content, `${at}.content`, CONTENT, leftOut)];
  const message = `${at} is a document that is not text. Send its text, or pictures of its pages.`;
  throw new CallRefused('unsupported_value', at, message);
}

const CONTENT = new Set(['text', 'image']);
/** For what may hold nothing else, such as a system prompt. */
export const TEXT: ReadonlySet<string> = new Set(['text']);

function readSearchResult(block: Json, path: string, leftOut: Set<string>): Json[] {
  const title = stringOf(block.title, `${path}.title`);
  const source = stringOf(block.source, `${path}.source`);
  return [text(`${title}\n${source}`), ...partsIn(block.content, `${path}.content`, TEXT, leftOut)];
}

/** The parts of a text, or of blocks of these types. */
export function partsIn(content: unknown, path: string, types: ReadonlySet<string>, leftOut: Set<string>): Json[] {
  if (typeof content === 'string') return [text(content)];
  return blocksOf(content, path).flatMap((given, i) => {
    const at = `${path}.${i}`;
    const block = readBlock(given, at, leftOut);
    if (!types.has(block.type)) throw notHere(block.type, at);
    return readParts(block, at, leftOut);
  });
}
