import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from '@typescript/typescript6';
import fc from 'fast-check';

// What models, files and strangers write reaches most regular expressions of these folders. V8 backtracks: an expression that
// may split a run of characters in many ways takes time by the square of the run, and a run of 120,000 blanks stops an editor.

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = ['shared', 'extension', 'server/gateway', 'server/risk', 'server/platform/http'];

/** They see nothing longer than what is said here; all of a file, or one of its expressions. */
const BOUNDED: Record<string, string> = {
  'shared/money/amounts.ts': 'the digits of an amount',
  'shared/answers/answerPaths.ts': 'lines of at most MAX_PATH',
  'shared/answers/pathWords.ts': 'lines of at most MAX_PATH',
  'shared/answers/knownPaths.ts': 'lines of at most MAX_PATH',
  'extension/quota/words/format.ts': 'the digits of an amount',
  'extension/account/session/signingKey.ts /=+$/': 'the text of a key',
  'extension/edit/files/filePaths.ts /[. ]+$/': 'a name in a path of at most 1,024',
  'extension/platform/server/serverUrl.ts /\\/+$/': 'an address that the user wrote',
  'extension/edit/words/requestTitle.ts /[\\s,.;:–—-]+$/': 'a title of at most 60',
  'extension/edit/actions/texts/problems.ts /\\s+\\S{0,15}$/': 'a label of a menu',
  'extension/platform/server/backendError.ts /[.\\s]+$/': 'what the editor says of a failed connection',
  'server/gateway/prompt/prompt.ts /\\s+\\S{0,20}$/': 'a title of at most 79',
  'server/gateway/upstreams/openai.ts /\\/+$/': 'an address that the operator wrote',
  'server/gateway/upstreams/native.ts /\\/+$/': 'an address that the operator wrote',
};

interface Expression {
  at: string;
  regex: RegExp;
}

function expressionsOf(path: string, text: string): Expression[] {
  const kind = path.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, kind);
  const found: Expression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const [, source = '', flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(node.text) ?? [];
      const { line } = file.getLineAndCharacterOfPosition(node.getStart());
      found.push({ at: `${path}:${line + 1} ${node.text}`, regex: new RegExp(source, flags.replace('y', '')) });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** Runs that expressions most often give a meaning to. */
const RUNS = [
  ' ',
  '\t',
  '\n',
  'a',
  'A',
  '1',
  '`',
  '*',
  '_',
  '[',
  '(',
  '{',
  '<',
  '>',
  '#',
  '-',
  '=',
  '/',
  '.',
  ',',
  ':',
  '"',
  "'",
  '|',
  '@',
  '$',
  'é',
  'a ',
  '` ',
  'a.',
  'a/',
  '](',
  ' \n',
  'a\n',
  ' /',
];

/** What few expressions can end with. */
const ENDS = ['\u0001\n', '`'];

/** Beginnings of what an expression matches, each followed by a run, and by something that it can't match. */
function* attacksOn({ regex }: Expression): Generator<(length: number) => string> {
  const beginnings = new Set(['']);
  const own = new Set<string>();
  for (const sample of samplesOf(regex)) {
    for (let at = 0; at <= Math.min(sample.length, 24); at++) {
      beginnings.add(sample.slice(0, at));
      if (at > 0) own.add(sample[at - 1]!);
      if (at > 1) own.add(sample.slice(at - 2, at));
    }
  }
  for (const begin of spread(beginnings, 6)) {
    for (const run of new Set([...RUNS, ...spread(own, 6)])) {
      for (const end of ENDS) yield (length) => `${begin}${run.repeat(Math.ceil(length / run.length))}${end}`;
    }
  }
}

/** At most `most` of them, from all over. */
function spread(all: Iterable<string>, most: number): string[] {
  const list = [...all].sort((a, b) => a.length - b.length);
  const step = Math.max(1, list.length / most);
  return Array.from({ length: Math.min(most, list.length) }, (_, at) => list[Math.floor(at * step)]!);
}

function samplesOf(regex: RegExp): string[] {
  // Classes of rare characters make fast-check look for ever.
  if (/\[\^?[^\]]*\\[xupPB]|\\[pPB]|\(\?/.test(regex.source.replaceAll('(?:', '('))) return [];
  try {
    return fc.sample(fc.stringMatching(regex), { numRuns: 3, seed: 7 });
  } catch {
    // fast-check has no strings for some rarer parts.
    return [];
  }
}

function run(regex: RegExp, text: string): void {
  regex.lastIndex = 0;
  if (regex.global) text.replace(regex, '');
  else regex.test(text);
}

/** Microseconds of the processor's time. */
function cost(regex: RegExp, text: string): number {
  const before = process.cpuUsage();
  run(regex, text);
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** Each is four times the one before; an expression of exponential time shows itself at the first. */
const LENGTHS = [24, 96, 384, 1_536, 6_144];
/** A linear expression takes some 50 µs for the longest. */
const SUSPICIOUS_US = 1_500;

/** Whether a run takes much more time than in proportion to a fourth of it; the least of several tries counts. */
function isSlow(regex: RegExp, attack: (length: number) => string): boolean {
  const found = LENGTHS.find((length) => {
    const text = attack(length);
    // A glance at the clock is cheap, and only leads to a measurement.
    const before = performance.now();
    run(regex, text);
    return performance.now() - before >= SUSPICIOUS_US / 1_000 && cost(regex, text) >= SUSPICIOUS_US;
  });
  if (found === undefined) return false;
  const least = (text: string) => Math.min(cost(regex, text), cost(regex, text), cost(regex, text));
  const atFound = least(attack(found));
  return atFound >= SUSPICIOUS_US && atFound > 9 * least(attack(found / 4));
}

function slowOnes(expressions: readonly Expression[]): string[] {
  return expressions
    .filter((expression) => {
      for (const attack of attacksOn(expression)) if (isSlow(expression.regex, attack)) return true;
      return false;
    })
    .map(({ at }) => at);
}

describe('the regular expressions', () => {
  it('take time in proportion to what they read, whatever it is', function () {
    // Seconds of the processor, but many more on a machine that does much else.
    this.timeout(120_000);
    const expressions = FOLDERS.flatMap((folder) =>
      readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.tsx?$/.test(name) && !`${folder}/${name}`.startsWith('server/gateway/upstreams/demo'))
        .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
        .filter((path) => !(path in BOUNDED))
        .flatMap((path) => expressionsOf(path, readFileSync(`${ROOT}${path}`, 'utf8')))
        .filter(({ at }) => !(at.replace(/:\d+ /, ' ') in BOUNDED)),
    );
    const once = [...new Map(expressions.map((each) => [`${each.regex}`, each])).values()];
    assert.ok(once.length > 150, `${once.length} were found`);
    assert.deepEqual(slowOnes(once), []);
  });

  it('would be found out if they did not', () => {
    const bad = ['/\\s+$/', '/^(\\s*)(`{3,})\\s*([^`]*)$/', '/^(?:.*)(?:.*)=$/'].map((source, at) =>
      expressionsOf('x.ts', `const a${at} = ${source};`),
    );
    assert.deepEqual(
      slowOnes(bad.flat()),
      bad.flat().map(({ at }) => at),
    );
    assert.deepEqual(slowOnes(expressionsOf('x.ts', 'const a = /^[^x]*x$/; const b = /^\\s*#/;')), []);
  });
});
