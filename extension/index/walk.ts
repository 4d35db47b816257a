import { type IgnoreFile, isIgnored, readIgnoreFile } from '../platform/secrecy/ignoreFiles.ts';
import type { Names, Root } from './roots.ts';
import type { Slices } from './slices.ts';

/** How much of a workspace is looked at. */
export const WALK = { mostEntries: 200_000, deepest: 40 };

/** Folders of tools and of other people's code. */
const NEVER = new Set(
  [
    '.git .hg .svn .jj node_modules bower_components jspm_packages __pycache__ .venv .tox .mypy_cache .pytest_cache .yarn',
    '.next .nuxt .svelte-kit .turbo .gradle .terraform .vscode-test .idea .cache DerivedData',
  ]
    .join(' ')
    .split(' '),
);

/** Files without text that somebody wrote. */
const NOT_READ =
  /\.(?:png|jpe?g|gif|webp|avif|bmp|ico|icns|svg|psd|pdf|zip|gz|tgz|bz2|xz|zst|7z|rar|jar|war|class|o|a|so|dylib|dll|exe|bin|dat|db|sqlite3?|wasm|woff2?|ttf|otf|eot|mp[34]|m4a|wav|ogg|webm|mov|avi|pyc|map|min\.js|min\.css|snap|lock|log|vsix|node|onnx|pt|parquet|csv|tsv)$|^(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|go\.sum|\.[a-z]*ignore)$/i;

/** Whether nothing at this path is ever read, whatever the workspace says. */
export const isNeverRead = (names: Names) => names.slice(0, -1).some((name) => NEVER.has(name));

export interface WalkedFile {
  root: Root;
  names: Names;
}

/** What a walk has done so far. */
export interface Walk {
  entries: number;
  /** The limits ended it before all was seen. */
  isCutShort: boolean;
}

interface Folder {
  names: Names;
  rules: readonly (IgnoreFile | undefined)[];
}

/**
 * The files of a folder that may be read unasked: none that is secret, ignored, excluded or reached through a link. The
 * upper folders come first, so that a limit leaves out the deep ones.
 */
export async function* walk(root: Root, slices: Slices, walked: Walk, from?: Names): AsyncGenerator<WalkedFile> {
  const above = await root.above();
  const start: Folder = {
    names: [],
    rules: above.rules.map((text) => (text === undefined ? text : readIgnoreFile(text))),
  };
  const first = from ? await enter(root, above.names, start, from) : start;
  const queue: Folder[] = first ? [first] : [];
  for (let at = 0; at < queue.length; at++) {
    const folder = queue[at]!;
    queue[at] = undefined as never;
    // A folder may vanish, or be closed to us.
    const entries = await root.entries(folder.names).catch(() => []);
    const rules = await rulesWith(root, folder, entries);
    if (!rules) continue;
    for (const [name, kind] of entries.sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (++walked.entries > WALK.mostEntries) {
        walked.isCutShort = true;
        return;
      }
      await slices.breathe();
      const names = [...folder.names, name];
      if (kind === 'folder') {
        if (names.length > WALK.deepest || !(await isOpen(root, above.names, names, rules, true))) continue;
        queue.push({ names, rules });
      } else if (kind === 'file' && (await isOpen(root, above.names, names, rules, false))) yield { root, names };
    }
  }
}

/** Whether a single file may be read unasked. It reads every folder on the way. */
export async function mayRead(root: Root, names: Names): Promise<boolean> {
  const above = await root.above();
  const start = { names: [], rules: above.rules.map((text) => (text === undefined ? text : readIgnoreFile(text))) };
  const folder = await enter(root, above.names, start, names.slice(0, -1));
  if (!folder) return false;
  const entries = await root.entries(folder.names).catch(() => []);
  if (!entries.some(([name, kind]) => name === names.at(-1) && kind === 'file')) return false;
  const rules = await rulesWith(root, folder, entries);
  return rules !== undefined && isOpen(root, above.names, names, rules, false);
}

/** Goes down to a folder; undefined if one on the way is left out or a link. */
async function enter(root: Root, above: Names, start: Folder, names: Names): Promise<Folder | undefined> {
  let folder = start;
  for (const [depth, name] of names.entries()) {
    const entries = await root.entries(folder.names).catch(() => []);
    if (!entries.some(([entry, kind]) => entry === name && kind === 'folder')) return undefined;
    const rules = await rulesWith(root, folder, entries);
    if (!rules) return undefined;
    const next = names.slice(0, depth + 1);
    if (!(await isOpen(root, above, next, rules, true))) return undefined;
    folder = { names: next, rules };
  }
  return folder;
}

async function isOpen(
  root: Root,
  above: Names,
  names: Names,
  rules: Folder['rules'],
  isFolder: boolean,
): Promise<boolean> {
  const name = names.at(-1)!;
  if (isFolder ? NEVER.has(name) : NOT_READ.test(name) || root.holdsSecrets(names)) return false;
  if (isIgnored([...above, ...names], rules, isFolder)) return false;
  return !(await root.isExcluded(names));
}

const IGNORE_FILES = new Set(['.git', '.gitignore', '.ignore']);

/** With the rules of the folder itself; undefined if they can't be read, and so what it leaves out is unknown. */
async function rulesWith(
  root: Root,
  folder: Folder,
  entries: readonly [string, unknown][],
): Promise<Folder['rules'] | undefined> {
  if (!entries.some(([name]) => IGNORE_FILES.has(name))) return [...folder.rules, undefined];
  try {
    const text = await root.ignoreFile(folder.names);
    return [...folder.rules, text === undefined ? undefined : readIgnoreFile(text)];
  } catch {
    return undefined;
  }
}
