import assert from 'node:assert/strict';
import { type Outlined, symbolAround } from '../../../extension/edit/actions/texts/around.ts';
import {
  allTitle,
  chooseProblems,
  type FoundProblem,
  findPresent,
  fixInstruction,
  MAX_PROBLEMS,
  problemsAt,
  problemTitle,
} from '../../../extension/edit/actions/texts/problems.ts';
import { documentInstruction, testsInstruction } from '../../../extension/edit/actions/texts/requests.ts';

function problem(line: number, message: string, more: Partial<FoundProblem> = {}): FoundProblem {
  return { message, severity: 0, start: { line, character: 4 }, end: { line, character: 9 }, ...more };
}

describe('problems for a model', () => {
  const lines = ['const a = 1;', '  return total;', 'export {};'];
  const lineAt = (line: number) => lines[line] ?? '';

  it('name one problem with its line, who found it, and the text there', () => {
    const found = problem(1, "Cannot find name 'total'.", { source: 'ts', code: '2304' });
    const asked = fixInstruction([found], lineAt);
    assert.match(asked, /^Fix the error in line 2: Cannot find name 'total'\. \(ts 2304\)\n {4}return total;\n/);
    assert.match(asked, /Change nothing else/);
  });

  it('list several by number', () => {
    const range = { start: { line: 0, character: 0 }, end: { line: 2, character: 0 } };
    const asked = fixInstruction([problem(0, 'Unused', { severity: 1, ...range }), problem(2, 'Wrong')], lineAt);
    assert.match(
      asked,
      /^Fix these 2 problems\.\n\n1\. lines 1–2, warning: Unused\n {4}const a = 1;\n2\. line 3, error: Wrong\n/,
    );
  });

  it('say so when they are not all, even when one of many is left', () => {
    assert.match(fixInstruction([problem(0, 'Wrong')], lineAt, 3), /These are 1 of 3; leave the others/);
  });

  it('cut what is too long to be read', () => {
    const asked = fixInstruction([problem(0, 'x'.repeat(5_000))], () => 'y'.repeat(5_000));
    assert.ok(asked.length < 2_000, `${asked.length} characters`);
  });

  it('are taken worst first when there are too many, and told in the order of the lines', () => {
    const many = Array.from({ length: 80 }, (_, line) => problem(line, `p${line}`, { severity: line < 60 ? 1 : 0 }));
    const chosen = chooseProblems(many.toReversed());
    assert.equal(chosen.length, MAX_PROBLEMS);
    assert.deepEqual(
      chosen.map(({ start }) => start.line),
      [...Array(30).keys(), ...Array.from({ length: 20 }, (_, index) => 60 + index)],
    );
  });
});

describe('the problem that is meant', () => {
  const wide = problem(3, 'wide', { end: { line: 6, character: 0 } });
  const narrow = problem(4, 'narrow');
  const warning = problem(4, 'warning', { severity: 1, end: { line: 4, character: 6 } });
  const rows: [title: string, line: number, character: number, expected: string[]][] = [
    ['is around the cursor, the worst and narrowest first', 4, 5, ['narrow', 'wide', 'warning']],
    ['is around the cursor before those beside it', 4, 0, ['wide']],
    ['is in the line when none is around the cursor', 3, 0, ['wide']],
    ['is none in a line without any', 9, 0, []],
  ];
  for (const [title, line, character, expected] of rows) {
    it(title, () => {
      const found = problemsAt([warning, wide, narrow], { line, character });
      assert.deepEqual(
        found.map(({ message }) => message),
        expected,
      );
    });
  }

  it('is the one with its message that is nearest now', () => {
    const present = [problem(2, 'same'), problem(9, 'same'), problem(8, 'other')];
    assert.equal(findPresent(present, 'same', { line: 8, character: 0 }), present[1]);
    assert.equal(findPresent(present, 'gone', { line: 8, character: 0 }), undefined);
  });
});

describe('titles of quick fixes', () => {
  const rows: [title: string, expected: string][] = [
    [problemTitle('Fix'), 'Fix with Perigee'],
    [
      problemTitle('Explain', "Cannot find name 'x'.\nDid you mean 'y'?"),
      "Explain “Cannot find name 'x'” with Perigee",
    ],
    [
      problemTitle('Fix', "Type 'string' is not assignable to type 'number | undefined' of the property"),
      "Fix “Type 'string' is not assignable to type…” with Perigee",
    ],
    [allTitle(3, 'a.ts'), 'Fix all 3 problems in a.ts'],
    [allTitle(1, 'a.ts'), 'Fix the problem in a.ts'],
    [allTitle(120, 'a.ts'), 'Fix 50 of the 120 problems in a.ts'],
  ];
  for (const [title, expected] of rows) it(expected, () => assert.equal(title, expected));
});

describe('the symbol around the cursor', () => {
  const [CLASS, METHOD, FUNCTION, CONSTANT] = [4, 5, 11, 13];
  const symbol = (name: string, kind: number, first: number, last: number, children: Outlined[] = []): Outlined => ({
    name,
    kind,
    range: { start: { line: first, character: 0 }, end: { line: last, character: 1 } },
    children,
  });
  const symbols = [
    symbol('Client', CLASS, 0, 20, [
      symbol('send', METHOD, 2, 10, [symbol('retry() callback', FUNCTION, 4, 8)]),
      symbol('close', METHOD, 12, 14),
    ]),
    symbol('wait', FUNCTION, 22, 30, [symbol('inner', FUNCTION, 24, 26)]),
    symbol('limits', CONSTANT, 32, 40, [symbol('tries', 7, 33, 34)]),
  ];
  const rows: [title: string, line: number, expected: string | undefined][] = [
    ['is the method, and not what is nested in it', 5, 'send'],
    ['is the class where no member is', 11, 'Client'],
    ['is the outer function', 25, 'wait'],
    ['is the whole constant', 33, 'limits'],
    ['is none between symbols', 21, undefined],
  ];
  for (const [title, line, expected] of rows) {
    it(title, () => assert.equal(symbolAround(symbols, { line, character: 0 })?.name, expected));
  }
});

describe('requests', () => {
  it('for comments name the part and forbid everything else', () => {
    const asked = documentInstruction({ name: 'fetchOrder', first: 12, last: 20 });
    assert.match(asked, /^Document `fetchOrder` \(lines 12 to 20\)\.\n/);
    assert.match(asked, /nothing outside of what was named/);
    assert.match(documentInstruction({ first: 3, last: 3 }), /^Document line 3\.\n/);
    assert.match(documentInstruction(undefined), /^Document this file\.\n/);
  });

  it('for tests say where they belong', () => {
    assert.match(testsInstruction({ path: 'src/a.ts', existing: 'test/a.test.ts' }), /Add them to test\/a\.test\.ts/);
    assert.doesNotMatch(testsInstruction({ path: 'a.test.ts', existing: 'a.test.ts' }), /not change a\.test/);
    assert.match(testsInstruction({ path: 'src/a.ts', place: 'test/a.test.ts' }), /the new file test\/a\.test\.ts\.\n/);
    assert.match(testsInstruction({ path: 'src/a.ts' }), /where the tests of this workspace have their place/);
    assert.match(testsInstruction({ path: 'src/a.ts', example: 'test/b.test.ts' }), /b\.test\.ts shows how/);
  });
});
