import type { FromHost } from '../protocol.ts';

type TextMessage = Extract<FromHost, { type: 'text' }>;

/** A reader can't see more than this, and each message to the web view costs a copy between processes. */
const TICK_MS = 25;

/** Gathers the pieces of running answers and passes them on together. */
export class TextFlow {
  private readonly gathered = new Map<string, TextMessage>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly post: (message: TextMessage) => void) {}

  add(messageId: string, text: string, at: number): void {
    const before = this.gathered.get(messageId);
    if (before && at !== before.at + before.text.length) this.flush();
    const open = this.gathered.get(messageId);
    if (open) open.text += text;
    else this.gathered.set(messageId, { type: 'text', messageId, text, at });
    this.timer ??= setTimeout(() => this.flush(), TICK_MS);
  }

  /** Passes on what there is, so that what is told next does not overtake it. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const messages = [...this.gathered.values()];
    this.gathered.clear();
    for (const message of messages) this.post(message);
  }

  /** Forgets what there is: everything is about to be told anew. */
  drop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.gathered.clear();
  }
}
