import assert from 'node:assert/strict';
import { isSensitive } from '../../extension/edit/sensitive.ts';

describe('a file that can run commands or change the editor', () => {
  const table: [path: string, isSensitive: boolean][] = [
    ['.vscode/settings.json', true],
    ['.vscode/tasks.json', true],
    ['.vscode/launch.json', true],
    ['.vscode/extensions.json', true],
    ['.VSCode/Tasks.json', true],
    ['packages/web/.vscode/tasks.json', true],
    ['team.code-workspace', true],
    ['.husky/pre-commit', true],
    ['.github/workflows/build.yml', true],
    ['.devcontainer/devcontainer.json', true],
    ['.devcontainer/post.sh', true],
    ['.devcontainer.json', true],
    ['package.json', false],
    ['.vscode/snippets.code-snippets', false],
    ['src/vscode/settings.json', false],
    ['settings.json', false],
    ['.github/CODEOWNERS', false],
    ['docs/.husky.md', false],
    ['src/husky/pre-commit.ts', false],
  ];
  for (const [path, expected] of table) {
    it(`is ${expected ? '' : 'not '}${path}`, () => assert.equal(isSensitive(path), expected));
  }
});
