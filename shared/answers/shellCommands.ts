// Reads the commands of a shell block, for a terminal. A line break in a terminal runs what stands before it, so only a
// single complete line may ever be inserted.

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

/** The longest command that is inserted, in UTF-16 units. */
const MAX_COMMAND = 4_000;

export function readCommands(text: string, language: string): ShellCommands {
  const name = language.toLowerCase();
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  // Some of them end a line, delete one, or complete a word; others can't be seen.
  if (lines.some((line) => /[^\P{C}\t]|[\u2028\u2029]/u.test(line)))
    return { refused: 'The block has control characters or invisible ones, which a terminal might carry out.' };
  const joined = joinContinued(
    withoutPrompts(lines, name),
    CMD.includes(name) ? '^' : POWERSHELL.includes(name) ? '`' : '\\',
  );
  const commands = joined
    .map((line) => line.replaceAll('\t', ' ').trim())
    .filter((line) => line !== '' && !(CMD.includes(name) ? /^(?:rem\s|::)/i : /^#/).test(line));
  if (commands.length === 0) return { refused: 'The block has no command.' };
  if (commands.some((command) => command.length > MAX_COMMAND)) return { refused: 'The block has a very long line.' };
  if (commands.some((command) => isOpen(command)))
    return { refused: 'The lines of this block belong together, and a terminal would run each by itself.' };
  return { commands };
}

const PROMPT = /^\s*(?:[$%]|PS [^>]{0,200}>|[A-Z]:\\[^>]{0,200}>|[\w.-]{1,60}@[\w.-]{1,60}[^$#]{0,200}[$#])\s+/;

function withoutPrompts(lines: string[], language: string): string[] {
  const isCommand = (line: string) => PROMPT.test(line);
  const said = lines.filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  const isSession = SESSIONS.includes(language) ? said.some(isCommand) : said.length > 0 && said.every(isCommand);
  // What a command printed has no prompt.
  return isSession ? lines.filter(isCommand).map((line) => line.replace(PROMPT, '')) : lines;
}

function joinContinued(lines: string[], mark: string): string[] {
  const joined: string[] = [];
  let isContinued = false;
  for (const line of lines) {
    const before = isContinued ? joined.pop()!.slice(0, -1) : '';
    joined.push(before + (isContinued ? line.trimStart() : line));
    const end = line.trimEnd();
    // Two backslashes are one character.
    isContinued = end === line && end.endsWith(mark) && !(mark === '\\' && /(?:^|[^\\])(?:\\\\)+$/.test(end));
  }
  return joined;
}

/** Whether more lines belong to a command: an open quote, bracket, block or here-document. */
function isOpen(command: string): boolean {
  const quotes = command.replace(/\\./g, '').replace(/'[^']*'|"[^"]*"/g, '');
  if (/['"]/.test(quotes) || /<<-?\s*[\w'"\\]/.test(command) || /@['"]$/.test(command)) return true;
  const count = (marks: RegExp) => quotes.match(marks)?.length ?? 0;
  if (count(/[({]/g) !== count(/[)}]/g)) return true;
  if (/(?:[|&\\`^]|\b(?:do|then|else|in))$/.test(quotes)) return !/[^&]&$/.test(quotes);
  const words = quotes.split(/[\s;]+/);
  const begins = words.filter((word) => /^(?:if|for|while|until|case|select)$/.test(word)).length;
  const ends = words.filter((word) => /^(?:fi|done|esac|end)$/.test(word)).length;
  const isBlock = /^(?:if|for|while|until|case|select|do|done|then|else|elif|fi|esac|end|function)\b/.test(quotes);
  return isBlock && (begins !== ends || begins === 0);
}
