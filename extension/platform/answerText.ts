import { ThoughtReader } from '../../shared/answers/thoughts.ts';
import type { RunEvent } from '../../shared/runs.ts';

export type TextEvent = Extract<RunEvent, { type: 'text' }>;

/**
 * The text of a running answer without the thoughts that a model writes into it: the server's gate takes them out, but an
 * older server has none. Everybody who reads a run's text reads it here.
 */
export class AnswerText {
  private reader = new ThoughtReader();
  /** All that was heard, thoughts among it. */
  private heard = '';
  private said = '';

  /** The answer by now. */
  get text(): string {
    return this.said;
  }

  /**
   * What an event tells, with the text's places counted without thoughts: each text event replaces all from its `at` on, and
   * comes again from 0 where the text before was only thought.
   */
  read(event: RunEvent): RunEvent[] {
    if (event.type === 'done' || event.type === 'error') return [...this.take(this.reader.end()), event];
    if (event.type !== 'text') return [event];
    const { text, at } = event.data;
    const takenBack = this.isOther(text, at) ? this.cutTo(at) : [];
    // A piece that was heard before, in whole or in part, comes again after a break of the connection.
    const piece = text.slice(Math.max(0, this.heard.length - at));
    this.heard += piece;
    return piece === '' ? takenBack : [...takenBack, ...this.take(this.reader.feed(piece))];
  }

  /** Whether a text takes back what stood at its place: the server does so with what turned out to be thought. */
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
