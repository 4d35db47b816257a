import assert from 'node:assert/strict';
import fc from 'fast-check';
import { applySplices, type ContentChange, toChanges, toSplices } from '../../../extension/edit/hunks/track.ts';
import { TrackedEdit } from '../../../extension/edit/hunks/tracked.ts';
import { lines, someLine, someLines } from './arbitraries.ts';

/** A text after a change by columns, made without knowing lines: what `toSplices` and `toChanges` must agree with. */
function applyToText(text: string, change: ContentChange): string {
  const offset = (line: number, character: number) =>
    text
      .split('\n')
      .slice(0, line)
      .reduce((sum, each) => sum + each.length + 1, character);
  return (
    text.slice(0, offset(change.startLine, change.startCharacter)) +
    change.text +
    text.slice(offset(change.endLine, change.endCharacter))
  );
}

/** A change of `document` from two places told in thousandths of it. */
function changeOf(document: readonly string[], from: number, to: number, text: string): ContentChange {
  const whole = document.join('\n');
  const [start, end] = [from, to].sort((a, b) => a - b).map((part) => Math.round((part * whole.length) / 1000));
  const position = (offset: number) => {
    const before = whole.slice(0, offset).split('\n');
    return [before.length - 1, before.at(-1)!.length] as const;
  };
  const [startLine, startCharacter] = position(start!);
  const [endLine, endCharacter] = position(end!);
  return { startLine, startCharacter, endLine, endCharacter, text };
}

const typed = (line: number, character: number, text: string): ContentChange => ({
  startLine: line,
  startCharacter: character,
  endLine: line,
  endCharacter: character,
  text,
});

const someText = fc
  .array(fc.constantFrom('a', 'b', ' ', '\n', '\r\n', '}'), { maxLength: 6 })
  .map((all) => all.join(''));
const place = fc.integer({ min: 0, max: 1000 });

