// Declarations that changed, or were added, between two published versions of public packages, each as a chat would show it:
// the whole declaration, and nothing else of the file. `npx tsx test/edit/engine/commits.ts` fetches the packages and writes them anew.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import ts from 'typescript';

/** A package in two versions. `folder`: where its sources are. */
interface Pair {
  name: string;
  from: string;
  to: string;
  folder: string;
  license: string;
}

export interface CommitCase {
  /** Index into `files`. */
  file: number;
  /** Such as `function` or `method of a class`. */
  what: string;
  /** The declaration as the later version has it, with its comment if it has one just above. */
  lines: string[];
  /** Its former lines in the file, `end` not included; undefined where it is new. */
  former?: { start: number; end: number };
  /** Where a new one may stand: before these lines, and nowhere else. */
  gaps?: number[];
}

export interface Commits {
  pairs: Pair[];
  /** `pair`: index into `pairs`. The text is that of the earlier version. */
  files: { pair: number; path: string; text: string }[];
  cases: CommitCase[];
}

const FIXTURE = fileURLToPath(new URL('./fixtures/commits.json.gz', import.meta.url));

export const readCommits = (): Commits => JSON.parse(gunzipSync(readFileSync(FIXTURE)).toString());

const pair = (name: string, from: string, to: string, folder: string): Pair => ({
  name,
  from,
  to,
  folder,
  license: '',
});

const PAIRS = [
  pair('express', '4.17.3', '4.21.0', 'lib'),
  pair('koa', '2.11.0', '2.15.0', 'lib'),
  pair('ws', '7.5.0', '8.18.0', 'lib'),
  pair('axios', '1.2.0', '1.7.0', 'lib'),
  pair('undici', '5.10.0', '5.28.0', 'lib'),
  pair('fastify', '4.0.0', '4.28.0', 'lib'),
  pair('pino', '7.0.0', '9.0.0', 'lib'),
  pair('mocha', '9.0.0', '10.7.0', 'lib'),
  pair('preact', '10.5.0', '10.22.0', 'src'),
  pair('commander', '8.0.0', '12.0.0', 'lib'),
  pair('prom-client', '13.0.0', '15.0.0', 'lib'),
  pair('nodemailer', '6.6.0', '6.9.14', 'lib'),
  pair('semver', '7.3.5', '7.6.0', '.'),
  pair('execa', '5.0.0', '8.0.0', 'lib'),
  pair('rxjs', '7.0.0', '7.8.0', 'src'),
  pair('ajv', '8.0.0', '8.17.1', 'lib'),
  pair('immer', '9.0.0', '10.1.0', 'src'),
  pair('zod', '4.0.0', '4.1.0', 'src'),
  pair('node-gyp', '9.0.0', '10.2.0', 'gyp/pylib/gyp'),
];

const [LEAST_LINES, MOST_LINES] = [15, 420];
/** Of one package, so that none outweighs the others. */
const MOST_CASES = 30;
const MOST_OF_FILE = 4;

/** A declaration in a text, with lines counted from 0. */
interface Found {
  key: string;
  what: string;
  /** With its comment, and without. */
  start: number;
  head: number;
  end: number;
  /** The declarations beside it, and what they stand in. */
  container: Container;
}

interface Container {
  key: string;
  /** Before these lines another declaration may stand. */
  gaps: number[];
}

