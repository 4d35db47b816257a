import { StringDecoder } from 'node:string_decoder';
import { JsonSplitter, parseJson } from './jsonSplitter.ts';

/** The longest event accepted, in UTF-16 units: far above any real chunk, far below the memory limit. */
export const MAX_EVENT_LENGTH = 4_000_000;

/** An event longer than `MAX_EVENT_LENGTH`: this is not a chat-completions stream. */
export class EventTooLong extends Error {}

/** The answer is a web page, as proxies and wrong addresses send. */
export class NoStream extends Error {}

/**
 * Reads the stream of a model service. The bytes may be cut anywhere, also inside a character, a line or a CRLF. The
 * usual form is server-sent events; comments and all fields but `data` are skipped. Whatever the content type says, it
 * also reads JSON without SSE framing (one object, one per line, or one list), events separated by a single line end,
 * UTF-16, and errors marked only by `event: error`. Takes linear time in the bytes fed, even for one endless line.
 */
export class SseReader {
  #decoder: { write(bytes: Buffer): string; end(): string } | null = null;
  /** The first byte, kept until the second one tells the encoding. */
  #head: Buffer = Buffer.alloc(0);
  #line = '';
  #data: string | null = null;
  /** The data holds more than one whole JSON value, so only a blank line ends it. This avoids parsing it again. */
  #isInParts = false;
  #isError = false;
  /** Unfinished JSON without SSE framing. */
  #json: JsonSplitter | null = null;
  #first = true;
  #endedInCr = false;
  #rest: string[] | null = null;

  /** Returns the `data` of each event that these bytes complete, in order. Throws `EventTooLong` and `NoStream`. */
  feed(bytes: Uint8Array): string[] {
    const events = this.#take(this.#decode(bytes as Buffer));
    // A whole JSON value needs no closing blank line, which may never come.
    if (this.#line === '' && this.#isWhole()) this.#endEvent(events);
    return events;
  }

  /**
   * The `data` of an event whose closing blank line is missing because the stream ended. Call it again for the next
   * such event; returns null when there is none.
   */
  rest(): string | null {
    this.#rest ??= this.#take(`${this.#decoder?.end() ?? this.#head.toString('utf8')}\n`);
    const data = this.#rest.shift() ?? this.#data;
    if (data === this.#data) this.#data = null;
    return data;
  }

  #decode(bytes: Buffer): string {
    if (this.#decoder) return this.#decoder.write(bytes);
    const head = this.#head.length > 0 ? Buffer.concat([this.#head, bytes]) : bytes;
    const isCut = head.length === 1 && (head[0] === 0 || head[0]! >= 0xfe);
    if (head.length === 0 || isCut) {
      this.#head = head;
      return '';
    }
    this.#decoder = decoderFor(head);
    return this.#decoder.write(head);
  }

  #take(piece: string): string[] {
    let text = piece;
    if (this.#first && text !== '') {
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
      const start = text.trimStart();
      if (start !== '') this.#first = false;
      if (start.startsWith('<')) throw new NoStream();
    }
    if (this.#endedInCr && text.charCodeAt(0) === 10) text = text.slice(1);
    if (piece !== '') this.#endedInCr = piece.charCodeAt(piece.length - 1) === 13;
    if (text.includes('\r')) text = text.replace(/\r\n?/g, '\n');

    const events: string[] = [];
    let from = 0;
    for (;;) {
      const end = text.indexOf('\n', from);
      // Search only the new piece, and append to the line without copying: an endless line is never scanned twice.
      if (end === -1) break;
      this.#endLine(this.#line + text.slice(from, end), events);
      this.#line = '';
      from = end + 1;
    }
    this.#line += text.slice(from);
    const length = this.#line.length + (this.#data?.length ?? 0) + (this.#json?.length ?? 0);
    if (length > MAX_EVENT_LENGTH) throw new EventTooLong();
    return events;
  }

  #endLine(line: string, events: string[]): void {
    if (this.#json) this.#takeJson(line, events);
    else if (line === '') this.#endEvent(events);
    else if (line.startsWith('data:')) {
      const value = line.slice(line.charCodeAt(5) === 32 ? 6 : 5);
      // Some services separate events by one line end; a whole JSON value is always a whole event.
      if (this.#isWhole()) this.#endEvent(events);
      this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
    } else if (line.startsWith('event:')) this.#isError = line.slice(6).trim() === 'error';
    else if (line.trim() === '[DONE]') events.push('[DONE]');
    else if (/^[ \t]*[,[{]/.test(line)) {
      this.#endEvent(events);
      this.#json = new JsonSplitter();
      this.#takeJson(line, events);
    }
  }

  #isWhole(): boolean {
    if (this.#data === null || this.#isInParts) return false;
    this.#isInParts = !isWhole(this.#data);
    return !this.#isInParts;
  }

  #takeJson(line: string, events: string[]): void {
    events.push(...this.#json!.feed(`${line}\n`));
    if (this.#json!.isBetween) this.#json = null;
  }

  #endEvent(events: string[]): void {
    if (this.#data !== null) events.push(this.#isError ? asError(this.#data) : this.#data);
    this.#data = null;
    this.#isInParts = false;
    this.#isError = false;
  }
}

function isWhole(data: string): boolean {
  return data === '[DONE]' || (/^\s*[[{]/.test(data) && parseJson(data) !== undefined);
}

/** The data of `event: error` may be the error object itself, or plain text. */
function asError(data: string): string {
  const value = parseJson(data);
  const isObject = typeof value === 'object' && value !== null;
  return isObject && 'error' in value ? data : JSON.stringify({ error: isObject ? value : data });
}

/** Detects the encoding by a byte order mark, or by the zero bytes of ASCII characters in UTF-16. */
function decoderFor(head: Buffer): { write(bytes: Buffer): string; end(): string } {
  const [first, second] = head;
  const isLittle = (first === 0xff && second === 0xfe) || (second === 0 && first !== 0);
  const isBig = (first === 0xfe && second === 0xff) || (first === 0 && second !== 0);
  if (!isLittle && !isBig) return new StringDecoder('utf8');
  const decoder = new TextDecoder(isLittle ? 'utf-16le' : 'utf-16be', { ignoreBOM: true });
  return { write: (bytes) => decoder.decode(bytes, { stream: true }), end: () => decoder.decode() };
}
