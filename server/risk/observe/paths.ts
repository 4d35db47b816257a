// Which files a request is about: a workspace is known by them. Pure, and linear in a bounded part of the request. The
// texts that it returns are hashed at once with the account's key; none is stored.
import { MOST_PATHS } from '../signals/observation.ts';

/** Characters of one text that are searched, at its head and at its tail: large ones are the contents of files. */
const HEAD = 6 * 1024;
const TAIL = 1024;
/** Values of members that one request is asked for. */
const MOST_VALUES = 128;
/** Longer ones are no paths. */
const MOST_UNITS = 400;

/** Collects the paths of one request: the last two segments each, at most `MOST_PATHS`, none twice. */
export class Paths {
  readonly found = new Set<string>();
  #values = MOST_VALUES;

  get isFull(): boolean {
    return this.found.size >= MOST_PATHS;
  }

  /** A path as such. What is no path of a workspace is left out. */
  add(path: string): void {
    if (this.isFull) return;
    const short = shortPath(path);
    if (short !== null) this.found.add(short);
  }

  /** The arguments of a tool call, as the JSON that the model wrote. */
  addArguments(json: string): void {
    for (const text of ends(json)) {
      MEMBER.lastIndex = 0;
      for (let found = MEMBER.exec(text); found && !this.isFull; found = MEMBER.exec(text)) {
        const kind = MEMBERS.get(found[1]!.replaceAll('_', '').toLowerCase());
        // Each character is read once: what was read as a value is no member.
        if (kind !== undefined) MEMBER.lastIndex = this.#addValue(kind, text, MEMBER.lastIndex);
      }
      this.#addPatches(text);
    }
  }

  /** The value of a member, from `at` on: a string, or a list of strings. Returns where it ends. */
  #addValue(kind: 'path' | 'command', text: string, at: number): number {
    const isList = text[at] === '[';
    const most = kind === 'path' ? MOST_UNITS : MOST_COMMAND;
    let end = isList ? at + 1 : at;
    for (let pattern = STRING; !this.isFull && this.#values > 0; pattern = NEXT_STRING) {
      pattern.lastIndex = end;
      const found = pattern.exec(text);
      if (!found) break;
      end = pattern.lastIndex;
      this.#values--;
      const value = unescaped(found[1]!.slice(0, most + 1));
      if (kind === 'command') this.addMentioned(value.slice(0, most));
      else this.add(value);
      if (!isList) break;
    }
    return end;
  }

  /** A text that mentions files: a command line, or a client's note on what is open. Only obvious paths are taken. */
  addMentioned(text: string): void {
    for (const part of ends(text)) {
      this.#addPatches(part);
      addMatches(part, WORD, (match) => isObvious(match[0]) && this.add(match[0]), this);
    }
  }

  /** The headers of patches. In JSON a line ends with the two characters `\n`. */
  #addPatches(text: string): void {
    if (text.includes('*** ')) addMatches(text, PATCH_HEADER, (match) => this.add(match[1]!), this);
    if (text.includes('+++ ') || text.includes('diff --git '))
      addMatches(text, DIFF_HEADER, (match) => this.add(match[1]!), this);
  }
}

