import { type Named, readFenced, speaksOfFiles } from '../../../../shared/answers/answerPaths.ts';

/** What a code block's info string and the prose before it tell. */
export interface FenceInfo {
  /** As written: "ts", "" when none. */
  language: string;
  /** A file's path, when one is named. */
  file?: string;
  /** Files are spoken of, but not surely for this block: the user must say which it is. */
  isUnclear?: true;
}

/** What stands above a code block. `followsFile`: code before it is for a file. */
export interface Above {
  prose: string;
  followsFile?: boolean;
}

/**
 * Models name the file in many ways: "ts src/a.ts", "ts:src/a.ts", `ts title="src/a.ts"`, "src/a.ts", or in the line
 * before the fence as "**src/a.ts**:", "`src/a.ts`", "File: src/a.ts", or in a heading above other words.
 */
export function readFence(info: string, { prose, followsFile }: Above): FenceInfo {
  const said = readFenced(info, prose);
  const language = languageOf(info, said);
  switch (said.kind) {
    case 'named':
      return { language, file: said.path };
    case 'unreadable':
      return { language, isUnclear: true };
    case 'none':
      return followsFile ? { language, isUnclear: true } : { language };
    default:
      return said satisfies never;
  }
}

function languageOf(info: string, said: Named): string {
  const path = said.kind === 'named' ? said.path : '';
  const [first = ''] = info
    .trim()
    .replace(/^\{\.?/, '')
    .split(/[\s:}]/, 1);
  // A name with a dot may be either; a single letter may be a drive.
  const isPath = path.startsWith(first) && (first.includes('.') || path.startsWith(`${first}:`));
  const isLanguage = /^[a-z][\w+#.-]*$/i.test(first) && !isPath;
  // Where no language is said, the path's ending tells it.
  return (isLanguage ? first : (/\.(\w+)$/.exec(path)?.[1] ?? '')).toLowerCase();
}

/**
 * What is above all code that stands within a list or a quote: its own words tell only whether files are spoken of. They are
 * read once, and only where some code asks.
 */
export function aboveInner(text: string): Required<Above> {
  let speaks: boolean | undefined;
  return {
    prose: '',
    get followsFile() {
      speaks ??= speaksOfFiles(text);
      return speaks;
    },
  };
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
