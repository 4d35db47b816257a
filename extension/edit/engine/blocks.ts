// What indentation and the first words of a line tell of code in almost any language.
import { indentOf, isBlank } from './loose.ts';

const CLOSER = /^\s*(?:[}\])]|end\b|<\/)/;
const OPENER = /(?:[{([:]|=>|\bdo|\bthen)\s*$/;
const CONTINUES = /^\s*(?:else|elif|except|finally|catch|rescue|ensure|when|\{)(?:\W|$)/;

export interface Block {
  /** The line after the block's last one. */
  end: number;
  /** The last line closes it, by a bracket or a word. */
  isClosed: boolean;
}

/** Blanks at the line's beginning, a tab as four. */
export const widthOf = (line: string) => indentOf(line).replaceAll('\t', '    ').length;

/** The block whose head is line `head`; undefined when nothing below belongs to it. */
export function blockAt(lines: readonly string[], head: number): Block | undefined {
  const width = widthOf(lines[head]!);
  let end = head + 1;
  for (let line = head + 1; line < lines.length; line++) {
    const text = lines[line]!;
    if (isBlank(text)) continue;
    const own = widthOf(text);
    if (own === width && CLOSER.test(text) && OPENER.test(lines[head]!)) {
      end = line + 1;
      if (!OPENER.test(text)) return { end, isClosed: true };
    } else if (own > width || (own === width && CONTINUES.test(text))) end = line + 1;
    else break;
  }
  return end === head + 1 ? undefined : { end, isClosed: false };
}

/** Brackets that are opened in `lines` and not closed, less those that are closed and not opened. */
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

/** Words such as `export` or `public`, before the word that tells what is declared. */
const WORDS = '(?:[a-z]+(?:\\([^)]*\\))?\\s+)*?';
const NAMED = new RegExp(
  `^${WORDS}(function\\*?|class|interface|type|enum|struct|union|impl|trait|def|fn|fun|func|sub|module|namespace|object|record|protocol|extension)\\s+(?:\\([^)]*\\)\\s*)?([\\w$.:!?]+)`,
);
const ASSIGNED = new RegExp(
  `^${WORDS}(?:const|let|var|val)\\s+([\\w$]+)\\s*(?::[^=]+)?=\\s*(?:[a-z]+\\s+)?(?:function\\b|class\\b|\\([^)]*\\)[^=]*=>|[\\w$]+\\s*=>)`,
);
/** With the types that some languages put before the name or behind the parameters. */
const METHOD = /^(?:[\w<>[\],.?*&:]+\s+)*([\w$#]+)\s*(?:<[^>]*>)?\([^;]*\)(?:\s*:\s*[^=;]+|\s+[\w., ]+)?\s*\{$/;
const IMPORT =
  /^(?:import\b.*?["']([^"']+)["']|from\s+(\S+)\s+import\b|import\s+([\w.]+);?$|use\s+([\w:]+)|#include\s+(\S+))/;
const CONTROL =
  /^(?:if|for|while|switch|catch|return|else|with|do|until|unless|match|when|foreach|using|lock|synchronized)$/;

/** What a line declares: equal for two writings of one function, class or import. Undefined for all other lines. */
export function declarationOf(line: string): string | undefined {
  const text = line.trim();
  const named = NAMED.exec(text);
  if (named) return `${named[1]!.replace('*', '')} ${named[2]}`;
  const assigned = ASSIGNED.exec(text);
  if (assigned) return `function ${assigned[1]}`;
  const imported = IMPORT.exec(text);
  if (imported) return `import ${imported.slice(1).find((name) => name !== undefined)}`;
  const method = METHOD.exec(text);
  return method && !CONTROL.test(method[1]!) ? `method ${method[1]}` : undefined;
}

/** Whether a line belongs to the declaration below it: a comment, a decorator, an attribute. */
export const isAttached = (line: string) =>
  /^\s*(?:\/\/|\/\*|\*|#(?!include|define|if|end)|--|@|\[[^\]]*\]\s*$|"""|''')/.test(line);

/** Words that stand in any code, so that a line of them alone tells no place. */
const COMMON =
  /\b(?:if|else|try|catch|finally|return|break|continue|do|end|then|default|case|pass|self|this|null|nil|none|true|false|undefined|error|err|super|new|a(?:sync|wait)|public|private|begin|except|raise|throw)\b/gi;

/** Whether the line says something that is not in any code. */
export const isTelling = (line: string) => /[\p{L}_]{3,}|\p{L}\d/u.test(line.replace(COMMON, ''));
