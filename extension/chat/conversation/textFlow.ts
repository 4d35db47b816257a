import type { FromHost } from '../protocol.ts';

type TextMessage = Extract<FromHost, { type: 'text' }>;

/** Readers can't see faster updates, and each message to the web view costs a copy between processes. */
const TICK_MS = 25;

/** Collects the pieces of running answers and sends them in batches. */
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

  /** Sends the collected pieces, so that a later message does not overtake them. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const messages = [...this.gathered.values()];
    this.gathered.clear();
    for (const message of messages) this.post(message);
  }

  /** Discards the collected pieces: the whole conversation is about to be sent. */
  drop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.gathered.clear();
  }
}
