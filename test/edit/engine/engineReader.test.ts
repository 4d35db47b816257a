import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Edit } from '../../../extension/edit/engine/edits.ts';
import { AnswerReader } from '../../../extension/edit/engine/reading/answerReader.ts';

function read(answer: string, defaultPath?: string): Edit[] {
  const reader = new AnswerReader(defaultPath);
  return [...reader.feed(answer), ...reader.end()];
}

/** One line for each edit: what it is, for which file, and its lines with their marks. */
function told(edits: readonly Edit[]): string[] {
  return edits.map((edit) => {
    const path = edit.path ?? '?';
    if (edit.kind === 'change') {
      const marks = { keep: '=', old: '-', new: '+' };
      const head = edit.headings.length > 0 ? ` @@ ${edit.headings.join(' > ')}` : '';
      const end = edit.atEndOfFile ? ' at the end' : '';
      return `change ${path}${head}: ${edit.lines.map(({ op, text }) => marks[op] + text).join(' ')}${end}`;
    }
    if (edit.kind === 'move') return `move ${path} to ${edit.to}`;
    if (edit.kind === 'delete') return `delete ${path}`;
    if (edit.kind === 'malformed') return `malformed ${path}: ${edit.message}`;
    return `${edit.kind} ${path}: ${edit.lines.join(' ')}`;
  });
}

const check = (answer: string[], expected: string[], defaultPath?: string) =>
  assert.deepEqual(told(read(answer.join('\n'), defaultPath)), expected);

const BLOCK = ['<<<<<<< SEARCH', 'a', 'b', '=======', 'a', 'c', '>>>>>>> REPLACE'];

describe('what an answer asks for', () => {
  it('is a block below its path, before the fence or in it', () => {
    check(['Do this:', '', 'src/a.ts', '```ts', ...BLOCK, '```'], ['change src/a.ts: =a -b +c']);
    check(['```ts', 'src/a.ts', ...BLOCK, '```'], ['change src/a.ts: =a -b +c']);
    check(['### `src/a.ts`:', ...BLOCK], ['change src/a.ts: =a -b +c']);
    check(['```ts src/a.ts', ...BLOCK, '```'], ['change src/a.ts: =a -b +c']);
    check(['b.ts', ...BLOCK, 'bin/run', ...BLOCK], ['change b.ts: =a -b +c', 'change bin/run: =a -b +c']);
  });
  it('is for the file of the block before when it names none', () => {
    check(['a.ts', ...BLOCK, 'and', ...BLOCK], ['change a.ts: =a -b +c', 'change a.ts: =a -b +c']);
    check(BLOCK, ['change open.ts: =a -b +c'], 'open.ts');
    check(BLOCK, ['change ?: =a -b +c']);
  });
  it('has no file where prose leaves open which', () => {
    check(
      ['a.ts', ...BLOCK, 'As `lib/b.ts` does, with `c.ts`.', ...BLOCK],
      ['change a.ts: =a -b +c', 'change ?: =a -b +c'],
    );
    check(['a.ts', ...BLOCK, 'Then in `lib/b.ts`:', ...BLOCK], ['change a.ts: =a -b +c', 'change lib/b.ts: =a -b +c']);
  });
  it('has no file where the words above name another without its folder', () => {
    check(['a.ts', ...BLOCK, 'And in b.ts:', ...BLOCK], ['change a.ts: =a -b +c', 'change ?: =a -b +c']);
    check(['**In b.ts:**', ...BLOCK], ['change ?: =a -b +c'], 'src/a.ts');
    check(['Then in a.ts:', ...BLOCK], ['change src/a.ts: =a -b +c'], 'src/a.ts');
  });
  it('is for the file that its heading names, above other words', () => {
    const under = (...words: string[]) => ['### src/a.ts', ...BLOCK, '### src/b.ts', '', ...words, '', ...BLOCK];
    const expected = (path: string) => ['change src/a.ts: =a -b +c', `change ${path}: =a -b +c`];
    check(under('Replace the constant.'), expected('src/b.ts'));
    check(under('Replace it in `src/b.ts`:'), expected('src/b.ts'));
    check(under('With the type of `src/c.ts`:'), expected('?'));
    check(['### src/b.ts', 'Replace it:', ...BLOCK], ['change src/b.ts: =a -b +c'], 'src/a.ts');
    check(['- src/b.ts', '- src/c.ts', 'change so:', ...BLOCK], ['change ?: =a -b +c'], 'src/a.ts');
  });
  it('is not for a file that the words before only speak of', () => {
    check(['I looked at src/b.ts, too. So:', ...BLOCK], ['change ?: =a -b +c'], 'src/a.ts');
  });
  it('is a block as Cline and Roo write it', () => {
    check(['a.ts', '------- SEARCH', 'a', '=======', 'b', '+++++++ REPLACE'], ['change a.ts: -a +b']);
    const roo = [
      'a.ts',
      '<<<<<<< SEARCH',
      ':start_line:7',
      '-------',
      'a',
      '\\=======',
      '=======',
      'b',
      '>>>>>>> REPLACE',
    ];
    check(roo, ['change a.ts: -a -======= +b']);
  });
  it('is a new file for an empty search', () =>
    check(['a.ts', '<<<<<<< SEARCH', '=======', 'x', '>>>>>>> REPLACE'], ['change a.ts: +x']));
  it('is every part of a V4A patch', () =>
    check(
      [
        '*** Begin Patch',
        '*** Add File: new.ts',
        '+x',
        '+',
        '*** Delete File: old.ts',
        '*** Update File: a.ts',
        '*** Move to: b.ts',
        '@@ class A',
        '@@ run()',
        ' k',
        '-o',
        '+n',
        'raw',
        '@@ -3,4 +5,6 @@',
        '-p',
        '*** End of File',
        '*** End Patch',
      ],
      [
        'create new.ts: x ',
        'delete old.ts',
        'move a.ts to b.ts',
        'change a.ts @@ class A > run(): =k -o +n =raw',
        'change a.ts: -p at the end',
      ],
    ));
  it('is a fenced file, or a piece of code without a path', () => {
    check(['```ts title="src/a.ts"', 'x', '```'], ['whole src/a.ts: x']);
    check(['**src/a.ts**', '', '```ts', 'x', '```'], ['whole src/a.ts: x']);
    check(['```ts', 'x', '```'], ['whole ?: x']);
    check(['````md notes.md', '```js', 'x', '```', '````'], ['whole notes.md: ```js x ```']);
    check(['- here', '  ```ts a.ts', '  x', '    y', '  ```'], ['whole a.ts: x   y']);
  });
});

