import assert from 'node:assert/strict';
import type { Reason } from '../../../extension/edit/engine/edits.ts';
import { planSnippet } from '../../../extension/edit/engine/snippets/snippet.ts';

const FILE = `import { open } from './disk';
import { sorted } from './lists';

/** All there is. */
export class Store {
  private readonly rows = new Map<string, Row>();

  add(row: Row): void {
    this.rows.set(row.id, row);
    this.changed();
  }

  find(id: string): Row | undefined {
    return this.rows.get(id);
  }

  all(): Row[] {
    const rows = [...this.rows.values()];
    return sorted(rows);
  }

  merge(other: Store): number {
    const before = this.rows.size;
    for (const row of other.all()) {
      if (this.rows.has(row.id)) continue;
      this.add(row);
      this.changed();
    }
    return this.rows.size - before;
  }
}

export function load(path: string): Store {
  const store = new Store();
  for (const row of open(path)) {
    store.add(row);
  }
  return store;
}
`;

const functions = (...names: string[]) => names.map((name) => `function ${name}() {\n  run(${name});\n}\n`).join('\n');
const classes = (...names: string[]) =>
  names
    .map(
      (name) => `class ${name} {\n  constructor() {\n    make(${name});\n  }\n  call() {\n    use(${name});\n  }\n}\n`,
    )
    .join('\n');
const TABLE = Array.from({ length: 14 }, (_, at) => `key ${at + 1} = ${at + 1}`);

const WHOLE_OF = (from: string | RegExp, to: string) => FILE.replace(from, to);
const FIND = '  find(id: string): Row | undefined {\n    return this.rows.get(id);\n  }\n\n';
const BLOCKS = `one() {
  first(1);
  if (first) return;
  second(2);
}

two() {
  third(3);
  fourth(4);
  fifth(5);
  sixth(6);
  seventh(7);
  eighth(8);
}

three() {
  last(9);
}
`;

const PYTHON = `import os


def area(width, height):
    check(width)
    check(height)
    return width * height


def main():
    print(area(3, 4))
`;

/** What becomes of the file: the replacements that are done to it, or why it is refused. */
function check(snippet: string, expected: [string, string][] | Reason, file = FILE): void {
  const plan = planSnippet('a.ts', file, snippet.split('\n'));
  if (typeof expected === 'string') {
    assert.deepEqual(plan.kind === 'refused' ? plan.refusals.map(({ reason }) => reason) : plan, [expected]);
    return;
  }
  assert.ok(plan.kind === 'update', JSON.stringify(plan));
  let after = file;
  for (const [from, to] of expected) {
    assert.equal(after.split(from).length, 2, `"${from}" stands once`);
    after = after.replace(from, () => to);
  }
  assert.equal(plan.after, after);
}

const WHOLE = FILE.replace('sorted(rows)', 'sorted(rows, byId)');

