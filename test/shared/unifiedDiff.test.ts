import assert from 'node:assert/strict';
import { isDiff, patchOfDiff } from '../../shared/answers/unifiedDiff.ts';

const A = ['--- a/src/x.ts', '+++ b/src/x.ts'];
const HUNK = ['@@ -1,3 +1,3 @@ class X', ' a', '-b', '+B', ' c'];
const UPDATED = ['*** Update File: src/x.ts', ...HUNK];

describe('a unified diff', () => {
  const read: [title: string, diff: string[], patch: string[], path?: string][] = [
    ['of one file', [...A, ...HUNK], UPDATED],
    ['as git prints it', ['diff --git a/src/x.ts b/src/x.ts', 'index 1234567..89abcde 100644', ...A, ...HUNK], UPDATED],
    ['with times', ['--- src/x.ts\t2026-01-01 10:00:00', '+++ src/x.ts\t2026-01-02 10:00:00', ...HUNK], UPDATED],
    [
      'below a mail and above its signature',
      ['Subject: x', '', '---', ' 1 file changed', ...A, ...HUNK, '-- ', '2.39.0'],
      UPDATED,
    ],
    ['of Subversion', ['Index: src/x.ts', '===================', ...A, ...HUNK], UPDATED],
    ['without line numbers', [...A, '@@', ...HUNK.slice(1)], ['*** Update File: src/x.ts', '@@', ...HUNK.slice(1)]],
    ['without hunk heads', [...A, ...HUNK.slice(1)], ['*** Update File: src/x.ts', '@@', ...HUNK.slice(1)]],
    ['that names no file, for one', HUNK, UPDATED, 'src/x.ts'],
    [
      'that names no file and has no heads, for one',
      ['-b', '+B'],
      ['*** Update File: src/x.ts', '@@', '-b', '+B'],
      'src/x.ts',
    ],
    ['in which a line break at the end goes', [...A, ...HUNK, '\\ No newline at end of file'], UPDATED],
    [
      'of a new file',
      ['new file mode 100644', '--- /dev/null', '+++ b/n.ts', '@@ -0,0 +1,2 @@', '+a', '+b'],
      ['*** Add File: n.ts', '+a', '+b'],
    ],
    ['of a deleted file', ['--- a/d.ts', '+++ /dev/null', '@@ -1 +0,0 @@', '-a'], ['*** Delete File: d.ts']],
    [
      'of a file that is moved',
      ['diff --git a/m.ts b/l/m.ts', 'similarity index 100%', 'rename from m.ts', 'rename to l/m.ts'],
      ['*** Update File: m.ts', '*** Move to: l/m.ts'],
    ],
    [
      'of a file that is moved and changed',
      ['diff --git a/m.ts b/l/m.ts', 'rename from m.ts', 'rename to l/m.ts', '--- a/m.ts', '+++ b/l/m.ts', ...HUNK],
      ['*** Update File: m.ts', '*** Move to: l/m.ts', ...HUNK],
    ],
    [
      'of several files',
      [
        'diff --git a/src/x.ts b/src/x.ts',
        ...A,
        ...HUNK,
        'diff --git a/y.ts b/y.ts',
        '--- a/y.ts',
        '+++ b/y.ts',
        ...HUNK,
      ],
      [...UPDATED, '*** Update File: y.ts', ...HUNK],
    ],
    [
      'whose lines read like the names of files',
      [...A, '@@ -1,3 +1,3 @@', ' a', '--- b', '+++ B', ' c'],
      ['*** Update File: src/x.ts', '@@ -1,3 +1,3 @@', ' a', '--- b', '+++ B', ' c'],
    ],
  ];
  for (const [title, diff, patch, path] of read)
    it(`${title} is read as a patch`, () => assert.deepEqual(patchOfDiff(diff, path), patch));

  const not: [title: string, diff: string[], path?: string][] = [
    ['that names no file, for none', HUNK],
    ['without a change, for a file', [' a', ' b'], 'src/x.ts'],
    [
      'of a binary file',
      ['diff --git a/p.png b/p.png', 'Binary files a/p.png and b/p.png differ', '--- a/p.png', '+++ b/p.png'],
    ],
    ['with a line that reads as a mark of a patch', [...A, '@@', '-b', '*** Delete File: c.ts', '+B']],
    ['that says only where a file is moved to', ['diff --git a/m.ts b/l/m.ts', 'rename to l/m.ts']],
    ['that changes a mode alone', ['diff --git a/x.sh b/x.sh', 'old mode 100644', 'new mode 100755']],
    ['whose names git has quoted', ['--- "a/\\303\\274.ts"', '+++ "b/\\303\\274.ts"', ...HUNK]],
  ];
  for (const [title, diff, path] of not)
    it(`${title} is not read`, () => assert.equal(patchOfDiff(diff, path), undefined));

  it('is told by its language, or by its own lines, unless it is the text of a file', () => {
    assert.equal(isDiff(['+a'], 'diff'), true);
    assert.equal(isDiff([...A, ...HUNK], ''), true);
    assert.equal(isDiff(['+a'], 'ts'), false);
    assert.equal(isDiff([...A, ...HUNK], 'diff', 'fixes/x.patch'), false);
  });

  it('is read once, however many of its lines read like the names of files', () => {
    const pairs = Array.from({ length: 50_000 }, (_, n) => [`--- a${n}`, `+++ b${n}`]).flat();
    const read: number[] = [];
    const counted = new Proxy([...A, '@@ -1 +1 @@', ...pairs, ' c'], {
      get(lines, key) {
        if (typeof key === 'string' && /^\d+$/.test(key)) read.push(Number(key));
        return Reflect.get(lines, key);
      },
    });
    assert.equal(isDiff(counted, ''), true);
    assert.ok(read.length < 10 * counted.length, `${read.length} reads of ${counted.length} lines`);
    assert.equal(patchOfDiff(counted)!.length, 3 + pairs.length);
  });
});
