import assert from 'node:assert/strict';
import { planBlocks, readAnswerBlocks, readCode } from '../../../extension/edit/changes/applyBlocks.ts';
import { tellRefusal } from '../../../extension/edit/words/refusalWords.ts';

const file = 'export function a() {\n  return 1;\n}\n\nexport function b() {\n  return 2;\n}\n';
const read = (path: string) => (path === 'src/a.ts' ? file : undefined);

describe('what can be applied of an answer', () => {
  it('leaves out commands, diffs that name no file and code for no file, and names them', () => {
    const answer = [
      'Change this:',
      '',
      '`src/a.ts`',
      '```ts',
      'export function a() {',
      '  return 3;',
      '}',
      '```',
      'Then run',
      '```bash',
      'npm test',
      '```',
      'or look at',
      '```json',
      '{ "a": 1 }',
      '```',
      '```diff',
      '@@ -1,1 +1,1 @@',
      '-x',
      '+y',
      '```',
    ].join('\n');
    const { edits, skipped } = readAnswerBlocks(answer);
    assert.deepEqual(
      edits.map(({ kind, path }) => [kind, path]),
      [['whole', 'src/a.ts']],
    );
    assert.deepEqual(skipped, [
      'commands (bash)',
      'json without a file’s name',
      'a diff that names no file or can’t be read',
    ]);
  });

  it('takes a script for a file when its file is named, and a command after a path for a command', () => {
    assert.equal(readAnswerBlocks('`run.sh`\n```bash\nnpm test\n```\n').edits.length, 1);
    assert.equal(readAnswerBlocks('`src/a.ts`\n```bash\nnpx tsc src/a.ts\n```\n').edits.length, 0);
  });

  it('reads a block with marks as changes, whichever file the fence names', () => {
    const block = '<<<<<<< SEARCH\n  return 1;\n=======\n  return 3;\n>>>>>>> REPLACE';
    const { edits } = readCode(block, 'ts', 'src/a.ts');
    assert.deepEqual(
      edits.map(({ kind, path }) => [kind, path]),
      [['change', 'src/a.ts']],
    );
    const patch = '*** Begin Patch\n*** Delete File: src/a.ts\n*** End Patch';
    assert.deepEqual(
      readCode(patch, 'diff', undefined).edits.map(({ kind, path }) => [kind, path]),
      [['delete', 'src/a.ts']],
    );
    assert.deepEqual(readCode('@@ -1 +1 @@\n-a\n+b', 'diff', undefined).edits, []);
  });
});

describe('the plans for blocks', () => {
  const whole = (path: string, ...lines: string[]) => ({ kind: 'whole' as const, path, lines, answerLine: 1 });

  it('put several pieces of one file in, each in its place', () => {
    const [plan, ...more] = planBlocks(
      [
        whole('src/a.ts', 'export function b() {', '  return 4;', '}'),
        whole('src/a.ts', 'export function a() {', '  return 3;', '}'),
      ],
      read,
    );
    assert.equal(more.length, 0);
    assert.equal(plan?.kind, 'update');
    assert.equal(plan.kind === 'update' && plan.after, file.replace('1', '3').replace('2', '4'));
    assert.equal(plan.kind === 'update' && plan.hunks.length, 2);
  });

  it('tell of which named block each hunk is, of pieces and of changes, also where they push each other down', () => {
    const piece = (block: string, ...lines: string[]) => ({ ...whole('src/a.ts', ...lines), block });
    const hunks = planBlocks(
      [
        piece('first', 'export function a() {', '  const three = 3;', '  return three;', '}'),
        piece('second', 'export function b() {', '  return 4;', '}'),
      ],
      read,
    ).flatMap((plan) => (plan.kind === 'update' ? plan.hunks : []));
    assert.deepEqual(
      hunks.map(({ blocks }) => blocks),
      [['first'], ['second']],
    );
    const change = (block: string, from: string, to: string) => {
      const text = `<<<<<<< SEARCH\n${from}\n=======\n${to}\n>>>>>>> REPLACE`;
      return readCode(text, 'ts', 'src/a.ts').edits.map((edit) => ({ ...edit, block }));
    };
    const [plan] = planBlocks(
      [...change('low', '  return 2;', '  return 4;'), ...change('high', '  return 1;', '  return 3;')],
      read,
    );
    assert.deepEqual(plan?.kind === 'update' && plan.hunks.map(({ blocks }) => blocks), [['high'], ['low']]);
  });

  it('leave out what a file has already, of pieces and of changes', () => {
    const change = (from: string, to: string) =>
      readCode(`<<<<<<< SEARCH\n${from}\n=======\n${to}\n>>>>>>> REPLACE`, 'ts', 'src/a.ts').edits;
    const made = change('export function a() {\n  return 0;\n}', 'export function a() {\n  return 1;\n}');
    for (const edits of [
      [...made, ...change('  return 2;', '  return 4;')],
      [
        whole('src/a.ts', 'export function a() {', '  return 1;', '}'),
        whole('src/a.ts', 'export function b() {', '  return 4;', '}'),
      ],
    ]) {
      const [plan] = planBlocks(edits, read);
      assert.equal(plan?.kind === 'update' && plan.after, file.replace('2', '4'));
    }
  });

  it('refuse all of a file when one piece of it has no place', () => {
    const [plan] = planBlocks(
      [
        whole('src/a.ts', 'export function a() {', '  return 3;', '}'),
        whole('src/a.ts', 'unheard.of = somewhere();', 'unheard.ever();'),
      ],
      read,
    );
    assert.equal(plan?.kind, 'refused');
  });

  it('make a new file of code for one that there is not', () => {
    const [plan] = planBlocks([whole('src/new.ts', 'export const x = 1;')], read);
    assert.deepEqual(plan && { kind: plan.kind, after: plan.kind === 'create' && plan.after }, {
      kind: 'create',
      after: 'export const x = 1;\n',
    });
  });

  it('tell that a file reads so already', () => {
    const [plan] = planBlocks([whole('src/a.ts', 'export function a() {', '  return 1;', '}')], read);
    assert.equal(plan?.kind === 'refused' && plan.refusals[0]?.reason, 'noChange');
  });
});

describe('a refusal in words', () => {
  it('names what was looked for and the nearest line', () => {
    const told = tellRefusal('a.ts', {
      reason: 'notFound',
      message: 'The block does not match.',
      lookedFor: ['', '  const x = 1;'],
      nearest: { line: 7, lines: ['  const x = 2;'], similarity: 0.9 },
    });
    assert.equal(told, 'a.ts: The block does not match. Looked for “const x = 1;”; nearest is line 7, “const x = 2;”.');
  });

  it('names no nearest line where none is like what was looked for', () => {
    const told = tellRefusal('a.ts', {
      reason: 'notFound',
      message: 'It has no place.',
      lookedFor: ['function f() {'],
      nearest: { line: 7, lines: ['    } catch (error) {'], similarity: 0.3 },
    });
    assert.equal(told, 'a.ts: It has no place. Looked for “function f() {”.');
  });

  it('names the places between which it can’t choose', () => {
    const told = tellRefusal('a.ts', {
      reason: 'uncertain',
      message: 'Unclear.',
      lookedFor: [],
      candidates: [3, 9, 12],
    });
    assert.equal(told, 'a.ts: Unclear. It could be lines 3, 9 or 12.');
  });
});
