import assert from 'node:assert/strict';
import fc from 'fast-check';
import { applySplices, type ContentChange, toChanges } from '../../../extension/edit/hunks/track.ts';
import { type NewHunk, TrackedEdit } from '../../../extension/edit/hunks/tracked.ts';
import { lines, someLine, someLines } from '../hunks/arbitraries.ts';

const typed = (line: number, character: number, text: string): ContentChange => ({
  startLine: line,
  startCharacter: character,
  endLine: line,
  endCharacter: character,
  text,
});
const hunk = (startLine: number, oldLines: string, newLines: string): NewHunk => ({
  startLine,
  oldLines: lines(oldLines),
  newLines: lines(newLines),
});

/** Hunks put into `a b c d e f` one after the other, with changes of others in between. */
function check(steps: (NewHunk | ContentChange)[], expected: string, stale = 0): TrackedEdit {
  const edit = new TrackedEdit(lines('a b c d e f'));
  let missed = 0;
  for (const step of steps) {
    if ('text' in step) edit.foreign([step]);
    else {
      missed += edit.planPlace([step]).stale.length;
      edit.place([step]);
    }
  }
  assert.equal(edit.lines.join(' '), expected);
  assert.equal(missed, stale);
  return edit;
}

describe('hunks that are put into a file one after the other', () => {
  it('come in any order, and are numbered in that of the file', () => {
    const edit = check([hunk(4, 'e', 'E'), hunk(1, 'b', 'B1 B2'), hunk(3, 'd', '')], 'a B1 B2 c E f');
    assert.deepEqual(
      edit.open.map(({ number, start, end }) => [number, start, end]),
      [
        [1, 1, 3],
        [2, 4, 4],
        [3, 4, 5],
      ],
    );
  });

  it('stand in the order of the file where a line between them is gone', () => {
    check([hunk(2, 'c', ''), hunk(3, '', 'y'), hunk(2, '', 'x')], 'a b x y d e f');
    check([hunk(3, '', 'y'), hunk(2, '', 'x'), hunk(2, 'c', '')], 'a b x y d e f');
  });

  it('follow what is typed above them, below, and between', () => {
    const steps = [typed(0, 0, 'top\n'), hunk(4, 'e', 'E'), typed(3, 1, '!'), hunk(1, 'b', 'B'), typed(6, 1, '\nend')];
    check(steps, 'top a B c! d E f end');
  });

  it('are not written over lines that somebody changed, or into a gap where somebody wrote', () => {
    check([typed(1, 1, '!'), hunk(1, 'b', 'B'), hunk(4, 'e', 'E')], 'a b! c d E f', 1);
    check([typed(2, 0, 'mine\n'), hunk(2, '', 'x')], 'a b mine c d e f', 1);
    check([typed(2, 0, 'mine\n'), hunk(1, 'b c', 'x')], 'a b mine c d e f', 1);
  });

  it('are written where a change was taken back', () => {
    const back = { startLine: 1, startCharacter: 1, endLine: 1, endCharacter: 2, text: '' };
    check([typed(1, 1, '!'), back, hunk(1, 'b', 'B')], 'a B c d e f');
    const cut = { startLine: 2, startCharacter: 0, endLine: 3, endCharacter: 0, text: '' };
    check([typed(2, 0, 'mine\n'), cut, hunk(2, '', 'x')], 'a b x c d e f');
  });

  it('can be withdrawn, and others come in their place', () => {
    const edit = check([hunk(1, 'b c', 'X')], 'a X d e f');
    edit.withdraw([1]);
    assert.deepEqual(edit.hunks, []);
    edit.place([hunk(2, 'c', 'C'), hunk(1, '', 'new')]);
    assert.equal(edit.lines.join(' '), 'a new b C d e f');
    edit.reject(edit.open.map(({ number }) => number));
    assert.equal(edit.lines.join(' '), 'a b c d e f');
  });

  it('take the last line of a file, and give it back', () => {
    const edit = new TrackedEdit(['a']);
    edit.place([hunk(0, 'a', '')]);
    assert.deepEqual(edit.lines, ['']);
    edit.reject([1]);
    assert.deepEqual(edit.lines, ['a']);
  });

  it('never stand in a wrong place, and none is lost that nobody touched', () => {
    let placed = 0;
    let stale = 0;
    fc.assert(
      fc.property(fc.array(someLine, { minLength: 1, maxLength: 14 }), someHunks, someSteps, (base, parts, steps) => {
        const hunks = toHunks(base, parts);
        const edit = new TrackedEdit(base);
        let model: Line[] = base.map((text, at) => ({ text, at, old: text }));
        let waiting = hunks;
        steps.forEach(([kind, at], index) => {
          if (kind === 0 && waiting.length > 0) {
            const next = waiting[at % waiting.length]!;
            waiting = waiting.filter((each) => each !== next);
            const plan = edit.planPlace([next]);
            let text = edit.lines.join('\n');
            for (const each of toChanges(edit.lines, plan.splices, '\n').toReversed()) text = applyText(text, each);
            edit.place([next]);
            assert.equal(text, edit.lines.join('\n'), 'the editor gets the same');
            if (plan.placed.length > 0) {
              model = doPlace(model, next, plan.splices[0]!.start);
              placed++;
            } else {
              stale++;
              assert.ok(isTouched(model, next, base), 'refused, though nobody touched it');
            }
          } else {
            const done = doForeign(model, kind, at, `#${index}`);
            model = done.model;
            edit.foreign([done.change]);
          }
          assert.deepEqual(edit.lines, texts(model));
        });
        const numbers = edit.open.map(({ number }) => number);
        const { splices, refused } = edit.planReject(numbers);
        const expected = applySplices(edit.lines, splices);
        edit.reject(numbers);
        assert.deepEqual(edit.lines, expected);
        if (refused.length === 0) {
          edit.reopen(numbers);
          edit.reject(numbers);
          assert.deepEqual(edit.lines, expected);
        }
      }),
      { numRuns: 10_000 },
    );
    assert.ok(placed > 3_000 && stale > 300, `${placed} placed, ${stale} refused`);
  });
});

