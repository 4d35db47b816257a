import { type FileText, parseFile } from './fileText.ts';
import { type IndentStyle, indentStyle } from './indentation.ts';
import { bothForms, type Form, formOf, hasForms, looseKey } from './loose.ts';

/** A file with an index of its lines by content. Built once for all changes of a file, in linear time. */
export class IndexedFile {
  readonly text: FileText;
  /** Each line's content, without indentation and typographic punctuation. */
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

  /** The Unicode normal form of the file's accented letters; undefined if it has none. */
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

  /** For the lines that begin with a plus: the content after it. */
  get afterPlus(): readonly string[] {
    this.plusLines ??= this.keys.filter((key) => key.startsWith('+')).map((key) => key.slice(1).trim());
    return this.plusLines;
  }

  /** The lines whose content is `key`, in order. */
  at(key: string): readonly number[] {
    return this.positions.get(key) ?? [];
  }

  /** Every place where `keys` are adjacent. Only the places of the rarest key are tried. */
  places(keys: readonly string[]): number[] {
    let rarest = 0;
    for (const [index, key] of keys.entries()) {
      if (this.at(key).length < this.at(keys[rarest]!).length) rarest = index;
    }
    return this.at(keys[rarest]!)
      .map((position) => position - rarest)
      .filter((start) => start >= 0 && keys.every((key, index) => this.keys[start + index] === key));
  }

  /** Every line where `keys` begin, with any blank lines between them. */
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

  /** The lines that contain `word`. Built on first use, because only a miss needs it. */
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

/** The index of `value` in ascending numbers. */
function indexOf(numbers: readonly number[], value: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Characters are counted in this many bins. */
const BINS = 32;

/** Counts the characters of each key by bin: `BINS` numbers a line. */
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

/** A lower bound of the edit distance of two lines, from their character counts. */
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

export const wordsOf = (key: string): string[] => key.match(/[\p{L}\p{M}\p{N}_]{2,}/gu) ?? [];
