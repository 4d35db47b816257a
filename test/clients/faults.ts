import { randomBytes } from 'node:crypto';
import { apiKeyOf } from '../../server/platform/values/apiKeys.ts';
import { type ChatBody, errorBody, FAILURES, type Script } from '../doubles/script.ts';

/** What the models of this test read at most. */
export const CONTEXT_TOKENS = 262_144;

export interface Fault {
  name: string;
  /** How much the model reads, as the setup says. */
  contextTokens?: number;
  /** The credits of the client's account, if not many. */
  credits?: number;
  /** The key that the client sends in place of its own. */
  key?(): string;
  /** What the model service does in place of the first answer that this is for, or of each. */
  instead?(body: ChatBody, answer: Script): Script | null;
  isLasting?: boolean;
  /** The words of ours that the client's owner has to see. */
  tells?: RegExp;
}

/** Half of the edit's arguments have arrived when the connection to the service breaks. */
const cut = (_: ChatBody, answer: Script): Script | null =>
  answer.tools?.length === 1
    ? {
        ...answer,
        tools: answer.tools.map((tool) => ({ ...tool, arguments: tool.arguments.slice(0, 1) })),
        end: 'destroy',
      }
    : null;

/** The service finds the conversation too long once the files are read. */
const tooLong = (body: ChatBody): Script | null =>
  body.messages?.some(({ role }) => role === 'tool') ? FAILURES.tooLong : null;

/** The context that the setup names is used up. Perigee believes as many tokens as the request has bytes, some 40,000. */
const full = (_: ChatBody, answer: Script): Script => ({ ...answer, inputTokens: CONTEXT_TOKENS - 20_000 });

/** The service takes one message of the system, at the beginning, as the templates of some open models do. */
const strict = (body: ChatBody): Script | null =>
  body.messages?.some(({ role }, i) => role === 'developer' || (role === 'system' && i > 0))
    ? { status: 400, body: errorBody('System message must be at the beginning.', 'BadRequestError') }
    : null;

export const FAULTS: readonly Fault[] = [
  { name: 'none' },
  { name: '429', instead: () => FAILURES.busy('1') },
  { name: '500', instead: () => FAILURES.broken },
  { name: 'cut', instead: cut },
  { name: 'long', instead: tooLong },
  { name: 'full', contextTokens: 42_000, instead: full },
  { name: 'strict', instead: strict, isLasting: true },
  { name: 'spent', credits: 0, tells: /does not cover this request/ },
  { name: 'key', key: () => apiKeyOf(randomBytes(32)), tells: /does not know this API key/ },
];