/** The comments right above line `head`. */
function commentAbove(lines: readonly string[], head: number): number {
  let start = head;
  while (start > 0 && /^\s*(?:\/\/|\/\*|\*|#|@)/.test(lines[start - 1]!)) start--;
  return start;
}

function declarationsIn(path: string, text: string): Found[] {
  const lines = text.split('\n');
  return path.endsWith('.py') ? pythonIn(lines) : scriptIn(path, text, lines);
}

function scriptIn(path: string, text: string, lines: readonly string[]): Found[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: Found[] = [];
  const lineOf = (at: number) => source.getLineAndCharacterOfPosition(at).line;
  const rangeOf = (node: ts.Node) => ({ head: lineOf(node.getStart()), end: lineOf(node.getEnd()) + 1 });
  const gapsOf = (nodes: readonly ts.Node[]) =>
    nodes.flatMap((node) => {
      const { head, end } = rangeOf(node);
      const blanks = lines.slice(end).findIndex((line) => line.trim() !== '');
      const behind = Array.from({ length: Math.max(0, blanks) + 1 }, (_, index) => end + index);
      return [commentAbove(lines, head), ...behind];
    });
  /** Whether the lines of the node hold nothing else. */
  const isAlone = (node: ts.Node) => {
    const { head, end } = rangeOf(node);
    const above = lines[head]!.slice(0, source.getLineAndCharacterOfPosition(node.getStart()).character);
    const below = lines[end - 1]!.slice(source.getLineAndCharacterOfPosition(node.getEnd()).character);
    return above.trim() === '' && /^\s*;?\s*$/.test(below);
  };
  const add = (node: ts.Node, name: string, what: string, container: Container) => {
    const { head, end } = rangeOf(node);
    if (isAlone(node)) {
      found.push({ key: `${container.key}/${name}`, what, start: commentAbove(lines, head), head, end, container });
    }
  };
  const isFunction = (node: ts.Node | undefined) =>
    !!node && (ts.isArrowFunction(node) || ts.isFunctionExpression(node) || ts.isClassExpression(node));
  const top: Container = { key: '', gaps: gapsOf(source.statements) };
  for (const node of source.statements) {
    if (ts.isFunctionDeclaration(node) && node.name && node.body) add(node, node.name.text, 'function', top);
    else if (ts.isClassDeclaration(node) && node.name) {
      add(node, node.name.text, 'class', top);
      const own: Container = { key: node.name.text, gaps: gapsOf(node.members) };
      for (const member of node.members) {
        const name = member.name?.getText() ?? 'constructor';
        const isMethod = (ts.isMethodDeclaration(member) || ts.isConstructorDeclaration(member)) && member.body;
        const isField = ts.isPropertyDeclaration(member) && isFunction(member.initializer);
        const accessor = ts.isGetAccessor(member) ? 'get ' : ts.isSetAccessor(member) ? 'set ' : undefined;
        if (isMethod || isField || accessor) add(member, (accessor ?? '') + name, 'method of a class', own);
      }
    } else if (ts.isInterfaceDeclaration(node)) add(node, node.name.text, 'interface', top);
    else if (ts.isTypeAliasDeclaration(node)) add(node, node.name.text, 'type', top);
    else if (ts.isEnumDeclaration(node)) add(node, node.name.text, 'enum', top);
    else if (ts.isVariableStatement(node)) {
      const [only, ...others] = node.declarationList.declarations;
      if (only && others.length === 0 && isFunction(only.initializer)) {
        add(node, only.name.getText(), 'function in a variable', top);
      }
    } else if (ts.isExpressionStatement(node) && ts.isBinaryExpression(node.expression)) {
      const { left, right } = node.expression;
      if (isFunction(right)) add(node, left.getText(), 'function in a property', top);
    }
  }
  return found;
}

/** Functions, classes and methods by their indentation. */
function pythonIn(lines: readonly string[]): Found[] {
  const found: Found[] = [];
  const width = (line: string) => /^ */.exec(line)![0].length;
  const read = (from: number, to: number, indent: number, key: string) => {
    const container: Container = { key, gaps: [] };
    for (let at = from; at < to; at++) {
      const said = /^ *(def|class) (\w+)/.exec(lines[at]!);
      if (!said || width(lines[at]!) !== indent) continue;
      let end = at + 1;
      // A head of several lines ends with a bracket at the same level.
      while (end < to && (lines[end]!.trim() === '' || width(lines[end]!) > indent || /^ *\)/.test(lines[end]!))) end++;
      while (lines[end - 1]!.trim() === '') end--;
      const start = commentAbove(lines, at);
      const what = said[1] === 'class' ? 'class' : indent > 0 ? 'method of a class' : 'function';
      found.push({ key: `${key}/${said[2]}`, what, start, head: at, end, container });
      const blanks = lines.slice(end).findIndex((line) => line.trim() !== '');
      container.gaps.push(start, ...Array.from({ length: Math.max(0, blanks) + 1 }, (_, index) => end + index));
      if (said[1] === 'class') read(at + 1, end, indent + 4, said[2]!);
    }
  };
  read(0, lines.length, 0, '');
  return found;
}

function casesOf(path: string, before: string, after: string): Omit<CommitCase, 'file'>[] {
  const [old, now] = [declarationsIn(path, before), declarationsIn(path, after)];
  const once = (all: Found[], key: string) => all.filter((each) => each.key === key).length === 1;
  const [oldLines, newLines] = [before.split('\n'), after.split('\n')];
  return now.flatMap((each): Omit<CommitCase, 'file'>[] => {
    const { key, what, container } = each;
    if (!once(now, key) || newLines.slice(each.head, each.end).length > 120) return [];
    const former = old.find((other) => other.key === key);
    if (former) {
      const isCommented = each.start < each.head && former.start < former.head;
      const lines = newLines.slice(isCommented ? each.start : each.head, each.end);
      const start = isCommented ? former.start : former.head;
      const isSame = lines.join('\n') === oldLines.slice(start, former.end).join('\n');
      return isSame || !once(old, key) ? [] : [{ what, lines, former: { start, end: former.end } }];
    }
    const beside = old.find((other) => other.container.key === container.key)?.container;
    if (!beside) return [];
    return [
      { what, lines: newLines.slice(each.start, each.end), gaps: [...new Set(beside.gaps)].sort((a, b) => a - b) },
    ];
  });
}

function sourcesIn(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (at: string) => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const path = join(at, entry.name);
      if (entry.isDirectory() && !/node_modules|test|dist|bundles/.test(entry.name)) walk(path);
      const isSource = /\.(?:[cm]?[jt]sx?|py)$/.test(entry.name) && !/\.d\.ts$|\.min\.|test/.test(entry.name);
      if (!entry.isFile() || !isSource || statSync(path).size > 16_000) continue;
      const text = readFileSync(path, 'utf8');
      const { length } = text.split('\n');
      if (length >= LEAST_LINES && length <= MOST_LINES && !text.includes('\r'))
        found.set(relative(folder, path), text);
    }
  };
  walk(folder);
  return found;
}

