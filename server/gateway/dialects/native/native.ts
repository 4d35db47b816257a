import type { Usage } from '../../../../shared/runs.ts';
import type { StreamEvent } from '../../stream.ts';
import { isObject, type Json } from '../chat/refused.ts';
import type { ServiceError } from '../chatCompletions.ts';

/** What one event of a service says, as far as the meter must know it. */
export interface NativeNews {
  events: StreamEvent[];
  /** Nothing that follows would count. */
  isOver?: true;
  error?: ServiceError;
}

/** Follows what a client gets of one answer. */
export interface Follower {
  take(event: Json): void;
  /** The events that end the answer here, at its output limit; null if it has not begun. */
  cut(usage: Usage): Json[] | null;
}

/**
 * A dialect that a service speaks itself. Its events go to the client as they are, but for the model's name; the meter
 * reads along.
 */
export interface NativeDialect {
  /** Where the service takes requests, below its base address. */
  path: string;
  /** The headers that prove the operator's key. */
  keyHeaders(key: string): Record<string, string>;
  /** The body for the service, from the client's own. */
  body(given: Json, model: string, maxOutputTokens: number): Json;
  /** Reads the events of one streamed answer. */
  reader(): { take(event: Json): NativeNews };
  /** Reads an answer in one piece. */
  whole(answer: Json): NativeNews;
  /** Writes the model's name that the client knows. The event is the service's own object. */
  rename(event: Json, model: string): void;
  /** Writes the answer's id and the event's number that follow on an opening of our own. */
  follow(event: Json, id: string, number: number): void;
  /** The event that ends an answer which failed in its middle; null: the translation's own fits. `opened`: see `opening`. */
  failed(error: { code: string; message: string }, opened: Json | null): Json | null;
  follower(): Follower;
  /** The dialect's sign of life; null: a comment. */
  ping: Json | null;
  /** Events that complete an answer for its client: held back until it is settled. */
  last: ReadonlySet<unknown>;
  /** Events at the beginning, which a client that has a sign of life has in our own form already. */
  opening: ReadonlySet<unknown>;
}

/** The object with these fields alone; an empty one for anything else. */
export function only(given: unknown, fields: ReadonlySet<string>): Json {
  return isObject(given) ? Object.fromEntries(Object.entries(given).filter(([name]) => fields.has(name))) : {};
}

export const listOf = (given: unknown): unknown[] => (Array.isArray(given) ? given : []);
