import type { ShownEvent } from '../prompt/received.ts';

/** Nobody reads a model's thoughts word by word. */
const THINKING_MS = 100;

/**
 * Passes on what an answer shows. Text goes at once. Thoughts come as hundreds of pieces a second, and become one event
 * each tenth of a second. The order stays.
 */
export class EventFlow {
  #thinking: Extract<ShownEvent, { type: 'thinking' }> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly pass: (event: ShownEvent) => void,
    private readonly everyMs = THINKING_MS,
  ) {}

  add(event: ShownEvent): void {
    if (event.type === 'text') {
      this.flush();
      this.pass(event);
    } else if (this.#thinking) {
      const { text, at } = this.#thinking.data;
      this.#thinking = { type: 'thinking', data: { text: text + event.data.text, at, ms: event.data.ms } };
    } else {
      this.#thinking = event;
      // The first thought goes at once, so that readers know that the model thinks.
      if (this.#timer) return;
      this.#tick();
    }
  }

  /** Passes on the thoughts so far. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const thinking = this.#thinking;
    this.#thinking = undefined;
    if (thinking) this.pass(thinking);
  }

  #tick(): void {
    const hasThoughts = this.#thinking !== undefined;
    this.flush();
    if (hasThoughts) this.#timer = setTimeout(() => this.#tick(), this.everyMs);
  }
}
