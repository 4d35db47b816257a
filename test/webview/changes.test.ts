import assert from 'node:assert/strict';
import type { Tokens } from 'marked';
import {
  blockId,
  isApplicable,
  listApplicable,
  readCode,
  type ShownCode,
} from '../../extension/chat/webview/blocks/applicable.ts';
import { BlockReader } from '../../extension/chat/webview/blocks/blocks.ts';
import { countChanges, readChanges, type ShownChange } from '../../extension/chat/webview/blocks/changes.ts';

const MARKS = { keep: ' ', old: '-', new: '+', gap: '@' };
/** Changes as text: a line for each file, then its lines with their marks. */
const shown = (changes: ShownChange[] | null) =>
  changes?.flatMap(({ kind, path, movedTo, lines }) => [
    [kind, path, movedTo].filter(Boolean).join(' '),
    ...lines.map(({ op, text }) => `${MARKS[op]}${text}`),
  ]) ?? null;
const block = (search: string, replace: string) => `<<<<<<< SEARCH\n${search}=======\n${replace}>>>>>>> REPLACE\n`;

describe('chat view: blocks that change files', () => {
  const table: [string, string, string | undefined, string[] | null][] = [
    [
      'a block, with what stays told once',
      block('a\nb\nc\n', 'a\nB\nc\n'),
      'x.ts',
      ['update x.ts', ' a', '-b', '+B', ' c'],
    ],
    [
      'two blocks of one file',
      `${block('a\n', 'A\n')}\n${block('b\n', '')}`,
      'x.ts',
      ['update x.ts', '-a', '+A', '@', '-b'],
    ],
    [
      'blocks that name their files',
      `x.ts\n${block('a\n', 'A\n')}y.ts\n${block('b\n', 'B\n')}`,
      undefined,
      ['update x.ts', '-a', '+A', 'update y.ts', '-b', '+B'],
    ],
    ['an empty search as a new file', block('', 'a\n'), 'n.ts', ['create n.ts', '+a']],
    [
      'marks of nine signs around lines of seven',
      '<<<<<<<<< SEARCH\na\n=======\n=========\nb\n>>>>>>>>> REPLACE',
      'x.md',
      ['update x.md', '-a', '-=======', '+b'],
    ],
    [
      'a patch of four files',
      '*** Begin Patch\n*** Update File: x.ts\n@@ class A\n a\n-b\n+B\n*** Add File: n.ts\n+n\n*** Delete File: d.ts\n*** Update File: m.ts\n*** Move to: l/m.ts\n*** End Patch',
      undefined,
      ['update x.ts', '@class A', ' a', '-b', '+B', 'create n.ts', '+n', 'delete d.ts', 'move m.ts l/m.ts'],
    ],
    ['plain code', 'const a = 1;\n', 'x.ts', null],
    ['a block with code around it', `const a = 1;\n${block('a\n', 'b\n')}`, 'x.ts', null],
    ['a block without a divider', '<<<<<<< SEARCH\na\n>>>>>>> REPLACE', 'x.ts', null],
    ['a block with two dividers', block('a\n=======\nb\n', 'c\n'), 'x.ts', null],
    ['a block in a block', `<<<<<<< SEARCH\na\n${block('b\n', 'c\n')}`, 'x.ts', null],
    ['a block without its end', '<<<<<<< SEARCH\na\n=======\nb\n', 'x.ts', null],
    ['a patch with a line of its own', '*** Begin Patch\n*** Rename File: a\n*** End Patch', undefined, null],
    ['a new file without its pluses', '*** Begin Patch\n*** Add File: a\nx\n*** End Patch', undefined, null],
  ];
  for (const [title, text, path, lines] of table) {
    it(`${lines ? 'reads' : 'leaves as it is'} ${title}`, () => {
      assert.deepEqual(shown(readChanges(text, path, true)), lines);
    });
  }

  it('reads unified diffs of several files, and one for a file that the answer names', () => {
    const a = '--- a/x.ts\n+++ b/x.ts\n@@ -1,2 +1,2 @@ class A\n a\n-b\n+B\n';
    const made = 'diff --git a/n.ts b/n.ts\nnew file mode 100644\n--- /dev/null\n+++ b/n.ts\n@@ -0,0 +1 @@\n+n\n';
    assert.deepEqual(shown(readChanges(a + made, undefined, true, 'diff')), [
      ...['update x.ts', '@class A', ' a', '-b', '+B'],
      ...['create n.ts', '+n'],
    ]);
    assert.deepEqual(shown(readChanges('-b\n+B', 'x.ts', true, 'diff')), ['update x.ts', '-b', '+B']);
    assert.equal(readChanges('-b\n+B', undefined, true, 'diff'), null);
    assert.equal(readChanges(a, 'x.patch', true, 'diff'), null);
  });

  it('shows what came while more comes, and takes nothing for removed that may stay', () => {
    const whole = 'x.ts\n<<<<<<< SEARCH\na\nb\nc\n=======\na\nB\nc\n>>>>>>> REPLACE\n';
    const at = (end: string) => shown(readChanges(whole.slice(0, whole.indexOf(end) + end.length), undefined, false));
    assert.deepEqual(at('SEARCH\na\nb'), ['update x.ts', ' a', ' b']);
    assert.deepEqual(at('c\n====='), ['update x.ts', ' a', ' b', ' c']);
    assert.deepEqual(at('=======\na\n'), ['update x.ts', ' a', ' b', ' c']);
    assert.deepEqual(at('=======\na\nB\n'), ['update x.ts', ' a', '-b', '-c', '+B']);
    assert.deepEqual(at('B\nc\n>>>'), ['update x.ts', ' a', '-b', '+B', ' c']);
  });

  it('never gives up in the middle of what it can read at the end', () => {
    for (const whole of table.filter(([, , , lines]) => lines).map(([, text]) => text)) {
      const head = /SEARCH\n|File: \S+\n/.exec(whole)!;
      for (let end = head.index + head[0].length; end < whole.length; end++) {
        assert.ok(readChanges(whole.slice(0, end), 'x.ts', false), JSON.stringify(whole.slice(0, end)));
      }
    }
  });

  it('counts lines that come and go', () => {
    assert.deepEqual(countChanges(readChanges(block('a\nb\n', 'a\nB\nC\n'), 'x', true)!), { added: 2, removed: 1 });
  });

  it('stand in no fence too, and are no headings of Markdown', () => {
    const text = `Do this:\n\nsrc/x.ts\n${block('a\n', 'b\n')}Then that.\n\n*** Begin Patch\n*** Delete File: d.ts\n*** End Patch\nDone.`;
    for (const ended of [true, false]) {
      const blocks = new BlockReader().read(text, ended);
      assert.deepEqual(
        blocks.map(({ token }) => token.type),
        ['paragraph', 'paragraph', 'code', 'paragraph', 'code', 'paragraph'],
      );
      const code = readCode(blocks[2]!.token as Tokens.Code, blocks[2]!, true);
      assert.deepEqual(shown(code.changes), ['update src/x.ts', '-a', '+b']);
    }
  });

  it('are the same wherever the answer was cut while it came', () => {
    const text = `- one\n- two\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n\nText\n${block('c\n', 'd\n')}\nEnd.`;
    const expected = new BlockReader().read(text, true).map(({ token }) => token.raw.trim());
    const reader = new BlockReader();
    for (let end = 0; end < text.length; end++) reader.read(text.slice(0, end), false);
    assert.deepEqual(
      reader.read(text, false).map(({ token }) => token.raw.trim()),
      expected,
    );
  });
});

