/** The existing or possible test files of a file. Paths are relative to the workspace, with forward slashes. */
export interface TestPlaces {
  /** The file's own tests. */
  existing?: string;
  /** Other tests nearby, as an example of the workspace's style. */
  example?: string;
  /** The place for new tests, if the workspace's other tests or the language's convention shows it. */
  place?: string;
}

interface Named {
  path: string;
  /** Its folders. */
  dirs: string[];
  /** The folders that describe its subject: without `src`, `test` and the like, so that tests and sources match. */
  about: string[];
  /** The name without extension and test marks. */
  stem: string;
  extension: string;
  family: string;
  /**
   * The test marks in the name: "test_" before the stem, ".test" after it. Both are empty for a file that only its
   * folder marks as a test.
   */
  marks?: { before: string; after: string };
}

/** Sources by stem. */
type Sources = ReadonlyMap<string, readonly Named[]>;

const FAMILIES = [
  ['ts', 'tsx', 'mts', 'cts', 'js', 'jsx', 'mjs', 'cjs', 'vue', 'svelte'],
  ['java', 'kt', 'groovy', 'scala'],
  ['c', 'cc', 'cpp', 'cxx', 'h', 'hpp'],
];
const TEST_FOLDER = /^(?:tests?|__tests__|specs?)$/i;
/** Folders that say nothing about the subject: `src/main/java/orders` and `src/test/java/orders` have the same one. */
const SILENT_FOLDER = /^(?:tests?|__tests__|specs?|unit|src|lib|app|sources?|main|java|kotlin|scala|groovy|python)$/i;
/** Languages in which test names have no separator (`XTest`). In others, "contest.ts" is no test. */
const CAMEL_CASE = new Set(['java', 'kt', 'groovy', 'scala', 'cs', 'swift', 'php']);

/** Whether a file's name marks it as a test: `x.test.ts`, `test_x.py`, `x_test.go`, `XTest.java`, `x_spec.rb`. */
export function isTestName(path: string): boolean {
  const { marks } = read(path);
  return marks !== undefined && (marks.before !== '' || marks.after !== '');
}

/**
 * Finds the tests of the file `path` by the naming conventions in `paths`, the files of the workspace. A test belongs
 * to the file with the matching name and the closest folders; if two files match equally, to neither.
 */
export function findTests(path: string, paths: readonly string[]): TestPlaces {
  const subject = read(path);
  const { tests, sources } = sort(subject.family, paths);
  const existing = tests
    .filter((test) => test.path !== path && distance(test, subject) && subjectOf(test, sources)?.path === path)
    .toSorted((a, b) => order(distance(a, subject)!, distance(b, subject)!))[0];
  if (existing) return { existing: existing.path };

  const [nearest] = tests
    .filter((test) => test.path !== path && !isUnmarked(test))
    .map((test) => {
      const tested = subjectOf(test, sources);
      const { about, dirs } = tested ?? test;
      // A test with a known subject also shows where tests belong.
      const far = [tested ? 0 : 1, -shared(dirs, subject.dirs), -shared(about, subject.about), about.length];
      return { test, tested, far };
    })
    .toSorted((a, b) => order(a.far, b.far) || (a.test.path < b.test.path ? -1 : 1));
  const example = nearest?.test;
  const place = nearest ? placeLike(nearest.test, nearest.tested, subject) : usualPlace(subject);
  // The name matches, although another file with the same name made the match ambiguous.
  if (place && paths.includes(place)) return { existing: place };
  return { example: example?.path, place };
}

/** The file that a test is about, if exactly one in the workspace matches. */
export function findSubject(path: string, paths: readonly string[]): string | undefined {
  const test = read(path);
  return subjectOf(test, sort(test.family, paths).sources)?.path;
}

function read(path: string): Named {
  const dirs = path.split('/');
  const base = dirs.pop() ?? '';
  const dot = base.lastIndexOf('.');
  const [name, extension] = dot > 0 ? [base.slice(0, dot), base.slice(dot + 1)] : [base, ''];
  const [, before = '', stem = name, after = ''] =
    /^()(.+)([._-](?:tests?|specs?))$/i.exec(name) ??
    /^(tests?[._-])(.+)()$/i.exec(name) ??
    (CAMEL_CASE.has(extension)
      ? (/^()(.*\w)(Tests?|Spec|(?<=[\da-z])IT)$/.exec(name) ?? /^(Test)([A-Z].*)()$/.exec(name))
      : null) ??
    [];
  const isMarked = before !== '' || after !== '';
  const family = FAMILIES.find((members) => members.includes(extension))?.[0] ?? extension;
  return {
    path,
    dirs,
    about: dirs.map((dir) => dir.replace(/[._-](?:tests?|specs?)$/i, '')).filter((dir) => !SILENT_FOLDER.test(dir)),
    stem,
    extension,
    family,
    marks: isMarked || dirs.some((dir) => TEST_FOLDER.test(dir)) ? { before, after } : undefined,
  };
}

