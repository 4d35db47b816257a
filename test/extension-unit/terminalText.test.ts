import assert from 'node:assert/strict';
import { endOf, plainOutput } from '../../extension/chat/context/terminalText.ts';

const ESC = '\u001b';

describe("a terminal's output", () => {
  const CASES: [what: string, raw: string, plain: string][] = [
    ['loses its colours', `${ESC}[1;31mfailing${ESC}[0m: 1`, 'failing: 1'],
    [
      'loses titles and links, ended either way',
      `${ESC}]0;title\u0007a${ESC}]8;;https://x${ESC}\\b${ESC}]8;;${ESC}\\`,
      'ab',
    ],
    ['loses what the shell tells the editor', `${ESC}]633;C\u0007out\r\n${ESC}]633;D;0\u0007`, 'out'],
    ['keeps of a line that was written anew its last state', ' 10 %\r 50 %\r100 %\r\nnext', '100 %\nnext'],
    ['keeps tabs and other scripts, and no other control characters', 'a\tb\u0008\u0000 日本語', 'a\tb 日本語'],
    ['ends where a sequence is cut off', `text${ESC}[3`, 'text'],
    ['ends where a title is cut off', `text${ESC}]0;tit`, 'text'],
    ['knows sequences of two letters', `${ESC}(Ba${ESC}Mb${ESC}`, 'ab'],
    ['loses the empty lines at its end', 'a\r\n\r\n  \r\n', 'a'],
  ];
  for (const [what, raw, plain] of CASES) it(what, () => assert.equal(plainOutput(raw), plain));

  it('is read in time that its length bounds, whatever is in it', () => {
    assert.equal(plainOutput(`${ESC}]`.repeat(50_000)), '');
    assert.equal(plainOutput('\r'.repeat(200_000)), '');
    assert.equal(plainOutput(`${'\r'.repeat(200_000)}x`), 'x');
    assert.equal(plainOutput(`${'a\r'.repeat(100_000)}b`), 'b');
  });

  it('keeps its end: whole lines, but of a long line its end', () => {
    assert.equal(endOf('one\ntwo\nthree\n', 100), 'one\ntwo\nthree\n');
    assert.equal(endOf('one\ntwo\nthree\n', 8), 'three\n');
    const long = `${'x'.repeat(160_000)}\r\n`;
    assert.equal(endOf(`a\n${long}`, 64_000), long.slice(-64_000));
    assert.equal(endOf('x'.repeat(100), 10), 'x'.repeat(10));
  });
});
