import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Alignment, showSoFar } from '../../../extension/edit/hunks/align.ts';
import {
  AnswerLines,
  fitIndentation,
  isClosed,
  type Replacement,
  readAnswer,
} from '../../../extension/edit/hunks/stream.ts';
import { lines, someLines } from './arbitraries.ts';

const context = { selection: ['  one();', '  two();'], languageId: 'typescript' };
const read = (text: string, ended = true, selection = context.selection, languageId = context.languageId) =>
  readAnswer(text, ended, { selection, languageId });
const complete = (...expected: string[]): Replacement => ({ kind: 'lines', lines: expected, complete: true });
const partial = (...expected: string[]): Replacement => ({ kind: 'lines', lines: expected, complete: false });

describe('a model answer', () => {
  it('is what stands in its code block', () => assert.deepEqual(read('```ts\n  a();\n```'), complete('  a();')));
  it('may have words around the block', () => {
    assert.deepEqual(read('Here it is:\n\n```ts\n  a();\n```\nI hope it helps.'), complete('  a();'));
  });
  it('may have any line ends', () => assert.deepEqual(read('```\r\n  a\r\n  b\r\n```\r\n'), complete('  a', '  b')));
  it('may have a fence of another kind', () => {
    assert.deepEqual(read('~~~ts\n  a\n~~~'), complete('  a'));
    assert.deepEqual(read('````\n  a\n  ```\n````'), complete('  a', '  ```'));
  });
  it('may have an indented block', () => assert.deepEqual(read('  ```\n    a\n  ```'), complete('  a')));
  it('may have a block of one line', () => assert.deepEqual(read('```  a()```'), complete('  a()')));
  it('may delete everything', () => assert.deepEqual(read('```ts\n```'), complete()));
  it('keeps blank lines of the block', () => assert.deepEqual(read('```\n\n  a\n\n```'), complete('', '  a', '')));
  it('without a block is the replacement', () => {
    assert.deepEqual(read('  one();\n  three();\n'), complete('  one();', '  three();'));
  });
  it('in words instead of code is told apart', () => {
    assert.deepEqual(read('I cannot do that without more context.'), {
      kind: 'words',
      text: 'I cannot do that without more context.',
    });
    assert.equal(read('A sentence to replace another.', true, ['Some words.'], 'markdown').kind, 'lines');
  });
  it('may be empty', () => assert.deepEqual(read('\n'), { kind: 'waiting' }));
  it('whose block does not end is cut short', () => assert.deepEqual(read('```ts\n  a\n  b'), partial('  a', '  b')));

  it('at its length limit is whole if only words after its block are missing', () => {
    assert.ok(isClosed('```ts\n  a();\n```\nI hope it', context));
    assert.ok(!isClosed('```ts\n  a();\n  b', context));
    assert.ok(!isClosed('  one();\n  thr', context), 'without a block nothing says where it ends');
  });

  it('shows whole lines while it comes, and nothing before its block', () => {
    assert.deepEqual(read('Sure', false), { kind: 'waiting' });
    assert.deepEqual(read('Sure:\n```t', false), { kind: 'waiting' });
    assert.deepEqual(read('Sure:\n```ts\n  a();\n  b(', false), partial('  a();'));
    assert.deepEqual(read('```ts\n  a();\n  b();\n``', false), partial('  a();', '  b();'));
    assert.deepEqual(read('```ts\n  a();\n```\n', false), complete('  a();'));
  });

  it('is read line by line as it comes as it is read at once, and anew where it begins anew', () => {
    const selection = ['\tone();', '\t\ttwo();'];
    const text = 'Sure:\n```ts\nif (a) {\n    one();\n  two();\r\n      three();\n}\n```\nDone.\n';
    const soFar = new AnswerLines({ selection, languageId: 'typescript' });
    for (let end = 0; end <= text.length; end++) {
      if (text[end - 1] === '\r') continue;
      const piece = text.slice(0, end);
      assert.deepEqual(soFar.read(piece), read(piece, false, selection), JSON.stringify(piece));
    }
    assert.deepEqual(soFar.read('```\nfour();\n'), partial('\tfour();'));
  });

  it('keeps blocks inside its block', () => {
    assert.deepEqual(
      read('```md\n# A\n```js\na\n```\nB\n```', true, ['A'], 'markdown'),
      complete(...'# A|```js|a|```|B'.split('|')),
    );
    assert.deepEqual(
      read('```\n/**\n```js\na\n```\n*/\n```', true, ['f()']),
      complete('/**', '```js', 'a', '```', '*/'),
    );
  });
  it('to a selected code block may be just that block', () => {
    const selection = ['```js', 'a', '```'];
    assert.deepEqual(read('```js\nb\n```', false, selection, 'markdown'), { kind: 'waiting' });
    assert.deepEqual(read('```js\nb\n```', true, selection, 'markdown'), complete('```js', 'b', '```'));
    assert.deepEqual(read('````\n```js\nb\n```\n````', true, selection, 'markdown'), complete('```js', 'b', '```'));
    assert.deepEqual(read('```\n```js\nb\n```\n```', true, selection, 'markdown'), complete('```js', 'b', '```'));
  });
});

