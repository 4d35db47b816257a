import { INPUT } from './tools.ts';

type State = 'start' | 'key' | 'afterKey' | 'value' | 'skipped' | 'input' | 'end' | 'other';

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

/**
 * Reads the one string of a custom tool out of the arguments of its function, `{"input": "…"}`, while they arrive in
 * pieces that may end anywhere.
 */
export class Freeform {
  #state: State = 'start';
  /** What came of an escape so far: `\`, `\u`, `\u0` … */
  #escape = '';
  #key = '';
  /** In a member that is skipped: how deep, and whether in a string. */
  #depth = 0;
  #isInText = false;

  /** The arguments so far are an object with the string. */
  get isFound(): boolean {
    return this.#state === 'input' || this.#state === 'end';
  }

  /** The part of the string in this piece, decoded. */
  take(piece: string): string {
    let text = '';
    for (let i = 0; i < piece.length; i++) text += this.#read(piece[i]!);
    return text;
  }

  /** The input of arguments in another form: models also write the input itself, or as a JSON string. */
  static fallback(args: string): string {
    if (args.trim() === '' || args.trim() === '{}') return '';
    try {
      const value: unknown = JSON.parse(args);
      return typeof value === 'string' ? value : args;
    } catch {
      return args;
    }
  }

  #read(unit: string): string {
    switch (this.#state) {
      case 'input':
        return this.#readInput(unit);
      case 'skipped':
        this.#skip(unit);
        return '';
      case 'start':
        if (unit === '{') this.#state = 'key';
        else if (!isSpace(unit)) this.#state = 'other';
        return '';
      case 'key':
        this.#readKey(unit);
        return '';
      case 'afterKey':
        if (unit === ':') this.#state = 'value';
        else if (!isSpace(unit)) this.#state = 'other';
        return '';
      case 'value':
        this.#beginValue(unit);
        return '';
      default:
        return '';
    }
  }

  /** Between members, and in the name of one. No name that is looked for has an escape. */
  #readKey(unit: string): void {
    if (!this.#isInText) {
      if (unit === '"') this.#isInText = true;
      else if (unit !== ',' && !isSpace(unit)) this.#state = 'other';
    } else if (this.#escape !== '') {
      this.#escape = '';
      this.#key += unit;
    } else if (unit === '\\') {
      this.#escape = unit;
      this.#key += unit;
    } else if (unit === '"') {
      this.#isInText = false;
      this.#state = 'afterKey';
    } else this.#key += unit;
  }

  #beginValue(unit: string): void {
    if (isSpace(unit)) return;
    const isInput = this.#key === INPUT && unit === '"';
    this.#key = '';
    this.#state = isInput ? 'input' : 'skipped';
    if (!isInput) this.#skip(unit);
  }

  #skip(unit: string): void {
    if (this.#escape !== '') this.#escape = '';
    else if (this.#isInText) {
      if (unit === '\\') this.#escape = unit;
      else if (unit === '"') this.#isInText = false;
    } else if (unit === '"') this.#isInText = true;
    else if (unit === '{' || unit === '[') this.#depth++;
    else if (unit === '}' || unit === ']') {
      if (--this.#depth < 0) this.#state = 'other';
    } else if (unit === ',' && this.#depth === 0) this.#state = 'key';
  }

  #readInput(unit: string): string {
    if (this.#escape === '') {
      if (unit === '\\') this.#escape = unit;
      else if (unit === '"') this.#state = 'end';
      else return unit;
      return '';
    }
    this.#escape += unit;
    const read = this.#escape;
    if (read[1] === 'u') {
      if (read.length === 2) return '';
      if (isHex(unit)) {
        if (read.length < 6) return '';
        this.#escape = '';
        return String.fromCharCode(Number.parseInt(read.slice(2), 16));
      }
      this.#escape = '';
      return read.slice(0, -1) + this.#readInput(unit);
    }
    this.#escape = '';
    // An escape that JSON doesn't have is what the model wrote.
    return ESCAPES[unit] ?? ('"\\/'.includes(unit) ? unit : `\\${unit}`);
  }
}

const isSpace = (unit: string) => unit === ' ' || unit === '\n' || unit === '\t' || unit === '\r';
const isHex = (unit: string) => /^[0-9a-f]$/i.test(unit);
