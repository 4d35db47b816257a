// Random files of functions and classes, true edits of them, and how a chat's answer shows the result: whole, in part, with
// code left out.

/** Draws a whole number below `n`. */
type Draw = (n: number) => number;

/** A line after the edit; `at` is the line of the file that it is, undefined for a new one. */
export interface Row {
  text: string;
  at?: number;
}

interface Item {
  start: number;
  end: number;
  kind: 'import' | 'function' | 'class' | 'method';
}

export interface SnippetCase {
  file: string[];
  items: Item[];
  /** One level of indentation. */
  unit: string;
  isPython: boolean;
  after: Row[];
  /** What was done. */
  done: string;
}

const WORDS =
  'order invoice basket customer shipment refund voucher catalogue supplier session ticket journal receipt channel'.split(
    ' ',
  );

const word = (draw: Draw) => WORDS[draw(WORDS.length)]!;
const capital = (text: string) => text[0]!.toUpperCase() + text.slice(1);

/** A statement; a few of them stand in any function. */
function statement(draw: Draw): string {
  const [a, b] = [word(draw), word(draw)];
  return [
    `${a}.${b}(${draw(99)});`,
    `const ${a}${capital(b)} = ${a}.${b}s;`,
    `log("${a} of ${b}", ${a});`,
    `this.${a} = ${b}.${a} + ${draw(9)};`,
    `return ${a}${capital(b)};`,
    'return null;',
    `${a}.check();`,
    `// ${a} before ${b}`,
  ][draw(8)]!;
}

