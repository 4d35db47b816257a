import assert from 'node:assert/strict';
import { planEdits } from '../../../extension/edit/engine/planning/plan.ts';
import { AnswerReader } from '../../../extension/edit/engine/reading/answerReader.ts';
import { planSnippet } from '../../../extension/edit/engine/snippets/snippet.ts';

const block = (search: string, replace: string) =>
  ['<<<<<<< SEARCH', search, '=======', replace, '>>>>>>> REPLACE', ''].join('\n');
const patch = (...lines: string[]) =>
  ['*** Begin Patch', '*** Update File: a.md', ...lines, '*** End Patch', ''].join('\n');

/** What becomes of the file `a`; undefined where it is refused. */
function after(before: string, answer: string): string | undefined {
  const reader = new AnswerReader('a.md');
  const plans = planEdits([...reader.feed(answer), ...reader.end()], () => before);
  const refused = plans.some((plan) => plan.kind === 'refused');
  const [plan] = plans;
  return refused || plan?.kind !== 'update' ? undefined : plan.after;
}

const PYTHON = 'def f():\n    a = 1\n    b = 2\n    return b\n';
const GO = 'func a() {\n\tgo()\n}\n\nfunc b() {\n\tx()\n}\n';
const README = '# T\n\nOne.\n\n```\nnpm i\n```\n\nTwo.\n\nEnd.\n';

describe('an answer with a misprint', () => {
  const CASES: [title: string, before: string, answer: string, expected: string | undefined][] = [
    [
      'that quotes a fence in a patch without the mark of context',
      README,
      `\`\`\`\n${patch('@@', '-One.', '+1.', '', '```', 'npm i', '```', '', '-Two.', '+2.')}\`\`\`\n`,
      README.replace('One', '1').replace('Two', '2'),
    ],
    [
      'whose patch quotes a fence and has no end',
      README,
      '```\n*** Begin Patch\n*** Update File: a.md\n@@\n-One.\n+1.\n\n```\nnpm i\n',
      undefined,
    ],
    [
      'that is a README in a fence of the same length',
      README,
      `**a.md**\n\n\`\`\`md\n${README.replace('Two', '2')}\`\`\`\n\nThat is all.\n`,
      README.replace('Two', '2'),
    ],
    [
      'that is a README, and commands in a fence below',
      README,
      `**a.md**\n\n\`\`\`md\n${README.replace('Two', '2')}\`\`\`\n\nThen run:\n\n\`\`\`\nnpm t\n\`\`\`\n`,
      README.replace('Two', '2'),
    ],
    ['that is a README up to its first fence', README, '**a.md**\n\n```md\n# T\n\n1.\n```\n', undefined],
    [
      'in one kept line, a level too far in',
      PYTHON,
      block('    a = 1\n        b = 2\n    return b', '    a = 1\n        b = 2\n    log()\n    return b'),
      PYTHON.replace('    return', '    log()\n    return'),
    ],
    [
      'in one kept line, a blank too far in above a new line that stands as the others do',
      PYTHON,
      block('    a = 1\n     b = 2\n    return b', '    a = 1\n     b = 2\n    log()\n    return b'),
      PYTHON.replace('    return', '    log()\n    return'),
    ],
    [
      'in one kept line, a blank too far in above a new line that is further in than the others',
      PYTHON,
      block('    a = 1\n     b = 2\n    return b', '    a = 1\n     b = 2\n      log()\n    return b'),
      undefined,
    ],
    [
      'in one kept line beside a new line that is as far in',
      PYTHON,
      block(
        '    a = 1\n        b = 2\n    return b',
        '    a = 1\n    if a:\n        b = 2\n        log()\n    return b',
      ),
      undefined,
    ],
    [
      'in two kept lines',
      PYTHON,
      block('def f():\n      a = 1\n     b = 2', 'def f():\n      a = 1\n    log()\n     b = 2'),
      undefined,
    ],
    [
      'of entities in one block, which the next has in a new line alone',
      'a(x && y);\nb();\nc();\n',
      block('a(x &amp;&amp; y);', 'a(x &amp;&amp; z);') + block('b();', 'b();\nd(p &amp;&amp; q);'),
      'a(x && z);\nb();\nd(p && q);\nc();\n',
    ],
    [
      'of entities in some places',
      'a(x && y);\nb(&p);\nc();\n',
      `${block('a(x &amp;&amp; y);', 'a(x &amp;&amp; z);')}${block('b(&p);', 'b(&p);\nd(&amp;q);')}`,
      undefined,
    ],
    [
      'that is none: the file has entities',
      '<p>a &amp; b</p>\n<p>c</p>\n',
      block('<p>a &amp; b</p>', '<p>a &amp; b &lt; c</p>'),
      '<p>a &amp; b &lt; c</p>\n<p>c</p>\n',
    ],
    ['of an escaped tab in a new line alone', GO, block('func b() {', 'func b() {\n\\tnow()'), undefined],
    ['of numbers in the old lines alone', 'a\nb\nc\n', block('1 | a\n2 | b', 'a\nx'), 'a\nx\nc\n'],
    ['of numbers in part of the new lines', 'a\nb\nc\n', block('1 | a\n2 | b', '1 | a\n2 | y\nx'), undefined],
    ['of numbers that are not those of the file', 'a\nb\nc\n', block('7 | a\n8 | b', '7 | a\n8 | x'), undefined],
    [
      'that is none: the file is numbered',
      '1: a\n2: b\n3: c\n',
      block('1: a\n2: b', '1: a\n2: x'),
      '1: a\n2: x\n3: c\n',
    ],
    ['of a hint in the new lines alone', 'a\nb\n', block('b', 'lines 2-2:\nx'), undefined],
    ['of a hint in both', 'a\nb\n', block('[2]\nb', '[2]\nx'), 'a\nx\n'],
    ['that is none: the file has such a line', 'L1\nb\n', block('b', 'L1\nx'), 'L1\nL1\nx\n'],
    [
      'of letters in another form',
      'caf\u0065\u0301 = 1\nx = 2\n',
      block('caf\u00e9 = 1', 'caf\u00e9 = 3\nth\u00e9 = 4'),
      'caf\u0065\u0301 = 3\nth\u0065\u0301 = 4\nx = 2\n',
    ],
    ['of letters of another width, which are others', 'ｱ = 1\n', block('ア = 1', 'ア = 2'), undefined],
    [
      'of a blank line over which the new lines may slide',
      'a()\n\nb()\nc()\n',
      block('a()\nb()', 'a()\nb()\nx()\nb()'),
      undefined,
    ],
    [
      'of a blank line over which one new line may slide',
      'a()\n\nb()\nb()\nc()\n',
      block('a()\nb()\nb()\nc()', 'a()\nb()\nb()\nb()\nc()'),
      undefined,
    ],
    [
      'of a blank line below the change',
      'x()\na()\n\nend\nend\n',
      block('x()\na()\nend\nend', 'y()\na()\nend\nend'),
      'y()\na()\n\nend\nend\n',
    ],
    [
      'of quotes typeset, in a line that the file has with such quotes',
      'It is “so”.\n\nsay("a")\nsay("b")\n',
      block('say(“a”)\nsay(“b”)', 'say(“a”)\nIt is “so”.\nsay(“b”)'),
      'It is “so”.\n\nsay("a")\nIt is “so”.\nsay("b")\n',
    ],
    ['of a blank line where a new line comes', 'a()\n\nb()\n', block('a()\nb()', 'a()\nx()\nb()'), undefined],
    [
      'of an underline that may be a divider',
      'A\n',
      '<<<<<<< SEARCH\nA\n=======\nB\n=======\n>>>>>>> REPLACE\n',
      undefined,
    ],
  ];
  for (const [title, before, answer, expected] of CASES) {
    it(`is ${expected === undefined ? 'refused' : 'written as it was meant'}: ${title}`, () =>
      assert.equal(after(before, answer), expected));
  }

  it('is written with the unit of most of its lines, whichever a line that goes on makes', () => {
    const plan = planSnippet('a', GO.replace('x()', 'x()\n\ty()'), [
      'func b() {',
      '    x(p,',
      '      q)',
      '    y()',
      '}',
    ]);
    assert.equal(plan.kind === 'update' && plan.after, GO.replace('x()', 'x(p,\n\t\tq)\n\ty()'));
  });
});

