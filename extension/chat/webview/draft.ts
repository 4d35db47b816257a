import { MAX_TEXT } from '../../../shared/constants.ts';
import type { ToHost } from '../protocol.ts';

const DELAY_MS = 300;

/** Tells the host what stands in the composer, a moment after each change, so that a closed view loses nothing. */
export class DraftKeeper {
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** What stood there when another conversation was asked for. What is typed after it belongs to the new one. */
  private left: string | undefined;

  constructor(
    private readonly post: (message: ToHost) => void,
    private readonly current: () => string,
  ) {}

  changed(): void {
    clearTimeout(this.timer);
    if (this.left === undefined) this.timer = setTimeout(() => this.flush(), DELAY_MS);
  }

  /** Tells now what is yet to be told. */
  flush(): void {
    if (this.timer !== undefined) this.tell();
  }

  tell(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.post({ type: 'draft', text: this.current().slice(0, MAX_TEXT) });
  }

  /** Another conversation was asked for: the draft is told, and what follows waits for the other one to be there. */
  leave(): void {
    this.flush();
    this.left = this.current();
  }

  /** The other conversation is there (or won't come): what was typed since. */
  arrive(): string {
    const { left } = this;
    this.left = undefined;
    return left !== undefined && this.current().startsWith(left) ? this.current().slice(left.length) : '';
  }
}
