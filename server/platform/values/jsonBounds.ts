/** Deeper than any contract, and far less than what a parser's stack takes. */
const MAX_DEPTH = 32;
/** Lists of the largest contract together: 2,000 paths, 50 files, 100 refused blocks with their members. */
const MAX_VALUES = 5_000;
/** Digits, names of literals, punctuation and blanks: an indented request of that many values has less. */
const MAX_BETWEEN = 256 * 1024;

/** A text that ends so soon is read byte by byte: a search takes longer to begin. */
const NEAR = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN = new Set([0x5b, 0x7b]);
const CLOSE = new Set([0x5d, 0x7d]);

/**
 * How much structure a JSON text has, told while its bytes arrive: what a parser and a schema work on grows with the number
 * of values and not with the length of texts. It judges no grammar; the parser does that.
 */
export class JsonBounds {
  #depth = 0;
  #values = 1;
  #between = 0;
  #isInText = false;
  #isEscaped = false;

  /** What is wrong with the text up to here, for the one who sent it; null: nothing yet. */
  read(bytes: Buffer): string | null {
    for (let at = 0; at < bytes.length; at++) {
      if (this.#isInText) {
        at = this.#readText(bytes, at);
        continue;
      }
      const byte = bytes[at]!;
      if (byte === QUOTE) this.#isInText = true;
      else if (++this.#between > MAX_BETWEEN)
        return `The JSON has more than ${MAX_BETWEEN / 1024} KB outside of its texts.`;
      else if (OPEN.has(byte)) {
        this.#values++;
        if (++this.#depth > MAX_DEPTH) return `The JSON is nested more than ${MAX_DEPTH} levels deep.`;
      } else if (CLOSE.has(byte)) this.#depth--;
      else if (byte === COMMA) this.#values++;
      if (this.#values > MAX_VALUES) return `The JSON has more than ${MAX_VALUES} values.`;
    }
    return null;
  }

  /** To the end of the text, or of the bytes: returns the last place that it has read. */
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
