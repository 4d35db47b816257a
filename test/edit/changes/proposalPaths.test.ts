import assert from 'node:assert/strict';
import { endsWithPath, readPath, suffixPattern } from '../../../extension/edit/files/filePaths.ts';

describe('a path that a model wrote', () => {
  const plain: [path: string, segments: string][] = [
    ['src/a.ts', 'src/a.ts'],
    ['./src/a.ts', 'src/a.ts'],
    ['./a.ts', 'a.ts'],
    ['src\\deep\\a.ts', 'src/deep/a.ts'],
    [' src//a.ts ', 'src/a.ts'],
    ['src/./a.ts', 'src/a.ts'],
    ['app/[id]/page.tsx', 'app/[id]/page.tsx'],
    ['über/ñ.ts', 'über/ñ.ts'],
    ['.github/workflows/ci.yml', '.github/workflows/ci.yml'],
    ['.gitignore', '.gitignore'],
    ['a..b/c...ts', 'a..b/c...ts'],
    ['src/%2e%2e/a.ts', 'src/%2e%2e/a.ts'],
  ];
  for (const [path, segments] of plain) {
    it(`${JSON.stringify(path)} leads into the workspace`, () => {
      assert.deepEqual(readPath(path), { kind: 'path', segments: segments.split('/') });
    });
  }

  const refused: [path: string, why: RegExp][] = [
    ['', /no file/],
    ['.', /no file/],
    ['src/', /no file/],
    ['/etc/passwd', /absolute/],
    ['\\\\server\\share\\a.ts', /absolute/],
    ['C:\\Users\\a.ts', /absolute/],
    ['c:a.ts', /absolute/],
    ['~/.bashrc', /absolute/],
    ['~root/a', /absolute/],
    ['../a.ts', /leads out/],
    ['src/../../a.ts', /leads out/],
    ['src\\..\\..\\a.ts', /leads out/],
    ['src/.. /a.ts', /leads out/],
    ['src/.../a.ts', /leads out/],
    ['file:///etc/passwd', /address/],
    ['vscode-userdata:/settings.json', /address/],
    ['untitled:a.ts', /address/],
    ['a/b.ts:stream', /colon/],
    ['.git/config', /Git itself/],
    ['.GIT/hooks/pre-commit', /Git itself/],
    ['sub/.git/config', /Git itself/],
    ['.git./config', /Git itself/],
    ['.git /config', /Git itself/],
    ['GIT~1/config', /Git itself/],
    ['.g\u200cit/config', /can’t be seen/],
    ['a\u0000b', /can’t be seen/],
    ['a\nb', /can’t be seen/],
    ['a\u202Etxt.sj', /can’t be seen/],
    [`${'a/'.repeat(600)}b`, /too long/],
  ];
  for (const [path, why] of refused) {
    it(`${JSON.stringify(path.slice(0, 40))} is refused`, () => {
      const read = readPath(path);
      assert.equal(read.kind, 'refused');
      assert.match(read.kind === 'refused' ? read.why : '', why);
    });
  }

  it('is the end of another only from a folder on', () => {
    assert.equal(endsWithPath('/w/packages/x/src/a.ts', 'src/a.ts'), true);
    assert.equal(endsWithPath('src/a.ts', 'src/a.ts'), true);
    assert.equal(endsWithPath('/w/mysrc/a.ts', 'src/a.ts'), false);
  });

  it('is looked for by a pattern in which nothing has a meaning', () => {
    assert.equal(suffixPattern(['app', '[id]', '{a,b}*.ts']), '**/app/?id?/?a?b??.ts');
  });
});
