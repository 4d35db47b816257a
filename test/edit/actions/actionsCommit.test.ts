import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  belowScissors,
  boundDiff,
  commitInstruction,
  newFileDiff,
  readMessage,
} from '../../../extension/edit/actions/texts/commitText.ts';

describe('the message in a model’s answer', () => {
  const long =
    'Retry orders that the service refused for being busy, and wait twice as long after each try up to ten seconds';
  const rows: [title: string, answer: string, expected: string][] = [
    [
      'stands in a fence',
      '```\nRetry orders\n\nThe service is often busy.\n```',
      'Retry orders\n\nThe service is often busy.',
    ],
    ['stands alone', 'Retry orders\n', 'Retry orders'],
    ['has a language’s name', '```git-commit\nRetry orders\n```\n', 'Retry orders'],
    ['has words before the fence', 'Sure!\n```\nRetry orders\n```', 'Retry orders'],
    ['is introduced', 'Here is the commit message:\n\nRetry orders', 'Retry orders'],
    ['is labelled', 'Commit message: Retry orders', 'Retry orders'],
    ['stands in quotes', '"Retry orders"', 'Retry orders'],
    ['has its subject in quotes', '```\n“Retry orders”\n\nBusy.\n```', 'Retry orders\n\nBusy.'],
    ['has its subject in bold', '**Retry orders**\n\nBusy.', 'Retry orders\n\nBusy.'],
    ['begins with a quoted word', '`wait` no longer blocks `send`', '`wait` no longer blocks `send`'],
    ['has no empty line after its subject', 'Retry orders\nBusy.', 'Retry orders\n\nBusy.'],
    [
      'goes on with the diff',
      '```\nRetry orders\n# ------------------------ >8 ------------------------\ndiff\n```',
      'Retry orders',
    ],
    ['keeps a list', 'Retry orders\n\n- wait\n- try', 'Retry orders\n\n- wait\n- try'],
    [
      'has a subject of several sentences',
      `Retry orders. ${'The service is often busy. '.repeat(4).trim()}`,
      'Retry orders\n\nThe service is often busy. The service is often busy. The service is\noften busy. The service is often busy.',
    ],
    [
      'has a subject that is far too long',
      long,
      'Retry orders that the service refused for being busy, and wait twice as…\n\n…long after each try up to ten seconds',
    ],
    ['is a single endless word', 'x'.repeat(120), `${'x'.repeat(71)}…\n\n…${'x'.repeat(49)}`],
    ['is nothing', '```\n```', ''],
    ['is blank', '\n \n', ''],
  ];
  for (const [title, answer, expected] of rows) {
    it(title, () => assert.equal(readMessage(answer, true, ''), expected));
  }

  it('comes by lines while it is written, and ends as a whole', () => {
    const answer = '```\n"Retry orders\n\nThe service is often busy."\n```\n';
    const seen = new Set(Array.from(answer, (_, at) => readMessage(answer.slice(0, at), false, '')));
    assert.deepEqual([...seen], ['', 'Retry orders', 'Retry orders\n\nThe service is often busy.']);
  });

  it('is never longer in its subject than what git shows, whatever is written', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), fc.boolean(), (answer, ended) => {
        const [subject = '', second = ''] = readMessage(answer, ended, '').split('\n');
        return subject.length <= 90 && second === '';
      }),
    );
  });
});

describe('the changes for a commit message', () => {
  const file = (name: string, lines: number) =>
    `diff --git a/${name} b/${name}\n--- a/${name}\n+++ b/${name}\n@@ -1 +1,${lines} @@\n${'+some changed line\n'.repeat(lines)}`;

  it('stand below the scissors', () => {
    assert.equal(
      belowScissors(file('a.ts', 1)),
      `# ------------------------ >8 ------------------------\n# Do not modify or remove the line above.\n# Everything below it will be ignored.\n${file('a.ts', 1)}`,
    );
  });

  it('lose lines of the biggest file first, and say how many', () => {
    const [small, big] = [file('src/small.ts', 5), file('package-lock.json', 2_000)];
    const bound = boundDiff(small + big, 5_000);
    assert.ok(bound.startsWith(small));
    const kept = bound.match(/^\+some changed line$/gm)!.length - 5;
    assert.match(bound, new RegExp(`^# ${2_000 - kept} more lines of this file are left out\\.$`, 'm'));
    assert.ok(kept > 200 && bound.length <= 5_000);
  });

  it('name the files for which there is no room at all', () => {
    const bound = boundDiff(Array.from({ length: 50 }, (_, i) => file(`f${i}.ts`, 50)).join(''), 3_000);
    assert.match(bound, /# 40 more files are changed, left out here: f10\.ts, f11\.ts/);
    assert.ok(bound.length <= 3_000);
  });

  it('are never longer than the limit, and whole below it', () => {
    const files = fc.array(fc.tuple(fc.stringMatching(/^[a-z/]{1,400}$/), fc.nat(300)), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(files, fc.integer({ min: 1_000, max: 40_000 }), (all, max) => {
        const diff = all.map(([name, lines]) => file(name, lines)).join('');
        const bound = boundDiff(diff, max);
        return diff.length <= max ? bound === diff : bound.length <= max;
      }),
    );
  });

  it('show a new file as git would', () => {
    const head = 'diff --git a/x b/x\nnew file mode 100644\n';
    const names = '--- /dev/null\n+++ b/x\n';
    assert.equal(newFileDiff('x', 'a\nb\n'), `${head}${names}@@ -0,0 +1,2 @@\n+a\n+b\n`);
    assert.equal(newFileDiff('x', 'a'), `${head}${names}@@ -0,0 +1,1 @@\n+a\n\\ No newline at end of file\n`);
    assert.equal(newFileDiff('x', ''), head);
  });

  it('go with the style of the latest commits', () => {
    const asked = commitInstruction(['orders: retry', 'orders: first version'], false);
    assert.match(asked, /\n- orders: retry\n- orders: first version$/);
    assert.doesNotMatch(asked, /begun/);
    assert.match(commitInstruction([], true), /has begun the message/);
    assert.match(commitInstruction([], true, 'in German'), /\nThe author asks: in German$/);
  });
});
