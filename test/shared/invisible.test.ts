import assert from 'node:assert/strict';
import { newInvisible, showInvisible, withoutInvisible } from '../../shared/answers/invisible.ts';

describe('what can’t be seen in a text', () => {
  const table: [title: string, text: string, expected: string][] = [
    ['a colour of a terminal', 'fix: \u001b[31mred\u001b[0m', 'fix: red'],
    ['a title of a terminal', '\u001b]0;owned\u0007fix', 'fix'],
    ['a link of a terminal', '\u001b]8;;https://x.example\u001b\\fix\u001b]8;;\u001b\\', 'fix'],
    ['an order without its end', 'fix\u001b[', 'fix'],
    ['a bare ESC', 'a\u001bcb', 'ab'],
    ['the other beginning of an order', '\u009b31mfix', 'fix'],
    ['a backspace, a bell and NUL', 'a\bb\u0007c\u0000', 'abc'],
    ['an overwritten line', 'harmless\rrm -rf', 'harmless\nrm -rf'],
    ['what turns the direction', 'a\u202Eb\u202C\u2066c\u2069\u200Fd', 'abcd'],
    ['what has no width', 'fi\u200Bx\uFEFF\u2060: a\u00ADb', 'fix: ab'],
    ['letters without ink', 'a\u3164b\uFFA0', 'ab'],
    ['tags that spell words', 'fix\u{E0049}\u{E0067}', 'fix'],
    ['joiners that join nothing', 'a \u200D b\u200C', 'a  b'],
    ['separators of lines', 'a\u2028b\u2029c', 'a\nb\nc'],
  ];
  for (const [title, text, expected] of table)
    it(`is taken out: ${title}`, () => assert.equal(withoutInvisible(text), expected));

  for (const text of [
    '👩‍👩‍👧 ok',
    '👩🏽‍💻',
    '🧑🏿‍🤝‍🧑🏻',
    '🏴‍☠️',
    '🏳️‍🌈',
    '❤️‍🔥',
    '👁️‍🗨️',
    '🧔🏾‍♂️',
    'می‌خواهم',
    'क्‍ष',
    '❤️',
    'a\tb\n\nc',
    'שלום',
    'Ünïcode — “quotes”…',
  ]) {
    it(`is not what belongs to ${text}`, () => {
      assert.equal(withoutInvisible(text), text);
      assert.equal(showInvisible(text), text);
    });
  }

  it('is shown by its number where a name has to be told as it is', () =>
    assert.equal(showInvisible('a\u202Etxt.sj'), 'a⟨U+202E⟩txt.sj'));

  it('is told of a change only where the text had none such before', () => {
    assert.deepEqual(newInvisible('a\u202Eb', 'c\u202Ed'), []);
    assert.deepEqual(newInvisible('a', 'if (x\u202E) {'), ['\u202E']);
    assert.deepEqual(newInvisible('', '\u001b[31m'), ['\u001b']);
  });
});
