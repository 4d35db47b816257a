import type { TurnSeen } from '../../server/risk/signals/observation.ts';
import type { Tool } from './people.ts';

/** A simulated turn as the messages that a tool sends for it. What the observer reads of them is that turn again. */
export class Turns {
  readonly #model: string;
  /** The first text of each conversation: its root. */
  readonly #openings = new Map<number, string>();

  constructor(model: string) {
    this.#model = model;
  }

  /** The body of a request in the tool's dialect. */
  body(turn: TurnSeen, dialect: Tool['dialect']): Record<string, unknown> {
    const text = textOf(turn);
    const opening = this.#openings.get(turn.root) ?? (turn.kind === 'human' ? text : `${words(turn.root)} please`);
    this.#openings.set(turn.root, opening);
    const messages: Message[] = [{ role: 'user', text: opening }];
    if (turn.kind === 'tool') messages.push({ role: 'call', paths: turn.paths.map(pathOf) });
    else if (text !== opening) messages.push({ role: 'assistant', text: 'Done.' }, { role: 'user', text });
    return { model: this.#model, ...WRITERS[dialect](messages) };
  }
}

type Message = { role: 'user' | 'assistant'; text: string } | { role: 'call'; paths: readonly string[] };

const pathOf = (hash: number) => `${words(hash).split(' ', 5).join('-').replace('-', '/')}.ts`;

const WORDS = (
  'account answer band block bridge button cache chart circle client clock cloud column copy corner cover curve date door ' +
  'draft driver edge email engine error field filter flag folder form frame garden gate graph guest header hook image index ' +
  'input invoice item journey key label layer letter level line link list lock mail map mark market menu meter mirror model ' +
  'month name night note number office order page paint panel parcel part pattern phone photo plan player pocket point port ' +
  'price print profile queue radio rate reader record report ring river road room root route row rule sample scale scene ' +
  'screen search season seat sender session shadow shape sheet shop signal size skill slide sound source space speed stage ' +
  'state station step stock storm story street string style sum table target task team term test text theme ticket title ' +
  'tool topic tower track trade train tree trip unit user value video view voice wall water week wheel window word worker'
).split(' ');

/** A dozen words that one number stands for. */
function words(seed: number): string {
  let state = seed || 1;
  const picked = Array.from({ length: 12 }, () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return WORDS[state % WORDS.length]!;
  });
  return picked.join(' ');
}

/** What a person writes: the words of the turn's template, in a sentence of its language. */
function textOf({ template, language }: TurnSeen): string {
  if (template === 0) return 'ok';
  const about = words(template);
  const frame = language && FRAMES[language];
  return frame ? `${frame} ${about}` : about;
}

const FRAMES: Record<NonNullable<TurnSeen['language']>, string> = {
  english: 'please change what is there so that it does the same with these and look at the others',
  latin:
    'por favor cambia lo que hay para que haga lo mismo con estos y mira también los demás, después escribe las pruebas',
  cyrillic:
    'пожалуйста измени то что есть чтобы это работало так же и посмотри на остальные и потом напиши тесты для всего этого',
  chinese: '请修改现有的代码让它对这些情况也能正常工作然后检查其他部分并且为所有这些情况编写测试再告诉我结果',
  japanese: 'これらの場合にも同じように動くように今のコードを変更してから他の部分も確認してテストを書いてください',
  korean: '이 경우에도 똑같이 동작하도록 지금 있는 코드를 고치고 나머지도 확인한 다음에 테스트를 작성해 주세요',
  arabic: 'من فضلك غير ما هو موجود ليعمل بنفس الطريقة مع هذه ثم انظر إلى الباقي واكتب الاختبارات لكل هذا',
  indic: 'कृपया जो है उसे बदलें ताकि यह इनके साथ भी वैसे ही काम करे और फिर बाकी को देखें और सबके लिए परीक्षण लिखें',
};

const parameters = { type: 'object', properties: { path: { type: 'string' } } };

const WRITERS: Record<Tool['dialect'], (messages: readonly Message[]) => Record<string, unknown>> = {
  chat: (messages) => ({
    tools: [{ type: 'function', function: { name: 'read', parameters } }],
    messages: messages.flatMap((message): object[] => {
      if (message.role !== 'call') return [{ role: message.role, content: message.text }];
      const calls = callsOf(message.paths);
      return [
        {
          role: 'assistant',
          content: null,
          tool_calls: calls.map(({ id, path }) => ({
            ...{ id, type: 'function', function: { name: 'read', arguments: JSON.stringify({ path }) } },
          })),
        },
        ...calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'read' })),
      ];
    }),
  }),
  messages: (messages) => ({
    max_tokens: 1000,
    tools: [{ name: 'Read', input_schema: parameters }],
    messages: messages.flatMap((message): object[] => {
      if (message.role !== 'call') return [{ role: message.role, content: message.text }];
      const calls = callsOf(message.paths);
      return [
        {
          role: 'assistant',
          content: calls.map(({ id, path }) => ({ type: 'tool_use', id, name: 'Read', input: { file_path: path } })),
        },
        { role: 'user', content: calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'read' })) },
      ];
    }),
  }),
  responses: (messages) => ({
    store: false,
    tools: [{ type: 'function', name: 'read', parameters, strict: false }],
    input: messages.flatMap((message): object[] => {
      if (message.role !== 'call') {
        const type = message.role === 'user' ? 'input_text' : 'output_text';
        return [{ type: 'message', role: message.role, content: [{ type, text: message.text }] }];
      }
      return callsOf(message.paths).flatMap(({ id, path }) => [
        { type: 'function_call', call_id: id, name: 'read', arguments: JSON.stringify({ path }) },
        { type: 'function_call_output', call_id: id, output: 'read' },
      ]);
    }),
  }),
};

/** A tool that read nothing has run something. */
const callsOf = (paths: readonly string[]) =>
  (paths.length === 0 ? [''] : paths).map((path, i) => ({ id: `call_${i}`, path }));
