import assert from 'node:assert/strict';
import type { Tokens } from 'marked';
import { isApplicable, readCode } from '../../extension/chat/webview/blocks/applicable.ts';
import { type Block, BlockReader, isClosedFence } from '../../extension/chat/webview/blocks/blocks.ts';
import { aboveInner, languageIdOf, readFence } from '../../extension/chat/webview/blocks/fence.ts';
import { withMarksClosed } from '../../extension/chat/webview/blocks/openMarks.ts';
import { spoken } from '../../extension/chat/webview/blocks/spoken.ts';
import {
  attachmentLabel,
  estimateTokens,
  fullTime,
  groupOf,
  until,
  when,
} from '../../extension/chat/webview/format.ts';
import { type HistoryState, noHistory, putPage } from '../../extension/chat/webview/model/history.ts';
import { readCode as applyOne, readAnswerBlocks } from '../../extension/edit/changes/applyBlocks.ts';
import type { Edit } from '../../extension/edit/engine/edits.ts';
import { AnswerReader } from '../../extension/edit/engine/reading/answerReader.ts';
import { historyPage, longAnswer, row } from './samples.ts';

describe('chat view: words and numbers', () => {
  const now = new Date(2026, 10, 20, 15, 0);
  const at = (...parts: [number, number, number, number?, number?]) => new Date(...parts).toISOString();

  it('says times relative within a day and absolute after', () => {
    const table: [string, string][] = [
      [at(2026, 10, 20, 14, 59), '1 min ago'],
      [at(2026, 10, 20, 15, 0), 'just now'],
      [at(2026, 10, 20, 12, 30), '2 h ago'],
      [at(2026, 10, 19, 18, 40), '18:40'],
      [at(2026, 10, 16, 9, 5), 'Mon 09:05'],
      [at(2026, 9, 1, 9, 5), '1 Oct'],
      [at(2025, 9, 1, 9, 5), '1 Oct 2025'],
    ];
    for (const [time, text] of table) assert.equal(when(time, now, 'en-GB'), text);
    assert.match(fullTime(at(2026, 10, 20, 16, 20), now, 'en-GB'), /^16:20 \(UTC([+-]\d+(:\d\d)?)?\)$/);
    assert.match(fullTime(at(2026, 10, 27, 9, 0), now, 'en-GB'), /^Fri,? 27 Nov,? (at )?09:00 \(UTC/);
    assert.equal(until(at(2026, 10, 20, 15, 5), now), 'in 5 min');
  });

  it('groups by calendar days, not by hours', () => {
    assert.equal(groupOf(at(2026, 10, 20, 0, 1), now), 'Today');
    assert.equal(groupOf(at(2026, 10, 19, 23, 59), now), 'Yesterday');
    assert.equal(groupOf(at(2026, 10, 14), now), 'Last 7 days');
    assert.equal(groupOf(at(2026, 10, 13), now), 'Older');
  });

  it('calls a symbol by its name, and one that was sent without it by its lines', () => {
    const symbol = { id: 's', kind: 'symbol', path: 'src/a.ts', range: { start: 9, end: 11 }, characters: 9 } as const;
    assert.equal(attachmentLabel({ ...symbol, name: 'fetchOrder' }), 'fetchOrder');
    assert.equal(attachmentLabel(symbol), 'a.ts:10–12');
  });

  it('estimates tokens without freezing on a long text', () => {
    assert.equal(estimateTokens('four'), 1);
    assert.equal(estimateTokens('日本語日本語'), 4);
    assert.equal(estimateTokens('x'.repeat(1_000_000)), 250_000);
  });

  it('reads markdown aloud without its marks', () => {
    assert.equal(
      spoken('# Title\n\nSome **bold** and `code`, [link](https://x.y).\n\n```ts\nconst a = 1;\n```\n\n- one\n- two'),
      'Title\nSome bold and code, link.\nCode block, ts.\none\ntwo',
    );
  });
});

describe('chat view: an answer read aloud', () => {
  const table: [string, string, string][] = [
    ['a new file', 'Here.\n\nsrc/a.ts\n```\n<<<<<<< SEARCH\n=======\nx\n>>>>>>> REPLACE\n```', 'New file src/a.ts.'],
    ['a deletion', '```\n*** Begin Patch\n*** Delete File: src/old.ts\n*** End Patch\n```', 'Deletes src/old.ts.'],
    [
      'a change and a move',
      '```\n*** Begin Patch\n*** Update File: a.ts\n-x\n+y\n*** Update File: m.ts\n*** Move to: l/m.ts\n*** End Patch\n```',
      'Changes a.ts.\nMoves m.ts to l/m.ts.',
    ],
    ['code with its file', 'In `src/b.ts`:\n\n```ts\nx\n```', 'Code block, ts, src/b.ts.'],
    ['code within a list', '- do\n\n  ```sh\n  ls\n  ```', 'do\nCode block, sh.'],
  ];
  for (const [title, text, expected] of table) {
    it(`names ${title}`, () => assert.ok(spoken(text).endsWith(expected), spoken(text)));
  }
});

describe('chat view: a fence', () => {
  const table: [string, string, { language: string; file?: string; isUnclear?: true }][] = [
    ['ts', '', { language: 'ts' }],
    ['', '', { language: '' }],
    ['ts src/a.ts', '', { language: 'ts', file: 'src/a.ts' }],
    ['ts:src/a.ts', '', { language: 'ts', file: 'src/a.ts' }],
    ['tsx title="src/a b.tsx"', '', { language: 'tsx', isUnclear: true }],
    ['tsx title="src/a.tsx"', '', { language: 'tsx', file: 'src/a.tsx' }],
    ['src/main.py', '', { language: 'py', file: 'src/main.py' }],
    ['ts', '**src/a.ts**:', { language: 'ts', file: 'src/a.ts' }],
    ['ts', 'File: `src/a.ts`', { language: 'ts', file: 'src/a.ts' }],
    ['ts', '### `package.json`', { language: 'ts', file: 'package.json' }],
    ['ts', 'Then change `src/a.ts` so that it waits:', { language: 'ts', file: 'src/a.ts' }],
    ['ts', 'As `a.ts` and `b.ts` show:', { language: 'ts', isUnclear: true }],
    ['ts', '### src/b.ts\n\nIt waits now.', { language: 'ts', file: 'src/b.ts' }],
    ['ts', '### `src/b.ts`\n\nIn `src/b.ts`, wait:', { language: 'ts', file: 'src/b.ts' }],
    ['ts', '### src/b.ts\n\nAs in `src/a.ts`:', { language: 'ts', isUnclear: true }],
    ['ts', '### src/b.ts\n\nAnd in a.ts:', { language: 'ts', isUnclear: true }],
    ['ts', '### src/b.ts\n\n**src/a.ts**', { language: 'ts', file: 'src/a.ts' }],
    ['ts', '**src/a.ts**\n\n**src/b.ts**\n\nBoth wait.', { language: 'ts', isUnclear: true }],
    ['ts', 'The test of `src/a.ts` is below.', { language: 'ts', isUnclear: true }],
    ['ts src/c.ts', '### src/b.ts\n\nIt waits.', { language: 'ts', file: 'src/c.ts' }],
    ['ts', 'This is version 1.2 of it.', { language: 'ts' }],
    ['dockerfile', 'Dockerfile:', { language: 'dockerfile', file: 'Dockerfile' }],
  ];
  for (const [info, lineBefore, expected] of table) {
    it(`"${info}" after "${lineBefore}" is ${expected.file ?? 'no file'}`, () => {
      assert.deepEqual(readFence(info, { prose: lineBefore }), expected);
    });
  }

  it('names the file that the edit engine takes for a block below the same words', () => {
    for (const prose of table.map(([, before]) => before).filter((before) => before.includes('\n'))) {
      const changes = '<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n';
      const [edit] = new AnswerReader().feed(`${prose}\n\n\`\`\`ts\n${changes}\`\`\`\n`);
      assert.equal(readFence('ts', { prose }).file, edit?.path, prose);
    }
  });

  it('says that it is unclear after code for a file, and nothing where no file is spoken of', () => {
    const fences = (text: string) =>
      new BlockReader()
        .read(text, true)
        .flatMap((block) => (block.token.type === 'code' ? [readFence('ts', block)] : []));
    const code = '\n\n```ts\nx();\n```\n\n';
    assert.deepEqual(fences(`### src/b.ts\n\nIt waits.${code}And then:${code}`), [
      { language: 'ts', file: 'src/b.ts' },
      { language: 'ts', isUnclear: true },
    ]);
    assert.equal(aboveInner('1. In `src/b.ts`:\n\n   ```ts\n   x();\n   ```').followsFile, true);
    assert.deepEqual(fences(`Like this:${code}And then:${code}`), [{ language: 'ts' }, { language: 'ts' }]);
  });

  it('holds what is applied of it: the view and the edit engine read one end of it', () => {
    const f = '```';
    const texts = [
      `README.md\n\n${f}markdown\n# Title\n\nRun it:\n\n${f}bash\nnpm ci\n${f}\n\nThen open it.\n${f}\n`,
      `${f}md docs/a.md\n${f}ts\na\n${f}\n\n${f}sh\nb\n${f}\n${f}\n\nAnd:\n\n${f}ts src/a.ts\nx();\n${f}\nDone.`,
      `README.md\n${f}\n<<<<<<< SEARCH\n${f}sh\nnpm i\n${f}\n=======\n${f}sh\nnpm ci\n${f}\n>>>>>>> REPLACE\n${f}\nDone.`,
      `${f}py src/a.py\ns = '''\n${f}json\n{}\n${f}\n'''\n${f}\nDone.`,
      `~~~md docs/a.md\n${f}\na\n${f}\n~~~\nDone.`,
    ];
    for (const text of texts) {
      const shown = new BlockReader()
        .read(text, true)
        .flatMap((block) => (block.token.type === 'code' ? [readCode(block.token as Tokens.Code, block, true)] : []));
      const { edits } = readAnswerBlocks(text);
      const applied = shown.flatMap((code) => applyOne(code.text, code.language, code.file).edits);
      const told = (edit: Edit) => ({ ...edit, answerLine: 0 });
      assert.deepEqual(applied.map(told), edits.map(told), text);
      assert.ok(shown.every(isApplicable), text);
    }
  });

  it('gives the language as the editor names it', () => {
    assert.deepEqual(['ts', 'py', 'sh', 'rust', ''].map(languageIdOf), [
      'typescript',
      'python',
      'shellscript',
      'rust',
      undefined,
    ]);
  });

  it('is closed by one like its own, of at least its length', () => {
    assert.equal(isClosedFence('```\na\n```'), true);
    assert.equal(isClosedFence('````\na\n```'), false);
    assert.equal(isClosedFence('~~~\na\n```'), false);
    assert.equal(isClosedFence('```'), false);
  });
});

describe('chat view: blocks of a growing text', () => {
  const shape = (reader: BlockReader, text: string, ended: boolean) =>
    reader.read(text, ended).map((b) => b.token.raw.trim());

  it('are in the end those of the whole text, wherever the pieces were cut', () => {
    const whole = longAnswer(400);
    const expected = shape(new BlockReader(), whole, true);
    for (const size of [1, 7, 64, 1000]) {
      const reader = new BlockReader();
      for (let at = 0; at < whole.length; at += size) reader.read(whole.slice(0, at), false);
      assert.deepEqual(shape(reader, whole, false), expected, `pieces of ${size}`);
      assert.deepEqual(shape(reader, whole, true), expected, `pieces of ${size}, ended`);
    }
  });

  it('follow a text that was cut and grew another way', () => {
    const reader = new BlockReader();
    reader.read('One.\n\nTwo.\n\nThree.\n\nFour.', false);
    assert.deepEqual(shape(reader, 'One.\n\n2.\n\nThree', false), ['One.', '2.', 'Three']);
  });

  it('find the targets of links that come later, as soon as they are whole, wherever the pieces were cut', () => {
    const text =
      'See [it][1] and [that].\n\nA.\n\nB.\n\n[1]: https://example.org/it\n[that]: <https://example.org>\n\nEnd.';
    const targets = (blocks: Block[]) => blocks[0]!.memo.split('\n', 1)[0];
    const whole = targets(new BlockReader().read(text, true));
    assert.match(whole!, /org\/it https:\/\/example\.org$/);
    for (let size = 1; size < 12; size++) {
      const reader = new BlockReader();
      let seen: string | undefined;
      for (let at = size; at < text.length + size; at += size) seen = targets(reader.read(text.slice(0, at), false));
      assert.equal(seen, whole, `pieces of ${size}`);
      assert.equal(targets(reader.read(text, true)), whole, `pieces of ${size}, ended`);
    }
  });

  it('close the marks that their last line leaves open, and no others', () => {
    const table: [string, string][] = [
      ['One **bo', 'One **bo**'],
      ['One **', 'One '],
      ['**bold*', '**bold**'],
      ['***bo ', '***bo*** '],
      ['~~go~', '~~go~~'],
      ['a `npm c', 'a `npm c`'],
      ['**a `b', '**a `b`**'],
      ['See [the docs](https://exa', 'See the docs'],
      ['这是**注', '这是**注**'],
      ['- **it', '- **it**'],
      ['__in', '__in__'],
      ['2 * 3', '2 * 3'],
      ['a*b', 'a*b'],
      ['snake_ca', 'snake_ca'],
      ['* ', '* '],
      ['\\*a', '\\*a'],
      ['\\( a *b', '\\( a *b'],
      ['**a\nb', '**a\nb'],
      ['```', '```'],
      [`**${'far '.repeat(100)}`, `**${'far '.repeat(100)}`],
    ];
    for (const [text, shown] of table) assert.equal(withMarksClosed(text), shown);
  });
});

describe('chat view: pages of the history', () => {
  const open: HistoryState = { ...noHistory, open: true, loading: true };
  const page = (...args: Parameters<typeof historyPage>) => historyPage(...args) as Parameters<typeof putPage>[1];
  const time = (n: number) => new Date(Date.UTC(2026, 0, 1) - n * 1000).toISOString();
  const rows = Array.from({ length: 6 }, (_, i) => row(`r${i}`, time(i)));

  it('are added one after the other, and a page for another search is dropped', () => {
    const first = putPage(open, page(rows.slice(0, 3), { before: 'p' }));
    const both = putPage(first, page(rows.slice(3), { first: false }));
    assert.deepEqual(both.rows, rows);
    assert.equal(putPage(both, page([], { search: 'x' })), both);
  });

  it('stay when the first comes anew, which brings what is new and takes what is gone', () => {
    const all = { ...open, loading: false, rows, before: 'end' };
    const fresh = row('new', time(-1));
    const again = putPage(all, page([fresh, rows[0]!, rows[2]!], { before: 'p' }));
    assert.deepEqual(
      again.rows.map((r) => r.title),
      ['new', 'r0', 'r2', 'r3', 'r4', 'r5'],
    );
    assert.equal(again.before, 'end');
  });
});
