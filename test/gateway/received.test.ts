import assert from 'node:assert/strict';
import { Received, type ShownEvent } from '../../server/gateway/prompt/received.ts';
import type { StreamEvent } from '../../server/gateway/stream.ts';
import { MAX_THINKING } from '../../shared/constants.ts';

const text = (said: string): StreamEvent => ({ type: 'text', text: said });
const thinking = (thought: string): StreamEvent => ({ type: 'thinking', text: thought });

/** Takes each event at its millisecond, and the end at the last. The shown events as "text 0: …" and "thinking 0 (5 ms): …". */
function read(...given: (StreamEvent | number)[]): { received: Received; shown: string[] } {
  const received = new Received(7);
  const shown: ShownEvent[] = [];
  let at = 0;
  for (const one of given) {
    if (typeof one === 'number') at = one;
    else shown.push(...received.take(one, at));
  }
  shown.push(...received.end(at));
  return {
    received,
    shown: shown.map(({ type, data }) =>
      type === 'text' ? `text ${data.at}: ${data.text}` : `thinking ${data.at} (${data.ms} ms): ${data.text}`,
    ),
  };
}

describe('what an answer shows', () => {
  const CASES: [string, (StreamEvent | number)[], shown: string[], text: string, kept: object | undefined][] = [
    [
      'thoughts of their own field',
      [thinking('Hm'), 400, thinking('. So'), 1_000, text('Yes.')],
      ['thinking 0 (0 ms): Hm', 'thinking 2 (400 ms): . So', 'text 0: Yes.'],
      'Yes.',
      { text: 'Hm. So', ms: 1_000 },
    ],
    [
      'thoughts in a tag, cut anywhere',
      [text('<thi'), text('nk>\nHm'), 300, text('. So</th'), 900, text('ink>\n\nYes.')],
      ['thinking 0 (0 ms): Hm', 'thinking 2 (300 ms): . So', 'text 0: Yes.'],
      'Yes.',
      { text: 'Hm. So', ms: 900 },
    ],
    [
      'a text that turns out to be a thought',
      [100, text('Hm. So.'), 700, text('\n</think>\n\nYes.')],
      ['text 0: Hm. So.', 'text 0: ', 'thinking 0 (600 ms): Hm. So.\n', 'text 0: Yes.'],
      'Yes.',
      { text: 'Hm. So.\n', ms: 600 },
    ],
    [
      'a text that turns out to be a thought before it was shown',
      [text('Hm. So.\n</think>\n\nYes.')],
      ['thinking 0 (0 ms): Hm. So.\n', 'text 0: Yes.'],
      'Yes.',
      { text: 'Hm. So.\n', ms: 0 },
    ],
    [
      'thoughts of a field, and then a text that was one',
      [thinking('First.'), 500, text('Then.'), 900, text('\n</think>\nYes.')],
      ['thinking 0 (0 ms): First.', 'text 0: Then.', 'text 0: ', 'thinking 6 (900 ms): \n\nThen.\n', 'text 0: Yes.'],
      'Yes.',
      { text: 'First.\n\nThen.\n', ms: 900 },
    ],
    [
      'thoughts between two parts of a text, whose time is not counted',
      [thinking('One.'), 100, text('A.'), 5_000, thinking(' Two.'), 5_200, thinking(' More.'), 5_300, text('B.')],
      [
        'thinking 0 (0 ms): One.',
        'text 0: A.',
        'thinking 4 (100 ms): \n\nTwo.',
        'thinking 10 (300 ms):  More.',
        'text 2: B.',
      ],
      'A.B.',
      { text: 'One.\n\nTwo. More.', ms: 400 },
    ],
    ['an empty thought of a template', [text('<think>\n\n</think>\n\nYes.')], ['text 0: Yes.'], 'Yes.', undefined],
    ['blank thoughts', [thinking('\n'), thinking(' '), text('Yes.')], ['text 0: Yes.'], 'Yes.', undefined],
    ['thoughts alone, to the end', [thinking('Hm'), 2_000], ['thinking 0 (0 ms): Hm'], '', { text: 'Hm', ms: 2_000 }],
    [
      'a thought in a tag that never ends',
      [text('<think>Hm <'), 50],
      ['thinking 0 (0 ms): Hm ', 'thinking 3 (50 ms): <'],
      '',
      { text: 'Hm <', ms: 50 },
    ],
    [
      'a pair that is cut in two, NUL, and a lone half',
      [thinking('a\uD83D'), thinking('\uDE42\0'), thinking('\uDE42'), thinking('b\uD83D')],
      ['thinking 0 (0 ms): a', 'thinking 1 (0 ms): 🙂\uFFFD', 'thinking 4 (0 ms): \uFFFD', 'thinking 5 (0 ms): b'],
      '',
      { text: 'a🙂\uFFFD\uFFFDb', ms: 0 },
    ],
    ['no thoughts', [text('Yes '), text('and no.')], ['text 0: Yes ', 'text 4: and no.'], 'Yes and no.', undefined],
  ];
  for (const [name, given, shown, said, kept] of CASES)
    it(name, () => {
      const { received, ...is } = read(...given);
      assert.deepEqual(is.shown, shown);
      assert.deepEqual([received.text, received.thinking], [said, kept]);
    });

  it('the beginning of endless thoughts, and a note; all of them are counted', () => {
    const piece = '🙂'.repeat(500);
    const { received, shown } = read(thinking('a'), ...Array<StreamEvent>(300).fill(thinking(piece)), text('Yes.'));
    const kept = received.thinking!.text;
    const [thoughts, note] = kept.split('\n\n');
    assert.equal(note, '*The model thought on. The first 200,000 characters are kept.*');
    assert.equal(thoughts, `a${'🙂'.repeat((MAX_THINKING - 2) / 2)}`, 'no half of a pair');
    assert.equal(shown.length, 202, 'nothing is shown after the note but the text');
    assert(received.usageOfWhole.outputTokens > 70_000, `${received.usageOfWhole.outputTokens}`);
  });
});