describe('changes by columns', () => {
  const check = (document: string, change: ContentChange, expected: [number, number, string][]) =>
    assert.deepEqual(
      toSplices(lines(document), change).map(({ start, removed, inserted }) => [start, removed, inserted.join(' ')]),
      expected,
    );
  it('change one line when something is typed into it', () => check('aa bb cc', typed(1, 1, 'x'), [[1, 1, 'bxb']]));
  it('put lines between others', () => {
    check('aa bb cc', typed(1, 0, 'x\n'), [[1, 0, 'x']]);
    check('aa bb cc', typed(0, 2, '\nx'), [[1, 0, 'x']]);
    check('aa bb cc', typed(2, 2, '\nx'), [[3, 0, 'x']]);
  });
  it('put a line before an equal one', () => check('aa bb cc', typed(1, 0, 'bb\n'), [[1, 0, 'bb']]));
  it('change only what differs when everything is replaced', () => {
    const all = { startLine: 0, startCharacter: 0, endLine: 4, endCharacter: 2, text: 'aa\nbx\ncc\ndx\nee' };
    check('aa bb cc dd ee', all, [
      [1, 1, 'bx'],
      [3, 1, 'dx'],
    ]);
  });
  it('are none when nothing is different', () => {
    check('aa bb', { startLine: 0, startCharacter: 1, endLine: 1, endCharacter: 1, text: 'a\nb' }, []);
  });

  it('become splices that give the same text', () => {
    fc.assert(
      fc.property(
        fc.array(someLine, { minLength: 1, maxLength: 12 }),
        place,
        place,
        someText,
        (document, a, b, text) => {
          const change = changeOf(document, a, b, text);
          const expected = applyToText(document.join('\n'), { ...change, text: text.replaceAll('\r\n', '\n') });
          assert.equal(applySplices(document, toSplices(document, change)).join('\n'), expected);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('come from splices that give the same text, also at the end of the document', () => {
    fc.assert(
      fc.property(
        fc.array(someLine, { minLength: 1, maxLength: 8 }),
        fc.array(fc.tuple(fc.nat(2), fc.nat(3), someLines)),
        (document, parts) => {
          const splices = [];
          let at = 0;
          for (const [gap, removed, inserted] of parts) {
            const start = at + gap;
            if (start + removed > document.length || removed + inserted.length === 0) break;
            splices.push({ start, removed, inserted });
            at = start + removed;
          }
          const expected = applySplices(document, splices).join('\n');
          let text = document.join('\n');
          for (const change of toChanges(document, splices, '\n').toReversed()) text = applyToText(text, change);
          assert.equal(text, expected);
        },
      ),
      { numRuns: 3_000 },
    );
  });
});

/** An edit of lines 1 to 3 of `a b c d e` that has shown `next`. */
function edited(next: string, document = 'a b c d e', region = { start: 1, end: 4 }): TrackedEdit {
  const edit = new TrackedEdit(lines(document), region);
  edit.show(lines(next));
  return edit;
}

const all = (edit: TrackedEdit) => edit.open.map((hunk) => hunk.number);

function rejectAll(edit: TrackedEdit): number[] {
  const { refused } = edit.planReject(all(edit));
  edit.reject(all(edit));
  return refused;
}

describe('a tracked edit', () => {
  const check = (edit: TrackedEdit, expected: string) => assert.equal(edit.lines.join(' '), expected);

  it('is taken back wholly', () => {
    const edit = edited('x c y z');
    check(edit, 'a x c y z e');
    assert.deepEqual(rejectAll(edit), []);
    check(edit, 'a b c d e');
  });

  it('is taken back hunk by hunk, in any order', () => {
    for (const order of [
      [1, 2],
      [2, 1],
    ]) {
      const edit = edited('x1 x2 c y');
      edit.reject([order[0]!]);
      check(edit, order[0] === 1 ? 'a b c y e' : 'a x1 x2 c d e');
      edit.reject([order[1]!]);
      check(edit, 'a b c d e');
    }
  });

  it('leaves accepted hunks', () => {
    const edit = edited('x c y');
    edit.accept([1]);
    rejectAll(edit);
    check(edit, 'a x c d e');
  });

  it('follows typing above and below', () => {
    const edit = edited('x c y');
    edit.foreign([typed(4, 1, '\nbelow'), typed(0, 0, 'above\n')]);
    assert.ok(edit.intact);
    edit.show(lines('x c z'));
    check(edit, 'above a x c z e below');
    rejectAll(edit);
    check(edit, 'above a b c d e below');
  });

  it('keeps lines that are put in right at its edges outside', () => {
    const edit = edited('x c y');
    edit.foreign([typed(4, 0, 'below\n'), typed(1, 0, 'above\n')]);
    assert.ok(edit.intact);
    rejectAll(edit);
    check(edit, 'a above b c d below e');
  });

  it('keeps lines that are put in before its region in front of what it removed there', () => {
    const edit = edited('c d');
    edit.foreign([typed(1, 0, 'above\n')]);
    rejectAll(edit);
    check(edit, 'a above b c d e');
  });

  it('refuses to take back a hunk whose lines were changed, and only that one', () => {
    const edit = edited('x c y');
    edit.foreign([typed(1, 1, '!')]);
    assert.ok(!edit.intact);
    assert.deepEqual(rejectAll(edit), [1]);
    check(edit, 'a x! c d e');
    assert.deepEqual(all(edit), [1]);
  });

  it('can take a hunk back again once the change to it is gone', () => {
    const edit = edited('x c y');
    edit.foreign([typed(1, 1, '!')]);
    edit.foreign([{ startLine: 1, startCharacter: 1, endLine: 1, endCharacter: 2, text: '' }]);
    assert.deepEqual(rejectAll(edit), []);
    check(edit, 'a b c d e');
  });

  it('finds a hunk again that was cut out with its surroundings and put back by an undo', () => {
    const edit = edited('x c y');
    edit.foreign([{ startLine: 0, startCharacter: 0, endLine: 4, endCharacter: 0, text: '' }]);
    check(edit, 'e');
    assert.deepEqual(edit.planReject([1, 2]).refused, [1, 2]);
    edit.foreign([typed(0, 0, 'a\nx\nc\ny\n')]);
    assert.deepEqual(rejectAll(edit), []);
    check(edit, 'a b c d e');
  });

  it('notices that an undo took all of it back, at the edges of its region as well', () => {
    for (const next of ['x c y', 'b c d x', 'x b c d', 'c', 'b c', 'b x d', 'p q r s t']) {
      const edit = edited(next);
      edit.foreign([{ startLine: 1, startCharacter: 0, endLine: edit.region.end, endCharacter: 0, text: 'b\nc\nd\n' }]);
      check(edit, 'a b c d e');
      assert.deepEqual(edit.open, [], next);
      edit.reopen(edit.hunks.map((hunk) => hunk.number));
      check(edit, `a ${next} e`);
      rejectAll(edit);
      edit.foreign([
        { startLine: 1, startCharacter: 0, endLine: 4, endCharacter: 0, text: `${next.replaceAll(' ', '\n')}\n` },
      ]);
    }
  });

  it('notices an undo of inserted lines, however it is told in columns', () => {
    const cut = (startLine: number, startCharacter: number, endLine: number, endCharacter: number, text = '') => ({
      startLine,
      startCharacter,
      endLine,
      endCharacter,
      text,
    });
    const ways = [
      [cut(1, 0, 2, 0)],
      [cut(0, 1, 1, 1)],
      // As the editor tells a step that was written in several parts, the last place first.
      [cut(1, 1, 2, 1), cut(1, 0, 1, 1, 'b')],
      [cut(2, 0, 3, 0), cut(1, 0, 1, 1, 'b')],
      [cut(1, 0, 3, 1, 'b\nc')],
    ];
    for (const [index, changes] of ways.entries()) {
      const edit = edited('x b c d');
      edit.foreign(changes);
      check(edit, 'a b c d e');
      assert.deepEqual(edit.open, [], `way ${index}`);
      assert.deepEqual(edit.region, { start: 1, end: 4 });
    }
  });

  it('loses a hunk whose place holds its old lines again, and keeps the others', () => {
    const edit = edited('x b c y d');
    // `x b` becomes `b` by way of the other line.
    edit.foreign([
      { startLine: 1, startCharacter: 1, endLine: 2, endCharacter: 1, text: '' },
      { startLine: 1, startCharacter: 0, endLine: 1, endCharacter: 1, text: 'b' },
    ]);
    check(edit, 'a b c y d e');
    assert.deepEqual(all(edit), [2]);
    assert.deepEqual(rejectAll(edit), []);
    check(edit, 'a b c d e');
  });

  it('opens a rejected hunk again when the rejection is undone', () => {
    const edit = edited('x c y');
    edit.reject([1]);
    check(edit, 'a b c y e');
    edit.foreign([{ startLine: 1, startCharacter: 0, endLine: 1, endCharacter: 1, text: 'x' }]);
    assert.deepEqual(all(edit), [1, 2]);
    rejectAll(edit);
    check(edit, 'a b c d e');
  });

  it('puts removed lines back before what was typed in their place', () => {
    const edit = edited('b d');
    edit.foreign([typed(1, 1, '\nnew')]);
    rejectAll(edit);
    check(edit, 'a b c new d e');
  });

  it('refuses to put removed lines back once everything around their place was replaced', () => {
    const edit = edited('b d');
    edit.foreign([{ startLine: 0, startCharacter: 0, endLine: 3, endCharacter: 1, text: 'p\nq' }]);
    assert.deepEqual(rejectAll(edit), [1]);
    check(edit, 'p q');
  });

  it('survives a formatter that replaces the whole document', () => {
    const edit = edited('x c y');
    edit.foreign([{ startLine: 0, startCharacter: 0, endLine: 4, endCharacter: 1, text: 'A\nx\nc\ny\nnew\nE' }]);
    assert.deepEqual(rejectAll(edit), []);
    check(edit, 'A b c d new E');
  });

  it('can replace a whole document by nothing, and back', () => {
    const edit = new TrackedEdit(['a', 'b'], { start: 0, end: 2 });
    edit.show([]);
    assert.deepEqual(edit.lines, ['']);
    rejectAll(edit);
    assert.deepEqual(edit.lines, ['a', 'b']);
  });

  it('shows the text before it, changed hunks included', () => {
    const edit = edited('x c y');
    edit.foreign([typed(1, 1, '!')]);
    assert.equal(edit.before().join(' '), 'a b c d e');
  });

  it('tells where in the text before it each open hunk stands, and which one stands at a line of it', () => {
    const edit = edited('x x2 c');
    assert.deepEqual(
      edit.open.map((hunk) => edit.lineBefore(hunk)),
      [1, 3],
    );
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((line) => edit.openAtLineBefore(line)?.number),
      [1, 1, 2, 2, 2],
    );
    edit.accept([1]);
    assert.equal(edit.before().join(' '), 'a x x2 c d e');
    assert.deepEqual(
      edit.open.map((hunk) => edit.lineBefore(hunk)),
      [4],
    );
  });

  it('tells of what was accepted once, and opens again only what is not typed by hand, if so asked', () => {
    const edit = edited('x c y');
    edit.accept([1]);
    rejectAll(edit);
    assert.deepEqual(
      [edit.accepted().before, edit.accepted().after].map((text) => text.join(' ')),
      ['a b c d e', 'a x c d e'],
    );
    edit.keep();
    const typedAnew = { startLine: 3, startCharacter: 0, endLine: 3, endCharacter: 1, text: 'y' };
    edit.foreign([typedAnew]);
    assert.deepEqual(
      edit.open.map(({ number }) => number),
      [2],
    );
    rejectAll(edit);
    edit.foreign([typedAnew], false);
    edit.foreign([typed(0, 0, '!')]);
    assert.deepEqual(edit.open, []);
    assert.equal(edit.accepted().before.join(' '), '!a x c y e');
  });

  it('is open again as a whole when an undo goes through another edit that has some of its text', () => {
    // Lines b to d become x; then a further edit makes y x of them, and is undone, as is the rejection before it.
    const edit = edited('x');
    rejectAll(edit);
    const all = (from: string, to: string) => {
      const [end, last] = [from.split('\n').length, from.split('\n').at(-1)!];
      return { startLine: 1, startCharacter: 0, endLine: end, endCharacter: last.length, text: to };
    };
    edit.foreign([all('b\nc\nd', 'y\nx')], false);
    assert.deepEqual(edit.open, []);
    edit.foreign([all('y\nx', 'b\nc\nd')]);
    assert.deepEqual(edit.open, []);
    edit.foreign([all('b\nc\nd', 'x')]);
    assert.equal(edit.open.length, 1);
    edit.foreign([all('x', 'b\nc\nd')]);
    edit.foreign([all('b\nc\nd', 'y\nx')]);
    assert.deepEqual(edit.open, []);
  });

  it('opens again what a redo brings back in several changes, none of which tells it', () => {
    const edit = edited('x c y y2');
    rejectAll(edit);
    const line = (at: number, old: string, text: string) => ({
      startLine: at,
      startCharacter: 0,
      endLine: at,
      endCharacter: old.length,
      text,
    });
    edit.foreign([line(1, 'b', 'x'), line(3, 'd', 'y\nd'), line(4, 'd', 'y2')]);
    check(edit, 'a x c y y2 e');
    assert.deepEqual(
      edit.open.map(({ start, end }) => [start, end]),
      [
        [1, 2],
        [3, 5],
      ],
    );
    rejectAll(edit);
    check(edit, 'a b c d e');
  });

  it('opens again what a redo puts in at the edges of its region', () => {
    const document = lines('a b c d');
    for (const [shown, changes, expected] of [
      ['x b c y y2', [typed(3, 0, 'y2\n'), typed(3, 0, 'y\n'), typed(1, 0, 'x\n')], 'a x b c y y2 d'],
      ['B c C', [typed(3, 0, 'C\n'), { ...typed(1, 0, 'B'), endCharacter: 1 }], 'a B c C d'],
    ] as const) {
      const edit = new TrackedEdit(document, { start: 1, end: 3 });
      edit.show(lines(shown));
      const hunks = edit.open.length;
      rejectAll(edit);
      check(edit, 'a b c d');
      edit.foreign([...changes]);
      check(edit, expected);
      assert.equal(edit.open.length, hunks);
      rejectAll(edit);
      check(edit, 'a b c d');
    }
  });
});
