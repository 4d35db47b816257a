import { type FileText, parseFile } from './fileText.ts';
import { type IndentStyle, indentStyle } from './indentation.ts';
import { bothForms, type Form, formOf, hasForms, looseKey } from './loose.ts';

/** A file with its lines found by what they say. Built once for all changes of a file, in time linear to its length. */
export class IndexedFile {
  readonly text: FileText;
  /** What each line says, without indentation and typographic punctuation. */
  readonly keys: readonly string[];
  private readonly positions = new Map<string, number[]>();
  private characters: Uint8Array | undefined;
  private plusLines: readonly string[] | undefined;
  private words: Map<string, number[]> | undefined;
  private filled: readonly number[] | undefined;
  private formFound: { form: Form | undefined } | undefined;
  private styleFound: IndentStyle | undefined;

  constructor(text: string) {
    this.text = parseFile(text);
    const keys: string[] = [];
    for (const [index, line] of this.text.lines.entries()) {
      const key = looseKey(line);
      keys.push(key);
      const known = this.positions.get(key);
      if (known) known.push(index);
      else this.positions.set(key, [index]);
    }
    this.keys = keys;
  }

  get lines(): readonly string[] {
    return this.text.lines;
  }

  get style(): IndentStyle {
    this.styleFound ??= indentStyle(this.lines);
    return this.styleFound;
  }

  /** The form of all letters that the normal forms write differently; undefined where there are none. */
  get form(): Form | undefined {
    this.formFound ??= {
      form: this.lines
        .filter(hasForms)
        .reduce<Form | undefined>((known, line) => bothForms(known, formOf(line)), undefined),
    };
    return this.formFound.form;
  }

  /** See `countCharacters`. */
  get characterCounts(): Uint8Array {
    this.characters ??= countCharacters(this.keys);
    return this.characters;
  }

  /** What the lines that begin with a plus say behind it. */
  get afterPlus(): readonly string[] {
    this.plusLines ??= this.keys.filter((key) => key.startsWith('+')).map((key) => key.slice(1).trim());
    return this.plusLines;
  }

  /** The lines, in order, that say `key`. */
  at(key: string): readonly number[] {
    return this.positions.get(key) ?? [];
  }

  /** Every place where `keys` follow each other: tried at the rarest of them alone. */
  places(keys: readonly string[]): number[] {
    let rarest = 0;
    for (const [index, key] of keys.entries()) {
      if (this.at(key).length < this.at(keys[rarest]!).length) rarest = index;
    }
    return this.at(keys[rarest]!)
      .map((position) => position - rarest)
      .filter((start) => start >= 0 && keys.every((key, index) => this.keys[start + index] === key));
  }

  /** Every line at which `keys` begin to follow each other, with any blank lines between them. */
  filledPlaces(keys: readonly string[]): number[] {
    this.filled ??= [...this.keys.keys()].filter((line) => this.keys[line] !== '');
    const { filled } = this;
    let rarest = 0;
    for (const [index, key] of keys.entries()) {
      if (this.at(key).length < this.at(keys[rarest]!).length) rarest = index;
    }
    if (keys.length === 0) return [];
    return this.at(keys[rarest]!).flatMap((line) => {
      const start = indexOf(filled, line) - rarest;
      const isPlace = start >= 0 && keys.every((key, index) => this.keys[filled[start + index]!] === key);
      return isPlace ? [filled[start]!] : [];
    });
  }

  /** The lines in which `word` stands. Built when first asked for: only a miss needs it. */
  withWord(word: string): readonly number[] {
    if (!this.words) {
      this.words = new Map();
      for (const [index, key] of this.keys.entries()) {
        for (const found of new Set(wordsOf(key))) {
          const known = this.words.get(found);
          if (known) known.push(index);
          else this.words.set(found, [index]);
        }
      }
    }
    return this.words.get(word) ?? [];
  }
}

/** Where `value` stands in rising numbers. */
function indexOf(numbers: readonly number[], value: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Characters are counted in so many sorts. */
const BINS = 32;

/** How often each sort of character stands in each of `keys`, `BINS` numbers for a line. */
export function countCharacters(keys: readonly string[]): Uint8Array {
  const counts = new Uint8Array(keys.length * BINS);
  for (const [line, key] of keys.entries()) {
    for (let at = 0; at < key.length; at++) {
      const bin = line * BINS + (key.charCodeAt(at) & (BINS - 1));
      // Saturated counts only make two lines look nearer than they are.
      if (counts[bin]! < 255) counts[bin]!++;
    }
  }
  return counts;
}

/** The least edit distance that two lines can have, by the characters that one has and the other hasn't. */
export function leastDistance(a: Uint8Array, lineA: number, b: Uint8Array, lineB: number): number {
  let more = 0;
  let less = 0;
  for (let bin = 0; bin < BINS; bin++) {
    const difference = a[lineA * BINS + bin]! - b[lineB * BINS + bin]!;
    if (difference > 0) more += difference;
    else less -= difference;
  }
  return Math.max(more, less);
}

export const wordsOf = (key: string): string[] => key.match(/[\p{L}\p{N}_]{2,}/gu) ?? [];