describe('a piece of code without marks is placed', () => {
  it('as the whole file', () => check(WHOLE, [['sorted(rows)', 'sorted(rows, byId)']]));
  it('as the whole file, named in a comment', () =>
    check(`// src/store.ts\n${WHOLE}`, [['sorted(rows)', 'sorted(rows, byId)']]));
  it('as a function that the file begins with, below its path and without its comment', () => {
    const file = '/** Waits. */\nexport function wait(ms) {\n  sleep(ms);\n  return ms;\n}\n\nexport const a = 1;\n';
    const plan = planSnippet('src/a.ts', file, [
      ...['// src/a.ts', 'export function wait(ms) {', '  sleep(ms);', '  return 2 * ms;', '}'],
    ]);
    assert.equal(plan.kind === 'update' && plan.after, file.replace('return ms', 'return 2 * ms'));
  });
  it('as a function anew of about the same length', () =>
    check(
      'export function load(path: string): Store {\n  const made = new Store();\n  const rows = open(path);\n  rows.forEach((row) => made.add(row));\n  return made;\n}',
      [
        [
          '  const store = new Store();\n  for (const row of open(path)) {\n    store.add(row);\n  }\n  return store;\n',
          '  const made = new Store();\n  const rows = open(path);\n  rows.forEach((row) => made.add(row));\n  return made;\n',
        ],
      ],
    ));
  it('as a function with another head', () =>
    check(
      'export async function load(path: string, limit: number): Promise<Store> {\n  const store = new Store();\n  for (const row of await open(path, limit)) {\n    store.add(row);\n  }\n  return store;\n}',
      [
        [
          'export function load(path: string): Store {',
          'export async function load(path: string, limit: number): Promise<Store> {',
        ],
        ['of open(path)', 'of await open(path, limit)'],
      ],
    ));
  it('as a method at the margin, which is indented as the file is', () =>
    check('find(id: string): Row | undefined {\n  this.asked++;\n  return this.rows.get(id);\n}', [
      ['    return this.rows.get', '    this.asked++;\n    return this.rows.get'],
    ]));
  it('as a few lines with what stands around them', () =>
    check('    this.rows.set(row.id, row);\n    this.count++;\n    this.changed();', [
      ['row);\n    this.changed();', 'row);\n    this.count++;\n    this.changed();'],
    ]));
  it('as the whole file, which shows that what it leaves out goes', () =>
    check(FILE.replace('    this.rows.set(row.id, row);\n    this.changed();\n', ''), [
      ['    this.rows.set(row.id, row);\n    this.changed();\n', ''],
    ]));
  it('as parts, between which code is left out', () =>
    check(
      [
        "import { open } from './disk';",
        "import { log } from './log';",
        '// ... existing code ...',
        '',
        'export function load(path: string): Store {',
        '  log(path);',
        '  const store = new Store();',
        '  // ... existing code ...',
        '}',
      ].join('\n'),
      [
        ["from './disk';\n", "from './disk';\nimport { log } from './log';\n"],
        ['  const store =', '  log(path);\n  const store ='],
      ],
    ));
  it('as parts, each with lines of the file on both sides', () =>
    check(
      [
        "import { open } from './disk';",
        "import { log } from './log';",
        "import { sorted } from './lists';",
        '',
        '// ... existing code ...',
        '',
        'export function load(path: string): Store {',
        '  log(path);',
        '  const store = new Store();',
        '  // ... existing code ...',
        '}',
      ].join('\n'),
      [
        ["from './disk';\n", "from './disk';\nimport { log } from './log';\n"],
        ['  const store =', '  log(path);\n  const store ='],
      ],
    ));
  it('as a method more, behind those that are left out', () =>
    check('export class Store {\n  // ... existing methods ...\n\n  clear(): void {\n    this.rows.clear();\n  }\n}', [
      ['size - before;\n  }\n', 'size - before;\n  }\n\n  clear(): void {\n    this.rows.clear();\n  }\n'],
    ]));
  it('as a comment above what it is about', () =>
    check('/** Reads all rows. */\nexport function load(path: string): Store {', [
      ['export function load', '/** Reads all rows. */\nexport function load'],
    ]));
  it('as a function whose end is told by indentation', () =>
    check(
      'def area(width, height):\n    check(width > 0)\n    check(height > 0)\n    return width * height',
      [['    check(width)\n    check(height)\n', '    check(width > 0)\n    check(height > 0)\n']],
      PYTHON,
    ));
  it('as a function whose end is told by its return', () =>
    check(
      'def area(width, height):\n    check(width)\n    check(height)\n    return abs(width * height)',
      [['return width * height', 'return abs(width * height)']],
      PYTHON,
    ));
  it('over tabs and line ends of the file, which stay', () => {
    const plan = planSnippet('a.go', '\uFEFFfunc run() {\r\n\tprepare(all)\r\n\tgo()\r\n}', [
      'func run() {',
      '    prepare(all)',
      '    check(all)',
      '    go()',
      '}',
    ]);
    assert.ok(plan.kind === 'update', JSON.stringify(plan));
    assert.equal(plan.after, '\uFEFFfunc run() {\r\n\tprepare(all)\r\n\tcheck(all)\r\n\tgo()\r\n}');
  });
  it('as the whole file, framed by brackets, without some of its first lines', () => {
    const json = `{\n${['name', 'version', 'main', 'type', 'license', 'author', 'homepage', 'files'].map((key) => `  "${key}": "a ${key}"`).join(',\n')}\n}\n`;
    const lines = json.trimEnd().split('\n');
    const plan = planSnippet('a.json', json, [lines[0]!, ...lines.slice(3)]);
    assert.ok(plan.kind === 'update', JSON.stringify(plan));
    assert.equal(plan.after, json.replace(/ {2}"name".*\n.*\n/, ''));
  });
  it('as the whole file, of which a head goes whose block stays', () =>
    check(WHOLE_OF('export function load(path: string): Store {\n', ''), [
      ['export function load(path: string): Store {\n', ''],
    ]));
  it('as the whole file, of which lines stand in another order', () => {
    const moved = FILE.replace(FIND, '').replace('  merge(', `${FIND}  merge(`);
    const plan = planSnippet('a.ts', FILE, moved.split('\n'));
    assert.ok(plan.kind === 'update', JSON.stringify(plan));
    assert.equal(plan.after, moved);
  });
  it('as the whole file, nearly all of which stands as before, in another order and without a line', () => {
    const key = (at: number) => `key ${at} = ${at}`;
    const lines = Array.from({ length: 40 }, (_, at) => key(at));
    const moved = lines.filter((line) => line !== key(3)).toSpliced(19, 2, key(21), key(20));
    const plan = planSnippet('a.txt', `${lines.join('\n')}\n`, moved);
    assert.ok(plan.kind === 'update', JSON.stringify(plan));
    assert.equal(plan.after, `${moved.join('\n')}\n`);
  });
  it('as the whole file, with another last line and, far above, a bracket less', () => {
    const file = `${functions('one', 'two', 'three', 'four')}\nexport { one, two };\n`.replace('run(two)', "log('(')");
    const changed = file.replace("log('(')", 'log(two)').replace('one, two', 'one, four');
    const plan = planSnippet('a.js', file, changed.split('\n'));
    assert.ok(plan.kind === 'update', JSON.stringify(plan));
    assert.equal(plan.after, changed);
  });
  it('as the whole file, of which an example in a comment goes', () => {
    const comment = '/**\n * Does it:\n * call(function (answer) {\n *   done();\n * });\n */\n';
    const file = `${functions('zero')}\n${comment}${functions('one', 'two', 'three', 'four')}`;
    const changed = file.replace(/ \* call[\s\S]*?\}\);\n/, '');
    const plan = planSnippet('a.js', file, changed.split('\n'));
    assert.ok(plan.kind === 'update', JSON.stringify(plan));
    assert.equal(plan.after, changed);
  });
  it('as the whole file, of which one line is further in', () =>
    check(WHOLE_OF('    this.rows.set', '       this.rows.set'), [['    this.rows.set', '       this.rows.set']]));
  it('as the whole file, below new first lines', () =>
    check(WHOLE_OF('import', '// One.\n// Two.\n// Three.\n// Four.\nimport'), [
      ['import { open }', '// One.\n// Two.\n// Three.\n// Four.\nimport { open }'],
    ]));
  it('as the whole file of lines at the margin, of which one is moved in', () => {
    const file = Array.from({ length: 12 }, (_, at) => `line number ${at}\n`).join('');
    const plan = planSnippet('a.md', file, file.replace('line number 7', '  line number 7').split('\n'));
    assert.ok(plan.kind === 'update', JSON.stringify(plan));
    assert.equal(plan.after, file.replace('line number 7', '  line number 7'));
  });
  it('as the whole file, with blanks for tabs, most of it comments', () => {
    const file =
      'class A {\n\t/**\n\t * one\n\t * two\n\t * three\n\t * four\n\t */\n\tcall() {\n\t\tfive(5);\n\t}\n}\n';
    const plan = planSnippet('a.ts', file, file.replaceAll('\t', '    ').replace('five(5)', 'six(6)').split('\n'));
    assert.ok(plan.kind === 'update', JSON.stringify(plan));
    assert.equal(plan.after, file.replace('five(5)', 'six(6)'));
  });
  it('as a new file, where there is none', () =>
    assert.deepEqual(planSnippet('a.ts', undefined, ['x']).kind, 'create'));
});

