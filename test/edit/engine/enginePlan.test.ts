import assert from 'node:assert/strict';
import type { FilePlan } from '../../../extension/edit/engine/edits.ts';
import { planEdits, planReplacement } from '../../../extension/edit/engine/planning/plan.ts';
import { AnswerReader } from '../../../extension/edit/engine/reading/answerReader.ts';

const block = (search: string, replace: string) =>
  [
    '<<<<<<< SEARCH',
    ...(search === '' ? [] : [search]),
    '=======',
    ...(replace === '' ? [] : [replace]),
    '>>>>>>> REPLACE',
  ].join('\n');

function plan(files: Record<string, string>, answer: string): FilePlan[] {
  const reader = new AnswerReader('a.ts');
  return planEdits([...reader.feed(answer), ...reader.end()], (path) => files[path]);
}

/** The one file's new text and how its hunks were found; or the reasons of its refusal. */
function check(before: string, answer: string, expected: { after: string; how?: string[] } | { refused: string[] }) {
  const [only, ...more] = plan({ 'a.ts': before }, answer);
  assert.deepEqual(more, []);
  if ('refused' in expected) {
    assert.deepEqual(only!.kind === 'refused' ? only!.refusals.map(({ reason }) => reason) : only, expected.refused);
    return;
  }
  assert.ok(only?.kind === 'update', JSON.stringify(only));
  assert.equal(only.after, expected.after);
  if (expected.how)
    assert.deepEqual(
      only.hunks.map(({ how }) => how),
      expected.how,
    );
}

const LONG = 'const message = describe(customer, invoice, shipment, "the order was sent");';

describe('a block finds its place', () => {
  it('by its very words', () => check('a\nb\nc\n', block('b', 'x'), { after: 'a\nx\nc\n', how: ['exact'] }));
  it('over line ends and BOM, which stay', () =>
    check('\uFEFFa\r\nb\r\n', block('a', 'x\ny'), { after: '\uFEFFx\r\ny\r\nb\r\n', how: ['lineEnds'] }));
  it('over blanks at line ends, which stay', () =>
    check('a  \nb\n', block('a\nb', 'a\nx'), { after: 'a  \nx\n', how: ['trailingBlanks'] }));
  it('over one indentation for another, in which the new lines are written', () => {
    check(
      'if (x) {\n\tif (y) {\n\t\tgo();\n\t}\n}\n',
      block('if (y) {\n    go();\n}', 'if (y) {\n    go();\n    stop();\n}'),
      {
        after: 'if (x) {\n\tif (y) {\n\t\tgo();\n\t\tstop();\n\t}\n}\n',
        how: ['reindented'],
      },
    );
    check('  a();\n  b();\n', block('      a();', '      a();\n      c();'), { after: '  a();\n  c();\n  b();\n' });
  });
  it('over typeset punctuation, which comes back plain', () =>
    check('say("a");\n', block('say(“a”);', 'say(“b”);'), { after: 'say("b");\n', how: ['punctuation'] }));
  it('over escapes', () =>
    check('\ta();\n\tb();\n', block('\\ta();\\n\\tb();', '\\ta();\\n\\tc();'), {
      after: '\ta();\n\tc();\n',
      how: ['escapes'],
    }));
  it('by likeness, where the lines that it replaces are right', () =>
    check(
      `${LONG}\nsend(it);\n`,
      block(`${LONG.replace('sent', 'sends')}\nsend(it);`, `${LONG.replace('sent', 'sends')}\nkeep(it);`),
      {
        after: `${LONG}\nkeep(it);\n`,
        how: ['similar'],
      },
    ));
  it('in any order', () => check('a\nb\nc\n', `${block('c', 'z')}\n${block('a', 'x')}`, { after: 'x\nb\nz\n' }));
  it('without a final line end, which stays away', () => check('a\nb', block('b', 'x\ny'), { after: 'a\nx\ny' }));
  it('in an empty file, for an empty search', () => check('', block('', 'x'), { after: 'x\n', how: ['given'] }));
});

