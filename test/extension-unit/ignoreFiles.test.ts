import assert from 'node:assert/strict';
import fc from 'fast-check';
import ignore from 'ignore';
import { isLeftOut } from '../../extension/platform/secrecy/ignoreFiles.ts';

/** `rules`: what the ignore files say, by folder from the top. */
const check = (path: string, ...rules: (string | undefined)[]) => isLeftOut(path.split('/'), rules);

describe('a file that ignore files leave out', () => {
  for (const [path, ...rules] of [
    ['a.log', '*.log'],
    ['src/a.log', '*.log'],
    ['build/out/a.ts', 'build/'],
    ['build/a.ts', '/build'],
    ['src/secret/a.ts', undefined, 'secret'],
    ['a.ts', '# all\r\n*.ts\r\n'],
    ['SRC/A.LOG', '*.log'],
    ['src/ü.ts', 'ü.ts'],
    ['src/u\u0308.ts', '\u00fc.ts'],
    // Nothing within a folder that is left out comes back.
    ['build/keep.ts', 'build/\n!build/keep.ts'],
    ['build/keep.ts', 'build/', '!keep.ts'],
  ] as [string, ...(string | undefined)[]][])
    it(`is ${path} by ${JSON.stringify(rules)}`, () => assert.equal(check(path, ...rules), true));

  for (const [path, ...rules] of [
    ['a.ts', '*.log'],
    ['src/build/a.ts', '/build'],
    ['build', 'build/'],
    ['src/keep.log', '*.log\n!keep.log'],
    // The deeper file has the last word.
    ['src/keep.log', '*.log', '!keep.log'],
    ['a.ts', '', undefined],
    ['a.ts'],
  ] as [string, ...(string | undefined)[]][])
    it(`is not ${path} by ${JSON.stringify(rules)}`, () => assert.equal(check(path, ...rules), false));
});

describe('ignore files, beside a library that reads them as Git does', () => {
  const name = fc.stringMatching(/^[abc.]{1,3}$/).filter((text) => !/^\.+$/.test(text));
  const piece = fc.constantFrom('a', 'b', 'c', '.', '*', '?', '[ab]', '[!a]', '[a-b]', '\\a', 'ab*');
  const part = fc.oneof({ weight: 4, arbitrary: fc.array(piece, { minLength: 1, maxLength: 3 }) }, fc.constant(['**']));
  const line = fc
    .tuple(fc.constantFrom('', '', '!'), fc.constantFrom('', '', '/'), fc.array(part, { minLength: 1, maxLength: 3 }))
    .chain(([negated, here, parts]) =>
      fc.constantFrom('', '', '/').map((end) => negated + here + parts.map((one) => one.join('')).join('/') + end),
    );

  it('leave out the same', () => {
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 4 }),
        fc.array(name, { minLength: 1, maxLength: 4 }),
        (lines, path) => {
          const text = lines.join('\n');
          assert.equal(
            isLeftOut(path, [text]),
            ignore().add(text).ignores(path.join('/')),
            JSON.stringify({ text, path }),
          );
        },
      ),
      { numRuns: 1500, seed: 7 },
    );
  });

  it('are read in bounded time, however many stars they have', () => {
    assert.equal(check('a'.repeat(200), `${'*a'.repeat(100)}b`), false);
    assert.equal(check(Array(60).fill('a').join('/'), `${'**/a/'.repeat(30)}b`), false);
  });
});
