import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root as ROOT } from '../editor/fetch.ts';

export interface SourceFile {
  path: string;
  text: string;
}

export interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
}

/** Every source file below these folders, by its path from the root. */
export function sources(tops: readonly string[]): SourceFile[] {
  return tops.flatMap((top) =>
    readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => {
        const path = join(top, name).replaceAll('\\', '/');
        return { path, text: readFileSync(join(ROOT, path), 'utf8') };
      }),
  );
}

/** The imports of a file, types included: packages by name, our own files by path from the root. */
export function importsOf({ path, text }: SourceFile): Import[] {
  const found: Import[] = [];
  // A comment between the names of an import may have quotes of its own.
  const bare = text.replace(/(^|[\s,{])\/\/.*$/gm, '$1');
  const statement = /(?:^|[\n;])\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?from\s*)?['"]([^'"]+)['"]/g;
  for (const [, type, to] of bare.matchAll(statement)) found.push({ from: path, to: to!, typeOnly: Boolean(type) });
  for (const [, to] of bare.matchAll(/\bimport\(\s*['"`]([^'"`]+)['"`]/g))
    found.push({ from: path, to: to!, typeOnly: false });
  return found.map((i) => ({
    ...i,
    to: i.to.startsWith('.') ? relative(ROOT, join(ROOT, dirname(path), i.to)) : i.to,
  }));
}