describe('indentation', () => {
  const check = (given: string, selection: string, expected: string) =>
    assert.deepEqual(fitIndentation(given.split('|'), selection.split('|'), true), expected.split('|'));
  it('is left alone where it fits', () => check('  x|    y', '  a|  b', '  x|    y'));
  it('is brought back where the model left it out', () => {
    check('if (x)|  y', '    a|    b', '    if (x)|      y');
    check('\tx|y', '\t\ta', '\t\t\tx|\t\ty');
  });
  it('does not indent blank lines', () => check('x||y', '  a', '  x||  y'));
  it('may be what was to be changed', () => {
    check('a|b', '  a|  b', 'a|b');
    check('  a|    b', '    a|      b', '  a|    b');
  });
  it('uses tabs where the selection does', () => check('  x|    y', '\ta|\t\tb', '\tx|\t\ty'));
  it('of a blank line counts where nothing else stands', () => check('x|  y', '    ', '    x|      y'));
});

describe('the alignment while an answer comes', () => {
  const check = (old: string, soFar: string, shown: string) =>
    assert.deepEqual(showSoFar(new Alignment(lines(old)), lines(old), lines(soFar)), lines(shown));
  it('shows the old lines before the first new one', () => check('a b c', '', 'a b c'));
  it('consumes lines as they are written again', () => check('a b c', 'a b', 'a b c'));
  it('consumes a line for a replaced one', () => check('a b c', 'x', 'x b c'));
  it('finds its way back after lines put in', () => check('a b c', 'x y a', 'x y a b c'));
  it('finds its way back after lines left out', () => check('a b c d e', 'a d e', 'a d e'));
  it('shows nothing old below an answer that is longer', () => check('a b', 'x y z', 'x y z'));

  it('looks at many new lines in turns', () => {
    const alignment = new Alignment(lines('a b c d'));
    assert.equal(alignment.advance(lines('a b x'), 2), false);
    assert.equal(alignment.advance(lines('a b x'), 2), true);
    assert.equal(alignment.consumed(lines('a b x')), new Alignment(lines('a b c d')).consumed(lines('a b x')));
  });

  it('gives the same when it grows line by line, and the whole text once that is complete', () => {
    fc.assert(
      fc.property(someLines, someLines, (old, next) => {
        const growing = new Alignment(old);
        for (let length = 0; length <= next.length; length++) {
          const soFar = next.slice(0, length);
          assert.equal(growing.consumed(soFar), new Alignment(old).consumed(soFar));
        }
        assert.equal(new Alignment(old).consumed(old), old.length);
      }),
      { numRuns: 500 },
    );
  });
});
