import { StringDecoder } from 'node:string_decoder';

/** The longest single event taken, in UTF-16 units: far above any real chunk, far below what memory bears. */
export const MAX_EVENT_LENGTH = 4_000_000;

/** An event longer than `MAX_EVENT_LENGTH`: the stream is no chat-completions stream. */
export class EventTooLong extends Error {}

/**
 * Reads server-sent events from bytes in any division: characters, lines and CRLFs may be cut anywhere. Comments and all
 * fields but `data` are skipped. Linear in the bytes fed, also for one endless line.
 */
export class SseReader {
  readonly #decoder = new StringDecoder('utf8');
  #line = '';
  #data: string | null = null;
  #first = true;
  #endedInCr = false;

  /** The `data` of each event that these bytes complete, in order. Throws `EventTooLong`. */
  feed(bytes: Uint8Array): string[] {
    return this.#take(this.#decoder.write(bytes as Buffer));
  }

  /** The `data` of an event that the stream broke off before its closing blank line, if there is one. */
  rest(): string | null {
    const [whole] = this.#take(`${this.#decoder.end()}\n`);
    const data = whole ?? this.#data;
    this.#data = null;
    return data;
  }

  #take(piece: string): string[] {
    let text = piece;
    if (this.#first && text !== '') {
      this.#first = false;
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
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
    if (this.#line.length + (this.#data?.length ?? 0) > MAX_EVENT_LENGTH) throw new EventTooLong();
    return events;
  }

  #endLine(line: string, events: string[]): void {
    if (line === '') {
      if (this.#data !== null) events.push(this.#data);
      this.#data = null;
    } else if (line.startsWith('data:')) {
      const value = line.slice(line.charCodeAt(5) === 32 ? 6 : 5);
      this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
    }
  }
}
