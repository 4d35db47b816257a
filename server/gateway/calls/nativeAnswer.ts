import type { Problem } from '../../../shared/problems.ts';
import type { Usage } from '../../../shared/runs.ts';
import { isObject, type Json } from '../dialects/chat/refused.ts';
import type { Follower, NativeDialect } from '../dialects/native/native.ts';
import { openAiError, refusalOf } from './errors.ts';
import { eventFrames } from './frames.ts';

/**
 * An answer of a service that speaks the client's dialect: its own events, under the model's name that the client knows.
 * What makes it whole is held back until it is settled.
 */
export class NativeAnswer {
  #held: Json[] = [];
  /** The last event with the response object, for the one that says that it failed. */
  #opened: Json | null = null;
  #number: unknown;
  readonly #follower: Follower;
  #sent = 0;

  /** `opening`: the client has a sign of life, and with it so many events of an answer of our own with that id. */
  constructor(
    private readonly dialect: NativeDialect,
    private readonly model: string,
    private readonly opening: { id: string; events: number } | null,
  ) {
    this.#follower = dialect.follower();
  }

  /** The client needs nothing more than what is held back. */
  get isFinished(): boolean {
    return this.#held.length > 0;
  }

  /** The frames to send at once. */
  take(events: readonly Json[]): string {
    const due: Json[] = [];
    for (const event of events) {
      this.dialect.rename(event, this.model);
      if (typeof event.type !== 'string') continue;
      const isOpening = this.opening !== null && this.dialect.opening.has(event.type);
      if (this.opening) this.dialect.follow(event, this.opening.id, this.opening.events + this.#sent);
      if (!isOpening) this.#sent++;
      if (isObject(event.response)) this.#opened = event;
      if (!this.isFinished) this.#follower.take(event);
      if (isOpening) continue;
      this.#number = event.sequence_number ?? this.#number;
      if (this.isFinished || this.dialect.last.has(event.type)) this.#held.push(event);
      else due.push(event);
    }
    return eventFrames(due);
  }

  /**
   * What completes the answer: the service's own words, or those for an answer that Perigee cut off at its limit. Null
   * if it has not begun.
   */
  end(usage: Usage): string | null {
    const last = this.isFinished ? this.#held : this.#follower.cut(usage);
    return last && eventFrames(last);
  }

  /** Null: the translation's own way to tell it fits. */
  fail(problem: Problem): string | null {
    const { error } = openAiError(refusalOf(problem), 'responses').body;
    const opened = this.#opened && { ...this.#opened, sequence_number: this.#number };
    const event = this.dialect.failed(error, opened);
    return event && eventFrames([event]);
  }

  /** A sign of life in the middle. */
  ping(): string {
    return this.dialect.ping === null ? ': waiting for the model\n\n' : eventFrames([this.dialect.ping]);
  }
}