/** A line with an identity: of the old text, of a hunk that belongs there, or somebody's. */
interface Line {
  text: string;
  /** Where it belongs in the old text; a hunk's lines belong where the hunk does. */
  at?: number;
  /** What it was there; undefined for a hunk's. */
  old?: string;
}

const someHunks = fc.array(fc.tuple(fc.nat(4), fc.nat(3), someLines), { maxLength: 5 });
const someSteps = fc.array(fc.tuple(fc.nat(3), fc.nat(1000)), { maxLength: 14 });

/** Hunks of `base` that leave at least a line between them, as those of blocks mostly do, or touch. */
function toHunks(base: readonly string[], parts: readonly [number, number, readonly string[]][]): NewHunk[] {
  const hunks: NewHunk[] = [];
  let from = 0;
  for (const [gap, removed, newLines] of parts) {
    const startLine = from + gap;
    const oldLines = base.slice(startLine, startLine + removed);
    if (startLine > base.length || oldLines.length < removed || removed + newLines.length === 0) break;
    if (removed === base.length && newLines.length === 0) break;
    // Two insertions into one gap are refused before they come here.
    if (removed === 0 && gap === 0 && hunks.length > 0) break;
    hunks.push({ startLine, oldLines, newLines: [...newLines] });
    from = startLine + removed;
  }
  return hunks;
}

const texts = (model: Line[]) => (model.length === 0 ? [''] : model.map(({ text }) => text));

/** The hunk was written from line `start` on: only its own lines went, and those around it are in order. */
function doPlace(model: Line[], { startLine, oldLines, newLines }: NewHunk, start: number): Line[] {
  const gone = model.slice(start, start + oldLines.length);
  assert.ok(
    gone.every((line, index) => line.at === startLine + index && line.old === line.text),
    'a wrong line',
  );
  const isBefore = ({ at }: Line) => at === undefined || at <= startLine;
  const isBehind = ({ at }: Line) => at === undefined || at >= startLine;
  assert.ok(model.slice(0, start).every(isBefore), 'behind its place');
  assert.ok(model.slice(start + oldLines.length).every(isBehind), 'before its place');
  return model.toSpliced(start, oldLines.length, ...newLines.map((text) => ({ text, at: startLine })));
}

/** Whether the hunk's lines, or those around its gap, are not as they were in the old text. */
function isTouched(model: Line[], { startLine, oldLines }: NewHunk, base: readonly string[]): boolean {
  const from = oldLines.length > 0 ? startLine : Math.max(0, startLine - 1);
  const to = oldLines.length > 0 ? startLine + oldLines.length : Math.min(base.length, startLine + 1);
  const first = model.findIndex(({ at, old }) => at === from && old !== undefined);
  for (let at = from; at < to; at++) {
    const line = first < 0 ? undefined : model[first + at - from];
    if (!line || line.at !== at || line.old !== line.text) return true;
  }
  return false;
}

function doForeign(model: Line[], kind: number, at: number, mark: string): { model: Line[]; change: ContentChange } {
  const shown = model.length === 0 ? [{ text: '' }] : model;
  const index = at % shown.length;
  const line = shown[index]!;
  const end = line.text.length;
  if (kind === 1) return { model: shown.toSpliced(index, 0, { text: mark }), change: typed(index, 0, `${mark}\n`) };
  const isLast = index === shown.length - 1;
  if (kind === 2 || isLast) {
    return { model: shown.with(index, { ...line, text: line.text + mark }), change: typed(index, end, mark) };
  }
  const change = { startLine: index, startCharacter: 0, endLine: index + 1, endCharacter: 0, text: '' };
  return { model: shown.toSpliced(index, 1), change };
}

function applyText(whole: string, each: ContentChange): string {
  const rows = whole.split('\n');
  const offset = (line: number, character: number) =>
    rows.slice(0, line).reduce((sum, row) => sum + row.length + 1, character);
  const start = offset(each.startLine, each.startCharacter);
  return whole.slice(0, start) + each.text + whole.slice(offset(each.endLine, each.endCharacter));
}
