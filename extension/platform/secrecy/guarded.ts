// Files that must not be read or written without asking, judged by name alone: files that hold secrets, and files whose
// presence runs commands or instructs an assistant. Attachments, edits and tasks all use this list.

/**
 * Patterns of whole names, folder by folder: `*` matches any part of a name, a slash at the end matches everything in
 * the folder. A pattern can start in any folder.
 */
const RUNS_COMMANDS = [
  // Editors: tasks, debuggers, settings that name programs, servers of tools.
  '.vscode/*.json *.code-workspace *.sublime-project .idea/ .zed/ .fleet/ .theia/ .vs/tasks.vs.json .vs/launch.vs.json',
  '.vimrc .nvimrc .exrc .nvim.lua .lvimrc .gvimrc .emacs .dir-locals.el .gdbinit .lldbinit .devcontainer/ .devcontainer.json',
  // Git: hooks, and what configures it.
  '.git/ .husky/ .githooks/ .gitconfig .config/git/ .gitmodules lefthook.yml lefthook.yaml .lefthook.yml .lefthook.yaml',
  '.pre-commit-config.yaml .pre-commit-config.yml .overcommit.yml .lintstagedrc* simple-git-hooks.* .simple-git-hooks.*',
  // CI and deployment services.
  '.github/workflows/ .github/actions/ .gitea/workflows/ .forgejo/workflows/ .gitlab-ci.yml .gitlab-ci.yaml .gitlab/ci/',
  '.circleci/ .travis.yml azure-pipelines*.yml azure-pipelines*.yaml .azure-pipelines/ Jenkinsfile Jenkinsfile-* *.jenkinsfile',
  'bitbucket-pipelines.yml .drone.yml .woodpecker.yml .woodpecker/ .buildkite/ appveyor.yml .appveyor.yml .teamcity/ .ci/',
  'cloudbuild.yaml cloudbuild.yml codemagic.yaml .cirrus.yml .semaphore/ wercker.yml buildspec.yml buildspec.yaml',
  // Package managers and build tools: files that make them run code besides the requested command.
  '.npmrc .yarnrc .yarnrc.yml .yarn/ .pnpmfile.cjs pnpmfile.js .cargo/config .cargo/config.toml .bazelrc .buckconfig .mvn/',
  'gradle-wrapper.properties init.gradle init.gradle.kts .bundle/config nuget.config Directory.Build.props',
  'Directory.Build.targets .condarc pip.conf pip.ini sitecustomize.py usercustomize.py *.pth .pypirc .jvmopts .sbtopts',
  // Shells and the files that they run at their start.
  '.envrc .direnv/ .mise.toml mise.toml .mise/ .bashrc .bash_profile .bash_login .bash_logout .bash_aliases .profile .zshrc',
  '.zshenv .zprofile .zlogin .zlogout .kshrc .cshrc .tcshrc .login .inputrc .config/fish/ *profile.ps1 .tmux.conf .screenrc',
  '.irbrc .pryrc .pdbrc .Rprofile .pythonrc .config/autostart/ *.desktop LaunchAgents/ LaunchDaemons/ autorun.inf',
  '.ssh/ .bash_completion crontab cron.d/ .config/systemd/ .xinitrc .xprofile .xsession',
  // Files that assistants read as instructions, or start.
  'CLAUDE.md CLAUDE.local.md AGENTS.md AGENT.md GEMINI.md .mcp.json mcp.json mcp_config.json .claude/ .codex/ .gemini/',
  '.cursor/ .cursorrules .windsurf/ .windsurfrules .clinerules .clinerules/ .roo/ .roorules .kilocode/ .kiro/ .continue/',
  '.github/copilot-instructions.md .github/instructions/ .github/prompts/ .github/chatmodes/ .github/agents/ .aider.conf.yml',
];

/** Folders of credentials, and file extensions of keys. A sample never has such a name. */
const HOLDS_KEYS = [
  '.ssh/ .gnupg/ .aws/ .azure/ .config/gcloud/ .oci/ .password-store/ .kube/ .config/op/ .config/rclone/ .fly/ .netlify/',
  '.docker/config.json .config/git/credentials .config/gh/hosts.yml .config/hub .gem/credentials .cargo/credentials',
  '.cargo/credentials.toml .m2/settings.xml .composer/auth.json .snowsql/config .config/configstore/',
  'application_default_credentials.json id_rsa id_dsa id_ecdsa id_ecdsa_sk id_ed25519 id_ed25519_sk *.pem *.key *.p12 *.pfx',
  '*.p8 *.jks *.keystore *.ppk *.kdbx *.kdb *.gpg *.pgp *.ovpn *.agekey keys.txt.age',
];

