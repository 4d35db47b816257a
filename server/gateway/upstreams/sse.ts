import { StringDecoder } from 'node:string_decoder';
import { JsonSplitter, parseJson } from './jsonSplitter.ts';

/** The longest single event taken, in UTF-16 units: far above any real chunk, far below what memory bears. */
export const MAX_EVENT_LENGTH = 4_000_000;

/** An event longer than `MAX_EVENT_LENGTH`: the stream is no chat-completions stream. */
export class EventTooLong extends Error {}

/** A web page, as proxies and misaddressed servers answer. */
export class NoStream extends Error {}

/**
 * Reads what a model service streams, from bytes in any division: characters, lines and CRLFs may be cut anywhere. Server-sent
 * events are the rule; comments and all fields but `data` are skipped. What services send besides is read as well, whatever
 * the stream's label: JSON without a frame (alone, a line each, or one list), events that only one line end parts, UTF-16,
 * and errors that only `event: error` names. Linear in the bytes fed, also for one endless line.
 */
export class SseReader {
  #decoder: { write(bytes: Buffer): string; end(): string } | null = null;
  /** The first byte, while the second must tell the encoding. */
  #head: Buffer = Buffer.alloc(0);
  #line = '';
  #data: string | null = null;
  /** The data is more than one whole value: only a blank line ends it. Looked at once, for it is parsed for that. */
  #isInParts = false;
  #isError = false;
  /** JSON without a frame, begun and not yet complete. */
  #json: JsonSplitter | null = null;
  #first = true;
  #endedInCr = false;
  #rest: string[] | null = null;

  /** The `data` of each event that these bytes complete, in order. Throws `EventTooLong` and `NoStream`. */
  feed(bytes: Uint8Array): string[] {
    const events = this.#take(this.#decode(bytes as Buffer));
    // One that is whole needs no blank line, which may never come.
    if (this.#line === '' && this.#isWhole()) this.#endEvent(events);
    return events;
  }

  /**
   * The `data` of an event that the stream broke off before its closing blank line; called again, of the next such event, and
   * at last null.
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
      // Only the new piece is searched, and the unfinished line is a rope: an endless line costs no second look.
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
      // Some services part events by one line end; whole JSON is never half of an event.
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

/** Of `event: error` the data may be the error alone, or mere words. */
function asError(data: string): string {
  const value = parseJson(data);
  const isObject = typeof value === 'object' && value !== null;
  return isObject && 'error' in value ? data : JSON.stringify({ error: isObject ? value : data });
}

/** By a byte order mark, or by the zero bytes that every ASCII character has in UTF-16. */
function decoderFor(head: Buffer): { write(bytes: Buffer): string; end(): string } {
  const [first, second] = head;
  const isLittle = (first === 0xff && second === 0xfe) || (second === 0 && first !== 0);
  const isBig = (first === 0xfe && second === 0xff) || (first === 0 && second !== 0);
  if (!isLittle && !isBig) return new StringDecoder('utf8');
  const decoder = new TextDecoder(isLittle ? 'utf-16le' : 'utf-16be', { ignoreBOM: true });
  return { write: (bytes) => decoder.decode(bytes, { stream: true }), end: () => decoder.decode() };
}
