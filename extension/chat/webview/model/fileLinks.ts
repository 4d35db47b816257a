import type { FileReference } from '../../../../shared/answers/fileReferences.ts';
import type { FromHost, ToHost } from '../../protocol.ts';

/** In one message to the host. */
const MOST_ASKED = 50;
/** In all; then they are asked about anew. */
const MOST_KNOWN = 2000;
/** Answers grow by pieces, and a path with them: it is asked about when it stands. */
const WAIT_MS = 150;

/** Knows which words of answers are files of the workspace: the host is asked, many at a time. */
export class FileLinks {
  private readonly known = new Map<string, boolean>();
  private readonly waiting = new Map<string, Set<HTMLElement>>();
  /** The host looks for these: a search takes longer than an answer's next piece. */
  private readonly asked = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly post: (message: ToHost) => void) {}

  /** Makes a link of `place` when what it refers to is there. */
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

  /** Files come and go: what is drawn from now on is asked about again. */
  forget(): void {
    this.known.clear();
  }

  /** What a link's element says. */
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
