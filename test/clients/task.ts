import type { ChatBody, Script } from '../doubles/script.ts';
import type { TestedClient, ToolCall } from './clients.ts';

export const PROMPT = 'In the file colour.txt, change red to blue. Read colour.txt and README.md first.';
export const DONE = 'EDIT-DONE ✓';

/** The scratch folder as it is before the task. */
export const FILES = { 'colour.txt': 'colour: red\nsize: 4\n', 'README.md': 'A small thing.\n' };
export const EDITED = 'colour: blue\nsize: 4\n';

/** What the model does at the request's place in the task: it reads two files at once, edits one, and says that it did. */
export function answerTo(body: ChatBody, client: TestedClient, folder: string): Script {
  // Some clients ask for a title of the conversation beside it.
  if (!body.tools) return { text: 'A short title' };
  const step = stepOf(body);
  if (step === 0)
    return {
      thoughts: ['I read ', 'both files ', 'first.'],
      text: 'Let me read the files.',
      tools: Object.keys(FILES).map((name, i) => called(client.read(`${folder}/${name}`), i)),
    };
  if (step === 1)
    return {
      thoughts: ['Now ', 'the edit.'],
      pieces: [],
      tools: [called(client.edit(`${folder}/colour.txt`, 'colour: red', 'colour: blue'), 2)],
    };
  return { thoughts: ['Done.'], text: DONE };
}

/** How many turns of the model with tools the request has behind it. */
export const stepOf = (body: ChatBody): number =>
  (body.messages ?? []).filter((message) => 'tool_calls' in message).length;

/** With an id as Kimi writes it, which some dialects can't carry as it is. */
function called({ name, arguments: given }: ToolCall, number: number) {
  const text = JSON.stringify(given);
  const middle = Math.ceil(text.length / 2);
  return { id: `functions.${name}:${number}`, name, arguments: [text.slice(0, middle), text.slice(middle)] };
}
