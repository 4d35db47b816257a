import { indentOf, isBlank } from './loose.ts';

/** How a file indents. `tabs` and `blanks` exclude each other; `unit`: blanks per level, if the file shows it. */
export interface IndentStyle {
  kind: 'tabs' | 'blanks' | 'mixed' | 'none';
  unit?: number;
  /** Lines have tabs followed by two or more blanks, for alignment. */
  aligns?: boolean;
}

/**
 * The indentation that the model wrote and the file's, for the same line. With two readings, the first is without V4A's
 * context mark, the second with it. All lines of a change use the same reading.
 */
export type IndentPair = readonly [written: readonly string[], file: string];

type Reading = (indent: string) => string | undefined;

/** Possible widths of a tab in blanks. */
const UNITS = [2, 3, 4, 8];
/** The second line of a comment is one blank further in than its level; a larger rest is no alignment. */
const MOST_REST = 1;
/** The most lines inspected to detect a file's indentation. */
const SAMPLE = 2_000;

export function indentStyle(lines: readonly string[]): IndentStyle {
  let tabs = 0;
  let blanks = 0;
  let aligns = false;
  const steps = new Map<number, number>();
  let above = 0;
  for (const line of lines.slice(0, SAMPLE)) {
    if (isBlank(line)) continue;
    const indent = indentOf(line);
    if (indent.includes('\t')) tabs++;
    // A single blank is a comment's second line, not an indentation.
    else if (indent.length > 1) blanks++;
    aligns ||= /\t {2}/.test(indent);
    const step = indent.length - above;
    if (!indent.includes('\t') && step > 1) steps.set(step, (steps.get(step) ?? 0) + 1);
    above = indent.length;
  }
  if (tabs > 0) return { kind: blanks > 0 ? 'mixed' : 'tabs', aligns };
  if (blanks === 0) return { kind: 'none' };
  // The most frequent step: a continuation line may have any other.
  const [most] = [...steps].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  return { kind: 'blanks', unit: most?.[0] };
}

/** Whether one uniform change turns every written indentation into the file's. */
export const isUniform = (pairs: readonly IndentPair[], style?: IndentStyle) => readings(pairs, style).length > 0;

/**
 * The file's indentation for each of `indents`, which the model wrote along with `pairs`. Tries every reading that fits
 * all pairs; undefined if none fits, or if they disagree about the new lines.
 */
export function translateIndents(
  pairs: readonly IndentPair[],
  indents: readonly string[],
  style: IndentStyle,
): string[] | undefined {
  const isSame = pairs.every(([written, file]) => written.includes(file));
  const isShown = pairs.some(([, file]) => file.length > 1 || file === '\t');
  if (isSame && (isShown || !indents.some((indent) => offends(indent, style)))) return [...indents];
  // No indented line was copied, and the new lines are indented with the wrong character.
  const known = isSame ? restyles(pairs, style) : [...readings(pairs, style), ...movedScalings(pairs, indents, style)];
  const results = known
    .map((reading) => indents.map(reading))
    .filter((result): result is string[] => result.every((indent) => indent !== undefined));
  const fitting = results.filter((result) => !result.some((indent) => offends(indent, style)));
  const [first, ...others] = fitting;
  if (!first || others.some((other) => other.some((indent, index) => indent !== first[index]))) return undefined;
  return first;
}

/** Whether the file never indents like this. */
export function offends(indent: string, style: IndentStyle): boolean {
  if (style.kind === 'tabs') return / {2}| \t/.test(indent);
  return style.kind === 'blanks' && indent.includes('\t');
}

/** The conversions that fit all pairs. Levels become the file's, if it shows their width. */
function readings(pairs: readonly IndentPair[], style?: IndentStyle): Reading[] {
  const unit = style?.kind === 'blanks' ? style.unit : undefined;
  return columns(pairs).flatMap((column) => {
    const [first] = column;
    if (!first) return [(indent: string) => indent];
    return [...shifts(...first), ...conversions(...first, unit), ...scalings(unit)].filter((reading) =>
      fits(reading, column),
    );
  });
}

type Column = readonly (readonly [written: string, file: string])[];

/** The pairs in each reading that is one-to-one: each written indentation has one in the file, and vice versa. */
function columns(pairs: readonly IndentPair[]): Column[] {
  const most = Math.max(1, ...pairs.map(([written]) => written.length));
  return Array.from({ length: most }, (_, index) =>
    pairs.map(([written, file]) => [written[index] ?? written[0]!, file] as const),
  ).filter(isOneToOne);
}

