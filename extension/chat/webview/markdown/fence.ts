import { pathAbove, pathOfLine, pathsIn } from '../../../../shared/answerPaths.ts';

/** What a code block's info string and the prose before it tell. */
export interface FenceInfo {
  /** As written: "ts", "" when none. */
  language: string;
  /** A file's path, when one is named. */
  file?: string;
  /** Files are named, but not surely for this block: the user must say which it is. */
  isUnclear?: true;
}

const PATH = /^(?:[\w@.+-]+[\\/])*[\w@+-]*[\w@+-]*\.[A-Za-z][\w-]{0,9}$|^(?:[\w@.+-]+\/)*(?:Dockerfile|Makefile)$/;

const ATTRIBUTE = /(\w+)=(?:"([^"]*)"|'([^']*)'|([^\s}]*))/g;

/**
 * Models name the file in many ways: "ts src/a.ts", "ts:src/a.ts", `ts title="src/a.ts"`, "src/a.ts", or in the line
 * before the fence as "**src/a.ts**:", "`src/a.ts`", "File: src/a.ts", or in a heading above other words.
 * `followsFile`: code before it is for a file.
 */
export function readFence(info: string, above: { prose: string; followsFile?: boolean }): FenceInfo {
  const [first = '', ...rest] = info.replace(ATTRIBUTE, '').trim().split(/\s+/);
  const [head = '', ...colon] = first.split(':');
  const named = [...info.matchAll(ATTRIBUTE)].find((a) => /^(?:title|file(?:name)?|path)$/.test(a[1]!));
  const candidates = [
    named?.[2] ?? named?.[3] ?? named?.[4],
    colon.join(':'),
    ...rest.map((r) => r.replace(/^[("'[]|[)"'\]]$/g, '')),
    head,
  ];
  const inInfo = candidates.find((c): c is string => !!c && PATH.test(c));
  const language = inInfo === head ? (/\.(\w+)$/.exec(head)?.[1] ?? '') : head.replace(/^\{|\}$/g, '');
  const file = inInfo ?? fileInProse(above.prose);
  const told = file === undefined && above.followsFile ? null : file;
  const shown = { language: language.toLowerCase() };
  if (told === undefined) return shown;
  return told === null ? { ...shown, isUnclear: true } : { ...shown, file: told };
}

/** The file that prose names for the code after it; null where it is left open which. */
function fileInProse(prose: string): string | null | undefined {
  const lines = prose.split('\n').filter((line) => line.trim() !== '');
  const nearest = lines.at(-1) ?? '';
  const bare = bareFile(nearest);
  if (bare !== undefined) return bare;
  const told = pathAbove(lines);
  // Marked changes show themselves whether their file is the one that a sentence speaks of; code does not.
  const isSure = LEADS_OVER.test(nearest) || lines.some((line) => pathOfLine(line) === told);
  return told === undefined || isSure ? told : null;
}

/** What is above code that stands within a list or a quote: its own words tell only whether files are spoken of. */
export function aboveInner(text: string): { prose: string; followsFile: boolean } {
  const speaksOfFile = text.split('\n').some((line) => pathsIn(line).length > 0 || bareFile(line) !== undefined);
  return { prose: '', followsFile: speaksOfFile };
}

/** The file that a line of prose names for the code after it. */
export function fileInLine(line: string): string | undefined {
  const bare = bareFile(line);
  if (bare !== undefined) return bare;
  // "In `src/a.ts`:" and the like: one path in backticks, and the line leads over to the code.
  const quoted = [...line.matchAll(/`([^`]+)`/g)].map((m) => m[1]!).filter((q) => PATH.test(q));
  return quoted.length === 1 && LEADS_OVER.test(line) ? quoted[0] : undefined;
}

const LEADS_OVER = /[:：]\s*$/;

/** The file that a line consists of, but for marks and a word such as "Update". */
function bareFile(line: string): string | undefined {
  const bare = line
    .trim()
    .replace(/^(?:#{1,6}\s+|[-*]\s+|\d+\.\s+)/, '')
    .replace(/^(?:\*\*)?(?:file(?:name)?|path|in|update|create|edit)\b:?(?:\*\*)?:?\s+/i, '')
    .replace(/[:：]\s*$/, '')
    .replace(/^[*_`]+|[*_`]+$/g, '')
    .replace(/[:：]\s*$/, '');
  return PATH.test(bare) ? bare : undefined;
}

/** The editor's language id for what a fence says; undefined when the fence says nothing. */
export function languageIdOf(language: string): string | undefined {
  return LANGUAGE_IDS[language] ?? (language || undefined);
}

const LANGUAGE_IDS: Record<string, string> = {
  ts: 'typescript',
  tsx: 'typescriptreact',
  js: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  jsx: 'javascriptreact',
  py: 'python',
  rb: 'ruby',
  rs: 'rust',
  cs: 'csharp',
  'c++': 'cpp',
  h: 'c',
  hpp: 'cpp',
  kt: 'kotlin',
  sh: 'shellscript',
  bash: 'shellscript',
  zsh: 'shellscript',
  shell: 'shellscript',
  console: 'shellscript',
  ps1: 'powershell',
  yml: 'yaml',
  md: 'markdown',
  golang: 'go',
  docker: 'dockerfile',
  make: 'makefile',
  text: 'plaintext',
  txt: 'plaintext',
};
