import assert from 'node:assert/strict';
import { isForTerminal, readCommands } from '../../shared/answers/shellCommands.ts';

describe('the commands of a shell block', () => {
  const CASES: [what: string, language: string, text: string, commands: string[]][] = [
    ['one line', 'bash', 'npm test\n', ['npm test']],
    ['a comment above it', 'sh', '# runs the tests\nnpm test', ['npm test']],
    ['several lines, each by itself', 'bash', 'npm ci\r\n\r\nnpm test\r\n', ['npm ci', 'npm test']],
    ['a prompt', 'bash', '$ npm ci\n$ npm test', ['npm ci', 'npm test']],
    ['a session with what it printed', 'console', 'me@desk:~/x$ git status\nOn branch main\n', ['git status']],
    ['a continued line', 'sh', 'docker run \\\n  --rm x', ['docker run   --rm x']],
    ['a continued line that begins a new word', 'sh', 'docker run\\\n  --rm x', ['docker run  --rm x']],
    ['a path that goes on behind a space', 'sh', 'rm -rf ~/proj\\\n  /build', ['rm -rf ~/proj  /build']],
    ['a continued text', 'sh', 'echo "a\\\n  b"', ['echo "a  b"']],
    ['a continued line of PowerShell', 'powershell', 'Get-Item `\n  x', ['Get-Item   x']],
    ['a continued line of cmd, and its remarks', 'cmd', 'rem first\ndir ^\n /s', ['dir  /s']],
    ['a comment that ends as a continued line does', 'sh', '# one \\\nls', ['ls']],
    ['a prompt of cmd', 'cmd', 'C:\\Users\\me>dir\nC:\\>cd x', ['dir', 'cd x']],
    ['a prompt of PowerShell', 'powershell', 'PS C:\\> ls', ['ls']],
    ['a program whose output goes into a file', 'cmd', 'C:\\t\\dump.exe > C:\\x', ['C:\\t\\dump.exe > C:\\x']],
    ['the same without a space', 'cmd', 'C:\\t\\dump.exe a>C:\\x', ['C:\\t\\dump.exe a>C:\\x']],
    ['a path with ">" in another shell', 'bash', 'C:\\a>b', ['C:\\a>b']],
    ['what only looks like a prompt', 'console', 'user@1.0 --all # rm x', ['user@1.0 --all # rm x']],
    ['a prompt in brackets', 'console', '[me@desk x]$ ls\na', ['ls']],
    ['a folder that ends in a backslash', 'cmd', 'cd C:\\', ['cd C:\\']],
    ['a comment with a quote', 'bash', "npm ci # don’t, or don't", ["npm ci # don’t, or don't"]],
    ['a here-string', 'bash', 'cat <<< "x"', ['cat <<< "x"']],
    ['a word that might begin a block', 'bash', 'cd in', ['cd in']],
    ['a loop on one line', 'bash', 'for i in 1 2; do echo $i; done', ['for i in 1 2; do echo $i; done']],
    ['braces and quotes that close', 'bash', `awk '{ print $1 }' "$(ls)" \${A}`, [`awk '{ print $1 }' "$(ls)" \${A}`]],
    ['a tab, which completes words', 'bash', 'echo\ta', ['echo a']],
    ['work in the background', 'bash', 'npm start &', ['npm start &']],
  ];
  for (const [what, language, text, commands] of CASES)
    it(`are read from ${what}`, () => {
      assert.deepEqual(readCommands(text, language), { commands });
    });

  const REFUSED: [what: string, text: string, why: RegExp][] = [
    ['a here-document', 'cat <<EOF > a\nrm -rf /\nEOF', /belong together/],
    ['a loop over several lines', 'for i in 1 2\ndo\n  echo $i\ndone', /belong together/],
    ['an open quote', 'git commit -m "one\ntwo"', /belong together/],
    ['a line that goes on in single quotes', "echo 'a\\\nb'", /belong together/],
    ['an open test', '[[ -f a\n]] && rm b', /belong together/],
    ['an open substitution', 'echo `ls\nrm b`', /belong together/],
    ['an open brace', 'f() {\n  ls\n}', /belong together/],
    ['a pipe that goes on', 'ls |\nwc', /belong together/],
    ['an end of line in disguise', 'echo a\rrm -rf ~', /control characters/],
    ['an escape sequence', 'echo \u001b[201~\u0003', /control characters/],
    ['characters that can’t be seen', 'echo a\u202e\u200b', /invisible/],
    ['a line separator', 'echo a\u2028ls', /invisible/],
    ['a letter without ink', 'echo a\u3164', /invisible/],
    ['a space that is none', 'rm a\u00a0b', /invisible/],
    ['too many to choose from', 'ls\n'.repeat(51), /more than 50/],
    ['comments alone', '# nothing\n', /no command/],
    ['a line without an end', `echo ${'x'.repeat(5000)}`, /very long/],
  ];
  for (const [what, text, why] of REFUSED)
    it(`are refused with ${what}`, () => {
      const read = readCommands(text, 'bash');
      assert.match('refused' in read ? read.refused : JSON.stringify(read), why);
    });

  it('never have a character that ends a line, whatever stands in the block', () => {
    const parts = [
      'a',
      ' ',
      '\\',
      '\n',
      '\r',
      '\r\n',
      "'",
      '"',
      '$ ',
      '{',
      '\t',
      '\u0085',
      '\u0003',
      '&&',
      '#',
      '`',
      '^',
    ];
    for (let seed = 1; seed < 4000; seed++) {
      let text = '';
      for (let at = seed * 7919; at > 0; at = Math.floor(at / parts.length)) text += parts[at % parts.length];
      for (const language of ['bash', 'console', 'pwsh', 'cmd']) {
        const read = readCommands(text, language);
        for (const command of 'commands' in read ? read.commands : [])
          assert.ok(!/[\p{Cc}\u2028\u2029]/u.test(command), JSON.stringify([text, command]));
      }
    }
  });

  it('are those of shells alone', () => {
    assert.deepEqual(['bash', 'Console', 'pwsh', 'bat', 'ts', '', 'output'].filter(isForTerminal), [
      'bash',
      'Console',
      'pwsh',
      'bat',
    ]);
  });
});
