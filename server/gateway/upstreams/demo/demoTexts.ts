// Texts that the demo model writes where a real model would think. They say so, and they go to the right place.

/** Adds a documentation comment at the line that the instruction names, else at the top. */
export function documented(lines: string[], instruction: string, languageId: string, firstLine: number): string[] {
  const [head = ''] = instruction.split('\n');
  const [, name] = /`([^`]*)`/.exec(head) ?? [];
  const [, first] = /\blines? (\d+)/.exec(head) ?? [];
  const at = lineOf(first, firstLine, lines.length);
  const what = name ? `what \`${name}\` is for` : 'what this is for';
  return insert(lines, at, `Demo model: here a real one would say ${what}.`, languageId);
}

/** Adds a comment above each line for which the instruction names a problem. */
export function fixed(lines: string[], instruction: string, languageId: string, firstLine: number): string[] {
  const found = [...instruction.matchAll(/^(?:fix the \w+ in|\d+\.) lines? (\d+)(?:–\d+)?(?:, \w+)?: (.*)$/gim)];
  const problems = found.map(([, line, message]) => ({ at: lineOf(line, firstLine, lines.length), message: message! }));
  if (problems.length === 0) return insert(lines, 0, 'Demo model: here a real one would mend something.', languageId);
  // From last to first, because each insertion moves the lines below it.
  return problems
    .sort((a, b) => b.at - a.at)
    .reduce(
      (done, { at, message }) => insert(done, at, `Demo model: a real one would mend: ${message}`, languageId),
      lines,
    );
}

const lineOf = (line: string | undefined, firstLine: number, count: number) =>
  Math.min(Math.max(Number(line ?? firstLine) - firstLine, 0), Math.max(0, count - 1));

function insert(lines: string[], at: number, text: string, languageId: string): string[] {
  return [...lines.slice(0, at), ...comment(text, lines.slice(at), languageId), ...lines.slice(at)];
}

/** A commit message from a diff's file names. It keeps the beginning that the author typed. */
export function commitMessage(begun: string, diff: string): string {
  const files = diff.split(/^(?=diff --git )/m).flatMap((file) => {
    const [, path] = /^diff --git .* "?b\/(.*?)"?$/m.exec(file) ?? [];
    if (path === undefined) return [];
    const verb = /^new file/m.test(file) ? 'Add' : /^deleted file/m.test(file) ? 'Delete' : 'Change';
    return [{ verb, name: path.split('/').at(-1)! }];
  });
  const [first] = files;
  const begin = begun.trim();
  if (!first) return begin || 'Change nothing';
  const others = files.length > 2 ? ` and ${files.length - 1} more files` : '';
  const second = files.length === 2 ? files[1] : undefined;
  const and = !second
    ? ''
    : second.verb === first.verb
      ? ` and ${second.name}`
      : `, ${second.verb.toLowerCase()} ${second.name}`;
  const subject = `${first.verb} ${first.name}${and}${others}`;
  return `${begin || subject}\n\nWritten by the demo model, from the names of ${files.length === 1 ? 'one file' : `${files.length} files`}.`;
}

/** A new test file for `path`, in the language of its extension. */
export function testFile(place: string, path: string): string[] {
  const name = path.split('/').at(-1)!;
  const extension = name.split('.').at(-1)!;
  if (/^[cm]?[jt]sx?$/.test(extension))
    return [
      "import assert from 'node:assert/strict';",
      "import { test } from 'node:test';",
      '',
      '// Written by the demo model: a real one would test what the file promises.',
      `test('${name} can be loaded', async () => {`,
      `  assert.ok(await import('${relative(place, path)}'));`,
      '});',
    ];
  if (extension === 'py') {
    const module = name.slice(0, -3).replace(/\W/g, '_');
    return [
      'import importlib',
      '',
      '',
      '# Written by the demo model: a real one would test what the file promises.',
      `def test_${module}_can_be_loaded():`,
      `    assert importlib.import_module("${module}")`,
    ];
  }
  return [`Demo model: here a real one would write tests of ${name}.`];
}

/** Tests of `path` to add to an existing test file. */
export function moreTests(lines: string[], path: string, languageId: string): string[] {
  const text = `Demo model: here a real one would add tests of ${path.split('/').at(-1)}.`;
  return [...lines, '', ...comment(text, [''], languageId)];
}

/** The default place for new tests of `path`. */
export function testPlace(path: string): string {
  const [, folder = '', stem = '', extension = ''] = /^(.*\/)?(.*?)(\.[^.]*)?$/.exec(path) ?? [];
  return extension === '.py' ? `${folder}test_${stem}.py` : `${folder}${stem}.test${extension}`;
}

/** The relative path from file `from` to file `to`. */
function relative(from: string, to: string): string {
  const [here, there] = [from.split('/').slice(0, -1), to.split('/')];
  let shared = 0;
  while (shared < here.length && shared < there.length - 1 && here[shared] === there[shared]) shared++;
  const up = here.length - shared;
  return `${up === 0 ? './' : '../'.repeat(up)}${there.slice(shared).join('/')}`;
}

/** The indentation of the first non-blank line. */
export function indentation(lines: string[]): string {
  return /^\s*/.exec(lines.find((line) => line.trim() !== '') ?? '')![0];
}

/** The marks that open and, if needed, close a comment. */
function commentMarks(languageId: string): [string, string] {
  if (
    /^(python|ruby|shellscript|yaml|toml|dockerfile|makefile|perl|r|julia|powershell|elixir|ini|properties)$/.test(
      languageId,
    )
  )
    return ['# ', ''];
  if (/^(html|xml|svg|markdown|vue|svelte)$/.test(languageId)) return ['<!-- ', ' -->'];
  if (/^(css)$/.test(languageId)) return ['/* ', ' */'];
  if (/^(sql|lua|haskell|ada|elm)$/.test(languageId)) return ['-- ', ''];
  if (/^(clojure|lisp|scheme|asm)$/.test(languageId)) return ['; ', ''];
  if (/^(latex|tex|erlang|matlab|prolog)$/.test(languageId)) return ['% ', ''];
  if (/^(vb|bat)$/.test(languageId)) return [languageId === 'bat' ? 'REM ' : "' ", ''];
  if (/^(plaintext|json|csv)$/.test(languageId)) return ['', ''];
  return ['// ', ''];
}

/** Comment lines in that language, indented like the lines below. */
export function comment(text: string, lines: string[], languageId: string): string[] {
  const [open, close] = commentMarks(languageId);
  const at = indentation(lines);
  return text.split('\n').map((line) => `${at}${open}${line}${close}`);
}
