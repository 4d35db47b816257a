import assert from 'node:assert/strict';
import { holdsSecrets, runsCommands } from '../../extension/platform/guarded.ts';

const words = (list: string) => list.trim().split(/\s+/);

describe('a file that can run commands, change the editor or instruct an assistant', () => {
  const is = words(`
    .vscode/settings.json .vscode/tasks.json .vscode/launch.json .vscode/extensions.json .vscode/mcp.json
    .VSCode/Tasks.json .VSCODE/tasks.json packages/web/.vscode/tasks.json .vscode./tasks.json .vscode/tasks.json.
    .vscode/tasks.json:$DATA .vscode::$INDEX_ALLOCATION/tasks.json .vscode\\tasks.json .vscode/tasks.json::$DATA
    VSCODE~1/TASKS~1.JSO .vscode/TASKS~1.JSO GITHUB~1/workflows/x.yml /c:/work/.vscode/tasks.json
    team.code-workspace .idea/runConfigurations/x.xml .idea/workspace.xml .zed/tasks.json .devcontainer/post.sh
    .devcontainer/devcontainer.json .devcontainer.json .husky/pre-commit .githooks/pre-commit sub/.git/hooks/pre-commit
    .git/config .pre-commit-config.yaml lefthook.yml .gitmodules .github/workflows/build.yml .github/actions/x/action.yml
    .gitlab-ci.yml .circleci/config.yml Jenkinsfile ci/Jenkinsfile azure-pipelines.yml .travis.yml .drone.yml
    bitbucket-pipelines.yml .buildkite/pipeline.yml .envrc sub/.envrc .npmrc .yarnrc.yml .yarn/releases/yarn.cjs
    .pnpmfile.cjs .cargo/config.toml .cargo/config .bazelrc .mvn/jvm.config gradle/wrapper/gradle-wrapper.properties
    .bashrc .zshrc .zshenv .profile .config/fish/config.fish Microsoft.PowerShell_profile.ps1 .vimrc .exrc .gdbinit
    CLAUDE.md AGENTS.md GEMINI.md docs/AGENTS.md .mcp.json .cursor/mcp.json .cursor/rules/x.mdc .cursorrules
    .claude/settings.json .github/copilot-instructions.md .windsurfrules .clinerules .ssh/config .ssh/rc
    mise.toml .pypirc sitecustomize.py .config/autostart/x.desktop LaunchAgents/x.plist ＪＥＮＫＩＮＳＦＩＬＥ .ｖscode/tasks.json`);
  for (const path of [
    ...is,
    '.vscode /tasks.json',
    '.vscode/tasks.json . .',
    '.v\u200Cscode/tasks.json',
    '.vſcode/tasks.json',
  ])
    it(`is ${JSON.stringify(path)}`, () => assert.equal(runsCommands(path), true));

  const isNot = words(`
    package.json Makefile src/a.ts .vscode/snippets.code-snippets src/vscode/settings.json settings.json .github/CODEOWNERS
    docs/.husky.md src/husky/pre-commit.ts .gitignore .gitattributes .editorconfig conftest.py README.md src/jenkinsfile.ts
    a~b.ts src/mcp/index.ts ci/build.ts .env tsconfig.json backup~ notes.md.~1~`);
  for (const path of isNot) it(`is not ${path}`, () => assert.equal(runsCommands(path), false));
});

describe('a file that holds secrets', () => {
  const is = words(`
    .env .env.local .env.production config/.env prod.env .ENV .env. .env::$DATA .envrc .npmrc .pypirc .netrc _netrc .pgpass
    .ssh/id_rsa .ssh/config .ssh/known_hosts id_rsa id_ed25519 keys/server.pem tls.key cert.p12 cert.pfx release.jks
    my.keystore putty.ppk .aws/credentials .aws/config .kube/config kubeconfig .docker/config.json .git-credentials
    .config/gh/hosts.yml .config/gcloud/x.json terraform.tfstate prod.tfvars .vault-token .htpasswd secrets.yml secrets.json
    credentials.json service-account.json .cargo/credentials.toml .m2/settings.xml auth.json local.settings.json
    .bash_history .gnupg/x home\\me\\.ssh\\id_rsa SSH~1/ID_RSA .e\u200Dnv`);
  for (const path of is) it(`is ${JSON.stringify(path)}`, () => assert.equal(holdsSecrets(path), true));

  const isNot = words(`
    .env.example .env.sample .env.template example.env.dist id_rsa.pub src/env.ts src/secrets.ts secrets.md docs/credentials.md
    src/key.ts keyboard.ts package.json auth.ts tsconfig.json credentials.schema.json environment.prod.ts`);
  for (const path of isNot) it(`is not ${path}`, () => assert.equal(holdsSecrets(path), false));
});
