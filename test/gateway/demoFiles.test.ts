import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Edit, FilePlan } from '../../extension/edit/engine/edits.ts';
import { planEdits } from '../../extension/edit/engine/planning/plan.ts';
import type { Turn } from '../../server/gateway/prompt/prompt.ts';
import { UpstreamError } from '../../server/gateway/stream.ts';
import { applyRule, EDIT_RULES } from '../../server/gateway/upstreams/demo/demoEdit.ts';
import { FILE_RULES } from '../../server/gateway/upstreams/demo/demoFiles.ts';
import {
  ask,
  done,
  editTurn,
  type Files,
  filesOf,
  language,
  planOf,
  readEdits,
  say,
  turnOf,
} from '../support/editing.ts';

describe("the demo model's edits of files", () => {
  const FILES: Files = {
    'src/a.ts': 'let count = 1;\nuse(count);\n\nlet other;\n',
    'src/b.py': 'count = 2\r\nprint(count)',
    'c.md': '# Text\n',
  };
  const table: [instruction: string, changed: Files, gone?: string[]][] = [
    [
      'rename count to total',
      { 'src/a.ts': 'let total = 1;\nuse(total);\n\nlet other;\n', 'src/b.py': 'total = 2\r\nprint(total)' },
    ],
    [
      'add comment "look"',
      {
        'src/a.ts': `// look\n${FILES['src/a.ts']}`,
        'src/b.py': `# look\r\n${FILES['src/b.py']}`,
        'c.md': '<!-- look -->\n# Text\n',
      },
    ],
    ['new file notes.md', { 'notes.md': '# notes.md\n\nA new file, by the demo model.\n' }],
    ['create a new file src/x.ts: let x;', { 'src/x.ts': 'let x;\n' }],
    ['new file "my notes.md": hello', { 'my notes.md': 'hello\n' }],
    ['delete c.md', {}, ['c.md']],
    ['move src/a.ts to src/moved.ts', { 'src/moved.ts': FILES['src/a.ts']! }, ['src/a.ts']],
    ['rename src/a.ts to src/moved.ts', { 'src/moved.ts': FILES['src/a.ts']! }, ['src/a.ts']],
    [
      'rename count to total; new file notes.md: hello; move src/a.ts to lib/a.ts; delete src/b.py',
      { 'lib/a.ts': 'let total = 1;\nuse(total);\n\nlet other;\n', 'notes.md': 'hello\n' },
      ['src/a.ts', 'src/b.py'],
    ],
    ['delete empty lines', { 'src/a.ts': 'let count = 1;\nuse(count);\nlet other;\n' }],
    [
      'slow add comment "a; b"',
      { ...Object.fromEntries(filesOf(FILES).map(({ path, text }) => [path, withTop(path, text)])) },
    ],
  ];
  function withTop(path: string, text: string): string {
    return { 'src/a.ts': `// a; b\n${text}`, 'src/b.py': `# a; b\r\n${text}`, 'c.md': `<!-- a; b -->\n${text}` }[path]!;
  }
  for (const [instruction, changed, gone = []] of table)
    it(`"${instruction}"`, async () => {
      const expected = { ...FILES, ...changed };
      for (const path of gone) delete expected[path];
      assert.deepEqual(done(FILES, await ask(instruction, FILES)), expected);
    });

  it('leaves alone what the rule does not change, and says so where that is all', async () => {
    const { text } = await say('edit', [editTurn('trim', FILES)]);
    assert.equal(text, 'The demo model finds nothing to change here.');
    assert.deepEqual(readEdits(text), []);
  });

  it('says in a comment which rules there are when the instruction fits none', async () => {
    const after = done(FILES, await ask('refactor this for clarity; be quick', FILES));
    assert.match(
      after['src/a.ts']!,
      /^\/\/ Demo model: I only know these rules: .*sort lines.*miss twice\.\nlet count/,
    );
    assert.equal(after['src/b.py'], FILES['src/b.py']);
  });

  it('lists all rules', async () => {
    const { text } = await say('chat', [{ role: 'user', text: 'help' }]);
    for (const { example } of [...FILE_RULES, ...EDIT_RULES]) assert(text.includes(`\`${example}\``), example);
  });

  it('breaks off in the middle of a block when asked to', async () => {
    const { text, error } = await say('edit', [editTurn('fail: rename count to total', { 'a.ts': 'count' })]);
    assert(error instanceof UpstreamError);
    assert.equal(readEdits(text).at(-1)?.kind, 'malformed');
  });

  it('is cut at its length limit in the middle of a block when asked to', async () => {
    const { text, error } = await say('edit', [editTurn('cut short: rename count to total', { 'a.ts': 'count' })]);
    assert.equal(error, undefined);
    assert.equal(readEdits(text).at(-1)?.kind, 'malformed');
  });

  it('writes blocks just long enough to be told apart', async () => {
    const text = 'a\nsame\nb\n\nc\nsame\nd\n\nsame\n';
    const { text: answer } = await say('edit', [editTurn('replace same with other', { 'x.txt': text })]);
    const sizes = readEdits(answer).map((e) =>
      e.kind === 'change' ? e.lines.filter((l) => l.op !== 'new').length : 0,
    );
    assert.deepEqual(sizes, [2, 2, 2]);
  });

  const ODD: [title: string, text: string][] = [
    ['a file without a final line end', 'sort b\nsort a'],
    ['carriage returns', 'b\r\na\r\n\r\n'],
    ['nothing but blank lines', '\n\n  \n'],
    ['nothing', ''],
    ['the same line again and again', 'x\nx\nx\nx\n'],
    ['the marks of a block', 'b\n<<<<<<< SEARCH\n=======\na\n>>>>>>> REPLACE\n'],
    ['underlines of each length', 'b\n=====\n======\n=======\n========\na\n=========\n'],
    ['fences', '```\nb\n````\na\n```\n'],
    ['the marks of a patch', 'b\n*** Begin Patch\n*** Delete File: a\n*** End Patch\na\n'],
    ['lines of signs', '+b\n-a\n b\n@@\n'],
  ];
  for (const [title, text] of ODD)
    it(`keeps all that it does not change of a file with ${title}`, async () => {
      for (const path of ['a.txt', ...(text.trim() ? ['a file (1)', 'app/(shop)/page.tsx'] : [])])
        for (const instruction of ['add comment "z"', 'replace b with c', 'delete empty lines'])
          assert.equal(
            done({ [path]: text }, await ask(instruction, { [path]: text }))[path],
            expectedOf(instruction, path, text),
          );
    });

  /** What the rule makes of the file's lines, with the line ends that the file has. */
  function expectedOf(instruction: string, path: string, text: string): string {
    const eol = text.includes('\r\n') ? '\r\n' : '\n';
    const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
    const after = applyRule(lines, instruction, language(path), 1)!;
    if (after.join('\n') === lines.join('\n')) return text;
    return after.join(eol) + (text === '' || /\n$/.test(text) ? eol : '');
  }

  const trimmed = (text: string) => text.replace(/[ \t]+(?=\r?\n|$)/g, '');

  it('is exact on whatever file, by whichever rule', async () => {
    // One width of indentation in a file: what a new line gets among several is the editor's business.
    const line = (unit: string) =>
      fc.oneof(
        {
          weight: 4,
          arbitrary: fc.constantFrom(
            '',
            'a',
            'b',
            `${unit}a`,
            `${unit}${unit}b`,
            'a  ',
            '}',
            '=======',
            '```',
            'let a = b;',
          ),
        },
        { weight: 1, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 12 }).map((s) => s.trim()) },
      );
    const file = fc.constantFrom('  ', '\t').chain((unit) => fc.array(line(unit), { minLength: 1, maxLength: 12 }));
    const eol = fc.constantFrom('\n', '\r\n');
    const rule = fc.constantFrom(
      'replace a with c',
      'sort lines',
      'reverse lines',
      'number lines',
      'indent',
      'outdent',
      'remove duplicate lines',
      'delete empty lines',
      'make uppercase',
      'add comment "z"',
      'wrap in try/catch',
    );
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(file, eol, fc.boolean(), rule, async (lines, end, final, instruction) => {
        const text = lines.join(end) + (final ? end : '');
        const path = 'a.ts';
        const [plan] = await ask(instruction, { [path]: text });
        if (plan?.kind === 'refused') return void refused++;
        const after = plan && plan.kind === 'update' ? plan.after : text;
        // Blanks at the end of a changed line are no part of what the editor takes from a model.
        assert.equal(trimmed(after), trimmed(expectedOf(instruction, path, text)));
      }),
      { numRuns: 3000 },
    );
    assert(refused <= 15, `${refused} of 3000 were refused`);
  });

  /** The refused blocks of an answer, as the editor names them in a repair. */
  const refusedOf = (plans: readonly FilePlan[]) =>
    plans.flatMap((plan) =>
      plan.kind === 'refused'
        ? plan.refusals.map((r) => ({
            path: plan.path!,
            lookedFor: r.lookedFor.join('\n'),
            why: r.message,
            nearest: r.nearest?.lines.join('\n'),
          }))
        : [],
    );
  const repairs = '00000000-0000-4000-8000-000000000000';

  for (const [instruction, rule] of [
    ['miss', 'add comment "checked by the demo model"'],
    ['miss: replace count with total', 'replace count with total'],
    ['Miss twice, replace count with total', 'replace count with total'],
  ] as const)
    it(`"${instruction}" writes a block that fits nowhere, ${/twice/.test(instruction) ? 'and so does its repair' : 'and mends it when asked to'}`, async () => {
      const asked = editTurn(instruction, FILES);
      const answer = (await say('edit', [asked])).text;
      const refused = refusedOf(planOf(answer, FILES));
      assert(refused.length > 0);
      for (const { why } of refused) assert.match(why, /not in the file/);
      assert(
        refused.every(({ nearest }) => nearest),
        'there are nearest lines to be shown',
      );
      const turns: Turn[] = [asked, { role: 'assistant', text: answer }, turnOf({ repairs, refused })];
      const repair = (await say('edit', turns)).text;
      if (/twice/.test(instruction)) {
        const again = planOf(repair, FILES);
        assert.deepEqual(
          again.map(({ kind }) => kind),
          refused.map(() => 'refused'),
        );
        return;
      }
      assert.equal(readEdits(repair).length, refused.length, 'the refused blocks alone');
      const isRefused = (edit: Edit) =>
        edit.kind === 'change' && refused.some(({ lookedFor }) => lookedFor === oldLines(edit).join('\n'));
      const all = [...readEdits(answer).filter((edit) => !isRefused(edit)), ...readEdits(repair)];
      const after = done(
        FILES,
        planEdits(all, (path) => FILES[path]),
      );
      assert.deepEqual(after, done(FILES, await ask(rule, FILES)));
    });
  const oldLines = (edit: Edit & { kind: 'change' }) =>
    edit.lines.filter(({ op }) => op !== 'new').map(({ text }) => text);

  it('knows no better block where its own was right', async () => {
    const refused = [{ path: 'src/a.ts', lookedFor: 'something else', why: 'It changed.' }];
    const turns: Turn[] = [
      editTurn('rename count to total', FILES),
      { role: 'assistant', text: '…' },
      turnOf({ repairs, refused }),
    ];
    assert.equal((await say('edit', turns)).text, 'The demo model knows no better block.');
  });

  const TESTS: [instruction: string, place: string, text: RegExp][] = [
    [
      'Write tests for `use` (lines 1 to 2) of src/a.ts.\nPut them into the new file test/unit/a.test.ts.\nTest what it promises.',
      'test/unit/a.test.ts',
      /test\('a\.ts can be loaded'[\s\S]*import\('\.\.\/\.\.\/src\/a\.ts'\)/,
    ],
    [
      'Write tests for src/b.py.\nPut them into a new file where the tests have their place.',
      'src/test_b.py',
      /def test_b_/,
    ],
    ['write tests', 'src/a.test.ts', /import\('\.\/a\.ts'\)/],
    [
      'Write tests for src/b.py.\nAdd them to src/a.ts, in its style, and leave its tests as they are.',
      'src/a.ts',
      /^let count[\s\S]*let other;\n\n\/\/ Demo model: .*tests of b\.py\.\n$/,
    ],
  ];
  for (const [instruction, place, text] of TESTS)
    it(`"${instruction.split('\n')[0]}" go to ${place}`, async () => {
      const after = done(FILES, await ask(instruction, FILES));
      assert.match(after[place]!, text);
      assert.deepEqual({ ...after, [place]: '' }, { ...FILES, [place]: '' }, 'nothing else changes');
    });

  it('document what is named, and mend what is wrong, by a comment in the right place', async () => {
    const only = { 'src/a.ts': 'let a;\n  function b() {\n    c();\n  }\n' };
    const documented = await ask('Document `b` (lines 2 to 4).\nWrite documentation comments.', only);
    assert.deepEqual(done(only, documented), {
      'src/a.ts':
        'let a;\n  // Demo model: here a real one would say what `b` is for.\n  function b() {\n    c();\n  }\n',
    });
    const fix =
      'Fix these 2 problems.\n\n1. line 1, error: No a. (ts 1)\n    let a;\n2. lines 3–4, warning: No c.\n    c();\n\nFix the cause.';
    assert.deepEqual(done(only, await ask(fix, only)), {
      'src/a.ts':
        '// Demo model: a real one would mend: No a. (ts 1)\nlet a;\n  function b() {\n    // Demo model: a real one would mend: No c.\n    c();\n  }\n',
    });
  });

  it('are written in a chat, too, for what is attached', async () => {
    const files = { 'src/a.ts': FILES['src/a.ts']!, 'c.md': FILES['c.md']! };
    const attachments = filesOf(files).map((file) => ({ kind: 'file' as const, ...file }));
    const { text } = await say('chat', [{ role: 'user', text: 'edit: rename count to total', attachments }]);
    assert.match(text, /^> \*\*Demo model\.\*\*[\s\S]*## Changes\n\nsrc\/a\.ts\n```typescript\n<<<<<<< SEARCH\n/);
    assert.deepEqual(done(files, planOf(text, files)), {
      ...files,
      'src/a.ts': 'let total = 1;\nuse(total);\n\nlet other;\n',
    });
    const change = (await say('chat', [{ role: 'user', text: 'change', attachments }])).text;
    assert.match(done(files, planOf(change, files))['c.md']!, /^<!-- checked by the demo model -->\n# Text/);
    assert.match((await say('chat', [{ role: 'user', text: 'edit' }])).text, /Attach a file/);
  });
});

describe("the demo model's other edits of a selection", () => {
  const select = async (instruction: string, text: string, after = '', start = 0) => {
    const edit = {
      instruction,
      path: 'a.ts',
      languageId: 'typescript',
      selection: { start, end: start, text },
      before: '',
      after,
    };
    return (await say('edit', [turnOf(edit)])).text.replace(/^```typescript\n([\s\S]*)\n```$/, '$1');
  };

  const diff = (path: string, kind = '') => `diff --git a/${path} b/${path}\n${kind}@@ -1 +1 @@\n-a\n+b\n`;
  const COMMITS: [begun: string, diff: string, message: RegExp][] = [
    ['', diff('src/client.ts'), /^Change client\.ts\n\nWritten by the demo model, from the names of one file\.$/],
    ['', diff('a.ts') + diff('b.ts'), /^Change a\.ts and b\.ts\n\n.*2 files\.$/],
    [
      '',
      diff('a.ts', 'new file mode 100644\n') + diff('b.ts', 'deleted file mode 100644\n'),
      /^Add a\.ts, delete b\.ts\n/,
    ],
    ['', diff('a.ts') + diff('b.ts') + diff('c.ts'), /^Change a\.ts and 2 more files\n/],
    ['Retry orders', diff('a.ts'), /^Retry orders\n\nWritten/],
    ['', '', /^Change nothing/],
  ];
  for (const [begun, changes, message] of COMMITS)
    it(`write a commit message that fits ${message}`, async () => {
      const scissors = '# ------------------------ >8 ------------------------\n';
      assert.match(await select('Write the commit message for the changes below.', begun, scissors + changes), message);
    });

  it('tell where a line of the file is in the selection', async () => {
    assert.equal(
      await select('Fix the error in line 11: No b.\n    b();', 'a();\nb();', '', 9),
      'a();\n// Demo model: a real one would mend: No b.\nb();',
    );
    assert.match(await select('Document `a` (line 3).', '  a();', '', 2), /^ {2}\/\/ Demo model: .*`a`.*\n {2}a\(\);$/);
  });
});
