import assert from 'node:assert/strict';
import { fromFolder, holdsSecrets, runsCommands, withoutSecrets } from '../../extension/platform/secrecy/guarded.ts';

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
    .bash_history .gnupg/x home\\me\\.ssh\\id_rsa SSH~1/ID_RSA .e\u200Dnv
    .config/gcloud/application_default_credentials.json application_default_credentials.json default.pem
    certs/default.key example.pem sample.p12 template.kdbx .ssh/id_default .ssh/id_rsa.pub .aws/sso/default.json
    .kube/schema.json .azure/azureProfile.ts id_rsa.example/id_rsa secrets.default.yml
    .dev.vars .dev.vars.production app-firebase-adminsdk-x1.json .kamal/secrets .kamal/secrets-common secrets/prod.yaml
    secrets/dist.json client_secret_1.json .env-prod .env_local dist/.env default.env`);
  for (const path of is) it(`is ${JSON.stringify(path)}`, () => assert.equal(holdsSecrets(path), true));

  const isNot = words(`
    .env.example .env.sample .env.template example.env.dist id_rsa.pub src/env.ts src/secrets.ts secrets.md docs/credentials.md
    .env.dist .env.default .env.defaults .dev.vars.example secrets/example.json src/secrets/store.ts secrets/README.md
    src/key.ts keyboard.ts package.json auth.ts tsconfig.json credentials.schema.json environment.prod.ts`);
  for (const path of isNot) it(`is not ${path}`, () => assert.equal(holdsSecrets(path), false));
});

describe('a diff without what holds secrets', () => {
  const HUNK = '@@ -1 +1 @@\n-KEY=old\n+KEY=new\n';
  const part = (head: string, from: string, to: string) =>
    `${head}\nindex 1..2 100644\n--- ${from}\n+++ ${to}\n${HUNK}`;
  const plain = part('diff --git a/src/a.ts b/src/a.ts', 'a/src/a.ts', 'b/src/a.ts').replaceAll('KEY', 'let a');
  const secret: [title: string, diff: string][] = [
    ['a file', part('diff --git a/.env b/.env', 'a/.env', 'b/.env')],
    ['a new file', part('diff --git a/.env b/.env', '/dev/null', 'b/.env')],
    ['a file with conflicts', part('diff --cc .env', 'a/.env', 'b/.env')],
    ['a combined one', part('diff --combined config/.env', 'a/config/.env', 'b/config/.env')],
    ['a file without prefixes', part('diff --git .npmrc .npmrc', '.npmrc', '.npmrc')],
    ['a file with prefixes of their own', part('diff --git old-.npmrc new-.npmrc', 'x/.npmrc', 'y/.npmrc')],
    ['a file with prefixes for index and folder', part('diff --git i/.npmrc w/.npmrc', 'i/.npmrc', 'w/.npmrc')],
    [
      'a file in quotes',
      part('diff --git "a/\\303\\274/.env" "b/\\303\\274/.env"', '"a/\\303\\274/.env"', '"b/\\303\\274/.env"'),
    ],
    ['a name in quotes', part('diff --git "a/.\\357\\275\\205nv" "b/.\\357\\275\\205nv"', 'x', 'y')],
    [
      'a name with blanks',
      part('diff --git a/my keys/a b.pem b/my keys/a b.pem', 'a/my keys/a b.pem\t', 'b/my keys/a b.pem\t'),
    ],
    [
      'a renamed file',
      `diff --git .env public.txt\nsimilarity index 90%\nrename from .env\nrename to public.txt\n${HUNK}`,
    ],
    ['a copied file', `diff --git a.txt .env\nsimilarity index 90%\ncopy from a.txt\ncopy to .env\n${HUNK}`],
    ['a file without lines that name it', `diff --git .npmrc .npmrc\nold mode 100644\n${HUNK}`],
  ];
  for (const [title, diff] of secret) {
    it(`leaves out ${title}`, () => {
      for (const text of [diff, plain + diff, diff + plain]) {
        const left = withoutSecrets(text);
        assert.doesNotMatch(left, /KEY/);
        assert.ok(left.includes(diff.split('\n', 1)[0]!));
        assert.equal(left.includes(plain), text !== diff);
      }
    });
  }
  it('leaves out what no head says the file of', () => {
    assert.doesNotMatch(withoutSecrets(HUNK), /KEY/);
    assert.doesNotMatch(withoutSecrets(`old .env | new .env\n${HUNK}${plain}`), /KEY/);
    assert.ok(withoutSecrets(HUNK + plain).endsWith(plain));
  });
  it('is the diff itself where nothing of it does', () => {
    for (const text of ['', plain, plain + plain, '\n']) assert.equal(withoutSecrets(text), text);
    // Lines of code are no heads.
    const quoting = part('diff --git a/a.md b/a.md', 'a/a.md', 'b/a.md').replace('-KEY=old', '-- a/.env\n--- .env');
    assert.equal(withoutSecrets(quoting), quoting);
  });
});

describe('the path by which a file of a workspace is judged', () => {
  it('begins with the workspace folder’s own name', () => {
    assert.equal(fromFolder('/home/me/.claude/worktrees/w', '/home/me/.claude/worktrees/w/src/a.ts'), 'w/src/a.ts');
    assert.equal(fromFolder('/home/me/secrets/app/', '/home/me/secrets/app/a.json'), 'app/a.json');
    assert.equal(fromFolder('/home/me/.ssh', '/home/me/.ssh/config'), '.ssh/config');
    assert.equal(fromFolder('/', '/home/me/a.ts'), 'home/me/a.ts');
  });
  it('has no short name that Windows gave to the folder or to one before', () => {
    const [folder, file] = ['/c:/Users/LONGNA~1/AppData/Local/Temp/WORKSP~1', 'src/a.ts'];
    assert.equal(fromFolder(folder, `${folder}/${file}`), file);
    for (const is of [holdsSecrets, runsCommands]) {
      assert.equal(is('/c:/Users/LONGNA~1/AppData/Local/Temp/w/a.ts'), false);
      assert.equal(is('C:\\Users\\LONGNA~1\\AppData\\Local\\Temp\\w\\a.ts'), false);
      assert.equal(is('C:\\Users\\LONGNA~1\\SSH~1\\config'), true);
      assert.equal(is('GIT~1/a/b/c/d'), true);
    }
  });
});
