// What must not be read or written without a word, judged by its name alone: files that hold secrets, and files that run
// commands or instruct an assistant by being there. The one list for attachments, edits and tasks.

/**
 * Patterns of whole names, folder by folder: `*` stands for any part of a name, a slash at the end for all that is in a
 * folder. A pattern begins in any folder.
 */
const RUNS_COMMANDS = [
  // Editors: tasks, debuggers, settings that name programs, servers of tools.
  '.vscode/*.json *.code-workspace *.sublime-project .idea/ .zed/ .fleet/ .theia/ .vs/tasks.vs.json .vs/launch.vs.json',
  '.vimrc .nvimrc .exrc .nvim.lua .lvimrc .gvimrc .emacs .dir-locals.el .gdbinit .lldbinit .devcontainer/ .devcontainer.json',
  // Git: hooks, and what configures it.
  '.git/ .husky/ .githooks/ .gitconfig .config/git/ .gitmodules lefthook.yml lefthook.yaml .lefthook.yml .lefthook.yaml',
  '.pre-commit-config.yaml .pre-commit-config.yml .overcommit.yml .lintstagedrc* simple-git-hooks.* .simple-git-hooks.*',
  // Services that build and deploy.
  '.github/workflows/ .github/actions/ .gitea/workflows/ .forgejo/workflows/ .gitlab-ci.yml .gitlab-ci.yaml .gitlab/ci/',
  '.circleci/ .travis.yml azure-pipelines*.yml azure-pipelines*.yaml .azure-pipelines/ Jenkinsfile Jenkinsfile-* *.jenkinsfile',
  'bitbucket-pipelines.yml .drone.yml .woodpecker.yml .woodpecker/ .buildkite/ appveyor.yml .appveyor.yml .teamcity/ .ci/',
  'cloudbuild.yaml cloudbuild.yml codemagic.yaml .cirrus.yml .semaphore/ wercker.yml buildspec.yml buildspec.yaml',
  // Package managers and build tools: what they run before anything that was asked for.
  '.npmrc .yarnrc .yarnrc.yml .yarn/ .pnpmfile.cjs pnpmfile.js .cargo/config .cargo/config.toml .bazelrc .buckconfig .mvn/',
  'gradle-wrapper.properties init.gradle init.gradle.kts .bundle/config nuget.config Directory.Build.props',
  'Directory.Build.targets .condarc pip.conf pip.ini sitecustomize.py usercustomize.py *.pth .pypirc .jvmopts .sbtopts',
  // Shells and what starts with them.
  '.envrc .direnv/ .mise.toml mise.toml .mise/ .bashrc .bash_profile .bash_login .bash_logout .bash_aliases .profile .zshrc',
  '.zshenv .zprofile .zlogin .zlogout .kshrc .cshrc .tcshrc .login .inputrc .config/fish/ *profile.ps1 .tmux.conf .screenrc',
  '.irbrc .pryrc .pdbrc .Rprofile .pythonrc .config/autostart/ *.desktop LaunchAgents/ LaunchDaemons/ autorun.inf',
  '.ssh/ .bash_completion crontab cron.d/ .config/systemd/ .xinitrc .xprofile .xsession',
  // What assistants take for instructions, or start.
  'CLAUDE.md CLAUDE.local.md AGENTS.md AGENT.md GEMINI.md .mcp.json mcp.json mcp_config.json .claude/ .codex/ .gemini/',
  '.cursor/ .cursorrules .windsurf/ .windsurfrules .clinerules .clinerules/ .roo/ .roorules .kilocode/ .kiro/ .continue/',
  '.github/copilot-instructions.md .github/instructions/ .github/prompts/ .github/chatmodes/ .github/agents/ .aider.conf.yml',
];

const HOLDS_SECRETS = [
  '.env .env.* *.env .envrc .netrc _netrc .pgpass .my.cnf .mylogin.cnf .npmrc .yarnrc.yml .pypirc .htpasswd .boto .s3cfg',
  '.ssh/ .gnupg/ .aws/ .azure/ .config/gcloud/ .oci/ .password-store/ .kube/ kubeconfig kubeconfig.* *.kubeconfig',
  '.docker/config.json .dockercfg .dockerconfigjson .git-credentials .config/git/credentials .config/gh/hosts.yml',
  '.config/hub .config/op/ .config/rclone/ rclone.conf .vault-token .terraformrc terraform.rc *.tfvars *.tfvars.json *.tfstate',
  '*.tfstate.backup id_rsa id_dsa id_ecdsa id_ecdsa_sk id_ed25519 id_ed25519_sk *.pem *.key *.p12 *.pfx *.p8 *.jks',
  '*.keystore *.ppk *.kdbx *.kdb *.gpg *.pgp *.ovpn *.agekey keys.txt.age .gem/credentials .cargo/credentials',
  '.cargo/credentials.toml .m2/settings.xml settings-security.xml .composer/auth.json auth.json local.settings.json',
  'key.properties secrets.* secret.* *.secret *.secrets credentials credentials.* service-account*.json serviceaccount*.json',
  '*_history .databrickscfg .snowsql/config .config/configstore/ .wgetrc .curlrc .fly/ .netlify/ .claude.json',
];