function isOneToOne(column: Column): boolean {
  const [files, written] = [new Map<string, string>(), new Map<string, string>()];
  return column.every(([one, file]) => {
    if (!files.has(one)) files.set(one, file);
    if (!written.has(file)) written.set(file, one);
    return files.get(one) === file && written.get(file) === one;
  });
}

const fits = (reading: Reading, column: Column) => column.every(([written, file]) => reading(written) === file);

function restyles(pairs: readonly IndentPair[], style: IndentStyle): Reading[] {
  // The copied lines are at the margin, as in the file: levels are counted from there.
  return conversions('', '').filter((reading, index) => {
    if (!columns(pairs).some((column) => fits(reading, column))) return false;
    return style.kind !== 'blanks' || style.unit === undefined || UNITS[index >> 1] === style.unit;
  });
}

/** All lines moved right or left by the same blanks. */
function shifts(written: string, file: string): Reading[] {
  if (file.endsWith(written)) {
    const prefix = file.slice(0, file.length - written.length);
    return [(indent) => prefix + indent];
  }
  if (written.endsWith(file)) {
    const prefix = written.slice(0, written.length - file.length);
    return [(indent) => (indent.startsWith(prefix) ? indent.slice(prefix.length) : undefined)];
  }
  return [];
}

/** Conversions between tabs and blanks, moved by whole levels. Two readings for each of `UNITS`. */
function conversions(written: string, file: string, own?: number): Reading[] {
  return UNITS.flatMap((unit): Reading[] => {
    const toTabs = (indent: string, move: number) => {
      if (indent.includes('\t')) return undefined;
      const levels = Math.floor(indent.length / unit) + move;
      const rest = indent.length % unit;
      return levels < 0 || rest > MOST_REST ? undefined : '\t'.repeat(levels) + ' '.repeat(rest);
    };
    const toBlanks = (indent: string, move: number) => {
      const [, tabs = '', rest = ''] = /^(\t*)( *)$/.exec(indent) ?? [];
      if (tabs + rest !== indent || (own !== undefined && own !== unit)) return undefined;
      const levels = tabs.length + move;
      return levels < 0 || rest.length > MOST_REST ? undefined : ' '.repeat(levels * unit) + rest;
    };
    const tabsOf = (indent: string) => /^\t*/.exec(indent)![0].length;
    const moveToTabs = tabsOf(file) - Math.floor(written.length / unit);
    const moveToBlanks = Math.floor(file.length / unit) - tabsOf(written);
    return [(indent) => toTabs(indent, moveToTabs), (indent) => toBlanks(indent, moveToBlanks)];
  });
}

/** Conversions from one width of a level to another. */
function scalings(unit: number | undefined): Reading[] {
  return UNITS.flatMap((from) =>
    UNITS.filter((to) => to !== from && (unit === undefined || to === unit)).map(
      (to): Reading =>
        (indent) => {
          const rest = indent.length % from;
          if (indent.includes('\t') || rest > MOST_REST) return undefined;
          return ' '.repeat(Math.floor(indent.length / from) * to + rest);
        },
    ),
  );
}

/**
 * Conversions from one width of a level to another, moved by whole levels. If all copied lines are on the same level,
 * only the steps to the new lines show how wide a level is: at most the smallest step.
 */
function movedScalings(pairs: readonly IndentPair[], indents: readonly string[], { unit }: IndentStyle): Reading[] {
  if (unit === undefined) return [];
  return columns(pairs).flatMap((column) => {
    const [first] = column;
    if (!first) return [];
    const [written, file] = first;
    const isConfirmed = column.some(([, other]) => other !== file);
    const steps = indents.map((indent) => Math.abs(indent.length - written.length)).filter((step) => step > 0);
    const least = Math.min(...steps);
    return UNITS.filter((from) => from !== unit && (isConfirmed || steps.every((step) => step % from === 0)))
      .filter((from) => isConfirmed || from > unit || from === least)
      .map(
        (from): Reading =>
          (indent) => {
            const levels = (indent.length - written.length) / from;
            const width = file.length + levels * unit;
            if (indent.includes('\t') || width < 0 || !Number.isInteger(levels)) return undefined;
            return ' '.repeat(width);
          },
      )
      .filter((reading) => fits(reading, column));
  });
}
