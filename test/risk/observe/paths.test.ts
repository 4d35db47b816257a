import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Paths, shortPath } from '../../../server/risk/observe/paths.ts';
import { MOST_PATHS } from '../../../server/risk/signals/observation.ts';

function found(read: (paths: Paths) => void): string[] {
  const paths = new Paths();
  read(paths);
  return [...paths.found].sort();
}

const SHORT: [given: string, short: string | null, why: string][] = [
  ['/home/u/shop/billing/invoice.ts', 'billing/invoice.ts', 'the last two segments'],
  ['billing/invoice.ts', 'billing/invoice.ts', 'relative'],
  ['./billing/./invoice.ts', 'billing/invoice.ts', 'dots are no segments'],
  ['C:\\Users\\u\\shop\\billing\\Invoice.cs', 'billing/Invoice.cs', 'backslashes; the case stays'],
  ['file:///home/u/shop/billing/invoice.ts', 'billing/invoice.ts', 'an address of a file'],
  ['billing/invoice.ts:10', 'billing/invoice.ts', 'a line'],
  ['billing/invoice.ts#L10-L20', 'billing/invoice.ts', 'lines'],
  ['größe/日本語.ts', 'größe/日本語.ts', 'any script'],
  ['invoice.ts', 'invoice.ts', 'one segment, of no common name'],
  ['/home/u/shop/README.md', 'shop/README.md', 'a common name in the folder of a project'],
  ['billing/index.ts', 'billing/index.ts', 'a common name in a folder of its own'],
  ['README.md', null, 'a common name'],
  ['package.json', null, 'a common name'],
  ['src/index.ts', null, 'a common name in a common folder'],
  ['/work/app/src/main.py', null, 'a common name in a common folder'],
  ['src/utils.ts', null, 'a drawer that every project has'],
  ['app/page.tsx', null, 'of a framework'],
  ['/home/u/shop', null, 'a folder'],
  ['/home/u/shop/src/', null, 'a folder'],
  ['/tmp/x/y.ts', null, 'of the machine'],
  ['/etc/nginx/nginx.conf', null, 'of the machine'],
  ['shop/node_modules/left-pad/pad.js', null, 'of a library'],
  ['/home/u/.claude/plans/blue-fox.md', null, 'of the client'],
  ['/home/u/shop/.env', null, 'a secret'],
  ['.env.production', null, 'a secret'],
  ['keys/server.pem', null, 'a secret'],
  ['home/.ssh/id_ed25519.pub', null, 'a secret'],
  ['deploy/api-token.txt', null, 'a secret'],
  ['prompt/tokens.ts', 'prompt/tokens.ts', 'code that only speaks of secrets'],
  ['Zm9vYmFyQmF6MTIzNDU2Nzg5/a.ts', null, 'looks like a key'],
  ['https://example.org/a/b.ts', null, 'an address of the web'],
  ['src/**/*.ts', null, 'a pattern'],
  ['a\nb/c.ts', null, 'two lines'],
  ['', null, 'nothing'],
  ['.', null, 'a folder'],
  ['..', null, 'a folder'],
  [`a/${'x'.repeat(500)}.ts`, null, 'too long'],
];

describe('a path of a workspace', () => {
  for (const [given, short, why] of SHORT)
    it(`${short === null ? 'is not' : 'is'} ${given.slice(0, 50)}: ${why}`, () =>
      assert.equal(shortPath(given), short));
});

