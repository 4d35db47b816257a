import assert from 'node:assert/strict';
import type { FilePlan } from '../../../extension/edit/engine/edits.ts';
import { planEdits } from '../../../extension/edit/engine/planning/plan.ts';
import { AnswerReader } from '../../../extension/edit/engine/reading/answerReader.ts';

const FILE = `import { b } from './b';

export function first(items) {
  return b(items, 1);
}

export function second(items) {
  const found = items.find((item) => item.isOpen);
  return b(found, 2);
}

export const size = 10;
`;

const block = (search: string, replace: string) =>
  `a.ts\n<<<<<<< SEARCH\n${search}\n=======\n${replace}\n>>>>>>> REPLACE\n`;
const patch = (...lines: string[]) => `*** Begin Patch\n*** Update File: a.ts\n${lines.join('\n')}\n*** End Patch\n`;

function planOf(before: string, answer: string): FilePlan {
  const reader = new AnswerReader();
  const edits = [...reader.feed(answer), ...reader.end()];
  const [plan, ...others] = planEdits(edits, (path) => (path === 'a.ts' ? before : undefined), { isOld: true });
  assert.equal(others.length, 0);
  return plan!;
}

function made(before: string, answer: string): string {
  const plan = planOf(before, answer);
  assert.equal(plan.kind, 'update', JSON.stringify(plan.kind === 'refused' && plan.refusals));
  return plan.kind === 'update' ? plan.after : '';
}

const reasons = (before: string, answer: string) => {
  const plan = planOf(before, answer);
  return plan.kind === 'refused' ? plan.refusals.map(({ reason }) => reason) : plan.kind;
};

const OTHER = block('export const size = 10;', 'export const size = 20;');

