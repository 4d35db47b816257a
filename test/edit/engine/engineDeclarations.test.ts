import assert from 'node:assert/strict';
import { planSnippet } from '../../../extension/edit/engine/snippets/snippet.ts';

const STORE = `import { open } from './disk';
import { sorted } from './lists';

const LIMIT = 5;

/** All there is. */
export class Store {
  private readonly rows = new Map<string, Row>();

  add(row: Row): void {
    this.rows.set(row.id, row);
  }

  all(): Row[] {
    return sorted([...this.rows.values()]);
  }
}

export function load(path: string): Store {
  const store = new Store();
  for (const row of open(path)) store.add(row);
  return store;
}

module.exports = { Store, load };
`;

const TWO = `class Circle {
  constructor(radius) {
    this.radius = radius;
  }

  area() {
    return Math.PI * this.radius ** 2;
  }
}

class Square {
  constructor(side) {
    this.side = side;
  }

  area() {
    return this.side ** 2;
  }
}
`;

const PYTHON = `import os


class Shape:
    def area(self):
        return 0


def main():
    print(Shape().area())


if __name__ == '__main__':
    main()
`;

/** `inserted` stands before the first line that is `below`, or at the end, and nothing else has changed. */
function isPut(snippet: string, inserted: string, below: string | undefined, file = STORE, near?: number): void {
  const plan = planSnippet('a.ts', file, snippet.split('\n'), near);
  assert.ok(plan.kind === 'update', JSON.stringify(plan));
  const at = below === undefined ? file.length : file.indexOf(`${below}\n`);
  assert.notEqual(at, -1);
  assert.equal(plan.after, file.slice(0, at) + inserted + file.slice(at));
}

function isRefused(snippet: string, why: RegExp, file = STORE, near?: number): void {
  const plan = planSnippet('a.ts', file, snippet.split('\n'), near);
  assert.ok(plan.kind === 'refused', JSON.stringify(plan));
  assert.match(plan.refusals[0]!.message, why);
}

describe('a new declaration from the chat is put', () => {
  it('behind the last function of the file', () =>
    isPut(
      'export function save(store: Store) {\n  write(store);\n}',
      '\nexport function save(store: Store) {\n  write(store);\n}\n',
      '\nmodule.exports = { Store, load };',
    ));
  it('with the comment above it', () =>
    isPut(
      '/** Writes all. */\nfunction save() {}',
      '\n/** Writes all. */\nfunction save() {}\n',
      '\nmodule.exports = { Store, load };',
    ));
  it('behind the last class', () =>
    isPut(
      'class Row {\n  id = 1;\n}',
      '\nclass Row {\n  id = 1;\n}\n',
      '\nexport function load(path: string): Store {',
    ));
  it('behind the last declaration where the file has none of its kind', () =>
    isPut(
      'interface Row {\n  id: string;\n}',
      '\ninterface Row {\n  id: string;\n}\n',
      '\nmodule.exports = { Store, load };',
    ));
  it('below the last import', () =>
    isPut("import { log } from './log';", "import { log } from './log';\n", '\nconst LIMIT = 5;'));
  it('each behind its own kind', () => {
    const plan = planSnippet(
      'a.ts',
      STORE,
      "import { log } from './log';\n\nfunction save() {\n  log();\n}".split('\n'),
    );
    assert.ok(plan.kind === 'update');
    assert.deepEqual(
      plan.hunks.map(({ startLine, newLines }) => [startLine, newLines]),
      [
        [2, ["import { log } from './log';"]],
        [23, ['', 'function save() {', '  log();', '}']],
      ],
    );
  });
  it('into the only class, if it is a method', () =>
    isPut(
      'clear(): void {\n  this.rows.clear();\n}',
      '\n  clear(): void {\n    this.rows.clear();\n  }\n',
      '}\n\nexport function load(path: string): Store {',
    ));
  it('into the class of which it speaks', () =>
    isPut(
      'scale(by) {\n  this.radius *= by;\n}',
      '\n  scale(by) {\n    this.radius *= by;\n  }\n',
      '}\n\nclass Square {',
      TWO,
    ));
  it('into the class in which the cursor is', () =>
    isPut('name() {\n  return "?";\n}', '\n  name() {\n    return "?";\n  }\n', '}\n\nclass Square {', TWO, 5));
  it('into a class of Python, if it takes its object', () =>
    isPut('def grow(self):\n    pass', '\n    def grow(self):\n        pass\n', '\n\ndef main():', PYTHON));
  it('between functions of Python, parted as they are', () =>
    isPut('def helper():\n    pass', '\n\ndef helper():\n    pass\n', "\n\nif __name__ == '__main__':", PYTHON));
  it('at the cursor, in a file without declarations', () =>
    isPut('function c() {\n  d();\n}', '\nfunction c() {\n  d();\n}\n', '\nb();', 'a();\n\nb();\n', 1));
  it('at the end, in a file without declarations or a cursor', () =>
    isPut('function c() {\n  d();\n}', '\nfunction c() {\n  d();\n}\n', undefined, 'a();\n\nb();\n'));
  it('beside the changed one with which it is shown', () => {
    const plan = planSnippet(
      'a.ts',
      TWO,
      'area() {\n  return half(this.radius);\n}\n\ntwice() {\n  return 2 * this.radius;\n}'.split('\n'),
      6,
    );
    assert.ok(plan.kind === 'update', JSON.stringify(plan));
    assert.equal(
      plan.after,
      TWO.replace(
        '    return Math.PI * this.radius ** 2;\n  }\n',
        '    return half(this.radius);\n  }\n\n  twice() {\n    return 2 * this.radius;\n  }\n',
      ),
    );
  });
});