/** Names of secrets that samples and source files have too. */
const HOLDS_SECRETS = [
  '.env .env.* .env-* .env_* *.env .envrc .dev.vars* .netrc _netrc .pgpass .my.cnf .mylogin.cnf .npmrc .yarnrc.yml .pypirc',
  '.htpasswd .boto .s3cfg kubeconfig kubeconfig.* *.kubeconfig .dockercfg .dockerconfigjson .git-credentials rclone.conf',
  '.vault-token .terraformrc terraform.rc *.tfvars *.tfvars.json *.tfstate *.tfstate.backup settings-security.xml auth.json',
  'local.settings.json key.properties secrets/ secrets.* secret.* *.secret *.secrets .kamal/ credentials credentials.*',
  'client_secret*.json service-account*.json serviceaccount*.json *firebase-adminsdk*.json *_history .databrickscfg .wgetrc',
  '.curlrc .claude.json',
];

/** Samples show what belongs in a file of that kind. */
const IS_SAMPLE =
  /(?:^|[._-])(?:example|sample|template|tmpl|schema)(?:[._-]|$)|\.env\.(?:dist|defaults?)$|\.(?:md|[cm]?[jt]sx?|py|go|rs|java|rb|cs|php|kt|swift|html|css)$/;

interface Pattern {
  /** One expression for each name, the last name first. */
  names: RegExp[];
  /** The pattern matches everything in the folder. */
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
const KEYS = patternsOf(HOLDS_KEYS);
const SECRETS = patternsOf(HOLDS_SECRETS);

/** Whether the mere presence of a file can run commands, change the editor or instruct an assistant. */
export const runsCommands = (path: string): boolean => matches(path, COMMANDS);

/** Whether a file is of a kind that holds secrets. */
export function holdsSecrets(path: string): boolean {
  return matches(path, KEYS) || (matches(path, SECRETS) && !IS_SAMPLE.test(namesOf(path).at(-1) ?? ''));
}

/** Stands in a diff for the contents of a file. */
export const LEFT_OUT = '# Left out: this file may hold secrets.';
const UNNAMED = '# Left out: which file this is of cannot be told.';
const DIFF_HEAD = /^diff --(?:git|cc|combined) /;

/** A diff in git's format, without the contents of files that hold secrets and without parts whose file is unknown. */
export const withoutSecrets = (diff: string): string =>
  diff
    .split(/^(?=diff --(?:git|cc|combined) )/m)
    .map((part) => {
      const [head = ''] = part.split('\n', 1);
      // A program set as diff.external can print anything.
      if (!DIFF_HEAD.test(head)) return part.trim() === '' ? part : `${UNNAMED}\n`;
      return namesInDiff(part).some(holdsSecrets) ? `${head}\n${LEFT_OUT}\n` : part;
    })
    .join('');

/** All names in the lines above a file's first hunk: any of them may show that the file holds secrets. */
function namesInDiff(part: string): string[] {
  const [head = '', ...lines] = part.split(/^@@/m, 1)[0]!.split('\n');
  const both = head.replace(DIFF_HEAD, '');
  // The line has one name, or two that are equal except for their prefixes. Different names have lines of their own.
  const half = (both.length - 1) / 2;
  const named = lines.flatMap((line) => /^(?:---|\+\+\+|(?:rename|copy) (?:from|to)) (.*)$/.exec(line)?.[1] ?? []);
  return [both, both.slice(0, half), both.slice(half + 1), ...named].map(unquoted);
}

/** Git quotes names with special characters, and writes the bytes of non-ASCII characters as octal numbers. */
function unquoted(name: string): string {
  const inside = /^"(.*)"\s*$/.exec(name)?.[1];
  if (inside === undefined) return name;
  const bytes = (run: string) => Uint8Array.from(run.slice(1).split('\\'), (byte) => Number.parseInt(byte, 8));
  return inside.replace(/(?:\\[0-7]{3})+/g, (run) => new TextDecoder().decode(bytes(run))).replace(/\\(["\\])/g, '$1');
}

/** Why Perigee does not read a file that a model names. */
export const MAY_HOLD_SECRETS = 'It may hold secrets, so Perigee reads it only if you choose it yourself.';

/**
 * The path of a file in a workspace folder, starting with that folder's name: the folders above do not belong to the
 * workspace. A Windows short name is left out, because every long name has one.
 */
export function fromFolder(folder: string, path: string): string {
  const root = folder.replace(/\/$/, '');
  const name = root.slice(root.lastIndexOf('/') + 1);
  const inside = path.slice(root.length + 1);
  return name === '' || IS_SHORT.test(name) ? inside : `${name}/${inside}`;
}

/** A Windows short name (8.3), which can stand for any long name. */
const IS_SHORT = /^[^.~]{1,8}~\d{1,6}(?:\.[^.]{1,3})?$/;
/** How many names at the end of an absolute path may be short names of guarded files. The others are the system's. */
const MAX_SHORT = 3;

function matches(path: string, patterns: readonly Pattern[]): boolean {
  const names = namesOf(path).reverse();
  const isWhole = /^(?:[\\/]|[a-z]:)/i.test(path);
  if ((isWhole ? names.slice(0, MAX_SHORT) : names).some((name) => IS_SHORT.test(name))) return true;
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
 * A path's names as file systems compare them: with either slash, in any case and normal form, without invisible
 * characters (macOS), and without dots and spaces at the end or the name of a stream (Windows).
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
