/**
 * Parts JSON objects that stand one after another: a line each, within one list, or with nothing between. Text may be cut
 * anywhere; each character is looked at once.
 */
export class JsonSplitter {
  #value = '';
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  /** No object is begun and unfinished. */
  get isBetween(): boolean {
    return this.#depth === 0;
  }

  /** Of the unfinished object. */
  get length(): number {
    return this.#value.length;
  }

  /** The objects that this text completes, in order. What stands between objects is skipped. */
  feed(text: string): string[] {
    const values: string[] = [];
    let from = this.#depth > 0 ? 0 : -1;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (code === BACKSLASH) this.#isEscaped = true;
        else if (code === QUOTE) this.#isInString = false;
      } else if (this.#depth === 0) {
        if (code !== OPEN) continue;
        from = at;
        this.#depth = 1;
      } else if (code === QUOTE) this.#isInString = true;
      else if (code === OPEN) this.#depth++;
      else if (code === CLOSE && --this.#depth === 0) {
        values.push(this.#value + text.slice(from, at + 1));
        this.#value = '';
        from = -1;
      }
    }
    if (from >= 0) this.#value += text.slice(from);
    return values;
  }
}

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN = 123;
const CLOSE = 125;

/** Undefined where it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