describe('a changed declaration from the chat', () => {
  it('takes the place of its former self, however few lines it has left', () => {
    const plan = planSnippet(
      'a.ts',
      STORE,
      'export function load(path: string): Store {\n  return Store.of(open(path));\n}'.split('\n'),
    );
    assert.ok(plan.kind === 'update', JSON.stringify(plan));
    assert.equal(
      plan.after,
      STORE.replace(
        '  const store = new Store();\n  for (const row of open(path)) store.add(row);\n  return store;\n',
        '  return Store.of(open(path));\n',
      ),
    );
  });
  it('keeps the lines of its comment above the first one that is shown', () => {
    const before = STORE.replace('export function load', '// Reads all rows,\n// one by one.\nexport function load');
    const snippet = '// one by one.\nexport function load(path: string): Store {\n  return Store.of(open(path));\n}';
    const plan = planSnippet('a.ts', before, snippet.split('\n'));
    assert.ok(plan.kind === 'update', JSON.stringify(plan));
    assert.equal(plan.after, before.replace(/\/\/ one by one[\s\S]*?\n\}/, snippet));
  });
  it('is refused where its comment begins as another one of the file', () =>
    isRefused(
      '/** All rows of a path.\n * one by one. */\nfunction load(path) {\n  read(path);\n}',
      /another order/,
      '/** All rows of a path.\n */\n\n/**\n * one by one. */\nfunction load(path) {\n  const store = open(path);\n  return store;\n}\n\nload(1);\n',
    ));
  it('is refused where lines of it may only not be shown', () =>
    isRefused(
      'export function load(path: string): Store {\n  const store = new Store();\n  return store;\n}',
      /leaves out/,
    ));
  it('is refused where methods of its class may only not be shown', () =>
    isRefused(
      'export class Store {\n  add(row: Row): void {\n    this.rows.set(row.id, row);\n  }\n}',
      /leaves out|whole file/,
    ));
});

const ORDERS = `import os


def amount(order):
    total = 0
    for line in order.lines:
        total += line.price
    return total


def main():
    print(amount(1))
`;