describe('a change that was made already', () => {
  const cases: [string, string][] = [
    [
      'replaces a line below one that stays',
      block(
        'export function first(items) {\n  return b(items, 1);',
        'export function first(items) {\n  return b(items, 11);',
      ),
    ],
    [
      'replaces a line between others that stay',
      block(
        'export function second(items) {\n  const found = items.find((item) => item.isOpen);',
        'export function second(items) {\n  const found = items.findLast((item) => item.isOpen);',
      ),
    ],
    [
      'replaces lines by wholly others',
      block(
        'export function second(items) {\n  const found = items.find((item) => item.isOpen);\n  return b(found, 2);',
        'export function second(items) {\n  for (const entry of items) {\n    if (entry.isShut) continue;\n    console.log(entry.title);\n    yield entry;\n  }',
      ),
    ],
    [
      'adds a function above one',
      block(
        'export function second(items) {',
        'export function zeroth(items) {\n  const [zeroth] = items;\n  return zeroth ?? missing(items);\n}\n\nexport function second(items) {',
      ),
    ],
    [
      'adds lines between two',
      block(
        'export function first(items) {\n  return b(items, 1);',
        'export function first(items) {\n  if (!items) return undefined;\n  return b(items, 1);',
      ),
    ],
    [
      'takes a line out between two',
      block(
        'export function second(items) {\n  const found = items.find((item) => item.isOpen);\n  return b(found, 2);',
        'export function second(items) {\n  return b(found, 2);',
      ),
    ],
    [
      'is indented less than the file',
      block(
        'const found = items.find((item) => item.isOpen);\nreturn b(found, 2);',
        'const found = items.find((item) => item.isOpen);\nreturn b(found, 3);',
      ),
    ],
    [
      'is a patch',
      patch('@@ export function first(items) {', '-  return b(items, 1);', '+  return b(items, 11);', ' }'),
    ],
    [
      'is a patch that adds above lines of a heading that stands nowhere',
      patch(
        '@@ function invented(items) {',
        '+export function zeroth(items) {',
        '+  const [zeroth] = items;',
        '+  return zeroth ?? missing(items);',
        '+}',
        ' export function second(items) {',
      ),
    ],
    [
      'is a patch that adds',
      patch(' export function first(items) {', '+  if (!items) return undefined;', '   return b(items, 1);'),
    ],
  ];
  for (const [title, answer] of cases) {
    it(`and ${title}, is not refused and not made twice`, () => {
      const once = made(FILE, answer);
      assert.notEqual(once, FILE);
      assert.deepEqual(reasons(once, answer), ['noChange']);
    });
    it(`and ${title}, stands in the way of no other of its file`, () => {
      const once = made(FILE, answer);
      // A patch and a block don't stand in one answer.
      const other = answer.startsWith('***')
        ? answer.replace('*** End Patch', '@@\n-export const size = 10;\n+export const size = 20;\n*** End Patch')
        : answer + OTHER;
      assert.equal(made(once, other), once.replace('size = 10', 'size = 20'));
      assert.equal(made(FILE, other), once.replace('size = 10', 'size = 20'));
    });
  }

  describe('and adds a line or two', () => {
    const adding = block("import { b } from './b';", "import { b } from './b';\nimport { c } from './c';");
    const once = made(FILE, adding);
    it('is not made twice by itself', () => assert.deepEqual(reasons(once, adding), ['noChange']));
    it('is not made twice beside others, and told as one that may be made', () => {
      const plan = planOf(once, adding + OTHER);
      assert.equal(plan.kind === 'update' && plan.after, once.replace('size = 10', 'size = 20'));
      assert.deepEqual(plan.kind === 'update' && plan.standing, [{ answerLine: 2, line: 2, isSure: false }]);
    });
    it('is not made twice when it is known to have been made', () => {
      const reader = new AnswerReader();
      const edits = [...reader.feed(adding), ...reader.end()].map((edit) => ({ ...edit, wasMade: true }));
      const others = new AnswerReader().feed(OTHER);
      const [plan] = planEdits([...edits, ...others], () => once, { isOld: true });
      assert.equal(plan?.kind === 'update' && plan.after, once.replace('size = 10', 'size = 20'));
    });
  });

  it('is told with its line, by its block, beside what is made', () => {
    const answer = cases[0]![1];
    const once = made(FILE, answer);
    const reader = new AnswerReader();
    const edits = [...reader.feed(answer + OTHER), ...reader.end()];
    const named = edits.map((edit, index) => ({ ...edit, block: `block ${index}` }));
    const [plan] = planEdits(named, () => once, { isOld: true });
    assert.equal(plan?.kind, 'update');
    assert.deepEqual(plan?.kind === 'update' && plan.standing, [
      { answerLine: 2, block: 'block 0', line: 4, isSure: true },
    ]);
  });

  it('is none in an answer that is no older than the file', () => {
    const answer = block('  return b(items, 1);', '  return b(items, 11);');
    const edits = new AnswerReader().feed(answer);
    const [plan] = planEdits(edits, () => made(FILE, answer));
    assert.deepEqual(plan?.kind === 'refused' && plan.refusals.map(({ reason }) => reason), ['notFound']);
  });

  it('keeps the line ends of the file out of the comparison', () => {
    const answer = cases[0]![1];
    const once = made(FILE.replaceAll('\n', '\r\n'), answer);
    assert.deepEqual(reasons(once, answer), ['noChange']);
  });

  it('is a new file of just this text', () => {
    const add = '*** Begin Patch\n*** Add File: a.ts\n+const a = 1;\n+const b = 2;\n*** End Patch\n';
    assert.deepEqual(reasons('const a = 1;\nconst b = 2;\n', add), ['noChange']);
    assert.deepEqual(reasons('const a = 1;\nconst b = 3;\n', add), ['fileExists']);
  });
});

