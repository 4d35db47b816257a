import assert from 'node:assert/strict';
import { blankChanges, showBlanks } from '../../../extension/edit/hunks/blankChanges.ts';

describe('lines that differ in blanks alone', () => {
  const check = (before: string[], after: string[], expected: [number, number][]) =>
    assert.deepEqual(
      blankChanges(before, after).map(({ old, fresh }) => [old, fresh]),
      expected,
    );
  it('are those with other blanks at their edges', () => {
    check(
      ['a', '  b', 'c  '],
      ['  a', '  b', 'c'],
      [
        [0, 0],
        [2, 2],
      ],
    );
    check(['\ta'], ['    a'], [[0, 0]]);
  });
  it('are found beside lines that came, went or changed', () => {
    check(
      ['a', 'b'],
      ['if (x) {', '  a', '  b', '}'],
      [
        [0, 1],
        [1, 2],
      ],
    );
    check(['x', 'y', 'a'], ['  a', 'z'], [[2, 0]]);
    check(['a b'], ['a  b'], []);
  });
  it('are none where a line is blank', () => check(['', 'a'], ['  ', 'a'], []));
  it('are told with their blanks seen', () => {
    assert.equal(showBlanks('  a b '), '··a b·');
    assert.equal(showBlanks('\ta'), '→   a');
  });
});