/** The names, in lower case and without `_`, by which tools of the known clients call a path, several, and a command. */
const MEMBERS = new Map<string, 'path' | 'command'>([
  ...[
    ...['path', 'filepath', 'filename', 'file', 'absolutepath', 'targetfile', 'relativeworkspacepath', 'uri'],
    ...['notebookpath', 'oldpath', 'newpath', 'source', 'destination', 'paths', 'files', 'filepaths', 'filenames'],
  ].map((name) => [name, 'path'] as const),
  // Also as the last word of a list, such as `["bash", "-lc", "cat a.ts"]`.
  ...['command', 'cmd', 'script'].map((name) => [name, 'command'] as const),
]);
const MEMBER = /"([a-zA-Z_]{3,24})"\s{0,8}:\s{0,8}(?=["[])/g;
/** A string, where one begins; the end of the searched part may cut it short. */
const STRING = /\s{0,8}"((?:[^"\\]|\\.)*)(?:"|$)/y;
/** The next one of a list. */
const NEXT_STRING = /\s{0,8},\s{0,8}"((?:[^"\\]|\\.)*)(?:"|$)/y;
const MOST_COMMAND = 1_200;
const PATCH_HEADER = /\*\*\* (?:Update File|Add File|Delete File|Move to): ([^\n\r"\\]{1,400})/g;
const DIFF_HEADER = /(?:\+\+\+ b\/|diff --git a\/)([^\s"\\]{1,400})/g;
const WORD = /[\p{L}\p{N}_.~@+\-/\\:]{3,400}/gu;

function addMatches(text: string, pattern: RegExp, add: (match: RegExpMatchArray) => void, paths: Paths): void {
  // A command has more words than a file has paths; the bound on the text bounds them, too.
  for (const match of text.matchAll(pattern)) {
    if (paths.isFull) return;
    add(match);
  }
}

function ends(text: string): string[] {
  return text.length <= HEAD + TAIL ? [text] : [text.slice(0, HEAD), text.slice(-TAIL)];
}

function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(.)/gs, (_, escaped: string) => ESCAPES[escaped] ?? escaped);
}

const ESCAPES: Record<string, string> = { n: '\n', r: '\n', t: '\t', b: ' ', f: ' ', u: '?' };

/**
 * The last two segments, between forward slashes, in the case as it is; null for what says nothing of a workspace. Two
 * segments: the same checkout has another parent on each machine, and one name alone is too common.
 */
export function shortPath(path: string): string | null {
  if (path.length > MOST_UNITS) return null;
  let plain = path.includes('\\') ? path.replaceAll('\\', '/') : path;
  if (plain.startsWith('file://')) plain = plain.slice(7);
  if (NO_PATH.test(plain)) return null;
  // Lines of a file: `a.ts:10`, `a.ts:10-20`, `a.ts#L10`.
  if (isDigit(plain.charCodeAt(plain.length - 1)))
    plain = plain.replace(/(?::\d{1,9}(?:[-:]\d{1,9})?|#L\d{1,9}(?:-L?\d{1,9})?)$/, '');
  const segments: string[] = [];
  for (let from = 0; from <= plain.length; ) {
    const slash = plain.indexOf('/', from);
    const segment = plain.slice(from, slash < 0 ? plain.length : slash).trim();
    from = slash < 0 ? plain.length + 1 : slash + 1;
    if (segment === '' || segment === '.' || segment === '..') continue;
    if (MADE_BY_TOOLS.has(segment) || segment.startsWith('.aider')) return null;
    segments.push(segment);
  }
  const name = segments.at(-1);
  const folder = segments.at(-2);
  if (name === undefined || !name.includes('.') || name.endsWith('.')) return null;
  if ((plain.startsWith('/') || segments[0]!.endsWith(':')) && ofTheMachine(segments)) return null;
  if (isSecret(name) || (folder !== undefined && looksRandom(folder))) return null;
  if (isCommonName(name) && (folder === undefined || COMMON_FOLDERS.has(folder.toLowerCase()))) return null;
  return folder === undefined ? name : `${folder}/${name}`;
}

const isDigit = (code: number) => code >= 48 && code <= 57;

const NO_PATH = /[\n\r\t"<>|*?`$={}]|:\/\//;

/** The same on every machine: it would make one workspace of all. */
function ofTheMachine([first, second = '', third = '']: readonly string[]): boolean {
  if (first === 'private') return second === 'tmp' || (second === 'var' && VARIABLE.has(third));
  if (first === 'var') return VARIABLE.has(second);
  return first!.endsWith(':') ? WINDOWS.has(second.toLowerCase()) : SYSTEM.has(first!);
}

const SYSTEM = new Set('tmp dev proc sys usr etc bin sbin lib Library System Applications'.split(' '));
const VARIABLE = new Set(['folders', 'log', 'lib', 'tmp', 'cache', 'run']);
const WINDOWS = new Set(['windows', 'program files', 'program files (x86)', 'programdata']);

/** Folders of libraries, of what was built, and of the clients' own notes. */
const MADE_BY_TOOLS = new Set([
  ...['node_modules', 'site-packages', 'dist-packages', 'vendor', 'target', '.git', '.venv', 'venv', '__pycache__'],
  ...['.cache', '.cargo', '.npm', '.claude', '.codex', '.kimi', '.opencode', '.cline', '.continue', 'AppData'],
]);

/** Names of files with keys, and words that look like one. Not even their hash is of use. */
function isSecret(name: string): boolean {
  return SECRETS.test(name) || looksRandom(name);
}

const SECRETS =
  /^\.env|^id_(?:rsa|dsa|ecdsa|ed25519)|\.(?:pem|key|p12|pfx|keystore|jks|kdbx|ppk)$|(?:secret|credential|passw|token)[^/]{0,100}\.(?:txt|json|ya?ml|toml|ini|cfg|conf|csv|env)$/i;

/** A part of a base64 text: long, with digits and letters of both cases. */
function looksRandom(segment: string): boolean {
  return (
    segment.length >= 24 &&
    /\d/.test(segment) &&
    /[a-z]/.test(segment) &&
    /[A-Z]/.test(segment) &&
    !/[-_. ]/.test(segment)
  );
}

/**
 * What templates and frameworks call the files of every project. In a folder that every project has as well, they say
 * nothing; in another one (`billing/index.ts`) they do.
 */
function isCommonName(name: string): boolean {
  const lower = name.toLowerCase();
  if (COMMON_NAMES.has(lower)) return true;
  const dot = lower.indexOf('.', 1);
  return COMMON_STEMS.has(dot < 0 ? lower : lower.slice(0, dot));
}

const COMMON_NAMES = new Set([
  // Manifests and lock files of package managers.
  ...['package.json', 'package-lock.json', 'yarn.lock', 'pnpm-lock.yaml', 'bun.lockb', 'pyproject.toml', 'setup.py'],
  ...[
    'requirements.txt',
    'poetry.lock',
    'uv.lock',
    'pipfile',
    'cargo.toml',
    'cargo.lock',
    'go.mod',
    'go.sum',
    'pom.xml',
  ],
  ...['build.gradle', 'build.gradle.kts', 'settings.gradle', 'composer.json', 'gemfile', 'mix.exs', 'cmakelists.txt'],
  // Settings of compilers and tools.
  ...['tsconfig.json', 'jsconfig.json', 'biome.json', '.gitignore', '.gitattributes', '.editorconfig', '.dockerignore'],
  ...['.prettierrc', '.eslintrc', '.eslintrc.json', '.npmrc', '.nvmrc', 'docker-compose.yml', 'compose.yaml', 'ci.yml'],
  // Texts that every repository has, and notes to assistants.
  ...[
    'claude.md',
    'agents.md',
    'gemini.md',
    '.cursorrules',
    '.clinerules',
    'todo.md',
    'license.txt',
    'copilot-instructions.md',
  ],
]);

const COMMON_STEMS = new Set([
  // Entry points.
  ...[
    'index',
    'main',
    'app',
    '__init__',
    '__main__',
    'mod',
    'lib',
    'server',
    'client',
    'cli',
    'manage',
    'wsgi',
    'asgi',
  ],
  // Texts of a repository.
  ...['readme', 'changelog', 'contributing', 'license', 'makefile', 'dockerfile', 'notes', 'todo', 'plan'],
  // Drawers that every project has.
  ...['utils', 'util', 'helpers', 'helper', 'types', 'constants', 'config', 'settings', 'common', 'errors', 'logger'],
  ...['models', 'views', 'urls', 'admin', 'routes', 'router', 'api', 'db', 'schema', 'auth', 'test', 'tests', 'setup'],
  // Of frameworks for pages and of build tools.
  ...['page', 'layout', 'style', 'styles', 'global', 'globals', 'home', 'loading', 'error', 'not-found', 'middleware'],
  ...[
    'vite',
    'webpack',
    'rollup',
    'tailwind',
    'postcss',
    'next',
    'jest',
    'vitest',
    'eslint',
    'babel',
    'conftest',
    'build',
  ],
]);

const COMMON_FOLDERS = new Set([
  ...['src', 'lib', 'app', 'apps', 'test', 'tests', '__tests__', 'docs', 'doc', 'public', 'static', 'server', 'client'],
  ...['api', 'web', 'www', 'frontend', 'backend', 'components', 'pages', 'utils', 'helpers', 'types', 'config', 'core'],
  ...[
    'scripts',
    'bin',
    'cmd',
    'pkg',
    'internal',
    'main',
    'packages',
    'workspace',
    'workspaces',
    'project',
    'repo',
    'code',
  ],
  ...[
    'models',
    'views',
    'routes',
    'services',
    'styles',
    'assets',
    'hooks',
    'workflows',
    '.github',
    '.vscode',
    'home',
    'root',
  ],
]);

/** A word that is a path without doubt: it has a slash or the ending of source code, and no host of the web. */
function isObvious(word: string): boolean {
  if (word.includes('://') || HOST.test(word)) return false;
  const slash = Math.max(word.lastIndexOf('/'), word.lastIndexOf('\\'));
  return CODE.test(word) || (slash >= 0 && ENDING.test(word.slice(slash + 1)));
}

const ENDING = /[^.]\.[a-z][a-z0-9]{0,7}(?::\d{1,8})?$/i;
const HOST = /^(?:[\w-]+\.)+(?:com|org|net|io|dev|ai|co|de|cn)(?:[/:]|$)|^[\w.-]+@|\.git$/i;
const CODE =
  /[^./\\]\.(?:[cm]?[jt]sx?|py|rs|go|java|kt|swift|rb|php|cs|cpp|cc|c|h|hpp|scala|ex|exs|vue|svelte|css|scss|html|sql|sh|ya?ml|toml|json|md|tf|proto|graphql|ipynb)(?::\d+)?$/i;
