// Unified diffs, as `git diff` prints them and models write them from memory, read as the patches that the edit engine
// knows. Their line numbers are not used: models count badly, and the lines themselves say where they stand.

const LANGUAGES = /^(?:diff|patch|udiff)$/i;
const DIFF_FILE = /\.(?:diff|patch)$/i;
const OLD = /^--- (.+)$/;
const NEW = /^\+\+\+ (.+)$/;
/** The first line about a file, before the two that name it. */
const BEGINS = /^(?:diff --git |Index: )/;
const RENAME = /^rename (from|to) (.+)$/;
const BINARY = /^(?:Binary files |GIT binary patch)/;
/** What mail programs put under a patch. */
const SIGNATURE = /\n-- \n.{0,40}\n?$/;
const NOTHING = '/dev/null';

export const isDiffLanguage = (language: string) => LANGUAGES.test(language);

/** Whether a code block is a unified diff to apply, and not the text of a file. `path`: the file that the answer names. */
export function isDiff(lines: readonly string[], language: string, path?: string): boolean {
  if (path !== undefined && DIFF_FILE.test(path)) return false;
  return isDiffLanguage(language) || (lines.some((line) => line.startsWith('@@ ')) && headsIn(lines).size > 0);
}

/**
 * The lines of a V4A patch that says the same, without its first and last mark. `path`: the file of a diff that names
 * none. Undefined if it names no file, changes nothing, or can't be said so.
 */
export function patchOfDiff(diff: readonly string[], path?: string): string[] | undefined {
  const lines = diff.join('\n').replace(SIGNATURE, '').split('\n');
  const files = filesOf(lines, path);
  const patch = files?.flatMap(patchOf);
  return patch && patch.length > 0 ? patch : undefined;
}

interface DiffFile {
  from?: string;
  to?: string;
  isRenamed: boolean;
  body: string[];
}

/**
 * The lines that name a file, with the one below. Below the first of them a hunk follows: a removed and an added line may
 * read alike.
 */
function headsIn(lines: readonly string[]): ReadonlySet<number> {
  const hasHunks = lines.some((line) => line.startsWith('@@'));
  const first = lines.findIndex((line) => line.trim() !== '');
  const isHead = (line: string, at: number) => {
    if (!OLD.test(line) || !NEW.test(lines[at + 1] ?? '')) return false;
    const next = lines[at + 2];
    return next === undefined || next.startsWith('@@') || at === first || !hasHunks;
  };
  return new Set(lines.flatMap((line, at) => (isHead(line, at) ? [at] : [])));
}

function filesOf(lines: readonly string[], path: string | undefined): DiffFile[] | undefined {
  const files: DiffFile[] = [];
  const heads = headsIn(lines);
  // It would read as a mark of the patch.
  if (lines.some((line) => BINARY.test(line) || line.startsWith('*** '))) return undefined;
  if (heads.size === 0 && !lines.some((line) => RENAME.test(line))) {
    if (path === undefined || !lines.some((line) => /^[+-]/.test(line))) return undefined;
    return [{ from: path, to: path, isRenamed: false, body: [...lines] }];
  }
  /** Between the first line about a file and its first hunk. */
  let isAbout = true;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    const rename = isAbout ? RENAME.exec(line) : null;
    if (heads.has(at)) {
      const names = namesOf(line, lines[++at]!);
      if (!names) return undefined;
      const last = files.at(-1);
      // A renamed file whose lines change, too.
      if (isAbout && last?.isRenamed && last.body.length === 0) continue;
      files.push({ ...names, isRenamed: false, body: [] });
      isAbout = false;
    } else if (BEGINS.test(line)) isAbout = true;
    else if (rename?.[1] === 'from') files.push({ from: rename[2]!, isRenamed: true, body: [] });
    else if (rename && files.at(-1)?.isRenamed) files.at(-1)!.to ??= rename[2]!;
    else if (line.startsWith('@@') || !isAbout) {
      isAbout = false;
      files.at(-1)?.body.push(line);
    }
  }
  return files;
}

/** Undefined if a name is quoted, as git quotes those with other bytes than ASCII. */
function namesOf(old: string, next: string): { from: string; to: string } | undefined {
  const [from, to] = [OLD.exec(old)![1]!, NEW.exec(next)![1]!].map((name) => name.split('\t')[0]!.trim());
  if (!from || !to || from.startsWith('"') || to.startsWith('"')) return undefined;
  const isPrefixed = [from, to].every((name, at) => name === NOTHING || name.startsWith(`${'ab'[at]}/`));
  const bare = (name: string) => (isPrefixed && name !== NOTHING ? name.slice(2) : name);
  return { from: bare(from), to: bare(to) };
}

function patchOf({ from, to, isRenamed, body }: DiffFile): string[] {
  if (from === undefined || to === undefined) return [];
  const lines = body.filter((line) => !line.startsWith('\\'));
  while (lines.at(-1)?.trim() === '') lines.pop();
  if (from === NOTHING) return [`*** Add File: ${to}`, ...lines.filter((line) => !line.startsWith('@@'))];
  if (to === NOTHING) return [`*** Delete File: ${from}`];
  // Without a rename, the second name is that of the file as it is to be, such as beside a copy of the former one.
  const head = isRenamed ? [`*** Update File: ${from}`, `*** Move to: ${to}`] : [`*** Update File: ${to}`];
  if (lines.length === 0) return isRenamed ? head : [];
  return [...head, ...(lines[0]!.startsWith('@@') ? [] : ['@@']), ...lines];
}