describe('lines that begin with their numbers', () => {
  const ROWS = FILE.trimEnd().split('\n');
  const first = ROWS.findIndex((row) => row.includes('find(id'));
  type Numbering = (number: number, row: string) => string;
  const numbered = (numbering: Numbering, from: number, to: number) =>
    ROWS.slice(from, to)
      .map((row, at) => numbering(from + at + 1, row).replace('this.rows.get(id)', 'this.rows.get(String(id))'))
      .join('\n');
  const CHANGE: [string, string][] = [['this.rows.get(id)', 'this.rows.get(String(id))']];
  const NUMBERINGS: [title: string, numbering: Numbering][] = [
    ['by a colon', (number, row) => `${number}: ${row}`],
    ['by one blank', (number, row) => `${number} ${row}`],
    ['by two blanks', (number, row) => `${number}  ${row}`],
    ['by blanks up to a column', (number, row) => `${number}`.padEnd(5) + row],
    ['by blanks on both sides', (number, row) => `${String(number).padStart(6)}  ${row}`],
    ['by blanks, with no blank at the end of a line', (number, row) => `${number}  ${row}`.trimEnd()],
  ];
  for (const [title, numbering] of NUMBERINGS) {
    it(`are read without them, if they are set off ${title}`, () => {
      check(numbered(numbering, first, first + 3), CHANGE);
      check(numbered(numbering, first - 5, first + 8), CHANGE);
      check(numbered(numbering, 0, ROWS.length), CHANGE);
    });
  }
  it('are read without them, if blank lines have none', () =>
    check(
      numbered((number, row) => (row === '' ? '' : `${number}  ${row}`), 0, ROWS.length),
      CHANGE,
    ));

  const spaced: Numbering = (number, row) => `${number}  ${row}`;
  const CASES: [title: string, piece: string, file?: string][] = [
    [
      'one line has none',
      numbered((number, row) => (number === first + 1 ? row : spaced(number, row)), first - 5, first + 8),
    ],
    [
      'one number is another',
      numbered((number, row) => spaced(number === first + 3 ? 1 : number, row), first - 5, first + 8),
    ],
    ['the numbers are not those of the file', numbered((number, row) => spaced(number + 1, row), first - 5, first + 8)],
    [
      'no line is indented: they may be numbered on purpose',
      TABLE.map((row, at) => `${at + 1} ${row.replace('= 7', '= 8')}`).join('\n'),
      `${TABLE.join('\n')}\n`,
    ],
    ['they are only two', numbered(spaced, first, first + 2)],
    [
      'most of them are not in the file',
      `${numbered(spaced, first, first + 2)}\n${[3, 4, 5, 6].map((at) => spaced(first + at, `fresh(${at});`)).join('\n')}`,
    ],
  ];
  for (const [title, piece, file] of CASES) {
    it(`are not read without them where ${title}`, () => {
      const plan = planSnippet('a.ts', file ?? FILE, piece.split('\n'));
      assert.equal(plan.kind, 'refused');
    });
  }
  it('keep them where the file is a table', () => {
    const table = Array.from({ length: 9 }, (_, at) => `${at + 1} ${'word'.repeat(at + 1)}\n`).join('');
    check(table.replace('3 word', '3 sword'), [['3 word', '3 sword']], table);
    // Its texts alone are lines as well.
    const both = `${table}${table.replace(/^\d /gm, '')}`;
    check(both.replace('3 word', '3 sword'), [['3 word', '3 sword']], both);
  });
});

