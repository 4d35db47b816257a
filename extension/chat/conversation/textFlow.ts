import type { FromHost } from '../protocol.ts';

type PieceMessage = Extract<FromHost, { type: 'text' | 'thinking' }>;

/** Readers can't see faster updates, and each message to the web view costs a copy between processes. */
const TICK_MS = 25;

/** Collects the pieces of running answers and sends them in batches. */
export class TextFlow {
  /** By type and message. */
  private readonly gathered = new Map<string, PieceMessage>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly post: (message: PieceMessage) => void) {}

  add(piece: PieceMessage): void {
    const key = `${piece.type} ${piece.messageId}`;
    const before = this.gathered.get(key);
    if (before && piece.at !== before.at + before.text.length) this.flush();
    const open = this.gathered.get(key);
    this.gathered.set(key, open ? { ...piece, text: open.text + piece.text, at: open.at } : piece);
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
