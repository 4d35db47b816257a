import type { RunRequest } from '../../../shared/runs.ts';
import type { TurnSeen } from '../signals/observation.ts';
import { isForm } from './forms.ts';
import { type HashKey, hashText, simHash } from './hashing.ts';
import { languageOf } from './language.ts';
import { Paths } from './paths.ts';
import { isOwnTask, readUserMessage, textOf } from './personText.ts';

/** What a request's turn is about, in words: only for as long as it takes to hash them. */
export interface TurnFacts extends Pick<TurnSeen, 'kind' | 'isFirst' | 'language'> {
  root: string;
  /** Of a person; '' if the newest message is none. */
  text: string;
  paths: readonly string[];
}

/** The same, by the account's key. */
export function toTurn({ kind, isFirst, language, root, text, paths }: TurnFacts, key: HashKey): TurnSeen {
  return {
    kind,
    root: root === '' ? 0 : hashText(key, root),
    isFirst,
    template: text === '' ? 0 : simHash(key, text),
    language,
    paths: paths.map((path) => hashText(key, path)),
  };
}

/** The messages at the beginning and at the end that are looked at. */
const MOST_MESSAGES = 64;
/** The newest answers, and the tool calls in them, whose paths are looked at: earlier requests have shown the others. */
const MOST_ANSWERS = 4;
const MOST_CALLS = 32;

/** Of a message of chat completions, what is read here. A client may send anything in it. */
interface Message {
  role?: unknown;
  content?: unknown;
  tool_calls?: unknown;
}

/**
 * Of a request in the form of chat completions, to which every dialect is translated. Never throws for what a client
 * sent; linear in a bounded part of it.
 */
export function factsOfCall(body: { messages?: unknown; tools?: unknown }): TurnFacts {
  const messages = Array.isArray(body.messages) ? (body.messages as (Message | null)[]) : [];
  const tools = Array.isArray(body.tools) ? body.tools : [];
  const opening = openingOf(messages);
  const newest = newestOf(messages, opening.at);
  const isOwn =
    tools.length === 0 && (opening.isClients || (messages[0] !== undefined && isOwnTask(instructionsOf(messages))));
  const kind = isOwn ? 'machine' : newest.kind;
  const isHuman = kind === 'human';
  return {
    kind,
    root: opening.text === '' ? '' : `${nameOf(tools[0])}\n${opening.text}`,
    isFirst: isHuman && newest.at === opening.at,
    text: isHuman ? newest.text : '',
    language: isHuman ? languageOf(newest.text) : null,
    paths: [...pathsSince(messages, newest).found],
  };
}

/** The units at the head and tail of the first message of which a conversation's root is made. */
const ROOT_UNITS = 2_048;

/** In place of the text of a message that is only a picture. */
const PICTURE = '(a picture)';

interface Opening {
  at: number;
  text: string;
  /** The first message of all is a request of the client's own. */
  isClients: boolean;
}

/**
 * The first message of a person, or a summary of what was said before: it stays the same while the conversation goes on.
 * The instructions do not: they carry dates and the state of the machine.
 */
function openingOf(messages: readonly (Message | null)[]): Opening {
  let fallback: Opening = { at: -1, text: '', isClients: false };
  let isClients = false;
  for (let at = 0; at < Math.min(messages.length, MOST_MESSAGES); at++) {
    const message = messages[at];
    if (message?.role !== 'user') continue;
    const { author, text } = readUserMessage(message.content);
    if (author === 'person' || author === 'summary')
      return { at, text: text === '' ? PICTURE : endsOf(text), isClients };
    if (fallback.at < 0 && text !== '') {
      isClients = author === 'client';
      fallback = { at, text: endsOf(text), isClients };
    }
  }
  return fallback;
}

function endsOf(text: string): string {
  if (text.length <= 2 * ROOT_UNITS) return text;
  return `${text.length}\n${text.slice(0, ROOT_UNITS)}\n${text.slice(-ROOT_UNITS)}`;
}

