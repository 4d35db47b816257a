import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mergeSymbols, namesIn } from '../../extension/index/ranking/merge.ts';
import { type IndexedFile, indexFile } from '../../extension/index/ranking/postings.ts';
import { readQuestion } from '../../extension/index/ranking/question.ts';
import { decode, encode, PARTS, partOf } from '../../extension/index/ranking/storing.ts';
import { TermReader } from '../../extension/index/ranking/terms.ts';
import { WordIndex } from '../../extension/index/ranking/wordIndex.ts';
import { drain } from './disk.ts';

const reader = new TermReader();
const entry = (path: string, text: string): IndexedFile =>
  drain(indexFile({ path, mtime: 1, size: text.length }, text, reader));

function indexOf(files: Record<string, string>): WordIndex {
  const index = new WordIndex();
  for (const [path, text] of Object.entries(files)) index.set(entry(path, text));
  return index;
}

const find = (index: WordIndex, question: string, limit = 5) => drain(index.find(readQuestion(question), limit));

const FILES = {
  'src/net/backoff.ts': 'export function retryLater(attempt: number) {\n  return 2 ** attempt;\n}',
  'src/net/client.ts': 'import { retryLater } from "./backoff";\nexport function send() {}',
  'src/ui/button.ts': 'export function paintButton() {}\n',
  'test/backoff.test.ts': 'retryLater(1); retryLater(2); // retry attempt retry attempt\n',
  'docs/guide.md': '# Guide\n\nHow to press a button.',
};

describe('the index of words', () => {
  const index = indexOf(FILES);
  for (const [question, first] of [
    ['where is the retry logic?', 'src/net/backoff.ts'],
    ['retry_later', 'src/net/backoff.ts'],
    ['How is a button painted', 'src/ui/button.ts'],
    ['`send`', 'src/net/client.ts'],
    ['net/client', 'src/net/client.ts'],
    ['pressing buttons guide', 'docs/guide.md'],
  ] as const)
    it(`finds ${first} first for "${question}"`, () => assert.equal(find(index, question)[0]?.path, first));

  for (const question of ['', '   ', 'the and of', '?!…', 'zebra'])
    it(`finds nothing for "${question}"`, () => assert.deepEqual(find(index, question), []));

  it('says the lines of the piece, counted from 1', () => {
    const text = `${'filler();\n'.repeat(20)}\nfunction needle() {\n  return 1;\n}\n`;
    const [found] = find(indexOf({ 'a.ts': text }), 'needle');
    assert.deepEqual(found && [found.from, found.to], [22, 25]);
  });

  it('gives each file once, and no more than asked for', () => {
    const found = find(index, 'retry attempt button', 2);
    assert.equal(found.length, 2);
    assert.equal(new Set(found.map(({ path }) => path)).size, 2);
    assert.deepEqual(find(index, 'retry', 0), []);
  });

  it('reads a question of any length in bounded time', () => {
    assert.ok(find(index, 'retry '.repeat(1_000_000)).length > 0);
  });

  it('is the same whatever was added, changed and removed before, in any order', () => {
    const path = fc.constantFrom('a.ts', 'b/a.ts', 'b/c.md', 'd.py', 'e.test.ts');
    const text = fc.array(fc.constantFrom('retry', 'retryLater', 'pool', 'const a = 1;\n', '\n\n', 'class Pool {'), {
      maxLength: 12,
    });
    const step = fc.record({ path, text: fc.option(text.map((words) => words.join(' '))) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), fc.constantFrom('retry', 'pool class', 'a'), (steps, question) => {
        const lived = new WordIndex();
        const last = new Map<string, string>();
        for (const { path, text } of steps) {
          if (text === null) {
            lived.remove(path);
            last.delete(path);
          } else {
            lived.set(entry(path, text));
            last.set(path, text);
          }
        }
        const made = new WordIndex();
        for (const [path, text] of [...last].reverse()) made.set(entry(path, text));
        assert.deepEqual(find(lived, question), find(made, question));
        assert.deepEqual(encode(lived.all()), encode(made.all()));
        assert.deepEqual([lived.size, lived.bytes], [made.size, made.bytes]);
      }),
      { numRuns: 300, seed: 18 },
    );
  });
});

describe('a stored index', () => {
  const files = Object.entries(FILES).map(([path, text]) => entry(path, text));
  const bytes = encode(files);

  it('comes back as it was', () => {
    const back = decode(bytes)!;
    assert.deepEqual(
      back,
      files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    );
    assert.deepEqual(decode(encode([])), []);
  });

  it('comes back from bytes at any place in memory', () => {
    const moved = new Uint8Array(bytes.length + 1);
    moved.set(bytes, 1);
    assert.deepEqual(decode(moved.subarray(1)), decode(bytes));
  });

  it('is refused if a single bit differs, or a part is missing', () => {
    for (let at = 0; at < bytes.length; at += 7) {
      const damaged = bytes.slice();
      damaged[at]! ^= 1 << (at % 8);
      // The number of files is not in the checksum, but must fit.
      assert.equal(decode(damaged), undefined, `byte ${at}`);
    }
    for (const length of [0, 3, 16, bytes.length - 4, bytes.length - 1])
      assert.equal(decode(bytes.subarray(0, length)), undefined, `${length} bytes`);
    assert.equal(decode(new Uint8Array(1000)), undefined);
  });

  it('has its files in parts', () => {
    const counts = new Uint32Array(PARTS);
    for (let at = 0; at < 10_000; at++) counts[partOf(`src/folder${at % 90}/file${at}.ts`)]!++;
    assert.ok(Math.min(...counts) > 50 && Math.max(...counts) < 400, counts.join());
  });
});

describe('what language servers define', () => {
  const found = [
    { path: 'a.ts', from: 1, to: 10, score: 8 },
    { path: 'b.ts', from: 5, to: 9, score: 7 },
  ];
  it('puts a file first that defines the name', () => {
    const merged = mergeSymbols(found, [{ path: 'b.ts', from: 6, to: 7 }], 5);
    assert.deepEqual(
      merged.map(({ path, from }) => [path, from]),
      [
        ['b.ts', 5],
        ['a.ts', 1],
      ],
    );
  });
  it('moves to the definition, if the words were found elsewhere in the file', () => {
    const [first] = mergeSymbols(found, [{ path: 'a.ts', from: 100, to: 900 }], 1);
    assert.deepEqual([first!.path, first!.from, first!.to], ['a.ts', 100, 159]);
  });
  it('adds a file that the words did not find', () => {
    assert.deepEqual(
      mergeSymbols(found, [{ path: 'c.ts', from: 3, to: 4 }], 5).map(({ path }) => path),
      ['a.ts', 'c.ts', 'b.ts'],
    );
    assert.deepEqual(mergeSymbols([], [{ path: 'c.ts', from: 3, to: 4 }], 5), [
      { path: 'c.ts', from: 3, to: 4, score: 0.9 },
    ]);
  });
  it('is asked for by the names in a question', () => {
    assert.deepEqual(namesIn('Why does `retry` call sendAll() after max_size, and not the Pool?'), [
      'retry',
      'sendAll',
      'max_size',
    ]);
    assert.deepEqual(namesIn('where is the retry logic?'), []);
  });
});