describe('the paths of a tool call', () => {
  const ARGUMENTS: [string, unknown, string[]][] = [
    [
      'Claude Code',
      { file_path: '/home/u/shop/billing/invoice.ts', old_string: 'a', new_string: 'b' },
      ['billing/invoice.ts'],
    ],
    ['OpenCode', { filePath: '/home/u/shop/billing/invoice.ts' }, ['billing/invoice.ts']],
    ['Continue', { filepath: 'billing/invoice.ts' }, ['billing/invoice.ts']],
    ['Kimi Code', { path: 'billing/invoice.ts' }, ['billing/invoice.ts']],
    ['Cline', { files: [{ path: 'billing/a1.ts' }, { path: 'billing/b1.ts' }] }, ['billing/a1.ts', 'billing/b1.ts']],
    ['a list', { paths: ['billing/a1.ts', 'billing/b1.ts'] }, ['billing/a1.ts', 'billing/b1.ts']],
    ['Windows', { path: 'C:\\shop\\billing\\a1.ts' }, ['billing/a1.ts']],
    ['a folder only', { path: '/home/u/shop/billing' }, []],
    [
      'Codex, a patch',
      {
        input:
          '*** Begin Patch\n*** Update File: billing/a1.ts\n@@\n-a\n+b\n*** Add File: billing/b1.ts\n+x\n*** End Patch',
      },
      ['billing/a1.ts', 'billing/b1.ts'],
    ],
    [
      'Codex, a patch by the shell',
      { command: ['apply_patch', '*** Begin Patch\n*** Update File: billing/a1.ts\n*** Move to: billing/c1.ts\n'] },
      ['billing/a1.ts', 'billing/c1.ts'],
    ],
    [
      'a unified diff',
      { diff: 'diff --git a/billing/a1.ts b/billing/a1.ts\n--- a/billing/a1.ts\n+++ b/billing/a1.ts\n@@ -1 +1 @@' },
      ['billing/a1.ts'],
    ],
    [
      'a command',
      { command: "cd /home/u/shop && sed -n '1,20p' billing/a1.ts | grep x; cat b1.py" },
      ['b1.py', 'billing/a1.ts'],
    ],
    ['a command as a list', { command: ['bash', '-lc', 'cat "billing/a1.ts" && npm test'] }, ['billing/a1.ts']],
    [
      'a command without files',
      { command: 'git push origin main && npm run build && curl https://a.b.com/x/y.js' },
      [],
    ],
    [
      'a command with hosts',
      { command: 'git clone git@github.com:a/b.git github.com/a/b.git; ssh u@h.example.org' },
      [],
    ],
    ['a command with a secret', { command: 'export KEY=abcDEF123 && cat .env secrets/token.json' }, []],
    ['other text', { query: 'where is billing', content: 'see x and y' }, []],
  ];
  for (const [name, args, paths] of ARGUMENTS)
    it(`are found: ${name}`, () =>
      assert.deepEqual(
        found((to) => to.addArguments(JSON.stringify(args))),
        paths,
      ));

  it('are not looked for inside of the JSON in a file', () => {
    const content = JSON.stringify({ path: 'inner/file.ts' });
    assert.deepEqual(
      found((to) => to.addArguments(JSON.stringify({ path: 'billing/a1.json', content }))),
      ['billing/a1.json'],
    );
  });

  it('are found before and behind a large content', () => {
    const content = 'lorem ipsum '.repeat(20_000);
    assert.deepEqual(
      found((to) => to.addArguments(JSON.stringify({ path: 'billing/a1.ts', content }))),
      ['billing/a1.ts'],
    );
    assert.deepEqual(
      found((to) => to.addArguments(JSON.stringify({ content, path: 'billing/a1.ts' }))),
      ['billing/a1.ts'],
    );
  });

  it('are those of a list, and not the strings behind it', () => {
    const json = '{"paths":["billing/a1.ts", "billing/b1.ts"],"content":"private/notes.txt","x":"my/medical.doc"}';
    assert.deepEqual(
      found((to) => to.addArguments(json)),
      ['billing/a1.ts', 'billing/b1.ts'],
    );
  });

  it('take time in proportion to the text, also where a thousand lists begin', () => {
    const took = (lists: number) => {
      const json = `{"x":[${Array(lists).fill('{"cmd":["a"]}').join(',')}]}`;
      const began = process.cpuUsage();
      for (let i = 0; i < 200; i++) found((to) => to.addArguments(json));
      return process.cpuUsage(began).user;
    };
    took(500);
    assert.ok(took(500) < 40 * took(50) + 100_000, 'ten times as much, not a hundred times');
  });

  it(`are ${MOST_PATHS} at most`, () => {
    const files = Array.from({ length: 100 }, (_, n) => ({ path: `billing/file${n}x.ts` }));
    assert.equal(found((to) => to.addArguments(JSON.stringify({ files }))).length, MOST_PATHS);
  });

  it('are read from anything without a fault, and each has at most two segments', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '"path":"',
        '\\',
        '"',
        '/',
        '.ts',
        '*** Update File: ',
        '+++ b/',
        '"command":["',
        '{',
        '[',
        ',',
        'a',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join('');
        const paths = found((to) => {
          to.addArguments(text);
          to.addMentioned(text);
        });
        return paths.length <= MOST_PATHS && paths.every((path) => path.split('/').length <= 2);
      }),
    );
  });
});