function body(draw: Draw, unit: string, level: number, length: number, isPython: boolean): string[] {
  const lines: string[] = [];
  const indent = unit.repeat(level);
  while (lines.length < length) {
    const kind = draw(8);
    if (kind === 0) {
      const inner = [statement(draw), statement(draw)].slice(draw(2)).map((line) => indent + unit + line);
      lines.push(`${indent}if (${word(draw)}.${word(draw)} > ${draw(20)})${isPython ? ':' : ' {'}`, ...inner);
      if (!isPython) lines.push(`${indent}}`);
    } else if (kind === 1 && lines.length > 0 && lines.at(-1) !== '') lines.push('');
    else lines.push(indent + statement(draw));
  }
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

/** A function or method of its own name. */
export function someFunction(
  draw: Draw,
  one: Pick<SnippetCase, 'unit' | 'isPython'>,
  level: number,
  name: string,
): string[] {
  const { unit, isPython } = one;
  const indent = unit.repeat(level);
  const lines = body(draw, unit, level + 1, 2 + draw(8), isPython);
  if (isPython) return [`${indent}def ${name}(${word(draw)}):`, ...lines];
  const head =
    level > 0 ? `${name}(${word(draw)}: Order): void {` : `export function ${name}(${word(draw)}: Order): Receipt {`;
  return [indent + head, ...lines, `${indent}}`];
}

function someFile(draw: Draw): Omit<SnippetCase, 'after' | 'done'> {
  const isPython = draw(5) === 0;
  const unit = isPython ? '    ' : ['  ', '    ', '\t'][draw(3)]!;
  const file: string[] = [];
  const items: Item[] = [];
  let names = 0;
  const add = (kind: Item['kind'], lines: string[]) => {
    items.push({ kind, start: file.length, end: file.length + lines.length });
    file.push(...lines);
  };
  for (let count = draw(4); count > 0; count--) {
    const module = `${word(draw)}${names++}`;
    add('import', [isPython ? `from ${module} import ${word(draw)}` : `import { ${word(draw)} } from './${module}';`]);
  }
  if (file.length > 0) file.push('');
  for (let count = 2 + draw(4); count > 0; count--) {
    const one = { unit, isPython };
    if (draw(3) > 0) {
      if (draw(4) === 0) file.push(isPython ? `# ${word(draw)}s for all.` : `/** ${capital(word(draw))}s for all. */`);
      add('function', someFunction(draw, one, 0, `${word(draw)}${names++}`));
    } else {
      const start = file.length;
      const index = items.push({ kind: 'class', start, end: start }) - 1;
      file.push(
        isPython ? `class ${capital(word(draw))}${names++}:` : `export class ${capital(word(draw))}${names++} {`,
      );
      for (let methods = 2 + draw(3); methods > 0; methods--) {
        // Methods of different classes may have one name.
        add('method', someFunction(draw, one, 1, draw(4) === 0 ? 'run' : `${word(draw)}${names++}`));
        if (methods > 1) file.push('');
      }
      if (!isPython) file.push('}');
      items[index]!.end = file.length;
    }
    if (count > 1) file.push('');
  }
  return { file, items, unit, isPython };
}

export const isBlank = (line: string) => line.trim() === '';
const indentOf = (text: string) => /^\s*/.exec(text)![0];

const EDITS = ['change', 'insert', 'remove', 'rewrite', 'wrap', 'head', 'more'] as const;

/** A file and one true edit of it. */
export function someSnippetCase(draw: Draw): SnippetCase {
  const one = someFile(draw);
  const { file, items, unit, isPython } = one;
  const after: Row[] = file.map((text, at) => ({ text, at }));
  const targets = items.filter(({ kind }) => kind === 'function' || kind === 'method');
  const target = targets[draw(targets.length)]!;
  const level = target.kind === 'method' ? 2 : 1;
  const last = isPython ? target.end : target.end - 1;
  const fresh = (length: number): Row[] => body(draw, unit, level, length, isPython).map((text) => ({ text }));
  const kind = EDITS[draw(EDITS.length)]!;
  // Whole statements, at the body's own level or further in.
  const deepest = draw(3) === 0 ? level + 1 : level;
  const starts = Array.from({ length: last - target.start - 1 }, (_, index) => target.start + 1 + index).filter(
    (line) => {
      const depth = file[line]!.search(/[^\s}]/);
      return depth === unit.length * deepest || (deepest > level && depth === unit.length * level);
    },
  );
  const at = starts[draw(starts.length)]!;
  const depth = indentOf(file[at]!).length;
  let stop = at + 1;
  for (let count = draw(3); ; count--) {
    while (
      stop < last &&
      (isBlank(file[stop]!) || indentOf(file[stop]!).length > depth || file[stop]!.trim() === '}')
    ) {
      if (indentOf(file[stop]!).length < depth && !isBlank(file[stop]!)) break;
      stop++;
    }
    if (count === 0 || stop >= last || indentOf(file[stop]!).length !== depth || file[stop]!.trim() === '}') break;
    stop++;
  }
  while (isBlank(file[stop - 1]!)) stop--;
  const length = stop - at;
  const like = (count: number): Row[] =>
    Array.from({ length: count }, () => ({ text: indentOf(file[at]!) + statement(draw) }));
  if (kind === 'change') after.splice(at, length, ...like(1 + draw(3)));
  else if (kind === 'insert') after.splice(at, 0, ...like(1 + draw(3)));
  else if (kind === 'remove') after.splice(at, length);
  else if (kind === 'rewrite') after.splice(target.start + 1, last - target.start - 1, ...fresh(2 + draw(6)));
  else if (kind === 'wrap') {
    const indent = indentOf(file[at]!);
    const inner = after.slice(at, at + length).map(({ text }) => ({ text: text === '' ? '' : unit + text }));
    const end = isPython ? [] : [{ text: `${indent}}` }];
    after.splice(at, length, { text: `${indent}if (${word(draw)}.ready)${isPython ? ':' : ' {'}` }, ...inner, ...end);
  } else if (kind === 'head') {
    after[target.start] = { text: file[target.start]!.replace('(', `(${word(draw)}, `) };
  } else {
    // One function or method more, behind this one.
    const more = someFunction(draw, one, level - 1, `fresh${capital(word(draw))}`);
    after.splice(target.end, 0, { text: '' }, ...more.map((text) => ({ text })));
  }
  return { ...one, after, done: kind };
}

/** The rows that the edit changed: from the first to behind the last, in `after`. */
export function changedRange({ file, after }: SnippetCase): { start: number; end: number } {
  const isKept = (row: number) => after[row]?.at !== undefined;
  let start = 0;
  while (start < after.length && isKept(start) && after[start]!.at === start) start++;
  let end = after.length;
  while (end > start && isKept(end - 1) && after[end - 1]!.at === file.length - (after.length - end) - 1) end--;
  return { start, end };
}

/** The rows of the function, method or class around the change. */
export function itemAround(one: SnippetCase, wanted: Item['kind'][]): { start: number; end: number } | undefined {
  const { items, after } = one;
  const changed = changedRange(one);
  const rowOf = (line: number) => after.findIndex(({ at }) => at === line);
  const lastRow = (line: number) => after.findLastIndex(({ at }) => at !== undefined && at <= line);
  for (const { kind, start, end } of items) {
    if (!wanted.includes(kind)) continue;
    // A new head stands where the old one stood.
    const from = rowOf(start) === -1 ? changed.start : rowOf(start);
    const behind = after.findIndex(({ at }) => at !== undefined && at >= end);
    const to = Math.max(
      lastRow(end - 1) + 1,
      one.isPython && changed.start < (behind === -1 ? after.length : behind) ? changed.end : 0,
    );
    if (from <= changed.start && to >= changed.end && from >= 0) return { start: from, end: to };
  }
  return undefined;
}