describe('an answer that breaks the rules', () => {
  const CASES: [title: string, answer: string[], expected: RegExp][] = [
    [
      'a block without its divider',
      ['a.ts', '<<<<<<< SEARCH', 'a', '>>>>>>> REPLACE'],
      /^malformed a\.ts: .*no line of =/,
    ],
    [
      'a block with two dividers',
      ['a.ts', ...BLOCK.slice(0, 4), '=======', ...BLOCK.slice(4)],
      /more than one line of =/,
    ],
    ['a block without its end', ['a.ts', ...BLOCK.slice(0, -1)], /ended before the block did/],
    ['a block inside a block', ['a.ts', ...BLOCK.slice(0, 3), ...BLOCK], /begins inside another/],
    ['an end without a block', ['a.ts', ...BLOCK, '>>>>>>> REPLACE'], /no block is open/],
    [
      'a patch without its end',
      ['*** Begin Patch', '*** Update File: a.ts', '-a'],
      /^malformed a\.ts: .*before the patch did/,
    ],
    ['an empty patch', ['*** Begin Patch', '*** End Patch'], /patch is empty/],
    ['an unknown mark', ['*** Begin Patch', '*** Frob File: a', '*** End Patch'], /has no line/],
    ['a new file without plus', ['*** Begin Patch', '*** Add File: a', 'x', '*** End Patch'], /lacks its plus/],
    ['a change of nothing', ['*** Begin Patch', '*** Update File: a', ' x', '*** End Patch'], /changes nothing/],
    [
      'a kept line that reads like a mark',
      [
        '*** Begin Patch',
        '*** Update File: a',
        '-x',
        '+y',
        ' *** Delete File: b',
        '*** Update File: c',
        '-p',
        '+q',
        '*** End Patch',
      ],
      /^malformed a: .*marks.*\nchange c: -p \+q$/,
    ],
    ['a fence without its end', ['```ts a.ts', 'x'], /ended before the code block did/],
    ['a fence that quotes a fence', ['```md a.md', 'x', '```', 'y', '```', 'z'], /contains a fence itself/],
  ];
  for (const [title, answer, expected] of CASES) {
    it(`is told: ${title}`, () => assert.match(told(read(answer.join('\n'))).join('\n'), expected));
  }
});

