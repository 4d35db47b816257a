import assert from 'node:assert/strict';
import { listApplicable } from '../../extension/chat/webview/blocks/applicable.ts';
import { readFence } from '../../extension/chat/webview/blocks/fence.ts';
import { AnswerReader } from '../../extension/edit/engine/reading/answerReader.ts';
import {
  KnownPaths,
  type Named,
  named,
  pathsIn,
  readAbove,
  readFenced,
  readInfo,
  readLine,
} from '../../shared/answers/answerPaths.ts';

const told = (said: Named) => (said.kind === 'named' ? said.path : said.kind === 'none' ? '-' : '?');

/** Names that file systems take, and that prose, code, Markdown and patterns have a meaning for. */
const ODD = [
  'app/(auth)/page.tsx',
  'app/(auth)/[id]/page.tsx',
  'app/{id}/page.tsx',
  'app/[...slug]/page.tsx',
  'app/[[...slug]]/page.tsx',
  'app/@modal/(.)photo/[id]/page.tsx',
  'src/routes/+page.svelte',
  'src/routes/[lang=locale]/+page.server.ts',
  'src/a=b.ts',
  'src/a, b.ts',
  "src/it's.ts",
  'src/my file.ts',
  'my dir/sub dir/my file (copy).ts',
  'src/a&b.ts',
  'src/c++/a+b.cpp',
  'src/c#/a#b.cs',
  'src/@types/a@2.d.ts',
  'src/$lib/$x.ts',
  'src/wow!.ts',
  'src/100%.ts',
  'src/a~b.ts',
  'src/a;b.ts',
  'src/café/naïve.ts',
  'src/日本語/ファイル.ts',
  'src/пример/файл.py',
  'src/😀.ts',
  '__init__.py',
  'pkg/__init__.py',
  '__tests__/__mocks__/a.js',
  '_app.tsx',
  'src/a_',
  '.env',
  '.github/workflows/ci.yml',
  'LICENSE',
  'bin/run',
  'src/über/run',
  'a/b/c.ts',
  'x.y.z/a.b.c.ts',
  'page - old.tsx',
];

/** Ways to name one file in the line above a block. */
const WAYS: [way: string, line: (path: string) => string][] = [
  ['alone', (path) => path],
  ['in backticks', (path) => `\`${path}\``],
  ['in bold', (path) => `**${path}**`],
  ['in bold with a colon', (path) => `**${path}:**`],
  ['in bold backticks', (path) => `**\`${path}\`**`],
  ['in a heading', (path) => `### ${path}`],
  ['in a numbered heading', (path) => `### 2. \`${path}\``],
  ['in a list', (path) => `- \`${path}\``],
  ['in a numbered list', (path) => `2. \`${path}\`:`],
  ['behind a label', (path) => `File: ${path}`],
  ['behind a bold label', (path) => `**File:** \`${path}\``],
  ['behind a label in Chinese', (path) => `文件：\`${path}\``],
  ['behind a verb', (path) => `Update \`${path}\`:`],
  ['behind several words', (path) => `And then in the file \`${path}\`:`],
  ['with a line', (path) => `\`${path}:12\``],
  ['with lines', (path) => `\`${path}\` (lines 3-7)`],
  ['with a remark', (path) => `\`${path}\` (new file)`],
  ['with words', (path) => `\`${path}\` — what is shown`],
  ['in a quote', (path) => `> \`${path}\``],
  ['with a symbol', (path) => `📄 \`${path}\``],
  ['from here', (path) => `\`./${path}\``],
  ['as a diff does, before', (path) => `--- a/${path}`],
  ['as a diff does, after', (path) => `+++ b/${path}`],
  ['in a tag', (path) => `<file>${path}</file>`],
  ['with an ending blank', (path) => `\`${path}\`  `],
];

