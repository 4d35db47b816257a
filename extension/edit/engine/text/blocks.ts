// What a line's indentation and first words tell about code in almost any language.
import { composed, indentOf, isBlank, NOT_ASCII } from './loose.ts';

const CLOSER = /^\s*(?:[}\])]|end\b|<\/)/;
const OPENER = /(?:[{([:]|=>|\bdo|\bthen)\s*$/;
const CONTINUES = /^\s*(?:else|elif|except|finally|catch|rescue|ensure|when|\{)(?:\W|$)/;

/** A continuation line of an expression whose bracket is closed. */
const GOES_ON = /^\s+[?:|&.=+]/;

export interface Block {
  /** The line after the block's last one. */
  end: number;
  /** The last line closes it with a bracket or a word. */
  isClosed: boolean;
}

/** The width of the line's indentation; a tab counts as four. */
export const widthOf = (line: string) => indentOf(line).replaceAll('\t', '    ').length;

/** The block whose head is line `head`; undefined if no line below belongs to it. */
export function blockAt(lines: readonly string[], head: number): Block | undefined {
  const width = widthOf(lines[head]!);
  // Type parameters, each on a line of its own.
  const isTyped = lines[head]!.endsWith('<');
  const closes = (text: string) => (isTyped ? /^\s*[>)]/.test(text) : CLOSER.test(text) && OPENER.test(lines[head]!));
  let end = head + 1;
  for (let line = head + 1; line < lines.length; line++) {
    const text = lines[line]!;
    if (isBlank(text)) continue;
    const own = widthOf(text);
    if (own === width && closes(text)) {
      end = line + 1;
      if (!OPENER.test(text) && !GOES_ON.test(lines[end] ?? '')) return { end, isClosed: true };
    } else if (own > width || (own === width && CONTINUES.test(text))) end = line + 1;
    else break;
  }
  return end === head + 1 ? undefined : { end, isClosed: false };
}

/** The brackets that `lines` open, minus those that they close. */
export function depthOf(lines: readonly string[]): number {
  let depth = 0;
  for (const line of lines) {
    for (const bracket of line.match(/[^\w\s]/g) ?? []) {
      if ('([{'.includes(bracket)) depth++;
      else if (')]}'.includes(bracket)) depth--;
    }
  }
  return depth;
}

export const opensBlock = (line: string) => OPENER.test(line);

export const closesBlock = (line: string) => CLOSER.test(line);

/**
 * Matches names in any script, for a `pattern` whose names are classes with `\w`. Letters are composed, because a file and
 * a model may write one name in different Unicode forms. The wider pattern takes longer, and few lines need it.
 */
function inAnyScript(pattern: RegExp): (line: string) => RegExpExecArray | null {
  // Persian and Indic names may contain the two joiners.
  const wide = new RegExp(pattern.source.replaceAll('\\w', '\\p{ID_Continue}\\u200C\\u200D'), 'u');
  return (line) => (NOT_ASCII.test(line) ? wide.exec(composed(line)) : pattern.exec(line));
}

/** Modifiers such as `export` or `public`, before the keyword of the declaration. */
const WORDS = '(?:[a-z]+(?:\\([^)]*\\))?\\s+)*?';
const NAMED = inAnyScript(
  new RegExp(
    `^${WORDS}(function\\*?|class|interface|type|enum|struct|union|impl|trait|def|fn|fun|func|sub|module|namespace|object|record|protocol|extension)\\s+(?:\\([^)]*\\)\\s*)?([\\w$.:!?]+)`,
  ),
);
const ASSIGNED = inAnyScript(
  new RegExp(
    `^${WORDS}(?:const|let|var|val)\\s+([\\w$]+)\\s*(?::(?:[^=]|=>)+?)?=(?!>)\\s*(?:[a-z]+\\s+)?(?:(?:function|class)(?![\\w$])|\\([^)]*\\)[^=]*=>|[\\w$]+\\s*=>)`,
  ),
);
/** Includes the types that some languages put before the name or after the parameters. */
const METHOD = inAnyScript(
  /^(?:[\w<>[\],.?*&:]+\s+)*([\w$#]+|\[[\w$.]+\])\s*(?:<[^>]*>)?\([^;]*\)(?:\s*:\s*[^=;]+|\s+[\w., ]+)?\s*\{(?:.*\})?$/,
);
/** A function or class as a property, or as a class field. */
const PROPERTY = inAnyScript(
  new RegExp(
    `^(?:((?:[\\w$]+\\.)+[\\w$]+)\\s*|${WORDS}([\\w$#]+)\\s*(?::[^=]+)?)=\\s*(?:[a-z]+\\s+)?(?:(?:function|class)(?![\\w$])|\\([^)]*\\)[^=]*=>|[\\w$]+\\s*=>)`,
  ),
);
const IMPORT = inAnyScript(
  /^(?:import\b.*?["']([^"']+)["']|from\s+(\S+)\s+import\b|import\s+([\w.]+);?$|use\s+([\w:]+)|#include\s+(\S+))/,
);
/** Imports of CommonJS. Among other lines it may also be a variable that is assigned again later. */
const REQUIRED = /^(?:const|let|var)\s.*=\s*require\(["']([^"']+)["']\)/;
/** The first line of a method, of a function in a variable, or of an import that spans several lines. */
const OPEN_METHOD = inAnyScript(/^(?:[\w<>[\],.?*&:]+\s+)*([\w$#]+)\s*(?:<[^>]*>)?\((?:[^()]*\{)?$/);
const OPEN_FUNCTION = inAnyScript(
  new RegExp(`^(?:${WORDS}(?:const|let|var)\\s+)?([\\w$.]+)\\s*(?::[^=]+)?=\\s*(?:[a-z]+\\s*)?\\(\\{?$`),
);
const OPEN_IMPORT = /^(?:import\b|(?:const|let|var)\b).*\{$/;
/** The most lines that the first part of a declaration may have. */
const MAX_HEAD = 60;
const CONTROL =
  /^(?:if|for|while|switch|catch|return|else|with|do|until|unless|match|when|foreach|using|lock|synchronized)$/;

/**
 * The key of what a line declares: two versions of one function, class or import have the same. Undefined for other
 * lines.
 */
export function declarationOf(line: string): string | undefined {
  const text = line.trim();
  const named = NAMED(text);
  if (named) return `${named[1]!.replace('*', '')} ${named[2]}`;
  const assigned = ASSIGNED(text);
  if (assigned) return `function ${assigned[1]}`;
  const imported = IMPORT(text);
  if (imported) return `import ${imported.slice(1).find((name) => name !== undefined)}`;
  const property = PROPERTY(text);
  if (property) return property[1] ? `function ${property[1]}` : `method ${property[2]}`;
  const method = METHOD(text);
  return method && !CONTROL.test(method[1]!) ? `method ${accessor(text)}${method[1]}` : undefined;
}

/** A getter and a setter are two methods of the same name. */
const accessor = (text: string) => ACCESSOR(text)?.[1] ?? '';

const ACCESSOR = inAnyScript(/^(?:[\w$]+\s+)*?([gs]et\s)\s*[\w$#]+\s*\(/);

/** `declarationOf` for a declaration whose head spans several lines. */
export function declarationAt(lines: readonly string[], at: number): string | undefined {
  const text = lines[at]!.trim();
  const name = declarationOf(text);
  if (name !== undefined) return name;
  const required = REQUIRED.exec(text);
  if (required) return `import ${required[1]}`;
  const [method, assigned] = [OPEN_METHOD(text), OPEN_FUNCTION(text)];
  if (!method && !assigned && !OPEN_IMPORT.test(text)) return undefined;
  const width = widthOf(lines[at]!);
  let last = at + 1;
  const most = Math.min(lines.length, at + MAX_HEAD);
  while (last < most && (isBlank(lines[last]!) || widthOf(lines[last]!) > width)) last++;
  const end = last < most ? lines[last]!.trim() : '';
  if (assigned) return /^[)}].*=>/.test(end) ? `function ${assigned[1]}` : undefined;
  if (method) return /^\}?\)(?:(?!=>).)*\{$/.test(end) && !CONTROL.test(method[1]!) ? `method ${method[1]}` : undefined;
  const from = /^\}\s*(?:from\s*|=\s*require\()["']([^"']+)["']/.exec(end);
  return from ? `import ${from[1]}` : undefined;
}

/** Whether a line belongs to the declaration below it: a comment, a decorator, an attribute. */
export const isAttached = (line: string) =>
  /^\s*(?:\/\/|\/\*|\*|#(?!include|define|if|end)|--|@|\[[^\]]*\]\s*$|"""|''')/.test(line);

/** Words that occur in any code, so that a line with only these identifies no place. */
const COMMON =
  /\b(?:if|else|try|catch|finally|return|break|continue|do|end|then|default|case|pass|self|this|null|nil|none|true|false|undefined|error|err|super|new|a(?:sync|wait)|public|private|begin|except|raise|throw)\b/gi;

/** Whether the line has a word that isn't in any code. */
export const isTelling = (line: string) => /[\p{L}\p{M}_]{3,}|\p{L}\d/u.test(line.replace(COMMON, ''));