describe('a block is refused', () => {
  it('at more than one place, which are named', () => {
    const [only] = plan({ 'a.ts': 'a\nb\na\n' }, block('a', 'x'));
    assert.ok(only?.kind === 'refused');
    assert.deepEqual(only.refusals[0]!.candidates, [1, 3]);
    assert.match(only.refusals[0]!.message, /lines 1 and 3/);
  });
  it('at two places that only say the same', () =>
    check('  a();\n    a();\n', block('a();', 'b();'), { refused: ['ambiguous'] }));
  it('at none, with the nearest lines', () => {
    const [only] = plan({ 'a.ts': `x\n${LONG}\ny\n` }, block(LONG.replace('customer', 'supplier'), 'z'));
    assert.ok(only?.kind === 'refused');
    const { reason, nearest } = only.refusals[0]!;
    assert.equal(reason, 'notFound');
    assert.deepEqual([nearest?.line, nearest?.lines], [2, [LONG]]);
    assert.ok(nearest!.similarity > 0.85 && nearest!.similarity < 0.95);
  });
  it('at none, without lines that are not like it', () => {
    const [only] = plan(
      { 'a.ts': 'export const a = 1;\nb(2);\n' },
      block('function save(store) {\n  export(store);', 'z'),
    );
    assert.ok(only?.kind === 'refused');
    assert.equal(only.refusals[0]!.nearest, undefined);
  });
  it('with all others of its file', () =>
    check('a\nb\n', `${block('a', 'x')}\n${block('nowhere', 'y')}`, { refused: ['notFound'] }));
  it('where it changes what another one names', () => {
    check('a\nb\nc\n', `${block('a\nb', 'a\nx')}\n${block('b\nc', 'b\ny')}`, { refused: ['overlap'] });
    check('a\nb\nc\n', `${block('a\nb', 'x\nb')}\n${block('b\nc', 'b\ny')}`, { after: 'x\nb\ny\n' });
  });
  it('when it leaves out code', () => {
    check('a\nb\nc\n', block('a\nb\nc', 'a\n// ... existing code ...'), { refused: ['elided'] });
    check('a\n// ...\nc\n', block('a\n// ...', 'x\n// ...'), { after: 'x\n// ...\nc\n' });
    check('def a():\n    pass\n', block('    pass', '    ...'), { refused: ['elided'] });
    check('x\n', block('x', 'def a():\n    ...'), { after: 'def a():\n    ...\n' });
  });
  it('when it would change nothing, or add to a file that has text', () => {
    check('a\n', block('a', 'a'), { refused: ['noChange'] });
    check('a\n', block('', 'x'), { refused: ['fileExists'] });
  });
  it('when its divider may be the underline of a heading', () => {
    const written = (...lines: string[]) => ['<<<<<<< SEARCH', ...lines, '>>>>>>> REPLACE'].join('\n');
    const refused = { refused: ['uncertain'] };
    check('Intro\n\nTitle\n=====\ntext\n', written('Title', '=====', 'text'), refused);
    check('Intro\n\nTitle\n  ======\ntext\n', written('Title', '======', 'Other'), refused);
    check('Title\n=======\ntext\n', written('Title', '=======', 'text'), refused);
    check('Title\n=======\ntext\n', written('Title', '======='), refused);
    check('Title\n=======\ntext\n', written('Title', '=======', '======='), refused);
    check('Title\n-------\ntext\n', written('-------', '=======', '======='), { refused: ['malformed'] });
    check('Title\n~~~~~~~\ntext\n', written('Title', '~~~~~~~', '=======', '======='), { refused: ['malformed'] });
  });
  it('never for a divider that the file has elsewhere, or not at all', () => {
    const written = (...lines: string[]) => ['<<<<<<< SEARCH', ...lines, '>>>>>>> REPLACE'].join('\n');
    check('a\nb\n', written('a', '=====', 'x'), { after: 'x\nb\n' });
    check('a\n}\nb\n', written('a', '}', '=======', '======='), { after: 'b\n' });
    check('Title\n=======\ntext\n', written('Title', '=======', 'Other'), { after: 'Other\n=======\ntext\n' });
  });
  it('when the indentation of its new lines has two readings', () =>
    check('\t\ta();\n', block('    a();', '    a();\n        b();'), { refused: ['uncertain'] }));
});

describe('the heads of a patch', () => {
  const file = 'class A {\n  run() {\n    go();\n  }\n}\nclass B {\n  run() {\n    go();\n  }\n}\n';
  const patch = (...lines: string[]) =>
    ['*** Begin Patch', '*** Update File: a.ts', ...lines, '*** End Patch'].join('\n');
  it('tell equal places apart', () =>
    check(file, patch('@@ class B {', '-    go();', '+    stop();'), {
      after: file.replace(/(class B[\s\S]*)go/, '$1stop'),
    }));
  it('do not where they are equal themselves', () =>
    check(file, patch('@@   run() {', '-    go();', '+    stop();'), { refused: ['ambiguous'] }));
  it('contradict a place above them', () =>
    check('go();\nclass B {\n}\n', patch('@@ class B {', '-go();', '+stop();'), { refused: ['notFound'] }));
  it('may be numbers, which say nothing', () =>
    check('a\nb\n', patch('@@ -90,2 +91,2 @@', ' a', '-b', '+c'), { after: 'a\nc\n' }));
  it('mean the last of equal places with the mark of the end', () =>
    check('a\nb\na\n', patch('@@', '-a', '+x', '*** End of File'), { after: 'a\nb\nx\n' }));
});

