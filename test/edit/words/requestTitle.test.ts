import assert from 'node:assert/strict';
import { requestTitle } from '../../../extension/edit/words/requestTitle.ts';

describe('the title of a request', () => {
  const table: [instruction: string, title: string][] = [
    ['Rename it', 'Rename it'],
    ['\n  Rename it  \nin all files\n', 'Rename it'],
    ['Make  a\tlist', 'Make a list'],
    ['x'.repeat(60), 'x'.repeat(60)],
    [
      'Split the client into a transport and a cache, and let both be tested without a server',
      'Split the client into a transport and a cache, and let both…',
    ],
    [
      'Wait for the answer of the server, which may take its time, before it',
      'Wait for the answer of the server, which may take its time…',
    ],
    [`${'長'.repeat(70)}`, `${'長'.repeat(60)}…`],
    [`${'長'.repeat(59)}😀😀`, `${'長'.repeat(59)}…`],
  ];
  for (const [instruction, title] of table) {
    it(`of "${instruction.slice(0, 40)}" is "${title.slice(0, 70)}"`, () =>
      assert.equal(requestTitle(instruction), title));
  }
});
