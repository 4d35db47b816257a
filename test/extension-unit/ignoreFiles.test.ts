import assert from 'node:assert/strict';
import { isLeftOut } from '../../extension/platform/ignoreFiles.ts';

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