describe('a patch that its fence alone ends', () => {
  const PATCH = ['```', '*** Begin Patch', '*** Update File: a', '-x', '+y', '```'];
  const END = '*** End Patch';
  for (const [title, ...words] of [
    ['nothing'],
    ['a list', '', 'Notes:', '', '- it is better', '- and faster'],
    ['a list with pluses', '', 'Notes:', '+ it is better'],
    ['words further in', '', '  Run the tests now.'],
    ['a line', '', '---', 'Done.'],
  ] as const) {
    it(`is whole before ${title}`, () => check([...PATCH, ...words], ['change a: -x +y']));
  }
  it('is not whole where its own lines follow', () => {
    for (const words of [
      ['', '+more'],
      ['', ' kept', '-old'],
      ['', '@@ x', ' y'],
      ['+more'],
      ['', '+  more'],
      ['', ' *** Delete File: b'],
    ]) {
      const [only, ...more] = told(read([...PATCH, ...words].join('\n')));
      assert.deepEqual(more, [], words.join());
      assert.match(only!, /^malformed a: /, words.join());
    }
  });
  it('has all lines up to its own end', () =>
    check([...PATCH, '', '- it', '+ that', '```', END, '```'], ['change a: -x +y =``` = - it + that =```']));
  it('goes on with its next file', () =>
    check([...PATCH, '*** Update File: b', '-p', END, '```'], ['change a: -x +y =```', 'change b: -p']));
});

describe('what stands after code whose end cannot be told', () => {
  const README = ['README.md', '```md', '# T', '```'];
  const QUOTING = ['README.md', '```md', '# T', '```', 'npm i', '```'];
  const CODE = ['', 'src/a.ts', '```ts', 'let a = 1;', '```'];
  it('is read for itself where a path above its fence shows that it is other code', () => {
    check([...README, ...CODE], ['whole README.md: # T', 'whole src/a.ts: let a = 1;']);
    check(
      [...README, ...CODE, ...CODE.join('\n').replace('a.ts', 'b.ts').split('\n')],
      ['whole README.md: # T', 'whole src/a.ts: let a = 1;', 'whole src/b.ts: let a = 1;'],
    );
    check(
      [...README, ...CODE.join('\n').replace('```ts', '```').split('\n')],
      ['whole README.md: # T', 'whole src/a.ts: let a = 1;'],
    );
  });
  it('is not lost when one more fence ends the answer', () => {
    const edits = told(read([...README, ...CODE, '```'].join('\n')));
    assert.equal(edits[0], 'whole README.md: # T');
    assert.ok(
      edits.some((edit) => / src\/a\.ts: /.test(edit)),
      edits.join('\n'),
    );
  });
  it('is refused by its name where it may belong to that code', () => {
    const edits = told(read([...QUOTING, ...CODE].join('\n')));
    assert.match(edits.join('\n'), /^malformed README\.md: .*\nmalformed src\/a\.ts: /);
  });
  it('is a piece of that code where it ends the answer as a quote does', () => {
    const [only, ...more] = read([...QUOTING, ...CODE, '```'].join('\n'));
    assert.deepEqual(more, []);
    assert.ok(only?.kind === 'whole' && only.longer?.some((lines) => lines.includes('let a = 1;')));
  });
  it('is no other file where a quoted listing ends with a path', () => {
    const answer = ['README.md', '```md', '# T', '```', 'src/a.ts', '```', 'Done.', '```'];
    assert.deepEqual(
      read(answer.join('\n')).map(({ kind, path }) => `${kind} ${path}`),
      ['whole README.md'],
    );
  });
});

describe('an answer that still comes', () => {
  it('tells each block when its last line is there, and what is being written', () => {
    const reader = new AnswerReader();
    assert.equal(reader.pending, undefined);
    assert.deepEqual(reader.feed(`a.ts\n${BLOCK.slice(0, 5).join('\n')}\n`), []);
    assert.deepEqual(reader.pending, { kind: 'block', path: 'a.ts', answerLine: 2 });
    assert.deepEqual(told(reader.feed('c\n>>>>>>> REPLACE\n')), ['change a.ts: =a -b +c']);
    assert.equal(reader.pending, undefined);
    reader.feed('*** Begin Patch\n*** Update File: b.ts\n-x\n');
    assert.deepEqual(reader.pending, { kind: 'patch', path: 'b.ts', answerLine: 9 });
    assert.deepEqual(told(reader.feed('@@\n')), ['change b.ts: -x']);
  });

  it('says the same in whatever pieces it comes', () => {
    const answer = [
      'a.ts',
      '```ts',
      ...BLOCK,
      '```',
      '*** Begin Patch',
      '*** Update File: b',
      '-x',
      '*** End Patch',
      '',
    ];
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), (cuts, eol) => {
        const text = answer.join(eol);
        const reader = new AnswerReader();
        const at = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
        const edits = at.slice(1).flatMap((end, index) => reader.feed(text.slice(at[index], end)));
        assert.deepEqual([...edits, ...reader.end()], read(answer.join('\n')));
      }),
    );
  });

  it('is read without a throw, whatever it is', () => {
    const line = fc.constantFrom(
      ...BLOCK,
      '```',
      '```ts a.ts',
      '*** Begin Patch',
      '*** Update File: a',
      '@@ x',
      '+y',
      ' z',
      '*** End Patch',
      '',
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), (answer) => {
        read(answer.join('\n'));
      }),
      { numRuns: 2_000 },
    );
  });
});
