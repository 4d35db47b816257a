// What models misprint in copied code, and what that shows about the new lines: typeset punctuation, escapes, HTML
// entities.
import { FANCY, NOT_ASCII, PLAIN, plainPunctuation } from './loose.ts';

/** Which character of the file each written character stands for, as far as pairs of matching lines show. */
export class PunctuationEvidence {
  private readonly seen = new Map<string, Set<string>>();
  /** Some character was written differently from the file. */
  differs = false;

  /** Some line differs in more than punctuation, so the evidence is unreliable. */
  isDoubtful = false;

  /** The same for two objects with equal evidence. */
  get signature(): string {
    if (!this.differs) return '';
    return [...this.seen].map(([written, files]) => `${written}${[...files].join('')}`).join(' ');
  }

  /** Adds the evidence of another change in the same answer. Its doubts don't affect this one. */
  merge(other: PunctuationEvidence): void {
    for (const [written, files] of other.seen) for (const file of files) this.note(written, file);
    this.differs ||= other.differs;
  }

  /** Two lines that should be equal but aren't. */
  addUnequal(written: string, file: string): void {
    const typeset = (line: string) => [...new Set(line.match(FANCY) ?? [])].sort().join('');
    if (typeset(written) !== typeset(file)) this.isDoubtful = true;
  }

  /** `written` and `file` are equal after `plainPunctuation`. */
  add(written: string, file: string): void {
    if (!NOT_ASCII.test(written) && !NOT_ASCII.test(file)) {
      for (const plain of ['"', "'", '-', '...']) if (written.includes(plain)) this.note(plain, plain);
      return;
    }
    let w = 0;
    let f = 0;
    while (w < written.length || f < file.length) {
      const a = unitAt(written, w);
      const b = unitAt(file, f);
      const plainA = PLAIN[a] ?? a;
      const plainB = PLAIN[b] ?? b;
      // Invisible characters stand for nothing, so they are no evidence.
      if (a !== b && plainA === '' && a !== '') w += a.length;
      else if (a !== b && plainB === '' && b !== '') f += b.length;
      else if (plainA === plainB) {
        this.note(a, b);
        w += a.length;
        f += b.length;
      } else {
        // Three dots within a longer run on one side.
        w += 1;
        f += 1;
      }
      if (a !== b) this.differs = true;
    }
  }

  private note(written: string, file: string): void {
    const known = this.seen.get(written);
    if (known) known.add(file);
    else this.seen.set(written, new Set([file]));
  }

  /**
   * A new line with the file's punctuation. Undefined if there is no evidence or it is contradictory. If nothing
   * differs, the line is as the model meant it. `own`: the evidence of the line's own change, which counts more for
   * plain characters.
   */
  translate(line: string, own: PunctuationEvidence = this): string | undefined {
    if (own.isDoubtful && /["'-]|\.\.\./.test(plainPunctuation(line))) return undefined;
    if (!this.differs) return line;
    let result = '';
    for (let at = 0; at < line.length; ) {
      const unit = unitAt(line, at);
      at += unit.length;
      const meant = (unit in PLAIN ? undefined : own.seen.get(unit)) ?? this.seen.get(unit);
      const [only] = meant ?? [];
      // Plain, where the file has it typeset: a new one may be either.
      if (meant?.size === 1 && (only === unit || unit in PLAIN)) result += only!;
      else if (meant || unit in PLAIN) return undefined;
      else result += unit;
    }
    return result;
  }
}

const unitAt = (text: string, at: number) => (text.startsWith('...', at) ? '...' : (text[at] ?? ''));

/**
 * Lines of a change that were written with escapes instead of line ends and tabs: the unescaped lines. Undefined if
 * they weren't escaped, or if it is unclear. Each side is either one written line, or is escaped only by leading `\t`.
 */
export function unescapeLines(lines: readonly string[]): string[] | undefined {
  const tabsOnly = lines.map(unescapeTabs);
  if (lines.length !== 1 || !/(?<!\\)\\n/.test(lines[0]!)) {
    return tabsOnly.some((line, index) => line !== lines[index]) ? tabsOnly : undefined;
  }
  const text = lines[0]!;
  // A doubled backslash or an escaped quote: the rest may be escaped twice, so there is more than one reading.
  if (/\\\\|\\["']/.test(text)) return undefined;
  const parts = text.split('\\n');
  // Inside a string, an escaped line end is the string's own.
  if (parts.some((part) => hasOpenQuote(part))) return undefined;
  return parts.map(unescapeTabs);
}

function hasOpenQuote(text: string): boolean {
  return ['"', "'", '`'].some((quote) => text.split(quote).length % 2 === 0);
}

const ENTITY_KINDS: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00A0',
  '#38': '&',
  '#60': '<',
  '#62': '>',
  '#34': '"',
  '#39': "'",
  '#039': "'",
  '#x26': '&',
  '#x3c': '<',
  '#x3e': '>',
  '#x22': '"',
  '#x27': "'",
  '#x2f': '/',
  '#160': '\u00A0',
};
const ENTITY = /&(#?\w{2,5});/g;

export const hasEntity = (text: string) => text.includes('&') && entitiesIn(text).length > 0;

/** The characters that `text` writes as entities. */
export function entitiesIn(text: string): string[] {
  return [...text.matchAll(ENTITY)].flatMap(([, name]) => ENTITY_KINDS[name!.toLowerCase()] ?? []);
}

export const decodeEntities = (text: string, times: number): string =>
  times === 0
    ? text
    : decodeEntities(
        text.replace(ENTITY, (entity, name: string) => ENTITY_KINDS[name.toLowerCase()] ?? entity),
        times - 1,
      );

/** Which characters appear in lines as entities, and which plainly. */
export class Encoded {
  private readonly encoded = new Set<string>();
  private readonly plain = new Set<string>();

  add(line: string): void {
    for (const character of entitiesIn(line)) this.encoded.add(character);
    for (const character of line.replace(ENTITY, '').match(/[&<>"'/]/g) ?? []) this.plain.add(character);
  }

  /** No character appears both plainly and as an entity. */
  get isWhole(): boolean {
    return ![...this.encoded].some((character) => this.plain.has(character));
  }
}

/** `line` with the tabs that its beginning writes as `\t`. */
export const unescapeTabs = (line: string) => line.replace(/^(?:\\t)+/, (tabs) => '\t'.repeat(tabs.length / 2));
