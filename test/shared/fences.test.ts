import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AnswerReader } from '../../extension/edit/engine/reading/answerReader.ts';
import { fenceAt } from '../../shared/answers/fences.ts';

const F = '```';

describe('a fence of an answer', () => {
  const whole: [title: string, text: string, lines: string[], after: string][] = [
    ['ends at the first one like it', `${F}ts\na\n${F}\nb\n${F}`, ['a'], `\nb\n${F}`],
    [
      'quotes one with a language',
      `${F}markdown\n# T\n${F}bash\nnpm ci\n${F}\nThen.\n${F}\nAfter`,
      ['# T', `${F}bash`, 'npm ci', F, 'Then.'],
      '\nAfter',
    ],
    [
      'quotes two, also within each other',
      `${F}md\n${F}a\n${F}b\n${F}\n${F}\n${F}c\n${F}\n${F}`,
      [`${F}a`, `${F}b`, F, F, `${F}c`, F],
      '',
    ],
    ['is not ended by a shorter one, or by one of another kind', `${F}\`\na\n${F}\n~~~\n${F}\``, ['a', F, '~~~'], ''],
    ['is ended by a longer one', `${F}\na\n${F}\`\`\nb`, ['a'], '\nb'],
    [
      'holds blocks that change fences',
      `${F}\n<<<<<<< SEARCH\n${F}\n=======\n${F}sh\n>>>>>>> REPLACE\n${F}\nb`,
      ['<<<<<<< SEARCH', F, '=======', `${F}sh`, '>>>>>>> REPLACE'],
      '\nb',
    ],
    [
      'holds a patch with fences',
      `${F}\n*** Begin Patch\n*** Update File: a.md\n${F}\n-a\n*** End Patch\n${F}`,
      ['*** Begin Patch', '*** Update File: a.md', F, '-a', '*** End Patch'],
      '',
    ],
    ['has its own indentation taken off', `  ${F}py\n  a\n    b\n c\n  ${F}`, ['a', '  b', 'c'], ''],
  ];
  for (const [title, text, lines, after] of whole)
    it(title, () => {
      for (const more of [false, true]) {
        const found = fenceAt(text, more);
        assert.deepEqual([found?.lines, text.slice(found!.raw.length), found?.isWhole], [lines, after, true]);
      }
    });

  it('goes on as long as more may come, and ends at the first possible end where none was left for it', () => {
    const text = `${F}js\na\n${F}ts\nb\n${F}\nProse.`;
    assert.deepEqual(fenceAt(text, true)?.lines, ['a', `${F}ts`, 'b', F, 'Prose.']);
    const cut = fenceAt(text, false);
    assert.deepEqual([cut?.lines, cut?.isWhole], [['a', `${F}ts`, 'b'], false]);
  });

  it('holds what the edit engine reads in it, where the engine says where it ends', () => {
    const line = fc.constantFrom(
      'a',
      '# T',
      '',
      F,
      F,
      `${F}sh`,
      `${F}py`,
      '    x',
      `    ${F}`,
      '~~~',
      '- b',
      'Run it:',
    );
    const info = fc.constantFrom('md README.md', 'ts src/a.ts', 'md docs/a.md', 'py');
    let compared = 0;
    fc.assert(
      fc.property(info, fc.array(line, { maxLength: 12 }), (language, lines) => {
        const text = [`${F}${language}`, ...lines, F, 'Done.'].join('\n');
        const found = fenceAt(text, false);
        const reader = new AnswerReader();
        const [first] = [...reader.feed(text), ...reader.end()];
        if (first?.kind !== 'whole' || first.answerLine !== 1) return;
        compared++;
        assert.deepEqual(found?.lines, first.lines);
        assert.equal(found?.isWhole, true);
      }),
      { numRuns: 500, seed: 7 },
    );
    assert.ok(compared > 200, `${compared}`);
  });
});
