import { ThoughtReader } from '../../shared/answers/thoughts.ts';
import type { RunEvent } from '../../shared/runs.ts';

export type TextEvent = Extract<RunEvent, { type: 'text' }>;

/**
 * The text of a running answer without the model's thoughts. The server removes them from the text, but an older server
 * does not. All code that reads a run's text uses this class.
 */
export class AnswerText {
  private reader = new ThoughtReader();
  /** The whole text received so far, thoughts included. */
  private heard = '';
  private said = '';

  /** The answer so far. */
  get text(): string {
    return this.said;
  }

  /**
   * Translates an event: positions in its text are counted without thoughts. Each text event replaces all text from its
   * `at` on. It starts again from 0 if the text before it turns out to be only thought.
   */
  read(event: RunEvent): RunEvent[] {
    if (event.type === 'done' || event.type === 'error') return [...this.take(this.reader.end()), event];
    if (event.type !== 'text') return [event];
    const { text, at } = event.data;
    const takenBack = this.isOther(text, at) ? this.cutTo(at) : [];
    // After a reconnect, a piece may repeat received text, in whole or in part.
    const piece = text.slice(Math.max(0, this.heard.length - at));
    this.heard += piece;
    return piece === '' ? takenBack : [...takenBack, ...this.take(this.reader.feed(piece))];
  }

  /** Whether a text replaces the one received at its position: the server does so if that turns out to be thought. */
  private isOther(text: string, at: number): boolean {
    return at < this.heard.length && (text === '' || !text.startsWith(this.heard.slice(at, at + text.length)));
  }

  private cutTo(at: number): TextEvent[] {
    const kept = this.heard.slice(0, at);
    this.reader = new ThoughtReader();
    this.heard = kept;
    this.said = '';
    return [{ type: 'text', data: { text: '', at: 0 } }, ...this.take(this.reader.feed(kept))];
  }

  private take(pieces: ReturnType<ThoughtReader['feed']>): TextEvent[] {
    const events: TextEvent[] = [];
    for (const { kind, text } of pieces) {
      if (kind === 'thinking') continue;
      const at = kind === 'retracted' ? 0 : this.said.length;
      this.said = kind === 'retracted' ? '' : this.said + text;
      events.push({ type: 'text', data: { text: kind === 'retracted' ? '' : text, at } });
    }
    return events;
  }
}