function fetchPackage(name: string, version: string, folder: string): string {
  const at = mkdtempSync(join(folder, 'package-'));
  const told = execFileSync('npm', ['pack', '--silent', '--pack-destination', at, `${name}@${version}`], { cwd: at });
  execFileSync('tar', ['-xzf', join(at, told.toString().trim().split('\n').at(-1)!), '-C', at]);
  return join(at, 'package');
}

function build(): Commits {
  const commits: Commits = { pairs: [], files: [], cases: [] };
  const folder = mkdtempSync(join(tmpdir(), 'commits-'));
  try {
    for (const each of PAIRS) {
      const [from, to] = [each.from, each.to].map((version) => fetchPackage(each.name, version, folder));
      const { license } = JSON.parse(readFileSync(join(from!, 'package.json'), 'utf8'));
      const [old, now] = [from, to].map((at) => sourcesIn(join(at!, each.folder)));
      const pairAt = commits.pairs.push({ ...each, license }) - 1;
      let count = 0;
      for (const [path, text] of [...old!].sort()) {
        const after = now!.get(path);
        if (after === undefined || after === text || count >= MOST_CASES) continue;
        const all = casesOf(path, text, after);
        // Some that are new and some that changed, from all parts of the file.
        const fresh = all.filter(({ former }) => !former).slice(0, MOST_OF_FILE / 2);
        const changed = all.filter(({ former }) => former);
        const step = Math.max(1, changed.length / MOST_OF_FILE);
        const some = Array.from(
          { length: Math.min(MOST_OF_FILE, changed.length) },
          (_, i) => changed[Math.floor(i * step)]!,
        );
        if (fresh.length + some.length === 0) continue;
        const file = commits.files.push({ pair: pairAt, path, text }) - 1;
        commits.cases.push(...[...fresh, ...some].map((one) => ({ file, ...one })));
        count += fresh.length + some.length;
      }
      console.log(`${each.name}: ${count} cases`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return commits;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const commits = build();
  writeFileSync(FIXTURE, gzipSync(JSON.stringify(commits), { level: 9 }));
  console.log(`${commits.files.length} files, ${commits.cases.length} cases`);
}
