import { isPicture } from './parts.ts';
import { isObject, type Json } from './refused.ts';

/** What a call gets whose result is missing. It blames nobody: the client may have been closed, or the user said no. */
export const NO_RESULT = 'Error: this call was interrupted, and it has no result.';

/** An answer with tool calls, and the results that belong right behind it. */
class Turn {
  readonly calls: { id: string; name: string; isAnswered: boolean }[];
  readonly results: { message: Json; name: string }[] = [];

  constructor(
    readonly message: Json,
    calls: readonly { id: string; name: string }[],
  ) {
    this.calls = calls.map((call) => ({ ...call, isAnswered: false }));
  }
}

/**
 * Puts the results of tool calls right behind their calls, as services demand: they refuse the whole session otherwise.
 * - a call without a result gets `NO_RESULT`;
 * - a result without a call becomes a message of the user, in its place;
 * - a picture in a result moves to a message of the user behind the results, because only texts are allowed there.
 *
 * Returns the same array if it is right. Takes messages as `mendMessages` makes them.
 */
export function pairResults(messages: Json[]): Json[] {
  if (isRight(messages)) return messages;
  const told: (Json | Turn)[] = [];
  // Ids may be used again: a result belongs to the last call before it that waits for one.
  const waiting = new Map<string, { turn: Turn; call: Turn['calls'][number] }[]>();
  for (const message of messages) {
    if (message.role === 'tool') {
      const found = waiting.get(message.tool_call_id as string)?.shift();
      if (found) {
        found.call.isAnswered = true;
        found.turn.results.push({ message, name: found.call.name });
      } else told.push(orphan(message));
      continue;
    }
    const calls = callsOf(message);
    if (calls.length === 0) {
      told.push(message);
      continue;
    }
    const turn = new Turn(message, calls);
    told.push(turn);
    for (const { id } of turn.calls) waiting.delete(id);
    for (const call of turn.calls) {
      const list = waiting.get(call.id);
      if (list) list.push({ turn, call });
      else waiting.set(call.id, [{ turn, call }]);
    }
  }
  return told.flatMap((one) => (one instanceof Turn ? flat(one) : [one]));
}

function isRight(messages: readonly Json[]): boolean {
  const open = new Set<string>();
  for (const message of messages) {
    if (message.role === 'tool') {
      if (!open.delete(message.tool_call_id as string)) return false;
      if (Array.isArray(message.content) && message.content.some(isPicture)) return false;
      continue;
    }
    if (open.size > 0) return false;
    for (const { id } of callsOf(message)) {
      if (open.has(id)) return false;
      open.add(id);
    }
  }
  return open.size === 0;
}

function callsOf({ role, tool_calls: calls }: Json): { id: string; name: string }[] {
  if (role !== 'assistant' || !Array.isArray(calls)) return NONE;
  return calls.map((call: Json) => {
    const named = isObject(call.function) ? call.function : isObject(call.custom) ? call.custom : {};
    return { id: call.id as string, name: typeof named.name === 'string' ? named.name : '' };
  });
}

const NONE: { id: string; name: string }[] = [];

function flat({ message, calls, results }: Turn): Json[] {
  const pictures: unknown[] = [];
  const told = results.map(({ message: result, name }) => {
    if (!Array.isArray(result.content) || !result.content.some(isPicture)) return result;
    const { texts, shown } = split(result.content);
    const from = `${shown.length === 1 ? 'Picture' : `${shown.length} pictures`} in the result of the tool call`;
    pictures.push({ type: 'text', text: `${from} ${result.tool_call_id} (${name}):` }, ...shown);
    const note = shown.length === 1 ? '(a picture: see below)' : `(${shown.length} pictures: see below)`;
    return { ...result, content: [...texts, note].join('\n') };
  });
  const lost = calls
    .filter(({ isAnswered }) => !isAnswered)
    .map(({ id }) => ({ role: 'tool', tool_call_id: id, content: NO_RESULT }));
  return [message, ...told, ...lost, ...(pictures.length > 0 ? [{ role: 'user', content: pictures }] : [])];
}

function split(parts: readonly Json[]): { texts: string[]; shown: Json[] } {
  const texts = parts.filter((part) => !isPicture(part)).map(({ text }) => (typeof text === 'string' ? text : ''));
  return { texts: texts.filter((text) => text !== ''), shown: parts.filter(isPicture) };
}

function orphan({ content, tool_call_id: id }: Json): Json {
  const head = `Result of the tool call ${id}, which is not in this conversation:`;
  if (Array.isArray(content)) return { role: 'user', content: [{ type: 'text', text: head }, ...content] };
  return { role: 'user', content: `${head}\n${content}` };
}
