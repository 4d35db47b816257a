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
    ['replaces a line', block('  return b(items, 1);', '  return b(items, 11);')],
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
        '  const found = items.find((item) => item.isOpen);\n  return b(found, 2);',
        '  for (const entry of items) {\n    if (entry.isShut) continue;\n    console.log(entry.title);\n    yield entry;\n  }',
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
        'const found = items.find((item) => item.isShut);\nreturn b(found, 3);',
      ),
    ],
    [
      'is a patch',
      patch('@@ export function first(items) {', '-  return b(items, 1);', '+  return b(items, 11);', ' }'),
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
    it('is made twice beside others, for it may be meant so', () => {
      assert.equal(made(once, adding + OTHER).split("from './c'").length, 3);
    });
    it('is not made twice when it is known to have been made', () => {
      const reader = new AnswerReader();
      const edits = [...reader.feed(adding), ...reader.end()].map((edit) => ({ ...edit, wasMade: true }));
      const others = new AnswerReader().feed(OTHER);
      const [plan] = planEdits([...edits, ...others], () => once, { isOld: true });
      assert.equal(plan?.kind === 'update' && plan.after, once.replace('size = 10', 'size = 20'));
    });
  });

  it('is none in an answer that is no older than the file', () => {
    const answer = block('  return b(items, 1);', '  return b(items, 11);');
    const edits = new AnswerReader().feed(answer);
    const [plan] = planEdits(edits, () => made(FILE, answer));
    assert.deepEqual(plan?.kind === 'refused' && plan.refusals.map(({ reason }) => reason), ['notFound']);
  });

  it('keeps the line ends of the file out of the comparison', () => {
    const answer = block('  return b(items, 1);', '  return b(items, 11);');
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
    const once = made(FILE, block('  return b(items, 1);', '  return b(items, 11);'));
    const both =
      block('  return b(items, 1);', '  return b(items, 11);') + block('  return b(items, 11);', '  return b();');
    assert.deepEqual(reasons(once, both), ['overlap']);
  });

  it('and one that adds what says nothing by itself is made again', () => {
    assert.equal(made('rows:\n- a\n- b\n', block('- a', '- a\n- b')), 'rows:\n- a\n- b\n- b\n');
  });
});