describe('marks above and below a declaration', () => {
  const LOAD = STORE.slice(STORE.indexOf('export function load'), STORE.indexOf('\n\nmodule'));
  const anew = (body: string) => `export function load(path: string): Store {\n${body}\n}`;
  const BODIES = ['  return Store.of(open(path));', '  const store = new Store();\n  return store.filled(open(path));'];
  const mark = '// ...existing code...';
  const AROUND: [title: string, around: (code: string) => string][] = [
    ['parted by blank lines', (code) => `${mark}\n\n${code}\n\n${mark}`],
    ['beside it', (code) => `${mark}\n${code}\n${mark}`],
    ['above it alone', (code) => `${mark}\n\n${code}`],
    ['below it alone', (code) => `${code}\n\n// ... rest of the file ...`],
    ['of several lines', (code) => `// ...\n${mark}\n\n${code}\n\n${mark}\n\n// ...`],
  ];
  for (const [title, around] of AROUND) {
    it(`say no more than the declaration alone: ${title}`, () => {
      for (const body of BODIES) {
        const plan = planSnippet('a.ts', STORE, around(anew(body)).split('\n'));
        assert.ok(plan.kind === 'update', JSON.stringify(plan));
        assert.equal(plan.after, STORE.replace(LOAD, anew(body)));
      }
    });
  }
  it('say nothing about a method’s class: it is the one that has it', () => {
    const all = '  all(): Row[] {\n    return sorted([...this.rows.values()]);\n  }';
    const fresh =
      '  all(): Row[] {\n    const rows = this.rows.values();\n    check(rows);\n    return Array.from(rows);\n  }';
    const plan = planSnippet('a.ts', STORE, `  ${mark}\n\n${fresh}\n\n  ${mark}`.split('\n'));
    assert.ok(plan.kind === 'update', JSON.stringify(plan));
    assert.equal(plan.after, STORE.replace(all, fresh));
  });
  const CASES: [title: string, piece: string, file?: string][] = [
    ['stand in it as well', `${mark}\n\n${anew(`  ${mark}\n  return store.filled();`)}\n\n${mark}`],
    ['are around a new one', `${mark}\n\nfunction save() {\n  return 5;\n}\n\n${mark}`],
    ['are around two', `${mark}\n\n${anew(BODIES[0]!)}\n\nfunction save() {\n  return 5;\n}\n\n${mark}`],
    ['are around one that the file has twice', `${mark}\n\narea() {\n  return 5;\n}\n\n${mark}`, TWO],
    ['are around a part of it', `${mark}\n\n${anew(BODIES[0]!).slice(0, -2)}\n\n${mark}`],
    ['are further in than it', `def amount(order):\n    total = 5\n    return total\n    # ...`, ORDERS],
    ['are around half of its lines', `${mark}\n${anew('  const store = new Store();\n  return store;')}\n${mark}`],
    [
      'are around a class without its methods',
      `${mark}\nexport class Store {\n  private readonly rows = 5;\n}\n${mark}`,
    ],
  ];
  for (const [title, piece, file] of CASES) it(`are refused where they ${title}`, () => isRefused(piece, /./, file));
});