describe('the time an answer takes', () => {
  const spent = (act: () => void) => {
    const began = process.cpuUsage();
    act();
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1000;
  };
  const texts: [title: string, text: (size: number) => string][] = [
    ['blanks in a line', (size) => `a\n\`\`\`\n${' '.repeat(size)}x\n\`\`\`\n`],
    ['blanks before a fence', (size) => `a\n\`\`\`md\nx\n${' '.repeat(size)}\`\`\`\n`],
    ['ampersands', (size) => block('a', `&${'amp;&'.repeat(size / 5)}`)],
    ['digits', (size) => block('1 | a', '1'.repeat(size))],
    ['brackets', (size) => `a\n\`\`\`\na\n${'('.repeat(size)}\n\`\`\`\n`],
    ['fences', (size) => `a\n\`\`\`md\n${'```\nx\n'.repeat(size / 60)}`],
    ['equal lines', (size) => `a\n\`\`\`\n${'}\n'.repeat(size / 20)}\`\`\`\n`],
    ['hints', (size) => block('a', `[${' '.repeat(size)}`)],
  ];
  for (const [title, text] of texts) {
    it(`grows with its length and not with the square of it: ${title}`, () => {
      const before = `a\n${'}\n'.repeat(2_000)}`;
      const run = (size: number) => Math.min(...[1, 2, 3].map(() => spent(() => void after(before, text(size)))));
      run(2_000);
      const [half, whole] = [run(120_000), run(240_000)];
      // Below this the clock of the processor says nothing.
      assert.ok(whole < 150 || whole < 3.2 * half, `${half.toFixed(0)} and ${whole.toFixed(0)} ms`);
    });
  }
});
