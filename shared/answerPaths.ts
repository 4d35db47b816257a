// Where models name the file that a code block is for: the chat shows it, the edit engine goes by it.

const WRAPPED =
  /^[\s>]*(?:[-*+]\s+|\d+[.)]\s+|#{1,6}\s+)?(?:\*\*|__)?(?:(?:file(?:name)?|path)\s*[:=]\s*)?(?:\*\*|__)?\s*/i;
const PATH_CHARACTERS = /^[^\s`'"<>|?*:;,(){}=]+$/;
const EXTENSION = /\.[\p{L}\p{N}_+-]{1,16}$/u;
const NAMES_WITHOUT_EXTENSION =
  /(?:^|\/)(?:Makefile|Dockerfile|LICENSE|README|CHANGELOG|Gemfile|Rakefile|Procfile|\.[\w.-]+)$/;

/** All of a line, with a folder: a path without an extension as well. */
const BARE_PATH = /^[\w.@~-]+(?:\/[\w.@~-]+)+$/;

/** Whether `text`, all of it, can be nothing but a file's path. */
function isPath(text: string): boolean {
  if (!PATH_CHARACTERS.test(text.replace(/^[A-Za-z]:(?=[\\/])/, '')) || text.endsWith('/') || /^\w+:\/\//.test(text))
    return false;
  if (/^[\d.]+$/.test(text)) return false;
  return EXTENSION.test(text) || NAMES_WITHOUT_EXTENSION.test(text);
}

/** The path that a line consists of, in whatever marks it stands: `**src/a.ts**:`, `### File: src/a.ts`. */
export function pathOfLine(line: string): string | undefined {
  const bare = line
    .trim()
    .replace(/^(?:\/\/|#(?!#)|--|\/\*|<!--)\s*/, '')
    .replace(/\s*(?:\*\/|-->)$/, '')
    .replace(WRAPPED, '')
    .replace(/[\s:*_]+$/, '')
    .replace(/^`+|`+$/g, '')
    .replace(/[\s:]+$/, '')
    .replace(/^["'(]|["')]$/g, '');
  return isPath(bare) || BARE_PATH.test(bare) ? bare : undefined;
}

/** The paths that a line of prose mentions. */
export function pathsIn(line: string): string[] {
  const quoted = [...line.matchAll(/`([^`]+)`/g)].map(([, text]) => text!);
  const words = line
    .replace(/`[^`]*`/g, ' ')
    .split(/[\s()"'*]+/)
    .map((word) => word.replace(/[.,:;!?]+$/, ''));
  // A word of prose is a path only when it has a folder; names like e.g. or Node.js have none.
  return [...quoted.filter(isPath), ...words.filter((word) => word.includes('/') && isPath(word))];
}

/** The path in a fence's info string: `ts src/a.ts`, `ts:src/a.ts`, `ts title="src/a.ts"`, `src/a.ts`. */
export function pathOfInfo(info: string): string | undefined {
  const named = /\b(?:title|file|filename|path|filepath|name)\s*[=:]\s*(?:"([^"]+)"|'([^']+)'|([^\s}]+))/i.exec(info);
  const attribute = named && (named[1] ?? named[2] ?? named[3]);
  if (attribute !== null && attribute !== undefined) return isPath(attribute) ? attribute : undefined;
  const [, language, rest] = /^([\w+#-]*):(\S+)$/.exec(info.trim()) ?? [];
  if (language !== undefined && rest !== undefined && isPath(rest)) return rest;
  // Line numbers, as some models put behind the path, are no part of it.
  const paths = info
    .trim()
    .split(/\s+/)
    .map((word) => word.replace(/[#:]L?\d+(?:-L?\d+)?$/, ''))
    .filter(isPath);
  return paths.length === 1 ? paths[0] : undefined;
}

/** The path that has a line of its own, above other words; null where several have. */
function headingPath(prose: readonly string[]): string | null | undefined {
  const lines = prose.filter((line) => pathOfLine(line) !== undefined);
  const last = lines.at(-1);
  if (last === undefined) return undefined;
  const path = pathOfLine(last);
  return /^\s*#/.test(last) || lines.every((line) => pathOfLine(line) === path) ? path : null;
}

/**
 * The file that the prose above a block names for it, else `known`, that of the blocks before. Undefined where nothing
 * names one, null where it is left open which is meant.
 */
export function pathAbove(prose: readonly string[], known?: string): string | null | undefined {
  const nearest = prose.findLast((line) => line.trim() !== '') ?? '';
  const own = pathOfLine(nearest);
  if (own !== undefined) return own;
  const heading = headingPath(prose);
  if (heading === null) return null;
  const current = heading ?? known;
  const mentioned = new Set(pathsIn(nearest));
  if (mentioned.size === 0 && current !== undefined && announcesOther(nearest, current)) return null;
  if (mentioned.size === 0 || (current !== undefined && mentioned.size === 1 && mentioned.has(current))) return current;
  const [only] = mentioned;
  // What a sentence speaks of is meant when it leads to nothing else.
  const isAnnounced = current === undefined || (heading === undefined && /\.\w+[`'"*)]*:[\s*_]*$|^\s*#/.test(nearest));
  return mentioned.size === 1 && isAnnounced ? only! : null;
}

/** Whether a line such as "And in b.ts:" ends with a name that is not the file's: without a folder it names no file surely. */
function announcesOther(line: string, known: string): boolean {
  const [, name] = /([^\s`'"()*/\\]+\.[A-Za-z]\w{0,9})[`'"*)]*\s*:[\s*_]*$/.exec(line) ?? [];
  return name !== undefined && name !== known.slice(Math.max(known.lastIndexOf('/'), known.lastIndexOf('\\')) + 1);
}
