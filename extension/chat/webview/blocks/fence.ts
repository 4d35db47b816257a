import { type Named, readFenced, speaksOfFiles } from '../../../../shared/answers/answerPaths.ts';

/** The result of reading a code block's info string and the prose before it. */
export interface FenceInfo {
  /** As written: "ts", "" when none. */
  language: string;
  /** The path of a file, if one is named. */
  file?: string;
  /** Files are mentioned, but not clearly for this block: the user must choose. */
  isUnclear?: true;
}

/** The context above a code block. `followsFile`: earlier code names a file. */
export interface Above {
  prose: string;
  followsFile?: boolean;
}

/**
 * Reads a fence's language and file. Models name the file in many ways: "ts src/a.ts", "ts:src/a.ts", `ts
 * title="src/a.ts"`, "src/a.ts", or in the line before the fence as "**src/a.ts**:", "`src/a.ts`", "File: src/a.ts", or
 * in a heading above other words.
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
  // A name with a dot may be a language or a path; a single letter may be a drive.
  const isPath = path.startsWith(first) && (first.includes('.') || path.startsWith(`${first}:`));
  const isLanguage = /^[a-z][\w+#.-]*$/i.test(first) && !isPath;
  // Without a language, use the path's extension.
  return (isLanguage ? first : (/\.(\w+)$/.exec(path)?.[1] ?? '')).toLowerCase();
}

/**
 * The context of all code within a list or a quote: its text only tells whether files are mentioned. It is read once,
 * and only if it has code.
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

/** The editor's language id for a fence's language; undefined if the fence has none. */
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
