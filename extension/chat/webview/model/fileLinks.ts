import type { FileReference } from '../../../../shared/answers/fileReferences.ts';
import type { FromHost, ToHost } from '../../protocol.ts';

/** The most words in one message to the host. Symbols are looked up by language servers, which takes longer. */
const MOST_ASKED = { files: 50, symbols: 20 };
/** The most remembered words. Beyond that, all are forgotten and asked about again. */
const MOST_KNOWN = 2000;
/** Answers grow by pieces, and words in them, too: ask about a word only once it is complete. */
const WAIT_MS = 150;

/** Finds out which words of answers lead somewhere, by asking the host about many at a time. */
class LazyLinks {
  private readonly known = new Map<string, boolean>();
  private readonly waiting = new Map<string, Set<HTMLElement>>();
  /** Pending words: a search by the host takes longer than an answer's next piece. */
  private readonly asked = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly most: number,
    private readonly post: (words: string[]) => void,
  ) {}

  /** Turns `place` into a link if the word leads somewhere. */
  link(place: HTMLElement, word: string): void {
    const isThere = this.known.get(word);
    if (isThere) become(place);
    if (isThere !== undefined) return;
    const places = this.waiting.get(word) ?? new Set();
    this.waiting.set(word, places.add(place));
    this.timer ??= setTimeout(() => this.ask(), WAIT_MS);
  }

  private ask(): void {
    this.timer = undefined;
    for (const [word, places] of this.waiting) {
      for (const place of places) if (!place.isConnected) places.delete(place);
      if (places.size === 0) this.waiting.delete(word);
    }
    const words = [...this.waiting.keys()].filter((word) => !this.asked.has(word));
    for (const word of words) this.asked.add(word);
    for (let at = 0; at < words.length; at += this.most) this.post(words.slice(at, at + this.most));
  }

  told(asked: readonly string[], found: readonly string[]): void {
    if (this.known.size > MOST_KNOWN) this.known.clear();
    for (const word of asked) {
      const isThere = found.includes(word);
      this.known.set(word, isThere);
      if (isThere) for (const place of this.waiting.get(word) ?? []) become(place);
      this.waiting.delete(word);
      this.asked.delete(word);
    }
  }

  forget(): void {
    this.known.clear();
    // Some may have had no answer.
    this.asked.clear();
  }
}

/** The words of answers that are files of the workspace, or symbols with one definition in it. */
export class FileLinks {
  private readonly files: LazyLinks;
  private readonly symbols: LazyLinks;

  constructor(private readonly post: (message: ToHost) => void) {
    this.files = new LazyLinks(MOST_ASKED.files, (paths) => post({ type: 'findFiles', paths }));
    this.symbols = new LazyLinks(MOST_ASKED.symbols, (names) => post({ type: 'findSymbols', names }));
  }

  /** Turns `place` into a link if its file exists. */
  link(place: HTMLElement, { path, line, column }: FileReference): void {
    place.dataset.path = path;
    if (line) place.dataset.line = String(line);
    if (column) place.dataset.column = String(column);
    this.files.link(place, path);
  }

  /** Turns `place` into a link if its name has one definition. */
  linkSymbol(place: HTMLElement, name: string): void {
    place.dataset.symbol = name;
    this.symbols.link(place, name);
  }

  told({ type, asked, found }: Extract<FromHost, { type: 'files' | 'symbols' }>): void {
    (type === 'files' ? this.files : this.symbols).told(asked, found);
  }

  /** Files may have been created or deleted: ask again about everything that is drawn from now on. */
  forget(): void {
    this.files.forget();
    this.symbols.forget();
  }

  /** Opens where a link's element leads. */
  open({ path = '', line, column, symbol }: DOMStringMap): void {
    if (symbol) this.post({ type: 'openSymbol', name: symbol });
    else
      this.post({
        type: 'openFile',
        path,
        ...(line && { line: Number(line) }),
        ...(column && { column: Number(column) }),
      });
  }
}

function become(place: HTMLElement): void {
  const { path, line, symbol } = place.dataset;
  place.className = 'file';
  place.setAttribute('role', 'link');
  place.tabIndex = 0;
  place.title = symbol ? `Go to ${symbol}` : `Open ${path}${line ? `, line ${line}` : ''}`;
}