describe('chat view: what can be applied', () => {
  const code = (info: string, text: string, lineBefore = ''): ShownCode => {
    const raw = `\`\`\`${info}\n${text}\n\`\`\``;
    return readCode({ type: 'code', raw, lang: info, text } as Tokens.Code, { prose: lineBefore }, true);
  };
  const table: [string, string, string, boolean][] = [
    ['ts', 'a', '', true],
    ['ts src/a.ts', 'a', '', true],
    ['', 'a', '', false],
    ['', 'a', 'src/a.ts', true],
    ['sh', 'npm test', '', false],
    ['bash', 'npm test', 'scripts/test.sh', true],
    ['text', 'Error: no', '', false],
    ['console', '$ ls', '', false],
    ['json', '{}', '', true],
    ['diff', '-a\n+b', '', false],
    ['diff', '-a\n+b', 'src/a.ts', true],
    ['diff', '--- a/src/a.ts\n+++ b/src/a.ts\n@@ -1 +1 @@\n-a\n+b', '', true],
    ['diff', 'a\nb', 'src/a.ts', false],
    ['diff', '--- a/src/a.ts\n+++ b/src/a.ts\n@@ -1 +1 @@\n-a\n+b', 'x.patch', false],
    ['diff', block('a\n', 'b\n'), 'src/a.ts', true],
    ['', block('a\n', 'b\n'), '', true],
    ['ts', '  ', '', false],
  ];
  for (const [info, text, before, expected] of table) {
    it(`${expected ? 'is' : 'is not'} "${text.split('\n')[0]}" in a fence "${info}" after "${before}"`, () => {
      assert.equal(isApplicable(code(info, text, before)), expected);
    });
  }

  it('is not code that was cut off: it would take the rest of its file with it', () => {
    const cut = { type: 'code', raw: '```ts src/a.ts\nconst a', lang: 'ts src/a.ts', text: 'const a' } as Tokens.Code;
    assert.equal(isApplicable(readCode(cut, { prose: '' }, true)), false);
  });

  it('is all of an answer only where there is more than one block with a file', () => {
    const fence = (path: string, text = 'x') => `${path}\n\`\`\`ts\n${text}\n\`\`\`\n\n`;
    const counted = (markdown: string) => {
      const all = listApplicable(markdown);
      return all && { files: new Set(all.flatMap(({ files }) => files)).size, blocks: all.length };
    };
    assert.equal(listApplicable('Nothing.'), null);
    assert.equal(listApplicable(fence('a.ts')), null);
    assert.equal(listApplicable(`${fence('a.ts')}${fence('no file')}\n\`\`\`sh\nnpm test\n\`\`\``), null);
    assert.deepEqual(counted(fence('a.ts') + fence('b.ts') + fence('./a.ts', 'y')), { files: 2, blocks: 3 });
    assert.deepEqual(counted(`- do\n\n  \`\`\`ts a.ts\n  x\n  \`\`\`\n\n${fence('b.ts')}`), {
      files: 2,
      blocks: 2,
    });
    assert.deepEqual(counted(fence('a.ts', block('a\n', 'b\n')) + fence('a.ts', block('c\n', 'd\n'))), {
      files: 1,
      blocks: 2,
    });
  });

  it('has a name made of what it says', () => {
    assert.equal(blockId(code('ts', 'a')), blockId(code('ts', 'a')));
    assert.notEqual(blockId(code('ts', 'a')), blockId(code('ts', 'b')));
    assert.notEqual(blockId(code('ts a.ts', 'a')), blockId(code('ts b.ts', 'a')));
  });
});
