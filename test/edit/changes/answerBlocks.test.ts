import assert from 'node:assert/strict';
import { listApplicable } from '../../../extension/chat/webview/blocks/applicable.ts';
import { blocksOf, nameEdits, tellStanding, withoutRepeats } from '../../../extension/edit/changes/answerBlocks.ts';
import { planBlocks, readAnswerBlocks, readCode } from '../../../extension/edit/changes/applyBlocks.ts';

const change = (from: string, to: string) => `<<<<<<< SEARCH\n${from}\n=======\n${to}\n>>>>>>> REPLACE`;
const fence = (text: string, info = 'ts') => `\`\`\`${info}\n${text}\n\`\`\``;
const indented = (text: string, by = '   ') => text.replaceAll(/^(?=.)/gm, by);
const NAMED = `src/x.ts\n${fence(change('one();', 'one(1);'))}\n\nsrc/y.ts\n${fence(change('two();', 'two(2);'))}\n`;

/** The answer as the chat asks for it. `done`: of each of its blocks. */
function taken(answer: string, done: (block: { block: string; text: string }) => string[] = () => []) {
  const shown = listApplicable(answer) ?? [];
  const blocks = shown.map((one) => {
    const { edits } = readCode(one.text, one.language, one.path);
    return { name: one.block, done: done(one), edits };
  });
  return { shown, ...nameEdits(readAnswerBlocks(answer).edits, blocks) };
}

describe('the blocks of an answer, as the chat shows them, and its edits, as the host reads them', () => {
  const cases: [string, string][] = [
    ['of two named blocks', ''],
    ['where one stands in a numbered list', `\n1. In src/x.ts:\n\n${indented(fence(change('a();', 'a();\nb();')))}\n`],
    [
      'where one stands in a list with blanks beyond its fence',
      `\n- In \`src/x.ts\`:\n\n${indented(fence(change('  a();', '  a();\n  b();')), '  ')}\n`,
    ],
    [
      'where one deletes lines within a list',
      `\n1. In src/x.ts:\n\n${indented(fence(change('a();\nb();', 'a();')))}\n`,
    ],
    ['where one follows words that name no file', `\nAnd then also this one:\n\n${fence(change('a();', 'b();'))}\n`],
    ['where one stands in a quote', `\nsrc/x.ts\n${fence(`${change('a();', 'b();')}\n\n`)}\n`],
    ['where a fence ends with a blank line', `\nsrc/z.ts\n${fence('const z = 1;\n')}\n`],
    ['where a fence ends with many', `\nsrc/z.ts\n${fence('\n\nconst z = 1;\n\n\n')}\n`],
    [
      'where a fence is indented and a line in it is not',
      `\nsrc/z.ts\n  \`\`\`ts\n  const z = 1;\nconst y = 2;\n  \`\`\`\n`,
    ],
    ['where a line is indented less than the fence', `\nsrc/z.ts\n   \`\`\`ts\n   f(\n  1,\n   );\n   \`\`\`\n`],
    [
      'where one is a patch for several files',
      `\n${fence('*** Begin Patch\n*** Delete File: src/a.ts\n*** Add File: src/b.ts\n+const b = 1;\n*** End Patch', 'diff')}\n`,
    ],
    ['where two are the same', `\n${NAMED}`],
  ];
  for (const [title, more] of cases) {
    const answer = NAMED + more;
    it(`are the same ${title}: each edit has its block, and is made once`, () => {
      const { shown, edits, skipped } = taken(answer);
      assert.deepEqual(skipped, []);
      assert.equal(edits.length, readAnswerBlocks(answer).edits.length);
      assert.ok(edits.every(({ block }) => shown.some((one) => one.block === block)));
      assert.equal(new Set(edits.map(({ block }) => block)).size, new Set(shown.map(({ block }) => block)).size);
    });
    it(`leave out what is done ${title}`, () => {
      for (const { block } of taken(answer).shown) {
        const left = taken(answer, (one) => (one.block === block ? ['src/a.ts', 'src/b.ts'] : []));
        assert.deepEqual(left.skipped, []);
        assert.deepEqual(
          left.edits,
          taken(answer).edits.filter((edit) => edit.block !== block),
        );
      }
    });
  }

  it('leave out an edit that is in no block, and say so', () => {
    const edits = readAnswerBlocks(NAMED).edits;
    const [first] = edits;
    const left = nameEdits(edits, [{ name: 'first', done: [], edits: [first!] }]);
    assert.deepEqual(left.edits, [{ ...first, block: 'first' }]);
    assert.deepEqual(left.skipped, [
      'a change of src/y.ts at line 12 of the answer, which is in no block that is offered',
    ]);
  });

  it('leave out plain code for which the chat shows no file, and say so', () => {
    const { skipped } = taken(`${NAMED}\n1. In src/x.ts:\n\n   src/x.ts\n\n${indented(fence('const x = 1;'))}\n`);
    assert.equal(skipped.length, 1);
    assert.match(skipped[0]!, /^a change of src\/x\.ts at line \d+ of the answer/);
  });

  it('keep what is malformed, which stands in the way of its file', () => {
    const broken = { kind: 'malformed' as const, path: 'src/x.ts', message: '', lines: [], answerLine: 1 };
    assert.deepEqual(nameEdits([broken], [{ name: 'one', done: [], edits: [] }]), { edits: [broken], skipped: [] });
  });

  it('are done in each file by itself', () => {
    const patch = `*** Begin Patch\n*** Delete File: src/a.ts\n*** Update File: src/b.ts\n*** Move to: src/c.ts\n@@\n-b\n+c\n*** End Patch`;
    const { edits } = readCode(patch, 'diff', undefined);
    const open = (...done: string[]) => nameEdits(edits, [{ name: 'one', done, edits }]).edits.map(({ path }) => path);
    assert.deepEqual(open(), ['src/a.ts', 'src/b.ts', 'src/b.ts']);
    assert.deepEqual(open('src/a.ts'), ['src/b.ts', 'src/b.ts']);
    assert.deepEqual(open('src/c.ts', 'src/a.ts'), []);
    assert.deepEqual(open('src/c.ts'), ['src/a.ts']);
  });

  it('make all of a file once, and changes as often as they are asked for', () => {
    const read = (...blocks: string[]) => readAnswerBlocks(blocks.map((one) => `src/n.ts\n${one}\n\n`).join('')).edits;
    const whole = fence('const n = 1;');
    assert.equal(withoutRepeats(read(whole, whole)).length, 1);
    assert.equal(withoutRepeats(read(whole, fence('const n = 2;'))).length, 2);
    const created = fence(change('', 'const n = 1;').replace('\n\n', '\n'));
    assert.equal(withoutRepeats(read(created, created)).length, 1);
    const [plan] = planBlocks(withoutRepeats(read(whole, whole)), () => undefined);
    assert.equal(plan?.kind, 'create');
    const changed = fence(change('a', 'b'));
    assert.equal(withoutRepeats(read(changed, changed)).length, 2);
    const deleted = fence('*** Begin Patch\n*** Delete File: src/n.ts\n*** End Patch');
    assert.equal(withoutRepeats(read(deleted, deleted)).length, 1);
  });
});