const BLOCK = ['<<<<<<< SEARCH', 'a', '=======', 'b', '>>>>>>> REPLACE', ''].join('\n');
const pathsOf = (answer: string, known?: KnownPaths, defaultPath?: string) => {
  const reader = new AnswerReader(defaultPath, known);
  return [...reader.feed(answer), ...reader.end()].map(({ path }) => path);
};

/** Each path alone, the longest first, which takes its place from the others. */
function bySearch(paths: readonly string[], text: string): string[] {
  let rest = text;
  return paths
    .toSorted((a, b) => b.normalize('NFC').length - a.normalize('NFC').length)
    .flatMap((path) => {
      const one = new KnownPaths([path]).within(rest);
      rest = one.rest;
      return one.paths as string[];
    });
}

describe('the file that an answer names', () => {
  for (const [way, line] of WAYS) {
    it(`is one of the workspace's, whatever its name, ${way}`, () => {
      const known = new KnownPaths([...ODD, 'page.tsx', 'file.ts', 'b.ts', 'front.ts', 'before.ts']);
      for (const path of ODD) {
        assert.equal(told(readLine(line(path), known)), path, line(path));
        const answer = `before.ts\n${BLOCK}\n${line(path)}\n\`\`\`ts\n${BLOCK}\`\`\`\n${BLOCK}`;
        assert.deepEqual(pathsOf(answer, known, 'front.ts'), ['before.ts', path, path], line(path));
      }
    });

    it(`is never another where nothing is known of the workspace, ${way}`, () => {
      for (const path of ODD) {
        const answer = `before.ts\n${BLOCK}\n${line(path)}\n\n${BLOCK}\n${BLOCK}`;
        const [, second, third] = pathsOf(answer, undefined, 'front.ts');
        assert.ok(second === undefined || second.replace(/^\.\//, '') === path, `${line(path)} was read as ${second}`);
        assert.equal(third, second, line(path));
      }
    });
  }

  it('is read without a workspace where no name is mistaken for anything else', () => {
    for (const path of ODD.filter((each) => !/[ ,;=%]|'/.test(each))) {
      assert.equal(told(readLine(`Update \`${path}\`:`)), path);
      assert.equal(told(readLine(`### ${path}`)), path);
      assert.equal(told(readInfo(`tsx title="${path}"`)), path);
    }
  });

  const lines: [line: string, expected: string][] = [
    ['src/a.ts,src/b.ts', '?'],
    ['`src/{a,b}.ts`', '?'],
    ['`FOO=src/a.ts`', '?'],
    ['`my page.tsx`', '?'],
    ['file:///home/me/a.ts', '?'],
    ['src/my file.ts', '?'],
    ['C:\\work\\a.ts', 'C:\\work\\a.ts'],
    ['src\\a.ts', 'src\\a.ts'],
    ['[`src/a.ts`](src/a.ts)', 'src/a.ts'],
    ['[the client](./src/a%20b/c.ts)', '?'],
    ['// src/a.ts', 'src/a.ts'],
    ['# src/a.py', 'src/a.py'],
    ['<!-- src/a.html -->', 'src/a.html'],
    ['/* src/a.css */', 'src/a.css'],
    ['=== src/a.ts ===', 'src/a.ts'],
    ['Step 2: src/a.ts', 'src/a.ts'],
    ['src/a.ts: the client', 'src/a.ts'],
    ['diff --git a/src/a.ts b/src/a.ts', 'src/a.ts'],
    ['Node.js', '-'],
    ['Use foo.bar', '-'],
    ['This is version 1.2 of it.', '-'],
    ['Replace the constant.', '-'],
    ['I/O', '-'],
    ["`import('./a.ts')`", '-'],
    ['`fetch("/api/x.json")`', '-'],
    [`${'a'.repeat(5_000)}/b.ts`, '-'],
  ];
  for (const [line, expected] of lines) {
    it(`is ${expected === '-' ? 'none' : expected === '?' ? 'unreadable' : expected} by the line ${line.slice(0, 40)}`, () =>
      assert.equal(told(readLine(line)), expected));
  }

  const infos: [info: string, expected: string][] = [
    ['ts', '-'],
    ['ts src/a.ts', 'src/a.ts'],
    ['ts:src/a.ts', 'src/a.ts'],
    ['tsx:app/{id}/page.tsx', 'app/{id}/page.tsx'],
    ['tsx app/(auth)/page.tsx', 'app/(auth)/page.tsx'],
    ['tsx title="app/(auth)/page.tsx"', 'app/(auth)/page.tsx'],
    ['tsx title=app/{id}/page.tsx', 'app/{id}/page.tsx'],
    ["ts file='src/my file.ts'", 'src/my file.ts'],
    ['{.ts file=src/a.ts}', 'src/a.ts'],
    ['12:15:src/a.ts', 'src/a.ts'],
    ['src/a.ts:12-20', 'src/a.ts'],
    ['ts src/a.ts#L4', 'src/a.ts'],
    ['ts src/my file.ts', '?'],
    ['ts a.ts b.ts', '?'],
    ['ts title="src/my file.ts"', '?'],
    ['ts title="An example"', '-'],
    ['ts {1,3-5} showLineNumbers', '-'],
    ['vb.net', '-'],
    ['c++', '-'],
  ];
  for (const [info, expected] of infos)
    it(`is ${expected} by the fence "${info}"`, () => assert.equal(told(readInfo(info)), expected));

  const languages: [info: string, language: string][] = [
    ['ts', 'ts'],
    ['TypeScript', 'typescript'],
    ['ts src/a.ts', 'ts'],
    ['ts:src/a.ts', 'ts'],
    ['{.ts file=src/a.ts}', 'ts'],
    ['src/a.ts', 'ts'],
    ['src/a.ts:12-20', 'ts'],
    ['12:20:src/a.ts', 'ts'],
    ['1:src/a.d.ts', 'ts'],
    ['title="src/a.ts"', 'ts'],
    ["filename='src/a.py'", 'py'],
    ['path=src/a.rs', 'rs'],
    ['C:\\work\\a.ts', 'ts'],
    ['./a.ts', 'ts'],
    ['c++', 'c++'],
    ['c#', 'c#'],
    ['objective-c', 'objective-c'],
    ['vb.net', 'vb.net'],
    ['title="An example"', ''],
    ['{1,3-5}', ''],
    ['Makefile', 'makefile'],
    ['bin/run', ''],
    ['', ''],
  ];
  for (const [info, language] of languages) {
    it(`tells with its fence "${info}" that the language is “${language}”`, () =>
      assert.equal(readFence(info, { prose: '' }).language, language));
  }

  it('is by its fence what the workspace knows', () => {
    const known = new KnownPaths(ODD);
    for (const path of ODD) {
      for (const info of [`ts ${path}`, `ts:${path}`, `ts title="${path}"`, path, `ts ${path}:3`]) {
        assert.equal(told(readInfo(info, known)), path, info);
      }
    }
  });

  it('is by prose the longest that the workspace knows', () => {
    const known = new KnownPaths(['page.tsx', 'app/page.tsx', 'my app/page.tsx', 'src/a.ts', 'src/a.tsx']);
    assert.deepEqual(pathsIn('Change app/page.tsx and src/a.tsx.', known).sort(), ['app/page.tsx', 'src/a.tsx']);
    assert.deepEqual(pathsIn('Change my app/page.tsx so.', known), ['my app/page.tsx']);
    assert.deepEqual(pathsIn('Look into other/app/page.tsx.', known), ['other/app/page.tsx']);
    assert.equal(told(readLine('app/(x) page.tsx', known)), '?');
  });

  it('stands in prose whatever its name is made of, as each of them is looked for', () => {
    const paths = [
      ...ODD,
      '+++',
      '-',
      'a/+',
      '()/[].{}',
      'página/ñ.ts'.normalize('NFD'),
      'x',
      'src/x',
      'x/y/x',
      '__',
      '_/a',
    ];
    const known = new KnownPaths(paths);
    for (const path of paths) {
      for (const text of [path, `See ${path} now`, `(${path})`, `“${path}”, and`, `a/${path} ./${path}`]) {
        const { paths: found } = known.within(text);
        assert.deepEqual([...found].sort(), [...bySearch(paths, text)].sort(), text);
      }
    }
  });

  it('is the same whichever way it is spelled', () => {
    const known = new KnownPaths(['src/café.ts'.normalize('NFD'), 'src/my file.ts', 'src/my_file.ts', 'app/[id].tsx']);
    const ways: [string, string][] = [
      ['`src/café.ts`', 'src/café.ts'.normalize('NFD')],
      ['`src\\my file.ts`', 'src/my file.ts'],
      ['`src/my%20file.ts`', 'src/my file.ts'],
      ['[client](./src/my%20file.ts)', 'src/my file.ts'],
      ['### src/my\\_file.ts', 'src/my_file.ts'],
      ['### app/\\[id\\].tsx', 'app/[id].tsx'],
      ['`/src/my file.ts`', 'src/my file.ts'],
    ];
    for (const [line, expected] of ways) assert.equal(told(readLine(line, known)), expected, line);
  });

  it('is unreadable where two names differ in nothing that can be seen', () => {
    const known = new KnownPaths(['é.ts', 'é.ts'.normalize('NFD')]);
    assert.equal(told(readLine('`é.ts`', known)), '?');
  });
});

describe('the words above a block', () => {
  const known = new KnownPaths(['src/a.ts', 'src/b.ts', 'app/(auth)/page.tsx', 'config.json']);
  const cases: [prose: string, before: string, known: KnownPaths | undefined, expected: string][] = [
    ['It waits now.', 'src/a.ts', undefined, 'src/a.ts'],
    ['', 'src/a.ts', undefined, 'src/a.ts'],
    ['We use and/or Node.js, e.g. for I/O.', 'src/a.ts', undefined, 'src/a.ts'],
    ['Call `fetch("/api/x.json")` there.', 'src/a.ts', undefined, 'src/a.ts'],
    ['Update `app/(auth)/page.tsx`:', 'src/a.ts', undefined, 'app/(auth)/page.tsx'],
    ['Update `app/(auth) x/page.tsx`:', 'src/a.ts', undefined, '?'],
    ['Here, `src/my file.ts` needs it.', 'src/a.ts', undefined, '?'],
    ['Then change src/my page.tsx so that it waits.', 'src/a.ts', undefined, '?'],
    ['### Changes to the config.json', 'src/a.ts', undefined, '?'],
    ['### Changes to the config.json', 'src/a.ts', known, 'config.json'],
    ['my page.tsx', 'src/a.ts', undefined, '?'],
    ['Then in a.ts:', 'src/a.ts', undefined, 'src/a.ts'],
    ['And in b.ts:', 'src/a.ts', undefined, '?'],
    ['### Step 2: the client in src/b.ts\n\nReplace the loop:', 'src/a.ts', undefined, 'src/b.ts'],
    ['`src/b.ts` needs a change, too.\n\nReplace the loop:', 'src/a.ts', undefined, '?'],
    ['### app/{x y}/page.tsx\n\nReplace it:', 'src/a.ts', undefined, '?'],
    ['In `page.tsx`:', 'app/(auth)/page.tsx', known, 'app/(auth)/page.tsx'],
    ['See https://example.com/docs/index.html for more.', 'src/a.ts', undefined, 'src/a.ts'],
  ];
  for (const [prose, before, paths, expected] of cases) {
    it(`say ${expected} by ${JSON.stringify(prose)} after ${before}${paths ? ', in a known workspace' : ''}`, () =>
      assert.equal(told(readAbove(prose.split('\n'), named(before), paths)), expected));
  }

  it('leave open what follows words that could not be read', () => {
    const [, first, second] = pathsOf(`a.ts\n${BLOCK}\n\`my dir/b c.ts\`\n${BLOCK}\nand\n${BLOCK}`);
    assert.deepEqual([first, second], [undefined, undefined]);
  });

  it('leave code without marks open unless a sentence leads over to it', () => {
    assert.equal(told(readFenced('ts', 'The test of `src/a.ts` is below.')), '?');
    assert.equal(told(readFenced('ts', 'The test of `src/a.ts` is below:')), 'src/a.ts');
    assert.equal(told(readFenced('ts src/my file.ts', '', new KnownPaths(['src/my file.ts']))), 'src/my file.ts');
  });
});

describe('what stands above a fence', () => {
  /** Microseconds of the processor's time, the least of several tries. */
  const cost = (work: () => void) =>
    Math.min(
      ...[1, 2, 3].map(() => {
        const before = process.cpuUsage();
        work();
        const { user, system } = process.cpuUsage(before);
        return user + system;
      }),
    );
  const RUNS = [
    ' ',
    '\t',
    '>',
    '`',
    '`a` ',
    '*',
    '_',
    '[',
    '(',
    '{',
    '=',
    '#',
    '~',
    '-',
    'a',
    '1',
    'a ',
    'a/',
    '/',
    '.',
    ',',
  ];

  it('costs in proportion to its length, whatever it is: 120,000 blanks as well', () => {
    const read = (run: string, length: number) => {
      const first = run.repeat(length / run.length);
      const second = `x${first}\``;
      const text = `${first}\n${second}\n\`\`\`ts\n${BLOCK}\`\`\`\n`;
      return cost(() => {
        pathsOf(text);
        readFence(first, { prose: `${first}\n${second}` });
      });
    };
    for (const run of RUNS) {
      const [short, long] = [read(run, 30_000), read(run, 120_000)];
      assert.ok(
        long < 10 * short + 30_000,
        `${JSON.stringify(run)}: ${short} µs, and ${long} µs for four times as much`,
      );
    }
  });

  it('costs in proportion to its length with code in each step of a list', () => {
    const read = (steps: number) => {
      const list = Array.from({ length: steps }, (_, at) => `- Then ${at}, e.g. so:\n\n  \`\`\`\n  x\n  \`\`\`\n`);
      return cost(() => listApplicable(list.join('\n')));
    };
    const [short, long] = [read(20), read(160)];
    assert.ok(long < 24 * short + 30_000, `${short} µs, and ${long} µs for eight times as much`);
  });

  it('costs about as much in a large workspace as in a small one', () => {
    const read = (paths: number) => {
      const known = new KnownPaths(
        Array.from({ length: paths }, (_, at) => `packages/p${at % 40}/src/part${at}/index.ts`),
      );
      known.within('once');
      const words = 'And then look into packages/p1/src/part41/index.ts and my other file, which calls it.';
      return cost(() => {
        for (let line = 0; line < 200; line++) assert.equal(known.within(words).paths.length, paths > 41 ? 1 : 0);
      });
    };
    const [small, large] = [read(100), read(10_000)];
    assert.ok(large < 10 * small + 20_000, `${small} µs, and ${large} µs in a hundred times as many files`);
  });

  it('costs little in lines that may just be a path', () => {
    for (const run of RUNS) {
      const lines = Array.from({ length: 400 }, (_, at) => `x${at}${run.repeat(4_000 / run.length)}`);
      const spent = cost(() => readAbove(lines, named('a.ts')));
      const yardstick = cost(() => lines.map((line) => [...line].join('')));
      assert.ok(spent < 100 * yardstick + 50_000, `${JSON.stringify(run)}: ${spent} µs, and ${yardstick}`);
    }
  });
});
