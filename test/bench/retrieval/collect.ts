// `npx tsx test/bench/retrieval/collect.ts PACKAGE CHANGELOG.md ADDRESS`: makes questions of a package's changelog. Only
// releases with exactly one entry count: there, the files that differ between the package as published before and after
// are the files that the entry is about. It looks at no ranking. The result is printed as JSON; questions.json has it.
import { readFile } from 'node:fs/promises';
import { type Published, publishedFiles } from './packages.ts';
import type { Question } from './questions.ts';

/** The newest published releases of a package that are taken. */
const MOST = 24;
/** A change of more files is no answer to one question. */
const MOST_FILES = 6;

interface Entry {
  version: string;
  before: string;
  text: string;
}

/** The releases of a changelog that have one entry, newest first. */
function entriesOf(changelog: string): Entry[] {
  const parts = changelog.split(/^#{1,3} +\[?v?(\d+\.\d+\.\d+)(?=[\]\s(]|$)[^\n]*$/m);
  const sections: { version: string; body: string }[] = [];
  for (let at = 1; at + 1 < parts.length; at += 2) sections.push({ version: parts[at]!, body: parts[at + 1]! });
  return sections.flatMap(({ version, body }, at) => {
    const bullets = body.split('\n').filter((line) => /^[-*] \S/.test(line));
    const before = sections[at + 1]?.version;
    const text = bullets.length === 1 ? cleaned(bullets[0]!) : '';
    return before && text !== '' ? [{ version, before, text }] : [];
  });
}

/** An entry without its numbers, hashes, names and the word for its kind. */
const cleaned = (line: string) =>
  line
    .replace(/^[-*] /, '')
    .replace(/\(\[?[^()]*\]?\((?:https?:[^()]*)\)\)/g, '')
    .replace(/^(?:\[[^\]]*\]\([^)]*\)\s*|Thanks\s+|!\s*|-\s+)+/, '')
    .replace(/\[([^\]]*)\]\(https?:[^)]*\)/g, '$1')
    .replaceAll('**', '')
    .replace(/^(?:fix|feat|chore|perf|docs|breaking|refactor)(?:\([^)]*\))?: /i, '')
    .replace(/\s+/g, ' ')
    .trim();

function changedFiles(before: Published, after: Published): string[] {
  return [...before].filter(([path, text]) => after.get(path) !== text).map(([path]) => path);
}

async function main([name, file, address]: string[]): Promise<void> {
  if (!name || !file || !address) throw new Error('PACKAGE CHANGELOG.md ADDRESS');
  const entries = entriesOf(await readFile(file, 'utf8'));
  const changes = [];
  for (const entry of entries) {
    if (changes.length === MOST) break;
    try {
      const files = changedFiles(await publishedFiles(name, entry.before), await publishedFiles(name, entry.version));
      changes.push({ entry, files });
    } catch {
      console.error(`left out: ${entry.version}, for it or the release before is not published`);
    }
  }
  const base = changes.at(-1)!.entry.before;
  const known = await publishedFiles(name, base);
  const counts = new Map<string, number>();
  for (const path of changes.flatMap(({ files }) => files)) counts.set(path, (counts.get(path) ?? 0) + 1);
  // A file that almost every release changes holds the version's number.
  const isStamp = (path: string) => counts.get(path)! > changes.length * 0.7;
  const questions = changes.flatMap(({ entry, files }): Question[] => {
    const touched = files.filter((path) => !isStamp(path));
    const there = touched.filter((path) => known.has(path));
    if (touched.length > MOST_FILES || there.length === 0) {
      console.error(
        `left out: ${entry.version}, touched ${touched.length}, of them at the start ${there.length}: ${entry.text}`,
      );
      return [];
    }
    return [
      { package: name, base, version: entry.version, text: entry.text, files: there, held: true, source: address },
    ];
  });
  console.log(JSON.stringify(questions, null, 2));
}

await main(process.argv.slice(2));
