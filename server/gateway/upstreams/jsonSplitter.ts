/**
 * Splits a text into JSON objects: one per line, in one list, or with nothing between them. The text may be cut
 * anywhere. Each character is read once.
 */
export class JsonSplitter {
  #value = '';
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  /** True if no object is unfinished. */
  get isBetween(): boolean {
    return this.#depth === 0;
  }

  /** Length of the unfinished object. */
  get length(): number {
    return this.#value.length;
  }

  /** Returns the objects that this text completes, in order. Skips anything between objects. */
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

/** Returns undefined if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
