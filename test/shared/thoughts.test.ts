import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Piece, splitThoughts, ThoughtReader } from '../../shared/answers/thoughts.ts';

const FINAL = '<|channel|>final<|message|>';

const THOUGHT: [title: string, answer: string, text: string][] = [
  ['in think tags', '<think>\nHm.\n</think>\n\nFour.', 'Four.'],
  ['in think tags on one line', '<think>Hm.</think>Four.', 'Four.'],
  ['in think tags with a blank after them', '<think>Hm.</think> Four.', 'Four.'],
  ['in thinking tags', '<thinking>Hm.</thinking>\nFour.', 'Four.'],
  ['in thought tags', '<thought>Hm.</thought>\nFour.', 'Four.'],
  ['in reasoning tags', '<reasoning>Hm.</reasoning>\nFour.', 'Four.'],
  ['in capitals', '<THINK>Hm.</Think>\nFour.', 'Four.'],
  ['of Seed-OSS', '<seed:think>Hm.</seed:think>Four.', 'Four.'],
  ['of Kimi', '◁think▷Hm.◁/think▷Four.', 'Four.'],
  ['of Magistral', '[THINK]Hm.[/THINK]Four.', 'Four.'],
  ['of Cohere', '<|START_THINKING|>Hm.<|END_THINKING|><|START_RESPONSE|>Four.', 'Four.'],
  ['of OpenThinker', '<|begin_of_thought|>Hm.<|end_of_thought|>\n\n<|begin_of_solution|>\nFour.', 'Four.'],
  ['of gpt-oss', `<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant${FINAL}Four.`, 'Four.'],
  ['of gpt-oss with its own beginning', `<|start|>assistant<|channel|>analysis<|message|>Hm.<|end|>${FINAL}4`, '4'],
  ['of gpt-oss that has none', `${FINAL}Four.`, 'Four.'],
  ['after blanks and a byte order mark', '\uFEFF \n\t<think>Hm.</think>\n\nFour.', 'Four.'],
  ['that are empty', '<think>\n\n</think>\n\nFour.', 'Four.'],
  ['twice', '<think>a</think>\n<think>b</think>\nFour.', 'Four.'],
  ['twice, in other words', '<think>a</think><thinking>b</thinking>Four.', 'Four.'],
  ['that are never closed', '<think>\nHm, and so on', ''],
  ['cut in the closing tag', '<think>Hm.</thi', ''],
  ['with nothing after them', '<think>Hm.</think>\n', ''],
  ['that speak of other tags', '<think>A <div> and </thinking> and [/THINK]</think>Four.', 'Four.'],
  ['that keep the indentation of the first line', '<think>Hm.</think>\n\n    return 4;\n', '    return 4;\n'],
  ['whose answer speaks of tags', '<think>Hm.</think>It ends with `</think>`.', 'It ends with `</think>`.'],
  ['opened by the template', 'Hm, let me see.\n</think>\n\nFour.', 'Four.'],
  ['opened by the template, closed within a line', 'Hm, it is four.</think>Four.', 'Four.'],
  ['opened by the template, closed after a sentence', 'Hm, it is four. </think>\n\nFour.', 'Four.'],
  ['opened and closed by the template', '</think>\n\nFour.', 'Four.'],
  ['opened by the template, with a fence', 'a.ts\n```ts\nlet a;\n```\nNo.\n</think>\n\nb.ts', 'b.ts'],
  ['opened by the template, in CRLF', 'Hm.\r\n</think>\r\n\r\nFour.', 'Four.'],
  ['opened by the template, closed twice', 'Hm.\n</think>\n</think>\nFour.', 'Four.'],
  ['opened by the template, of Kimi', 'Hm.◁/think▷Four.', 'Four.'],
  ['after which a template opened others', '<think>a</think>b\n</think>\nFour.', 'Four.'],
];

const WHOLE: [title: string, answer: string][] = [
  ['has no tag', 'Four.'],
  ['is empty', ''],
  ['is blank', ' \n\n'],
  ['begins with blanks', '\n\n    four'],
  ['speaks of a tag in code', 'Put it into `<think>` and `</think>`.'],
  ['speaks of tags in prose', 'DeepSeek writes <think> first and </think> last.'],
  ['speaks of a closing tag alone', 'The tag </think> closes it.'],
  ['quotes a closing tag alone', 'The tag "</think>" closes it, and so does (</think>).'],
  ['ends a line with a closing tag', 'It is closed by </think>\nThen the answer comes.'],
  ['begins a line with a closing tag', 'To close it:\n</think> is written.'],
  ['has tags in a fence', 'So:\n```xml\n<think>\nHm.\n</think>\n```\nDone.'],
  ['has a closing tag in a fence', 'So:\n```xml\n</think>\n```\nDone.'],
  ['has a closing tag in a fence of tildes', '~~~\nHm.</think>\nFour.\n~~~\n'],
  ['has tags that begin a later line', 'Four.\n<think>\nHm.\n</think>\nFive.'],
  ['begins with other tags', '<thinker>Hm.</thinker>'],
  ['begins with a tag in code', '`<think>` opens it.'],
  ['begins with a link', '[think](https://example.com)'],
  ['begins like a tag', '<thin'],
  ['begins like another tag', '<|channel|>weather'],
  [
    'has a component whose end is like a mark',
    'In `App.tsx`:\n\n<Reasoning className="w-full">\n <p>hi</p>\n</Reasoning>\nand run it.',
  ],
  ['has a tag with attributes, on one line', 'Write <thinking lang="en">so</thinking> there.'],
  ['has a fence in a numbered list', '1. ```tsx\n   <p>\n   </Reasoning>\n   ```\n2. Run it.'],
  ['has a fence in a list in a quotation', '> - ```\n>   Hm.\n</think>\n>   ```\nDone.'],
  ['has a letter that grows in lower case', 'İİİİ İ <b>x</b>'],
];