const isUnmarked = ({ marks }: Named) => marks?.before === '' && marks.after === '';

/**
 * For one family of languages. A file without a test mark in a test folder counts as a test only if no name has marks;
 * otherwise it is a helper.
 */
function sort(family: string, paths: readonly string[]): { tests: Named[]; sources: Sources } {
  const files = paths.map(read).filter((file) => file.family === family);
  const marked = files.filter((file) => file.marks && !isUnmarked(file));
  const sources = new Map<string, Named[]>();
  for (const file of files) {
    if (file.marks) continue;
    const alike = sources.get(file.stem);
    if (alike) alike.push(file);
    else sources.set(file.stem, [file]);
  }
  return { tests: marked.length > 0 ? marked : files.filter(({ marks }) => marks), sources };
}

function subjectOf(test: Named, sources: Sources): Named | undefined {
  const fitting = (sources.get(test.stem) ?? [])
    .flatMap((source) => {
      const far = distance(test, source);
      return far ? [{ source, far }] : [];
    })
    .toSorted((a, b) => order(a.far, b.far));
  const [first, second] = fitting;
  return first && second && order(first.far, second.far) === 0 ? undefined : first?.source;
}

/** How far a test's folders are from a source's; undefined if the test is about something else. */
function distance(test: Named, source: Named): number[] | undefined {
  if (test.stem !== source.stem || !test.marks) return undefined;
  // Each folder of the test must be one of the source's, in the same order; the test may skip some.
  let at = 0;
  for (const dir of source.about) if (dir === test.about[at]) at++;
  if (at < test.about.length) return undefined;
  const isOtherKind = test.extension === source.extension ? 0 : 1;
  return [source.about.length - test.about.length, -shared(test.dirs, source.dirs), isOtherKind];
}

/** Where tests of `subject` belong, by the example of another test and its tested file. */
function placeLike(example: Named, tested: Named | undefined, subject: Named): string | undefined {
  const { before, after } = example.marks!;
  const extension = /^(?:vue|svelte|h|hpp)$/.test(subject.extension) ? example.extension : subject.extension;
  const name = `${before}${subject.stem}${after}.${extension}`;
  if (!tested) return undefined;
  let same = 0;
  while (
    same < Math.min(example.dirs.length, tested.dirs.length) &&
    example.dirs.at(-1 - same) === tested.dirs.at(-1 - same)
  )
    same++;
  const from = tested.dirs.slice(0, tested.dirs.length - same);
  const to = example.dirs.slice(0, example.dirs.length - same);
  // A folder below the tested file, such as `__tests__`: use the same folder below the subject.
  if (same === 0 && shared(tested.dirs, example.dirs) === tested.dirs.length)
    return [...subject.dirs, ...example.dirs.slice(tested.dirs.length), name].join('/');
  if (shared(from, subject.dirs) < from.length) return undefined;
  return [...to, ...subject.dirs.slice(from.length), name].join('/');
}

/** The language's convention, if the workspace has no tests to follow. */
function usualPlace({ dirs, stem, extension, family }: Named): string | undefined {
  switch (family) {
    case 'ts':
      return [...dirs, `${stem}.test.${/^(?:vue|svelte)$/.test(extension) ? 'ts' : extension}`].join('/');
    case 'go':
      return [...dirs, `${stem}_test.go`].join('/');
    case 'py':
      return `tests/test_${stem}.py`;
    case 'java': {
      const main = dirs.lastIndexOf('main');
      return main === -1 ? undefined : [...dirs.with(main, 'test'), `${stem}Test.${extension}`].join('/');
    }
    default:
      return undefined;
  }
}

/** The length of the common prefix. */
function shared(a: readonly string[], b: readonly string[]): number {
  const differs = a.findIndex((each, index) => each !== b[index]);
  return differs === -1 ? a.length : differs;
}

function order(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((each, index) => each !== b[index]);
  return at === -1 ? 0 : a[at]! - b[at]!;
}
