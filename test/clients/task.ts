import { readFileSync } from 'node:fs';
import type { ChatBody, Script } from '../doubles/script.ts';
import type { TestedClient, ToolCall } from './clients.ts';

export const PROMPT = 'In the file colour.txt, change red to blue. Read colour.txt and README.md first.';
export const DONE = 'EDIT-DONE ✓';

/** The scratch folder as it is before the task. */
export const FILES = { 'colour.txt': 'colour: red\nsize: 4\n', 'README.md': 'A small thing.\n' };
export const EDITED = 'colour: blue\nsize: 4\n';

/** What the model does next: it reads two files at once, edits one until the edit is there, and says that it did. */
export function answerTo(body: ChatBody, client: TestedClient, folder: string): Script {
  // Some clients ask for a title of the conversation beside it.
  if (!body.tools) return { text: 'A short title' };
  const asked = JSON.stringify(body.messages?.at(-1)?.content ?? '');
  if (ASKS_FOR_SUMMARY.test(asked)) return { text: SUMMARY };
  const path = `${folder}/colour.txt`;
  const calls = callsIn(body);
  if (calls === 0)
    return {
      thoughts: ['I read ', 'both files ', 'first.'],
      text: 'Let me read the files.',
      tools: Object.keys(FILES).map((name, i) => called(client.read(`${folder}/${name}`), i)),
    };
  if (calls < MOST_CALLS && readFileSync(path, 'utf8') !== EDITED)
    return {
      thoughts: ['Now ', 'the edit.'],
      pieces: [],
      tools: [called(client.edit(path, 'colour: red', 'colour: blue'), calls)],
    };
  return { thoughts: ['Done.'], text: DONE };
}

const MOST_CALLS = 6;
/** What clients say when the conversation gets too long for the model. */
const ASKS_FOR_SUMMARY = /do not call any tools|checkpoint compaction|create an? \w*.{0,20}summary/i;
const SUMMARY = `<analysis>Little was done.</analysis>\n<summary>The user asks: ${PROMPT}</summary>`;

/** How many calls of tools the request has behind it. */
const callsIn = (body: ChatBody): number =>
  (body.messages ?? []).reduce((sum, { tool_calls: calls }) => sum + (Array.isArray(calls) ? calls.length : 0), 0);

/** With an id as Kimi writes it: counted through the conversation, and not every dialect can carry it as it is. */
function called({ name, arguments: given }: ToolCall, number: number) {
  const text = JSON.stringify(given);
  const middle = Math.ceil(text.length / 2);
  return { id: `functions.${name}:${number}`, name, arguments: [text.slice(0, middle), text.slice(middle)] };
}