describe('many files', () => {
  it('are planned each for itself: changed, new, moved, deleted, refused', () => {
    const answer = [
      '*** Begin Patch',
      '*** Update File: a.ts',
      '-a',
      '+b',
      '*** Add File: sub/new.ts',
      '+n',
      '*** Update File: old.ts',
      '*** Move to: ./sub/moved.ts',
      '*** Delete File: gone.ts',
      '*** Update File: missing.ts',
      '-x',
      '*** End Patch',
    ].join('\n');
    const plans = plan({ 'a.ts': 'a\n', 'old.ts': 'o\n', 'gone.ts': 'g\n' }, answer);
    assert.deepEqual(
      plans.map((one) => [one.kind, one.path, one.kind === 'move' ? one.to : 'after' in one ? one.after : '']),
      [
        ['update', 'a.ts', 'b\n'],
        ['create', 'sub/new.ts', 'n\n'],
        ['move', 'old.ts', 'sub/moved.ts'],
        ['delete', 'gone.ts', ''],
        ['refused', 'missing.ts', ''],
      ],
    );
  });
  it('are never overwritten by a move or an addition', () => {
    const answer = [
      '*** Begin Patch',
      '*** Update File: a.ts',
      '*** Move to: b.ts',
      '*** Add File: c.ts',
      '+x',
      '*** End Patch',
    ];
    const plans = plan({ 'a.ts': 'a\n', 'b.ts': 'b\n', 'c.ts': 'c\n' }, answer.join('\n'));
    assert.deepEqual(
      plans.map((one) => one.kind === 'refused' && one.refusals[0]!.reason),
      ['fileExists', 'fileExists'],
    );
  });
  it('are not deleted when another was to take their place', () => {
    const answer = [
      '*** Begin Patch',
      '*** Delete File: b.ts',
      '*** Update File: a.ts',
      '*** Move to: b.ts',
      '*** End Patch',
    ];
    const plans = plan({ 'a.ts': 'a\n', 'b.ts': 'b\n' }, answer.join('\n'));
    assert.deepEqual(
      plans.map((one) => one.kind),
      ['refused', 'refused'],
    );
  });
  it('are not replaced by what may be a piece of them', () => {
    const lines = (n: number, of = (i: number) => `line ${i};\n`) =>
      Array.from({ length: n }, (_, i) => of(i)).join('');
    const before = lines(40);
    const answer = (text: string) => `a.ts\n\`\`\`ts\n${text}\`\`\`\n`;
    check(before, answer('line 7;\nline eight;\nline 9;\n'), { refused: ['uncertain'] });
    check(before, answer(lines(19)), { refused: ['uncertain'] });
    check(before, answer(lines(30)), { refused: ['uncertain'] });
    const shorter = before.replace(/line 1\d;\n/g, '');
    check(before, answer(shorter), { after: shorter });
    const other = lines(40, (i) => `other ${i};\n`);
    check(before, answer(other), { after: other });
  });
  it('are new tables, but no numbered listings', () => {
    const rows = ['1\tAlice', '2\tBob', '3\tEve'].join('\n');
    for (const path of ['data/names.tsv', 'names.TAB', 'a.ts', 'a.py']) {
      const [only] = plan({}, `${path}\n\`\`\`\n${rows}\n\`\`\`\n`);
      assert.equal(only?.kind, /ts$|py$/.test(path) ? 'refused' : 'create', path);
    }
  });
  it('say which file is meant, or are refused', () => {
    const reader = new AnswerReader();
    const plans = planEdits([...reader.feed(`${block('a', 'b')}\n`), ...reader.end()], () => 'a\n');
    assert.ok(plans[0]!.kind === 'refused' && plans[0]!.refusals[0]!.reason === 'noPath');
  });
});

describe('a replacement of lines', () => {
  it('is moved to where they stand, and touches only what differs', () => {
    const made = planReplacement('a.ts', 'if (x) {\n  a();\n  b();\n}\n', { start: 1, end: 3 }, ['a();', 'c();']);
    assert.ok(made.kind === 'update');
    assert.equal(made.after, 'if (x) {\n  a();\n  c();\n}\n');
    assert.deepEqual(made.hunks, [{ startLine: 2, oldLines: ['  b();'], newLines: ['  c();'], how: 'given' }]);
  });
});
