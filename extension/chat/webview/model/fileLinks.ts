import type { FileReference } from '../../../../shared/answers/fileReferences.ts';
import type { FromHost, ToHost } from '../../protocol.ts';

/** The most paths in one message to the host. */
const MOST_ASKED = 50;
/** The most remembered paths. Beyond that, all are forgotten and asked about again. */
const MOST_KNOWN = 2000;
/** Answers grow by pieces, and paths in them, too: ask about a path only once it is complete. */
const WAIT_MS = 150;

/** Finds out which words of answers are files of the workspace, by asking the host about many at a time. */
export class FileLinks {
  private readonly known = new Map<string, boolean>();
  private readonly waiting = new Map<string, Set<HTMLElement>>();
  /** Pending paths: a search by the host takes longer than an answer's next piece. */
  private readonly asked = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly post: (message: ToHost) => void) {}

  /** Turns `place` into a link if its file exists. */
  link(place: HTMLElement, reference: FileReference): void {
    const { path, line, column } = reference;
    place.dataset.path = path;
    if (line) place.dataset.line = String(line);
    if (column) place.dataset.column = String(column);
    const isThere = this.known.get(path);
    if (isThere) become(place);
    if (isThere !== undefined) return;
    const places = this.waiting.get(path) ?? new Set();
    this.waiting.set(path, places.add(place));
    this.timer ??= setTimeout(() => this.ask(), WAIT_MS);
  }

  private ask(): void {
    this.timer = undefined;
    for (const [path, places] of this.waiting) {
      for (const place of places) if (!place.isConnected) places.delete(place);
      if (places.size === 0) this.waiting.delete(path);
    }
    const paths = [...this.waiting.keys()].filter((path) => !this.asked.has(path));
    for (const path of paths) this.asked.add(path);
    for (let at = 0; at < paths.length; at += MOST_ASKED) {
      this.post({ type: 'findFiles', paths: paths.slice(at, at + MOST_ASKED) });
    }
  }

  told({ asked, found }: Extract<FromHost, { type: 'files' }>): void {
    if (this.known.size > MOST_KNOWN) this.known.clear();
    for (const path of asked) {
      const isThere = found.includes(path);
      this.known.set(path, isThere);
      if (isThere) for (const place of this.waiting.get(path) ?? []) become(place);
      this.waiting.delete(path);
      this.asked.delete(path);
    }
  }

  /** Files may have been created or deleted: ask again about everything that is drawn from now on. */
  forget(): void {
    this.known.clear();
  }

  /** Opens the file of a link's element. */
  open({ path = '', line, column }: DOMStringMap): void {
    this.post({
      type: 'openFile',
      path,
      ...(line && { line: Number(line) }),
      ...(column && { column: Number(column) }),
    });
  }
}

function become(place: HTMLElement): void {
  const { path, line } = place.dataset;
  place.className = 'file';
  place.setAttribute('role', 'link');
  place.tabIndex = 0;
  place.title = `Open ${path}${line ? `, line ${line}` : ''}`;
}
