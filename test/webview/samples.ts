import { randomUUID } from 'node:crypto';
import type { FromHost, Surroundings } from '../../extension/chat/protocol.ts';
import type { Account } from '../../shared/account.ts';
import type { ConversationSummary, Message } from '../../shared/conversations.ts';
import { PROBLEMS, type Problem, type ProblemCode } from '../../shared/problems.ts';

// What hosts say, in plain shapes. Times are relative to now, as the view shows them.

export const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const CONVERSATION = '0b6f2f0e-5e0a-4f3e-9a58-0d6f7c3a1b01';

const commands: Surroundings['commands'] = [
  { name: 'explain', icon: 'lightbulb', detail: 'The selection, or the open file', attaches: true },
  { name: 'fix', icon: 'warning', detail: 'What is wrong with it', attaches: true },
  { name: 'new', icon: 'add', detail: 'A new chat' },
  { name: 'help', icon: 'info', detail: 'All commands' },
  { name: 'release-notes', icon: 'book', detail: 'Write notes for a release', note: 'No effect here: its tools' },
];

/** Instructions of a workspace and the user; one of them is cut. */
export const instructions: NonNullable<Surroundings['instructions']> = {
  files: [
    { tokens: 12 },
    { path: 'AGENTS.md', tokens: 7400 },
    { path: '.github/instructions/typescript.instructions.md', tokens: 780 },
  ],
  leftOut: [{ path: 'AGENTS.md', why: 'Sent in part: of all instructions together, 32 KB go along.' }],
};

export function surroundings(part: Partial<Surroundings> = {}): FromHost {
  return {
    type: 'surroundings',
    value: {
      connection: { state: 'ok' },
      account: { id: randomUUID(), kind: 'member', email: 'you@example.org', createdAt: ago(90 * DAY) },
      balance: {
        availableMicro: 87_400_000,
        pendingMicro: 0,
        ofMicro: 100_000_000,
        promotionalMicro: 87_400_000,
        purchasedMicro: 0,
        windows: [],
      },
      models: [
        {
          id: 'kimi-k2',
          name: 'kimi-k2',
          contextTokens: 128_000,
          maxOutputTokens: 8192,
          price: { mode: 'tokens', inputMicro: 60_000_000, cachedInputMicro: 15_000_000, outputMicro: 250_000_000 },
          isDefault: true,
          isDemo: false,
        },
        {
          id: 'local-small',
          name: 'local-small',
          contextTokens: 32_000,
          maxOutputTokens: 4096,
          price: { mode: 'flat', runMicro: 1_000_000 },
          isDefault: false,
          isDemo: false,
        },
      ],
      modelId: 'kimi-k2',
      chips: [],
      attachable: ['file', 'selection', 'problems', 'diff'],
      commands,
      suggestions: [
        { id: 'explain', icon: 'lightbulb', label: 'Explain client.ts' },
        { id: 'fix', icon: 'warning', label: 'Fix the 2 problems in client.ts' },
        { id: 'review', icon: 'git-commit', label: 'Review my uncommitted changes' },
      ],
      contextTokens: 21_000,
      device: 'laptop',
      ...part,
    },
  };
}

/** Only so much is left, and the conversation is short. */
export function nearlyOut(leftMicro: number): Partial<Surroundings> {
  const { value } = surroundings() as Extract<FromHost, { type: 'surroundings' }>;
  return { balance: { ...value.balance!, availableMicro: leftMicro, promotionalMicro: leftMicro }, contextTokens: 0 };
}

/** The first model can be asked to think. */
export function thinkingModels(): Partial<Surroundings> {
  const { value } = surroundings() as Extract<FromHost, { type: 'surroundings' }>;
  const [kimi, small] = value.models as [Surroundings['models'][number], Surroundings['models'][number]];
  const thinking = { ...kimi, id: 'kimi-k3', name: 'kimi-k3', efforts: ['low', 'high', 'max'] };
  return { models: [thinking, small], modelId: thinking.id };
}

/** Models with dearer prices for long requests, and with ones that will change. */
export function pricedModels(): Partial<Surroundings> {
  const { value } = surroundings() as Extract<FromHost, { type: 'surroundings' }>;
  const [kimi, small] = value.models as [Surroundings['models'][number], Surroundings['models'][number]];
  const price = {
    mode: 'tokens' as const,
    inputMicro: 60_000_000,
    cachedInputMicro: 15_000_000,
    outputMicro: 250_000_000,
  };
  const long = {
    aboveInputTokens: 32_000,
    inputMicro: 120_000_000,
    cachedInputMicro: 30_000_000,
    outputMicro: 500_000_000,
  };
  return {
    models: [
      {
        ...kimi,
        price: { ...price, tiers: [long] },
        nextPrice: { from: '2099-01-01T12:00:00Z', price: { ...price, inputMicro: 70_000_000 } },
      },
      small,
    ],
  };
}