/** They show what belongs into a file of that kind. */
const IS_SAMPLE =
  /(?:^|[._-])(?:example|sample|template|tmpl|dist|defaults?|schema)(?:[._-]|$)|\.(?:pub|md|[cm]?[jt]sx?|py|go|rs|java|rb|cs|php|kt|swift|html|css)$/;

interface Pattern {
  /** One for each name, the last one first. */
  names: RegExp[];
  /** All that is in the folder. */
  isFolder: boolean;
}

const patternsOf = (lists: readonly string[]): Pattern[] =>
  lists
    .flatMap((list) => list.split(' '))
    .map((pattern) => {
      const isFolder = pattern.endsWith('/');
      const names = pattern.replace(/\/$/, '').split('/').map(toExpression).reverse();
      return { names, isFolder };
    });

const toExpression = (name: string) =>
  new RegExp(`^${name.toLowerCase().replace(/[.+]/g, '\\$&').replaceAll('*', '[^\\0]*')}$`);

const COMMANDS = patternsOf(RUNS_COMMANDS);
const SECRETS = patternsOf(HOLDS_SECRETS);

/** Whether a file can run commands, change the editor or instruct an assistant by being there. Folders before it don't matter. */
export const runsCommands = (path: string): boolean => matches(path, COMMANDS);

/** Whether a file is of a kind that holds secrets. */
export function holdsSecrets(path: string): boolean {
  const names = namesOf(path);
  return matches(path, SECRETS) && !IS_SAMPLE.test(names.at(-1) ?? '');
}

const LEFT_OUT = 'Left out: this file may hold secrets.';

/** A diff as git writes it, with what files that hold secrets have in them left out. */
export const withoutSecrets = (diff: string): string =>
  diff
    .split(/^(?=diff --git )/m)
    .map((file) => {
      const [head = ''] = file.split('\n', 1);
      // Both names stand there, and either may tell; in quotes where they have more than plain letters.
      const names = head.replace(/^diff --git /, '').split(/ (?="?b\/)/);
      const isSecret = head.startsWith('diff --git ') && names.some((name) => holdsSecrets(name.replace(/^"|"$/g, '')));
      return isSecret ? `${head}\n# ${LEFT_OUT}\n` : file;
    })
    .join('');

/** Why a file that a model names is not read for it. */
export const MAY_HOLD_SECRETS = 'It may hold secrets, so Perigee reads it only where you choose it yourself.';

function matches(path: string, patterns: readonly Pattern[]): boolean {
  const names = namesOf(path).reverse();
  // Windows has such a short name for each long one, and it can stand for any.
  if (names.some((name) => /^[^.~]{1,8}~\d{1,6}(?:\.[^.]{1,3})?$/.test(name))) return true;
  return patterns.some(({ names: wanted, isFolder }) => {
    const from = isFolder ? 1 : 0;
    const to = isFolder ? names.length - 1 : 0;
    for (let at = from; at <= to; at++) {
      if (wanted.every((name, up) => names[at + up] !== undefined && name.test(names[at + up]!))) return true;
    }
    return false;
  });
}

/**
 * A path's names as file systems read them: whichever slash, in any case and normal form, without what can't be seen (macOS),
 * and without dots and blanks at the end or the name of a stream (Windows).
 */
function namesOf(path: string): string[] {
  return path
    .normalize('NFKC')
    .replace(/[\p{Cf}\p{Cc}]/gu, '')
    .replaceAll('\\', '/')
    .split('/')
    .map((name) => trimEnd(name.split(':', 1)[0]!).toUpperCase().toLowerCase())
    .filter((name) => name !== '');
}

function trimEnd(name: string): string {
  let end = name.length;
  while (end > 0 && '. '.includes(name[end - 1]!)) end--;
  return name.slice(0, end);
}