describe('a changed function that is ended by its indentation', () => {
  const former = ORDERS.slice(ORDERS.indexOf('def amount'), ORDERS.indexOf('\n\n\ndef main'));
  const changed = former.replace('(order)', '(order, discount=0)').replace('return total', 'return total - discount');
  const isReplaced = (file: string, from: string, to: string) => {
    assert.equal(file.split(from).length, 2);
    const plan = planSnippet('a.py', file, to.split('\n'));
    assert.ok(plan.kind === 'update', JSON.stringify(plan));
    assert.equal(
      plan.after,
      file.replace(from, () => to),
    );
  };
  const ENDS = /ends with lines|leaves out|whole file|more than once|another order/;

  it('takes the place of its former self, if both end with a return', () => isReplaced(ORDERS, former, changed));
  it('takes it where only the return is another', () =>
    isReplaced(ORDERS, former, former.replace('return total', 'return round(total)')));
  it('takes it where nothing of it is left', () =>
    isReplaced(ORDERS, former, 'def amount(order, discount=0):\n    return sum(order.prices) - discount'));
  it('takes it where the return has several lines', () =>
    isReplaced(ORDERS, former, changed.replace('total - discount', 'max(total\n               - discount, 0)')));
  it('takes it in a class', () => {
    const indented = (text: string) => text.replace(/^(?=.)/gm, '    ');
    const file = `class Orders:\n    def first(self):\n        return self.all[0]\n\n${indented(former)}\n\n\nclass Other:\n    pass\n`;
    isReplaced(file, indented(former), indented(changed));
    isRefused(indented('def amount(self):\n    return 5'), /more than once/, file);
    // It may be a new function of the file.
    isRefused(changed, ENDS, file);
  });
  const CASES: [title: string, piece: string, file?: string][] = [
    ['does not end with a return', changed.replace(/\n.*$/, '\n    log(discount)')],
    ['ends with a return that is further in', changed.replace(/\n.*$/, '\n    if discount:\n        return 1')],
    ['has lines behind a return', changed.replace('total = 0', 'return total')],
    ['takes the place of one that ends otherwise', changed, ORDERS.replace('    return total', '    store(total)')],
    ['takes the place of one with lines behind a return', changed, ORDERS.replace('total = 0', 'return total')],
    [
      'lacks most lines of its former self',
      'def amount(order):\n    total = 0\n    return 5',
      ORDERS.replace('    for', '    a(1)\n    b(2)\n    c(3)\n    d(4)\n    e(5)\n    for'),
    ],
    ['is not alone', `${changed}\n\nstop()`],
    ['exists twice', changed, `${ORDERS}\n\nif os.other:\n    ${former.replaceAll('\n', '\n    ')}\n`],
    [
      'takes the place of one whose text goes on at the margin',
      changed,
      ORDERS.replace('return total', 'return """\ntotal"""'),
    ],
    [
      'takes the place of one whose last line goes on at the margin',
      changed,
      ORDERS.replace('return total', 'return \\\ntotal'),
    ],
    [
      'takes the place of one with a comment at the margin',
      changed,
      ORDERS.replace('    return total', '    return total\n# or\n    return 5'),
    ],
    ['ends within a text', 'def amount(order):\n    """What an order costs.\n    return total"""'.slice(0, -3)],
  ];
  for (const [title, piece, file = ORDERS] of CASES)
    it(`is refused where it ${title}`, () => isRefused(piece, ENDS, file));
});

