import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { PlacedHunk } from '../../../extension/edit/engine/edits.ts';
import { rebaseHunks, takeBack } from '../../../extension/edit/engine/placing/rebase.ts';
import { drawFrom } from './engineCases.ts';
import { fewWords, functions, isShortest, ownFunctions, someRebase, trueResult } from './rebaseCases.ts';

const seed = Number(process.env.EDIT_SEED ?? 20_260_101);
const RUNS = 10_000;

const words = (text: string) => (text === '' ? [] : text.split(' '));

const hunk = (startLine: number, old: string, fresh: string): PlacedHunk => ({
  startLine,
  oldLines: words(old),
  newLines: words(fresh),
  how: 'exact',
});

/** Where the hunk begins now, or why it doesn't. */
function check(base: string, made: PlacedHunk, current: string, expected: number | string): void {
  const rebased = rebaseHunks(words(base), [made], words(current));
  const told = rebased.kind === 'moved' ? rebased.hunks[0]!.startLine : rebased.touched[0]!.why;
  assert.equal(told, expected);
}

describe('a hunk in a text that others changed', () => {
  it('moves with its lines', () => check('a b c d', hunk(2, 'c', 'x'), 'y a y b c d', 4));
  it('moves with its gap', () => check('a b c d', hunk(2, '', 'x'), 'y b c', 2));
  it('stands where it stood in the same text, whatever repeats there', () =>
    check('a a a', hunk(1, 'a', 'x'), 'a a a', 1));
  it('has the line beside it changed', () => check('a b c', hunk(1, 'b', 'x'), 'y b z', 1));
  it('has had its lines changed', () => check('a b c d', hunk(1, 'b c', 'x'), 'a b y d', 'changed'));
  it('has had a line put among its lines', () => check('a b c d', hunk(1, 'b c', 'x'), 'a b y c d', 'changed'));
  it('has had a line put into its gap', () => check('a b', hunk(1, '', 'x'), 'a y b', 'changed'));
  it('has had lines put before the first', () => check('a b', hunk(0, '', 'x'), 'y a b', 'changed'));
  it('has had lines put behind the last', () => check('a b', hunk(2, '', 'x'), 'a b y', 'changed'));
  it('is of one of two equal lines, of which one is gone', () => check('a a b', hunk(0, 'a', 'x'), 'a b', 'unclear'));
  it('is of a line that has an equal one now', () => check('a b', hunk(0, 'a', 'x'), 'a a b', 'unclear'));
  it('is of one of two equal blocks, of which another one was added', () =>
    check('f ( r ) g ( r )', hunk(6, 'r', 'x'), 'g ( r ) h ( r )', 'unclear'));
  it('is in an empty file', () => check('', hunk(0, '', 'x'), '', 0));
  it('is in a file that was empty', () => check('', hunk(0, '', 'x'), 'a', 'changed'));
  it('is of another text than was said', () => check('a b', hunk(0, 'b', 'x'), 'a b c', 'changed'));
  it('is told with the lines that stand there now', () => {
    const rebased = rebaseHunks(words('a b c d'), [hunk(1, 'b', 'x')], words('y a p q c d'));
    assert.ok(rebased.kind === 'touched');
    assert.deepEqual(rebased.touched[0]!.lines, { start: 2, end: 4 });
  });
  it('is refused where nearly all was changed', () => {
    const base = Array.from({ length: 9_000 }, (_, at) => `line ${at}`);
    const rebased = rebaseHunks(
      base,
      [{ ...hunk(5, '', 'x') }],
      base.map((line, at) => (at > 9 ? `${line}!` : line)),
    );
    assert.deepEqual(rebased.kind === 'touched' && rebased.touched[0]!.why, 'rewritten');
  });
});

describe('a change that is taken back', () => {
  const back = (before: string | undefined, after: string | undefined, current: string | undefined) => {
    const taken = takeBack(before, after, current);
    return taken.kind === 'taken' ? { text: taken.text } : taken.touched.map(({ why }) => why);
  };
  it('leaves the very text before it, where nothing else was changed', () =>
    assert.deepEqual(back('a\r\nb\n', 'a\nx\n', 'a\nx\n'), { text: 'a\r\nb\n' }));
  it('leaves what others changed, and the line ends, BOM and end of the file', () =>
    assert.deepEqual(back('a\nb\nc\n', 'a\nx\ny\nc\n', '\uFEFFa\r\nx\r\ny\r\nc\r\nz'), {
      text: '\uFEFFa\r\nb\r\nc\r\nz',
    }));
  it('says what stands in the way', () => assert.deepEqual(back('a\nb\n', 'a\nx\n', 'a\nxx\n'), ['changed']));
  it('removes a file that it made, if it is as it was made', () => {
    assert.deepEqual(back(undefined, 'a\n', 'a\n'), { text: undefined });
    assert.deepEqual(back(undefined, 'a\n', 'b\n'), ['changed']);
  });
  it('makes a file again that it removed, if there is none', () => {
    assert.deepEqual(back('a\n', undefined, undefined), { text: 'a\n' });
    assert.deepEqual(back('a\n', undefined, 'b\n'), ['changed']);
  });
});

/**
 * Counts what becomes of random cases. Where lines were removed and equal ones came to their place from elsewhere, the texts are
 * those of a shorter way on which nobody touched them: a hunk that follows that way is left out, as without a right answer.
 */
function checkAll(name: string, someLines: Parameters<typeof someRebase>[1], mostLeftOut: number) {
  const counts = { right: 0, 'refused, touched': 0, 'refused, not touched': 0, 'left out': 0, wrong: 0 };
  fc.assert(
    fc.property(fc.gen(), (gen) => {
      const one = someRebase(drawFrom(gen, fc.nat), someLines);
      const { base, hunks, current } = one;
      const now = current.map(({ text }) => text);
      const rebased = rebaseHunks(base, hunks, now);
      const expected = trueResult(one);
      if (rebased.kind === 'touched') {
        counts[expected ? 'refused, not touched' : 'refused, touched']++;
        return;
      }
      const after = [...now];
      for (const { startLine, oldLines, newLines } of rebased.hunks.toReversed()) {
        assert.deepEqual(after.slice(startLine, startLine + oldLines.length), oldLines);
        after.splice(startLine, oldLines.length, ...newLines);
      }
      const isRight = expected !== undefined && after.join('\n') === expected.join('\n');
      if (isRight) counts.right++;
      else if (!isShortest(one)) counts['left out']++;
      else {
        counts.wrong++;
        assert.fail(JSON.stringify({ base, hunks, now, done: one.done, after, expected }, null, 1));
      }
    }),
    { numRuns: RUNS, seed, interruptAfterTimeLimit: 600_000, markInterruptAsFailure: true },
  );
  assert.ok(counts.right > RUNS / 5 && counts['left out'] <= mostLeftOut * RUNS, JSON.stringify(counts));
  const told = Object.entries(counts).map(([verdict, count]) => `${verdict} ${count}`);
  console.log(`      ${name}: ${RUNS} cases; ${told.join(', ')}`);
}

describe('hunks in a random text that others changed go where they belong, or nowhere', function () {
  this.timeout(900_000);
  it('among few different lines', () => checkAll('few words', fewWords, 0.006));
  it('among functions whose bodies repeat', () => checkAll('functions that repeat', functions, 0.001));
  it('among functions of their own', () => checkAll('functions of their own', ownFunctions, 0.001));
});