interface Newest {
  kind: TurnSeen['kind'];
  /** The message that says so; -1: none does. */
  at: number;
  text: string;
  /** What the client says of files beside the newest message. */
  files: string;
}

/** What the newest message is, under those that only bring the state of the machine. */
function newestOf(messages: readonly (Message | null)[], opening: number): Newest {
  let files = '';
  const end = Math.max(0, messages.length - MOST_MESSAGES);
  for (let at = messages.length - 1; at >= end; at--) {
    const message = messages[at];
    if (message?.role === 'tool' || message?.role === 'function') return { kind: 'tool', at, text: '', files };
    // An answer that is to be gone on with.
    if (message?.role === 'assistant') break;
    if (message?.role !== 'user') continue;
    const said = readUserMessage(message.content);
    if (files === '') files = said.files;
    const isResult = said.author === 'tool' || (said.author === 'person' && isForm(messages, opening, end, at));
    if (said.author === 'person' && !isResult) return { kind: 'human', at, text: said.text, files };
    if (isResult) return { kind: 'tool', at, text: '', files: `${files}\n${said.text.slice(0, 400)}` };
    if (said.author === 'client') return { kind: 'machine', at, text: '', files };
  }
  return { kind: 'machine', at: -1, text: '', files };
}

/** The paths beside the newest message, and in the tool calls since the last person's text. */
function pathsSince(messages: readonly (Message | null)[], { kind, at: newest, files }: Newest): Paths {
  const paths = new Paths();
  if (files !== '') paths.addMentioned(files);
  if (kind !== 'tool') return paths;
  let answers = 0;
  let calls = 0;
  for (let at = newest; at >= Math.max(0, newest - MOST_MESSAGES) && answers < MOST_ANSWERS; at--) {
    const message = messages[at];
    if (message?.role === 'user' && readUserMessage(message.content).author === 'person') break;
    if (message?.role !== 'assistant') continue;
    answers++;
    if (!Array.isArray(message.tool_calls)) continue;
    for (const call of message.tool_calls as ToolCall[]) {
      if (paths.isFull || calls++ >= MOST_CALLS) return paths;
      const given = call?.function?.arguments ?? call?.custom?.input;
      if (typeof given === 'string') paths.addArguments(given);
    }
  }
  return paths;
}

type ToolCall = { function?: { arguments?: unknown }; custom?: { input?: unknown } } | null;

/**
 * The name of the first tool. The same first words in two clients are two conversations. The other names don't count:
 * tools join in mid-conversation, such as those of a server that answers late, and one conversation must not become two.
 */
function nameOf(tool: unknown): string {
  const { function: named, custom } = (tool ?? {}) as { function?: { name?: unknown }; custom?: { name?: unknown } };
  const name = named?.name ?? custom?.name;
  return typeof name === 'string' ? name.slice(0, 200) : '';
}

function instructionsOf(messages: readonly (Message | null)[]): string {
  const first = messages[0];
  return first?.role === 'system' || first?.role === 'developer' ? textOf(first.content).text : '';
}

/** Of a run of the editor. `isFirst`: its conversation has no earlier message. */
export function factsOfRun({ conversationId, kind, input, continues }: RunRequest, isFirst: boolean): TurnFacts {
  const paths = new Paths();
  const isOwn = continues !== undefined || (kind === 'edit' && 'repairs' in input);
  let text = '';
  if (kind === 'chat') {
    text = input.text;
    for (const attached of input.attachments ?? []) if ('path' in attached && attached.path) paths.add(attached.path);
  } else if ('repairs' in input) for (const { path } of input.refused) paths.add(path);
  else if ('files' in input) {
    text = input.instruction;
    for (const { path } of input.files) paths.add(path);
    for (const path of input.paths ?? []) {
      if (paths.isFull) break;
      paths.add(path);
    }
  } else {
    text = input.instruction;
    paths.add(input.path);
  }
  return {
    kind: isOwn ? 'machine' : 'human',
    root: conversationId,
    isFirst: isFirst && !isOwn,
    text: isOwn ? '' : text,
    language: isOwn ? null : languageOf(text),
    paths: [...paths.found],
  };
}
