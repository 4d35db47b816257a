// Reads the commands of a shell block, for a terminal. A line break in a terminal runs what stands before it, so only a
// single complete line may ever be inserted.

import { showInvisible } from './invisible.ts';

const POSIX = ['sh', 'bash', 'zsh', 'fish', 'shell', 'shellscript'];
/** Blocks that show a session: commands behind a prompt, and what they print. */
const SESSIONS = ['console', 'shellsession', 'shell-session', 'sh-session', 'terminal'];
const POWERSHELL = ['powershell', 'pwsh', 'ps1'];
const CMD = ['cmd', 'bat', 'batch'];

/** Whether a code block with this language is for a terminal. */
export const isForTerminal = (language: string) =>
  [POSIX, SESSIONS, POWERSHELL, CMD].some((names) => names.includes(language.toLowerCase()));

/** Complete commands, each on one line; or why none can be inserted, in a sentence. */
export type ShellCommands = { commands: string[] } | { refused: string };

/** The longest command that is inserted, in UTF-16 units, and the most commands that one can choose from. */
const MAX_COMMAND = 4_000;
const MOST_COMMANDS = 50;

export function readCommands(text: string, language: string): ShellCommands {
  const name = language.toLowerCase();
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  // Some of them end a line, delete one, or complete a word; others can't be seen, or look like a space and are none.
  if (lines.some((line) => /[^\P{C}\t]|[^\S \t]|\u2800/u.test(line) || showInvisible(line) !== line))
    return { refused: 'The block has control characters or invisible ones, which a terminal might carry out.' };
  const mark = CMD.includes(name) ? '^' : POWERSHELL.includes(name) ? '`' : '\\';
  const commands = joinContinued(withoutPrompts(lines, name), mark)
    .map((line) => line.replaceAll('\t', ' ').trim())
    .filter((line) => line !== '' && !(mark === '^' ? /^(?:rem\s|::)/i : /^#/).test(line));
  if (commands.length === 0) return { refused: 'The block has no command.' };
  if (commands.length > MOST_COMMANDS) return { refused: `The block has more than ${MOST_COMMANDS} commands.` };
  if (commands.some((command) => command.length > MAX_COMMAND)) return { refused: 'The block has a very long line.' };
  if (commands.some((command) => isOpen(command, mark)))
    return { refused: 'The lines of this block belong together, and a terminal would run each by itself.' };
  return { commands };
}

const PROMPT = /^\s*(?:\$|PS [^>]{0,200}>)\s+/;
/** Of cmd: a folder, and neither a program nor its arguments, whose output goes into a file. */
const FOLDER = /^[A-Z]:\\(?![^>]{0,200}\.(?:exe|com|bat|cmd|ps1)\b)(?:[^<>|"]{0,200}[^\s<>|"])?>\s*(?=\S)/;
const USER = /^\s*(?:%|\[?[\w.-]{1,60}@[\w.-]{1,60}(?:[^$#]{0,200}[:~/\w\])])?[$#])\s+/;

/** Takes prompts away, those of each language alone: elsewhere the same characters are a part of the command. */
function withoutPrompts(lines: string[], language: string): string[] {
  const shows = SESSIONS.includes(language);
  const prompts = shows ? [PROMPT, FOLDER, USER] : POSIX.includes(language) ? [PROMPT] : [PROMPT, FOLDER];
  const promptOf = (line: string) => prompts.find((prompt) => prompt.test(line));
  const said = lines.filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  const isSession = shows ? said.some(promptOf) : said.length > 0 && said.every(promptOf);
  // What a command printed has no prompt.
  return isSession ? lines.filter(promptOf).map((line) => line.replace(promptOf(line)!, '')) : lines;
}

/** As the shell joins them, so that what is inserted is what it would have run. */
function joinContinued(lines: string[], mark: string): string[] {
  const joined: string[] = [];
  let isContinued = false;
  for (const line of lines) {
    const whole: string = (isContinued ? joined.pop()!.slice(0, -1) : '') + line;
    joined.push(whole);
    const end: string = whole.length > MAX_COMMAND ? '' : unquoted(whole, mark);
    // PowerShell continues between words alone; the other shells in a word too, and POSIX ones in double quotes.
    isContinued = mark === '`' ? /\s`$/.test(end) : end.endsWith(mark) || (mark === '\\' && end.endsWith('\\"'));
  }
  return joined;
}

/**
 * What stands outside of quotes and comments, without escaped characters. A quote that is still open stands at the end,
 * behind the mark of a continued line, if there is one.
 */
function unquoted(command: string, mark: string): string {
  let rest = '';
  let quote = '';
  for (let at = 0; at < command.length; at++) {
    const char = command[at]!;
    if (char === mark && quote !== "'" && !(mark === '^' && quote)) {
      at++;
      if (at === command.length) rest += mark;
    } else if (quote) {
      if (char === quote) quote = '';
    } else if (char === '"' || (char === "'" && mark !== '^')) quote = char;
    else if (char === '#' && mark !== '^' && /^$|\s$/.test(command.slice(Math.max(0, at - 1), at))) break;
    else rest += char;
  }
  return rest + quote;
}

/** Whether more lines belong to a command: an open quote, bracket, block or here-document. */
function isOpen(command: string, mark: string): boolean {
  const bare = unquoted(command, mark).trim();
  if (/['"]$/.test(bare) || bare.endsWith(mark) || /(?<!<)<<(?!<)/.test(bare)) return true;
  const count = (char: string) => bare.split(char).length - 1;
  if (['()', '{}', '[]'].some((pair) => count(pair[0]!) !== count(pair[1]!))) return true;
  if (mark === '\\' && count('`') % 2 === 1) return true;
  if (/(?:\||&&|\|&|;\s*(?:do|then|else))$/.test(bare)) return true;
  const words = bare.split(/[\s;]+/);
  const begins = words.filter((word) => /^(?:if|for|while|until|case|select)$/.test(word)).length;
  const ends = words.filter((word) => /^(?:fi|done|esac|end)$/.test(word)).length;
  const isBlock = /^(?:if|for|while|until|case|select|do|done|then|else|elif|fi|esac|end|function)\b/.test(bare);
  return isBlock && (begins !== ends || begins === 0);
}