describe('a change that has no place is refused', () => {
  const refused: [string, string, string][] = [
    ['where its new lines stand twice', `${FILE}${FILE}`, block('  return unheard(of);', '  return b(items, 1);')],
    ['where nothing is left of it', FILE, block('  return nowhere(7);', '')],
    [
      'where what is left of it is a bracket',
      FILE.replace("'./b';\n", "'./b';\n[\n"),
      block('  return nowhere(7);', '['),
    ],
    [
      'where its new line stands elsewhere, and a line like the old one here',
      FILE,
      block('  const found = items.fnd((item) => item.isOpen);', '  return b(items, 1);'),
    ],
    [
      'where its new line stands elsewhere, and nothing like the old one at all',
      FILE,
      block('  unheard.of = somewhere(else);', '  return b(items, 1);'),
    ],
    [
      'where lines alone were taken out that the file never had',
      FILE,
      block('  unheard.of = somewhere(else);\n  return b(found, 2);', '  return b(found, 2);'),
    ],
    [
      'where somebody changed it by hand since',
      FILE.replace('b(items, 1)', 'b(items, 12)'),
      block('  return b(items, 1);', '  return b(items, 11);'),
    ],
  ];
  for (const [title, before, answer] of refused) {
    it(title, () => {
      assert.deepEqual(reasons(before, answer), ['notFound']);
      assert.notEqual(planOf(before, answer + OTHER).kind, 'update');
    });
  }

  it('where another one changes what was made already', () => {
    const head = 'export function first(items) {\n';
    const answer = block(`${head}  return b(items, 1);`, `${head}  return b(items, 11);`);
    const once = made(FILE, answer);
    const both = answer + block('  return b(items, 11);', '  return b();');
    assert.deepEqual(reasons(once, both), ['overlap']);
  });

  it('and one that adds what says nothing by itself is made again', () => {
    assert.equal(made('rows:\n- a\n- b\n', block('- a', '- a\n- b')), 'rows:\n- a\n- b\n- b\n');
  });
});

/** Two functions: the old line of a change was edited by hand in the first, and its new one stands in the second. */
const two = (first: string[], second: string[]) =>
  ['export function a(alpha, beta) {', ...first, '}', '', 'export function b(alpha, beta) {', ...second, '}', '']
    .concat('export const size = 10;', '')
    .join('\n');

