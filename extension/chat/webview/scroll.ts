/**
 * Keeps a box scrolled to its end while its content grows. It stops at once when the reader moves up, by wheel, touch,
 * key, scroll bar or by selecting text, and starts again when the reader returns to the end.
 */
export class BottomPin {
  pinned = true;
  private held: { element: HTMLElement; offset: number } | null = null;
  private lastTop = 0;
  private touchY = 0;
  private readonly sizes: ResizeObserver;
  private readonly abort = new AbortController();

  constructor(
    private readonly box: HTMLElement,
    content: HTMLElement,
    private readonly changed: (pinned: boolean) => void,
  ) {
    this.sizes = new ResizeObserver(() => this.settle());
    this.sizes.observe(content);
    this.sizes.observe(box);
    const { signal } = this.abort;
    const passive = { signal, passive: true };
    box.addEventListener('wheel', (event) => event.deltaY < 0 && this.letGo(), passive);
    box.addEventListener('touchstart', (event) => this.touched(event, true), passive);
    box.addEventListener('touchmove', (event) => this.touched(event, false), passive);
    box.addEventListener('keydown', (event) => this.key(event), { signal });
    box.addEventListener('scroll', () => this.scrolled(), passive);
    for (const moved of ['wheel', 'touchstart', 'keydown', 'pointerdown']) {
      box.addEventListener(moved, () => this.release(), passive);
    }
    document.addEventListener('selectionchange', () => this.selected(), { signal });
  }

  /** Scrolls to the end and stays there. */
  toEnd(): void {
    this.release();
    this.set(true);
    this.settle();
  }

  /**
   * Keeps an element's top at `offset` below the box's top until the reader moves. Content above it gets its real
   * height only when it is drawn, and the browser's own scroll anchoring has no anchor yet.
   */
  hold(element: HTMLElement, offset: number): void {
    this.set(false);
    this.held = { element, offset };
    this.box.style.overflowAnchor = 'none';
    this.settle();
    if (this.distance() < 4) this.toEnd();
  }

  /** Scrolls by the height of content that was inserted above. */
  shift(by: number): void {
    this.box.scrollTop += by;
    this.lastTop = this.box.scrollTop;
  }

  dispose(): void {
    this.sizes.disconnect();
    this.abort.abort();
  }

  private settle(): void {
    if (this.pinned) this.box.scrollTop = this.box.scrollHeight;
    else if (this.held?.element.isConnected) {
      const top = this.held.element.getBoundingClientRect().top - this.box.getBoundingClientRect().top;
      this.box.scrollTop += top - this.held.offset;
    } else return;
    this.lastTop = this.box.scrollTop;
  }

  private release(): void {
    if (!this.held) return;
    this.held = null;
    this.box.style.overflowAnchor = '';
  }

  private letGo(): void {
    if (this.box.scrollHeight > this.box.clientHeight) this.set(false);
  }

  private scrolled(): void {
    const top = this.box.scrollTop;
    const atEnd = this.distance() < 4;
    if (top < this.lastTop - 1 && !atEnd) this.set(false);
    else if (top > this.lastTop && atEnd) this.set(true);
    this.lastTop = top;
  }

  private touched(event: TouchEvent, begins: boolean): void {
    const y = event.touches[0]?.clientY ?? 0;
    if (!begins && y > this.touchY) this.letGo();
    this.touchY = y;
  }

  private key(event: KeyboardEvent): void {
    const isField = (event.target as Element).matches('input, textarea');
    const up = event.key === 'PageUp' || event.key === 'ArrowUp' || event.key === 'Home';
    if (!isField && (up || (event.key === ' ' && event.shiftKey))) this.letGo();
  }

  private selected(): void {
    const selection = document.getSelection();
    if (this.pinned && selection && !selection.isCollapsed && this.box.contains(selection.anchorNode)) this.letGo();
  }

  private distance(): number {
    return this.box.scrollHeight - this.box.clientHeight - this.box.scrollTop;
  }

  private set(pinned: boolean): void {
    if (pinned === this.pinned) return;
    this.pinned = pinned;
    this.changed(pinned);
  }
}