describe('a piece of code that may be the whole file', () => {
  const file = `setUp();\n\n${functions('one', 'two', 'three', 'four')}`;
  const changed = file.replace('run(one)', 'run(once)');
  const ask = (before: string, piece: string) => {
    const plan = planSnippet('a.js', before, piece.split('\n'));
    assert.ok(plan.kind === 'refused', JSON.stringify(plan));
    const [{ message, readings = [] }] = plan.refusals as [(typeof plan.refusals)[0]];
    const answers = readings.map((reading) => {
      const made = planSnippet('a.js', before, piece.split('\n'), undefined, reading);
      assert.ok(made.kind === 'update', JSON.stringify(made));
      return [reading, made.after];
    });
    return { message, ...Object.fromEntries(answers) };
  };

  it('asks about its last function, and does what the user answers', () => {
    const piece = changed.slice(0, changed.indexOf('\nfunction four'));
    const count = functions('four').trim().split('\n').length;
    assert.deepEqual(ask(file, piece), {
      message: `The code lacks the file’s last ${count} lines. Perigee can’t tell whether to delete them.`,
      file: piece,
      part: changed,
    });
  });
  it('asks about its first line', () => {
    const before = `'use strict';\n${file}`;
    assert.deepEqual(ask(before, changed), {
      message: 'The code lacks the file’s first line. Perigee can’t tell whether to delete it.',
      file: changed,
      part: `'use strict';\n${changed}`,
    });
  });
  it('asks about a function in its middle, however its head is written', () => {
    const three = functions('three').replace('()', '(\n  other,\n)');
    const before = file.replace(functions('three'), three);
    const piece = changed.replace(`${functions('three')}\n`, '');
    assert.deepEqual(ask(before, piece), {
      message: `The code lacks ${three.trim().split('\n').length} lines of the file, from line ${
        before.slice(0, before.indexOf(three)).split('\n').length
      } on. Perigee can’t tell whether to delete them.`,
      file: piece,
      part: changed.replace(functions('three'), three),
    });
  });
  it('is not asked about where it shows less than half of the file, or says that it leaves out some', () => {
    assert.deepEqual(ask(file, functions('one').replace(/.*\n\}/, '}')).file, undefined);
    assert.deepEqual(Object.keys(ask(file, `${functions('one')}// ...\nmore();\n`)), ['message']);
  });
});

