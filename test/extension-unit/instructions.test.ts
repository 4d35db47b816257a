import assert from 'node:assert/strict';
import { readApplyTo } from '../../extension/platform/instructions/applyTo.ts';
import { readFrontMatter } from '../../extension/platform/instructions/frontMatter.ts';

const headOf = (value: string) => readFrontMatter(`---\napplyTo: ${value}\n---\nUse tabs.`).fields.get('applyto');
const fits = (value: string, path: string) => readApplyTo(headOf(value))([path.split('/')]);

describe('the head of a file of instructions', () => {
  for (const value of [
    '**/*.ts',
    '"**/*.{ts,tsx}"',
    '["**/*.{js,ts}"]',
    "[ 'a.py', '**/*.ts' ] # both",
    '"**/*.ts" # TypeScript',
    '**/*.ts # TypeScript',
    './src/**',
    '\n  - "*.py"\n  - "*.{js,ts}" # and more',
  ])
    it(`names its files by ${JSON.stringify(value)}`, () => {
      assert.equal(fits(value, 'src/a.ts'), true);
      assert.equal(fits(value, 'docs/a.md'), false);
    });

  it('means its own folder with "./"', () => assert.equal(fits('./src/**', 'lib/src/a.ts'), false));

  it('is read whatever a stranger writes into it, and a line beyond the limit says nothing', () => {
    for (const depth of [100, 900, 50_000]) assert.equal(fits('['.repeat(depth) + ']'.repeat(depth), 'a.ts'), false);
    assert.equal(headOf('x'.repeat(3_000)), undefined);
  });

  it('is bounded in what its braces become: what is beyond it fits nothing', () => {
    assert.equal(fits(`${'{a,b}'.repeat(3)}.ts`, 'bbb.ts'), true);
    const long = 'x'.repeat(900);
    assert.equal(fits(`{${long}a,b}{a,${long}b}, c.ts`, 'c.ts'), false);
    assert.equal(fits('{a,b}'.repeat(300), 'b'.repeat(300)), false);
  });
});