/** A member with something about the account that must be told. */
export function member(part: Partial<Account> = {}): Partial<Surroundings> {
  const { value } = surroundings() as Extract<FromHost, { type: 'surroundings' }>;
  return { account: { ...value.account!, ...part }, balance: value.balance };
}

export function guest(messagesLeft: number): Partial<Surroundings> {
  return {
    signInCredits: 100,
    account: { id: randomUUID(), kind: 'guest', createdAt: ago(DAY) },
    balance: {
      availableMicro: messagesLeft * 1_000_000,
      pendingMicro: 0,
      ofMicro: 10_000_000,
      promotionalMicro: messagesLeft * 1_000_000,
      purchasedMicro: 0,
      guestMessagesLeft: messagesLeft,
      windows: [],
    },
  };
}

export function user(text: string, part: Partial<Message> = {}): Message {
  return { id: randomUUID(), role: 'user', kind: 'chat', text, createdAt: ago(5 * MINUTE), ...part };
}

export function answer(text: string, part: Partial<Message> = {}): Message {
  return {
    id: randomUUID(),
    role: 'assistant',
    kind: 'chat',
    text,
    runId: randomUUID(),
    state: 'complete',
    model: 'kimi-k2',
    usage: { inputTokens: 1204, cachedInputTokens: 980, outputTokens: 312, estimated: false },
    chargedMicro: 420_000,
    device: 'laptop',
    createdAt: ago(4 * MINUTE),
    ...part,
  };
}

/** An answer that ended without a text and was not charged. */
export const broken = (part: Partial<Message>) => answer('', { chargedMicro: 0, usage: undefined, ...part });

/** An answer that has begun and said nothing yet. */
export function running(part: Partial<Message> = {}): Message {
  const { usage: _, chargedMicro: __, ...rest } = answer('', { state: 'running', ...part });
  return rest;
}

type Opened = Extract<FromHost, { type: 'conversation' }>;
export function conversation(messages: Message[], part: Partial<Opened> = {}): FromHost {
  return {
    type: 'conversation',
    id: messages.length ? CONVERSATION : null,
    title: messages.length ? 'Retry with backoff' : '',
    messages,
    before: null,
    draft: '',
    elsewhere: [],
    ...part,
  };
}

type Changed = Extract<FromHost, { type: 'messages' }>;
export function changed(upsert: Message[], part: Partial<Changed> = {}): FromHost {
  return { type: 'messages', upsert, removed: [], title: 'Retry with backoff', elsewhere: [], ...part };
}

const REQUEST = '01a22501-dc65-727c-aec4-3746e810fbb3';

export function problem(code: ProblemCode, part: Partial<Problem> = {}): Problem {
  const { status, title } = PROBLEMS[code];
  return { type: `/problems/${code}`, title, status, detail: `${title}.`, code, requestId: REQUEST, ...part };
}

export function row(title: string, updatedAt: string, part: Partial<ConversationSummary> = {}): ConversationSummary {
  return { id: randomUUID(), title, kind: 'chat', updatedAt, ...part };
}

export function historyPage(conversations: ConversationSummary[], part: object = {}): FromHost {
  return { type: 'historyPage', search: '', kind: 'chat', conversations, before: null, first: true, ...part };
}

/** Markdown of about this many tokens (four characters each), with everything that answers have in them. */
export function longAnswer(tokens: number): string {
  const part = (n: number) => `## Step ${n}

The \`catch\` returns at once, so the loop **never** runs again. Wait between tries, and give up only after the last one; see [the rules](https://example.org/retry).

\`\`\`ts src/client.ts
for (let i = 0; ; i++) {
  try { return await send(req(${n})); }
  catch (e) { if (i === tries) throw e; }
  await wait(2 ** i * baseMs); // ${'doubles each time '.repeat(2)}
}
\`\`\`

| try | waits | then |
|---|--:|---|
| 1 | ${n}00 ms | again |
| 2 | ${n * 2}00 ms | gives up |

- first, read *the message*
  - then the code under it
- last, run \`npm test\`

`;
  let text = '';
  for (let n = 1; text.length < tokens * 4; n++) text += part(n);
  return text.slice(0, tokens * 4);
}