describe('a piece of code without marks is refused', () => {
  const CASES: [title: string, snippet: string, reason: Reason, file?: string][] = [
    [
      'that leaves out methods without a word',
      'export class Store {\n  clear(): void {\n    this.rows.clear();\n  }\n}',
      'uncertain',
    ],
    [
      'that leaves out lines without a word',
      'merge(other: Store): number {\n  const before = this.rows.size;\n  return this.rows.size - before;\n}',
      'uncertain',
    ],
    [
      'that leaves out one line without a word',
      '  add(row: Row): void {\n    this.rows.set(row.id, row);\n  }',
      'uncertain',
    ],
    [
      'that writes one line where two were',
      'def area(width, height):\n    check(height > 0)\n    return width * height',
      'uncertain',
      PYTHON,
    ],
    ['that is a head with nothing in it', 'find(id: string): Row | undefined {\n}', 'uncertain'],
    [
      'that begins with lines unknown',
      '  const sum = 0;\n    this.rows.set(row.id, row);\n    this.changed();',
      'uncertain',
    ],
    [
      'that ends with lines unknown',
      '    this.rows.set(row.id, row);\n    this.changed();\n    this.rest();',
      'uncertain',
    ],
    [
      'whose change stands beside code left out',
      'export function load(path: string): Store {\n  const store = Store.empty();\n  // ... existing code ...\n}',
      'uncertain',
    ],
    [
      'that may end before or with its function',
      'def area(width, height):\n    check(width)\n    check(height)\n    store(width * height)',
      'uncertain',
      PYTHON,
    ],
    ['of lines in another order', '    this.changed();\n    this.rows.set(row.id, row);', 'uncertain'],
    ['that would change nothing', '    this.rows.set(row.id, row);\n    this.changed();', 'noChange'],
    [
      'that may be the file without its last lines',
      'def area(width, height):\n    check(width > 0)\n    check(height)\n    return width * height',
      'uncertain',
      PYTHON.slice(PYTHON.indexOf('def area')).replace(/def main[\s\S]*/, 'area(1, 2)\nstop()\n'),
    ],
    [
      'that leaves out a line and has a new one elsewhere',
      'alpha(1);\nfresh(9);\nsame();\nthen();\ngamma(3);',
      'uncertain',
      `${BLOCKS}alpha(1);\nsame();\nbeta(2);\nthen();\ngamma(3);\nsame();\nthen();\n`,
    ],
    [
      'that ends with what the last lines of the file say',
      'export function load(path: string): Store {\n  const store = new Store();\n  for (const row of open(path)) {\n    store.add(row);\n  }\n  return store;\n}\n  for (const row of open(path)) {\n    store.add(row);\n  }\n  return it;\n}',
      'uncertain',
    ],
    [
      'that is one block made of two',
      BLOCKS.slice(BLOCKS.indexOf('one(')).replace(/\n\}\n\ntwo\(\) \{/, ''),
      'uncertain',
      BLOCKS,
    ],
    [
      'that begins with what the first lines of the file say',
      "import { sorted } from './lists';\nimport { open } from './disk';\nimport { sorted } from './lists';\n\n// ... rest of code ...",
      'uncertain',
    ],
    [
      'that is the file with one line in the place of its first two',
      WHOLE_OF(/^.*\n.*\n/, "import { other } from './others';\n"),
      'uncertain',
    ],
    ...['log("a) first");', "log('(');", '// 1) the first step', 'return /\\{/g;'].map(
      (line): [string, string, Reason, string] => [
        `that is the file without a function in which a bracket stands alone: ${line}`,
        functions('one', 'three', 'four', 'five', 'six'),
        'uncertain',
        functions('one', 'two', 'three', 'four', 'five', 'six').replace('  run(two);', `  ${line}`),
      ],
    ),
    [
      'that is the file in another order, without a function',
      functions('one', 'four', 'three', 'five', 'six', 'seven', 'eight'),
      'uncertain',
      functions('one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'),
    ],
    [
      'that is the file in another order, without a line',
      TABLE.filter((line) => line !== 'key 3 = 3')
        .toSpliced(5, 2, 'key 8 = 8', 'key 7 = 7')
        .join('\n'),
      'uncertain',
      TABLE.join('\n'),
    ],
    [
      'that is the file with another class, and one without its constructor',
      `${classes('One', 'Two', 'Three').replace(/ {2}constructor\(\) \{\n {4}make\(Two\);\n {2}\}\n/, '')}${classes('Four')}end();`,
      'uncertain',
      `${classes('One', 'Two', 'Three')}end();\n`,
    ],
    [
      'that is the file with an end of its own, in which a block stays open',
      `${functions('one', 'two', 'three', 'four')}\nexport const all = {\n  one,`,
      'uncertain',
      `${functions('one', 'two', 'three', 'four')}\nexport const all = { one };\n`,
    ],
    ['that is the file without its first line', FILE.slice(FILE.indexOf('\n') + 1), 'uncertain'],
  ];
  for (const [title, snippet, reason, file] of CASES) it(title, () => check(snippet, reason, file));
});
