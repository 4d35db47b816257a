// What models misprint when they copy code, and what it tells of the new lines: typeset punctuation, escapes, HTML entities.
import { FANCY, NOT_ASCII, PLAIN, plainPunctuation } from './loose.ts';

/** What each character of the written text stands for in the file, as far as `pairs` of matching lines show. */
export class PunctuationEvidence {
  private readonly seen = new Map<string, Set<string>>();
  /** Some character was written otherwise than it stands in the file. */
  differs = false;

  /** Some line differs by more than its punctuation, so that nothing can be told of it. */
  isDoubtful = false;

  /** Equal for two that show the same. */
  get signature(): string {
    if (!this.differs) return '';
    return [...this.seen].map(([written, files]) => `${written}${[...files].join('')}`).join(' ');
  }

  /** Takes what another change of the same answer shows as well. Where that one is doubtful, this one isn't yet. */
  merge(other: PunctuationEvidence): void {
    for (const [written, files] of other.seen) for (const file of files) this.note(written, file);
    this.differs ||= other.differs;
  }

  /** Two lines that ought to say the same, but don't. */
  addUnequal(written: string, file: string): void {
    const typeset = (line: string) => [...new Set(line.match(FANCY) ?? [])].sort().join('');
    if (typeset(written) !== typeset(file)) this.isDoubtful = true;
  }

  /** `written` and `file` are equal once their punctuation is plain. */
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
      // Invisible characters stand for nothing; they are no evidence for any other.
      if (a !== b && plainA === '' && a !== '') w += a.length;
      else if (a !== b && plainB === '' && b !== '') f += b.length;
      else if (plainA === plainB) {
        this.note(a, b);
        w += a.length;
        f += b.length;
      } else {
        // Dots that are three of more than three on one side.
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
   * A new line with its punctuation as the file would have it; undefined when the evidence says nothing or contradicts
   * itself. Where nothing differs, what the model wrote is what it meant. `own`: of the line's change alone; what that
   * shows of a plain character is worth more.
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
      // Plain where the file has it typeset: a new one may be either.
      if (meant?.size === 1 && (only === unit || unit in PLAIN)) result += only!;
      else if (meant || unit in PLAIN) return undefined;
      else result += unit;
    }
    return result;
  }
}

const unitAt = (text: string, at: number) => (text.startsWith('...', at) ? '...' : (text[at] ?? ''));

/**
 * Change lines written with escapes where the file has line ends and tabs, as they were meant; none when they weren't
 * escaped, or when it cannot be told. Each side is either one written line, or escaped by leading `\t` alone.
 */
export function unescapeLines(lines: readonly string[]): string[] | undefined {
  const tabsOnly = lines.map(unescapeTabs);
  if (lines.length !== 1 || !/(?<!\\)\\n/.test(lines[0]!)) {
    return tabsOnly.some((line, index) => line !== lines[index]) ? tabsOnly : undefined;
  }
  const text = lines[0]!;
  // A doubled backslash or an escaped quote means that the rest may be escaped twice: more than one reading.
  if (/\\\\|\\["']/.test(text)) return undefined;
  const parts = text.split('\\n');
  // An end of line inside a string would be the string's own escape.
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

/** The characters for which entities stand in `text`. */
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

/** Which characters stand in lines as entities, and which by themselves. */
export class Encoded {
  private readonly encoded = new Set<string>();
  private readonly plain = new Set<string>();

  add(line: string): void {
    for (const character of entitiesIn(line)) this.encoded.add(character);
    for (const character of line.replace(ENTITY, '').match(/[&<>"'/]/g) ?? []) this.plain.add(character);
  }

  /** No character is written by itself in one place and as an entity in another. */
  get isWhole(): boolean {
    return ![...this.encoded].some((character) => this.plain.has(character));
  }
}

/** Tabs at the beginning of `line` written as `\t`, as they were meant. */
export const unescapeTabs = (line: string) => line.replace(/^(?:\\t)+/, (tabs) => '\t'.repeat(tabs.length / 2));
