import assert from 'node:assert/strict';
import fc from 'fast-check';
import { diffLines, type Hunk, reviewHunks } from '../../../extension/edit/hunks/hunks.ts';
import { lines, someLines } from './arbitraries.ts';

function check(before: string, after: string, expected: [string, string][]) {
  const hunks = reviewHunks(lines(before), lines(after));
  assert.deepEqual(
    hunks.map((hunk) => [hunk.oldLines.join(' '), hunk.newLines.join(' ')]),
    expected,
  );
}

function checkApplied(before: readonly string[], after: readonly string[], hunks: readonly Hunk[]) {
  const result = [...before];
  for (const hunk of hunks.toReversed()) {
    assert.deepEqual(result.slice(hunk.oldStart, hunk.oldStart + hunk.oldLines.length), hunk.oldLines);
    assert.deepEqual(after.slice(hunk.newStart, hunk.newStart + hunk.newLines.length), hunk.newLines);
    result.splice(hunk.oldStart, hunk.oldLines.length, ...hunk.newLines);
  }
  assert.deepEqual(result, after);
}

describe('hunks', () => {
  it('are none for equal texts', () => check('a b c', 'a b c', []));
  it('hold what was put in, taken out and replaced', () => {
    check('a b', 'a x b', [['', 'x']]);
    check('a x b', 'a b', [['x', '']]);
    check('a x b', 'a y z b', [['x', 'y z']]);
  });
  it('are parted by lines that say something', () => {
    check('a b c', 'x b z', [
      ['a', 'x'],
      ['c', 'z'],
    ]);
  });
  it('are joined over a single line without a word', () => check('a } c', 'x } z', [['a } c', 'x } z']]));
  it('are one where the texts have nothing in common', () => check('a b', 'x y z', [['a b', 'x y z']]));

  it('turn the old text into the new one, whatever the texts', () => {
    fc.assert(
      fc.property(someLines, someLines, (before, after) => {
        for (const hunks of [diffLines(before, after), reviewHunks(before, after)]) checkApplied(before, after, hunks);
      }),
      { numRuns: 2_000 },
    );
  });

  it('turn a long text into another one as well, and leave alone what says by itself where it belongs', () => {
    const places = fc.array(fc.tuple(fc.nat(399), fc.nat(4), someLines), { maxLength: 12 });
    fc.assert(
      fc.property(places, fc.nat(399), (changes, moved) => {
        const before = Array.from({ length: 400 }, (_, line) => (line % 3 === 0 ? '}' : `line ${line}`));
        const after = [...before];
        for (const [start, removed, inserted] of changes) after.splice(start, removed, ...inserted);
        after.push(...after.splice(moved, 5));
        for (const most of [undefined, 0]) {
          const hunks = diffLines(before, after, most);
          checkApplied(before, after, hunks);
          const gaps = hunks
            .slice(1)
            .map((hunk, index) => hunk.oldStart - hunks[index]!.oldStart - hunks[index]!.oldLines.length);
          assert.ok(
            gaps.every((gap) => gap > 0),
            'hunks that touch',
          );
        }
      }),
      { numRuns: 500 },
    );
  });

  it('are found fast in texts that have nothing in common', () => {
    const before = Array.from({ length: 20_000 }, (_, index) => `old ${index}`);
    const after = Array.from({ length: 20_000 }, (_, index) => `new ${index}`);
    assert.equal(diffLines(before, after).length, 1);
  });
});