describe('a declaration whose name is written in any script', () => {
  /** Replaces the second of three declarations in a file; nothing else changes. */
  const isReplaced = (before: string, from: string, to: string) => {
    const plan = planSnippet('a.txt', before, to.split('\n'));
    assert.ok(plan.kind === 'update', JSON.stringify(plan));
    assert.equal(before.split(from).length, 2);
    assert.equal(
      plan.after,
      before.replace(from, () => to),
    );
  };
  // The last two are written with combining marks: in Devanagari, and as a letter of its own.
  const NAMES = ['zwei', 'größe', 'été', 'сумма', 'جمع', '打印', '합계', 'योग', 'e\u0301te\u0301', '𝒙𝒚', 'می\u200cشود'];
  for (const name of NAMES) {
    it(`takes the place of its former self in braces: ${name}`, () => {
      const [from, to] = ['  return a + b;', '  const both = [a, b];\n  return sum(both);'];
      const heads = [
        `function ${name}(أ, 订单) {`,
        `export async function* ${name}(a, b) {`,
        `const ${name} = async (أ, b) => {`,
        `const ${name} = أ => {`,
        `exports.${name} = function (a, b) {`,
        `class ${name} {`,
        `${name}(a, b) {`,
        `Größe ${name}(Größe a, int b) {`,
        `async ${name}(\n  a,\n  b,\n) {`,
        `const ${name} = (\n  a,\n  b,\n) => {`,
      ];
      for (const head of heads) {
        const text = (inner: string) => `${head}\n${inner}\n}`;
        const others = ['one', `${name}2`].map((other) => `function ${other}() {\n  run(${other});\n}\n`);
        isReplaced(`${others[0]}\n${text(from)}\n\n${others[1]}\nstop();\n`, text(from), text(to));
      }
    });
    it(`takes the place of its former self in Python: ${name}`, () => {
      const text = (inner: string) => `def ${name}(订单, b):\n${inner}\n    return total`;
      const [from, to] = ['    total = a + b', '    both = [a, b]\n    total = sum(both)'];
      isReplaced(`import os\n\n\n${text(from)}\n\n\ndef ${name}2():\n    run()\n\n\nstop()\n`, text(from), text(to));
    });
    it(`is put behind the last one, or refused where its name is taken: ${name}`, () => {
      const fresh = `function ${name}(أ) {\n  return run(أ);\n}`;
      isPut(fresh, `\n${fresh}\n`, '\nmodule.exports = { Store, load };');
      isRefused(fresh, /something else by the name/, `let ${name} = 5;\n\nfunction one() {\n  run();\n}\n`);
      const longer = `${name.normalize('NFC')}ж`;
      const file = `let ${longer} = 5;\n\nfunction one() {\n  run();\n}\n`;
      isPut(fresh, `\n${fresh}\n`.normalize('NFC'), undefined, file);
    });
  }
  it('is another one where only its beginning is the same', () => {
    const [one, two] = ['function gr() {\n  run(2);\n}', 'function größe() {\n  run(1);\n}'];
    const file = `import { run } from './run';\n\n${two}\n\n${one}\n\nstop();\n`;
    isReplaced(file, one, 'function gr() {\n  stop(3);\n  stop(4);\n}');
    const fresh = 'function grün() {\n  stop(3);\n  stop(4);\n}';
    isPut(fresh, `\n${fresh}\n`, '\nstop();', file);
  });
  it('keeps the form in which the file writes its letters, or is refused', () => {
    const former = 'function e\u0301te\u0301() {\n  run(1);\n  run(2);\n}';
    const file = `import { run } from './run';\n\n${former}\n\nfunction stop() {\n  halt();\n}\n`;
    const replace = (before: string, piece: string) => {
      const plan = planSnippet('a.js', before, piece.split('\n'));
      return plan.kind === 'update' ? plan.after : plan.kind;
    };
    const pieces = [
      'function été() {\n  run(1);\n  walk(2);\n}',
      'function été(a) {\n  stop(3);\n  stop(4);\n}',
      'function été() {\n  stop(3);\n  été(4);\n}',
      'function été() {}',
    ];
    for (const piece of pieces) {
      assert.equal(replace(file, piece), file.replace(former, piece.normalize('NFD')));
      assert.equal(replace(`// é\n${file}`, piece.replace('été()', 'été(é)')), 'refused');
      const both = `${file}\n${former.normalize('NFC')}\n`;
      assert.equal(replace(both, piece), 'refused');
    }
  });
});

describe('a new declaration from the chat is refused', () => {
  it('where several classes could be meant', () =>
    isRefused('name() {\n  return "?";\n}', /can’t tell in which part of the file method name belongs/, TWO));
  it('where the file has something else by its name', () =>
    isRefused('function LIMIT() {\n  return 6;\n}', /something else by the name of LIMIT/));
  it('where it reads like another one of the file under a new name', () =>
    isRefused(
      'function read(path) {\n  const store = new Store(path);\n  const rows = open(path);\n  keepEach(rows, store);\n  return sealed(store);\n}',
      /reads like function load/,
      'function load(path) {\n  const store = new Store(path);\n  const rows = open(path);\n  keepEach(rows, store);\n  return sealed(store);\n}\n\nrun(load);\n',
    ));
  it('where it is not whole', () => isRefused('function save(store) {\n  write(store);', /shows where/));
});