const DRAFT = '<think>\na.ts\n```ts\nconst a = 100;\n```\nNo, b it is.\n</think>\n\nb.ts\n```ts\nconst b = 3;\n```\n';

/** As a reader has it that is fed these pieces. */
function read(pieces: readonly string[]): { text: string; thinking: string } {
  const reader = new ThoughtReader();
  const heard: Piece[] = [...pieces.flatMap((piece) => reader.feed(piece)), ...reader.end()];
  let text = '';
  let thinking = '';
  for (const piece of heard) {
    if (piece.kind === 'text') text += piece.text;
    else thinking += piece.text;
    if (piece.kind === 'retracted') {
      assert.equal(piece.text, text, 'what is taken back is what was given out');
      text = '';
    }
  }
  return { text, thinking };
}

describe('thoughts in an answer', () => {
  for (const [title, answer, text] of THOUGHT)
    it(`are told from it: ${title}`, () => assert.equal(splitThoughts(answer).text, text));

  for (const [title, answer] of WHOLE)
    it(`are not seen in one that ${title}`, () =>
      assert.deepEqual(splitThoughts(answer), { text: answer, thinking: '' }));

  it('are kept apart, for they are counted', () => {
    assert.deepEqual(splitThoughts('<think>a</think><think>b</think>c'), { text: 'c', thinking: 'ab' });
    assert.deepEqual(splitThoughts('a\n</think>\nc'), { text: 'c', thinking: 'a\n' });
  });

  it('are no stray tag at the end of an answer: the answer stays', () => {
    for (const stray of ['</think>', '\n</think>\n', '</think></think>', '\n</think>\n\n</think>'])
      assert.equal(splitThoughts(`Four.${stray}`).text.trimEnd(), 'Four.');
  });

  it('read the same in whatever pieces they come', () => {
    const answers = [...THOUGHT.map(([, answer]) => answer), ...WHOLE.map(([, answer]) => answer), DRAFT];
    for (const answer of answers) {
      const whole = splitThoughts(answer);
      assert.deepEqual(read([...answer]), whole, answer);
      for (let at = 1; at < answer.length; at++)
        assert.deepEqual(read([answer.slice(0, at), answer.slice(at)]), whole, `${answer} cut at ${at}`);
    }
  });

  it('read the same in any pieces, and are taken out once and for all, whatever the answer', () => {
    const words = [
      '<think>',
      '</think>',
      '<thinking>',
      '</thinking>',
      '[THINK]',
      '[/THINK]',
      '◁/think▷',
      '\n',
      ' ',
      '`',
    ];
    const word = fc.constantFrom(...words, '```\n', 'Hm.', 'so', '<', '</th', '|>', FINAL, '<|channel|>', '    ');
    fc.assert(
      fc.property(fc.array(word, { maxLength: 14 }), fc.array(fc.nat(60), { maxLength: 6 }), (parts, cuts) => {
        const answer = parts.join('');
        const places = [0, ...cuts.filter((cut) => cut < answer.length).sort((a, b) => a - b), answer.length];
        const whole = splitThoughts(answer);
        assert.deepEqual(read(places.slice(1).map((to, i) => answer.slice(places[i], to))), whole);
        assert.equal(splitThoughts(whole.text).text, whole.text);
      }),
      { numRuns: 3_000 },
    );
  });

  it('keep no text back longer than a tag is', () => {
    const reader = new ThoughtReader();
    const text = 'It is a < b, and c </ d. '.repeat(20);
    let given = 0;
    for (const [at, letter] of [...text].entries()) {
      for (const piece of reader.feed(letter)) given += piece.text.length;
      assert(at + 1 - given <= 45, `${at + 1 - given} held back`);
    }
  });

  it('take time in proportion to the answer, also of nothing but tags or blanks', () => {
    const costOf = (unit: string) => {
      const answer = unit.repeat(200_000 / unit.length);
      const began = process.cpuUsage();
      const reader = new ThoughtReader();
      for (let at = 0; at < answer.length; at += 7) reader.feed(answer.slice(at, at + 7));
      reader.end();
      const { user, system } = process.cpuUsage(began);
      return user + system;
    };
    costOf('a');
    const usual = costOf('a') + costOf('a') + costOf('a');
    // One that looked at all of it again for each piece would take thousands of times as long.
    for (const unit of ['</think> ', '<think>', ' ', '<', 'a</think>', '```\n</think>\n'])
      assert(costOf(unit) < 100 * usual + 500_000, `${JSON.stringify(unit)} many times`);
  });
});