describe('what stands in a file already', () => {
  const FILE = 'function one() {\n  return first(11);\n}\n\nfunction two() {\n  return second(2);\n}\n';
  const named = (block: string, text: string, answerLine: number) =>
    readCode(text, 'ts', 'a.ts').edits.map((edit) => ({ ...edit, block, answerLine }));

  it('is told, and its block is none of what is applied', () => {
    for (const made of [
      change('function one() {\n  return first(1);', 'function one() {\n  return first(11);'),
      'function one() {\n  return first(11);\n}\n',
    ]) {
      const other = made.startsWith('<')
        ? change('  return second(2);', '  return second(22);')
        : 'function two() {\n  return second(22);\n}\n';
      const edits = [...named('made', made, 1), ...named('new', other, 9)];
      const [plan] = planBlocks(edits, () => FILE);
      assert.equal(plan?.kind === 'update' && plan.after, FILE.replace('(2)', '(22)'));
      assert.deepEqual(blocksOf(edits, plan!), { blocks: ['new'] });
      assert.deepEqual(tellStanding([plan!]), [
        made.startsWith('<')
          ? 'a change of a.ts that is made already (line 2)'
          : 'code for a.ts that stands in it already',
      ]);
    }
  });

  it('is told as what may be, where it is a line alone that was added', () => {
    const adding = named('made', change('function one() {', 'function one() {\n  return first(11);'), 1);
    const edits = [...adding, ...named('new', change('  return second(2);', '  return second(22);'), 9)];
    const [plan] = planBlocks(edits, () => FILE);
    assert.deepEqual(tellStanding([plan!]), ['a change of a.ts that may be made already (line 2)']);
    assert.deepEqual(blocksOf(edits, plan!), { blocks: ['new'] });
  });
});
