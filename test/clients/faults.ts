import { randomBytes } from 'node:crypto';
import { apiKeyOf } from '../../server/platform/values/apiKeys.ts';
import type { ChatBody, Script } from '../doubles/script.ts';
import { FAILURES } from '../doubles/script.ts';
import { stepOf } from './task.ts';

export interface Fault {
  name: string;
  /** The credits of the client's account, if not many. */
  credits?: number;
  /** The key that the client sends in place of its own. */
  key?(): string;
  /** What the model service does in place of the first answer that this is for. */
  instead?(body: ChatBody, answer: Script): Script | null;
  /** The words of ours that the client's owner has to see. */
  tells?: RegExp;
}

/** Half of the edit's arguments have arrived when the connection to the service breaks. */
const cut = (body: ChatBody, answer: Script): Script | null =>
  stepOf(body) === 1 && answer.tools
    ? { ...answer, tools: answer.tools.map((tool) => ({ ...tool, arguments: tool.arguments.slice(0, 1) })), end: 'destroy' }
    : null;

export const FAULTS: readonly Fault[] = [
  { name: 'none' },
  { name: '429', instead: () => FAILURES.busy('1') },
  { name: '500', instead: () => FAILURES.broken },
  { name: 'cut', instead: cut },
  { name: 'spent', credits: 0, tells: /does not cover this request/ },
  { name: 'key', key: () => apiKeyOf(randomBytes(32)), tells: /does not know this API key/ },
];
