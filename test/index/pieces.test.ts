import assert from 'node:assert/strict';
import { cut, isDeclaration } from '../../extension/index/ranking/pieces.ts';

const pieces = (text: string) => [...cut(text.split('\n'))].map(({ from, to }) => [from, to]);
const body = (lines: number, text = '  step();') => Array(lines).fill(text).join('\n');

describe('a file in pieces', () => {
  it('is one piece if it is short', () => assert.deepEqual(pieces('a\n\nb'), [[0, 3]]));
  it('is one piece if it is empty', () => assert.deepEqual(pieces(''), [[0, 1]]));

  it('is cut before declarations, and a comment stays with what it is about', () => {
    const text = `function a() {\n${body(9)}\n}\n\n/** Says more. */\nfunction b() {\n${body(9)}\n}`;
    assert.deepEqual(pieces(text), [
      [0, 12],
      [12, 24],
    ]);
  });

  it('is not cut into crumbs', () => {
    assert.deepEqual(pieces('const a = 1;\n\nconst b = 2;\n\nconst c = 3;'), [[0, 5]]);
  });

  it('is cut at a blank line when nothing is declared', () => {
    assert.deepEqual(pieces(`${body(40)}\n\n${body(40)}`), [
      [0, 41],
      [41, 81],
    ]);
  });

  it('is cut anywhere when it has no blank line', () => {
    assert.deepEqual(pieces(body(150)), [
      [0, 60],
      [60, 120],
      [120, 150],
    ]);
  });

  it('has a long line as a piece of its own', () => {
    assert.deepEqual(pieces(`a\n${'x'.repeat(5_000_000)}\nb`), [
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  it('is covered by its pieces', () => {
    const text = `${body(100)}\n\nclass A {\n${body(70)}\n}\n\n\n\n${body(3)}`;
    const all = pieces(text);
    assert.equal(all[0]![0], 0);
    assert.equal(all.at(-1)![1], text.split('\n').length);
    for (const [at, piece] of all.slice(1).entries()) assert.equal(piece[0], all[at]![1]);
  });
});

describe('a line that declares', () => {
  for (const line of [
    'export async function retry(times: number) {',
    'export default class Pool {',
    'const MAX = 3;',
    '  private static readonly limit = 3;'.replace('limit', 'const limit'),
    'def retry(self):',
    'pub fn retry() -> u32 {',
    'func (c *Client) Retry() {',
    'module.exports = Pool;',
    'Pool.prototype.end = function (done) {',
    '  async retry(times) {',
    '## Retries',
    'public interface Retry {',
  ])
    it(`is ${line}`, () => assert.equal(isDeclaration(line), true));

  for (const line of [
    '  if (a) {',
    '    return retry();',
    '        const local = 1;',
    'retry();',
    '',
    '// const a',
    `${'a'.repeat(1_000_000)}(`,
  ])
    it(`is not ${line.slice(0, 30)}`, () => assert.equal(isDeclaration(line), false));
});
