// What translating costs: processor time for one event of a stream and for one request, in each dialect of tools, beside
// chat completions, which are only mended.
import { CHAT } from '../../server/gateway/calls/chat.ts';
import type { Dialect } from '../../server/gateway/calls/dialect.ts';
import { MESSAGES } from '../../server/gateway/calls/messages.ts';
import { RESPONSES } from '../../server/gateway/calls/responses.ts';
import { ChatStream } from '../../server/gateway/dialects/chat/stream.ts';
import { boundTokens, estimateTokens, MESSAGE_OVERHEAD_TOKENS } from '../../server/gateway/prompt/tokens.ts';
import { type Finding, listed, type Measure, median } from './numbers.ts';

const ROUNDS = 5;
const EVENTS = 20_000;
const REQUESTS = 300;
/** As an agent has them in the middle of a session. */
const TURNS = 20;
const TOOLS = 15;

const OPTIONS = {
  tokens: { estimate: estimateTokens, bound: boundTokens, overhead: MESSAGE_OVERHEAD_TOKENS },
  developerRole: true,
};
const HEAD = { id: 'x', model: 'double', createdSeconds: 0, inputTokens: 100, requestId: 'r' };

export const dialects: Measure = {
  name: 'dialects',
  about: 'processor time of translating an event and a request, in each dialect',
  async run(say) {
    const findings: Finding[] = [];
    for (const [what, run] of [
      ['an event', events],
      [`a request of ${TURNS} turns and ${TOOLS} tools`, requests],
    ] as const) {
      const times = new Map<string, number[]>();
      for (let round = 0; round <= ROUNDS; round++)
        for (const { dialect, body } of KINDS) {
          const micros = run(dialect, body);
          if (round > 0) times.set(dialect.path, [...(times.get(dialect.path) ?? []), micros]);
        }
      const base = median(times.get(CHAT.path)!);
      for (const [path, all] of times) {
        const beside = path === CHAT.path ? 'mended, not translated' : `${(median(all) / base).toFixed(2)} × of it`;
        say(`${what}, ${path}: ${median(all).toFixed(2)} µs (${beside})`);
        findings.push({
          id: `${what.split(' ')[1]}-${path}`,
          what: `${what}, ${path}`,
          value: median(all),
          unit: 'µs',
          note: `${beside}; middle of ${listed(all, 2)}`,
        });
      }
    }
    return findings;
  },
};

/** From the service's JSON to the bytes for the client. */
function events(dialect: Dialect, body: string): number {
  const writer = dialect.read(JSON.parse(body), OPTIONS).stream(HEAD);
  const chat = new ChatStream({ id: 'chatcmpl-x', model: 'double', createdSeconds: 0, wantsUsage: true });
  const chunk = JSON.stringify({
    ...{ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'double' },
    choices: [{ index: 0, delta: { content: ' word' }, finish_reason: null }],
  });
  let bytes = 0;
  return microsOf(EVENTS, () => {
    for (const due of chat.take(JSON.parse(chunk))) bytes += writer.take(due).length;
    return bytes;
  });
}

/** From the client's JSON to the body for the service. */
const requests = (dialect: Dialect, body: string) =>
  microsOf(REQUESTS, () => JSON.stringify(dialect.read(JSON.parse(body), OPTIONS).call.body).length);

function microsOf(times: number, act: () => number): number {
  const began = process.cpuUsage();
  let sum = 0;
  for (let i = 0; i < times; i++) sum += act();
  const { user, system } = process.cpuUsage(began);
  if (sum === 0) throw new Error('nothing was done');
  return (user + system) / times;
}

const SCHEMA = {
  type: 'object',
  properties: { path: { type: 'string', description: 'The file to read, from the root of the workspace.' } },
  required: ['path'],
};
const names = Array.from({ length: TOOLS }, (_, i) => `tool_${i}`);
const TEXT = 'Read the file and tell me where the retry waits, then change it so that it waits twice as long. '.repeat(
  5,
);
const turns = <T>(make: (id: string) => T[]): T[] => Array.from({ length: TURNS }, (_, i) => make(`call_${i}`)).flat();

/** The same conversation in each dialect. */
const KINDS: { dialect: Dialect; body: string }[] = [
  {
    dialect: CHAT,
    body: JSON.stringify({
      ...{ model: 'double', stream: true, max_tokens: 1000 },
      tools: names.map((name) => ({ type: 'function', function: { name, description: TEXT, parameters: SCHEMA } })),
      messages: turns<object>((id) => [
        { role: 'user', content: TEXT },
        {
          role: 'assistant',
          content: TEXT,
          tool_calls: [{ id, type: 'function', function: { name: 'tool_0', arguments: '{"path":"a.ts"}' } }],
        },
        { role: 'tool', tool_call_id: id, content: TEXT },
      ]),
    }),
  },
  {
    dialect: MESSAGES,
    body: JSON.stringify({
      ...{ model: 'double', stream: true, max_tokens: 1000 },
      tools: names.map((name) => ({ name, description: TEXT, input_schema: SCHEMA })),
      messages: turns<object>((id) => [
        { role: 'user', content: TEXT },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: TEXT },
            { type: 'tool_use', id, name: 'tool_0', input: { path: 'a.ts' } },
          ],
        },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: TEXT }] },
      ]),
    }),
  },
  {
    dialect: RESPONSES,
    body: JSON.stringify({
      ...{ model: 'double', stream: true, max_output_tokens: 1000 },
      tools: names.map((name) => ({ type: 'function', name, description: TEXT, parameters: SCHEMA, strict: false })),
      input: turns<object>((id) => [
        { role: 'user', content: TEXT },
        { role: 'assistant', content: TEXT },
        { type: 'function_call', call_id: id, name: 'tool_0', arguments: '{"path":"a.ts"}' },
        { type: 'function_call_output', call_id: id, output: TEXT },
      ]),
    }),
  },
];
