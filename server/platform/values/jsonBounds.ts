/** `betweenBytes`: of digits, literals, punctuation and blanks. */
export interface JsonLimits {
  depth: number;
  values: number;
  betweenBytes: number;
}

/**
 * Deeper than any contract, and far below a parser's stack limit. The values: the lists of the largest contract together,
 * which are 2,000 paths, 50 files, 100 refused blocks with their members. An indented request with that many values has
 * fewer bytes between its texts.
 */
const CONTRACTS: JsonLimits = { depth: 32, values: 5_000, betweenBytes: 256 * 1024 };

/** A text that ends within this many bytes is read byte by byte, because starting a search takes longer. */
const NEAR = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN = new Set([0x5b, 0x7b]);
const CLOSE = new Set([0x5d, 0x7d]);

/**
 * Limits the structure of a JSON text while its bytes arrive: the cost of a parser and a schema grows with the number
 * of values, not with the length of texts. It does not check the grammar; the parser does that.
 */
export class JsonBounds {
  #depth = 0;
  #values = 1;
  #between = 0;
  #isInText = false;
  #isEscaped = false;

  constructor(private readonly limits = CONTRACTS) {}

  /** What is wrong with the bytes so far, as a message for the client; null: nothing yet. */
  read(bytes: Buffer): string | null {
    const { depth, values, betweenBytes } = this.limits;
    for (let at = 0; at < bytes.length; at++) {
      if (this.#isInText) {
        at = this.#readText(bytes, at);
        continue;
      }
      const byte = bytes[at]!;
      if (byte === QUOTE) this.#isInText = true;
      else if (++this.#between > betweenBytes)
        return `The JSON has more than ${betweenBytes / 1024} KB outside of its texts.`;
      else if (OPEN.has(byte)) {
        this.#values++;
        if (++this.#depth > depth) return `The JSON is nested more than ${depth} levels deep.`;
      } else if (CLOSE.has(byte)) this.#depth--;
      else if (byte === COMMA) this.#values++;
      if (this.#values > values) return `The JSON has more than ${values} values.`;
    }
    return null;
  }

  /** Reads to the end of the string, or of the bytes. Returns the last position that it has read. */
  #readText(bytes: Buffer, from: number): number {
    let at = this.#isEscaped ? from + 1 : from;
    for (;;) {
      const near = Math.min(at + NEAR, bytes.length);
      while (at < near && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
      const end = at < near ? at : bytes.indexOf(QUOTE, at);
      if (end === at && at < near) break;
      const stop = end < 0 ? bytes.length : end;
      let slash = stop;
      while (slash > at && bytes[slash - 1] === BACKSLASH) slash--;
      this.#isEscaped = at > bytes.length || (stop - slash) % 2 === 1;
      if (end < 0) return bytes.length - 1;
      at = end;
      if (!this.#isEscaped) break;
      at++;
    }
    this.#isEscaped = false;
    this.#isInText = false;
    return at;
  }
}