describe('a change whose new lines stand where nothing proves that they are its own', () => {
  const SPLIT = ['  return foo(', '    alpha,', '  );'];
  const AUDIT = ['  openFile(alpha);', '  audit(alpha);', '  closeFile(alpha);'];
  const LOOP = ['  for (const entry of items) {', '    console.log(entry.title);', '    yield entry;', '  }'];
  const inClasses = (first: string[], second: string[]) =>
    ['class A {', ...first, '}', '', 'class B {', ...second, '}', '', 'export const size = 10;', ''].join('\n');
  const at = (...lines: string[]) => lines.join('\n');

  // The line at which they are told to stand.
  const cases: [string, string, string, number | undefined][] = [
    [
      'the formatter has split the old line, and another function holds the new one',
      two(SPLIT, ['  return foo(alpha, beta);']),
      block('  return foo(alpha);', '  return foo(alpha, beta);'),
      8,
    ],
    [
      'the old line was edited by hand, and another handler holds the new one',
      two(['  return res.json(alpha.all);'], ['  res.status(200).json(items);']),
      block('  res.json(items);', '  res.status(200).json(items);'),
      6,
    ],
    [
      'the line that stays above the change stands in both functions',
      two(['  const found = alpha.find();', ...SPLIT], ['  const found = alpha.find();', '  return foo(alpha, beta);']),
      block(
        '  const found = alpha.find();\n  return foo(alpha);',
        '  const found = alpha.find();\n  return foo(alpha, beta);',
      ),
      10,
    ],
    [
      'many new lines stand in another function, and nothing is like the old ones',
      two(['  return 1;'], LOOP),
      block('  const found = items.find((item) => item.isOpen);\n  return found.size;', at(...LOOP)),
      6,
    ],
    [
      'the new lines are indented otherwise in another function',
      two(SPLIT, ['    return foo(alpha, beta);']),
      block('return foo(alpha);', 'return foo(alpha, beta);'),
      8,
    ],
    [
      'a line is taken out of between two, which stand so in another function',
      two(
        ['  openFile(alpha);', '  audit(alpha, 2);', '  closeFile(alpha);'],
        ['  openFile(alpha);', '  closeFile(alpha);'],
      ),
      block(at(...AUDIT), at(AUDIT[0]!, AUDIT[2]!)),
      undefined,
    ],
    [
      'a line is taken out of between two, of which one was edited as well',
      two(
        ['  openFile(alpha, 1);', '  audit(alpha, 2);', '  closeFile(alpha);'],
        ['  openFile(alpha);', '  closeFile(alpha);'],
      ),
      block(at(...AUDIT), at(AUDIT[0]!, AUDIT[2]!)),
      undefined,
    ],
    [
      'a heading is of another class',
      inClasses(['  one = 11;', '  two = 22;'], ['  first() {}', '  second() {}', '  third() {}']),
      patch('@@ class A {', '-  one() {}', '-  two() {}', '+  first() {}', '+  second() {}', '+  third() {}'),
      7,
    ],
    [
      'a heading is of another class, and a line that stays is of neither alone',
      inClasses(['  name;', '  one = 11;'], ['  label;', '  first() {}', '  second() {}', '  third() {}']),
      patch('@@ class A {', '   label;', '-  one() {}', '+  first() {}', '+  second() {}', '+  third() {}'),
      8,
    ],
    [
      'a heading stands nowhere',
      inClasses(['  name;'], ['  label;', '  first() {}', '  second() {}', '  third() {}']),
      patch('@@ class Gone {', '   label;', '-  one() {}', '+  first() {}', '+  second() {}', '+  third() {}'),
      7,
    ],
    [
      'a heading is of the same class, and lines like the old ones stand in it too',
      inClasses(['  run() {', ...SPLIT, '  }', '', '  walk() {', '  return foo(alpha, beta);', '  }'], ['  label;']),
      patch('@@ class A {', '-  return foo(alpha);', '+  return foo(alpha, beta);'),
      9,
    ],
  ];
  for (const [title, before, answer, line] of cases) {
    for (const wasMade of [false, true]) {
      it(`is refused and told where they stand, when ${title}${wasMade ? ', also if it was made once' : ''}`, () => {
        const edits = [...new AnswerReader().feed(answer)].map((edit) => ({ ...edit, ...(wasMade && { wasMade }) }));
        const [plan] = planEdits(edits, () => before, { isOld: true });
        assert.equal(plan?.kind, 'refused', JSON.stringify(plan));
        const [refusal] = plan.kind === 'refused' ? plan.refusals : [];
        assert.equal(refusal?.reason, 'notFound');
        if (line !== undefined)
          assert.match(refusal.message, new RegExp(`The new lines stand at line ${line} already`));
      });
    }
    it(`withholds the others of its file, when ${title}`, () => {
      const other = answer.startsWith('***')
        ? answer.replace('*** End Patch', '@@\n-export const size = 10;\n+export const size = 20;\n*** End Patch')
        : answer + OTHER;
      assert.equal(planOf(before, other).kind, 'refused');
    });
  }
});

describe('a change that was known to be made once', () => {
  it('is not made again, when lines that stay are around it', () => {
    const head = 'export function first(items) {\n';
    const answer = block(`${head}  return b(items, 1);`, `${head}  return b(items, 11);`);
    const once = made(FILE, answer);
    const edits = new AnswerReader().feed(answer).map((edit) => ({ ...edit, wasMade: true }));
    const [plan] = planEdits(edits, () => once, { isOld: true });
    assert.deepEqual(plan?.kind === 'refused' && plan.refusals.map(({ reason }) => reason), ['noChange']);
  });
});
